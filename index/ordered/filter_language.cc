#include "index/ordered/filter_language.h"

#include <algorithm>

#include "index/filter/filter.h"

namespace quire {
namespace {

std::string name_of_id(const Field& field) { return "#" + std::to_string(field.id); }

// The same fields, each called by its id.
Result<Schema> by_ids(const Schema& schema) {
  std::vector<Field> fields(schema.fields().begin(), schema.fields().end());
  for (Field& field : fields) field.name = name_of_id(field);
  const std::vector<std::size_t> key(schema.key().begin(), schema.key().end());
  return Schema::make(std::move(fields), key);
}

// Calls the fields of a tree what `name` calls them.
template <class Name>
void rename(filter::Node& node, const Name& name) {
  if (node.field != filter::kNone) node.name = name(node.field);
  for (filter::Node& child : node.children) rename(child, name);
}

class Partial final : public PartialFilter {
 public:
  Partial(const Schema& schema, const Filter& filter, BoundFilter bound)
      : fields_(filter.fields().begin(), filter.fields().end()),
        bound_(std::move(bound)),
        tree_(filter.root()) {
    rename(tree_, [&](std::uint32_t field) { return schema.field(field).name; });
  }
  bool matches(const RowView& row) const override { return bound_.matches(RowSource(row)); }
  bool covers(std::size_t field) const noexcept override {
    return std::ranges::binary_search(fields_, field);
  }
  const filter::Node* tree() const noexcept override { return &tree_; }

 private:
  std::vector<std::uint32_t> fields_;
  BoundFilter bound_;
  filter::Node tree_;
};

class Language final : public FilterLanguage {
 public:
  Result<ByteVector> resolve(const Schema& schema, std::string_view text) const override {
    QUIRE_TRY(const Filter filter, Filter::prepare(text, schema));
    if (!filter.parameters().empty())
      return fail(ErrorCode::kInvalid, "the filter of an index can't have parameters");
    if (filter.uses_now())
      return fail(ErrorCode::kInvalid, "the filter of an index can't depend on now()");
    QUIRE_CHECK(filter.bind());
    filter::Node root = filter.root();
    rename(root, [&](std::uint32_t field) { return name_of_id(schema.field(field)); });
    const std::string stored = filter::to_text(root);
    // It may be longer than what was given.
    QUIRE_TRY(const Schema ids, by_ids(schema));
    QUIRE_CHECK(Filter::prepare(stored, ids));
    return to_vector(as_bytes(std::string_view(stored)));
  }

  std::string describe(const Schema& schema, Bytes stored) const override {
    const auto filter = prepare(schema, stored);
    if (!filter) return {};
    filter::Node root = filter->root();
    rename(root, [&](std::uint32_t field) { return schema.field(field).name; });
    return filter::to_text(root);
  }

  Result<std::unique_ptr<const PartialFilter>> bind(const Schema& schema,
                                                    Bytes stored) const override {
    QUIRE_TRY(const Filter filter, prepare(schema, stored));
    auto bound = filter.bind();
    if (!bound) return fail(ErrorCode::kCorrupt, "%s", bound.error().message().c_str());
    return std::make_unique<const Partial>(schema, filter, *std::move(bound));
  }

 private:
  static Result<Filter> prepare(const Schema& schema, Bytes stored) {
    QUIRE_TRY(const Schema ids, by_ids(schema));
    auto filter = Filter::prepare(as_text(stored), ids);
    if (!filter) return fail(ErrorCode::kCorrupt, "%s", filter.error().message().c_str());
    return filter;
  }
};

}  // namespace

const FilterLanguage& filter_language() noexcept {
  static const Language language;
  return language;
}

}  // namespace quire
