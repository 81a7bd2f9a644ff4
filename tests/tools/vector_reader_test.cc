#include "tools/vector_reader.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/tools/vector_world.h"

namespace quire::tools {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::string fvec(float a, float b) { return raw(std::int32_t{2}, a, b); }

TEST(VectorReader, RowsWithTheirDimension) {
  EXPECT_EQ(read_vectors(Format::kFvecs, fvec(1, 2) + fvec(-3, 4.5f)),
            "1: 0 [1.00 2.00]; 2: 1 [-3.0 4.50]");
  const std::string bytes =
      raw(std::int32_t{3}, std::uint8_t{0}, std::uint8_t{128}, std::uint8_t{255}, std::int32_t{3}) +
      "abc";
  EXPECT_EQ(read_vectors(Format::kBvecs, bytes), "1: 0 [0.00 128. 255.]; 2: 1 [97.0 98.0 99.0]");
  EXPECT_EQ(read_vectors(Format::kFvecs, ""), "");
}

TEST(VectorReader, RowsBehindAHeader) {
  const std::string head = raw(std::uint32_t{2}, std::uint32_t{2});
  EXPECT_EQ(read_vector_file(Format::kFbin, head + raw(1.0f, 2.0f, 3.0f, 4.0f)),
            "1: 0 [1.00 2.00]; 2: 1 [3.00 4.00]");
  EXPECT_EQ(read_vector_file(Format::kU8bin, head + raw(std::uint8_t{200}) + "abc"),
            "1: 0 [200. 97.0]; 2: 1 [98.0 99.0]");
  EXPECT_EQ(read_vector_file(Format::kI8bin, head + raw(std::int8_t{-128}) + "abc"),
            "1: 0 [-128 97.0]; 2: 1 [98.0 99.0]");
  EXPECT_EQ(read_vector_file(Format::kFbin, raw(std::uint32_t{0}, std::uint32_t{2})), "");
}

TEST(VectorReader, NpyOfEveryType) {
  const auto read = [](const std::string& descr, const std::string& data) {
    return read_vector_file(Format::kNpy, npy(npy_literal(descr, "(1, 2)"), data));
  };
  EXPECT_EQ(read("<f2", raw(std::uint16_t{0x3C00}, std::uint16_t{0xC100})), "1: 0 [1.00 -2.5]");
  EXPECT_EQ(read("<f4", raw(1.0f, -2.5f)), "1: 0 [1.00 -2.5]");
  EXPECT_EQ(read("<f8", raw(1.0, -2.5)), "1: 0 [1.00 -2.5]");
  EXPECT_EQ(read("|i1", raw(std::int8_t{1}, std::int8_t{-2})), "1: 0 [1.00 -2.0]");
  EXPECT_EQ(read("|u1", raw(std::uint8_t{1}, std::uint8_t{255})), "1: 0 [1.00 255.]");
  EXPECT_EQ(read("<i2", raw(std::int16_t{1}, std::int16_t{-300})), "1: 0 [1.00 -300]");
  EXPECT_EQ(read("<u2", raw(std::uint16_t{1}, std::uint16_t{60000})), "1: 0 [1.00 6000]");
  EXPECT_EQ(read("<i4", raw(1, -2)), "1: 0 [1.00 -2.0]");
  EXPECT_EQ(read("<u4", raw(1u, 4000000000u)), "1: 0 [1.00 4000]");
  EXPECT_EQ(read("<i8", raw(std::int64_t{1}, std::int64_t{-2})), "1: 0 [1.00 -2.0]");
  EXPECT_EQ(read("<u8", raw(std::uint64_t{1}, UINT64_MAX)), "1: 0 [1.00 1844]");
}

TEST(VectorReader, NpyOfEveryVersionAndShape) {
  const std::string data = raw(1.0f, 2.0f);
  for (const char version : {'\1', '\2', '\3'}) {
    EXPECT_EQ(read_vector_file(Format::kNpy, npy(npy_literal("<f4", "(2,)"), data, version)),
              "1: 0 [1.00 2.00]");
    EXPECT_EQ(read_vector_file(Format::kNpy, npy(npy_literal("<f4", "(2, 1)"), data, version)),
              "1: 0 [1.00]; 2: 1 [2.00]");
  }
  EXPECT_EQ(read_vector_file(Format::kNpy, npy(npy_literal("<f4", "(0, 2)"), "")), "");
}

TEST(VectorReader, WhereReadsAreCutMakesNoDifference) {
  const std::string rows = fvec(1, 2) + fvec(kNan, 1) + raw(std::int32_t{1}, 9.0f) + fvec(3, 4);
  const std::string array = npy(npy_literal("<f4", "(3, 2)"), raw(1.f, 2.f, 3.f, kNan, 5.f, 6.f));
  for (const auto& [format, whole] :
       {std::pair(Format::kFvecs, rows), std::pair(Format::kNpy, array)}) {
    // Whole, and cut short anywhere.
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const std::string bytes = whole.substr(0, size);
      const std::string at_once = read_vectors(format, bytes);
      for (const std::size_t chunk : {1, 2, 3, 5, 7, 12, 64}) {
        ASSERT_EQ(read_vectors(format, bytes, chunk), at_once) << size << " by " << chunk;
      }
    }
  }
}

TEST(VectorReader, BadRowsAreLeftBehind) {
  EXPECT_EQ(read_vectors(Format::kFvecs,
                         fvec(1, 2) + raw(std::int32_t{1}, 9.0f) + fvec(3, kInfinity) + fvec(5, 6)),
            "1: 0 [1.00 2.00]; 2: bad, dimension 1, where the first row has 2; "
            "3: bad, number 2 is not finite (NaN or infinity); 4: 3 [5.00 6.00]");
  EXPECT_EQ(read_vector_file(Format::kNpy, npy(npy_literal("<f8", "(3, 1)"), raw(1e39, -1.0, 2.0))),
            "1: bad, number 1, 1e+39, does not fit a 32-bit float; 2: 1 [-1.0]; 3: 2 [2.00]");
  EXPECT_EQ(
      read_vector_file(Format::kNpy, npy(npy_literal("<f2", "(1, 1)"), raw(std::uint16_t{0x7C00}))),
      "1: bad, number 1 is not finite (NaN or infinity)");
}

TEST(VectorReader, ADimensionThatCanNotBeEndsTheFile) {
  for (const std::int32_t dimension : {0, -1, 65'536, INT32_MIN, INT32_MAX}) {
    EXPECT_EQ(read_vectors(Format::kFvecs, fvec(1, 2) + raw(dimension, 1.0f, 2.0f)),
              "1: 0 [1.00 2.00]; 2: bad, the dimension is " + std::to_string(dimension) +
                  ", which is not 1 to 65535; lost the rest");
  }
  std::string longest = raw(std::int32_t{65'535});
  longest.resize(4 + 65'535, 'a');
  EXPECT_TRUE(read_vectors(Format::kBvecs, longest).starts_with("1: 0 [97.0 "));
  for (const std::uint32_t dimension : {0u, 65'536u, UINT32_MAX}) {
    EXPECT_EQ(
        read_vectors(Format::kFbin, raw(1u, dimension)),
        "the input: the dimension is " + std::to_string(dimension) + ", which is not 1 to 65535");
  }
}

TEST(VectorReader, StreamsThatAreCut) {
  EXPECT_EQ(read_vectors(Format::kFvecs, fvec(1, 2) + fvec(3, 4).substr(0, 9)),
            "1: 0 [1.00 2.00]; 2: bad, cut short: 5 bytes of the 8 of dimension 2; lost the rest");
  EXPECT_EQ(read_vectors(Format::kFvecs, fvec(1, 2) + "ab"),
            "1: 0 [1.00 2.00]; 2: bad, cut short: no whole dimension is there; lost the rest");
  EXPECT_EQ(read_vectors(Format::kFbin, raw(3u, 1u, 1.0f, 2.0f)),
            "1: 0 [1.00]; 2: 1 [2.00]; 3: bad, cut short: 0 bytes of 4; the header says 3 rows; "
            "lost the rest");
  EXPECT_EQ(read_vectors(Format::kFbin, raw(1u, 1u, 1.0f, 2.0f)),
            "1: 0 [1.00]; 2: bad, there is more in the file than the 1 row that its header says; "
            "lost the rest");
  EXPECT_EQ(read_vectors(Format::kFbin, "abc"),
            "the input: cut short in its header, after 3 bytes");
}

TEST(VectorReader, FilesOfAnotherSizeAreRefusedFirst) {
  EXPECT_EQ(read_vector_file(Format::kFvecs, fvec(1, 2) + fvec(3, 4) + "a"),
            "the input: it has 25 bytes, no whole number of rows of 12 bytes, as the first one of "
            "dimension 2 has; it is cut short, or not all rows are of that dimension");
  EXPECT_EQ(read_vector_file(Format::kFbin, raw(3u, 1u, 1.0f)),
            "the input: it has 12 bytes, but its header of 3 rows of dimension 1 needs 20");
  EXPECT_EQ(read_vector_file(Format::kNpy, npy(npy_literal("<f4", "(1, 1)"), "abcde")),
            "the input: it has 76 bytes, but its header of 1 row of dimension 1 needs 75");
  // As far as they go, where that is asked for.
  EXPECT_EQ(read_vector_file(Format::kFbin, raw(3u, 1u, 1.0f), false),
            "1: 0 [1.00]; 2: bad, cut short: 0 bytes of 4; the header says 3 rows; lost the rest");
}

TEST(VectorReader, NumbersOfRowsThatOverflow) {
  const auto read = [](const std::string& shape) {
    return read_vector_file(Format::kNpy, npy(npy_literal("<f8", shape), "12345678"));
  };
  const std::string more = " bytes: more than a file can hold";
  EXPECT_EQ(read("(18446744073709551615, 65535)"),
            "the input: the header says 18446744073709551615 rows of 524280" + more);
  EXPECT_EQ(read("(2305843009213693953, 1)"),
            "the input: the header says 2305843009213693953 rows of 8" + more);
  EXPECT_EQ(read("(18446744073709551616, 1)"),
            "the input: its shape is no tuple of whole numbers of 64 bits");
  EXPECT_EQ(read("(1, 18446744073709551615)"),
            "the input: the dimension is 18446744073709551615, which is not 1 to 65535");
  EXPECT_NE(
      read_vector_file(Format::kU8bin, raw(UINT32_MAX, 65'535u)).find("needs 281470681677833"),
      std::string::npos);
}

TEST(VectorReader, NpyHeadersThatAreRefused) {
  const auto read = [](const std::string& literal) {
    return read_vector_file(Format::kNpy, npy(literal, raw(1.0f, 2.0f)));
  };
  const std::pair<std::string, const char*> kCases[] = {
      {npy_literal(">f4", "(2,)"), "of type '>f4', big-endian; save them little-endian"},
      {npy_literal("<c8", "(2,)"), "of type '<c8', which is none of f2, f4, f8"},
      {npy_literal("|O", "(2,)"), "of type '|O', which"},
      {npy_literal("<U4", "(2,)"), "of type '<U4', which"},
      {npy_literal("|b1", "(2,)"), "of type '|b1', which"},
      {npy_literal("<f16", "(2,)"), "of type '<f16', which"},
      {npy_literal("", "(2,)"), "of type '', which"},
      {npy_literal("<f4", "(1, 2)", "True"), "in Fortran order; save it in C order"},
      {npy_literal("<f4", "(1, 2)", "Maybe"), "its fortran_order is neither"},
      {npy_literal("<f4", "()"), "its array has 0 dimensions"},
      {npy_literal("<f4", "(1, 2, 1)"), "its array has 3 dimensions"},
      {npy_literal("<f4", "(2, 0)"), "the dimension is 0"},
      {npy_literal("<f4", "(-1, 2)"), "its shape is no tuple"},
      {npy_literal("<f4", "(2"), "its shape is no tuple"},
      {npy_literal("<f4", "2"), "its shape is no tuple"},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "is a structure"},
      {"{'descr': '<f4', 'shape': (2,)}", "its header lacks one of"},
      {"{'descr': '<f4', 'descr': '<f4'}", "a member 'descr' too many"},
      {"{'descr': '<f4', 'more': 1}", "a member 'more' too many"},
      {"{'descr': '<f4' 'shape': (2,)}", "no Python dict"},
      {"{'descr", "no Python dict"},
      {"", "no Python dict"},
      {npy_literal("<f4", "(2,)") + "x", "goes on behind the dict"},
  };
  for (const auto& [literal, wanted] : kCases) {
    EXPECT_NE(read(literal).find(wanted), std::string::npos) << literal << read(literal);
  }
  const std::string good = npy(npy_literal("<f4", "(2,)"), raw(1.0f, 2.0f));
  std::string bytes = good;
  bytes[6] = 4;
  EXPECT_EQ(read_vectors(Format::kNpy, bytes),
            "the input: its version of the format is 4; known are 1 to 3");
  EXPECT_EQ(read_vectors(Format::kNpy, "nothing of NumPy's"),
            "the input: it does not begin as .npy files do, with \\x93NUMPY");
  EXPECT_EQ(read_vectors(Format::kNpy, std::string("\x93NUMPY\x02\0\x01\0\x01\0", 12)),
            "the input: its header is of 65537 bytes; up to 65536 are read");
  for (std::size_t size = 0; size + 8 < good.size(); ++size) {
    EXPECT_NE(read_vectors(Format::kNpy, good.substr(0, size)).find("cut short"),
              std::string::npos);
  }
}

TEST(VectorReader, TextIsNoFileOfVectors) {
  EXPECT_EQ(read_vectors(Format::kCsv, "id\n1\n"), "the input is not read as vectors");
}

}  // namespace
}  // namespace quire::tools
