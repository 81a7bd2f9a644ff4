#include "tools/hnswlib_reader.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/tools/vector_world.h"

namespace quire::tools {
namespace {

// The header that hnswlib writes, by its members' names; M 2, vectors of two numbers.
struct SavedHeader {
  std::uint64_t offset_level0 = 0, max_elements = 8, count = 3, element = 36, label = 28,
                vector = 20;
  std::int32_t max_level = 1;
  std::uint32_t entry = 0;
  std::uint64_t max_m = 2, max_m0 = 4, m = 2;

  std::string bytes() const {
    return raw(offset_level0, max_elements, count, element, label, vector, max_level, entry, max_m,
               max_m0, m, 1.4427, std::uint64_t{10});
  }
};

std::string element(float a, float b, std::uint64_t label, std::uint8_t mark = 0) {
  return raw(std::uint16_t{1}, mark, std::uint8_t{0}, 1u, 0u, 0u, 0u, a, b, label);
}

// Three elements, the second of which is marked as deleted; the first is on level 1 too.
std::string saved(const SavedHeader& header = {}) {
  return header.bytes() + element(1, 2, 70) + element(3, 4, 71, 1) + element(5, -6, 0) +
         raw(12u, 0u, 0u, 0u, 0u, 0u);
}

constexpr const char* kRead = "1: 70 [1.00 2.00]; 2 left out; 3: 0 [5.00 -6.0]";

TEST(HnswlibReader, ReadsVectorsAndLabels) {
  EXPECT_EQ(read_vector_file(Format::kHnswlib, saved()), kRead);
  for (const std::size_t chunk : {1, 3, 7, 100}) {
    EXPECT_EQ(read_vectors(Format::kHnswlib, saved(), chunk), kRead);
  }
}

TEST(HnswlibReader, AnEmptyIndex) {
  SavedHeader header;
  header.count = 0;
  header.max_level = -1;
  header.entry = UINT32_MAX;
  EXPECT_EQ(read_vector_file(Format::kHnswlib, header.bytes()), "");
}

TEST(HnswlibReader, HeadersThatLie) {
  const auto refused = [](auto change, const std::string& wanted) {
    SavedHeader header;
    change(header);
    const std::string said = read_vectors(Format::kHnswlib, saved(header));
    EXPECT_TRUE(said.starts_with("the input: ")) << said;
    EXPECT_NE(said.find(wanted), std::string::npos) << said;
  };
  refused([](SavedHeader& h) { h.offset_level0 = 1; }, "do not begin at 0");
  refused([](SavedHeader& h) { h.count = 9; }, "it has 9 elements of at most 8");
  refused([](SavedHeader& h) { h.count = h.max_elements = std::uint64_t{1} << 32; },
          "it has 4294967296 elements");
  refused([](SavedHeader& h) { h.count = h.max_elements = UINT64_MAX; }, "elements of at most");
  refused([](SavedHeader& h) { h.element = 35; }, "an element of 35 bytes");
  refused([](SavedHeader& h) { h.element = UINT64_MAX; }, "an element of 18446744073709551615");
  refused([](SavedHeader& h) { h.label = 20, h.element = 28; }, "its label at 20");
  refused([](SavedHeader& h) { h.label = 30, h.element = 38; }, "vectors have 10 bytes");
  refused([](SavedHeader& h) { h.vector = 24; }, "its vector at 24");
  refused([](SavedHeader& h) { h.vector = UINT64_MAX; }, "its vector at 18446744073709551615");
  // The label so far behind that 8 bytes more are over 64 bits.
  refused([](SavedHeader& h) { h.label = UINT64_MAX - 7, h.element = 0; },
          "the dimension is 4611686018427387897");
  refused([](SavedHeader& h) { h.label = 20 + 65'536 * 4, h.element = h.label + 8; },
          "the dimension is 65536");
  refused([](SavedHeader& h) { h.m = h.max_m = h.max_m0 = 0; }, "M is 0");
  refused([](SavedHeader& h) { h.m = h.max_m = 32'768, h.max_m0 = 65'536; }, "M is 32768");
  refused([](SavedHeader& h) { h.m = h.max_m = UINT64_MAX; }, "M is 18446744073709551615");
  refused([](SavedHeader& h) { h.max_m = 3; }, "maxM 3");
  refused([](SavedHeader& h) { h.max_m0 = 5; }, "maxM0 5");
  refused([](SavedHeader& h) { h.max_level = -1; }, "its greatest level is -1");
  refused([](SavedHeader& h) { h.entry = 3; }, "its entry point 3");
  refused([](SavedHeader& h) { h.count = 0; }, "of 0 elements");
}

TEST(HnswlibReader, CutAnywhere) {
  const std::string whole = saved();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string bytes = whole.substr(0, size);
    const std::string said = read_vectors(Format::kHnswlib, bytes);
    EXPECT_NE(said.find("cut short"), std::string::npos) << size << ": " << said;
    EXPECT_EQ(said.find("lost the rest") == std::string::npos, size < 96 || size >= 96 + 108);
    EXPECT_EQ(read_vectors(Format::kHnswlib, bytes, 5), said);
    // A file of these many elements has their counts of links at least.
    const std::string file = read_vector_file(Format::kHnswlib, bytes);
    if (size >= 96 && size < 96 + 120) {
      EXPECT_NE(file.find("needs at least 216"), std::string::npos) << file;
    }
  }
  EXPECT_EQ(read_vectors(Format::kHnswlib, whole + "x"),
            std::string(kRead) + "; 4: bad, there is more in the file than the 3 rows that its " +
                "header says; lost the rest");
}

TEST(HnswlibReader, BadElements) {
  const std::string head = SavedHeader().bytes();
  const std::string levels = raw(12u, 0u, 0u, 0u, 0u, 0u);
  const std::string good = element(1, 2, 70);
  const auto second = [&](const std::string& bytes) {
    return read_vectors(Format::kHnswlib, head + good + bytes + element(5, 6, 5) + levels);
  };
  const auto expected = [](const std::string& why) {
    return "1: 70 [1.00 2.00]; 2: bad, " + why + "; 3: 5 [5.00 6.00]";
  };
  EXPECT_EQ(second(element(NAN, 4, 1)), expected("number 1 is not finite (NaN or infinity)"));
  EXPECT_EQ(second(element(3, 4, UINT64_MAX)),
            expected("the label 18446744073709551615 does not fit an id of 63 bits"));
  EXPECT_EQ(second(element(3, 4, 1, 2)),
            expected("an element with 1 link and the mark 2: damaged"));
  std::string many = element(3, 4, 1);
  many[0] = 5;
  EXPECT_EQ(second(many), expected("an element with 5 links and the mark 0: damaged"));
}

TEST(HnswlibReader, LevelsThatLie) {
  const std::string elements =
      SavedHeader().bytes() + element(1, 2, 70) + element(3, 4, 71, 1) + element(5, -6, 0);
  const auto behind = [&](const std::string& levels) {
    return read_vectors(Format::kHnswlib, elements + levels);
  };
  const std::string bad =
      std::string(kRead) + "; 4: bad, behind the elements, of which all are read: ";
  EXPECT_EQ(behind(raw(0u, 13u)), bad +
                                      "element 1 has 13 bytes of links above, no whole number of "
                                      "levels up to 1");
  EXPECT_EQ(behind(raw(24u)), bad +
                                  "element 0 has 24 bytes of links above, no whole number of "
                                  "levels up to 1");
  EXPECT_EQ(behind(raw(12u, 0u)), bad + "the links are cut short");
  EXPECT_EQ(behind(raw(UINT32_MAX)),
            bad +
                "element 0 has 4,294,967,295 bytes of links above, no whole number of levels up to "
                "1");
}

}  // namespace
}  // namespace quire::tools
