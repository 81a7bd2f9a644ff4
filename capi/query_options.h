// Options of a query as the caller gives them, as the engine takes them.
#pragma once

#include <boost/container/small_vector.hpp>

#include "capi/handles.h"

namespace quire::capi {

// Borrows what the options borrow. Not copied: the request points into it.
class QueryOptions {
 public:
  QueryOptions() = default;
  QueryOptions(const QueryOptions&) = delete;
  QueryOptions& operator=(const QueryOptions&) = delete;

  // `given` may be NULL. `what`: the function that was called, for messages. A code.
  int read(const quire_query_options* given, const char* what);
  QueryRequest& request() noexcept { return request_; }

 private:
  int read_arguments(const quire_query_options& options);

  QueryRequest request_;
  boost::container::small_vector<Value, 8> arguments_;
  boost::container::small_vector<Argument, 8> named_;
};

}  // namespace quire::capi
