#include "index/vector/hnsw/hnsw_vectors.h"

#include <algorithm>

#include "index/vector/hnsw/graph_memory.h"

namespace quire::hnsw {

Result<RecordVectors> RecordVectors::open(View& view, const Collection& collection,
                                          const HnswForm& form) {
  QUIRE_TRY(const ArrayRoot root,
            view.array_root(collection.definition().vectors[form.vector_place]));
  if (root.element_size != form.codes.vector_bytes())
    return fail(ErrorCode::kCorrupt, "the array of vectors has elements of another size");
  RecordVectors vectors;
  vectors.array_ = ArrayView(view.reader(), root);
  return vectors;
}

Status RecordVectors::look_at_all() { return hnsw::look_at_all(array_); }

Result<const std::byte*> RecordVectors::of(std::uint32_t record) {
  if (record >= array_.size())
    return fail(ErrorCode::kCorrupt, "there is no vector of record %u", record);
  const std::byte* vector = array_.at(record);
  if (vector == nullptr) return std::unexpected(array_.take_error());
  return vector;
}

Result<std::vector<std::uint32_t>> records_of_tail(View& view, const HnswForm& form,
                                                   const HnswState& state) {
  ArrayView tail(view.reader(), state.tail);
  std::vector<std::uint32_t> records;
  records.reserve(state.tail.size);
  for (std::uint64_t slot = 0; slot < state.tail.size; ++slot) {
    const std::byte* element = tail.at(slot);
    if (element == nullptr) return std::unexpected(tail.take_error());
    records.push_back(TailEntry::read(element, form.codes.code_bytes()).record);
  }
  return records;
}

Result<Quantizer> train_parameters(View& view, const Collection& collection, const HnswForm& form,
                                   std::span<const std::uint32_t> records, std::uint32_t version) {
  QUIRE_TRY(RecordVectors vectors, RecordVectors::open(view, collection, form));
  std::vector<std::pair<std::uint64_t, std::uint32_t>> chosen;
  chosen.reserve(records.size());
  for (const std::uint32_t record : records) chosen.emplace_back(mix_bits(record), record);
  const std::size_t count = std::min(chosen.size(), kQuantizerSample);
  std::ranges::nth_element(chosen, chosen.begin() + static_cast<std::ptrdiff_t>(count) - 1);
  chosen.resize(count);
  std::ranges::sort(chosen);
  std::vector<const std::byte*> sample;
  for (const auto& [hash, record] : chosen) {
    QUIRE_TRY(const std::byte* vector, vectors.of(record));
    sample.push_back(vector);
  }
  return form.codes.train(sample, version);
}

}  // namespace quire::hnsw
