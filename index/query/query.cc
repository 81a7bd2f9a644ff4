#include "index/query/query.h"

#include <algorithm>
#include <chrono>

#include "engine/base/checksum.h"

namespace quire {

using query::kAll;

namespace {

std::int64_t now_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

// Everything that decides which records come in which order, arguments included.
std::uint64_t asked_of(const query::PreparedQuery& prepared, const BoundFilter& filter) {
  ByteVector bytes;
  ByteWriter writer(bytes);
  for (const OwnedValue& argument : filter.arguments()) argument.encode(writer);
  return checksum64(bytes, prepared.asked);
}

// Bytes that rows, groups and sets of an idle query may have taken.
constexpr std::uint64_t kIdleMemory = std::uint64_t{64} << 10;

std::uint64_t sum_or_all(std::uint64_t a, std::uint64_t b) noexcept {
  return a > kAll - b ? kAll : a + b;
}

}  // namespace

Query::Query(Collection collection, std::shared_ptr<const query::PreparedQuery> prepared,
             std::uint64_t hash)
    : collection_(std::move(collection)),
      prepared_(std::move(prepared)),
      hash_(hash),
      values_(prepared_->columns.size()) {
  if (!prepared_->grouping) memory_.resize(values_.size());
}

Result<std::unique_ptr<Query>> Query::open(View& view, Collection collection,
                                           const QueryRequest& request) {
  QUIRE_TRY(auto prepared, query::PreparedQuery::make(collection, request.text()));
  auto query = std::make_unique<Query>(std::move(collection), std::move(prepared));
  QUIRE_CHECK(query->ask(view, request));
  return query;
}

Status Query::ask(View& view, const QueryRequest& request) {
  forget();
  view_ = &view;
  budget_ = query::Budget(request.limits);
  limit_ = request.limit;
  offset_ = request.offset;
  QUIRE_CHECK(bind(request));
  return choose_plan(request);
}

void Query::forget() noexcept {
  reader_.reset();
  from_.reset();
  started_ = false;
  sorted_.clear();
  ordered_groups_.reset();
  groups_.clear();
  whole_ = false;
  at_ = 0;
  given_ = 0;
  number_.reset();
}

bool Query::rest() noexcept {
  forget();
  view_ = nullptr;
  // Of what a large question grew to.
  return budget_.figures().memory_bytes <= kIdleMemory;
}

// ---------------------------------------------------------------- preparation

Status Query::bind_filter(const QueryRequest& request, std::optional<std::int64_t> now) {
  const Arguments arguments =
      request.named.empty() ? Arguments(request.arguments) : Arguments(request.named);
  if (filter_) return filter_->bind_again(arguments, now);
  auto bound = prepared_->filter->bind(arguments, now);
  if (!bound) return std::unexpected(bound.error());
  filter_ = *std::move(bound);
  return {};
}

Status Query::bind(const QueryRequest& request) {
  std::optional<std::int64_t> now;
  if (!request.token.empty()) {
    QUIRE_TRY(from_, query::Token::decode(request.token));
    now = from_->now;
  } else if (prepared_->filter->uses_now()) {
    now = now_us();
  }
  now_ = now.value_or(0);
  QUIRE_CHECK(bind_filter(request, now));
  if (!steady_) find_conditions();
  if (!from_ || from_->asked == asked_of(*prepared_, *filter_)) return {};
  return fail(ErrorCode::kInvalid, "query: the token is of another query");
}

// Most are nodes of the filter, whatever it is bound to.
void Query::find_conditions() {
  conditions_.clear();
  never_ = false;
  query::take_apart(*filter_, filter_->root(), false, conditions_);
  steady_ = std::ranges::none_of(conditions_, [&](const query::Condition& condition) {
    const filter::Node& node = *condition.node;
    const bool by_items = node.kind == filter::Kind::kHas && node.every;
    return by_items || filter_->constant(node) != nullptr;
  });
  settle_constants();
}

// Conditions without a field are true of every record, or of none.
void Query::settle_constants() {
  std::erase_if(conditions_, [&](const query::Condition& condition) {
    const Value* constant = filter_->constant(*condition.node);
    if (constant == nullptr) return false;
    const bool holds = constant->type == FieldType::kBool && constant->boolean != condition.negated;
    never_ = never_ || !holds;
    return holds;
  });
}

void Query::want(const QueryRequest& request) {
  const bool groups = prepared_->grouping.has_value();
  wanted_.filter = &*filter_;
  wanted_.conditions = conditions_;
  wanted_.fields = prepared_->fields;
  wanted_.order = groups ? std::span<const query::OrderTerm>(prepared_->grouping->terms)
                         : std::span<const query::OrderTerm>(prepared_->order);
  wanted_.keys = !groups;
  wanted_.rows = groups ? kAll : sum_or_all(limit_, from_ ? 0 : offset_);
  index_ = request.index;
  wanted_.index = index_;
  wanted_.no_index = request.no_index;
  // Which records they are depends on the order only where some are left out.
  wanted_.as_set = request.as_set && !groups && limit_ == kAll && offset_ == 0 && !from_;
  if (wanted_.as_set) {
    wanted_.fields = {};
    wanted_.order = {};
    wanted_.keys = false;
  }
  wanted_.tree = from_ ? from_->tree : 0;
  wanted_.by_number = from_ && from_->kind == query::Token::Kind::kNumbers;
}

// The plan of what was asked before, where it is as good now.
Result<bool> Query::plan_again(const QueryRequest& request) {
  const bool same = planned_ && !from_ && index_ == request.index &&
                    wanted_.no_index == request.no_index && !wanted_.as_set && !request.as_set;
  want(request);
  if (!same) return false;
  // The ends of a range cost the same, however many entries it has.
  const bool ends =
      plan_.alone && plan_.exact() && prepared_->grouping && prepared_->grouping->ends_only();
  return query::renew_plan(*view_, collection_, wanted_, !ends, plan_);
}

Status Query::choose_plan(const QueryRequest& request) {
  QUIRE_TRY(const bool again, plan_again(request));
  planned_ = false;
  if (from_ && prepared_->grouping)
    return fail(ErrorCode::kNotSupported, "query: groups can't go on from a token");
  if (never_) {
    plan_ = {};
    plan_.nothing = true;
    return {};
  }
  if (!again) {
    QUIRE_TRY(plan_, query::make_plan(*view_, collection_, wanted_));
  }
  planned_ = !from_;
  // The caller asks until there is no more: here that is known without a look.
  if (plan_.one() && !prepared_->grouping) limit_ = std::min<std::uint64_t>(limit_, 1);
  const bool sorts = from_ && from_->kind == query::Token::Kind::kSorted;
  if (from_ && !plan_.nothing && sorts == plan_.ordered)
    return fail(ErrorCode::kConflict,
                "query: it can't go on where the token says: the way to its "
                "records is another one now");
  return {};
}

// ---------------------------------------------------------------- records

Status Query::start() {
  started_ = true;
  version_ = view_->tree_version(collection_.id());
  return prepared_->grouping ? start_groups() : start_records();
}

Status Query::start_records() {
  QUIRE_CHECK(stream_.begin(*view_, collection_, wanted_, plan_, budget_));
  if (!plan_.ordered) return sort_records();
  if (from_) {
    stream_.resume(as_bytes(std::string_view(from_->position)));
    return {};
  }
  if (plan_.exact()) {
    const auto skipped = stream_.skip(offset_);
    return skipped ? Status() : std::unexpected(skipped.error());
  }
  for (std::uint64_t i = 0; i < offset_; ++i) {
    QUIRE_TRY(const bool there, stream_.next());
    if (!there) break;
  }
  return {};
}

Status Query::sort_records() {
  query::Sorter sorter(wanted_.rows, budget_);
  const std::string_view behind = from_ ? std::string_view(from_->position) : std::string_view();
  EncodedKey key;
  OwnedValue memory;
  while (true) {
    QUIRE_TRY(const bool there, stream_.next());
    if (!there) break;
    key.clear();
    for (const query::OrderTerm& term : prepared_->order)
      query::append_term(term.form, term.term.value(stream_.fields(), memory), key);
    std::byte number[8];
    store_be(number, stream_.number());
    key += as_text(number);
    if (from_ && key <= behind) continue;
    QUIRE_CHECK(sorter.add(key, as_text(stream_.primary_key())));
  }
  sorted_ = sorter.take();
  at_ = from_ ? 0 : std::min<std::uint64_t>(offset_, sorted_.size());
  return {};
}

Status Query::fill_record(const FieldSource& fields) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const query::Term& term = *prepared_->select[i].term;
    values_[i] =
        term.field != filter::kNone ? fields.value(term.field) : term.value(fields, memory_[i]);
    if (!is_vector(values_[i].type)) [[likely]]
      continue;
    if (!reader_) reader_.emplace(*view_, collection_);
    const std::size_t place = collection_.schema().vector_place(term.field);
    QUIRE_TRY(values_[i].vector, reader_->vector(place, *number_));
  }
  return {};
}

Result<bool> Query::next_record() {
  QUIRE_TRY(const bool there, stream_.next());
  if (!there) return false;
  number_ = stream_.number();
  primary_key_ = as_text(stream_.primary_key());
  position_ = as_text(stream_.position());
  QUIRE_CHECK(fill_record(stream_.fields()));
  return true;
}

// False where a write transaction has taken the record away since.
Result<bool> Query::read_sorted(const query::Sorter::Row& row) {
  primary_key_ = row.data;
  position_ = row.order;
  QUIRE_TRY(const TreeRoot root, view_->tree_root(collection_.id()));
  QUIRE_TRY(const auto bytes,
            tree_get(view_->reader(), root, as_bytes(std::string_view(row.data))));
  const bool changed = view_->tree_version(collection_.id()) != version_;
  if (!bytes) {
    if (changed) return false;
    return collection_.failure(ErrorCode::kCorrupt, "a record that was just read is not there");
  }
  auto view = RowView::parse(collection_.schema(), *bytes);
  if (!view) return collection_.failure(view.error().code(), view.error().message());
  const RowSource fields(*view);
  if (changed && !filter_->matches(fields)) return false;
  number_ = view->number();
  QUIRE_CHECK(fill_record(fields));
  return true;
}

Result<bool> Query::next_sorted() {
  while (at_ < sorted_.size()) {
    QUIRE_TRY(const bool there, read_sorted(sorted_[at_++]));
    if (there) return true;
  }
  return false;
}

Result<bool> Query::next() {
  if (!started_) QUIRE_CHECK(start());
  if (given_ == limit_) return false;
  auto there = prepared_->grouping ? next_group() : plan_.ordered ? next_record() : next_sorted();
  if (!there || !*there) return there;
  ++given_;
  ++budget_.figures().given;
  return true;
}

Status Query::add_numbers(NumberSet& numbers) {
  const auto add = [&](std::optional<RecordNumber> number) -> Status {
    if (!number || *number >= numbers.size)
      return collection_.failure(ErrorCode::kCorrupt, "has a record with a number it did not give");
    numbers.add(*number);
    return {};
  };
  if (wanted_.as_set && !started_) QUIRE_CHECK(start());
  while (true) {
    QUIRE_TRY(const bool there, wanted_.as_set ? stream_.next() : next());
    if (!there) return {};
    QUIRE_CHECK(add(wanted_.as_set ? stream_.number() : number()));
  }
}

Result<ByteVector> Query::token() const {
  if (prepared_->grouping) return fail(ErrorCode::kNotSupported, "query: groups have no token");
  if (given_ == 0)
    return fail(ErrorCode::kInvalid, "query: it has given no row yet that a token could be behind");
  query::Token token;
  token.asked = asked_of(*prepared_, *filter_);
  token.now = now_;
  token.position = position_;
  if (!plan_.ordered) {
    token.kind = query::Token::Kind::kSorted;
  } else if (plan_.by_number) {
    token.kind = query::Token::Kind::kNumbers;
  } else {
    token.tree = plan_.path.tree;
  }
  return token.encode();
}

}  // namespace quire
