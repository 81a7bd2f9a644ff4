#include "tools/vector_file.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>

#include "tools/convert.h"
#include "tools/failure.h"
#include "tools/output.h"
#include "tools/vector_reader.h"

namespace quire::tools {
namespace {

static_assert(std::endian::native == std::endian::little, "raw floats are copied as they are");

// Of raw floats.
std::vector<float> load_floats(std::string_view bytes, std::size_t count) {
  std::vector<float> vector(count);
  std::memcpy(vector.data(), bytes.data(), count * sizeof(float));
  return vector;
}

// By the magic of .npy, else by the name; an index is many vectors, and none of them the one.
std::optional<Format> vector_format(std::string_view bytes, const std::string& name) {
  if (bytes.starts_with(kNpyMagic)) return Format::kNpy;
  const auto format = format_by_ending(name);
  const bool rows = format && is_vector_format(*format) && *format != Format::kHnswlib;
  return rows ? format : std::nullopt;
}

// The first row; of .npy the only one, for an array of many is rather a mistake.
std::vector<float> parse_rows(Format format, std::string_view bytes, const std::string& name) {
  MemorySource memory(bytes, SIZE_MAX, "'" + name + "'");
  const auto reader = make_vector_reader(format, &memory, false);
  if (format == Format::kNpy && *reader->rows() != 1) {
    throw Failure("'" + name + "' is a .npy file of " + count_of(*reader->rows(), "row") +
                  "; save the one to search for");
  }
  VectorRow row;
  std::string reason;
  ReadStatus status = reader->next(&row, &reason);
  if (status == ReadStatus::kEnd) throw Failure("'" + name + "' has no vector in it");
  if (status == ReadStatus::kBad) throw Failure("'" + name + "': " + reason);
  std::vector<float> vector = std::move(row.numbers);
  if (format == Format::kNpy) status = reader->next(&row, &reason);
  if (status == ReadStatus::kBad) throw Failure("'" + name + "': " + reason);
  return vector;
}

std::vector<float> parse_any(std::string_view bytes, const std::string& name,
                             std::size_t dimension) {
  if (const auto format = vector_format(bytes, name)) return parse_rows(*format, bytes, name);
  std::vector<float> vector;
  std::string reason;
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  const bool bracket = first != std::string_view::npos && bytes[first] == '[';
  // Raw floats may begin with the byte of a bracket: they count as text only if they read as such.
  if (bracket && parse_vector_text(bytes, &vector, &reason)) return vector;
  if (bytes.size() == dimension * sizeof(float)) return load_floats(bytes, dimension);
  if (bracket) throw Failure("'" + name + "': " + reason);
  throw Failure("'" + name + "' has " + std::to_string(bytes.size()) +
                " bytes; a vector of dimension " + std::to_string(dimension) + " is " +
                std::to_string(dimension * sizeof(float)) +
                " bytes of raw 32-bit floats, or a JSON array, .npy, .fvecs and the like");
}

}  // namespace

std::vector<float> parse_vector_file(std::string_view bytes, const std::string& name,
                                     std::size_t dimension) {
  std::vector<float> vector = parse_any(bytes, name, dimension);
  if (vector.size() != dimension) {
    throw Failure("'" + name + "' has " + std::to_string(vector.size()) +
                  " numbers where the field has dimension " + std::to_string(dimension));
  }
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (std::isfinite(vector[i])) continue;
    throw Failure("'" + name + "': number " + std::to_string(i + 1) +
                  " is not finite (NaN or infinity)");
  }
  return vector;
}

}  // namespace quire::tools
