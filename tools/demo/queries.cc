#include "tools/demo/queries.h"

#include <algorithm>
#include <stdexcept>

#include "tools/bench/text_table.h"
#include "tools/demo/processes.h"

namespace quire::demo {
namespace {

using text::grouped;

double milliseconds_since(std::int64_t start_ns) {
  return static_cast<double>(now_ns() - start_ns) / 1e6;
}

// A query that is open, closed with its scope.
class Rows {
 public:
  Rows(const Transaction& transaction, const quire_query_options& options) {
    require(
        quire_query_open(transaction.handle(), packages_of(transaction).id(), &options, &query_));
  }
  ~Rows() { quire_query_close(query_); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool next(std::span<Value> values) {
    return require_or(quire_query_next(query_, values.data(), values.size()), QUIRE_ERR_NOT_FOUND);
  }
  nlohmann::json explain() const {
    char* json = nullptr;
    require(quire_query_explain(query_, &json));
    nlohmann::json parsed = nlohmann::json::parse(json);
    quire_free(json);
    return parsed;
  }

 private:
  quire_query* query_ = nullptr;
};

// "index by_size", "all": what the plan goes by.
std::string way_of(const nlohmann::json& explained) {
  const nlohmann::json& plan = explained.at("plan");
  const std::string by = plan.at("by");
  return by == "index" ? "index " + plan.at("index").get<std::string>() : by;
}

}  // namespace

int Queries::create_index(const Transaction& transaction, const char* name, const char* options) {
  quire_index_options index = QUIRE_INDEX_OPTIONS_INIT;
  index.options = options;
  return quire_index_create(transaction.handle(), packages_of(transaction).id(), name, &index);
}

bool Queries::make_indexes() {
  const std::int64_t start = now_ns();
  Transaction transaction = database_.write();
  for (const auto& [name, options] :
       {std::pair{"by_section", R"({"fields": ["section", "-installed_size"]})"},
        std::pair{"by_version", R"({"fields": ["name", "version"], "unique": true})"}}) {
    if (require_or(create_index(transaction, name, options), QUIRE_ERR_KEY_SIZE)) continue;
    console_.line(format("no index %s: %s", name, quire_last_error()));
    return false;
  }
  transaction.commit();
  console_.line(format("indexes by section and size, and by name and version, made in %.1f ms",
                       milliseconds_since(start)));
  return true;
}

void Queries::refuse_unique_sections() {
  const Transaction transaction = database_.write();
  const int code =
      create_index(transaction, "one_each", R"({"fields": ["section"], "unique": true})");
  console_.check("no unique index over what is not unique", code == QUIRE_ERR_UNIQUE, "");
}

Queries::Found Queries::by_query(const char* filter, const std::vector<Value>& arguments) {
  const Transaction transaction = database_.read();
  quire_query_options options = QUIRE_QUERY_OPTIONS_INIT;
  options.filter = filter;
  options.arguments = arguments.data();
  options.argument_count = arguments.size();
  options.select = "name";
  const std::int64_t start = now_ns();
  Rows rows(transaction, options);
  Found found;
  Value name{};
  while (rows.next({&name, 1})) found.names.emplace_back(as_text(name));
  found.milliseconds = milliseconds_since(start);
  const nlohmann::json explained = rows.explain();
  found.by = way_of(explained);
  found.entries = explained.at("actual").at("entries");
  std::sort(found.names.begin(), found.names.end());
  return found;
}

Queries::Found Queries::by_scan(const Matches& matches) {
  const Transaction transaction = database_.read();
  const std::int64_t start = now_ns();
  Found found;
  Scan scan = packages_of(transaction).scan();
  while (const std::vector<Value>* values = scan.next()) {
    ++found.entries;
    if (matches(*values)) found.names.emplace_back(text_of(*values, PackageField::kName));
  }
  found.milliseconds = milliseconds_since(start);
  return found;
}

void Queries::compare(const char* filter, const std::vector<Value>& arguments,
                      const Matches& matches) {
  const Found query = by_query(filter, arguments);
  const Found scan = by_scan(matches);
  console_.check(filter, query.names == scan.names,
                 format("%s found by %s in %.2f ms; by a scan in %.1f ms",
                        grouped(static_cast<double>(query.names.size())).c_str(), query.by.c_str(),
                        query.milliseconds, scan.milliseconds));
  console_.document()["queries"].push_back({{"filter", filter},
                                            {"by", query.by},
                                            {"found", query.names.size()},
                                            {"found_by_scan", scan.names.size()},
                                            {"entries", query.entries},
                                            {"milliseconds", query.milliseconds},
                                            {"scan_milliseconds", scan.milliseconds}});
}

void Queries::biggest(const std::string& section) {
  const Transaction transaction = database_.read();
  const Value argument = text_value(section);
  quire_query_options options = QUIRE_QUERY_OPTIONS_INIT;
  options.filter = "section = $1 and installed_size is not null";
  options.arguments = &argument;
  options.argument_count = 1;
  options.select = "name, installed_size";
  options.order = "installed_size desc";
  options.limit = 3;
  Rows rows(transaction, options);
  std::string line;
  std::int64_t before = INT64_MAX;
  bool falling = true;
  Value row[2];
  while (rows.next(row)) {
    falling = falling && row[1].as.i64 <= before;
    before = row[1].as.i64;
    line += (line.empty() ? "" : ", ") + std::string(as_text(row[0])) + " " +
            grouped(static_cast<double>(before)) + " KiB";
  }
  const bool sorts = rows.explain().at("plan").at("sorts");
  console_.check("the biggest of a section, in the order of the index", falling && !sorts, line);
}

void Queries::ask(const std::string& section, const std::string& name) {
  const auto size_between = [](std::span<const Value> values, std::int64_t low, std::int64_t high) {
    const auto size = size_of(values);
    return size && *size >= low && *size <= high;
  };
  compare("installed_size between $1 and $2", {i64_value(100), i64_value(120)},
          [&](std::span<const Value> values) { return size_between(values, 100, 120); });
  compare("section = $1 and installed_size > 1000", {text_value(section)},
          [&](std::span<const Value> values) {
            return text_of(values, PackageField::kSection) == section &&
                   size_between(values, 1001, INT64_MAX);
          });
  compare("section = $1 and not summary ilike '%library%'", {text_value(section)},
          [&](std::span<const Value> values) {
            std::string summary(text_of(values, PackageField::kSummary));
            for (char& c : summary) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            return text_of(values, PackageField::kSection) == section &&
                   summary.find("library") == std::string::npos;
          });
  compare("name = $1 and version >= '0'", {text_value(name)}, [&](std::span<const Value> values) {
    return text_of(values, PackageField::kName) == name &&
           text_of(values, PackageField::kVersion) >= "0";
  });
  biggest(section);
}

}  // namespace quire::demo
