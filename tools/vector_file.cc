#include "tools/vector_file.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "tools/convert.h"
#include "tools/failure.h"

namespace quire::tools {
namespace {

static_assert(std::endian::native == std::endian::little, "raw floats are copied as they are");

constexpr std::string_view kNpyMagic = "\x93NUMPY";

template <class Number>
Number load_number(std::string_view bytes) {
  Number number;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

// `count` numbers of type Number from the front.
template <class Number>
std::vector<float> load_floats(std::string_view bytes, std::size_t count) {
  std::vector<float> vector(count);
  for (std::size_t i = 0; i < count; ++i) {
    vector[i] = static_cast<float>(load_number<Number>(bytes.substr(i * sizeof(Number))));
  }
  return vector;
}

// NumPy's format 1 to 3: magic, version, length of a header that is a Python literal, data.
std::vector<float> parse_npy(std::string_view bytes, const std::string& name) {
  const auto refuse = [&name](const char* why) { throw Failure("'" + name + "': " + why); };
  if (bytes.size() < 12) refuse("a .npy file cut short");
  const bool long_header = bytes[6] != 1;
  const std::size_t header_size = long_header ? load_number<std::uint32_t>(bytes.substr(8))
                                              : load_number<std::uint16_t>(bytes.substr(8));
  bytes.remove_prefix(long_header ? 12 : 10);
  if (bytes.size() < header_size) refuse("a .npy file cut short");
  const std::string_view header = bytes.substr(0, header_size);
  const std::string_view data = bytes.substr(header_size);
  const bool f4 = header.find("'<f4'") != std::string_view::npos;
  const bool f8 = header.find("'<f8'") != std::string_view::npos;
  if (!f4 && !f8) refuse("a .npy file of other numbers than little-endian f4 or f8");
  // The shape: (4,) or (1, 4) is one vector; so rows must be 1 where there are two numbers.
  const std::size_t shape = header.find("'shape': (");
  if (shape == std::string_view::npos) refuse("a .npy file without a shape");
  std::size_t product = 1, last = 1;
  for (std::string_view rest = header.substr(shape + 10); !rest.empty() && rest[0] != ')';) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error == std::errc()) {
      if (number == 0 || number > 65'535) refuse("a .npy file that is not one vector");
      product *= number;
      last = number;
    }
    rest.remove_prefix(error == std::errc() ? static_cast<std::size_t>(end - rest.data()) : 1);
    if (product > 65'535) break;
  }
  if (product != last) refuse("a .npy file of more than one row; save the one to search for");
  if (data.size() != product * (f4 ? 4 : 8)) refuse("a .npy file whose size is not its shape's");
  return f4 ? load_floats<float>(data, product) : load_floats<double>(data, product);
}

std::vector<float> parse_fvecs(std::string_view bytes, const std::string& name) {
  const std::size_t count = bytes.size() < 4 ? 0 : load_number<std::uint32_t>(bytes);
  if (count == 0 || count > 65'535 || bytes.size() < 4 + count * 4) {
    throw Failure("'" + name + "' is not .fvecs: a 32-bit dimension, then so many 32-bit floats");
  }
  return load_floats<float>(bytes.substr(4), count);
}

std::vector<float> parse_any(std::string_view bytes, const std::string& name,
                             std::size_t dimension) {
  if (bytes.starts_with(kNpyMagic)) return parse_npy(bytes, name);
  if (name.ends_with(".fvecs")) return parse_fvecs(bytes, name);
  std::vector<float> vector;
  std::string reason;
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  const bool bracket = first != std::string_view::npos && bytes[first] == '[';
  // Raw floats may begin with the byte of a bracket: they count as text only if they read as such.
  if (bracket && parse_vector_text(bytes, &vector, &reason)) return vector;
  if (bytes.size() == dimension * sizeof(float)) return load_floats<float>(bytes, dimension);
  if (bracket) throw Failure("'" + name + "': " + reason);
  throw Failure("'" + name + "' has " + std::to_string(bytes.size()) +
                " bytes; a vector of dimension " + std::to_string(dimension) + " is " +
                std::to_string(dimension * sizeof(float)) +
                " bytes of raw 32-bit floats, or a JSON array, .npy or .fvecs");
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
