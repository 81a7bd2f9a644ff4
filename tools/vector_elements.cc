#include "tools/vector_elements.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "tools/half.h"
#include "tools/text_codec.h"

namespace quire::tools {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

template <class Number>
float float_at(const char* bytes) {
  Number number;
  std::memcpy(&number, bytes, sizeof number);
  return static_cast<float>(number);
}

float float_at_half(const char* bytes) {
  std::uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  return float_of_half(half);
}

template <float (*kAt)(const char*), std::size_t kSize>
void decode_run(const char* bytes, std::vector<float>* floats) {
  for (std::size_t i = 0; i < floats->size(); ++i) (*floats)[i] = kAt(bytes + i * kSize);
}

template <class Number>
constexpr auto kDecodeRun = decode_run<float_at<Number>, sizeof(Number)>;

struct ElementKind {
  Element element;
  std::string_view npy;  // without the order of bytes
  std::size_t size;
  void (*decode)(const char* bytes, std::vector<float>* floats);
};

// In the order of Element.
constexpr auto kElementKinds = std::to_array<ElementKind>({
    {Element::kF16, "f2", 2, decode_run<float_at_half, 2>},
    {Element::kF32, "f4", 4, kDecodeRun<float>},
    {Element::kF64, "f8", 8, kDecodeRun<double>},
    {Element::kI8, "i1", 1, kDecodeRun<std::int8_t>},
    {Element::kU8, "u1", 1, kDecodeRun<std::uint8_t>},
    {Element::kI16, "i2", 2, kDecodeRun<std::int16_t>},
    {Element::kU16, "u2", 2, kDecodeRun<std::uint16_t>},
    {Element::kI32, "i4", 4, kDecodeRun<std::int32_t>},
    {Element::kU32, "u4", 4, kDecodeRun<std::uint32_t>},
    {Element::kI64, "i8", 8, kDecodeRun<std::int64_t>},
    {Element::kU64, "u8", 8, kDecodeRun<std::uint64_t>},
});

const ElementKind& kind_of(Element element) {
  return kElementKinds[static_cast<std::size_t>(element)];
}

}  // namespace

std::size_t element_size(Element element) { return kind_of(element).size; }

std::optional<Element> element_of_npy(std::string_view descr, std::string* reason) {
  const std::string shown = "its numbers are of type '" + std::string(descr.substr(0, 40)) + "'";
  const std::string_view type = descr.empty() ? descr : descr.substr(1);
  for (const ElementKind& kind : kElementKinds) {
    if (kind.npy != type) continue;
    // NumPy writes '|' where there is no order of bytes.
    if (descr[0] == '<' || (kind.size == 1 && (descr[0] == '|' || descr[0] == '>'))) {
      return kind.element;
    }
    if (descr[0] == '>') {
      *reason = shown + ", big-endian; save them little-endian: array.astype('<" +
                std::string(type) + "')";
      return std::nullopt;
    }
  }
  *reason = shown + ", which is none of f2, f4, f8 and the integers i1 to i8, u1 to u8";
  return std::nullopt;
}

bool decode_elements(Element element, const char* bytes, std::vector<float>* floats,
                     std::string* reason) {
  kind_of(element).decode(bytes, floats);
  for (std::size_t i = 0; i < floats->size(); ++i) {
    if (std::isfinite((*floats)[i])) continue;
    const std::string number = "number " + std::to_string(i + 1);
    double wide = NAN;
    if (element == Element::kF64) std::memcpy(&wide, bytes + i * sizeof wide, sizeof wide);
    *reason = std::isfinite(wide)
                  ? number + ", " + format_f64(wide) + ", does not fit a 32-bit float"
                  : number + " is not finite (NaN or infinity)";
    return false;
  }
  return true;
}

}  // namespace quire::tools
