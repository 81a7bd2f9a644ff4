#include "index/query/matching.h"

#include "index/filter/lexer.h"

namespace quire::query {

std::string field_of_key(const Schema& schema) {
  const std::string& name = schema.field(schema.key()[0]).name;
  if (filter::is_plain_name(name)) return name;
  std::string text = "\"";
  for (const char c : name) text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

Result<NumberSet> matching_records(View& view, const Collection& collection, QueryRequest request) {
  if (!request.group.empty() || request.distinct)
    return fail(ErrorCode::kNotSupported, "query: its rows are groups, not records");
  const std::string key = field_of_key(collection.schema());
  request.select = key;
  QUIRE_TRY(NumberSet numbers, no_numbers(view, collection));
  QUIRE_TRY(const auto query, Query::open(view, collection, request));
  while (true) {
    QUIRE_TRY(const bool there, query->next());
    if (!there) return numbers;
    const std::optional<RecordNumber> number = query->number();
    if (!number || *number >= numbers.size)
      return collection.failure(ErrorCode::kCorrupt, "has a record with a number it did not give");
    numbers.add(*number);
  }
}

}  // namespace quire::query
