#include "index/vector/hnsw/hnsw_bulk.h"

#include <algorithm>
#include <cstring>

#include "engine/array/array_append.h"
#include "index/vector/hnsw/graph_build.h"
#include "index/vector/hnsw/graph_order.h"
#include "index/vector/hnsw/hnsw_changes.h"
#include "index/vector/hnsw/hnsw_vectors.h"

namespace quire::hnsw {
namespace {

// Elements written between two looks at how much memory the transaction holds.
constexpr std::uint64_t kSettleEvery = 4096;
// What a record takes of memory beside its node: itself and its place, and both once more in order.
constexpr std::uint64_t kRecordBytes = 4 * sizeof(std::uint32_t);

class Bulk {
 public:
  Bulk(WriteTxn& txn, const Collection& collection, const HnswForm& form, BulkRequest request)
      : txn_(txn), collection_(collection), form_(form), request_(std::move(request)) {}

  Status run() {
    QUIRE_TRY(HnswChanges changes, HnswChanges::open(txn_, form_));
    QUIRE_CHECK(train(changes));
    QUIRE_CHECK(order(changes));
    QUIRE_TRY(GraphView graph, changes.state().graph(txn_, form_));
    QUIRE_CHECK(choose_places(changes, graph.end()));
    GraphMemory memory(form_.shape(), end_);
    QUIRE_CHECK(memory.load(graph));
    QUIRE_TRY(const Place entry, live_entry(memory, graph));
    for (const Place place : places_) memory.revive(place);
    QUIRE_CHECK(write_codes(changes));
    QUIRE_TRY(const Place new_entry, link(changes, memory, entry));
    QUIRE_CHECK(write_lists(memory));
    return write_records(changes, new_entry);
  }

 private:
  Status train(HnswChanges& changes) {
    if (changes.state().encodes(form_)) return {};
    QUIRE_TRY(const Quantizer quantizer,
              train_parameters(txn_, collection_, form_, request_.records,
                               changes.state().head.quantizer_version + 1));
    return changes.set_parameters(quantizer);
  }

  Status order(HnswChanges& changes) {
    QUIRE_TRY(RecordVectors vectors, RecordVectors::open(txn_, collection_, form_));
    QUIRE_CHECK(vectors.look_at_all());
    const Quantizer* parameters = changes.state().parameters();
    const auto encode = [this, parameters, vectors](std::size_t i,
                                                    std::byte* code) mutable -> Status {
      QUIRE_TRY(const std::byte* vector, vectors.of(request_.records[i]));
      form_.codes.encode(vector, parameters, code);
      return {};
    };
    QUIRE_TRY(const auto order, order_near({.count = request_.records.size(),
                                            .metric = form_.codes.code_metric(),
                                            .code_bytes = form_.codes.code_bytes(),
                                            .encode = encode,
                                            .threads = request_.threads,
                                            .report = [this] { return request_.report(0); }}));
    std::vector<std::uint32_t> records;
    records.reserve(order.size());
    for (const std::uint32_t i : order) records.push_back(request_.records[i]);
    request_.records = std::move(records);
    return {};
  }

  // Free ones first, then those behind the last.
  Status choose_places(HnswChanges& changes, Place end) {
    end_ = end;
    places_.reserve(request_.records.size());
    for (std::size_t i = 0; i < request_.records.size(); ++i) {
      QUIRE_TRY(const Place free, changes.take_free());
      places_.push_back(free != kNoPlace ? free : end_++);
    }
    return {};
  }

  // Of the highest level of those that live; most often the one that there is.
  Result<Place> live_entry(const GraphMemory& memory, const GraphView& graph) const {
    const Place entry = graph.state().entry;
    if (entry == kNoPlace || memory.is_live(entry)) return entry;
    Place best = kNoPlace;
    const std::uint32_t seed = form_.options.seed;
    for (Place place = 1; place < graph.end(); ++place)
      if (memory.is_live(place) &&
          (best == kNoPlace || level_of(place, seed) > level_of(best, seed)))
        best = place;
    return best;
  }

  Status write_codes(HnswChanges& changes) {
    const HnswState& state = changes.state();
    QUIRE_TRY(ArrayWriter * codes, txn_.array(form_.structures.codes[state.head.current]));
    QUIRE_TRY(ArrayWriter * vectors,
              txn_.array(collection_.definition().vectors[form_.vector_place]));
    const std::uint64_t before = codes->root().size;
    ArrayAppender appender(*codes, end_ - before);
    if (before == 0) QUIRE_CHECK(appender.next());  // place 0 has no node
    for (std::size_t i = 0; i < places_.size(); ++i) {
      QUIRE_TRY(std::byte * code, places_[i] < before ? codes->touch(places_[i]) : appender.next());
      QUIRE_TRY(const Bytes vector, vectors->get(request_.records[i]));
      if (vector.size() != form_.codes.vector_bytes())
        return fail(ErrorCode::kCorrupt, "the array of vectors has elements of another size");
      form_.codes.encode(vector.data(), state.parameters(), code);
      if ((i + 1) % kSettleEvery != 0) continue;
      QUIRE_CHECK(txn_.settle());
      QUIRE_CHECK(request_.report(0));
    }
    return appender.finish();
  }

  Result<Place> link(HnswChanges& changes, GraphMemory& memory, Place entry) {
    QUIRE_TRY(const ArrayRoot root,
              txn_.array_root(form_.structures.codes[changes.state().head.current]));
    ArrayView codes(txn_.reader(), root);
    QUIRE_CHECK(look_at_all(codes));
    return build_graph({.memory = memory,
                        .codes = MemoryCodes(std::move(codes)),
                        .metric = form_.codes.code_metric(),
                        .entry = entry,
                        .places = places_,
                        .threads = request_.threads,
                        .report = request_.report});
  }

  Status write_lists(const GraphMemory& memory) {
    QUIRE_TRY(ArrayWriter * lists, txn_.array(form_.structures.lists));
    QUIRE_TRY(ArrayWriter * upper, txn_.array(form_.structures.upper));
    std::uint64_t written = 0;
    return memory.for_each_changed([&](unsigned level, Place place, Bytes list) -> Status {
      QUIRE_TRY(std::byte * to,
                level == 0 ? lists->touch(place) : upper->touch(upper_slot(level, place)));
      std::memcpy(to, list.data(), list.size());
      return ++written % kSettleEvery == 0 ? txn_.settle() : Status();
    });
  }

  Status write_records(HnswChanges& changes, Place entry) {
    std::vector<std::pair<std::uint32_t, Place>> by_record;
    by_record.reserve(places_.size());
    for (std::size_t i = 0; i < places_.size(); ++i) {
      QUIRE_CHECK(changes.set_node(places_[i], request_.records[i]));
      if ((i + 1) % kSettleEvery == 0) QUIRE_CHECK(txn_.settle());
      by_record.emplace_back(request_.records[i], places_[i]);
    }
    std::ranges::sort(by_record);
    for (std::size_t i = 0; i < by_record.size(); ++i) {
      QUIRE_CHECK(changes.move_record(by_record[i].first, by_record[i].second));
      if ((i + 1) % kSettleEvery == 0) QUIRE_CHECK(txn_.settle());
    }
    if (request_.are_tail) QUIRE_CHECK(changes.clear_tail());
    QUIRE_CHECK(changes.set_entry(entry));
    return txn_.settle();
  }

  WriteTxn& txn_;
  const Collection& collection_;
  const HnswForm& form_;
  BulkRequest request_;
  std::vector<Place> places_;  // of the records
  Place end_ = 1;
};

}  // namespace

std::uint64_t bulk_room(const HnswForm& form, const HnswState& state,
                        std::uint64_t memory_bytes) noexcept {
  constexpr std::uint64_t kPart = 1024;  // what one takes is not a whole number of bytes
  const GraphShape shape = form.shape();
  const std::uint64_t nothing = GraphMemory::bytes(shape, 0);
  const std::uint64_t each =
      (GraphMemory::bytes(shape, kPart) - nothing) / kPart + 1 + kRecordBytes;
  const std::uint64_t linked = GraphMemory::bytes(shape, state.roots.lists.size);
  return memory_bytes <= linked ? 0 : (memory_bytes - linked) / each;
}

bool can_encode(const HnswForm& form, const HnswState& state, std::uint64_t records) noexcept {
  return state.encodes(form) || records >= kQuantizerLeast;
}

Status link_bulk(WriteTxn& txn, const Collection& collection, const HnswForm& form,
                 BulkRequest request) {
  if (request.records.empty()) return {};
  return Bulk(txn, collection, form, std::move(request)).run();
}

}  // namespace quire::hnsw
