// Random changes of a collection with many indexes against a std::map: what each index says is
// worked out from the records anew, by values and not by bytes.
#include <algorithm>

#include "engine/record/record_change.h"
#include "index/ordered/purge.h"
#include "tests/ordered/ordered_world.h"
#include "tests/ordered/part_order.h"

namespace quire {
namespace {

using namespace test;

using Model = std::map<std::string, Item>;

struct Entry {
  std::vector<OwnedValue> parts;
  std::string id;
  std::vector<OwnedValue> covered;
};

struct IndexSpec {
  const char* name;
  const char* options;
};
constexpr IndexSpec kIndexes[] = {
    {"section",
     R"({"fields": ["section", "-size"], "covering": ["price", "flag", "tags", "doc"]})"},
    {"tag", R"({"fields": ["tags[]", "flag"], "collation": "ascii_nocase"})"},
    {"one", R"({"fields": ["size", "flag"], "unique": true, "covering": ["section"]})"},
    {"doc", R"({"fields": ["-doc.a", "time"]})"},
    {"flagged", R"({"fields": ["price"], "where": "flag", "covering": ["id"]})"},
    {"codes", R"({"fields": ["-codes[]"], "unique": true})"},
    {"blob", R"({"fields": ["-blob", "price", "doc.a"]})"},
};

// ---------------------------------------------------------------- what entries there should be

// The value of doc.a, for the documents that the test writes.
Value doc_value(const std::optional<std::string>& doc, std::string& memory) {
  if (!doc || !doc->starts_with("{\"a\": ")) return Value::null();
  const std::string text = doc->substr(6, doc->size() - 7);
  if (text == "true" || text == "false") return Value::of_bool(text == "true");
  if (text[0] == '"') {
    memory = text.substr(1, text.size() - 2);
    return Value::of_text(memory);
  }
  if (text[0] == '[' || text == "null") return Value::null();
  if (text.find_first_of(".e") != std::string::npos) return Value::of_f64(std::stod(text));
  return Value::of_i64(std::stoll(text));
}

class Expected {
 public:
  Expected(const SortedForm& form, const Item& item) : form_(form) {
    values_ = item.values(arrays_);
    if (form.where && !(item.flag && *item.flag)) return;
    expand({}, 0, item);
    for (Entry& entry : entries_)
      for (const std::size_t field : form.covering) entry.covered.emplace_back(values_[field]);
  }
  std::vector<Entry> take() { return std::move(entries_); }

 private:
  void expand(Entry entry, std::size_t part, const Item& item) {
    if (part == form_.parts.size()) {
      entry.id = item.id;
      const auto same = [&](const Entry& other) {
        return compare_parts(form_, other.parts, entry.parts) == 0;
      };
      if (std::ranges::none_of(entries_, same)) entries_.push_back(std::move(entry));
      return;
    }
    const BoundPart& bound = form_.parts[part];
    std::string memory;
    std::vector<OwnedValue> found;
    if (bound.source == PartSource::kPath) {
      found.emplace_back(doc_value(item.doc, memory));
    } else if (bound.source == PartSource::kField) {
      found.emplace_back(values_[bound.field]);
    } else if (!values_[bound.field].is_null()) {
      ArrayReader reader(values_[bound.field]);
      for (Value element; reader.next(element);) found.emplace_back(element);
    }
    if (found.empty()) found.emplace_back();
    for (const OwnedValue& value : found) {
      Entry next = entry;
      next.parts.push_back(value);
      expand(std::move(next), part + 1, item);
    }
  }

 public:
  static int compare_parts(const SortedForm& form, const std::vector<OwnedValue>& a,
                           const std::vector<OwnedValue>& b) {
    for (std::size_t i = 0; i < form.parts.size(); ++i) {
      const int order = compare_values(form.parts[i].form, a[i].view(), b[i].view());
      if (order != 0) return order;
    }
    return 0;
  }

 private:
  const SortedForm& form_;
  std::array<ByteVector, 2> arrays_;
  std::vector<Value> values_;
  std::vector<Entry> entries_;
};

void sort_entries(const SortedForm& form, std::vector<Entry>& entries) {
  std::ranges::sort(entries, [&](const Entry& a, const Entry& b) {
    const int order = Expected::compare_parts(form, a.parts, b.parts);
    return order != 0 ? order < 0 : a.id < b.id;
  });
}

std::vector<Entry> expected_entries(const SortedForm& form, const Model& model) {
  std::vector<Entry> all;
  for (const auto& [id, item] : model)
    for (Entry& entry : Expected(form, item).take()) all.push_back(std::move(entry));
  sort_entries(form, all);
  return all;
}

std::vector<OwnedValue> owned(std::span<const Value> values) {
  return {values.begin(), values.end()};
}

// ---------------------------------------------------------------- the run

class ModelRun {
 public:
  ModelRun(std::uint32_t page_size, std::uint64_t seed) : world_(page_size), random_(seed) {
    for (const IndexSpec& index : kIndexes) world_.add_index(index.name, index.options);
    world_.commit();
  }

  void run(int rounds) {
    for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
      change_some();
      compare();
      if (random_() % 4 == 0) build_again();
      end_transaction();
      compare();
    }
  }

 private:
  std::string random_text(std::size_t letters) {
    std::string text(random_() % 5, 'a');
    for (char& letter : text) letter = "aAbB\0"[random_() % letters];
    if (random_() % 40 == 0) text.append(random_() % 120, 'x');
    return text;
  }

  Item random_item(std::string id) {
    constexpr double kPrices[] = {0.0, -0.0, 1.5, -2, 1e300, -1e300, NAN, INFINITY};
    constexpr const char* kDocs[] = {R"({"a": 1})",
                                     R"({"a": 1.0})",
                                     R"({"a": -5})",
                                     R"({"a": 9007199254740993})",
                                     R"({"a": true})",
                                     R"({"a": "x"})",
                                     R"({"a": "X"})",
                                     R"({"a": null})",
                                     R"({"a": [1]})",
                                     R"({"b": 1})",
                                     "[]",
                                     R"({"a": 9007199254740992.0})"};
    Item item;
    item.id = std::move(id);
    if (random_() % 4 != 0) item.section = random_text(5);
    if (random_() % 4 != 0) item.size = static_cast<std::int64_t>(random_() % 200) - 100;
    if (random_() % 4 != 0) item.price = kPrices[random_() % std::size(kPrices)];
    if (random_() % 4 != 0) item.flag = random_() % 2 == 0;
    if (random_() % 4 != 0) item.blob = random_text(5);
    if (random_() % 4 != 0) item.time = static_cast<std::int64_t>(random_() % 9) - 4;
    if (random_() % 4 != 0) {
      item.tags.emplace(random_() % 4);
      for (std::string& tag : *item.tags) tag = random_text(4);
    }
    if (random_() % 4 == 0) {
      item.codes.emplace(random_() % 4);
      for (std::int64_t& code : *item.codes) code = static_cast<std::int64_t>(random_() % 500);
    }
    if (random_() % 4 != 0) item.doc = kDocs[random_() % std::size(kDocs)];
    return item;
  }

  // Whether some other record has a key that this one would have.
  bool violates(const Item& item) const {
    for (const IndexSpec& spec : kIndexes) {
      const SortedForm& form = world_.index(spec.name).form();
      if (!form.unique) continue;
      for (const Entry& entry : Expected(form, item).take()) {
        if (std::ranges::any_of(entry.parts, &OwnedValue::is_null)) continue;
        for (const auto& [id, other] : model_) {
          if (id == item.id) continue;
          for (const Entry& taken : Expected(form, other).take())
            if (Expected::compare_parts(form, taken.parts, entry.parts) == 0) return true;
        }
      }
    }
    return false;
  }

  void change_one() {
    Item item = random_item("key" + std::to_string(random_() % 80));
    const auto known = model_.find(item.id);
    const bool is_known = known != model_.end();
    if (random_() % 20 == 0) return purge();
    switch (random_() % 6) {
      case 0: {
        const ErrorCode refused = violates(item) ? ErrorCode::kUnique : ErrorCode::kOk;
        const ErrorCode code = is_known ? ErrorCode::kExists : refused;
        const Status inserted = world_.insert(item);
        EXPECT_EQ(code_of(inserted), code) << words_of(inserted);
        if (code == ErrorCode::kOk) model_[item.id] = item;
        return;
      }
      case 1:
        EXPECT_EQ(code_of(world_.erase(item.id)), is_known ? ErrorCode::kOk : ErrorCode::kNotFound);
        model_.erase(item.id);
        return;
      case 2:
      case 3:
        if (is_known) update(known->second, item);
        return;
      default: {
        const ErrorCode code = violates(item) ? ErrorCode::kUnique : ErrorCode::kOk;
        EXPECT_EQ(code_of(world_.upsert(item)), code);
        if (code == ErrorCode::kOk) model_[item.id] = item;
      }
    }
  }

  // By reading all records, or by an index that is there for this alone.
  void purge() {
    const bool indexed = random_() % 2 == 0;
    if (indexed) world_.add_index("ends", R"({"fields": ["time"]})");
    const std::int64_t now = static_cast<std::int64_t>(random_() % 11) - 6;
    const std::uint64_t most = random_() % 2 == 0 ? UINT64_MAX : 1 + random_() % 4;
    const std::uint64_t purged = must(purge_records(world_.txn(), world_.shop(), now, most));
    const auto is_over = [now](const auto& entry) {
      return entry.second.time && *entry.second.time <= now;
    };
    const auto over = static_cast<std::uint64_t>(std::ranges::count_if(model_, is_over));
    EXPECT_EQ(purged, std::min(most, over));
    std::optional<std::int64_t> last_gone;
    const auto is_gone = [&](const auto& entry) {
      EncodedKey key;
      encode_key(Value::of_text(entry.first), key);
      if (must(find_row(world_.txn(), world_.shop(), bytes_of(key)))) return false;
      EXPECT_TRUE(is_over(entry)) << entry.first;
      if (is_over(entry)) last_gone = std::max(last_gone, entry.second.time);
      return true;
    };
    EXPECT_EQ(std::erase_if(model_, is_gone), purged);
    if (!indexed) return;
    for (const auto& entry : model_) {
      if (!is_over(entry)) continue;
      EXPECT_LE(last_gone, entry.second.time) << "the soonest over goes first";
    }
    EXPECT_EQ(world_.damages(), std::vector<std::string>());
    world_.set_shop(must(drop_index(world_.txn(), world_.shop(), "ends", kKinds)));
  }

  // One field of a record becomes that of another item.
  void update(Item& item, const Item& from) {
    const auto field = static_cast<std::uint32_t>(1 + random_() % (kFieldCount - 1));
    Item changed = item;
    switch (field) {
      case kSection:
        changed.section = from.section;
        break;
      case kSize:
        changed.size = from.size;
        break;
      case kPrice:
        changed.price = from.price;
        break;
      case kFlag:
        changed.flag = from.flag;
        break;
      case kBlob:
        changed.blob = from.blob;
        break;
      case kTime:
        changed.time = from.time;
        break;
      case kTags:
        changed.tags = from.tags;
        break;
      case kCodes:
        changed.codes = from.codes;
        break;
      default:
        changed.doc = from.doc;
    }
    const ErrorCode code = violates(changed) ? ErrorCode::kUnique : ErrorCode::kOk;
    std::array<ByteVector, 2> arrays;
    const std::vector<Value> values = changed.values(arrays);
    EXPECT_EQ(code_of(update_record(world_.txn(), world_.shop(), Value::of_text(item.id),
                                    std::span(&field, 1), std::span(&values[field], 1))),
              code);
    if (code == ErrorCode::kOk) item = changed;
  }

  void change_some() {
    std::vector<std::pair<std::size_t, Model>> savepoints;
    for (std::uint64_t left = random_() % 60; left > 0; --left) {
      const std::uint64_t what = random_() % 20;
      if (what == 0) {
        const std::size_t savepoint = must(world_.txn().savepoint());
        savepoints.emplace_back(savepoint, model_);
      } else if (what == 1 && !savepoints.empty()) {
        const std::size_t to = random_() % savepoints.size();
        must(world_.txn().rollback_to(savepoints[to].first));
        model_ = savepoints[to].second;
        savepoints.resize(to + 1);
        world_.reload();
      } else {
        change_one();
        if (random_() % 8 != 0) continue;
        EXPECT_EQ(world_.damages(), std::vector<std::string>());
      }
    }
  }

  void end_transaction() {
    const std::uint64_t what = random_() % 8;
    if (what == 0) {
      world_.abort();
      model_ = committed_;
      world_.reload();
      return;
    }
    world_.commit();
    committed_ = model_;
    if (what == 1) must(world_.database().checkpoint());
    if (what < 4) world_.crash();
    world_.reload();
  }

  // An index that is built from the records is the one that followed their changes.
  void build_again() {
    for (const IndexSpec& spec : kIndexes) {
      const std::uint64_t memory = random_() % 2 == 0 ? 0 : 64 << 20;
      world_.set_shop(must(world_.try_index("again", spec.options, {}, memory)));
      EXPECT_EQ(world_.entries("again"), world_.entries(spec.name)) << spec.name;
      world_.set_shop(must(drop_index(world_.txn(), world_.shop(), "again", kKinds)));
    }
  }

  // ---------------------------------------------------------------- comparing

  void compare() {
    EXPECT_EQ(world_.damages(), std::vector<std::string>());
    for (const IndexSpec& spec : kIndexes) {
      SCOPED_TRACE(spec.name);
      const SortedIndex& index = world_.index(spec.name);
      const std::vector<Entry> expected = expected_entries(index.form(), model_);
      compare_all(index, expected);
      EXPECT_EQ(must(index.stat(world_.txn())).entries, expected.size());
      for (int i = 0; i < 5; ++i) compare_range(index, expected);
    }
  }

  void compare_all(const SortedIndex& index, const std::vector<Entry>& expected) {
    std::vector<Entry> found;
    const SortedForm& form = index.form();
    SortedScan scan = must(SortedScan::open(world_.txn(), index, must(equal_range(form, {}))));
    while (must(scan.next())) {
      found.push_back({owned(must(scan.parts())),
                       std::string(as_text(scan.primary_key()).substr(1)),
                       owned(must(scan.covered()))});
      if (found.size() < 2) continue;
      EXPECT_LE(Expected::compare_parts(form, found[found.size() - 2].parts, found.back().parts),
                0);
    }
    sort_entries(form, found);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].id, expected[i].id);
      EXPECT_EQ(Expected::compare_parts(form, found[i].parts, expected[i].parts), 0);
      EXPECT_TRUE(found[i].covered == expected[i].covered);
    }
  }

  // Values of some entry, there or not, pin the first parts and bound the next one.
  void compare_range(const SortedIndex& index, const std::vector<Entry>& all) {
    const SortedForm& form = index.form();
    const auto some = [&] {
      Model one;
      one["x"] = random_item("x");
      one["x"].flag = true;
      std::vector<Entry> made = expected_entries(form, one);
      return random_() % 3 == 0 || all.empty() ? made[0] : all[random_() % all.size()];
    };
    const Entry pin = some();
    const std::size_t pinned = random_() % (form.parts.size() + 1);
    const std::vector<OwnedValue> equal(pin.parts.begin(),
                                        pin.parts.begin() + static_cast<std::ptrdiff_t>(pinned));
    std::optional<KeyBound> low;
    std::optional<KeyBound> high;
    const Entry one = some();
    const Entry other = some();
    if (pinned < form.parts.size()) {
      if (random_() % 2 == 0 && !one.parts[pinned].is_null())
        low = KeyBound{one.parts[pinned].view(), random_() % 2 == 0};
      if (random_() % 2 == 0 && !other.parts[pinned].is_null())
        high = KeyBound{other.parts[pinned].view(), random_() % 2 == 0};
    }
    check_range(index, all, equal, low, high);
  }

  static bool is_inside(const SortedForm& form, const Entry& entry,
                        const std::vector<OwnedValue>& equal, const std::optional<KeyBound>& low,
                        const std::optional<KeyBound>& high) {
    const std::size_t pinned = equal.size();
    for (std::size_t i = 0; i < pinned; ++i)
      if (compare_values(form.parts[i].form, entry.parts[i].view(), equal[i].view()) != 0)
        return false;
    if (!low && !high) return true;
    const Value value = entry.parts[pinned].view();
    const PartForm& part = form.parts[pinned].form;
    if (value.is_null()) return false;
    const int above = low ? compare_ascending(part, value, low->value) : 1;
    const int below = high ? compare_ascending(part, value, high->value) : -1;
    return (above > 0 || (above == 0 && low->inclusive)) &&
           (below < 0 || (below == 0 && high->inclusive));
  }

  void check_range(const SortedIndex& index, const std::vector<Entry>& all,
                   const std::vector<OwnedValue>& equal, const std::optional<KeyBound>& low,
                   const std::optional<KeyBound>& high) {
    std::vector<std::string> expected;
    for (const Entry& entry : all)
      if (is_inside(index.form(), entry, equal, low, high)) expected.push_back(entry.id);
    std::vector<Value> values(equal.size());
    std::ranges::transform(equal, values.begin(), &OwnedValue::view);
    const KeyRange range = !low && !high ? must(equal_range(index.form(), values))
                                         : must(bounded_range(index.form(), values, low, high));
    std::vector<std::string> found = ids(world_.txn(), index, range);
    SortedScan scan = must(SortedScan::open(world_.txn(), index, range));
    EXPECT_EQ(must(scan.count()), expected.size());
    check_skip(index, range, found);
    std::vector<std::string> backward = ids(world_.txn(), index, range, ScanDirection::kBackward);
    std::ranges::reverse(backward);
    EXPECT_EQ(backward, found);
    std::ranges::sort(found);
    std::ranges::sort(expected);
    EXPECT_EQ(found, expected);
  }

  void check_skip(const SortedIndex& index, const KeyRange& range, std::vector<std::string> all) {
    for (const auto direction : {ScanDirection::kForward, ScanDirection::kBackward}) {
      SortedScan scan = must(SortedScan::open(world_.txn(), index, range, direction));
      std::size_t at = 0;
      for (int i = 0; i < 4; ++i) {
        const std::uint64_t n = random_() % (all.size() + 2);
        const std::uint64_t left = all.size() - at;
        EXPECT_EQ(must(scan.skip(n)), std::min(n, left));
        at += std::min(n, left);
        ASSERT_EQ(must(scan.next()), at < all.size());
        if (at == all.size()) break;
        EXPECT_EQ(as_text(scan.primary_key()).substr(1), all[at++]);
      }
      std::ranges::reverse(all);
    }
  }

  World world_;
  Random random_;
  Model model_;
  Model committed_;
};

TEST(SortedModel, indexes_follow_random_changes) {
  for (std::uint64_t seed = 1; seed <= 10 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ModelRun(4096, seed).run(25);
  }
}

TEST(SortedModel, indexes_follow_random_changes_on_large_pages) { ModelRun(16384, 7).run(25); }

}  // namespace
}  // namespace quire
