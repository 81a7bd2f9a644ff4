#include "tools/vector_source.h"

#include "tools/failure.h"
#include "tools/schema.h"

namespace quire::tools {
namespace {

// Of u8 not kI8, whatever the first rows have: a later one may be over 127.
VectorKind vector_kind_of(Element element) {
  switch (element) {
    case Element::kF16:
      return VectorKind::kF16;
    case Element::kI8:
      return VectorKind::kI8;
    default:
      return VectorKind::kF32;
  }
}

}  // namespace

VectorNames parse_vector_names(const std::string& option) {
  const std::vector<std::string> names = split_names(option);
  bool good = names.size() == 1 || (names.size() == 2 && names[0] != names[1]);
  for (const std::string& name : names) good = good && !name.empty();
  if (good && names.size() == 1) return {"", names[0]};
  if (good) return {names[0], names[1]};
  throw Failure("--vector-fields is ID,VECTOR (two names), or VECTOR (no id), not '" + option +
                "'");
}

ReadStatus VectorSource::next(Record* record, std::string* reason) {
  const ReadStatus status = reader_->next(&row_, reason);
  record->line = row_.number;
  if (status != ReadStatus::kRecord) return status;
  record->fields.resize(names_.id.empty() ? 1 : 2);
  if (!names_.id.empty()) {
    NamedCell& id = record->fields[0];
    record->source = std::to_string(row_.id);
    id.name = names_.id;
    id.cell.kind = CellKind::kInteger;
    id.cell.integer = row_.id;
    id.cell.begin = 0;
    id.cell.size = record->source.size();
  }
  NamedCell& vector = record->fields.back();
  vector.name = names_.vector;
  vector.cell.kind = CellKind::kVector;
  vector.cell.vector_kind = vector_kind_of(reader_->element());
  vector.cell.count = row_.numbers.size();
  std::swap(vector.cell.numbers, row_.numbers);
  return ReadStatus::kRecord;
}

std::string VectorSource::place(std::uint64_t line) const {
  return reader_->name() + ", row " + std::to_string(line);
}

std::unique_ptr<VectorSource> make_vector_source(Format format, ByteSource* source,
                                                 VectorNames names, bool check_size) {
  return std::make_unique<VectorSource>(make_vector_reader(format, source, check_size),
                                        std::move(names));
}

}  // namespace quire::tools
