// Part of <quire/quire.hpp>: searches for the nearest vectors.
#ifndef QUIRE_HPP_SEARCH_HPP
#define QUIRE_HPP_SEARCH_HPP

#include <quire/hpp/query.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace quire {
inline namespace api1 {

struct Hit {
  double distance = 0;
  Value key{};               // borrowed; null where the key has several fields
  std::uint64_t record = 0;  // its number: see Collection::get_number
};

using Example = std::vector<Value>;  // a record's key

// How a search is carried out. quire_search_options has the meanings.
struct SearchOptions {
  quire_metric metric = QUIRE_METRIC_DEFAULT;
  std::string index{};                  // to search by; empty: what there is of field and metric
  std::uint32_t ef = 0;                 // how far an index looks; 0: 128, more where k is over 10
  double target = 0;                    // share to be found, which gives an ef; 0: none
  bool exact = false;                   // by no index: every vector is measured
  std::optional<QueryOptions> among{};  // only the records that this query gives
  std::optional<double> within{};       // the distance of a hit at most
  std::optional<Hit> after{};           // only hits behind this one
  std::uint64_t after_count = 0;        // about how many there are up to it
  std::uint32_t group_field = 0;        // of whose every value
  std::uint32_t per_group = 0;          // so many hits are found at most; 0: any number
  double diversity = 0;                 // to 1: hits that are far from one another
  std::uint32_t candidates = 0;         // the nearest of which these are; 0: 4 * k
};

namespace detail {

// The same as the C interface takes it, but for field, query and k. Borrows the options.
class CSearchOptions {
 public:
  explicit CSearchOptions(const SearchOptions& given) : CSearchOptions() {
    options_.metric = given.metric;
    if (!given.index.empty()) options_.index = given.index.c_str();
    options_.ef = given.ef;
    options_.target = given.target;
    if (given.exact) options_.flags |= QUIRE_SEARCH_EXACT;
    if (given.among) {
      among_.emplace(*given.among);
      options_.among = among_->get();
    }
    if (given.within) {
      options_.flags |= QUIRE_SEARCH_WITHIN;
      options_.max_distance = *given.within;
    }
    if (given.after) {
      after_ = {given.after->distance, given.after->key, given.after->record};
      options_.after = &after_;
    }
    options_.after_count = given.after_count;
    options_.group_field = given.group_field;
    options_.per_group = given.per_group;
    options_.diversity = given.diversity;
    options_.candidates = given.candidates;
  }
  CSearchOptions() = default;
  CSearchOptions(const CSearchOptions&) = delete;
  CSearchOptions& operator=(const CSearchOptions&) = delete;
  quire_search_options& get() noexcept { return options_; }

 private:
  quire_search_options options_ = QUIRE_SEARCH_OPTIONS_INIT;
  std::optional<CQueryOptions> among_;
  quire_hit after_{};
};

inline std::vector<quire_example> c_examples(std::span<const Example> keys) {
  std::vector<quire_example> examples;
  examples.reserve(keys.size());
  for (const Example& key : keys) examples.push_back({key.data(), key.size()});
  return examples;
}

}  // namespace detail

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_SEARCH_HPP
