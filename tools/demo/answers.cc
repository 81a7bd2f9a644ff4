#include "tools/demo/answers.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "tools/bench/text_table.h"
#include "tools/demo/child_process.h"
#include "tools/table.h"

namespace quire::demo {
namespace {

constexpr std::uint32_t kAnswers = 10;
constexpr std::size_t kSummaryWidth = 56;
// Two ways of adding 384 products in single precision.
constexpr double kDistanceTolerance = 1e-4;

double ms_since(std::int64_t start_ns) { return static_cast<double>(now_ns() - start_ns) / 1e6; }

double cosine_distance(std::span<const float> a, std::span<const float> b) {
  const double dot = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  const double aa = std::inner_product(a.begin(), a.end(), a.begin(), 0.0);
  const double bb = std::inner_product(b.begin(), b.end(), b.begin(), 0.0);
  return aa == 0 || bb == 0 ? 1 : 1 - dot / std::sqrt(aa * bb);
}

}  // namespace

std::vector<Answers::Row> Answers::search(const Transaction& transaction, const Vector& query,
                                          std::uint32_t k) {
  std::vector<Row> rows;
  for (const Hit& hit :
       packages_of(transaction).search(kEmbeddingField, query, k, QUIRE_METRIC_COSINE)) {
    rows.push_back({hit.distance, std::string(as_text(hit.key))});
  }
  return rows;
}

void Answers::print(const Transaction& transaction, const std::vector<Row>& rows) {
  text::Table table({{"distance", text::Align::kRight},
                     {"package"},
                     {"section"},
                     {"version"},
                     {"KiB", text::Align::kRight},
                     {"summary"}});
  const Collection packages = packages_of(transaction);
  nlohmann::json answers = nlohmann::json::array();
  for (const Row& row : rows) {
    const auto values = packages.get(text_value(row.key));
    if (!values) continue;
    const std::optional<std::int64_t> size = size_of(*values);
    table.add({format("%.3f", row.distance), tools::fit(row.key, 32),
               std::string(text_of(*values, PackageField::kSection)),
               tools::fit(text_of(*values, PackageField::kVersion), 20),
               size ? text::grouped(static_cast<double>(*size)) : "unknown",
               tools::fit(text_of(*values, PackageField::kSummary), kSummaryWidth)});
    answers.push_back({{"name", row.key}, {"distance", row.distance}});
  }
  console_.document()["answers"].back()["rows"] = answers;
  console_.text("\n" + table.to_text("      ") + "\n");
}

void Answers::like(const std::string& name) {
  const Transaction transaction = database_.read();
  const auto values = packages_of(transaction).get(text_value(name));
  if (!values) throw std::runtime_error("no package " + name);
  Vector query{};
  const std::span<const float> stored = as_vector((*values)[kEmbeddingField]);
  std::copy(stored.begin(), stored.end(), query.begin());
  std::int64_t start = now_ns();
  std::vector<Row> rows = search(transaction, query, kAnswers + 1);
  const double first_ms = ms_since(start);
  start = now_ns();
  search(transaction, query, kAnswers + 1);
  const double milliseconds = ms_since(start);
  console_.line(format("packages like %s (%.2f ms; the first time, with all checksums, %.2f ms)",
                       name.c_str(), milliseconds, first_ms));
  const bool finds_itself = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
    return row.key == name && row.distance < kDistanceTolerance;
  });
  console_.document()["answers"].push_back({{"like", name}, {"milliseconds", milliseconds}});
  std::erase_if(rows, [&](const Row& row) { return row.key == name; });
  if (rows.size() > kAnswers) rows.resize(kAnswers);
  print(transaction, rows);
  console_.check("a record is nearest to itself", finds_itself, name);
}

void Answers::text(const std::string& question) {
  const Transaction transaction = database_.read();
  const std::int64_t start = now_ns();
  const Vector query = featurizer_.query(question);
  const std::vector<Row> rows = search(transaction, query, kAnswers);
  const double milliseconds = ms_since(start);
  console_.line(format("'%s' (%.2f ms)", question.c_str(), milliseconds));
  console_.document()["answers"].push_back({{"text", question}, {"milliseconds", milliseconds}});
  print(transaction, rows);
}

void Answers::text_in_section(const std::string& question, const std::string& section) {
  const Transaction transaction = database_.read();
  const Vector query = featurizer_.query(question);
  const std::int64_t start = now_ns();
  std::vector<Row> rows;
  std::size_t scanned = 0;
  Scan scan = packages_of(transaction).scan();
  while (const std::vector<Value>* values = scan.next()) {
    ++scanned;
    if (text_of(*values, PackageField::kSection) != section) continue;
    rows.push_back({cosine_distance(query, as_vector((*values)[kEmbeddingField])),
                    std::string(text_of(*values, PackageField::kName))});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.key < b.key;
  });
  const double milliseconds = ms_since(start);
  console_.line(format("'%s' where section = '%s' (%zu of %zu records, %.1f ms, %s records/s)",
                       question.c_str(), section.c_str(), rows.size(), scanned, milliseconds,
                       text::grouped(static_cast<double>(scanned) / milliseconds * 1e3).c_str()));
  console_.document()["answers"].push_back({{"text", question},
                                            {"section", section},
                                            {"matches", rows.size()},
                                            {"milliseconds", milliseconds}});

  // The search of everything must have the same records at the same distances.
  std::map<std::string, double> distances;
  for (Row& row : search(transaction, query, static_cast<std::uint32_t>(scanned))) {
    distances[row.key] = row.distance;
  }
  const bool agree =
      distances.size() == scanned && std::all_of(rows.begin(), rows.end(), [&](const Row& row) {
        const auto found = distances.find(row.key);
        return found != distances.end() &&
               std::fabs(found->second - row.distance) < kDistanceTolerance;
      });
  if (rows.size() > kAnswers) rows.resize(kAnswers);
  print(transaction, rows);
  console_.check("scan and search agree", agree, format("%zu distances", distances.size()));
}

std::string well_known_name(const Load& load) {
  for (const char* name :
       {"lmdb", "lmdb-utils", "liblmdb0", "sqlite3", "libsqlite3-0", "libdb5.3", "bash"}) {
    const bool found = std::any_of(load.packages.begin(), load.packages.end(),
                                   [&](const Package& package) { return package.name == name; });
    if (found) return name;
  }
  return load.packages.front().name;
}

std::string well_known_section(const Load& load) {
  std::map<std::string, std::size_t> sections;
  for (const Package& package : load.packages) ++sections[package.section];
  if (sections.contains("database")) return "database";
  return std::max_element(sections.begin(), sections.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

}  // namespace quire::demo
