// Random changes of a collection against a std::map, with savepoints, aborts, commits, checkpoints
// and crashes between.
#include "engine/record/expiry.h"
#include "tests/record/record_world.h"

namespace quire {
namespace {

using namespace test;

class ModelRun {
 public:
  ModelRun(std::uint32_t page_size, std::uint64_t seed)
      : world_(page_size),
        random_(seed),
        books_(must(Collection::create(world_.txn(), "books", full_schema()))) {
    world_.commit();
  }

  void run(int rounds) {
    for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
      change_some();
      end_transaction();
      compare();
    }
  }

 private:
  std::string random_id() { return "key" + std::to_string(random_() % 300); }

  void change_some() {
    struct Kept {
      std::size_t savepoint;
      Model model;
    };
    std::vector<Kept> savepoints;
    for (std::uint64_t left = random_() % 60; left > 0; --left) {
      const std::uint64_t what = random_() % 20;
      if (what == 0) {
        savepoints.push_back({must(world_.txn().savepoint()), model_});
      } else if (what == 1 && !savepoints.empty()) {
        const std::size_t to = random_() % savepoints.size();
        must(world_.txn().rollback_to(savepoints[to].savepoint));
        model_ = savepoints[to].model;
        savepoints.resize(to + 1);
      } else if (what == 2 && !savepoints.empty()) {
        must(world_.txn().release(savepoints.back().savepoint));
        savepoints.pop_back();
      } else {
        change_one();
      }
    }
  }

  void change_one() {
    const std::string id = random_id();
    const bool known = model_.contains(id);
    const Item item = random_item(random_, id);
    if (random_() % 12 == 0) return erase_if_its_time_is_over(id);
    switch (random_() % 5) {
      case 0:
        EXPECT_EQ(code_of(insert_record(world_.txn(), books_, item.values())),
                  known ? ErrorCode::kExists : ErrorCode::kOk);
        if (!known) model_[id] = item;
        return;
      case 1:
      case 2:
        must(upsert_record(world_.txn(), books_, item.values()));
        model_[id] = item;
        return;
      case 3:
        return update(id, item);
      default:
        EXPECT_EQ(code_of(erase_record(world_.txn(), books_, Value::of_text(id))),
                  known ? ErrorCode::kOk : ErrorCode::kNotFound);
        model_.erase(id);
    }
  }

  void erase_if_its_time_is_over(const std::string& id) {
    const auto now = static_cast<std::int64_t>(random_() % 1'000'000);
    const auto found = model_.find(id);
    const bool is_over = found != model_.end() && found->second.time <= now;
    EncodedKey key;
    encode_key(Value::of_text(id), key);
    EXPECT_EQ(must(erase_if_over(world_.txn(), books_, bytes_of(key), now)), is_over);
    if (is_over) model_.erase(id);
  }

  void update(const std::string& id, const Item& item) {
    const auto all = item.values();
    std::vector<std::uint32_t> fields;
    std::vector<Value> values;
    for (std::uint32_t field = 1; field < all.size(); ++field) {
      if (random_() % 3 != 0) continue;
      fields.push_back(field);
      values.push_back(all[field]);
    }
    const auto found = model_.find(id);
    EXPECT_EQ(code_of(update_record(world_.txn(), books_, Value::of_text(id), fields, values)),
              found != model_.end() ? ErrorCode::kOk : ErrorCode::kNotFound);
    if (found == model_.end()) return;
    auto merged = found->second.values();
    for (const std::uint32_t field : fields) merged[field] = all[field];
    found->second = Item::from(merged);
  }

  void end_transaction() {
    const std::uint64_t what = random_() % 8;
    if (what == 0) {
      world_.abort();
      model_ = committed_;
      return;
    }
    if (what < 3) compare_in(world_.txn());
    world_.commit();
    committed_ = model_;
    if (what == 3) must(world_.database().checkpoint());
    if (what == 4) crash();
  }

  // Recovery gives every record its number again.
  void crash() {
    std::vector<std::string> before;
    {
      const auto snapshot = world_.snapshot();
      before = number_table(*snapshot, books_);
    }
    world_.crash();
    const auto snapshot = world_.snapshot();
    EXPECT_EQ(number_table(*snapshot, books_), before);
  }

  void compare() {
    {
      const auto snapshot = world_.snapshot();
      compare_in(*snapshot);
    }
    world_.check();
  }

  void compare_in(View& view) {
    EXPECT_EQ(must(books_.count(view)), model_.size());
    EXPECT_TRUE(scan_all(view, books_) == model_);
    EXPECT_EQ(damages(view, books_), std::vector<std::string>{});
    RecordReader reader(view, books_);
    std::array<Value, 9> values;
    for (int i = 0; i < 20; ++i) {
      const std::string id = random_id();
      const auto found = model_.find(id);
      const bool there = must(reader.get(Value::of_text(id), values));
      ASSERT_EQ(there, found != model_.end());
      if (!there) continue;
      EXPECT_EQ(Item::from(values), found->second);
    }
  }

  World world_;
  Random random_;
  Collection books_;
  Model model_;
  Model committed_;
};

TEST(RecordModel, EqualsAMapWithSmallPages) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) ModelRun(512, seed).run(40);
}

TEST(RecordModel, EqualsAMapWithOrdinaryPages) {
  for (std::uint64_t seed = 11; seed <= 14; ++seed) ModelRun(4096, seed).run(40);
}

}  // namespace
}  // namespace quire
