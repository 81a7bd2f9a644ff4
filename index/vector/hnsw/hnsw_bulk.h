// Many vectors linked at once, within one transaction: codes first, then the graph in memory by
// several threads, then what it has become is written in order.
#pragma once

#include "engine/record/index.h"
#include "index/vector/hnsw/hnsw_state.h"

namespace quire::hnsw {

struct BulkRequest {
  // With a vector, each once; the index has them in its tail, all of it and nothing else, or has
  // none of them.
  std::vector<std::uint32_t> records;
  bool are_tail = false;
  unsigned threads = 1;
  // Called now and then with how many are linked. An error ends it.
  std::function<Status(std::uint64_t linked)> report;
};

// How many vectors there is memory for to link at once, beside those that are linked already.
std::uint64_t bulk_room(const HnswForm& form, const HnswState& state,
                        std::uint64_t memory_bytes) noexcept;
// Whether they are enough to make codes of.
bool can_encode(const HnswForm& form, const HnswState& state, std::uint64_t records) noexcept;

// Makes nodes of them; can_encode() and bulk_room() say that it can be. Trains parameters where
// there are none. Only the caller's thread touches the transaction, which has to be undone after an
// error.
Status link_bulk(WriteTxn& txn, const Collection& collection, const HnswForm& form,
                 BulkRequest request);

}  // namespace quire::hnsw
