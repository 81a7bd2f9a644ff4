#include "engine/record/collection_check.h"

#include <algorithm>

#include "engine/record/counters.h"
#include "engine/record/numbers.h"
#include "engine/record/record_reader.h"
#include "engine/record/value_check.h"

namespace quire {
namespace {

class Checker {
 public:
  Checker(View& view, const Collection& collection, const ReportDamage& report)
      : view_(view), collection_(collection), report_(report), reader_(view, collection) {}

  Status run() {
    QUIRE_TRY(const TreeRoot primary, view_.tree_root(collection_.id()));
    QUIRE_TRY(numbers_, view_.tree_root(collection_.definition().numbers));
    QUIRE_TRY(const TreeRoot freed, view_.tree_root(collection_.definition().freed));
    QUIRE_CHECK(each(primary, [this](Bytes key, Bytes row) { return check_record(key, row); }));
    QUIRE_CHECK(
        each(numbers_, [this](Bytes key, Bytes entry) { return check_number(key, entry); }));
    QUIRE_CHECK(each(freed, [this](Bytes key, Bytes) { return check_freed(key); }));
    QUIRE_CHECK(check_counters());
    for (std::size_t i = 0; i < collection_.indexes().size(); ++i) QUIRE_CHECK(check_index(i));
    // Each record has an entry with its key, so as many entries as records are those of the
    // records; and likewise for the free numbers.
    if (in_use_ != primary.count())
      damage(std::to_string(in_use_) + " record numbers are in use by " +
             std::to_string(primary.count()) + " records");
    if (free_ != freed.count())
      damage(std::to_string(free_) + " record numbers are free, " + std::to_string(freed.count()) +
             " are among the free");
    return {};
  }

 private:
  Status each(const TreeRoot& tree, const std::function<Status(Bytes key, Bytes value)>& visit) {
    return check_entries(view_, tree, report_, visit);
  }

  void damage(const std::string& words) {
    report_(collection_.failure(ErrorCode::kCorrupt, words).error());
  }
  std::unexpected<Error> record_damage(Bytes key, const std::string& words) const {
    return collection_.failure(ErrorCode::kCorrupt,
                               "record " + describe_key(collection_.schema(), key) + ": " + words);
  }

  Status check_record(Bytes key, Bytes bytes) {
    const auto row = RowView::parse(collection_.schema(), bytes);
    if (!row) return record_damage(key, row.error().message());
    const Schema& schema = collection_.schema();
    for (std::size_t i = 0; i < schema.size(); ++i) {
      if (is_vector(schema.field(i).type)) continue;
      if (const Status fits = check_value(collection_, i, row->value(i)); !fits)
        return record_damage(key, fits.error().message());
    }
    EncodedKey own;
    encode_key_of(*row, own);
    if (!equal_bytes(bytes_of(own), key))
      return record_damage(key, "the key in its row is another");
    count(*row);
    QUIRE_CHECK(check_own_number(key, *row));
    return check_vectors(key, *row);
  }

  Status check_own_number(Bytes key, const RowView& row) {
    const std::string number = std::to_string(row.number());
    QUIRE_TRY(const std::optional<Bytes> bytes,
              tree_get(view_.reader(), numbers_, NumberKey(row.number())));
    if (!bytes) return record_damage(key, "its number " + number + " was never given");
    QUIRE_TRY(const NumberEntry entry, decode_number_entry(*bytes, row.number()));
    if (!entry.is_of(row, key))
      return record_damage(key, "its number " + number + " is not said to be its own");
    return {};
  }

  Status check_vectors(Bytes key, const RowView& row) {
    const Schema& schema = collection_.schema();
    for (std::size_t place = 0; place < schema.vectors().size(); ++place) {
      const std::uint32_t field = schema.vectors()[place];
      if (row.is_null(field)) continue;
      QUIRE_TRY(const std::byte* elements, reader_.vector(place, row.number()));
      if (const auto wrong = wrong_element(schema.field(field), elements))
        return record_damage(key, "its vector '" + schema.field(field).name + "': " + *wrong);
    }
    return {};
  }

  // A counter is at least what each record has.
  void count(const RowView& row) {
    const std::span<const std::uint32_t> counted = collection_.schema().counted();
    greatest_.resize(counted.size());
    for (std::size_t i = 0; i < counted.size(); ++i) {
      if (!row.is_null(counted[i]))
        greatest_[i] = std::max(greatest_[i], row.value(counted[i]).i64);
    }
  }
  Status check_counters() {
    for (std::size_t i = 0; i < greatest_.size(); ++i) {
      const std::uint32_t field = collection_.schema().counted()[i];
      const auto counter = read_counter(view_, collection_, field);
      if (!counter && counter.error().code() != ErrorCode::kCorrupt)
        return std::unexpected(counter.error());
      if (!counter) {
        report_(counter.error());
      } else if (*counter < greatest_[i]) {
        report_(collection_
                    .field_failure(ErrorCode::kCorrupt, field, "its counter is behind the records")
                    .error());
      }
    }
    return {};
  }

  Status check_index(std::size_t i) {
    const Index* index = collection_.indexes()[i].get();
    const IndexDefinition& definition = collection_.definition().indexes[i];
    if (index == nullptr) return {};  // of a kind that is not known here: its pages were checked
    const std::string who = "index '" + definition.name + "': ";
    const auto tell = [&](const Error& error) { damage(who + error.message()); };
    const Status checked = index->check(view_, collection_, tell);
    if (checked || checked.error().code() != ErrorCode::kCorrupt) return checked;
    tell(checked.error());
    return {};
  }

  Status check_number(Bytes key, Bytes bytes) {
    const RecordNumber number = next_number_++;
    if (!equal_bytes(key, NumberKey(number)))
      return collection_.failure(ErrorCode::kCorrupt,
                                 "there is no entry of record number " + std::to_string(number));
    QUIRE_TRY(const NumberEntry entry, decode_number_entry(bytes, number));
    ++(entry.in_use ? in_use_ : free_);
    return {};
  }

  Status check_freed(Bytes key) {
    QUIRE_TRY(const FreedNumber freed, decode_freed_key(key));
    QUIRE_TRY(const NumberEntry entry, read_number(view_, collection_, freed.number));
    if (!entry.in_use && entry.freed_at == freed.freed_at) return {};
    return collection_.failure(ErrorCode::kCorrupt,
                               "record number " + std::to_string(freed.number) +
                                   " is among the free but " +
                                   (entry.in_use ? "in use" : "was freed at another time"));
  }

  View& view_;
  const Collection& collection_;
  const ReportDamage& report_;
  RecordReader reader_;
  TreeRoot numbers_;
  RecordNumber next_number_ = 0;
  std::vector<std::int64_t> greatest_;  // of each counted field
  std::uint64_t in_use_ = 0;
  std::uint64_t free_ = 0;
};

}  // namespace

Status check_entries(View& view, const TreeRoot& tree, const ReportDamage& report,
                     const std::function<Status(Bytes key, Bytes value)>& visit) {
  TreeCursor cursor(&view.reader(), tree);
  QUIRE_CHECK(cursor.first());
  while (cursor.valid()) {
    QUIRE_TRY(const Bytes value, cursor.value());
    if (Status found = visit(cursor.key(), value); !found) {
      if (found.error().code() != ErrorCode::kCorrupt) return found;
      report(found.error());
    }
    QUIRE_CHECK(cursor.next());
  }
  return {};
}

Status check_collection(View& view, const Collection& collection, const ReportDamage& report) {
  return Checker(view, collection, report).run();
}

}  // namespace quire
