#include "tools/vector_reader.h"

#include <array>
#include <cstring>

#include "tools/failure.h"
#include "tools/hnswlib_reader.h"
#include "tools/npy_header.h"
#include "tools/output.h"

namespace quire::tools {
namespace {

std::string wrong_dimension(const std::string& dimension) {
  return "the dimension is " + dimension + ", which is not 1 to " +
         std::to_string(kMaxVectorDimension);
}

// Each row with its dimension before it.
class VecsReader : public VectorReader {
 public:
  VecsReader(Element element, ByteSource* source, bool check_size)
      : VectorReader(source, check_size) {
    element_ = element;
  }

  ReadStatus next(VectorRow* row, std::string* reason) override {
    if (ended_) return ReadStatus::kEnd;
    std::array<char, 4> head;
    const std::size_t got = bytes_.take(head.data(), head.size());
    ended_ = got == 0;
    if (ended_) return ReadStatus::kEnd;
    row->number = ++row_;
    row->id = static_cast<std::int64_t>(row_ - 1);
    if (got < head.size()) return lose_rest(reason, "cut short: no whole dimension is there");
    std::int32_t dimension;
    std::memcpy(&dimension, head.data(), sizeof dimension);
    if (dimension < 1 || dimension > static_cast<std::int32_t>(kMaxVectorDimension)) {
      return lose_rest(reason, wrong_dimension(std::to_string(dimension)));
    }
    return read_row(static_cast<std::size_t>(dimension), row, reason);
  }

 private:
  ReadStatus read_row(std::size_t dimension, VectorRow* row, std::string* reason) {
    if (!dimension_) begin(dimension);
    row_bytes_.resize(dimension * element_size(element_));
    const std::size_t got = bytes_.take(row_bytes_.data(), row_bytes_.size());
    if (got < row_bytes_.size()) {
      return lose_rest(reason, "cut short: " + count_of(got, "byte") + " of the " +
                                   std::to_string(row_bytes_.size()) + " of dimension " +
                                   std::to_string(dimension));
    }
    if (dimension != *dimension_) {
      *reason = "dimension " + std::to_string(dimension) + ", where the first row has " +
                std::to_string(*dimension_);
      return ReadStatus::kBad;
    }
    return decode(row_bytes_.data(), row, reason) ? ReadStatus::kRecord : ReadStatus::kBad;
  }

  void begin(std::size_t dimension) {
    dimension_ = dimension;
    const std::uint64_t each = 4 + dimension * element_size(element_);
    if (!size_ || *size_ % each == 0) return;
    refuse("it has " + count_of(*size_, "byte") + ", no whole number of rows of " +
           std::to_string(each) + " bytes, as the first one of dimension " +
           std::to_string(dimension) +
           " has; it is cut short, or not all rows are of that dimension");
  }

  std::vector<char> row_bytes_;
};

// A header that says how many rows there are, and then the rows.
class CountedReader : public VectorReader {
 public:
  ReadStatus next(VectorRow* row, std::string* reason) override {
    if (ended_) return ReadStatus::kEnd;
    if (row_ == *rows_) return end(row, reason);
    row->number = ++row_;
    row->id = static_cast<std::int64_t>(row_ - 1);
    const std::size_t got = bytes_.take(row_bytes_.data(), row_bytes_.size());
    if (got < row_bytes_.size()) {
      return lose_rest(reason, "cut short: " + count_of(got, "byte") + " of " +
                                   std::to_string(row_bytes_.size()) + "; the header says " +
                                   count_of(*rows_, "row"));
    }
    return decode(row_bytes_.data(), row, reason) ? ReadStatus::kRecord : ReadStatus::kBad;
  }

 protected:
  using VectorReader::VectorReader;

  // What the header of `header_bytes` says.
  void begin(std::uint64_t header_bytes, std::uint64_t rows, std::uint64_t dimension) {
    set_dimension(dimension);
    const std::uint64_t each = *dimension_ * element_size(element_);
    // The sum below, and an id that counts the rows, fit 63 bits.
    if (rows > (std::uint64_t{1} << 62) / each) {
      refuse("the header says " + std::to_string(rows) + " rows of " + std::to_string(each) +
             " bytes: more than a file can hold");
    }
    rows_ = rows;
    row_bytes_.resize(static_cast<std::size_t>(each));
    const std::uint64_t needed = header_bytes + rows * each;
    if (!size_ || *size_ == needed) return;
    refuse("it has " + count_of(*size_, "byte") + ", but its header of " + count_of(rows, "row") +
           " of dimension " + std::to_string(dimension) + " needs " + std::to_string(needed));
  }

 private:
  std::vector<char> row_bytes_;
};

class BinReader : public CountedReader {
 public:
  BinReader(Element element, ByteSource* source, bool check_size)
      : CountedReader(source, check_size) {
    element_ = element;
    std::array<char, 8> header;
    take_header(header.data(), header.size());
    std::uint32_t rows, dimension;
    std::memcpy(&rows, header.data(), sizeof rows);
    std::memcpy(&dimension, header.data() + sizeof rows, sizeof dimension);
    begin(header.size(), rows, dimension);
  }
};

class NpyReader : public CountedReader {
 public:
  NpyReader(ByteSource* source, bool check_size) : CountedReader(source, check_size) {
    NpyHeader header;
    const std::uint64_t header_bytes = read_header(&header);
    std::string reason;
    const auto element = element_of_npy(header.descr, &reason);
    if (!element) refuse(reason);
    element_ = *element;
    if (header.fortran_order) {
      refuse("it is in Fortran order; save it in C order: numpy.ascontiguousarray(array)");
    }
    if (header.shape.empty() || header.shape.size() > 2) {
      refuse("its array has " + count_of(header.shape.size(), "dimension") +
             "; rows of vectors have two, and one vector has one");
    }
    begin(header_bytes, header.shape.size() == 1 ? 1 : header.shape[0], header.shape.back());
  }

 private:
  // Magic, version, length of the literal, literal; how many bytes that is.
  std::uint64_t read_header(NpyHeader* header) {
    // NumPy itself reads no longer ones unless told to.
    constexpr std::uint32_t kMaxLiteral = 65'536;
    std::array<char, 12> head{};
    take_header(head.data(), 8);
    if (!std::string_view(head.data(), head.size()).starts_with(kNpyMagic)) {
      refuse("it does not begin as .npy files do, with \\x93NUMPY");
    }
    const unsigned version = static_cast<unsigned char>(head[6]);
    if (version < 1 || version > 3) {
      refuse("its version of the format is " + std::to_string(version) + "; known are 1 to 3");
    }
    const std::size_t length_size = version == 1 ? 2 : 4;
    take_header(head.data() + 8, length_size);
    std::uint32_t length = 0;
    std::memcpy(&length, head.data() + 8, length_size);
    if (length > kMaxLiteral) {
      refuse("its header is of " + std::to_string(length) + " bytes; up to " +
             std::to_string(kMaxLiteral) + " are read");
    }
    std::string literal(length, '\0'), reason;
    take_header(literal.data(), literal.size());
    if (!parse_npy_header(literal, header, &reason)) refuse(reason);
    return 8 + length_size + length;
  }
};

}  // namespace

void VectorReader::refuse(const std::string& why) const { throw Failure(name_ + ": " + why); }

void VectorReader::take_header(char* to, std::size_t size) {
  if (bytes_.take(to, size) < size) {
    refuse("cut short in its header, after " + count_of(bytes_.consumed_bytes(), "byte"));
  }
}

void VectorReader::set_dimension(std::uint64_t dimension) {
  if (dimension < 1 || dimension > kMaxVectorDimension) {
    refuse(wrong_dimension(std::to_string(dimension)));
  }
  dimension_ = static_cast<std::size_t>(dimension);
}

ReadStatus VectorReader::lose_rest(std::string* reason, const std::string& why) {
  ended_ = lost_rest_ = true;
  *reason = why;
  return ReadStatus::kBad;
}

ReadStatus VectorReader::end(VectorRow* row, std::string* reason) {
  ended_ = true;
  if (bytes_.skip(1) == 0) return ReadStatus::kEnd;
  row->number = ++row_;
  return lose_rest(reason, "there is more in the file than the " + count_of(*rows_, "row") +
                               " that its header says");
}

std::unique_ptr<VectorReader> make_vector_reader(Format format, ByteSource* source,
                                                 bool check_size) {
  switch (format) {
    case Format::kFvecs:
      return std::make_unique<VecsReader>(Element::kF32, source, check_size);
    case Format::kBvecs:
      return std::make_unique<VecsReader>(Element::kU8, source, check_size);
    case Format::kFbin:
      return std::make_unique<BinReader>(Element::kF32, source, check_size);
    case Format::kU8bin:
      return std::make_unique<BinReader>(Element::kU8, source, check_size);
    case Format::kI8bin:
      return std::make_unique<BinReader>(Element::kI8, source, check_size);
    case Format::kNpy:
      return std::make_unique<NpyReader>(source, check_size);
    case Format::kHnswlib:
      return std::make_unique<HnswlibReader>(source, check_size);
    case Format::kNdjson:
    case Format::kCsv:
      break;
  }
  throw Failure(source->name() + " is not read as vectors");
}

}  // namespace quire::tools
