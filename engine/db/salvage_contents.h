// From the pages of a damaged state into a write transaction of the new database. Internal to
// salvage.
#pragma once

#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/db/salvage_files.h"
#include "engine/db/salvage_ledger.h"
#include "engine/record/row_codec.h"

namespace quire {

// What the catalog of a damaged state still says.
struct SalvagedCatalog {
  std::map<StructureId, CatalogEntry> entries;
  std::map<std::string, NameEntry> names;
  std::map<StructureId, std::map<std::uint32_t, ByteVector>> parts;  // of definitions
  std::uint64_t lost = 0;                                            // entries
};

// One use, one thread.
class ContentsSalvager {
 public:
  ContentsSalvager(DamagedFiles& files, const SalvageBase& base, bool unverified, WriteTxn& txn,
                   std::vector<SalvageEvent>& events)
      : files_(files), base_(base), unverified_(unverified), txn_(txn), events_(events) {}

  // Fills the transaction. Errors are those of the new database, and of memory.
  Result<SalvageTargets> run();
  // Entries of the catalog that are lost: names and places of structures.
  std::uint64_t catalog_lost() const noexcept { return catalog_.lost; }

 private:
  struct Lost {  // elements of an array
    std::uint64_t first;
    std::uint64_t end;
    PagePtr ptr;
    std::string why;
  };
  struct Vectors {  // of one field
    std::optional<ArrayView> view;
    std::vector<Lost> lost;
    std::string why;  // where there is no view
    const Lost* find(std::uint64_t number) const noexcept;
  };
  using OnEntry = std::function<Status(Bytes key, Bytes value)>;

  Status read_catalog();
  Status keep_catalog_entry(Bytes key, Bytes value);
  void adopt_nameless();
  Status salvage_keyspace(const std::string& name, StructureId id);
  Status salvage_collection(const std::string& name, StructureId id);
  Status salvage_records(SalvageTarget& target, StructureId id,
                         const CollectionDefinition& definition);
  Status restore(SalvageTarget& target, std::vector<Vectors>& vectors, Bytes key, Bytes row);
  Status open_vectors(const SalvageTarget& target, const CollectionDefinition& definition,
                      std::vector<Vectors>& vectors);
  Status name_lost_records(SalvageTarget& target, const CollectionDefinition& definition);
  bool owns_number(RecordNumber number, Bytes key);
  // Walks the tree of an id; what can't be read goes to target.lost.
  Status salvage_tree(SalvageTarget& target, StructureId id, const OnEntry& on_entry);
  // Leaves that belong into lost ranges and that no pointer vouches for.
  Status take_strays(SalvageTarget& target, StructureId id, bool catalog,
                     const std::unordered_set<PageNumber>& reached, const OnEntry& on_entry);
  Status take_stray(SalvageTarget& target, const StrayNode& stray, const OnEntry& on_entry);
  LostRange* range_of(SalvageTarget& target, const StrayNode& stray, const NodeView& leaf) const;
  bool is_free(PageNumber page) const;
  std::string free_name(std::string name, StructureId id);
  void lose_whole(const SalvageTarget& target, std::string text, PageNumber page,
                  std::uint64_t entries);
  // "page 7 is damaged (...); page 4 points to it".
  std::string why_lost(const Error& why, std::optional<PageNumber> parent,
                       const char* root_of) const;

  DamagedFiles& files_;
  const SalvageBase& base_;
  const bool unverified_;
  WriteTxn& txn_;
  std::vector<SalvageEvent>& events_;
  PageReader reader_;
  SalvagedCatalog catalog_;
  std::optional<TreeRoot> numbers_;  // of the collection at work
  bool in_stray_ = false;            // the row at work is of a leaf that nothing vouches for
  SalvageTargets targets_;
};

}  // namespace quire
