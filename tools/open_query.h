// A query that is open, with its columns as the printing of rows takes them.
#pragma once

#include <quire/quire.hpp>

#include <string>
#include <vector>

#include "tools/query_request.h"
#include "tools/schema.h"

namespace quire::tools {

class OpenQuery {
 public:
  OpenQuery(const Collection& collection, const QueryRequest& request);

  // Its columns, as fields without a key.
  const Schema& columns() const { return columns_; }
  // The next row; null at the end.
  const std::vector<Value>* next() { return query_.next(); }
  // Where a later query goes on behind the row, in hexadecimal; empty where rows are groups.
  std::string token() const;
  // JSON.
  std::string explain() const { return query_.explain(); }

 private:
  Query query_;
  Schema columns_;
};

}  // namespace quire::tools
