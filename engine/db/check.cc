// check: everything that the newest state reaches, page by page as pread gives them, and whether
// each page of the file is either reached or free.
#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "engine/db/database.h"
#include "engine/record/collection_check.h"
#include "wal/log_reader.h"

namespace quire {
namespace {

// A state to check, read through a map of its own on which nothing counts as verified.
class CheckView final : public View {
 public:
  CheckView(const Root& root, PageReader reader) : root_(root), reader_(reader) {}
  PageReader& reader() noexcept override { return reader_; }
  Result<TreeRoot> tree_root(StructureId id) override {
    QUIRE_TRY(const CatalogEntry entry, load_entry(id));
    if (entry.kind != StructureKind::kTree)
      return fail(ErrorCode::kType, "structure %u is not a tree", id);
    return entry.tree(id);
  }
  Result<ArrayRoot> array_root(StructureId id) override {
    QUIRE_TRY(const CatalogEntry entry, load_entry(id));
    if (entry.kind != StructureKind::kArray)
      return fail(ErrorCode::kType, "structure %u is not an array", id);
    return entry.array(id);
  }
  TreeRoot catalog_root() const noexcept override { return root_.catalog_tree(); }
  std::uint64_t tree_version(StructureId) noexcept override { return 0; }
  const Root& root() const noexcept { return root_; }

 protected:
  Result<std::uint16_t> structure_flags(StructureId id) override {
    QUIRE_TRY(const CatalogEntry entry, load_entry(id));
    return entry.flags;
  }

 private:
  Root root_;
  PageReader reader_;
};

class Checker {
 public:
  Checker(CheckView& view, PageNumber page_count, IndexKinds kinds,
          const std::function<bool(const std::string&)>& report)
      : view_(view), definitions_(kinds), used_(page_count), report_(report) {}

  void damage(const std::string& text) {
    ++damages_;
    if (!stopped_ && report_ && !report_(text)) stopped_ = true;
  }
  // What memory is short for is not known to be damaged.
  void damage(const Error& error) {
    if (error.code() != ErrorCode::kNoMemory) return damage(error.message());
    no_memory_ = stopped_ = true;
  }
  void damage(const std::string& who, const Error& error) {
    if (error.code() == ErrorCode::kNoMemory) return damage(error);
    damage(who + ": " + error.message());
  }
  bool no_memory() const noexcept { return no_memory_; }
  std::uint64_t damages() const noexcept { return damages_; }
  bool stopped() const noexcept { return stopped_; }

  // Marks pages as used by `who`; a page used twice, or past the end, is damage.
  void use(PageNumber first, PageNumber pages, const char* who) {
    for (std::uint64_t page = first; page < std::uint64_t{first} + pages; ++page) {
      if (page >= used_.size() || used_[page]) {
        damage("page " + std::to_string(page) + " of " + who +
               (page >= used_.size() ? " is past the end" : " is used twice"));
        continue;
      }
      used_[page] = true;
    }
  }

  // What the catalog says of its place in the log, if this library wrote it last.
  void place(const PlaceEntry& entry) {
    const Root& root = view_.root();
    const bool newest = root.txn == root.catalog.birth;
    if (entry.txn > root.catalog.birth || entry.lsn > root.lsn ||
        (entry.txn == root.catalog.birth && newest && entry.lsn != root.lsn))
      damage("the catalog says that it has the log up to LSN " + std::to_string(entry.lsn) +
             " as of transaction " + std::to_string(entry.txn) + "; by the root it has it up to " +
             std::to_string(root.lsn) + " as of " + std::to_string(root.txn));
  }

  void catalog() {
    const auto entry_of = [this](Bytes key, Bytes value) -> Status {
      if (key.size() == 5 && static_cast<char>(key[0]) == 'i') {
        const auto id = load_be<std::uint32_t>(key.data() + 1);
        QUIRE_TRY(const CatalogEntry entry, CatalogEntry::decode(value, id));
        if (entry.root.birth > view_.catalog_root().root.birth)
          damage("structure " + std::to_string(id) + " is younger than the catalog that names it");
        entries_.emplace_back(id, entry);
      } else if (as_text(key) == kPlaceKey) {
        QUIRE_TRY(const PlaceEntry entry, PlaceEntry::decode(value));
        place(entry);
      } else if (!key.empty() && static_cast<char>(key[0]) == 'n') {
        const std::string_view name = as_text(key.subspan(1));
        QUIRE_TRY(const NameEntry entry, NameEntry::decode(value, name));
        if (entry.kind == NameKind::kCollection) collections_.emplace_back(name, entry.id);
        if (entry.kind == NameKind::kKeyspace) {
          keyspaces_.emplace(entry.id);
          owners_[entry.id] = is_internal_name(name)
                                  ? "the library's keyspace '" + std::string(name.substr(1)) + "'"
                                  : "keyspace '" + std::string(name) + "'";
        }
      }
      return {};
    };
    const TreeCheck check{.on_page = marker("the catalog"),
                          .on_damage = reporter("the catalog"),
                          .on_entry = entry_of,
                          .root_in = "the root"};
    if (auto status = tree_check(view_.reader(), view_.catalog_root(), check); !status)
      damage("the catalog", status.error());
    open_collections();
  }

  void structures() {
    for (const auto& [id, entry] : entries_) {
      if (stopped_) return;
      const auto owner = owners_.find(id);
      const std::string who = owner != owners_.end()
                                  ? owner->second
                                  : "structure " + std::to_string(id) + ", which nothing names";
      Status status;
      if (entry.kind == StructureKind::kTree) {
        const TreeCheck check{
            .on_page = marker(who), .on_damage = reporter(who), .on_entry = nullptr};
        status = tree_check(view_.reader(), entry.tree(id), check);
      } else {
        const ArrayCheck check{.on_page = marker(who), .on_damage = reporter(who)};
        status = array_check(view_.reader(), entry.array(id), check);
      }
      if (!status) damage(who, status.error());
      const bool user = (entry.flags & CatalogEntry::kKeyspace) != 0;
      if (user != keyspaces_.contains(id)) damage(who + ": its name and its kind do not agree");
    }
  }

  void collections() {
    for (const Collection& collection : opened_) {
      if (stopped_) return;
      // A damaged page was told with its structure already.
      const auto tell = [this, &collection](const Error& error) {
        if (is_told(error.message())) return;
        const std::string who = "collection '" + collection.name() + "'";
        if (error.message().starts_with(who)) return damage(error);
        damage(who, error);
      };
      if (auto status = check_collection(view_, collection, tell); !status) tell(status.error());
    }
  }

  // Every page must be used or free, and no page both.
  void partition(const std::vector<PageRun>& free) {
    for (const PageRun& run : merge_runs(free)) use(run.first, run.pages, "the free map");
    for (PageNumber page = kFirstPage; page < used_.size(); ++page) {
      if (!used_[page]) damage("page " + std::to_string(page) + " is neither used nor free");
    }
  }

 private:
  std::function<Status(PageNumber, PageNumber)> marker(std::string who) {
    return [this, who = std::move(who)](PageNumber first, PageNumber pages) -> Status {
      use(first, pages, who.c_str());
      if (stopped_) return fail(ErrorCode::kCancelled, "stopped");
      return {};
    };
  }
  std::function<void(const Error&)> reporter(std::string who) {
    return [this, who = std::move(who)](const Error& error) {
      if (told_.size() < kToldMax) told_.push_back(error.message());
      damage(who, error);
    };
  }
  bool is_told(const std::string& message) const {
    return std::ranges::any_of(
        told_, [&](const std::string& told) { return told.find(message) != told.npos; });
  }
  // Names their structures.
  void open_collections() {
    for (const auto& [name, id] : collections_) {
      auto collection = Collection::open(view_, id, &definitions_);
      const std::string who = "collection '" + name + "'";
      owners_[id] = who + ", rows";
      if (!collection) {
        damage(who, collection.error());
        continue;
      }
      const CollectionDefinition& definition = collection->definition();
      owners_[definition.numbers] = who + ", record numbers";
      owners_[definition.freed] = who + ", freed numbers";
      if (definition.counters != 0) owners_[definition.counters] = who + ", counters";
      for (const IndexDefinition& index : definition.indexes)
        for (const StructureId structure : index.structures)
          owners_[structure] = who + ", index '" + index.name + "'";
      for (std::size_t i = 0; i < definition.vectors.size(); ++i) {
        const std::uint32_t field = definition.schema.vectors()[i];
        owners_[definition.vectors[i]] =
            who + ", vectors '" + definition.schema.field(field).name + "'";
      }
      opened_.push_back(*std::move(collection));
    }
  }

  static constexpr std::size_t kToldMax = 10'000;

  CheckView& view_;
  CollectionCache definitions_;
  std::vector<bool> used_;
  const std::function<bool(const std::string&)>& report_;
  std::vector<std::pair<StructureId, CatalogEntry>> entries_;
  std::vector<std::pair<std::string, StructureId>> collections_;
  std::unordered_set<StructureId> keyspaces_;
  std::vector<Collection> opened_;
  std::unordered_map<StructureId, std::string> owners_;  // whose structure it is
  std::vector<std::string> told_;                        // of structures, without the owner
  std::uint64_t damages_ = 0;
  bool stopped_ = false;
  bool no_memory_ = false;
};

}  // namespace

// What is beside the pages of a state, as it lies on the disk at one moment.
struct Database::FilesOnDisk {
  Meta meta;
  std::optional<std::vector<PageRun>> free;  // none when it is damaged
  std::vector<std::string> damages;
};

// The meta pages, the free map of the newest, and the log from there on, which must reach at least
// `least`. Nothing may replace them meanwhile.
Result<Database::FilesOnDisk> Database::look_at_files(wal::Lsn least) {
  FilesOnDisk found;
  const auto metas = read_metas(*data_);
  const auto short_of_memory = [](const Error& error) {
    return error.code() == ErrorCode::kNoMemory;
  };
  if (!metas && short_of_memory(metas.error())) return out_of_memory();
  if (!metas) {
    found.damages.push_back(metas.error().message());
    return found;
  }
  found.meta = metas->newest;
  // Beside one that says that the database was closed in order the other is not needed: the first
  // write transaction after that may have died while it wrote it.
  if (metas->damaged && !found.meta.clean) found.damages.push_back(metas->damaged->message());
  auto free = read_free_map(*data_, found.meta);
  if (free) {
    found.free = std::move(*free);
  } else if (short_of_memory(free.error())) {
    return out_of_memory();
  } else {
    found.damages.push_back(free.error().message());
  }
  const auto log_end = [&]() -> Result<wal::Lsn> {
    QUIRE_TRY(const auto reader, wal::LogReader::open(disk_, log_options(), found.meta.position));
    // What comes behind may be half written.
    while (reader->position().lsn < least) {
      QUIRE_TRY(const auto record, reader->next());
      if (!record) break;
    }
    return reader->position().lsn;
  };
  if (found.meta.clean) return found;
  const auto end = log_end();
  if (!end && short_of_memory(end.error())) return out_of_memory();
  if (!end) {
    found.damages.push_back(end.error().message());
  } else if (*end < least) {
    found.damages.push_back(log_directory() + ": the log ends at LSN " + std::to_string(*end) +
                            ", but LSN " + std::to_string(least) + " was written");
  }
  return found;
}

// While somebody writes, a checkpoint may be under way, and a record half written: only what is
// damaged each time is damaged.
Result<Database::FilesOnDisk> Database::look_again_at_files(wal::Lsn least) {
  constexpr int kTries = 10;
  constexpr auto kBetween = std::chrono::milliseconds(20);
  for (int i = 1;; ++i) {
    QUIRE_TRY(FilesOnDisk found, look_at_files(least));
    if (found.damages.empty() || i == kTries) return found;
    std::this_thread::sleep_for(kBetween);
  }
}

// The kept segments, from the oldest there is to the checkpoint; behind it the log was read before.
Status Database::check_archive(const Meta& meta) {
  QUIRE_TRY(const wal::Position first, wal::first_position(disk_, log_options()));
  // The checkpoint may lie behind parts of a transaction that never ended: they are no commits.
  const wal::Lsn committed = meta.root.lsn;
  if (first.segment == 0 || first.lsn >= committed) return {};
  QUIRE_TRY(const auto reader, wal::LogReader::open(disk_, log_options(), first));
  while (reader->position().lsn < committed) {
    QUIRE_TRY(const auto record, reader->next());
    if (!record)
      return fail(
          ErrorCode::kLogDamaged,
          "%s: the kept log ends at LSN %llu, but the checkpoint has commits up to LSN %llu",
          log_directory().c_str(), static_cast<unsigned long long>(reader->position().lsn),
          static_cast<unsigned long long>(committed));
  }
  return {};
}

Status Database::check(const std::function<bool(const std::string&)>& report) {
  Writer::Census census;
  FilesOnDisk files;
  bool at_checkpoint = false;
  if (writer_ != nullptr) {
    // Neither a commit by checkpoint nor another checkpoint.
    const std::scoped_lock no_checkpoint(checkpoint_mutex_);
    QUIRE_TRY(census, writer_->census());
    // Behind the newest commit there may be parts of one that has no end yet.
    const wal::LogWriter* log = writer_->log();
    const wal::Lsn committed = census.snapshot->root().lsn;
    QUIRE_TRY(files, look_again_at_files(log != nullptr ? std::min(committed, log->written()) : 0));
  } else {
    QUIRE_TRY(census.snapshot, begin_read());
    const Root& root = census.snapshot->root();
    census.page_count = root.page_count;
    QUIRE_TRY(files, look_again_at_files(root.lsn));
    // In the checkpoint the same state may have more pages, or fewer free ones at its end.
    QUIRE_TRY(const bool writes, locks_->locked_elsewhere(lock_range::kWriter, 1));
    at_checkpoint = !writes && files.free && files.meta.root.txn == root.txn;
    if (at_checkpoint) census.page_count = files.meta.page_count;
  }
  const Root& root = census.snapshot->root();
  QUIRE_TRY(const auto map, PageMap::create(*data_, page_size_, census.page_count));
  PageReader reader(map.get(), nullptr, census.page_count);
  reader.read_with(data_.get());
  CheckView view(root, reader);
  Checker checker(view, census.page_count, options_.index_kinds, report);
  for (const std::string& damage : files.damages) checker.damage(damage);
  checker.catalog();
  checker.structures();
  checker.collections();
  if (checker.damages() == 0) {
    if (writer_ != nullptr) {
      checker.partition(census.free);
    } else if (at_checkpoint) {  // a reader knows the free pages of no other state
      files.free->push_back(files.meta.free_map_run);
      checker.partition(*files.free);
    }
  }
  QUIRE_TRY(const auto segments, wal::list_segments(disk_, log_directory()));
  for (const std::uint64_t number : segments) {
    if (checker.stopped()) break;
    const auto info = wal::inspect_segment(disk_, wal::segment_path(log_directory(), number), id_);
    if (!info && info.error().code() != ErrorCode::kNotFound) checker.damage(info.error());
  }
  if (files.meta.archive && checker.damages() == 0) {
    if (const auto whole = check_archive(files.meta); !whole) checker.damage(whole.error());
  }
  if (checker.no_memory()) return out_of_memory();
  if (checker.stopped()) return fail(ErrorCode::kCancelled, "check was stopped");
  if (checker.damages() != 0)
    return fail(ErrorCode::kCorrupt, "%s: %llu damages", path_.c_str(),
                static_cast<unsigned long long>(checker.damages()));
  return {};
}

}  // namespace quire
