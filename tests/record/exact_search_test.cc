#include "index/vector/exact_search.h"

#include <cmath>
#include <limits>

#include "tests/kernels/kinds.h"
#include "tests/record/record_world.h"

namespace quire {
namespace {

using namespace test;

// Small whole numbers, so that l2 and the inner product are exact in any order of adding up.
double distance_of(Metric metric, const std::vector<float>& a, const std::vector<float>& b) {
  double l2 = 0, dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    l2 += (a[i] - b[i]) * (a[i] - b[i]);
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  if (metric == Metric::kL2) return l2;
  if (metric == Metric::kInnerProduct) return -dot;
  return aa == 0 || bb == 0 ? 1 : 1 - dot / std::sqrt(aa * bb);
}

// Compares one search with all distances, sorted.
void expect_exact(View& view, const Collection& collection, const Model& model,
                  const VectorQuery& query) {
  const std::vector<float> vector(query.vector.floats(),
                                  query.vector.floats() + query.vector.dimension);
  const auto vector_of = [&](const Item& item) -> const std::vector<float>* {
    if (query.field == kPlace) return &item.place;
    return item.extra ? &*item.extra : nullptr;
  };
  std::vector<double> expected;
  for (const auto& [id, item] : model)
    if (const auto* other = vector_of(item))
      expected.push_back(distance_of(*query.metric, vector, *other));
  std::ranges::sort(expected);
  const auto hits = must(exact_search(view, collection, query));
  ASSERT_EQ(hits.size(), std::min(query.k, expected.size()));
  for (std::size_t i = 0; i < hits.size(); ++i) {
    EXPECT_NEAR(hits[i].distance, expected[i], 1e-5);
    const Value key = must(decode_single_key(FieldType::kText, hits[i].key));
    const auto found = model.find(std::string(as_text(key.bytes)));
    ASSERT_NE(found, model.end());
    const auto* own = vector_of(found->second);
    ASSERT_NE(own, nullptr);
    EXPECT_NEAR(hits[i].distance, distance_of(*query.metric, vector, *own), 1e-5);
    if (i > 0 && hits[i].distance == hits[i - 1].distance) {
      EXPECT_GT(hits[i].number, hits[i - 1].number);
    }
  }
}

TEST(ExactSearch, FindsWhatMeasuringAllFinds) {
  for (const std::uint32_t page_size : {512u, 4096u}) {
    World world(page_size);
    Random random(page_size);
    const Collection books = must(Collection::create(world.txn(), "books", full_schema()));
    Model model;
    for (int round = 0; round < 12; ++round) {
      for (int i = 0; i < 150; ++i) {
        const std::string id = "key" + std::to_string(random() % 1500);
        if (random() % 3 == 0) {
          if (model.erase(id) != 0) must(erase_record(world.txn(), books, Value::of_text(id)));
        } else {
          model[id] = random_item(random, id);
          must(upsert_record(world.txn(), books, model[id].values()));
        }
      }
      const auto search_all = [&](View& view) {
        for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
          for (const std::uint32_t field : {kPlace, kExtra}) {
            const std::vector<float> vector =
                random_vector(random, field == kPlace ? kPlaceDimension : kExtraDimension);
            for (const std::size_t k : {1, 10, 5000})
              expect_exact(
                  view, books, model,
                  {field, metric,
                   Value::of_vector(vector.data(), static_cast<std::uint32_t>(vector.size())), k});
          }
        }
      };
      search_all(world.txn());  // its own changes too
      world.commit();
      if (round % 4 == 3) must(world.database().checkpoint());
      search_all(*world.snapshot());
    }
  }
}

TEST(ExactSearch, OfNothingFindsNothing) {
  World world;
  const Collection books = must(Collection::create(world.txn(), "books", full_schema()));
  const std::vector<float> place(kPlaceDimension);
  const VectorQuery query{kPlace, Metric::kL2, Value::of_vector(place.data(), kPlaceDimension), 10};
  EXPECT_TRUE(must(exact_search(world.txn(), books, query)).empty());
  Item item;
  item.id = "a";
  must(insert_record(world.txn(), books, item.values()));
  must(erase_record(world.txn(), books, Value::of_text("a")));
  EXPECT_TRUE(must(exact_search(world.txn(), books, query)).empty());
}

TEST(ExactSearch, RefusesQueriesThatDoNotFit) {
  World world;
  const Collection books = must(Collection::create(world.txn(), "books", full_schema()));
  std::vector<float> place(kPlaceDimension);
  const VectorQuery good{kPlace, Metric::kL2, Value::of_vector(place.data(), kPlaceDimension), 10};
  const auto code = [&](auto change) {
    VectorQuery query = good;
    change(query);
    return code_of(exact_search(world.txn(), books, query));
  };
  EXPECT_EQ(code([](VectorQuery&) {}), ErrorCode::kOk);
  EXPECT_EQ(code([](VectorQuery& query) { query.field = 9; }), ErrorCode::kInvalid);
  EXPECT_EQ(code([](VectorQuery& query) { query.field = kTitle; }), ErrorCode::kType);
  EXPECT_EQ(code([](VectorQuery& query) { query.k = 0; }), ErrorCode::kInvalid);
  EXPECT_EQ(code([](VectorQuery& query) { query.k = 1'000'001; }), ErrorCode::kInvalid);
  EXPECT_EQ(code([](VectorQuery& query) { query.vector.vector = nullptr; }), ErrorCode::kInvalid);
  EXPECT_EQ(code([](VectorQuery& query) { query.vector.dimension = 4; }), ErrorCode::kSchema);
  EXPECT_EQ(code([](VectorQuery& query) { query.metric = Metric::kHamming; }),
            ErrorCode::kNotSupported);
  EXPECT_EQ(code([](VectorQuery& query) { query.vector = Value::null(); }), ErrorCode::kType);
  EXPECT_EQ(code([](VectorQuery& query) { query.vector.type = FieldType::kVectorI8; }),
            ErrorCode::kType);
  place[2] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(code([](VectorQuery&) {}), ErrorCode::kSchema);
}

// Vectors of every type, some null, some gone; compared with measuring all by the specification.
class Typed {
 public:
  Typed() : vectors_(must(Collection::create(world_.txn(), "vectors", schema()))) {}

  static const Kind& any_kind(FieldType type) {
    const auto fits = [&](const Kind& kind) { return elements_of(type) == kind.elements; };
    return *std::ranges::find_if(kKinds, fits);
  }
  static Elements elements_of(FieldType type) {
    if (type == FieldType::kVectorF16) return Elements::kF16;
    if (type == FieldType::kVectorI8) return Elements::kI8;
    return type == FieldType::kVectorBits ? Elements::kBits : Elements::kF32;
  }
  static Schema schema() {
    return must(Schema::make({{"id", FieldType::kI64},
                              {"half", FieldType::kVectorF16, true, 9},
                              {"byte", FieldType::kVectorI8, true, 70},
                              {"bits", FieldType::kVectorBits, true, 21},
                              {"must", FieldType::kVectorI8, false, 3}},
                             0));
  }

  // Whole numbers, which every type has, and sums of floats have too.
  Placed random_vector(std::size_t field) {
    const Field& of = vectors_.schema().field(field);
    std::vector<double> numbers(of.dimension);
    for (double& number : numbers) number = static_cast<double>(random_() % 41) - 20;
    return Placed(any_kind(of.type), numbers);
  }
  Value value_of(std::size_t field, const Placed& vector) const {
    const Field& of = vectors_.schema().field(field);
    return Value::of_vector(of.type, static_cast<const std::byte*>(vector.data()), of.dimension);
  }

  void put(std::int64_t id) {
    std::vector<Value> values = {Value::of_i64(id)};
    std::map<std::size_t, Placed> record;
    for (std::size_t field = 1; field < 5; ++field) {
      const bool none = field < 4 && random_() % 4 == 0;
      if (!none) record.emplace(field, random_vector(field));
    }
    records_.insert_or_assign(id, std::move(record));
    for (std::size_t field = 1; field < 5; ++field) {
      const auto found = records_[id].find(field);
      values.push_back(found == records_[id].end() ? Value::null()
                                                   : value_of(field, found->second));
    }
    must(upsert_record(world_.txn(), vectors_, values));
  }
  void erase(std::int64_t id) {
    if (records_.erase(id) != 0) must(erase_record(world_.txn(), vectors_, Value::of_i64(id)));
  }

  // Records with a share of one in `share`; 0: none. Their numbers, and their keys.
  std::pair<NumberSet, std::vector<std::int64_t>> some(View& view, std::uint64_t share) {
    std::pair<NumberSet, std::vector<std::int64_t>> chosen{must(no_numbers(view, vectors_)), {}};
    for (const auto& [id, record] : records_) {
      if (share == 0 || random_() % share != 0) continue;
      EncodedKey key;
      encode_key(Value::of_i64(id), key);
      const auto row = must(find_row(view, vectors_, bytes_of(key)));
      chosen.first.add(row->number());
      chosen.second.push_back(id);
    }
    return chosen;
  }

  void expect_exact(View& view, const Kind& kind, std::size_t field,
                    const std::optional<std::uint64_t>& share) {
    const Placed query = random_vector(field);
    std::vector<std::int64_t> ids;
    std::optional<NumberSet> among;
    if (share) {
      std::tie(among, ids) = some(view, *share);
    } else {
      for (const auto& [id, record] : records_) ids.push_back(id);
    }
    std::map<std::int64_t, float> distances;
    std::vector<float> sorted;
    for (const std::int64_t id : ids) {
      const auto vector = records_[id].find(field);
      if (vector == records_[id].end()) continue;
      distances[id] =
          kind.of(kScalarKernels).one(query.data(), vector->second.data(), query.dimension());
      sorted.push_back(distances[id]);
    }
    std::ranges::sort(sorted);
    for (const std::size_t k : {1, 7, 5000}) {
      const auto hits =
          must(exact_search(view, vectors_, {field, kind.metric, value_of(field, query), k},
                            among ? &*among : nullptr));
      ASSERT_EQ(hits.size(), std::min(k, sorted.size())) << kind.name;
      for (std::size_t i = 0; i < hits.size(); ++i) {
        EXPECT_NEAR(hits[i].distance, sorted[i], 1e-6) << kind.name;
        const std::int64_t id = must(decode_single_key(FieldType::kI64, hits[i].key)).i64;
        ASSERT_TRUE(distances.contains(id)) << kind.name;
        EXPECT_NEAR(hits[i].distance, distances[id], 1e-6) << kind.name;
      }
    }
  }
  void expect_all_exact(View& view) {
    for (const Kind& kind : kKinds)
      for (std::size_t field = 1; field < 5; ++field)
        if (kind.elements == elements_of(vectors_.schema().field(field).type) &&
            kind.elements != Elements::kF32)
          for (const std::optional<std::uint64_t> share :
               {std::optional<std::uint64_t>(), {0}, {1}, {2}, {20}, {300}})
            expect_exact(view, kind, field, share);
  }

  World world_;
  Collection vectors_;
  Random random_{9};
  std::map<std::int64_t, std::map<std::size_t, Placed>> records_;
};

TEST(ExactSearch, OfEveryTypeAndMetricFindsWhatMeasuringAllFinds) {
  Typed typed;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 600; ++i) {
      const auto id = static_cast<std::int64_t>(typed.random_() % 1200);
      if (typed.random_() % 3 == 0)
        typed.erase(id);
      else
        typed.put(id);
    }
    typed.expect_all_exact(typed.world_.txn());
    typed.world_.commit();
    if (round == 1) must(typed.world_.database().checkpoint());
    typed.expect_all_exact(*typed.world_.snapshot());
  }
}

TEST(ExactSearch, RefusesMetricsThatATypeDoesNotHave) {
  Typed typed;
  typed.put(1);
  for (std::size_t field = 1; field < 5; ++field) {
    const Placed query = typed.random_vector(field);
    const bool bits = field == 3;
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kL1,
                                Metric::kHamming, Metric::kJaccard}) {
      const bool of_bits = metric == Metric::kHamming || metric == Metric::kJaccard;
      const auto found = exact_search(typed.world_.txn(), typed.vectors_,
                                      {field, metric, typed.value_of(field, query), 1});
      EXPECT_EQ(code_of(found), bits == of_bits ? ErrorCode::kOk : ErrorCode::kNotSupported);
      if (found) continue;
      for (const std::string_view word :
           {std::string_view(typed.vectors_.schema().field(field).name), metric_name(metric)})
        EXPECT_NE(found.error().message().find(word), std::string::npos) << found.error().message();
    }
    EXPECT_EQ(code_of(exact_search(typed.world_.txn(), typed.vectors_,
                                   {field, {}, typed.value_of(field, query), 1})),
              ErrorCode::kOk);
  }
}

TEST(ExactSearch, RefusesHalfFloatsThatAreNoNumbersAndBitsPastTheLast) {
  Typed typed;
  std::array<std::uint16_t, 9> half{};
  half[4] = 0x7E00;
  std::array<std::uint8_t, 3> bits = {0, 0, 0x20};  // the 22nd
  const auto code = [&](std::size_t field, const void* vector) {
    const Field& of = typed.vectors_.schema().field(field);
    const auto* elements = static_cast<const std::byte*>(vector);
    return code_of(exact_search(typed.world_.txn(), typed.vectors_,
                                {field, {}, Value::of_vector(of.type, elements, of.dimension), 1}));
  };
  EXPECT_EQ(code(1, half.data()), ErrorCode::kSchema);
  half[4] = 0x7C00;
  EXPECT_EQ(code(1, half.data()), ErrorCode::kSchema);
  half[4] = 0x7BFF;
  EXPECT_EQ(code(1, half.data()), ErrorCode::kOk);
  EXPECT_EQ(code(3, bits.data()), ErrorCode::kSchema);
  bits[2] = 0x10;
  EXPECT_EQ(code(3, bits.data()), ErrorCode::kOk);
}

}  // namespace
}  // namespace quire
