// What is remembered of batches: found, forgotten in time, refused where it makes no sense.
#include "engine/record/batch.h"

#include "engine/record/batch_memory.h"
#include "record_world.h"

namespace quire::test {
namespace {

constexpr StructureId kShop = 100;
constexpr StructureId kOther = 101;

class BatchMemory : public ::testing::Test {
 protected:
  void remember(StructureId collection, std::string_view key, std::uint64_t contents,
                std::int64_t until_us) {
    const RememberedBatch batch{
        .contents = contents, .changes = 9, .failed = {{0, ErrorCode::kExists}, {8, kLast}}};
    must(remember_batch(world_.txn(), collection, key, batch, until_us));
  }
  // The contents; 0 where none is remembered.
  std::uint64_t find(StructureId collection, std::string_view key, std::int64_t now_us = 0) {
    const auto found = must(find_batch(world_.txn(), collection, key, now_us));
    if (!found) return 0;
    EXPECT_EQ(found->changes, 9u);
    EXPECT_EQ(found->failed.size(), 2u);
    EXPECT_EQ(found->failed.back(), std::pair(std::uint64_t{8}, kLast));
    return found->contents;
  }
  StructureId keyspace() { return must(world_.txn().find_name(kBatchesName))->id; }
  // What is remembered, as a bug might have left it.
  void put(Bytes key, Bytes value) {
    const WriteTxn::InternalAccess access(world_.txn());
    must(world_.txn().put(keyspace(), key, value, TreeWriter::PutMode::kUpsert));
  }
  void erase(Bytes key) {
    const WriteTxn::InternalAccess access(world_.txn());
    EXPECT_TRUE(must(world_.txn().erase(keyspace(), key)));
  }
  // Two for each that is remembered.
  std::uint64_t entries() { return must(world_.txn().tree_root(keyspace())).count(); }

  static constexpr ErrorCode kLast = ErrorCode::kBudget;
  World world_{512};
};

TEST_F(BatchMemory, IsByCollectionAndKey) {
  EXPECT_EQ(find(kShop, "a"), 0u);
  const std::string longest(kMaxBatchKeySize, 'k');
  remember(kShop, "a", 1, 100);
  remember(kShop, longest, 2, 100);
  remember(kOther, "a", 3, 100);
  world_.commit();
  world_.crash();
  EXPECT_EQ(find(kShop, "a"), 1u);
  EXPECT_EQ(find(kShop, longest), 2u);
  EXPECT_EQ(find(kShop, std::string_view(longest).substr(1)), 0u);
  EXPECT_EQ(find(kOther, "a"), 3u);
  must(forget_batches_of(world_.txn(), kShop));
  EXPECT_EQ(find(kShop, "a"), 0u);
  EXPECT_EQ(find(kShop, longest), 0u);
  EXPECT_EQ(find(kOther, "a"), 3u);
  world_.check();
}

TEST_F(BatchMemory, EndsInTime) {
  for (int i = 0; i < 10; ++i) remember(kShop, std::to_string(i), 1, 100 - i);
  EXPECT_EQ(find(kShop, "0", 99), 1u);
  EXPECT_EQ(find(kShop, "0", 100), 0u);
  EXPECT_EQ(entries(), 20u);
  must(forget_batches(world_.txn(), 95, 3));  // of 5: those that end first
  EXPECT_EQ(entries(), 14u);
  EXPECT_EQ(find(kShop, "7"), 0u);
  EXPECT_EQ(find(kShop, "6"), 1u);
  must(forget_batches(world_.txn(), 95, 256));
  EXPECT_EQ(entries(), 10u);
  EXPECT_EQ(find(kShop, "5"), 0u);
  EXPECT_EQ(find(kShop, "4"), 1u);
  // One that is written over leaves nothing of its former time.
  remember(kShop, "4", 2, 200);
  EXPECT_EQ(entries(), 10u);
  must(forget_batches(world_.txn(), 150, 256));
  EXPECT_EQ(entries(), 2u);
  EXPECT_EQ(find(kShop, "4"), 2u);
  // What a dropped collection has left goes with its time.
  must(forget_batches_of(world_.txn(), kShop));
  EXPECT_EQ(entries(), 1u);
  must(forget_batches(world_.txn(), 1000, 256));
  EXPECT_EQ(entries(), 0u);
}

TEST_F(BatchMemory, ThatIsDamagedIsSaidToBe) {
  remember(kShop, "a", 1, 100);
  const StructureId id = keyspace();
  ByteVector key;
  ByteVector good;
  {
    TreeCursor cursor(&world_.txn().reader(), must(world_.txn().tree_root(id)));
    must(cursor.first());
    key = to_vector(cursor.key());
    good = to_vector(must(cursor.value()));
  }
  const auto code = [&](const ByteVector& value) {
    put(key, value);
    return code_of(find_batch(world_.txn(), kShop, "a", 0));
  };
  EXPECT_EQ(code(good), ErrorCode::kOk);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(code(ByteVector(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
              ErrorCode::kCorrupt)
        << size;
  ByteVector longer = good;
  longer.push_back({});
  EXPECT_EQ(code(longer), ErrorCode::kCorrupt);
  // From the end: how many keys, code, gap, code, gap, how many failed, how many changes.
  const auto with = [&](std::size_t from_end, std::uint8_t byte) {
    ByteVector bad = good;
    bad[bad.size() - from_end] = static_cast<std::byte>(byte);
    return code(bad);
  };
  EXPECT_EQ(with(1, 1), ErrorCode::kCorrupt);
  EXPECT_EQ(with(2, 0), ErrorCode::kCorrupt);
  EXPECT_EQ(with(2, 38), ErrorCode::kCorrupt);
  EXPECT_EQ(with(3, 8), ErrorCode::kCorrupt);
  EXPECT_EQ(with(7, 8), ErrorCode::kCorrupt);
  EXPECT_EQ(with(good.size(), 3), ErrorCode::kCorrupt);
  EXPECT_EQ(with(good.size(), 1), ErrorCode::kCorrupt);
  // What version 1 of it was: without keys.
  ByteVector older(good.begin(), good.end() - 1);
  older[0] = std::byte{1};
  EXPECT_EQ(code(older), ErrorCode::kOk);
  put(as_bytes("e"), {});
  EXPECT_EQ(code_of(forget_batches(world_.txn(), 0, 1)), ErrorCode::kCorrupt);
}

// No two keys with one hash are known, so entries of others are put where those of this one belong.
TEST_F(BatchMemory, KeysWithTheSameHashAreToldApart) {
  remember(kShop, "a", 1, 100);
  const StructureId id = keyspace();
  ByteVector place;
  ByteVector of_another;
  {
    TreeCursor cursor(&world_.txn().reader(), must(world_.txn().tree_root(id)));
    must(cursor.first());
    place = to_vector(cursor.key());
    of_another = to_vector(must(cursor.value()));
  }
  // Behind format, time, contents and the size of the key.
  constexpr std::size_t kKeyAt = 1 + 8 + 8 + 1;
  ASSERT_EQ(of_another[kKeyAt], std::byte{'a'});
  of_another[kKeyAt] = std::byte{'b'};
  const auto occupy = [&](unsigned number) {
    place.back() = static_cast<std::byte>(number);
    put(place, of_another);
  };
  occupy(0);
  EXPECT_EQ(find(kShop, "a"), 0u);
  remember(kShop, "a", 2, 100);
  EXPECT_EQ(find(kShop, "a"), 2u);
  for (unsigned number = 0; number <= 0xFF; ++number) occupy(number);
  EXPECT_EQ(code_of(find_batch(world_.txn(), kShop, "a", 0)), ErrorCode::kTooLarge);
  const RememberedBatch batch{.contents = 3, .changes = 9, .failed = {}, .keys = {}};
  EXPECT_EQ(code_of(remember_batch(world_.txn(), kShop, "a", batch, 100)), ErrorCode::kTooLarge);
  // One of them goes, and its place is taken.
  place.back() = std::byte{7};
  erase(place);
  remember(kShop, "a", 4, 100);
  EXPECT_EQ(find(kShop, "a"), 4u);
  erase(place);
  EXPECT_EQ(find(kShop, "a"), 0u);
}

TEST_F(BatchMemory, KeepsKeysByWhatTheyHaveMoreThanTheLast) {
  RememberedBatch batch{.contents = 1, .changes = 300'000, .failed = {}, .keys = {}};
  const auto stored = [&] {
    must(remember_batch(world_.txn(), kShop, "a", batch, 100));
    const auto found = must(find_batch(world_.txn(), kShop, "a", 0));
    return found->keys;
  };
  EXPECT_TRUE(stored().empty());
  batch.keys = {{0, "same"}, {2, "same"}, {3, "sand"}, {9, "s"}, {10, ""}, {299'999, "other"}};
  EXPECT_EQ(stored(), batch.keys);
  // Those that the words of the header speak of: integers that follow one another.
  batch.keys.clear();
  for (std::int64_t i = 0; i < 300'000; ++i) {
    EncodedKey key;
    encode_key(Value::of_i64(i), key);
    batch.keys.emplace_back(i, std::move(key));
  }
  const auto kept = stored();
  EXPECT_GE(kept.size(), 250'000u);
  EXPECT_LT(kept.size(), 300'000u);
  EXPECT_TRUE(std::ranges::equal(kept, std::span(batch.keys).first(kept.size())));
}

TEST_F(BatchMemory, KeysThatMakeNoSenseAreSaidTo) {
  const RememberedBatch batch{
      .contents = 1, .changes = 4, .failed = {}, .keys = {{1, "ab"}, {3, "ac"}}};
  must(remember_batch(world_.txn(), kShop, "a", batch, 100));
  const StructureId id = keyspace();
  TreeCursor cursor(&world_.txn().reader(), must(world_.txn().tree_root(id)));
  must(cursor.first());
  const ByteVector key = to_vector(cursor.key());
  const ByteVector good = to_vector(must(cursor.value()));
  // From the end: 'c', size 1, shared 1, gap 1; "ab", size 2, shared 0, gap 1; how many.
  const auto with = [&](std::size_t from_end, std::uint8_t byte) {
    ByteVector bad = good;
    bad[bad.size() - from_end] = static_cast<std::byte>(byte);
    put(key, bad);
    return code_of(find_batch(world_.txn(), kShop, "a", 0));
  };
  EXPECT_EQ(with(1, 'd'), ErrorCode::kOk);
  EXPECT_EQ(with(2, 0), ErrorCode::kCorrupt);
  EXPECT_EQ(with(2, 2), ErrorCode::kCorrupt);
  EXPECT_EQ(with(3, 3), ErrorCode::kCorrupt) << "more than the last key has";
  EXPECT_EQ(with(4, 2), ErrorCode::kCorrupt) << "there is no such change";
  EXPECT_EQ(with(8, 1), ErrorCode::kCorrupt) << "nothing comes before the first key";
  EXPECT_EQ(with(9, 4), ErrorCode::kCorrupt);
  EXPECT_EQ(with(10, 1), ErrorCode::kCorrupt);
  EXPECT_EQ(with(10, 3), ErrorCode::kCorrupt);
}

TEST(BatchContents, AreToldApart) {
  const std::array<float, 2> place = {1, 2};
  const std::array values = {Value::of_i64(1),
                             Value::of_text("a"),
                             Value::of_f64(1.5),
                             Value::of_bool(true),
                             Value::null(),
                             Value::by_default(),
                             Value::of_vector(place.data(), 2)};
  const auto hash = [](std::span<const Value> of, bool partial = false) {
    const Change change{.values = of};
    return hash_of({&change, 1}, partial);
  };
  std::vector<std::uint64_t> hashes = {hash(values), hash(values, true)};
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto others = values;
    others[i] = Value::of_timestamp(1);
    hashes.push_back(hash(others));
    hashes.push_back(hash(std::span(values).subspan(0, i)));
  }
  std::ranges::sort(hashes);
  EXPECT_EQ(std::ranges::adjacent_find(hashes), hashes.end());
}

}  // namespace
}  // namespace quire::test
