// Queries: which records, which values of them, in which order.
//
// docs/queries.md is the manual. condition.h takes a filter apart, access_path.h and record_set.h
// are ways to records, plan.h chooses, stream.h follows; groups.h and sorter.h make of it what was
// asked for.
#pragma once

#include "engine/record/numbers.h"
#include "engine/record/record_reader.h"
#include "index/query/prepared_query.h"
#include "index/query/sorter.h"
#include "index/query/token.h"

namespace quire {

struct QueryRequest {
  std::string_view filter;  // empty: all records
  std::span<const Value> arguments;
  std::span<const Argument> named;  // instead of these, for parameters with names
  std::string_view select;          // empty: all fields
  std::string_view group;
  std::string_view order;
  bool distinct = false;
  std::uint64_t limit = query::kAll;
  std::uint64_t offset = 0;
  Bytes token;             // of a query that asked for the same: goes on behind its last row
  std::string_view index;  // only by this one
  bool no_index = false;   // by none
  bool as_set = false;     // numbers of records alone, by add_numbers()
  query::Limits limits;

  QueryText text() const noexcept { return {filter, select, group, order, distinct}; }
};

// One thread. The view outlives what it is asked; a snapshot that is renewed ends it. Values are
// good until the next call.
//
// It may be asked again, of another view and with other arguments: so it needs no new memory, and
// often no new plan.
class Query {
 public:
  // Of a text that was read for this collection. `hash`: for the cache.
  Query(Collection collection, std::shared_ptr<const query::PreparedQuery> prepared,
        std::uint64_t hash = 0);
  // Of one that was not asked before: kInvalid, kNotFound and kType for its texts, and as ask().
  static Result<std::unique_ptr<Query>> open(View& view, Collection collection,
                                             const QueryRequest& request);

  // Begins anew. The texts of the request are those it was made of. kInvalid, kNotFound, kType and
  // kConflict, naming what is wrong.
  Status ask(View& view, const QueryRequest& request);
  // Ends what was asked. Whether it is worth to be kept: it holds little memory.
  bool rest() noexcept;
  // Whether it asks this of the collection, as that is defined now.
  bool is_of(const Collection& collection, const QueryText& text) const noexcept {
    return &collection_.definition() == &collection.definition() && prepared_->text() == text;
  }
  const std::shared_ptr<const query::PreparedQuery>& prepared() const noexcept { return prepared_; }
  std::uint64_t hash() const noexcept { return hash_; }

  std::span<const QueryColumn> columns() const noexcept { return prepared_->columns; }
  // The next row. False at the end. kBudget.
  Result<bool> next();
  // Instead of that, of a request as_set: the numbers of all records, in the order that costs
  // least. O(entries read), rows only where a condition needs them.
  Status add_numbers(NumberSet& numbers);
  std::span<const Value> values() const noexcept { return values_; }
  // Of the record that is the row: nothing where rows are groups.
  std::optional<RecordNumber> number() const noexcept { return number_; }
  Bytes primary_key() const noexcept { return quire::bytes_of(primary_key_); }
  // Where a later query goes on behind the last row; kNotSupported where rows are groups, and
  // kInvalid where there was no row yet.
  Result<ByteVector> token() const;
  // The plan, and what was done so far, in JSON.
  std::string explain() const;
  const query::Figures& figures() const noexcept { return budget_.figures(); }

 private:
  void forget() noexcept;
  Status bind(const QueryRequest& request);
  Status bind_filter(const QueryRequest& request, std::optional<std::int64_t> now);
  void find_conditions();
  void settle_constants();
  Status choose_plan(const QueryRequest& request);
  void want(const QueryRequest& request);
  Result<bool> plan_again(const QueryRequest& request);

  Status start();
  Status start_records();
  Status start_groups();
  Status sort_groups();
  Result<bool> whole_by_ranks();
  Result<bool> end_of(const query::OrderTerm& term, bool least, OwnedValue& end);
  Result<bool> end_of_range(const query::OrderTerm& term, bool least, OwnedValue& end);
  Result<bool> end_of_order(const query::OrderTerm& term, bool least, OwnedValue& end);
  Status sort_records();
  Result<bool> next_record();
  Result<bool> next_sorted();
  Result<bool> next_group();
  Result<bool> take_group();
  Result<bool> read_sorted(const query::Sorter::Row& row);
  Status fill_record(const FieldSource& fields);
  void fill_group(const query::Group& group);
  Result<std::uint64_t> count_exactly();

  View* view_ = nullptr;
  Collection collection_;
  std::shared_ptr<const query::PreparedQuery> prepared_;
  std::uint64_t hash_;
  std::optional<RecordReader> reader_;  // of vectors; made when one is wanted
  query::Budget budget_;
  std::uint64_t limit_ = query::kAll;
  std::uint64_t offset_ = 0;
  std::int64_t now_ = 0;

  std::optional<BoundFilter> filter_;
  std::vector<query::Condition> conditions_;
  bool steady_ = false;  // these are the same whatever the arguments
  bool never_ = false;   // no record can match
  std::string index_;    // that `wanted_` names
  query::Wanted wanted_;
  query::Plan plan_;
  bool planned_ = false;  // plan_ is of what was asked last, by the same index
  query::RecordStream stream_;
  SortedScan ends_;  // to look at an end of end_range_
  KeyRange end_range_;
  std::optional<query::Token> from_;  // where to go on
  bool started_ = false;
  std::uint64_t version_ = 0;
  std::vector<query::Sorter::Row> sorted_;
  std::unique_ptr<query::OrderedGroups> ordered_groups_;
  std::vector<query::Group> groups_;
  std::size_t at_ = 0;       // in sorted_ or groups_
  std::uint64_t given_ = 0;  // rows

  std::vector<Value> values_;
  std::vector<OwnedValue> memory_;  // of these
  query::Group group_;
  bool whole_ = false;  // it is all there is, and was not taken yet
  std::optional<RecordNumber> number_;
  EncodedKey primary_key_;
  std::string position_;
};

}  // namespace quire
