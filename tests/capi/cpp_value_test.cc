// quire.hpp: values, borrowed and owned, and arrays.
#include <cmath>

#include "cpp_world.h"

namespace quire::test {
namespace {

// A value of each kind of memory, borrowed from a buffer that ends with the call.
OwnedValue made_of(const std::string& buffer) { return text_value(std::string(buffer)); }

TEST(OwnedValue, KeepsWhatItWasMadeFrom) {
  const OwnedValue few = made_of("abc");
  const OwnedValue many = made_of(std::string(1000, 'x'));
  EXPECT_EQ(as_text(few), "abc");
  EXPECT_EQ(as_text(many), std::string(1000, 'x'));
  OwnedValue vector;
  {
    const std::vector<float> numbers{1.5f, -2.0f, 0.25f};
    vector = vector_value(numbers);
  }
  ASSERT_EQ(as_vector(vector).size(), 3u);
  EXPECT_EQ(as_vector(vector)[1], -2.0f);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(as_vector(vector).data()) % alignof(float), 0u);
}

TEST(OwnedValue, CopiesAndMovesBorrowFromThemselves) {
  std::vector<OwnedValue> list;
  for (int i = 0; i < 100; ++i) list.push_back(made_of(std::to_string(i)));
  const std::vector<OwnedValue> copy = list;
  list[0] = list[7];
  list[1] = std::move(list[8]);
  EXPECT_EQ(as_text(list[0]), "7");
  EXPECT_EQ(as_text(list[1]), "8");
  list.clear();
  for (std::size_t i = 0; i < copy.size(); ++i) EXPECT_EQ(as_text(copy[i]), std::to_string(i));
  OwnedValue self = made_of("self");
  OwnedValue& same = self;
  self = same;
  EXPECT_EQ(as_text(self), "self");
}

TEST(OwnedValue, IsEqualWhereTypeAndBitsAre) {
  const std::vector<std::uint8_t> bits{5}, others{4};
  const std::vector<OwnedValue> values{null_value(),
                                       default_value(),
                                       bool_value(true),
                                       bool_value(false),
                                       i64_value(1),
                                       timestamp_value(1),
                                       f64_value(1),
                                       f64_value(0.0),
                                       f64_value(-0.0),
                                       f64_value(NAN),
                                       text_value(""),
                                       text_value("a"),
                                       bytes_value("a"),
                                       json_value("1"),
                                       vector_value(QUIRE_TYPE_VECTOR_BITS, 3, bits.data()),
                                       vector_value(QUIRE_TYPE_VECTOR_BITS, 3, others.data()),
                                       array_value(QUIRE_TYPE_ARRAY_I64, std::array{i64_value(1)}),
                                       array_value(QUIRE_TYPE_ARRAY_I64, std::array{i64_value(2)}),
                                       array_value(QUIRE_TYPE_ARRAY_I64, {})};
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = 0; j < values.size(); ++j)
      EXPECT_EQ(values[i] == OwnedValue(values[j].get()), i == j) << i << " " << j;
}

TEST(ArrayValue, GivesItsElementsBack) {
  const std::string text(300, 'y');
  const OwnedValue array =
      array_value(QUIRE_TYPE_ARRAY_TEXT, std::array{text_value("a"), text_value(text)});
  const std::vector<Value> elements = array_elements(array);
  ASSERT_EQ(elements.size(), 2u);
  EXPECT_EQ(as_text(elements[1]), text);
  EXPECT_TRUE(array_elements(array_value(QUIRE_TYPE_ARRAY_I64, {})).empty());
  EXPECT_THROWN(QUIRE_ERR_TYPE, array_value(QUIRE_TYPE_ARRAY_I64, std::array{text_value("a")}));
  EXPECT_THROWN(QUIRE_ERR_TYPE, array_elements(i64_value(1)));
}

}  // namespace
}  // namespace quire::test
