#include "engine/db/salvage.h"

#include "engine/db/salvage_contents.h"
#include "engine/db/salvage_files.h"
#include "engine/db/salvage_log.h"
#include "engine/record/collection_change.h"

namespace quire {
namespace {

using Kind = SalvageEvent::Kind;
using Subject = SalvageEvent::Subject;

// The files of a database that was begun and is not to be.
void remove_database(io::Disk& disk, const std::string& path) {
  if (const auto names = disk.list(path + "/wal"))
    for (const std::string& name : *names)
      (void)disk.remove(std::string(path).append("/wal/").append(name));
  for (const char* name : {"/wal", "/lock", "/data", "/data.new"}) (void)disk.remove(path + name);
  (void)disk.remove(path);
}

class Salvage {
 public:
  Salvage(io::Disk& disk, const SalvageOptions& options,
          const std::function<bool(const SalvageEvent&)>& report)
      : disk_(disk), options_(options), report_(report) {}

  Result<SalvageTotals> run(const std::string& damaged, const std::string& new_path) {
    QUIRE_TRY(const auto files, DamagedFiles::open(disk_, damaged, events_));
    QUIRE_CHECK(check_new_path(damaged, new_path));
    QUIRE_TRY(const SalvageBase base, files->choose_base(events_));
    QUIRE_CHECK(tell());
    auto made = make(*files, base, new_path);
    if (!made) {
      remove_database(disk_, new_path);
      // Callers take kCorrupt for damage of the old one, and have nothing to reopen.
      if (made.error().code() == ErrorCode::kCorrupt || made.error().code() == ErrorCode::kPoisoned)
        return fail(ErrorCode::kIo, "the new database: %s", made.error().message().c_str());
      return std::unexpected(std::move(made).error());
    }
    return totals_;
  }

 private:
  Status check_new_path(const std::string& damaged, const std::string& new_path) {
    QUIRE_TRY(const bool there, disk_.exists(new_path));
    if (there)
      return fail(ErrorCode::kExists, "%s is there already; name one that is not",
                  new_path.c_str());
    const std::size_t slash = new_path.find_last_of('/');
    const std::string parent = slash == std::string::npos ? "."
                               : slash == 0               ? "/"
                                                          : new_path.substr(0, slash);
    QUIRE_TRY(const std::string into, disk_.canonical_path(parent));
    QUIRE_TRY(const std::string old, disk_.canonical_path(damaged));
    if ((into + "/").starts_with(old + "/"))
      return fail(ErrorCode::kInvalid, "%s lies in the damaged database, which is not written to",
                  new_path.c_str());
    return {};
  }

  Status make(DamagedFiles& files, const SalvageBase& base, const std::string& new_path) {
    DatabaseOptions options = options_.database;
    options.read_only = false;
    options.create = true;
    options.exclusive = true;
    options.page_size = files.page_size();
    options.writer.archive = files.archive();
    options.writer.background = false;
    options.writer.durability = Durability::kNone;
    QUIRE_TRY(const auto database, Database::open(disk_, new_path, options));
    const Status filled = fill(files, base, *database);
    if (filled) return database->close();
    database->crash();
    return filled;
  }

  Status fill(DamagedFiles& files, const SalvageBase& base, Database& database) {
    SalvageTargets targets;
    bool catalog_lost = base.root.catalog.page == 0 && !base.position;
    {
      QUIRE_TRY(const auto txn, database.begin_write(true));
      ContentsSalvager contents(files, base, options_.unverified, *txn, events_);
      QUIRE_TRY(targets, contents.run());
      catalog_lost = catalog_lost || contents.catalog_lost() != 0;
      QUIRE_CHECK(database.writer()->commit(*txn, Durability::kNone));
    }
    QUIRE_CHECK(tell());
    LogSalvager log(files, database, targets, catalog_lost, events_);
    QUIRE_CHECK(log.run(base));
    totals_.commits = log.commits();
    QUIRE_CHECK(make_indexes(database, targets));
    return close_books(database, targets);
  }

  // Each index that there was, from the records that are there now. One that can't be made is
  // lost, and nothing else with it.
  Status make_indexes(Database& database, SalvageTargets& targets) {
    const IndexKinds kinds = options_.database.index_kinds;
    for (auto& [id, target] : targets) {
      for (const IndexDefinition& index : target.indexes) {
        QUIRE_TRY(const auto txn, database.begin_write(true));
        const IndexKind* kind = find_kind(kinds, index.kind);
        const std::string options =
            kind == nullptr ? "" : kind->describe(target.collection->schema(), index.options);
        auto made =
            create_index(*txn, *target.collection,
                         {.name = index.name, .kind = index.kind, .options = options}, kinds);
        if (!made) {
          if (WriteTxn::breaks(made.error().code())) return std::unexpected(made.error());
          events_.push_back(lost_index(target, index.name, made.error().message()));
          continue;
        }
        target.collection = *std::move(made);
        QUIRE_CHECK(database.writer()->commit(*txn, Durability::kNone));
      }
    }
    return tell();
  }

  static SalvageEvent lost_index(const SalvageTarget& target, const std::string& name,
                                 const std::string& why) {
    return {.kind = Kind::kLost,
            .subject = target.subject,
            .name = target.name,
            .text = "its index '" + name + "' can't be made: " + why};
  }

  Status close_books(Database& database, const SalvageTargets& targets) {
    QUIRE_TRY(const auto snapshot, database.begin_read());
    for (const auto& [id, target] : targets) {
      QUIRE_TRY(const TreeRoot root, snapshot->tree_root(target.id));
      for (SalvageEvent& event : closing_events(target, root.count()))
        events_.push_back(std::move(event));
      ++(target.is_keyspace() ? totals_.keyspaces : totals_.collections);
    }
    return tell();
  }

  // Hands on what has come together, and adds it up.
  Status tell() {
    for (const SalvageEvent& event : events_) {
      if (event.kind == Kind::kLost || event.kind == Kind::kUnverified) totals_.complete = false;
      if (event.kind == Kind::kLost) {
        totals_.lost_least += event.lost_least;
        totals_.lost_most = add_counts(totals_.lost_most, event.lost_most);
      }
      if (event.kind == Kind::kSaved) totals_.saved += event.saved;
      if (!stopped_ && report_ && !report_(event)) stopped_ = true;
    }
    events_.clear();
    if (stopped_) return fail(ErrorCode::kCancelled, "the salvage was stopped");
    return {};
  }

  io::Disk& disk_;
  const SalvageOptions& options_;
  const std::function<bool(const SalvageEvent&)>& report_;
  std::vector<SalvageEvent> events_;
  SalvageTotals totals_;
  bool stopped_ = false;
};

}  // namespace

Result<SalvageTotals> salvage(io::Disk& disk, const std::string& damaged,
                              const std::string& new_path, const SalvageOptions& options,
                              const std::function<bool(const SalvageEvent&)>& report) {
  return Salvage(disk, options, report).run(damaged, new_path);
}

}  // namespace quire
