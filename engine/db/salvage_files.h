// The files of a damaged database: what they say of themselves, read-only. Internal to salvage.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/db/meta.h"
#include "engine/db/salvage.h"
#include "engine/page/page_map.h"
#include "engine/page/page_reader.h"

namespace quire {

// A page that says by its header which node it is. Nothing vouches for it.
struct StrayNode {
  PageNumber page = 0;
  std::uint32_t level = 0;
  std::uint32_t tree = 0;
  TxnNumber birth = 0;
  bool catalog_leaf = false;
};

// A state of the database that a salvage may begin with.
struct SalvageBase {
  Root root;
  std::optional<Meta> meta;  // that has it; none: found by its pages, or nothing
  // The log from here on continues the state.
  std::optional<wal::Position> position;
  // Without that: the last log record that the state has, by its catalog. Where that does not say
  // so either, the whole log is carried out over the state.
  std::optional<wal::Lsn> lsn;
  std::optional<std::vector<PageRun>> free;  // pages that are not in use, where that is known
  std::uint64_t lost = 0;                    // entries and elements that can't be read
};

// One thread.
class DamagedFiles {
 public:
  // Takes the locks. Notes what is wrong with the meta pages.
  static Result<std::unique_ptr<DamagedFiles>> open(io::Disk& disk, const std::string& path,
                                                    std::vector<SalvageEvent>& events);

  std::uint32_t page_size() const noexcept { return page_size_; }
  bool archive() const noexcept { return archive_; }
  const std::string& path() const noexcept { return path_; }
  io::Disk& disk() noexcept { return disk_; }
  wal::LogOptions log_options() const;

  // The state to begin with; kNotDatabase where there is none and no log either.
  Result<SalvageBase> choose_base(std::vector<SalvageEvent>& events);
  // Pages of a state, each verified as pread gives it.
  Result<PageReader> reader_for(const Root& root);
  // Every page that looks like a node. O(file), once.
  Result<const std::vector<StrayNode>*> strays();
  // The bytes of a page, unverified.
  Status read_page(PageNumber page, ByteVector& bytes);

 private:
  DamagedFiles(io::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  std::string data_path() const { return path_ + "/data"; }
  Status lock();
  Status take_metas(std::vector<SalvageEvent>& events);
  Status guess_page_size(std::vector<SalvageEvent>& events);
  Status note_log_identity();
  std::optional<SalvageBase> base_of(const Meta& meta);
  bool log_follows(const Meta& meta);
  Result<std::uint64_t> measure(const Root& root);
  Result<std::optional<wal::Lsn>> place_of(const Root& root);
  Result<std::optional<SalvageBase>> find_by_pages(TxnNumber above);
  Result<std::optional<SalvageBase>> whole_archive(wal::Lsn at_least);

  io::Disk& disk_;
  std::string path_;
  std::unique_ptr<io::File> data_;  // null: there is none
  std::uint64_t file_bytes_ = 0;
  std::uint32_t page_size_ = 0;
  bool archive_ = false;
  std::vector<Meta> metas_;  // the good ones, newest first
  bool meta_lost_ = false;   // one that was written can't be used
  wal::DatabaseId id_{};
  std::optional<std::vector<StrayNode>> strays_;
  std::vector<std::unique_ptr<PageMap>> maps_;
};

}  // namespace quire
