// A read transaction: one committed state, for as long as it is open.
#pragma once

#include <boost/container/small_vector.hpp>

#include "engine/txn/attachment.h"
#include "engine/txn/catalog.h"

namespace quire {

// One thread at a time. Holds a reader slot from construction to end; what it lends is good
// between.
class Snapshot final : public View {
 public:
  // `slot` may be null where nobody can write (a process that keeps writers out).
  Snapshot(ReaderSlot* slot, const Root& root, PageReader reader)
      : slot_(slot), root_(root), reader_(reader) {}
  ~Snapshot() override {
    if (slot_ != nullptr) Attachment::unregister(*slot_);
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const Root& root() const noexcept { return root_; }
  ReaderSlot* slot() const noexcept { return slot_; }
  // The slot to give back at the end; before there is a state.
  void hold(ReaderSlot* slot) noexcept { slot_ = slot; }
  // Takes the place of the state before; the slot has been registered again by the caller.
  void renew(const Root& root, PageReader reader) {
    root_ = root;
    reader_ = reader;
    known_.clear();
  }
  // In a forked child the slot is the parent's.
  void abandon() noexcept { slot_ = nullptr; }

  PageReader& reader() noexcept override { return reader_; }
  Result<TreeRoot> tree_root(StructureId id) override {
    QUIRE_TRY(const CatalogEntry* entry, entry_of(id));
    if (entry->kind != StructureKind::kTree)
      return fail(ErrorCode::kType, "structure %u is not a tree", id);
    return entry->tree(id);
  }
  Result<ArrayRoot> array_root(StructureId id) override {
    QUIRE_TRY(const CatalogEntry* entry, entry_of(id));
    if (entry->kind != StructureKind::kArray)
      return fail(ErrorCode::kType, "structure %u is not an array", id);
    return entry->array(id);
  }
  TreeRoot catalog_root() const noexcept override { return root_.catalog_tree(); }
  std::uint64_t tree_version(StructureId) noexcept override { return 0; }

 protected:
  Result<std::uint16_t> structure_flags(StructureId id) override {
    QUIRE_TRY(const CatalogEntry* entry, entry_of(id));
    return entry->flags;
  }

 private:
  Result<const CatalogEntry*> entry_of(StructureId id) {
    for (const auto& [known, entry] : known_) {
      if (known == id) return &entry;
    }
    QUIRE_TRY(const CatalogEntry entry, load_entry(id));
    known_.emplace_back(id, entry);
    return &known_.back().second;
  }

  ReaderSlot* slot_;
  Root root_;
  PageReader reader_;
  boost::container::small_vector<std::pair<StructureId, CatalogEntry>, 4> known_;
};

}  // namespace quire
