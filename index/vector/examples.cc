#include "index/vector/examples.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/record/record_change.h"
#include "engine/record/value_check.h"

namespace quire {
namespace {

constexpr double kMostHalf = 65504;  // the largest finite half

template <class T>
T element_at(const std::byte* vector, std::size_t i) noexcept {
  T element;
  std::memcpy(&element, vector + i * sizeof element, sizeof element);
  return element;
}

double number_at(ElementType type, const std::byte* vector, std::size_t i) noexcept {
  switch (type) {
    case ElementType::kF32:
      return static_cast<double>(element_at<float>(vector, i));
    case ElementType::kF16:
      return static_cast<double>(element_at<_Float16>(vector, i));
    case ElementType::kI8:
      return element_at<std::int8_t>(vector, i);
    case ElementType::kBits:
      return static_cast<double>(static_cast<unsigned>(vector[i / 8]) >> (i % 8) & 1);
  }
  return 0;
}

template <class T>
void put_element(T element, std::byte* vector, std::size_t i) noexcept {
  std::memcpy(vector + i * sizeof element, &element, sizeof element);
}

void put_number(ElementType type, double number, std::byte* vector, std::size_t i) noexcept {
  constexpr double kMostFloat = std::numeric_limits<float>::max();
  switch (type) {
    case ElementType::kF32:
      return put_element(static_cast<float>(std::clamp(number, -kMostFloat, kMostFloat)), vector,
                         i);
    case ElementType::kF16:
      return put_element(static_cast<_Float16>(std::clamp(number, -kMostHalf, kMostHalf)), vector,
                         i);
    case ElementType::kI8:
      return put_element(
          static_cast<std::int8_t>(std::clamp(std::nearbyint(number), -128.0, 127.0)), vector, i);
    case ElementType::kBits:
      if (number > 0.5) vector[i / 8] |= std::byte{1} << (i % 8);
  }
}

// Adds `weight` times the mean of the vectors.
void add_mean(ElementType type, bool of_length_one, std::span<const Example> examples,
              double weight, std::span<double> sum) {
  for (const Example& each : examples) {
    double factor = weight / static_cast<double>(examples.size());
    if (of_length_one) {
      double squares = 0;
      for (std::size_t i = 0; i < sum.size(); ++i) {
        const double number = number_at(type, each.vector, i);
        squares += number * number;
      }
      if (squares != 0) factor /= std::sqrt(squares);
    }
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * number_at(type, each.vector, i);
  }
}

}  // namespace

Result<Example> find_example(RecordReader& reader, std::size_t field, KeyValues key_values) {
  const Collection& collection = reader.collection();
  EncodedKey key;
  QUIRE_CHECK(
      make_key(collection, key_values, max_key_size(reader.view().reader().page_size()), key));
  QUIRE_TRY(const std::optional<RowView> row, find_row(reader.view(), collection, bytes_of(key)));
  if (!row)
    return collection.field_failure(
        ErrorCode::kNotFound, field,
        "there is no record with the key " + describe_key(collection.schema(), bytes_of(key)));
  if (row->is_null(field))
    return collection.field_failure(ErrorCode::kInvalid, field,
                                    "the record with the key " +
                                        describe_key(collection.schema(), bytes_of(key)) +
                                        " has no vector there");
  QUIRE_TRY(const std::byte* vector,
            reader.vector(collection.schema().vector_place(field), row->number()));
  return Example{row->number(), vector};
}

ByteVector query_like(ElementType type, std::uint32_t dimension, Metric metric,
                      std::span<const Example> like, std::span<const Example> unlike) {
  const bool of_length_one = metric == Metric::kCosine;
  std::vector<double> sum(dimension);
  add_mean(type, of_length_one, like, unlike.empty() ? 1 : 2, sum);
  add_mean(type, of_length_one, unlike, -1, sum);
  ByteVector query(vector_bytes(type, dimension));
  for (std::size_t i = 0; i < sum.size(); ++i) put_number(type, sum[i], query.data(), i);
  return query;
}

}  // namespace quire
