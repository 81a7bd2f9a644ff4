// Search over vectors of every type, and among the records that a query gives: what is found, what
// is refused, and programs made for the options of 0.2.
#include <array>
#include <cstddef>

#include "capi_world.h"
#include "quire/quire.hpp"

namespace quire::test {
namespace {

constexpr std::uint32_t kDimension = 5;

quire_value of_i64(std::int64_t number) { return quire::i64_value(number); }

// A collection whose key has a name that filters have to quote. Record i has the vectors (i, 0, 0,
// 0, 0) and the i lowest bits.
class SearchApi : public World {
 protected:
  enum : std::uint32_t { kId, kSection, kFloat, kHalf, kByte, kBits };

  void SetUp() override {
    World::SetUp();
    const std::array<quire_field, 6> fields = {
        {{"the \"id\"", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
         {"section", QUIRE_TYPE_TEXT, 0, 0, 0, nullptr},
         {"float", QUIRE_TYPE_VECTOR_F32, 0, kDimension, 0, nullptr},
         {"half", QUIRE_TYPE_VECTOR_F16, 0, kDimension, 0, nullptr},
         {"byte", QUIRE_TYPE_VECTOR_I8, 0, kDimension, 0, nullptr},
         {"bits", QUIRE_TYPE_VECTOR_BITS, 0, kDimension, 0, nullptr}}};
    quire_txn* txn = write();
    ASSERT_OK(quire_collection_create(txn, "things", fields.data(), fields.size(), &things));
    for (std::int64_t i = 0; i < 6; ++i) insert(txn, i, i % 2 == 0 ? "even" : "odd");
    ASSERT_OK(quire_commit(txn));
  }

  void TearDown() override {
    for (quire_txn* txn : reads_) quire_abort(txn);
    World::TearDown();
  }
  // Ended with the test.
  quire_txn* read() { return reads_.emplace_back(World::read()); }

  struct Vectors {
    explicit Vectors(std::int64_t i)
        : floats{static_cast<float>(i)},
          halves{kWhole[static_cast<std::size_t>(i)]},
          bytes{static_cast<std::int8_t>(i)},
          bits(static_cast<std::uint8_t>(((1 << i) - 1) & 31)) {}
    static constexpr std::array<std::uint16_t, 8> kWhole = {0,      0x3C00, 0x4000, 0x4200,
                                                            0x4400, 0x4500, 0x4600, 0x4700};
    std::array<float, kDimension> floats;
    std::array<std::uint16_t, kDimension> halves;
    std::array<std::int8_t, kDimension> bytes;
    std::uint8_t bits;
    quire_value value(std::uint32_t field) const {
      if (field == kFloat) return quire::vector_value(std::span<const float>(floats));
      if (field == kHalf)
        return quire::vector_value(QUIRE_TYPE_VECTOR_F16, kDimension, halves.data());
      if (field == kByte) return quire::vector_value(std::span<const std::int8_t>(bytes));
      return quire::vector_value(QUIRE_TYPE_VECTOR_BITS, kDimension, &bits);
    }
  };

  void insert(quire_txn* txn, std::int64_t i, const char* section) {
    const Vectors vectors(i);
    const std::array values = {of_i64(i),
                               quire::text_value(section),
                               vectors.value(kFloat),
                               vectors.value(kHalf),
                               vectors.value(kByte),
                               vectors.value(kBits)};
    ASSERT_OK(quire_record_insert(txn, things, values.data(), values.size()));
  }

  using Found = std::vector<std::pair<std::int64_t, double>>;  // keys and distances
  int search(quire_txn* txn, const quire_search_options& options, Found* found = nullptr) {
    std::vector<quire_hit> hits(options.k);
    std::size_t count = 0;
    const int code = quire_search(txn, things, &options, hits.data(), &count);
    for (std::size_t i = 0; found != nullptr && i < count; ++i)
      found->emplace_back(hits[i].key.as.i64, hits[i].distance);
    return code;
  }
  Found found(quire_txn* txn, const quire_search_options& options) {
    Found all;
    EXPECT_OK(search(txn, options, &all));
    return all;
  }
  static quire_search_options asking(std::uint32_t field, const quire_value& query,
                                     std::uint32_t k = 2,
                                     quire_metric metric = QUIRE_METRIC_DEFAULT) {
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.field = field;
    options.metric = metric;
    options.query = &query;
    options.k = k;
    return options;
  }

  quire_collection things = 0;

 private:
  std::vector<quire_txn*> reads_;
};

TEST_F(SearchApi, FindsVectorsOfEveryTypeByEveryMetricOfTheType) {
  quire_txn* txn = read();
  const Vectors three(3);
  for (const std::uint32_t field : {kFloat, kHalf, kByte}) {
    const quire_value query = three.value(field);
    EXPECT_EQ(found(txn, asking(field, query)), (Found{{3, 0}, {2, 1}}));
    EXPECT_EQ(found(txn, asking(field, query, 3, QUIRE_METRIC_L2)),
              (Found{{3, 0}, {2, 1}, {4, 1}}));
    EXPECT_EQ(found(txn, asking(field, query, 2, QUIRE_METRIC_L1)), (Found{{3, 0}, {2, 1}}));
    EXPECT_EQ(found(txn, asking(field, query, 2, QUIRE_METRIC_IP)), (Found{{5, -15}, {4, -12}}));
    const Found by_angle = found(txn, asking(field, query, 6, QUIRE_METRIC_COSINE));
    EXPECT_EQ(by_angle.back(), (std::pair<std::int64_t, double>(0, 1)));
  }
  const quire_value bits = three.value(kBits);
  EXPECT_EQ(found(txn, asking(kBits, bits)), (Found{{3, 0}, {2, 1}}));
  EXPECT_EQ(found(txn, asking(kBits, bits, 2, QUIRE_METRIC_HAMMING)), (Found{{3, 0}, {2, 1}}));
  EXPECT_EQ(found(txn, asking(kBits, bits, 2, QUIRE_METRIC_JACCARD)), (Found{{3, 0}, {4, 0.25}}));
}

TEST_F(SearchApi, RefusesQueriesThatDoNotFitByName) {
  quire_txn* txn = read();
  const Vectors three(3);
  const quire_value byte = three.value(kByte);
  EXPECT_ERROR(search(txn, asking(kByte, byte, 1, QUIRE_METRIC_JACCARD)), QUIRE_ERR_NOT_SUPPORTED,
               "'byte'");
  const quire_value bits = three.value(kBits);
  EXPECT_ERROR(search(txn, asking(kBits, bits, 1, QUIRE_METRIC_L2)), QUIRE_ERR_NOT_SUPPORTED,
               "hamming and jaccard");
  EXPECT_ERROR(search(txn, asking(kBits, byte)), QUIRE_ERR_TYPE, "'bits'");
  EXPECT_ERROR(search(txn, asking(kHalf, byte)), QUIRE_ERR_TYPE, "vector i8");
  EXPECT_ERROR(search(txn, asking(kSection, byte)), QUIRE_ERR_TYPE, "'section'");
  EXPECT_ERROR(search(txn, asking(kByte, quire::null_value())), QUIRE_ERR_TYPE, "'byte'");
  EXPECT_ERROR(search(txn, asking(kByte, of_i64(3))), QUIRE_ERR_TYPE, "'byte'");
  quire_value shorter = byte;
  shorter.dimension = 4;
  EXPECT_ERROR(search(txn, asking(kByte, shorter)), QUIRE_ERR_SCHEMA, "dimension 4");
  quire_value none = byte;
  none.as.elements = nullptr;
  EXPECT_ERROR(search(txn, asking(kByte, none)), QUIRE_ERR_INVALID, "query");
  Vectors wrong(3);
  wrong.halves[4] = 0x7E01;
  EXPECT_ERROR(search(txn, asking(kHalf, wrong.value(kHalf))), QUIRE_ERR_SCHEMA,
               "element 4 is NaN");
  wrong.bits = 0x20;
  EXPECT_ERROR(search(txn, asking(kBits, wrong.value(kBits))), QUIRE_ERR_SCHEMA, "behind its last");
  quire_search_options both = asking(kFloat, byte);
  both.vector = three.floats.data();
  EXPECT_ERROR(search(txn, both), QUIRE_ERR_INVALID, "vector");
  both.vector = nullptr;
  both.dimension = kDimension;
  EXPECT_ERROR(search(txn, both), QUIRE_ERR_INVALID, "dimension");
  quire_search_options neither = asking(kFloat, byte);
  neither.query = nullptr;
  EXPECT_ERROR(search(txn, neither), QUIRE_ERR_INVALID, "neither");
}

// What a program was compiled with that knows 0.2: its options end behind k.
TEST_F(SearchApi, TakesTheOptionsOf02) {
  quire_txn* txn = read();
  const Vectors three(3);
  quire_search_options options;
  std::memset(&options, 0xFF, sizeof options);
  options.size = offsetof(quire_search_options, query);
  ASSERT_EQ(options.size, 32u);
  options.metric = QUIRE_METRIC_L2;
  options.field = kFloat;
  options.vector = three.floats.data();
  options.dimension = kDimension;
  options.k = 2;
  EXPECT_EQ(found(txn, options), (Found{{3, 0}, {2, 1}}));
  options.field = kByte;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_TYPE, "vector f32");
}

TEST_F(SearchApi, FindsOnlyAmongWhatAQueryGives) {
  quire_txn* txn = read();
  const Vectors three(3);
  const quire_value query = three.value(kByte);
  quire_query_options among = QUIRE_QUERY_OPTIONS_INIT;
  quire_search_options options = asking(kByte, query, 6);
  options.among = &among;
  EXPECT_EQ(found(txn, options).size(), 6u);
  among.filter = "section = $1";
  quire_value section = quire::text_value("even");
  among.arguments = &section;
  among.argument_count = 1;
  EXPECT_EQ(found(txn, options), (Found{{2, 1}, {4, 1}, {0, 9}}));
  section = quire::text_value("neither");
  EXPECT_TRUE(found(txn, options).empty());
  // The two greatest keys, whatever is selected.
  among = QUIRE_QUERY_OPTIONS_INIT;
  among.order = "\"the \"\"id\"\"\" desc";
  among.limit = 2;
  among.select = "section";
  EXPECT_EQ(found(txn, options), (Found{{4, 1}, {5, 4}}));
}

TEST_F(SearchApi, FindsByAFilterWhatItsTransactionHasChanged) {
  quire_txn* txn = write();
  const Vectors three(3);
  const quire_value query = three.value(kHalf);
  quire_query_options among = QUIRE_QUERY_OPTIONS_INIT;
  among.filter = "section = 'odd'";
  quire_search_options options = asking(kHalf, query, 6);
  options.among = &among;
  EXPECT_EQ(found(txn, options), (Found{{3, 0}, {1, 4}, {5, 4}}));
  insert(txn, 6, "odd");
  const quire_value gone = of_i64(3);
  ASSERT_OK(quire_record_delete(txn, things, &gone, 1));
  EXPECT_EQ(found(txn, options), (Found{{1, 4}, {5, 4}, {6, 9}}));
  quire_abort(txn);
  EXPECT_EQ(found(read(), options), (Found{{3, 0}, {1, 4}, {5, 4}}));
}

TEST_F(SearchApi, RefusesWhatGivesNoRecords) {
  quire_txn* txn = read();
  const Vectors three(3);
  const quire_value query = three.value(kByte);
  quire_query_options among = QUIRE_QUERY_OPTIONS_INIT;
  quire_search_options options = asking(kByte, query);
  options.among = &among;
  among.filter = "section = ";
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "filter, at ");
  among.filter = "colour = 'red'";
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_NOT_FOUND, "colour");
  among.filter = "section = $1";
  EXPECT_CODE(search(txn, options), QUIRE_ERR_INVALID);
  among = QUIRE_QUERY_OPTIONS_INIT;
  among.group = "section";
  among.select = "section, count()";
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_NOT_SUPPORTED, "groups");
  among = QUIRE_QUERY_OPTIONS_INIT;
  among.flags = QUIRE_QUERY_DISTINCT;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_NOT_SUPPORTED, "groups");
  among = QUIRE_QUERY_OPTIONS_INIT;
  among.index = "by section";
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_NOT_FOUND, "by section");
  among = QUIRE_QUERY_OPTIONS_INIT;
  among.budget_entries = 2;
  EXPECT_CODE(search(txn, options), QUIRE_ERR_BUDGET);
  among = QUIRE_QUERY_OPTIONS_INIT;
  among.size = 0;
  EXPECT_CODE(search(txn, options), QUIRE_ERR_INVALID);
}

TEST_F(SearchApi, InCxxTakesVectorsAndFiltersToo) {
  const quire::Collection collection(read(), things);
  const Vectors three(3);
  quire_query_options among = QUIRE_QUERY_OPTIONS_INIT;
  among.filter = "section = 'even'";
  const auto hits = collection.search(kBits, three.value(kBits), 2, QUIRE_METRIC_JACCARD, &among);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].key.as.i64, 4);
  EXPECT_EQ(hits[0].distance, 0.25);
  EXPECT_EQ(hits[1].key.as.i64, 2);
  const auto same = collection.search(kFloat, std::span<const float>(three.floats), 1);
  ASSERT_EQ(same.size(), 1u);
  EXPECT_EQ(same[0].key.as.i64, 3);
  std::array<quire_value, 6> record;
  EXPECT_OK(quire_record_get_number(read(), things, same[0].record, record.data(), record.size()));
  EXPECT_THROW(collection.search(kBits, three.value(kByte), 2), quire::Error);
}

}  // namespace
}  // namespace quire::test
