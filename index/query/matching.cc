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

Result<Matching> matching_records(View& view, const Collection& collection, QueryRequest request) {
  if (!request.group.empty() || request.distinct)
    return fail(ErrorCode::kNotSupported, "query: its rows are groups, not records");
  const std::string key = field_of_key(collection.schema());
  request.select = key;
  request.as_set = true;
  Matching matching;
  QUIRE_TRY(matching.numbers, no_numbers(view, collection));
  QUIRE_TRY(const auto query, Query::open(view, collection, request));
  QUIRE_CHECK(query->add_numbers(matching.numbers));
  matching.steady = !query->prepared()->filter->uses_now();
  return matching;
}

}  // namespace quire::query
