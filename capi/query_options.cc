#include "capi/query_options.h"

namespace quire::capi {
namespace {

std::string_view text_or_none(const char* text) noexcept {
  return text != nullptr ? std::string_view(text) : std::string_view();
}

}  // namespace

int QueryOptions::read_arguments(const quire_query_options& options) {
  if (options.arguments == nullptr && options.argument_count != 0)
    return report(QUIRE_ERR_INVALID, "arguments is NULL and argument_count is not 0");
  for (std::size_t i = 0; i < options.argument_count; ++i) {
    const auto value = value_of(options.arguments[i]);
    if (!value) return report(value.error().with_context("argument " + std::to_string(i + 1)));
    if (options.argument_names == nullptr) {
      arguments_.push_back(*value);
    } else if (options.argument_names[i] == nullptr) {
      return report(QUIRE_ERR_INVALID, "the name of an argument is NULL");
    } else {
      named_.push_back({options.argument_names[i], *value});
    }
  }
  request_.arguments = {arguments_.data(), arguments_.size()};
  request_.named = {named_.data(), named_.size()};
  return QUIRE_OK;
}

int QueryOptions::read(const quire_query_options* given, const char* what) {
  static constexpr quire_query_options kInitial = QUIRE_QUERY_OPTIONS_INIT;
  quire_query_options options;
  if (given == nullptr) given = &kInitial;
  if (const int code = read_options(given, options, what); code != QUIRE_OK) return code;
  constexpr std::uint32_t kFlags = QUIRE_QUERY_DISTINCT | QUIRE_QUERY_NO_INDEX;
  if ((options.flags & ~kFlags) != 0 || options.reserved != 0)
    return report(fail(ErrorCode::kInvalid, "%s: flags has bits that mean nothing", what).error());
  if (options.token == nullptr && options.token_size != 0)
    return report(QUIRE_ERR_INVALID, "token is NULL and token_size is not 0");
  request_.filter = text_or_none(options.filter);
  request_.select = text_or_none(options.select);
  request_.group = text_or_none(options.group);
  request_.order = text_or_none(options.order);
  request_.index = text_or_none(options.index);
  request_.distinct = (options.flags & QUIRE_QUERY_DISTINCT) != 0;
  request_.no_index = (options.flags & QUIRE_QUERY_NO_INDEX) != 0;
  if (request_.no_index && !request_.index.empty())
    return report(QUIRE_ERR_INVALID, "an index is asked for, and QUIRE_QUERY_NO_INDEX");
  request_.limit = options.limit;
  request_.offset = options.offset;
  request_.token = bytes_of(options.token, options.token_size);
  request_.limits = {.time_us = options.budget_us,
                     .records = options.budget_entries,
                     .memory_bytes = options.budget_bytes};
  return read_arguments(options);
}

}  // namespace quire::capi
