#include "tools/bench/vector/filter_rows.h"

#include <quire/quire.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <numeric>
#include <random>

namespace quire::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Vectors that stand for regions: each query has the one it is nearest to, and each record its rank
// by the distance from each.
constexpr std::size_t kAnchors = 6;
constexpr std::size_t kLoadBatch = 1000;
constexpr std::size_t kEfs[] = {10, 14, 20, 28, 40, 56, 80, 113, 160, 226, 320};
constexpr double kWantedRecall = 0.95;

float distance(const float* a, const float* b, std::uint32_t dimension) {
  float sum = 0;
  for (std::uint32_t i = 0; i < dimension; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// What records have beside their vectors, by which filters choose.
struct Attributes {
  std::vector<std::int64_t> any;  // a rank by chance
  std::array<std::vector<std::int64_t>, kAnchors> from;
  std::vector<std::size_t> anchor_of;  // of each query
};

std::vector<std::int64_t> ranks_of(const std::vector<float>& values) {
  std::vector<std::uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return values[i]; });
  std::vector<std::int64_t> ranks(values.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank)
    ranks[order[rank]] = static_cast<std::int64_t>(rank);
  return ranks;
}

Attributes make_attributes(const DataSet& set) {
  std::mt19937_64 random(3);
  Attributes all;
  const std::size_t count = set.base.count();
  all.any.resize(count);
  std::iota(all.any.begin(), all.any.end(), 0);
  std::ranges::shuffle(all.any, random);
  std::array<const float*, kAnchors> anchors;
  for (std::size_t a = 0; a < kAnchors; ++a) {
    anchors[a] = set.base.row(random() % count);
    std::vector<float> from(count);
    for (std::size_t i = 0; i < count; ++i)
      from[i] = distance(anchors[a], set.base.row(i), set.base.dimension);
    all.from[a] = ranks_of(from);
  }
  for (std::size_t q = 0; q < set.queries.count(); ++q) {
    const auto near = std::ranges::min_element(anchors, {}, [&](const float* anchor) {
      return distance(anchor, set.queries.row(q), set.base.dimension);
    });
    all.anchor_of.push_back(static_cast<std::size_t>(near - anchors.begin()));
  }
  return all;
}

std::string anchor_name(std::size_t anchor) { return "from" + std::to_string(anchor); }

void make_database(const std::string& path, const DataSet& set, const Attributes& attributes,
                   const std::vector<std::uint8_t>& labels, const IndexSettings& settings) {
  OpenOptions options;
  options.flags = QUIRE_OPEN_CREATE | QUIRE_OPEN_EXCLUSIVE;
  Database db = Database::open(path, options);
  Transaction txn = db.write();
  std::vector<Field> fields = {
      Field{.name = "id", .type = QUIRE_TYPE_I64, .key = true},
      Field{.name = "vector", .type = QUIRE_TYPE_VECTOR_F32, .dimension = set.base.dimension},
      Field{.name = "label", .type = QUIRE_TYPE_I64}, Field{.name = "any", .type = QUIRE_TYPE_I64}};
  for (std::size_t a = 0; a < kAnchors; ++a)
    fields.push_back(Field{.name = anchor_name(a), .type = QUIRE_TYPE_I64});
  Collection rows = txn.create_collection("rows", fields);
  for (std::size_t i = 0; i < set.base.count(); ++i) {
    std::vector<Value> values = {i64_value(static_cast<std::int64_t>(i)),
                                 vector_value({set.base.row(i), set.base.dimension}),
                                 i64_value(labels.empty() ? 0 : labels[i]),
                                 i64_value(attributes.any[i])};
    for (const auto& from : attributes.from) values.push_back(i64_value(from[i]));
    rows.insert(values);
    if (i % kLoadBatch != kLoadBatch - 1) continue;
    txn.commit(QUIRE_DURABILITY_NONE);
    txn = db.write();
    rows = *txn.find_collection("rows");
  }
  for (const Field& field : fields)
    if (field.type == QUIRE_TYPE_I64 && !field.key)
      rows.create_index(field.name, {.options = R"({"fields": [")" + field.name + R"("]})"});
  rows.create_index("near", {.options = R"({"field": "vector", "m": )" +
                                        std::to_string(settings.m) + R"(, "ef_construction": )" +
                                        std::to_string(settings.ef_construction) + "}",
                             .kind = "hnsw"});
  txn.commit(QUIRE_DURABILITY_ALWAYS);
  db.close();
}

// A filter of one argument, which each query may have its own of.
struct Asked {
  std::string where;
  std::vector<std::string> filters;     // of each query
  std::vector<std::int64_t> arguments;  // likewise
  std::function<bool(std::size_t query, std::size_t record)> matches;
};

std::vector<Asked> make_asked(const DataSet& set, const Attributes& attributes, double share,
                              std::size_t queries) {
  const auto count = static_cast<std::int64_t>(set.base.count());
  const auto most = static_cast<std::int64_t>(share * static_cast<double>(count));
  std::vector<Asked> all(3);
  all[0] = {"uncorrelated", {}, {}, [&attributes, most](std::size_t, std::size_t i) {
              return attributes.any[i] < most;
            }};
  all[1] = {"near the query", {}, {}, [&attributes, most](std::size_t q, std::size_t i) {
              return attributes.from[attributes.anchor_of[q]][i] < most;
            }};
  all[2] = {"far from it", {}, {}, [&attributes, most, count](std::size_t q, std::size_t i) {
              return attributes.from[attributes.anchor_of[q]][i] >= count - most;
            }};
  for (std::size_t q = 0; q < queries; ++q) {
    const std::string from = anchor_name(attributes.anchor_of[q]);
    all[0].filters.push_back("any < $1");
    all[1].filters.push_back(from + " < $1");
    all[2].filters.push_back(from + " >= $1");
    for (Asked& asked : all) asked.arguments.push_back(&asked == &all[2] ? count - most : most);
  }
  return all;
}

std::vector<Asked> make_labelled(const std::vector<std::uint8_t>& base,
                                 const std::vector<std::uint8_t>& query, std::size_t queries) {
  if (base.empty() || query.empty()) return {};
  constexpr int kLabels = 10;
  std::vector<Asked> all(3);
  all[0] = {"label of the query", {}, {}, [&](std::size_t q, std::size_t i) {
              return base[i] == query[q];
            }};
  all[1] = {"another label", {}, {}, [&](std::size_t q, std::size_t i) {
              return base[i] == (query[q] + kLabels / 2) % kLabels;
            }};
  all[2] = {
      "not its label", {}, {}, [&](std::size_t q, std::size_t i) { return base[i] != query[q]; }};
  for (std::size_t q = 0; q < queries; ++q) {
    all[0].filters.emplace_back("label = $1");
    all[1].filters.emplace_back("label = $1");
    all[2].filters.emplace_back("label != $1");
    all[0].arguments.push_back(query[q]);
    all[1].arguments.push_back((query[q] + kLabels / 2) % kLabels);
    all[2].arguments.push_back(query[q]);
  }
  return all;
}

// From a process that only reads. Filters stay known from one search to the next of the same one.
class FilteredSearches {
 public:
  FilteredSearches(const std::string& path, const DataSet& set)
      : set_(set),
        db_(Database::open_read_only(path)),
        txn_(db_.read()),
        rows_(*txn_.find_collection("rows")),
        hits_(kMeasuredK) {}

  quire_search_stat stat = QUIRE_SEARCH_STAT_INIT;

  // Hits are in hits().
  std::size_t search(std::size_t query, std::size_t ef, const Asked* asked, bool exact) {
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.field = 1;
    options.vector = set_.queries.row(query);
    options.dimension = set_.queries.dimension;
    options.k = kMeasuredK;
    options.stat = &stat;
    quire_query_options among = QUIRE_QUERY_OPTIONS_INIT;
    quire_value argument{};
    if (asked != nullptr) {
      argument = i64_value(asked->arguments[query]);
      among.filter = asked->filters[query].c_str();
      among.arguments = &argument;
      among.argument_count = 1;
      options.among = &among;
    }
    if (exact) {
      options.flags = QUIRE_SEARCH_EXACT;
    } else {
      options.index = "near";
      options.ef = static_cast<std::uint32_t>(ef);
    }
    std::size_t found = 0;
    require(quire_search(txn_.handle(), rows_.id(), &options, hits_.data(), &found));
    return found;
  }
  const std::vector<quire_hit>& hits() const { return hits_; }
  void renew() { require(quire_renew(txn_.handle())); }

 private:
  const DataSet& set_;
  Database db_;
  Transaction txn_;
  Collection rows_;
  std::vector<quire_hit> hits_;
};

struct Speed {
  double qps = 0;
  double recall = 0;
  double codes = 0;
  double vectors = 0;
  double walked = 0;
};

// The exact distance of the k-th of each query comes from a search that measures all.
Speed measure(FilteredSearches& searches, std::size_t ef, const Asked* asked, bool exact,
              const FilterSettings& settings, const std::vector<double>& farthest) {
  Speed speed;
  std::size_t right = 0;
  std::size_t all = 0;
  for (std::size_t q = 0; q < settings.queries; ++q) {
    const std::size_t found = searches.search(q, ef, asked, exact);
    all += found;
    for (std::size_t i = 0; i < found; ++i)
      right += searches.hits()[i].distance <= farthest[q] ? 1 : 0;
    speed.codes += static_cast<double>(searches.stat.codes);
    speed.vectors += static_cast<double>(searches.stat.vectors);
    speed.walked += searches.stat.ef != 0 ? 1 : 0;
  }
  const auto queries = static_cast<double>(settings.queries);
  speed.recall = all == 0 ? 1 : static_cast<double>(right) / static_cast<double>(all);
  speed.codes /= queries;
  speed.vectors /= queries;
  speed.walked /= queries;
  const Clock::time_point begun = Clock::now();
  std::size_t done = 0;
  double elapsed = 0;
  while (elapsed < settings.seconds) {
    (void)searches.search(done++ % settings.queries, ef, asked, exact);
    elapsed = std::chrono::duration<double>(Clock::now() - begun).count();
  }
  speed.qps = static_cast<double>(done) / elapsed;
  return speed;
}

std::vector<double> find_farthest(FilteredSearches& searches, const Asked* asked,
                                  std::size_t queries) {
  std::vector<double> farthest;
  for (std::size_t q = 0; q < queries; ++q) {
    const std::size_t found = searches.search(q, 0, asked, true);
    farthest.push_back(found == 0 ? 0 : searches.hits()[found - 1].distance);
  }
  return farthest;
}

double measure_fresh(FilteredSearches& searches, std::size_t ef, const FilterSettings& settings) {
  const Clock::time_point begun = Clock::now();
  std::size_t done = 0;
  double elapsed = 0;
  while (elapsed < settings.seconds) {
    searches.renew();
    (void)searches.search(done++ % settings.queries, ef, nullptr, false);
    elapsed = std::chrono::duration<double>(Clock::now() - begun).count();
  }
  return static_cast<double>(done) / elapsed;
}

double share_of(const Asked& asked, std::size_t records, std::size_t queries) {
  std::size_t matches = 0;
  const std::size_t some = std::min<std::size_t>(queries, 20);
  for (std::size_t q = 0; q < some; ++q)
    for (std::size_t i = 0; i < records; ++i) matches += asked.matches(q, i) ? 1 : 0;
  return static_cast<double>(matches) / static_cast<double>(some * records);
}

}  // namespace

FilterResults measure_filters(const DataSet& set, const std::vector<std::uint8_t>& base_labels,
                              const std::vector<std::uint8_t>& query_labels,
                              const IndexSettings& index, const FilterSettings& given) {
  FilterSettings settings = given;
  settings.queries = std::min(settings.queries, set.queries.count());
  const Attributes attributes = make_attributes(set);
  const std::string path = index.directory + "/filtered.quire";
  make_database(path, set, attributes, base_labels, index);
  FilteredSearches searches(path, set);
  FilterResults results;
  const std::vector<double> farthest = find_farthest(searches, nullptr, settings.queries);
  for (const std::size_t ef : kEfs) {
    if (settings.ef != 0 && ef != kEfs[0]) break;
    results.ef = settings.ef != 0 ? settings.ef : ef;
    const Speed speed = measure(searches, results.ef, nullptr, false, settings, farthest);
    results.recall = speed.recall;
    results.qps = speed.qps;
    if (speed.recall >= kWantedRecall) break;
  }
  results.fresh_qps = measure_fresh(searches, results.ef, settings);
  std::vector<Asked> all = make_labelled(base_labels, query_labels, settings.queries);
  for (const double share : settings.shares)
    for (Asked& asked : make_asked(set, attributes, share, settings.queries))
      all.push_back(std::move(asked));
  for (const Asked& asked : all) {
    const std::vector<double> true_farthest = find_farthest(searches, &asked, settings.queries);
    const Speed found = measure(searches, results.ef, &asked, false, settings, true_farthest);
    const Speed scanned = measure(searches, 0, &asked, true, settings, true_farthest);
    results.rows.push_back({.where = asked.where,
                            .share = share_of(asked, set.base.count(), settings.queries),
                            .recall = found.recall,
                            .qps = found.qps,
                            .scan_qps = scanned.qps,
                            .codes = found.codes,
                            .vectors = found.vectors,
                            .walked = found.walked});
  }
  return results;
}

}  // namespace quire::bench
