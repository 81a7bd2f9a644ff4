// A query as the command line asks for it, in the form of the C interface.
#pragma once

#include <quire/quire.hpp>

#include <deque>
#include <string>
#include <vector>

#include "tools/arguments.h"
#include "tools/owned_value.h"

namespace quire::tools {

// Owns all that options() borrows but the arguments themselves, which must outlive it.
class QueryRequest {
 public:
  // `filter`: empty where all records are meant. Throws Failure for arguments that are no values.
  QueryRequest(const Arguments& arguments, const std::string& filter);
  QueryRequest(const QueryRequest&) = delete;
  QueryRequest& operator=(const QueryRequest&) = delete;

  const quire_query_options& options() const { return options_; }

 private:
  void add_arguments(const Arguments& arguments);
  void add_token(const std::string& token);

  std::string filter_, token_;
  std::deque<OwnedValue> owned_;
  std::vector<Value> values_;
  std::deque<std::string> names_;
  std::vector<const char*> name_pointers_;
  quire_query_options options_ = QUIRE_QUERY_OPTIONS_INIT;
};

// The value of an argument: JSON, x'00ff', else a text. Throws Failure.
void argument_value(const std::string& text, OwnedValue* owned);

}  // namespace quire::tools
