#include "index/ordered/sorted_kind.h"

#include <array>

#include "index/ordered/filter_language.h"

namespace quire {
namespace {

constexpr std::array<IndexOption, 5> kOptions = {{
    {"fields", "fields", "", "the parts of the key: name, -name, name[], name.key"},
    {"unique", "bool", "false", "whether no two records may have the same key"},
    {"collation", "text", "bytes", "how texts compare: bytes or ascii_nocase"},
    {"covering", "fields", "[]", "fields whose values the index has too"},
    {"where", "filter", "", "only records that match are in the index"},
}};

}  // namespace

const IndexKind& sorted_index_kind() noexcept {
  static const SortedKind kind(&filter_language());
  return kind;
}

std::span<const IndexOption> SortedKind::options() const noexcept { return kOptions; }

Result<ByteVector> SortedKind::resolve(const Schema& schema, std::string_view asked) const {
  QUIRE_TRY(const SortedOptions options, parse_sorted_options(schema, asked, language_));
  return options.encode();
}

std::string SortedKind::describe(const Schema& schema, Bytes bytes) const {
  const auto options = SortedOptions::decode(bytes);
  return options ? describe_sorted_options(schema, *options, language_) : "{}";
}

Result<std::vector<StructureId>> SortedKind::create(WriteTxn& txn, const Schema& /*schema*/,
                                                    Bytes /*options*/) const {
  QUIRE_TRY(const StructureId tree, txn.create_tree());
  return std::vector{tree};
}

Result<std::unique_ptr<const Index>> SortedKind::bind(const Schema& schema,
                                                      const IndexDefinition& definition) const {
  if (definition.structures.size() != 1)
    return fail(ErrorCode::kCorrupt, "a sorted index has one tree, not %zu structures",
                definition.structures.size());
  QUIRE_TRY(SortedForm form, SortedForm::bind(schema, definition.options, language_));
  return std::make_unique<const SortedIndex>(definition.name, definition.structures[0],
                                             std::move(form));
}

}  // namespace quire
