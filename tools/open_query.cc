#include "tools/open_query.h"

#include "tools/text_codec.h"

namespace quire::tools {

OpenQuery::OpenQuery(const Collection& collection, const QueryRequest& request)
    : query_(collection.query(&request.options())) {
  for (std::size_t i = 0; i < query_.column_count(); ++i) {
    Field& field = columns_.fields.emplace_back();
    field.name = query_.column_name(i);
    field.type = query_.column_type(i);
  }
}

std::string OpenQuery::token() const {
  try {
    return to_hex(query_.token());
  } catch (const Error& error) {
    if (error.code() != QUIRE_ERR_NOT_SUPPORTED) throw;
    return "";
  }
}

}  // namespace quire::tools
