// A query that is open, closed with its scope.
#pragma once

#include <quire/quire.hpp>

#include <string>
#include <vector>

#include "tools/query_request.h"
#include "tools/schema.h"

namespace quire::tools {

class OpenQuery {
 public:
  OpenQuery(const Transaction& txn, const Collection& collection, const QueryRequest& request);
  ~OpenQuery() { quire_query_close(query_); }
  OpenQuery(const OpenQuery&) = delete;
  OpenQuery& operator=(const OpenQuery&) = delete;

  // Its columns, as fields without a key.
  const Schema& columns() const { return columns_; }
  // The next row; null at the end.
  const std::vector<Value>* next();
  // Where a later query goes on behind the row, in hexadecimal; empty where rows are groups.
  std::string token() const;
  // JSON.
  std::string explain() const;

 private:
  quire_query* query_ = nullptr;
  Schema columns_;
  std::vector<Value> row_;
};

}  // namespace quire::tools
