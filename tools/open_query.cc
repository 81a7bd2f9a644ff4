#include "tools/open_query.h"

#include "tools/text_codec.h"

namespace quire::tools {

OpenQuery::OpenQuery(const Transaction& txn, const Collection& collection,
                     const QueryRequest& request) {
  require(quire_query_open(txn.handle(), collection.id(), &request.options(), &query_));
  std::size_t count = 0;
  require(quire_query_column_count(query_, &count));
  for (std::size_t i = 0; i < count; ++i) {
    const char* name = nullptr;
    std::uint32_t type = 0;
    require(quire_query_column(query_, i, &name, &type));
    Field& field = columns_.fields.emplace_back();
    field.name = name;
    field.type = static_cast<quire_type>(type);
  }
  row_.resize(count);
}

const std::vector<Value>* OpenQuery::next() {
  const int code = quire_query_next(query_, row_.data(), row_.size());
  return require_or(code, QUIRE_ERR_NOT_FOUND) ? &row_ : nullptr;
}

std::string OpenQuery::token() const {
  std::string token(64, '\0');
  for (;;) {
    std::size_t size = token.size();
    const int code = quire_query_token(query_, token.data(), &size);
    token.resize(size);
    if (code == QUIRE_ERR_NOT_SUPPORTED) return "";
    if (require_or(code, QUIRE_ERR_VALUE_SIZE)) return to_hex(token);
  }
}

std::string OpenQuery::explain() const {
  char* json = nullptr;
  require(quire_query_explain(query_, &json));
  std::string text = json;
  quire_free(json);
  return text;
}

}  // namespace quire::tools
