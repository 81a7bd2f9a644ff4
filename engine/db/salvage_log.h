// From the log of a damaged database into the new one, commit by commit. Internal to salvage.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/db/salvage_files.h"
#include "engine/db/salvage_ledger.h"
#include "wal/log_reader.h"

namespace quire {

// Replays what was asked, by names and keys: ids and record numbers of the new database are its
// own. Errors are those of the new database; where the log can't be read is told as an event.
class LogSalvager {
 public:
  // `catalog_lost`: names and places are missing, so the log may speak of what nobody knows.
  LogSalvager(DamagedFiles& files, Database& into, SalvageTargets& targets, bool catalog_lost,
              std::vector<SalvageEvent>& events)
      : files_(files),
        into_(into),
        targets_(targets),
        catalog_lost_(catalog_lost),
        events_(events) {}

  Status run(const SalvageBase& base);
  std::uint64_t commits() const noexcept { return commits_; }

 private:
  Result<std::unique_ptr<wal::LogReader>> open_log(const SalvageBase& base);
  Result<wal::Position> start_at(std::optional<wal::Lsn> most);
  Result<std::unique_ptr<wal::LogReader>> open_behind(const SalvageBase& base);
  void note_quiet_end(const wal::Position& end);
  Status take(const wal::Record& record, const SalvageBase& base);
  Status carry_out(const Operation& operation);
  Status keyspace_operation(const Operation& operation);
  Status collection_operation(const Operation& operation);
  Status create_keyspace(const Operation& operation);
  Status create_collection(const Operation& operation);
  static bool note_past(SalvageTarget& target, const Schema& schema);
  Status change_collection(SalvageTarget& target, Bytes bytes);
  Status put_record(SalvageTarget& target, Bytes payload);
  Status erase_record(SalvageTarget& target, Bytes key);
  SalvageTarget* find(StructureId id, SalvageEvent::Subject subject);
  std::string free_name(std::string name, StructureId id);
  void give_up();
  void tell_end(const std::string& why, const wal::Position& end);
  void tell_skipped();

  DamagedFiles& files_;
  Database& into_;
  SalvageTargets& targets_;
  const bool catalog_lost_;
  std::vector<SalvageEvent>& events_;
  std::uint64_t commits_ = 0;
  wal::Lsn has_ = 0;  // up to where the state has the log, if it was found by its pages
  // Of the commit at work.
  std::unique_ptr<WriteTxn> txn_;
  ByteVector rest_;
  SalvageTargets before_;  // what targets_ was before it
  std::vector<SalvageTargets> savepoints_;
  std::map<StructureId, std::uint64_t> skipped_;  // operations on what nobody knows
};

}  // namespace quire
