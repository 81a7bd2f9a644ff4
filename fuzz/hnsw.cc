// Indexes of vectors whose pages have right checksums and whose content lies, as a bug might have
// left them.
//
// What the input is: which of four indexes (codes raw, half and 8-bit; m of 4 and 16; some vectors
// in the tail, some nodes dead, some places free), then changes to elements of its arrays, a byte
// each of which array, which element, and edits of its bytes; a size that an array is cut to; then
// what is done.
//
// What is promised. Of anything: searches, checks, changes of records, maintenance and commits give
// an error with a sentence, or come to an end. Where the check finds nothing, a search for as many
// as there are finds what an exact one finds, and a search for few finds as many as it is asked
// for; and so it is after changes and maintenance, with a check that finds nothing.
#include <algorithm>
#include <array>
#include <cstring>

#include "engine/db/database.h"
#include "engine/io/simulated_disk.h"
#include "engine/record/collection_change.h"
#include "engine/record/record_writer.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/must.h"
#include "index/vector/hnsw/hnsw_kind.h"
#include "index/vector/hnsw/hnsw_search.h"

namespace quire::fuzz {
namespace {

constexpr std::uint32_t kDimension = 3;
constexpr std::size_t kVectorField = 1;
constexpr std::int64_t kRecords = 90;
constexpr std::int64_t kTrainedRecords = 1100;  // enough for the 8-bit codes' parameters
constexpr std::size_t kMostEdits = 8;

constexpr const char* kOptions[] = {
    R"({"field": "at", "quantizer": "none", "m": 4, "ef_construction": 8, "tail_bytes": 16384})",
    R"({"field": "at", "quantizer": "f16", "metric": "l1", "m": 4, "ef_construction": 8})",
    R"({"field": "at", "m": 4, "ef_construction": 8})",
    R"({"field": "at", "metric": "cosine", "quantizer": "none", "seed": 7, "m": 16})"};

IndexKinds kinds() {
  static const IndexKind* const known[] = {&hnsw_index_kind()};
  return known;
}

std::array<float, kDimension> vector_of(std::int64_t id) {
  return {static_cast<float>(id % 7), static_cast<float>(id % 11), static_cast<float>(id % 13 + 1)};
}

// A database of which each input gets a copy of the files.
class Spots {
 public:
  explicit Spots(const char* options) {
    open();
    const auto txn = must(database_->begin_write(true));
    const Schema schema = must(Schema::make(
        {{"id", FieldType::kI64},
         {.name = "at", .type = FieldType::kVectorF32, .nullable = true, .dimension = kDimension}},
        0));
    items_ = must(Collection::create(*txn, "spots", schema, kinds()));
    items_ = must(
        create_index(*txn, *items_, {.name = "near", .kind = "hnsw", .options = options}, kinds()));
    const bool trained = index().form().codes.is_trained();
    const std::int64_t records = trained ? kTrainedRecords : kRecords;
    for (std::int64_t id = 0; id < records; ++id) put(*txn, id);
    must(database_->writer()->commit(*txn, Durability::kOs));
    maintain();
    const auto more = must(database_->begin_write(true));
    for (std::int64_t id = 3; id < records; id += 9) must(erase(*more, id));
    must(database_->writer()->commit(*more, Durability::kOs));
    maintain();
    const auto last = must(database_->begin_write(true));
    for (std::int64_t id = 5; id < records; id += 17)
      if (id % 9 != 3) must(erase(*last, id));
    for (std::int64_t id = 2000; id < 2012; ++id) put(*last, id);
    must(database_->writer()->commit(*last, Durability::kOs));
  }

  // A transaction that is never committed; nothing that it does stays.
  std::unique_ptr<WriteTxn> begin() { return must(database_->begin_write(true)); }
  const Collection& items() const { return *items_; }
  const hnsw::HnswIndex& index() const { return *as_hnsw(items_->indexes().front().get()); }

  Status erase(WriteTxn& txn, std::int64_t id) const {
    return erase_record(txn, *items_, Value::of_i64(id));
  }
  Status change(WriteTxn& txn, std::int64_t id, std::int64_t like) const {
    const auto at = vector_of(like);
    const std::array values = {Value::of_i64(id), Value::of_vector(at.data(), kDimension)};
    return upsert_record(txn, *items_, values);
  }

 private:
  void open() {
    DatabaseOptions options;
    options.writer.background = false;
    options.writer.durability = Durability::kOs;
    options.index_kinds = kinds();
    database_ = must(Database::open(disk_, "/spots.quire", options));
  }
  void put(WriteTxn& txn, std::int64_t id) const { must(change(txn, id, id)); }
  // In steps of one size: the thread's own depend on how long they take, and so would the graph.
  void maintain() {
    for (;;) {
      const auto txn = must(database_->begin_unlogged());
      const auto step = must(index().prepare(*txn, *items_, 64));
      if (step == nullptr) return;
      must(step->apply(*txn, *items_));
      must(database_->writer()->commit(*txn, Durability::kNone));
    }
  }

  io::SimulatedDisk disk_;
  std::unique_ptr<Database> database_;
  std::optional<Collection> items_;
};

Spots& spots_of(std::size_t which) {
  static std::array<Spots*, std::size(kOptions)> all{};
  if (all[which] == nullptr) all[which] = new Spots(kOptions[which]);
  return *all[which];
}

// A refusal has words; whether it was none.
template <class T>
bool good(const Result<T>& result) {
  if (!result) demand(!result.error().message().empty(), "a refusal has no words");
  return result.has_value();
}

std::array<StructureId, hnsw::HnswStructures::kCount> structures_of(const Spots& spots) {
  const hnsw::HnswStructures& ids = spots.index().form().structures;
  return {ids.head,  ids.quantizer, ids.codes[0], ids.codes[1], ids.lists,
          ids.upper, ids.records,   ids.places,   ids.tail,     ids.dead};
}

void edit(Input& input, const Spots& spots, WriteTxn& txn) {
  const auto ids = structures_of(spots);
  for (std::size_t i = input.below(kMostEdits + 1); i-- > 0;) {
    ArrayWriter* array = must(txn.array(ids[input.below(ids.size())]));
    const std::uint64_t size = array->root().size;
    if (input.below(16) == 0) {
      must(array->truncate(input.below(size + 1)));
      continue;
    }
    // One behind the end now and then.
    const std::uint64_t element = input.below(size + 1);
    std::byte* bytes = must(array->touch(element));
    Edits::apply_one(input, {bytes, array->root().element_size}, input.below(512));
  }
}

class Round {
 public:
  Round(Spots& spots, WriteTxn& txn) : spots_(spots), txn_(txn) {}

  bool is_clean() {
    bool clean = true;
    const Status checked = spots_.index().check(txn_, spots_.items(), [&](const Error& error) {
      demand(!error.message().empty(), "a damage has no words");
      clean = false;
    });
    return good(checked) && clean;
  }

  void search(std::int64_t like, std::size_t k, std::size_t ef, bool clean) {
    const auto query = vector_of(like);
    const auto* bytes = std::as_bytes(std::span(query)).data();
    const auto reader = hnsw::HnswReader::open(txn_, spots_.items(), spots_.index());
    demand(!clean || reader.has_value(), "a clean index can't be opened");
    if (!good(reader)) return;
    const auto hits = (*reader)->search({bytes, k, ef});
    demand(!clean || hits.has_value(), "a search by a clean index fails");
    if (!good(hits) || !clean) return;
    const auto truth = must(exact_search(txn_, spots_.items(),
                                         {.field = kVectorField,
                                          .metric = spots_.index().form().options.metric,
                                          .vector = Value::of_vector(query.data(), kDimension),
                                          .k = k}));
    demand(truth.size() == hits->size(), "another number than was asked for");
    const bool all = truth.size() < k;
    for (std::size_t i = 0; all && i < truth.size(); ++i)
      demand(truth[i].number == (*hits)[i].id && truth[i].distance == (*hits)[i].distance,
             "a search for all finds others than an exact one");
  }

  // Whether it went on to the end.
  bool maintain() {
    for (int i = 0; i < 20; ++i) {
      const auto step = spots_.index().prepare(txn_, spots_.items(), 8);
      if (!good(step)) return false;
      if (*step == nullptr) return true;
      if (!good((*step)->apply(txn_, spots_.items()))) return false;
    }
    return true;
  }

 private:
  Spots& spots_;
  WriteTxn& txn_;
};

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  Spots& spots = spots_of(input.below(std::size(kOptions)));
  const auto txn = spots.begin();
  edit(input, spots, *txn);
  Round round(spots, *txn);
  const bool clean = round.is_clean();
  round.search(static_cast<std::int64_t>(input.byte()), 1 + input.below(12), input.below(40),
               clean);
  round.search(static_cast<std::int64_t>(input.byte()), 5000, 10, clean);
  good(spots.index().stat(*txn));
  for (std::size_t i = input.below(6); i-- > 0;) {
    const auto id = static_cast<std::int64_t>(input.below(100));
    const auto like = static_cast<std::int64_t>(input.byte());
    const Status changed = input.flag() ? spots.change(*txn, id, like) : spots.erase(*txn, id);
    const bool may_be = good(changed) || changed.error().code() == ErrorCode::kNotFound;
    demand(may_be || !clean, "a change of a record of a clean index fails");
  }
  if (!txn->usable()) return;
  const bool maintained = round.maintain();
  demand(maintained || !clean, "maintenance of a clean index fails");
  if (!clean) return;
  demand(round.is_clean(), "what was clean is so no more");
  round.search(3, 5000, 10, true);
  round.search(5, 3, 20, true);
}  // what was done is not committed: the next input finds all as it was

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  const auto add = [&](std::initializer_list<unsigned> numbers) {
    ByteVector seed;
    for (const unsigned number : numbers) seed.push_back(static_cast<std::byte>(number));
    all.push_back(std::move(seed));
  };
  for (unsigned which = 0; which < std::size(kOptions); ++which) {
    for (unsigned array = 0; array < hnsw::HnswStructures::kCount; ++array)
      add({which, 1, array, 5, 3, 0, 0, 8, 1, 0, 7, 5, 20, 9, 3, 1, 2, 3, 4, 5, 6, 7});
    add({which, 0, 4, 3, 30, 9, 5, 1, 2, 1, 3, 4, 0, 5, 6, 1});
  }
  return all;
}

}  // namespace quire::fuzz
