#include "index/ordered/options_object.h"

#include <algorithm>
#include <new>
#include <vector>

namespace quire {

std::unexpected<Error> refuse_option(std::string_view option, const std::string& words) {
  return std::unexpected(
      Error(ErrorCode::kInvalid, "option '" + std::string(option) + "': " + words));
}

Status for_each_option(
    simdjson::dom::parser& parser, std::string_view asked,
    const std::function<Status(std::string_view name, simdjson::dom::element value)>& take) {
  simdjson::dom::object object;
  const simdjson::error_code error =
      parser.parse(asked.data(), asked.size()).get_object().get(object);
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  if (error != simdjson::SUCCESS)
    return fail(ErrorCode::kInvalid, "the options of an index are an object in JSON");
  std::vector<std::string_view> seen;
  for (const simdjson::dom::key_value_pair pair : object) {
    if (std::ranges::count(seen, pair.key) != 0) return refuse_option(pair.key, "is given twice");
    seen.push_back(pair.key);
    QUIRE_CHECK(take(pair.key, pair.value));
  }
  return {};
}

}  // namespace quire
