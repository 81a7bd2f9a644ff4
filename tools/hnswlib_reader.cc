#include "tools/hnswlib_reader.h"

#include <array>
#include <cstring>
#include <string_view>

#include "tools/output.h"

namespace quire::tools {
namespace {

// Numbers, front to back.
class PlainFields {
 public:
  explicit PlainFields(const char* at) : at_(at) {}

  template <class Number>
  Number take() {
    Number number;
    std::memcpy(&number, at_, sizeof number);
    at_ += sizeof number;
    return number;
  }

 private:
  const char* at_;
};

std::string not_hnswlib(const std::string& why) {
  return "not an index that hnswlib saved: " + why;
}

}  // namespace

HnswlibReader::Header HnswlibReader::read_header() {
  std::array<char, kHeaderBytes> bytes;
  take_header(bytes.data(), bytes.size());
  PlainFields fields(bytes.data());
  Header header;
  header.level0_offset = fields.take<std::uint64_t>();
  header.max_elements = fields.take<std::uint64_t>();
  header.count = fields.take<std::uint64_t>();
  header.element_bytes = fields.take<std::uint64_t>();
  header.label_offset = fields.take<std::uint64_t>();
  header.vector_offset = fields.take<std::uint64_t>();
  header.max_level = fields.take<std::int32_t>();
  header.entry = fields.take<std::uint32_t>();
  header.max_m = fields.take<std::uint64_t>();
  header.max_m0 = fields.take<std::uint64_t>();
  header.m = fields.take<std::uint64_t>();
  // What follows, mult and ef_construction, is of the graph's building alone.
  return header;
}

void HnswlibReader::check_layout(const Header& header) {
  // The links of an element are counted by 16 bits.
  constexpr std::uint64_t kMaxM = 32'767;
  if (header.level0_offset != 0) refuse(not_hnswlib("its elements do not begin at 0"));
  if (header.m < 1 || header.m > kMaxM || header.max_m != header.m ||
      header.max_m0 != 2 * header.m) {
    refuse(not_hnswlib("M is " + std::to_string(header.m) + ", maxM " +
                       std::to_string(header.max_m) + ", maxM0 " + std::to_string(header.max_m0) +
                       "; they have to be M, M and 2 M, with M from 1 to " +
                       std::to_string(kMaxM)));
  }
  const std::uint64_t list_bytes = 4 + header.max_m0 * 4;
  if (header.vector_offset != list_bytes || header.label_offset <= header.vector_offset ||
      header.element_bytes != header.label_offset + 8) {
    refuse(not_hnswlib("an element of " + std::to_string(header.element_bytes) +
                       " bytes, with its vector at " + std::to_string(header.vector_offset) +
                       " and its label at " + std::to_string(header.label_offset) +
                       ", where its links take " + std::to_string(list_bytes) +
                       " and its label 8"));
  }
  const std::uint64_t vector_bytes = header.label_offset - header.vector_offset;
  if (vector_bytes % 4 != 0) {
    refuse("its vectors have " + std::to_string(vector_bytes) +
           " bytes, so they are no 32-bit floats; other spaces are not read");
  }
  set_dimension(vector_bytes / 4);
}

void HnswlibReader::check_graph(const Header& header) const {
  if (header.count > header.max_elements || header.count > UINT32_MAX) {
    refuse(not_hnswlib("it says that it has " + std::to_string(header.count) +
                       " elements of at most " + std::to_string(header.max_elements)));
  }
  // An empty one has neither.
  const bool good = header.count == 0 ? header.max_level == -1
                                      : header.max_level >= 0 && header.entry < header.count;
  if (good) return;
  refuse(not_hnswlib("its greatest level is " + std::to_string(header.max_level) +
                     " and its entry point " + std::to_string(header.entry) + ", of " +
                     count_of(header.count, "element")));
}

HnswlibReader::HnswlibReader(ByteSource* source, bool check_size)
    : VectorReader(source, check_size) {
  const Header header = read_header();
  check_layout(header);
  check_graph(header);
  rows_ = header.count;
  vector_offset_ = static_cast<std::size_t>(header.vector_offset);
  label_offset_ = static_cast<std::size_t>(header.label_offset);
  element_bytes_.resize(static_cast<std::size_t>(header.element_bytes));
  level_bytes_ = 4 + header.max_m * 4;
  max_level_ = header.count == 0 ? 0 : static_cast<std::uint64_t>(header.max_level);
  // No overflow: a count of 32 bits, of elements of less than 2^20 bytes.
  const std::uint64_t least = kHeaderBytes + header.count * (header.element_bytes + 4);
  if (size_ && *size_ < least) {
    refuse("it has " + count_of(*size_, "byte") + ", but its header of " +
           count_of(header.count, "element") + " of dimension " + std::to_string(*dimension_) +
           " needs at least " + std::to_string(least));
  }
}

ReadStatus HnswlibReader::next(VectorRow* row, std::string* reason) {
  if (ended_) return ReadStatus::kEnd;
  if (row_ == *rows_) return read_levels(row, reason);
  row->number = ++row_;
  const std::size_t got = bytes_.take(element_bytes_.data(), element_bytes_.size());
  if (got < element_bytes_.size()) {
    return lose_rest(reason, "cut short: " + count_of(got, "byte") + " of " +
                                 std::to_string(element_bytes_.size()) + "; the header says " +
                                 count_of(*rows_, "element"));
  }
  PlainFields list(element_bytes_.data());
  const auto links = list.take<std::uint16_t>();
  const auto mark = list.take<std::uint8_t>();
  if (links > (vector_offset_ - 4) / 4 || mark > 1) {
    *reason = "an element with " + count_of(links, "link") + " and the mark " +
              std::to_string(mark) + ": damaged";
    return ReadStatus::kBad;
  }
  if (mark == 1) return ReadStatus::kLeftOut;
  const auto label = PlainFields(element_bytes_.data() + label_offset_).take<std::uint64_t>();
  if (label > INT64_MAX) {
    *reason = "the label " + std::to_string(label) + " does not fit an id of 63 bits";
    return ReadStatus::kBad;
  }
  row->id = static_cast<std::int64_t>(label);
  return decode(element_bytes_.data() + vector_offset_, row, reason) ? ReadStatus::kRecord
                                                                     : ReadStatus::kBad;
}

ReadStatus HnswlibReader::read_levels(VectorRow* row, std::string* reason) {
  const auto bad = [&](const std::string& why) {
    ended_ = true;
    row->number = ++row_;
    *reason = "behind the elements, of which all are read: " + why;
    return ReadStatus::kBad;
  };
  for (std::uint64_t i = 0; i < *rows_; ++i) {
    std::array<char, 4> head;
    if (bytes_.take(head.data(), head.size()) < head.size()) return bad("the links are cut short");
    const std::uint64_t size = PlainFields(head.data()).take<std::uint32_t>();
    if (size % level_bytes_ != 0 || size / level_bytes_ > max_level_) {
      return bad("element " + std::to_string(i) + " has " + count_of(size, "byte") +
                 " of links above, no whole number of levels up to " + std::to_string(max_level_));
    }
    if (bytes_.skip(size) < size) return bad("the links are cut short");
  }
  return end(row, reason);
}

}  // namespace quire::tools
