// What the tests of salvage have in common: a small database that is damaged by hand, and all that
// a salvage says.
#pragma once

#include <gtest/gtest.h>

#include "engine/db/salvage.h"
#include "engine/record/record_reader.h"
#include "tests/db/workload.h"
#include "wal/log_reader.h"

namespace quire::test::salvaging {

using io::SimulatedDisk;
using io::Survival;
using Kind = SalvageEvent::Kind;
using Subject = SalvageEvent::Subject;

inline const std::string kLog = std::string(kDatabasePath) + "/wal";
inline constexpr const char* kSaved = "/saved.quire";
inline constexpr std::uint32_t kPage = 512;

struct Salvaged {
  SalvageTotals totals;
  std::vector<SalvageEvent> events;
  State state;

  std::string words() const {
    std::string all;
    for (const SalvageEvent& event : events) all += event.text + "\n";
    return all;
  }
  std::size_t count(Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(events, kind, &SalvageEvent::kind));
  }
};

inline Result<Salvaged> try_salvage(io::Disk& disk, bool unverified = false) {
  SalvageOptions options;
  options.unverified = unverified;
  options.database = small_database();
  Salvaged salvaged;
  QUIRE_TRY(salvaged.totals,
            salvage(disk, kDatabasePath, kSaved, options, [&](const SalvageEvent& event) {
              salvaged.events.push_back(event);
              return true;
            }));
  DatabaseOptions existing = small_database();
  existing.create = false;
  existing.page_size = 0;  // where nothing tells, that of the new one is the default
  QUIRE_TRY(const auto database, Database::open(disk, kSaved, existing));
  EXPECT_EQ(damages(*database), "");
  QUIRE_TRY(const auto snapshot, database->begin_read());
  QUIRE_TRY(salvaged.state, read_all(*snapshot));
  return salvaged;
}

inline std::string key_of(int i) { return "key" + std::to_string(1000 + i); }

inline std::unique_ptr<Database> open(io::Disk& disk, bool archive = false) {
  DatabaseOptions options = small_database();
  options.writer.archive = archive;
  return must(Database::open(disk, kDatabasePath, options));
}

using Change = std::function<void(WriteTxn&, StructureId goods)>;
inline void commit(Database& database, const Change& change) {
  const auto txn = must(database.begin_write(true));
  const auto entry = must(txn->find_name("goods"));
  change(*txn, entry ? entry->id : must(txn->create_keyspace("goods")));
  must(database.writer()->commit(*txn, Durability::kAlways));
}
inline void put(WriteTxn& txn, StructureId id, const std::string& key, const std::string& value) {
  must(txn.put(id, as_bytes(key), as_bytes(value), TreeWriter::PutMode::kUpsert));
}

// 300 keys, written over `turns` times in small commits, so that old copies of pages lie about.
inline State fill(Database& database, int turns) {
  State state;
  for (int turn = 0; turn < turns; ++turn) {
    for (int i = 0; i < 300; i += 20)
      commit(database, [&](WriteTxn& txn, StructureId goods) {
        for (int k = i; k < i + 20; ++k) {
          const std::string value = std::string(40, 'v') + std::to_string(turn * 1000 + k);
          put(txn, goods, key_of(k), value);
          state["goods"][key_of(k)] = value;
        }
      });
  }
  return state;
}

inline std::unique_ptr<SimulatedDisk> closed_database(State& state, int turns = 1,
                                                      bool archive = false) {
  auto disk = std::make_unique<SimulatedDisk>(1);
  auto database = open(*disk, archive);
  state = fill(*database, turns);
  must(database->close());
  return disk;
}

inline void spoil(io::Disk& disk, std::uint64_t offset, const std::string& bytes) {
  must(must(disk.open(kData, io::OpenMode::kReadWrite))->write(offset, as_bytes(bytes)));
}
inline NodeHeader header_of(io::Disk& disk, PageNumber page) {
  NodeHeader header{};
  must(must(disk.open(kData, io::OpenMode::kRead))
           ->read(std::uint64_t{page} * kPage,
                  {reinterpret_cast<std::byte*>(&header), sizeof header}));
  return header;
}
inline PageNumber pages_of(io::Disk& disk) {
  return static_cast<PageNumber>(must(must(disk.open(kData, io::OpenMode::kRead))->size()) / kPage);
}
inline void spoil_metas(io::Disk& disk) {
  spoil(disk, 100, "xyz");
  spoil(disk, kPage + 100, "xyz");
}

// What a salvage made of the collection of books.
class SavedBooks {
 public:
  explicit SavedBooks(io::Disk& disk) {
    DatabaseOptions existing = small_database();
    existing.create = false;
    database_ = must(Database::open(disk, kSaved, existing));
    snapshot_ = must(database_->begin_read());
    books_.emplace(must(Collection::open(*snapshot_, "books")));
  }

  Snapshot& snapshot() const { return *snapshot_; }
  const Collection& collection() const { return *books_; }
  void for_each(const std::function<void(std::span<const Value>)>& visit) const {
    RecordReader reader(*snapshot_, *books_);
    std::vector<Value> values(books_->schema().size());
    RecordScan scan = must(RecordScan::open(reader, nullptr, nullptr));
    while (must(scan.next(values))) visit(values);
  }

 private:
  std::unique_ptr<Database> database_;
  std::unique_ptr<Snapshot> snapshot_;
  std::optional<Collection> books_;
};

}  // namespace quire::test::salvaging
