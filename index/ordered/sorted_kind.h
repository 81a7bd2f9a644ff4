// The kind of index `sorted`: what people call sorted, unique and composite indexes.
// docs/indexes.md has what it is to its user; sorted_options.h its options; entry_key.h and entry.h
// its bytes.
#pragma once

#include "engine/record/index.h"
#include "index/ordered/partial_filter.h"
#include "index/ordered/sorted_index.h"

namespace quire {

class SortedKind final : public IndexKind {
 public:
  // Without a language of filters there is no `where`.
  constexpr explicit SortedKind(const FilterLanguage* language = nullptr) noexcept
      : language_(language) {}

  std::string_view name() const noexcept override { return "sorted"; }
  std::span<const IndexOption> options() const noexcept override;
  Result<ByteVector> resolve(const Schema& schema, std::string_view asked) const override;
  std::string describe(const Schema& schema, Bytes options) const override;
  // One tree.
  Result<std::vector<StructureId>> create(WriteTxn& txn, const Schema& schema,
                                          Bytes options) const override;
  Result<std::unique_ptr<const Index>> bind(const Schema& schema,
                                            const IndexDefinition& definition) const override;

 private:
  const FilterLanguage* language_;
};

// The one with the language of index/filter.
const IndexKind& sorted_index_kind() noexcept;

// An index as what it is, or nullptr for one of another kind.
inline const SortedIndex* as_sorted(const Index* index) noexcept {
  return dynamic_cast<const SortedIndex*>(index);
}

}  // namespace quire
