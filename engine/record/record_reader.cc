#include "engine/record/record_reader.h"

#include "engine/record/record_change.h"
#include "engine/record/value_check.h"

namespace quire {

RecordReader::RecordReader(View& view, Collection collection)
    : view_(&view),
      collection_(std::move(collection)),
      vectors_(collection_.schema().vectors().size()) {}

Status RecordReader::check_count(std::size_t values) const {
  if (values <= collection_.schema().size()) return {};
  return collection_.failure(ErrorCode::kInvalid, "asked for " + std::to_string(values) +
                                                      " fields of a record, it has " +
                                                      std::to_string(collection_.schema().size()));
}

Result<bool> RecordReader::get(KeyValues key_values, std::span<Value> values) {
  QUIRE_CHECK(check_count(values.size()));
  EncodedKey key;
  QUIRE_CHECK(make_key(collection_, key_values, max_key_size(view_->reader().page_size()), key));
  QUIRE_TRY(const std::optional<RowView> row, find_row(*view_, collection_, bytes_of(key)));
  if (!row) return false;
  QUIRE_CHECK(read(*row, values));
  return true;
}

Status RecordReader::read(const RowView& row, std::span<Value> values) {
  const Schema& schema = collection_.schema();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = row.value(i);
    if (!is_vector(values[i].type)) continue;
    QUIRE_TRY(values[i].vector, vector(schema.vector_place(i), row.number()));
  }
  return {};
}

Result<Value> RecordReader::read_field(const RowView& row, std::size_t field) {
  const Schema& schema = collection_.schema();
  if (field >= schema.size())
    return collection_.failure(ErrorCode::kInvalid,
                               "there is no field " + std::to_string(field) + " of a record");
  Value value = row.value(field);
  if (is_vector(value.type)) {
    QUIRE_TRY(value.vector, vector(schema.vector_place(field), row.number()));
  }
  return value;
}

Result<const std::byte*> RecordReader::vector(std::size_t place, RecordNumber number) {
  Vectors& vectors = vectors_[place];
  const StructureId id = collection_.definition().vectors[place];
  // Differs each time in a write transaction, whose blocks move; never in a snapshot.
  const std::uint64_t version = view_->tree_version(id);
  if (!vectors.view || vectors.version != version) {
    QUIRE_TRY(const ArrayRoot root, view_->array_root(id));
    vectors.view.emplace(view_->reader(), root);
    vectors.version = version;
  }
  const std::size_t field = collection_.schema().vectors()[place];
  if (vectors.view->element_size() != collection_.schema().field(field).vector_bytes())
    return collection_.field_failure(ErrorCode::kCorrupt, field,
                                     "the array has elements of another size");
  if (number >= vectors.view->size())
    return collection_.field_failure(ErrorCode::kCorrupt, field,
                                     "there is no vector of record " + std::to_string(number));
  const std::byte* bytes = vectors.view->at(number);
  if (bytes == nullptr) return std::unexpected(vectors.view->take_error());
  return bytes;
}

Result<RecordScan> RecordScan::open(RecordReader& reader, std::span<const Value> low,
                                    std::span<const Value> high) {
  RecordScan scan(reader);
  QUIRE_CHECK(make_key_prefix(reader.collection_, low, scan.from_));
  if (!high.empty()) QUIRE_CHECK(make_key_prefix(reader.collection_, high, scan.high_.emplace()));
  return scan;
}

// Places the cursor on the first record that was not shown yet.
Status RecordScan::settle_on_next() {
  View& view = *reader_->view_;
  const std::uint64_t version = view.tree_version(reader_->collection_.id());
  if (started_ && version == version_) return cursor_.next();
  QUIRE_TRY(const TreeRoot primary, view.tree_root(reader_->collection_.id()));
  cursor_.reset(&view.reader(), primary);
  version_ = version;
  if (!started_) {
    started_ = true;
    return from_.empty() ? cursor_.first() : cursor_.seek(bytes_of(from_));
  }
  QUIRE_CHECK(cursor_.seek(bytes_of(last_)));
  if (cursor_.valid() && equal_bytes(cursor_.key(), bytes_of(last_))) return cursor_.next();
  return {};
}

Result<bool> RecordScan::next(std::span<Value> values) {
  QUIRE_CHECK(reader_->check_count(values.size()));
  if (ended_) return false;
  QUIRE_CHECK(settle_on_next());
  if (!cursor_.valid() || (high_ && compare_bytes(cursor_.key(), bytes_of(*high_)) >= 0)) {
    ended_ = true;
    return false;
  }
  QUIRE_TRY(const Bytes bytes, cursor_.value());
  auto row = RowView::parse(reader_->collection_.schema(), bytes);
  if (!row) return reader_->collection_.failure(row.error().code(), row.error().message());
  if (version_ != 0) {  // a write transaction's: the tree may change before the next call
    last_ = as_text(cursor_.key());
  }
  QUIRE_CHECK(reader_->read(*row, values));
  return true;
}

}  // namespace quire
