// Record numbers: when one is given again; what the check sees; what replay refuses.
#include "engine/record/record_log.h"
#include "tests/record/record_world.h"

namespace quire {
namespace {

using namespace test;

class Numbers : public testing::Test {
 protected:
  Numbers() : books_(must(Collection::create(world_.txn(), "books", full_schema()))) {}

  void insert(const std::string& id) {
    Item item;
    item.id = id;
    must(insert_record(world_.txn(), books_, item.values()));
  }
  void erase(const std::string& id) {
    must(erase_record(world_.txn(), books_, Value::of_text(id)));
  }
  // The ids by number, '-' for a free one.
  std::string table() {
    std::string text;
    for (const std::string& key : number_table(world_.txn(), books_))
      text += key.empty() ? "-" : key.substr(1);
    return text;
  }
  TreeWriter& tree(StructureId id) { return *must(world_.txn().tree(id)); }
  std::string damage() {
    std::string all;
    for (const std::string& text : damages(world_.txn(), books_)) all += text + "\n";
    return all;
  }
  bool finds(const char* words) {
    const std::string found = damage();
    EXPECT_NE(found.find(words), std::string::npos) << found;
    return !found.empty();
  }

  World world_;
  Collection books_;
};

TEST_F(Numbers, AreGivenInOrder) {
  for (const char* id : {"c", "a", "b"}) insert(id);
  EXPECT_EQ(table(), "cab");
}

TEST_F(Numbers, AreGivenAgainOnlyWhenTheirFreeingIsInACheckpoint) {
  for (const char* id : {"a", "b", "c", "d"}) insert(id);
  world_.commit();
  erase("c");
  insert("e");  // in the transaction that freed it
  EXPECT_EQ(table(), "ab-de");
  world_.commit();
  erase("a");
  insert("f");  // freed and committed, in no checkpoint
  EXPECT_EQ(table(), "-b-def");
  world_.commit();
  must(world_.database().checkpoint());
  erase("b");
  insert("g");  // the one freed first
  insert("h");
  insert("i");  // 'b' was freed after the checkpoint
  EXPECT_EQ(table(), "h-gdefi");
  world_.commit();
  world_.check();
}

TEST_F(Numbers, ThatWereGivenAgainComeBackFromTheLog) {
  for (const char* id : {"a", "b", "c"}) insert(id);
  erase("b");
  world_.commit();
  must(world_.database().checkpoint());
  insert("x");
  erase("a");
  insert("y");
  world_.commit();
  EXPECT_EQ(table(), "-xcy");
  world_.crash();
  EXPECT_EQ(table(), "-xcy");
  insert("z");  // freed at or before the checkpoint that ended recovery
  EXPECT_EQ(table(), "zxcy");
  world_.commit();
  world_.check();
}

TEST_F(Numbers, StayWithARecordThatChanges) {
  for (const char* id : {"a", "b"}) insert(id);
  Item item;
  item.id = "a";
  item.extra = {1, 2, 3};
  must(upsert_record(world_.txn(), books_, item.values()));
  EXPECT_EQ(table(), "ab");
  EXPECT_TRUE(must(read_number(world_.txn(), books_, 0)).has_vector(1));
  const std::uint32_t extra = kExtra;
  const Value null;
  must(update_record(world_.txn(), books_, Value::of_text("a"), {&extra, 1}, {&null, 1}));
  EXPECT_FALSE(must(read_number(world_.txn(), books_, 0)).has_vector(1));
  EXPECT_TRUE(must(read_number(world_.txn(), books_, 0)).has_vector(0));
  EXPECT_EQ(damage(), "");
}

TEST_F(Numbers, TheCheckFindsARecordUnderAnotherKey) {
  insert("a");
  const std::string key = "\2a";
  const ByteVector row = to_vector(*must(tree(books_.id()).get(as_bytes(key))));
  must(tree(books_.id()).put(as_bytes("\2b"), row));
  EXPECT_TRUE(finds("record 'b': the key in its row is another"));
  EXPECT_TRUE(finds("1 record numbers are in use by 2 records"));
}

TEST_F(Numbers, TheCheckFindsARowThatCantBeRead) {
  insert("a");
  must(tree(books_.id()).put(as_bytes("\2a"), as_bytes("nonsense")));
  EXPECT_TRUE(finds("record 'a': row:"));
  std::array<Value, 9> values;
  EXPECT_EQ(code_of(RecordReader(world_.txn(), books_).get(Value::of_text("a"), values)),
            ErrorCode::kCorrupt);
}

TEST_F(Numbers, TheCheckFindsNumbersOutOfStep) {
  for (const char* id : {"a", "b", "c"}) insert(id);
  must(tree(books_.definition().numbers).erase(NumberKey(1)));
  EXPECT_TRUE(finds("record 'b': its number 1 was never given"));
  EXPECT_TRUE(finds("no entry of record number 1"));
}

TEST_F(Numbers, TheCheckFindsAFreeNumberThatIsNotAmongTheFree) {
  for (const char* id : {"a", "b"}) insert(id);
  erase("a");
  must(tree(books_.definition().freed).clear());
  EXPECT_TRUE(finds("1 record numbers are free, 0 are among the free"));
  must(tree(books_.definition().freed).put(FreedKey(1, 1), {}));
  EXPECT_TRUE(finds("record number 1 is among the free but in use"));
}

TEST_F(Numbers, TheCheckFindsVectorsThatAreMissingOrNotFinite) {
  for (const char* id : {"a", "b"}) insert(id);
  ArrayWriter& places = *must(world_.txn().array(books_.definition().vectors[0]));
  const ByteVector ones(kPlaceDimension * sizeof(float), std::byte{0xFF});
  must(places.set(0, ones));
  EXPECT_TRUE(finds("record 'a': its vector 'place': element 0 is NaN"));
  must(places.truncate(1));
  EXPECT_TRUE(finds("'place': there is no vector of record 1"));
}

// --- replay of operations that do not fit ---

TEST_F(Numbers, ReplayRefusesWhatDoesNotFit) {
  for (const char* id : {"a", "b"}) insert(id);
  erase("b");
  world_.commit();
  Random random(6);
  Item item = random_item(random, "z");
  item.extra.reset();
  const std::uint32_t both[] = {0};
  const auto put = [&](const Item& of, RecordNumber number,
                       std::span<const std::uint32_t> vectors) {
    const ByteVector payload = encode_put(books_.schema(), number, of.values(), vectors);
    return apply_record_operation(world_.txn(),
                                  {.code = kPutRecord, .id = books_.id(), .value = payload});
  };
  const auto refused = [&](const Status& status) {
    EXPECT_EQ(code_of(status), ErrorCode::kCorrupt);
    EXPECT_FALSE(world_.txn().usable());
    world_.abort();
    return !status;
  };
  EXPECT_TRUE(refused(put(item, 7, both)));  // a number that is not the next
  EXPECT_TRUE(refused(put(item, 0, both)));  // one in use
  EXPECT_TRUE(refused(put(item, 2, {})));    // no vector
  Item known = item;
  known.id = "a";
  EXPECT_TRUE(refused(put(known, 1, both)));  // a record with another number
  item.title = "\xff";
  EXPECT_TRUE(refused(put(item, 2, both)));
  const auto apply = [&](OpCode code, StructureId id, std::string_view value) {
    return apply_record_operation(world_.txn(), {.code = code, .id = id, .value = as_bytes(value)});
  };
  EXPECT_TRUE(refused(apply(kEraseRecord, books_.id(), "\2b")));
  EXPECT_TRUE(refused(apply(kEraseRecord, 9999, "\2a")));
  EXPECT_TRUE(refused(apply(kDropCollection, 9999, "")));
  EXPECT_TRUE(refused(apply(OpCode{99}, books_.id(), "")));
  EXPECT_TRUE(refused(apply(kPutRecord, books_.id(), "nonsense")));
  EXPECT_TRUE(refused(apply(kCreateCollection, 500, "nonsense")));
  const ByteVector definition = books_.definition().encode();
  EXPECT_TRUE(refused(apply(kCreateCollection, books_.id(), as_text(definition))));
  EXPECT_EQ(table(), "a-");
  EXPECT_EQ(damage(), "");
}

TEST_F(Numbers, ReplayOfDamagedPutsNeverCrashes) {
  insert("a");
  world_.commit();
  Random random(7);
  const std::uint32_t place[] = {0};
  Item item;
  item.id = "b";
  const ByteVector sound = encode_put(books_.schema(), 1, item.values(), place);
  int applied = 0;
  for (int round = 0; round < 3000; ++round) {
    ByteVector bytes = sound;
    bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    const auto status = apply_record_operation(
        world_.txn(), {.code = kPutRecord, .id = books_.id(), .value = bytes});
    if (status) {
      ++applied;
      EXPECT_EQ(damage(), "");
    } else {
      EXPECT_EQ(code_of(status), ErrorCode::kCorrupt);
    }
    world_.abort();
  }
  EXPECT_GT(applied, 0);  // another price is as good
}

TEST_F(Numbers, ADroppedAndRemadeCollectionComesBackFromTheLog) {
  insert("a");
  world_.commit();
  must(books_.drop(world_.txn()));
  const Collection films = must(Collection::create(world_.txn(), "films", full_schema()));
  const Collection again = must(Collection::create(world_.txn(), "books", full_schema()));
  world_.commit();
  EXPECT_NE(again.id(), books_.id());
  world_.crash();
  const auto list = must(Collection::list(world_.txn()));
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].id, again.id());
  EXPECT_EQ(list[0].records, 0u);
  EXPECT_EQ(list[1].id, films.id());
  world_.check();
}

}  // namespace
}  // namespace quire
