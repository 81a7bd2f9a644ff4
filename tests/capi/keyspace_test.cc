// Keyspaces: names, keys and values, ranges, counts and ranks.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "capi_world.h"

namespace quire::test {
namespace {

class Keyspace : public World {};

TEST_F(Keyspace, OpensAndMakesAsAsked) {
  quire_txn* txn = write();
  quire_keyspace id = 0;
  EXPECT_CODE(quire_keyspace_open(txn, "no", 0, &id), QUIRE_ERR_NOT_FOUND);
  EXPECT_CODE(quire_keyspace_open(txn, nullptr, 0, &id), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_keyspace_open(txn, "no", 0, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_keyspace_open(txn, "no", 8, &id), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_keyspace_open(nullptr, "no", 0, &id), QUIRE_ERR_INVALID);
  for (const std::string& name : {std::string(), std::string(256, 'x'), std::string("a\nb"),
                                  std::string("\xFF\xFE"), std::string("\x7F")})
    EXPECT_CODE(quire_keyspace_open(txn, name.c_str(), QUIRE_CREATE, &id), QUIRE_ERR_INVALID)
        << name;
  const std::string longest(255, 'n');
  EXPECT_OK(quire_keyspace_open(txn, longest.c_str(), QUIRE_CREATE, &id));
  EXPECT_OK(quire_keyspace_open(txn, "Größe", QUIRE_CREATE, &id));
  quire_keyspace again = 0;
  EXPECT_OK(quire_keyspace_open(txn, "Größe", QUIRE_CREATE, &again));
  EXPECT_EQ(id, again);
  EXPECT_ERROR(quire_keyspace_open(txn, "Größe", QUIRE_MUST_CREATE, &again), QUIRE_ERR_EXISTS,
               "Größe");
  EXPECT_OK(quire_keyspace_open(txn, "made", QUIRE_MUST_CREATE, &again));
  ASSERT_OK(quire_commit(txn));
}

TEST_F(Keyspace, AnIdIsOfOneKind) {
  quire_txn* txn = write();
  quire_field field = {"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0};
  quire_collection collection = 0;
  ASSERT_OK(quire_collection_create(txn, "things", &field, 1, &collection));
  quire_keyspace id = 0;
  EXPECT_CODE(quire_keyspace_open(txn, "things", 0, &id), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_keyspace_open(txn, "things", QUIRE_CREATE, &id), QUIRE_ERR_TYPE);
  EXPECT_CODE(put(txn, collection, "k", "v"), QUIRE_ERR_TYPE);
  EXPECT_EQ(get(txn, collection, "k"), "<type>");
  EXPECT_CODE(quire_keyspace_drop(txn, collection), QUIRE_ERR_TYPE);
  quire_cursor* cursor = nullptr;
  EXPECT_CODE(quire_cursor_open(txn, collection, nullptr, &cursor), QUIRE_ERR_TYPE);
  for (const quire_keyspace unknown : {0u, 1u, 9999u}) {
    EXPECT_CODE(put(txn, unknown, "k", "v"), QUIRE_ERR_NOT_FOUND);
    EXPECT_EQ(get(txn, unknown, "k"), "<not_found>");
    EXPECT_CODE(erase(txn, unknown, "k"), QUIRE_ERR_NOT_FOUND);
    EXPECT_CODE(quire_keyspace_drop(txn, unknown), QUIRE_ERR_NOT_FOUND);
    EXPECT_CODE(quire_cursor_open(txn, unknown, nullptr, &cursor), QUIRE_ERR_NOT_FOUND);
    std::uint64_t count = 0;
    EXPECT_CODE(quire_count(txn, unknown, nullptr, nullptr, &count), QUIRE_ERR_NOT_FOUND);
    EXPECT_CODE(quire_rank(txn, unknown, "k", 1, &count), QUIRE_ERR_NOT_FOUND);
    EXPECT_CODE(quire_delete_range(txn, unknown, nullptr, nullptr, &count), QUIRE_ERR_NOT_FOUND);
  }
  EXPECT_OK(put(txn, keys, "k", "v"));  // none of these has broken the transaction
  quire_abort(txn);
}

TEST_F(Keyspace, ADroppedIdIsNotGivenAgain) {
  commit_put("k", "v");
  quire_txn* held = read();
  quire_txn* txn = write();
  ASSERT_OK(quire_keyspace_drop(txn, keys));
  EXPECT_EQ(get(txn, keys, "k"), "<not_found>");
  quire_keyspace id = 0;
  ASSERT_OK(quire_keyspace_open(txn, "keys", QUIRE_CREATE, &id));
  EXPECT_NE(id, keys);
  EXPECT_EQ(get(txn, id, "k"), "<not_found>");
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(get(held, keys, "k"), "v");
  quire_abort(held);
  reopen();
  txn = read();
  EXPECT_EQ(get(txn, keys, "k"), "<not_found>");
  quire_abort(txn);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

TEST_F(Keyspace, TheListIsInOrderAndStops) {
  quire_txn* txn = write();
  quire_keyspace id = 0;
  ASSERT_OK(quire_keyspace_open(txn, "b", QUIRE_CREATE, &id));
  ASSERT_OK(quire_keyspace_open(txn, "a", QUIRE_CREATE, &id));
  ASSERT_OK(put(txn, id, "k", "v"));
  quire_field field = {"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0};
  ASSERT_OK(quire_collection_create(txn, "collection", &field, 1, &id));
  struct Seen {
    std::string text;
    bool stop = false;
  } seen;
  const auto visit = [](void* context, const char* name, quire_keyspace, std::uint64_t entries) {
    auto& noted = *static_cast<Seen*>(context);
    noted.text += std::string(name) + "=" + std::to_string(entries) + " ";
    return noted.stop ? 1 : 0;
  };
  EXPECT_CODE(quire_keyspace_list(txn, nullptr, nullptr), QUIRE_ERR_INVALID);
  EXPECT_OK(quire_keyspace_list(txn, visit, &seen));
  EXPECT_EQ(seen.text, "a=1 b=0 keys=0 ");
  seen = {"", true};
  EXPECT_OK(quire_keyspace_list(txn, visit, &seen));
  EXPECT_EQ(seen.text, "a=1 ");
  quire_abort(txn);
}

TEST_F(Keyspace, KeysAndValuesHaveLimits) {
  quire_txn* txn = write();
  const std::size_t limit = quire_max_key_size(db);
  EXPECT_CODE(put(txn, keys, "", "v"), QUIRE_ERR_KEY_SIZE);
  EXPECT_CODE(put(txn, keys, std::string(limit + 1, 'k'), "v"), QUIRE_ERR_KEY_SIZE);
  EXPECT_CODE(erase(txn, keys, ""), QUIRE_ERR_KEY_SIZE);
  EXPECT_CODE(erase(txn, keys, std::string(limit + 1, 'k')), QUIRE_ERR_KEY_SIZE);
  EXPECT_CODE(quire_put(txn, keys, nullptr, 3, "v", 1, 0), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_put(txn, keys, "k", 1, nullptr, 3, 0), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_put(txn, keys, "k", 1, "v", (std::size_t{2} << 30) + 1, 0),
              QUIRE_ERR_VALUE_SIZE);
  EXPECT_CODE(quire_put(txn, keys, "k", 1, "v", 1, 8), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_put(txn, keys, "k", 1, "v", 1, QUIRE_APPEND | QUIRE_NO_OVERWRITE),
              QUIRE_ERR_INVALID);
  quire_slice value;
  EXPECT_CODE(quire_get(txn, keys, nullptr, 3, &value), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_get(txn, keys, "k", 1, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_put(nullptr, keys, "k", 1, "v", 1, 0), QUIRE_ERR_INVALID);
  EXPECT_EQ(get(txn, keys, std::string(limit + 1, 'k')), "<key_size>");
  EXPECT_EQ(get(txn, keys, ""), "<key_size>");
  EXPECT_OK(put(txn, keys, std::string(limit, 'k'), "v"));
  EXPECT_OK(put(txn, keys, "empty", ""));
  EXPECT_OK(quire_put(txn, keys, "null", 4, nullptr, 0, 0));
  EXPECT_OK(put(txn, keys, std::string("\0\xFF\0", 3), "binary"));
  ASSERT_OK(quire_commit(txn));
  txn = read();
  EXPECT_EQ(get(txn, keys, std::string(limit, 'k')), "v");
  EXPECT_EQ(get(txn, keys, "empty"), "");
  EXPECT_EQ(get(txn, keys, "null"), "");
  EXPECT_EQ(get(txn, keys, std::string("\0\xFF\0", 3)), "binary");
  quire_abort(txn);
}

TEST_F(Keyspace, LargeValuesComeBackWhole) {
  std::map<std::string, std::string> wanted;
  quire_txn* txn = write();
  for (const std::size_t size :
       {1023u, 1024u, 1025u, 4095u, 4096u, 4097u, 65536u, 1u << 20, 20u << 20}) {
    std::string value(size, 'v');
    for (std::size_t i = 0; i < size; i += 997) value[i] = static_cast<char>(i);
    wanted[std::to_string(size)] = value;
    ASSERT_OK(put(txn, keys, std::to_string(size), value));
  }
  for (const auto& [key, value] : wanted) EXPECT_TRUE(get(txn, keys, key) == value) << key;
  ASSERT_OK(quire_commit(txn));
  reopen();
  txn = read();
  for (const auto& [key, value] : wanted) EXPECT_TRUE(get(txn, keys, key) == value) << key;
  quire_abort(txn);
}

// Takes 4 GiB of memory and 2 of disk: in long runs only.
TEST_F(Keyspace, TheLargestValueComesBackWhole) {
  if (std::getenv("QUIRE_TEST_LONG") == nullptr) return;
  constexpr std::size_t kLargest = std::size_t{1} << 31;
  std::string value(kLargest + 1, 'v');
  for (std::size_t i = 0; i < kLargest; i += 4093) value[i] = static_cast<char>(i >> 12);
  quire_txn* txn = write();
  EXPECT_CODE(put(txn, keys, "k", value), QUIRE_ERR_VALUE_SIZE);
  value.resize(kLargest);
  ASSERT_OK(put(txn, keys, "k", value));
  ASSERT_OK(quire_commit(txn));
  reopen();
  txn = read();
  EXPECT_TRUE(get(txn, keys, "k") == value);
  quire_abort(txn);
}

TEST_F(Keyspace, PutKeepsToItsFlags) {
  quire_txn* txn = write();
  EXPECT_CODE(put(txn, keys, "b", "1", QUIRE_MUST_EXIST), QUIRE_ERR_NOT_FOUND);
  EXPECT_EQ(get(txn, keys, "b"), "<not_found>");
  EXPECT_OK(put(txn, keys, "b", "1", QUIRE_NO_OVERWRITE));
  EXPECT_CODE(put(txn, keys, "b", "2", QUIRE_NO_OVERWRITE), QUIRE_ERR_EXISTS);
  EXPECT_EQ(get(txn, keys, "b"), "1");
  EXPECT_OK(put(txn, keys, "b", "3", QUIRE_MUST_EXIST));
  EXPECT_EQ(get(txn, keys, "b"), "3");
  EXPECT_CODE(put(txn, keys, "a", "1", QUIRE_APPEND), QUIRE_ERR_INVALID);
  EXPECT_CODE(put(txn, keys, "b", "1", QUIRE_APPEND), QUIRE_ERR_INVALID);
  EXPECT_OK(put(txn, keys, "c", "1", QUIRE_APPEND));
  EXPECT_OK(put(txn, keys, "d", "1", QUIRE_APPEND));
  EXPECT_CODE(erase(txn, keys, "x"), QUIRE_ERR_NOT_FOUND);
  EXPECT_OK(erase(txn, keys, "d"));
  EXPECT_OK(put(txn, keys, "d", "2", QUIRE_APPEND));
  std::uint64_t count = 0;
  EXPECT_OK(quire_count(txn, keys, nullptr, nullptr, &count));
  EXPECT_EQ(count, 3u);
  ASSERT_OK(quire_commit(txn));
}

TEST_F(Keyspace, CountsAndRanksAreExact) {
  quire_txn* txn = write();
  std::vector<std::string> all;
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    std::string key = std::to_string(random() % 1'000'000);
    if (put(txn, keys, key, "v", QUIRE_NO_OVERWRITE) == QUIRE_OK) all.push_back(key);
  }
  std::ranges::sort(all);
  const auto rank_in_model = [&all](const std::string& key) {
    return static_cast<std::uint64_t>(std::ranges::lower_bound(all, key) - all.begin());
  };
  for (int i = 0; i < 500; ++i) {
    const std::string low = std::to_string(random() % 1'000'000);
    const std::string high = std::to_string(random() % 1'000'000);
    std::uint64_t found = 0;
    ASSERT_OK(quire_rank(txn, keys, low.data(), low.size(), &found));
    EXPECT_EQ(found, rank_in_model(low));
    const quire_slice low_slice = slice(low);
    const quire_slice high_slice = slice(high);
    ASSERT_OK(quire_count(txn, keys, &low_slice, &high_slice, &found));
    EXPECT_EQ(found, low < high ? rank_in_model(high) - rank_in_model(low) : 0);
    ASSERT_OK(quire_count(txn, keys, nullptr, &high_slice, &found));
    EXPECT_EQ(found, rank_in_model(high));
    ASSERT_OK(quire_count(txn, keys, &low_slice, nullptr, &found));
    EXPECT_EQ(found, all.size() - rank_in_model(low));
  }
  EXPECT_CODE(quire_count(txn, keys, nullptr, nullptr, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_rank(txn, keys, "k", 1, nullptr), QUIRE_ERR_INVALID);
  std::uint64_t rank = 0;
  EXPECT_CODE(quire_rank(txn, keys, nullptr, 1, &rank), QUIRE_ERR_INVALID);
  quire_abort(txn);
}

TEST_F(Keyspace, DeleteRangeTakesWhatIsInIt) {
  quire_txn* txn = write();
  std::map<std::string, std::string> model;
  char name[16];
  for (int i = 0; i < 5000; ++i) {
    (void)snprintf(name, sizeof name, "%05d", i);
    model[name] = std::string(static_cast<std::size_t>(i % 90), 'v');
    ASSERT_OK(put(txn, keys, name, model[name]));
  }
  const auto erase_range = [&](const char* low, const char* high) {
    const quire_slice low_slice = {low, low != nullptr ? strlen(low) : 0};
    const quire_slice high_slice = {high, high != nullptr ? strlen(high) : 0};
    std::uint64_t deleted = 0;
    EXPECT_OK(quire_delete_range(txn, keys, low != nullptr ? &low_slice : nullptr,
                                 high != nullptr ? &high_slice : nullptr, &deleted));
    const auto from = low != nullptr ? model.lower_bound(low) : model.begin();
    const auto to = high != nullptr ? model.lower_bound(high) : model.end();
    std::uint64_t expected = 0;
    if (low == nullptr || high == nullptr || std::strcmp(low, high) < 0) {
      expected = static_cast<std::uint64_t>(std::distance(from, to));
      model.erase(from, to);
    }
    EXPECT_EQ(deleted, expected);
    std::uint64_t count = 0;
    EXPECT_OK(quire_count(txn, keys, nullptr, nullptr, &count));
    EXPECT_EQ(count, model.size());
  };
  erase_range("01000", "01001");
  erase_range("01000", "01001");
  erase_range("02000", "03000");
  erase_range("04000", "03000");
  erase_range("03999x", "04000");
  erase_range("04900", nullptr);
  erase_range(nullptr, "00100");
  for (const auto& [key, value] : model) EXPECT_EQ(get(txn, keys, key), value);
  EXPECT_OK(quire_delete_range(txn, keys, nullptr, nullptr, nullptr));
  ASSERT_OK(quire_commit(txn));
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

}  // namespace
}  // namespace quire::test
