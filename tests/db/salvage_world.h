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

// Where in a page of the catalog the 16 bytes lie that say where in the log its state is; npos: it
// has none, or an older state's.
inline std::size_t find_place(Bytes page) {
  const NodeView node(page.data(), kPage);
  if (node.kind() != PageKind::kCatalogLeaf) return std::string::npos;
  std::string cell("l\x10\0\0\0\0\0\0\0\0\0", 11);
  std::byte birth[8];
  store_le<std::uint64_t>(birth, node.birth());
  cell.replace(3, 8, as_text(birth));
  const std::size_t at = as_text(page).find(cell);
  return at == std::string::npos ? at : at + 3;
}

// As if a library had written it that does not note in the catalog where in the log a state is.
// Catalogs of two levels at most.
inline void forget_place(io::Disk& disk) {
  const auto file = must(disk.open(kData, io::OpenMode::kReadWrite));
  std::map<std::pair<PageNumber, std::uint64_t>, std::uint64_t> changed;  // to another checksum
  const auto each_page = [&](const auto& change) {
    for (PageNumber page = 2; page < pages_of(disk); ++page) {
      ByteVector bytes(kPage);
      must(file->read(std::uint64_t{page} * kPage, bytes));
      if (change(page, bytes)) must(file->write(std::uint64_t{page} * kPage, bytes));
    }
  };
  each_page([&](PageNumber page, ByteVector& bytes) {
    const std::size_t place = find_place(bytes);
    if (place == std::string::npos) return false;
    const std::uint64_t before = page_checksum(bytes);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(place), 8, std::byte{0});
    changed[{page, before}] = page_checksum(bytes);
    return true;
  });
  ASSERT_FALSE(changed.empty());
  each_page([&](PageNumber page, ByteVector& bytes) {
    const NodeView node(bytes.data(), kPage);
    if (node.page() != page || !node.sane(1) || node.tree() != kCatalogId) return false;
    must(tree_for_each_pointer(bytes, [&](const ChildRef& child) -> Status {
      PagePtr below = load_ptr(child.at);
      const auto found = changed.find({below.page, below.checksum});
      if (found == changed.end()) return {};
      below.checksum = found->second;
      store_ptr(child.at, below);
      return {};
    }));
    return true;
  });
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
