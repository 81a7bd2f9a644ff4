// What is known of a query before its arguments and the state of the database: its texts, read.
#pragma once

#include <memory>
#include <vector>

#include "engine/record/collection.h"
#include "index/query/groups.h"

namespace quire {

struct QueryColumn {
  std::string name;
  FieldType type = FieldType::kNull;  // kNull where only a record tells
};

// Texts of a query. Borrows.
struct QueryText {
  std::string_view filter;  // empty: all records
  std::string_view select;  // empty: all fields
  std::string_view group;
  std::string_view order;
  bool distinct = false;
  bool operator==(const QueryText&) const = default;
};

namespace query {

// Immutable, good for one definition of a collection.
struct PreparedQuery {
  // kInvalid, kNotFound, kType.
  static Result<std::shared_ptr<const PreparedQuery>> make(const Collection& collection,
                                                           const QueryText& text);

  // A column of a row of groups: a value of the group, or what an aggregate told.
  struct GroupColumn {
    bool aggregate = false;
    std::size_t at = 0;
    PartForm form;  // how its values compare
  };
  struct GroupOrder {
    std::size_t column = 0;
    bool descending = false;
  };

  // The texts that it was made of.
  QueryText text() const noexcept {
    return {filter_text, select_text, group_text, order_text, distinct};
  }

  std::string filter_text, select_text, group_text, order_text;
  bool distinct = false;
  std::optional<Filter> filter;
  std::vector<SelectItem> select;
  std::vector<QueryColumn> columns;
  std::vector<OrderTerm> order;      // of records
  std::optional<Grouping> grouping;  // where rows are groups
  std::vector<GroupColumn> group_columns;
  std::vector<GroupOrder> group_order;
  std::vector<std::uint32_t> fields;  // that are selected or calculated with
  std::uint64_t asked = 0;            // hash of what decides which records come in which order

 private:
  Status read(const Collection& collection, const QueryText& text);
  Status read_records(const Schema& schema, const QueryText& text);
  Status read_groups(const Schema& schema, const QueryText& text);
  Status add_group_column(const SelectItem& item);
  Status read_group_order(const Schema& schema, std::string_view order);
  Result<std::size_t> find_column(const SelectItem& item) const;
  void collect_fields();
};

}  // namespace query
}  // namespace quire
