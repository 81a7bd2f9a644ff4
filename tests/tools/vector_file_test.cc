#include "tools/vector_file.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>

#include "tools/failure.h"

namespace quire::tools {
namespace {

template <class... Numbers>
std::string raw(Numbers... numbers) {
  std::string bytes;
  const auto append = [&bytes](auto number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  (append(numbers), ...);
  return bytes;
}

std::string npy(const std::string& header, const std::string& data) {
  const auto size = static_cast<std::uint16_t>(header.size());
  return std::string("\x93NUMPY\x01\x00", 8) + raw(size) + header + data;
}

TEST(VectorFile, ReadsEveryForm) {
  const std::vector<float> expected{1, -2.5};
  EXPECT_EQ(parse_vector_file(" [1, -2.5]\n", "q.json", 2), expected);
  EXPECT_EQ(parse_vector_file(raw(1.0f, -2.5f), "q.f32", 2), expected);
  EXPECT_EQ(parse_vector_file(raw(std::uint32_t{2}, 1.0f, -2.5f), "q.fvecs", 2), expected);
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
  EXPECT_EQ(parse_vector_file(npy(header, raw(1.0f, -2.5f)), "q.npy", 2), expected);
  const std::string wide = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }\n";
  EXPECT_EQ(parse_vector_file(npy(wide, raw(1.0, -2.5)), "-", 2), expected);
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
  const char* shapes[] = {"(2, 2)", "(0,)", "(99999999999999999999,)", "(65535, 65535, 65535)",
                          "",       "("};
  for (const char* shape : shapes) {
    const std::string header = std::string("{'descr': '<f4', 'shape': ") + shape + "}";
    EXPECT_THROW(parse_vector_file(npy(header, raw(1.0f, 2.0f, 3.0f, 4.0f)), "q", 2), Failure);
  }
  EXPECT_THROW(parse_vector_file(npy("{'descr': '>f4', 'shape': (2,)}", raw(1.0f, 2.0f)), "q", 2),
               Failure);
  const std::string good = npy("{'descr': '<f4', 'shape': (2,)}", raw(1.0f, 2.0f));
  for (std::size_t size = 6; size < good.size(); ++size) {
    EXPECT_THROW(parse_vector_file(good.substr(0, size), "q", 2), Failure) << size;
  }
}

}  // namespace
}  // namespace quire::tools
