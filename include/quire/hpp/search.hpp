// Part of <quire/quire.hpp>: searches for the nearest vectors.
#ifndef QUIRE_HPP_SEARCH_HPP
#define QUIRE_HPP_SEARCH_HPP

#include <quire/hpp/query.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quire {
inline namespace api1 {

struct Hit {
  double distance = 0;
  Value key{};               // borrowed; null where the key has several fields
  std::uint64_t record = 0;  // its number: see Collection::get_number
};

// How a search is carried out. quire_search_options has the meanings.
struct SearchOptions {
  quire_metric metric = QUIRE_METRIC_DEFAULT;
  std::string index{};                  // to search by; empty: what there is of field and metric
  std::uint32_t ef = 0;                 // how far an index looks; 0: 128, more where k is over 10
  double target = 0;                    // share to be found, which gives an ef; 0: none
  bool exact = false;                   // by no index: every vector is measured
  std::optional<QueryOptions> among{};  // only the records that this query gives
};

namespace detail {

// The same as the C interface takes it, but for field, query, k and `among`. Borrows the options.
inline quire_search_options c_search_options(const SearchOptions& given) noexcept {
  quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
  options.metric = given.metric;
  if (!given.index.empty()) options.index = given.index.c_str();
  options.ef = given.ef;
  options.target = given.target;
  if (given.exact) options.flags |= QUIRE_SEARCH_EXACT;
  return options;
}

}  // namespace detail

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_SEARCH_HPP
