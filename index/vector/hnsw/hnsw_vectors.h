// The raw vectors of an index's records, and parameters trained from them.
#pragma once

#include "engine/record/collection.h"
#include "index/vector/hnsw/hnsw_state.h"

namespace quire::hnsw {

// Vectors by record at one view. One thread; copies are independent.
class RecordVectors {
 public:
  // kCorrupt where the array is not one of such vectors.
  static Result<RecordVectors> open(View& view, const Collection& collection, const HnswForm& form);
  // Looks at all: then copies may be read by any thread.
  Status look_at_all();
  // Good until the view ends. kCorrupt where there is none.
  Result<const std::byte*> of(std::uint32_t record);

 private:
  ArrayView array_;
};

// Of every slot, in order.
Result<std::vector<std::uint32_t>> records_of_tail(View& view, const HnswForm& form,
                                                   const HnswState& state);

// From the vectors of those of these records (at least one) that have the lowest hashes: the same
// records give the same parameters.
Result<Quantizer> train_parameters(View& view, const Collection& collection, const HnswForm& form,
                                   std::span<const std::uint32_t> records, std::uint32_t version);

}  // namespace quire::hnsw
