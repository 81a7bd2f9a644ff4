#include "tools/vector_file.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "tests/tools/vector_world.h"
#include "tools/failure.h"

namespace quire::tools {
namespace {

TEST(VectorFile, ReadsEveryForm) {
  const std::vector<float> expected{1, -2.5};
  EXPECT_EQ(parse_vector_file(" [1, -2.5]\n", "q.json", 2), expected);
  EXPECT_EQ(parse_vector_file(raw(1.0f, -2.5f), "q.f32", 2), expected);
  EXPECT_EQ(parse_vector_file(raw(std::uint32_t{2}, 1.0f, -2.5f), "q.fvecs", 2), expected);
  const std::string header = npy_literal("<f4", "(2,)");
  EXPECT_EQ(parse_vector_file(npy(header, raw(1.0f, -2.5f)), "q.npy", 2), expected);
  const std::string wide = npy_literal("<f8", "(1, 2)");
  EXPECT_EQ(parse_vector_file(npy(wide, raw(1.0, -2.5)), "-", 2), expected);
  // Of a file of many rows the first; of .npy that would rather be a mistake.
  const std::string rows = raw(2u, 2u, 1.0f, -2.5f, 3.0f, 4.0f);
  EXPECT_EQ(parse_vector_file(rows, "q.fbin", 2), expected);
  EXPECT_EQ(parse_vector_file(raw(2, 1.0f, -2.5f, 2, 3.0f, 4.0f), "q.FVECS", 2), expected);
}

TEST(VectorFile, RawFloatsThatBeginLikeJsonAreRaw) {
  std::string bytes = raw(1.0f, 2.0f);
  bytes[0] = '[';
  EXPECT_EQ(parse_vector_file(bytes, "q", 2)[1], 2.0f);
}

TEST(VectorFile, RefusesOtherSizesAndWhatIsNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(parse_vector_file("", "q", 2), Failure);
  EXPECT_THROW(parse_vector_file("[1]", "q", 2), Failure);
  EXPECT_THROW(parse_vector_file("[1,", "q", 2), Failure);
  EXPECT_THROW(parse_vector_file(raw(1.0f), "q", 2), Failure);
  EXPECT_THROW(parse_vector_file(raw(1.0f, nan), "q", 2), Failure);
  EXPECT_THROW(parse_vector_file(raw(infinity, 1.0f), "q", 2), Failure);
  EXPECT_THROW(parse_vector_file(raw(std::uint32_t{3}, 1.0f), "q.fvecs", 2), Failure);
  const char* shapes[] = {
      "(2, 2)", "(0,)", "(0, 2)", "(99999999999999999999,)", "(65535, 65535, 65535)", "", "("};
  for (const char* shape : shapes) {
    const std::string bytes = npy(npy_literal("<f4", shape), raw(1.0f, 2.0f, 3.0f, 4.0f));
    EXPECT_THROW(parse_vector_file(bytes, "q", 2), Failure) << shape;
  }
  EXPECT_THROW(parse_vector_file(npy(npy_literal(">f4", "(2,)"), raw(1.0f, 2.0f)), "q", 2),
               Failure);
  const std::string good = npy(npy_literal("<f4", "(2,)"), raw(1.0f, 2.0f));
  EXPECT_NO_THROW(parse_vector_file(good, "q", 2));
  EXPECT_THROW(parse_vector_file(good + "x", "q", 2), Failure);
  EXPECT_THROW(parse_vector_file("", "q.fvecs", 2), Failure);
  EXPECT_THROW(parse_vector_file("[1, 2]", "q.npy", 2), Failure);
  for (std::size_t size = 6; size < good.size(); ++size) {
    EXPECT_THROW(parse_vector_file(good.substr(0, size), "q", 2), Failure) << size;
  }
}

}  // namespace
}  // namespace quire::tools
