// vector-bench: nearest neighbours by Quire and its peers, measured in one run: recall against
// speed. See docs/performance.md.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "tools/bench/text_table.h"
#include "tools/bench/vector/change_rows.h"
#include "tools/bench/vector/filter_rows.h"
#include "tools/bench/vector/plot.h"

namespace quire::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kExitFailure = 2;
constexpr double kRecalls[] = {0.9, 0.95, 0.99, 0.999};

struct Options {
  std::string data;
  std::vector<std::string> sets;
  std::size_t limit = 0;
  Generated generated;
  std::vector<std::string> engines;
  std::vector<std::size_t> efs = {10, 14, 20, 28, 40, 56, 80, 113, 160, 226, 320, 452, 640};
  IndexSettings index;
  double seconds = 0.5;
  unsigned rounds = 3;
  std::string directory;
  std::string json_file;
  std::string svg_directory;
  bool markdown = false;
  bool filters = false;
  FilterSettings filtered;
  bool changes = false;
  ChangeSettings changing;
};

void add_options(CLI::App& app, Options& options) {
  app.add_option("--data", options.data,
                 "folder of data sets: NAME.base.u8bin, .fbin or .fvecs, "
                 "NAME.query..., NAME.l2.gt100")
      ->check(CLI::ExistingDirectory);
  app.add_option("--sets", options.sets, "names of sets in it; none: a generated one")
      ->delimiter(',');
  app.add_option("--limit", options.limit, "only so many vectors of each");
  app.add_option("--count", options.generated.count, "vectors of the generated set")
      ->check(CLI::Range(100, 100'000'000))
      ->capture_default_str();
  app.add_option("--dimension", options.generated.dimension, "and their dimension")
      ->check(CLI::Range(1, 65'535))
      ->capture_default_str();
  app.add_option("--seed", options.generated.seed, "and what they come from")
      ->capture_default_str();
  app.add_option("--engines", options.engines, "only these")->delimiter(',');
  app.add_option("--ef", options.efs, "how far searches look, ascending")->delimiter(',');
  app.add_option("--m", options.index.m, "neighbours of a node")->capture_default_str();
  app.add_option("--ef-construction", options.index.ef_construction, "")->capture_default_str();
  app.add_option("--threads", options.index.threads, "of builds")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "of each measured point")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "of which the median is taken")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--dir", options.directory, "where databases are made and removed again");
  app.add_option("--json", options.json_file, "also write the results to this file");
  app.add_option("--svg", options.svg_directory, "write a plot of each set, recall-NAME.svg, there")
      ->check(CLI::ExistingDirectory);
  app.add_flag("--filters", options.filters,
               "instead, searches of Quire that are narrowed by filters");
  app.add_option("--shares", options.filtered.shares, "of the records that match them")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--filtered-ef", options.filtered.ef,
                 "how far these look; 0: as far as it takes for a recall of 0.95 of all")
      ->capture_default_str();
  app.add_flag("--changes", options.changes,
               "instead, inserts and replaces of Quire, and searches after and beside them");
  app.add_option("--parts", options.changing.parts, "only these of them")
      ->delimiter(',')
      ->check(CLI::IsMember(kChangeParts));
  app.add_option("--change-rounds", options.changing.rounds,
                 "in which a twentieth of the records is replaced")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--change-ef", options.changing.ef, "at which their recall is told")
      ->check(CLI::IsMember({10, 14, 20, 28, 40, 56, 80, 113, 160, 226, 320}))
      ->capture_default_str();
  app.add_flag("--markdown", options.markdown, "print tables as Markdown");
}

// A folder that goes when the run ends.
class Scratch {
 public:
  explicit Scratch(const std::string& parent) {
    std::string path = (parent.empty() ? fs::temp_directory_path().string() : parent) +
                       "/quire-vector-bench-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr)
      throw std::runtime_error("no folder can be made: " + path);
    path_ = path;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Measured {
  Engine engine;
  IndexSettings settings;
  std::unique_ptr<Worker> worker;
  double build_seconds = 0;
  double file_bytes = 0;
  Curve curve;
};

double bytes_in(const std::string& directory) {
  double bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) bytes += static_cast<double>(entry.file_size());
  return bytes;
}

std::vector<Measured> build_all(const DataSet& set, const Options& options,
                                const std::string& scratch) {
  std::vector<Measured> all;
  for (const Engine& engine : vector_engines()) {
    if (!options.engines.empty() && std::ranges::count(options.engines, engine.name) == 0) continue;
    Measured measured{.engine = engine, .settings = options.index, .worker = {}, .curve = {}};
    measured.settings.directory = scratch + "/" + set.name + "-" + engine.name;
    fs::create_directory(measured.settings.directory);
    all.push_back(std::move(measured));
  }
  for (Measured& measured : all) {
    std::cerr << set.name << ": " << measured.engine.name << " builds\n";
    measured.worker = std::make_unique<Worker>(measured.engine, set, measured.settings);
    measured.build_seconds = measured.worker->build();
    measured.file_bytes = bytes_in(measured.settings.directory);
    if (measured.engine.in_files)
      measured.worker = std::make_unique<Worker>(measured.engine, set, measured.settings);
    measured.worker->open();
    measured.curve.name = measured.engine.name;
  }
  return all;
}

// One engine after the other at each point, so that all have the same share of what else goes on.
void measure_all(const Options& options, std::vector<Measured>& all) {
  for (const std::size_t ef : options.efs) {
    std::vector<std::vector<Point>> points(all.size());
    for (unsigned round = 0; round < options.rounds; ++round)
      for (std::size_t i = 0; i < all.size(); ++i)
        points[i].push_back(all[i].worker->measure(ef, options.seconds));
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto middle = [&](double Point::* figure) {
        std::vector<double> values;
        for (const Point& point : points[i]) values.push_back(point.*figure);
        return median(values);
      };
      all[i].curve.points.push_back({.ef = ef,
                                     .recall = points[i][0].recall,
                                     .qps = middle(&Point::qps),
                                     .p50_us = middle(&Point::p50_us),
                                     .p99_us = middle(&Point::p99_us)});
    }
  }
}

std::string print(const text::Table& table, bool markdown) {
  return markdown ? table.to_markdown() : table.to_text();
}

std::string fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

void print_points(const std::vector<Measured>& all, bool markdown) {
  using enum text::Align;
  text::Table table({{"engine"},
                     {"ef", kRight},
                     {"recall@10", kRight},
                     {"queries/s", kRight},
                     {"p50 us", kRight},
                     {"p99 us", kRight}});
  for (const Measured& measured : all)
    for (const Point& point : measured.curve.points)
      table.add({measured.engine.name, std::to_string(point.ef), fixed(point.recall, 4),
                 text::grouped(point.qps), fixed(point.p50_us, 1), fixed(point.p99_us, 1)});
  std::cout << print(table, markdown) << '\n';
}

// At the recalls that count; the last engine is what the others are compared with.
void print_summary(const DataSet& set, const std::vector<Measured>& all, bool markdown) {
  using enum text::Align;
  std::vector<text::Table::Column> columns = {{set.name}};
  for (const double recall : kRecalls) columns.push_back({"at " + fixed(recall, 3), kRight});
  columns.push_back({"build s", kRight});
  columns.push_back({"MB of files", kRight});
  text::Table table(columns);
  const Curve& base = all.back().curve;
  for (const Measured& measured : all) {
    std::vector<std::string> cells = {measured.engine.name};
    for (const double recall : kRecalls) {
      const double qps = qps_at(measured.curve, recall);
      const double other = qps_at(base, recall);
      std::string cell = qps == 0 ? "-" : text::grouped(qps);
      if (&measured != &all.back() && qps != 0 && other != 0)
        cell += " (" + fixed(qps / other, 2) + " x)";
      cells.push_back(cell);
    }
    cells.push_back(fixed(measured.build_seconds, 1));
    cells.push_back(measured.file_bytes == 0 ? "-" : fixed(measured.file_bytes / 1e6, 1));
    table.add(cells);
  }
  std::cout << print(table, markdown) << '\n';
}

nlohmann::json json_of(const DataSet& set, const std::vector<Measured>& all) {
  nlohmann::json engines = nlohmann::json::array();
  for (const Measured& measured : all) {
    nlohmann::json points = nlohmann::json::array();
    for (const Point& point : measured.curve.points)
      points.push_back({{"ef", point.ef},
                        {"recall", point.recall},
                        {"qps", point.qps},
                        {"p50_us", point.p50_us},
                        {"p99_us", point.p99_us}});
    engines.push_back({{"engine", measured.engine.name},
                       {"build_seconds", measured.build_seconds},
                       {"file_bytes", measured.file_bytes},
                       {"points", points}});
  }
  return {{"set", set.name},
          {"vectors", set.base.count()},
          {"dimension", set.base.dimension},
          {"engines", engines}};
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw std::runtime_error(path + " can't be written");
}

void print_filters(const DataSet& set, const FilterResults& results, bool markdown) {
  using enum text::Align;
  std::cout << set.name << ", ef " << results.ef << ": of all " << text::grouped(results.qps)
            << " queries/s, recall@10 " << fixed(results.recall, 4) << "; each in a new snapshot "
            << text::grouped(results.fresh_qps) << " (" << fixed(results.fresh_qps / results.qps, 2)
            << ")\n\n";
  text::Table table({{"matches"},
                     {"share", kRight},
                     {"recall@10", kRight},
                     {"queries/s", kRight},
                     {"scan of the matches", kRight},
                     {"of the better of scan and all", kRight},
                     {"codes", kRight},
                     {"vectors", kRight},
                     {"walked", kRight}});
  for (const FilterRow& row : results.rows)
    table.add({row.where, fixed(100 * row.share, 1) + "%", fixed(row.recall, 4),
               text::grouped(row.qps), text::grouped(row.scan_qps),
               fixed(row.qps / std::max(row.scan_qps, results.qps), 2), fixed(row.codes, 0),
               fixed(row.vectors, 0), fixed(100 * row.walked, 0) + "%"});
  std::cout << print(table, markdown) << '\n';
}

nlohmann::json json_of(const DataSet& set, const FilterResults& results) {
  nlohmann::json rows = nlohmann::json::array();
  for (const FilterRow& row : results.rows)
    rows.push_back({{"matches", row.where},
                    {"share", row.share},
                    {"recall", row.recall},
                    {"qps", row.qps},
                    {"scan_qps", row.scan_qps},
                    {"codes", row.codes},
                    {"vectors", row.vectors},
                    {"walked", row.walked}});
  return {{"set", set.name},
          {"ef", results.ef},
          {"recall_of_all", results.recall},
          {"qps_of_all", results.qps},
          {"fresh_qps_of_all", results.fresh_qps},
          {"filters", rows}};
}

// In a process of its own there is nothing to compare with: only Quire has filters.
nlohmann::json run_filters(const DataSet& set, const Options& options, const std::string& scratch) {
  IndexSettings index = options.index;
  index.directory = scratch + "/" + set.name + "-filters";
  fs::create_directory(index.directory);
  FilterSettings settings = options.filtered;
  settings.seconds = options.seconds;
  std::cerr << set.name << ": builds and measures\n";
  const FilterResults results = measure_filters(
      set, read_labels(options.data, set.name, "base", set.base.count()),
      read_labels(options.data, set.name, "query", set.queries.count()), index, settings);
  print_filters(set, results, options.markdown);
  return json_of(set, results);
}

void print_changes(const DataSet& set, const std::vector<ChangeRow>& rows, bool markdown) {
  using enum text::Align;
  const auto figure = [](double value) {
    return value < 100 ? fixed(value, value < 1.5 ? 4 : 2) : text::grouped(value);
  };
  text::Table table({{set.name}, {"", kRight}, {"beside"}, {"", kRight}, {"ratio", kRight}});
  for (const ChangeRow& row : rows)
    table.add({row.what, figure(row.value) + " " + row.unit, row.beside,
               row.beside.empty() ? "" : figure(row.compared) + " " + row.unit,
               row.beside.empty() || row.compared == 0 ? "" : fixed(row.value / row.compared, 3)});
  std::cout << print(table, markdown) << '\n';
}

nlohmann::json run_changes(const DataSet& set, const Options& options, const std::string& scratch) {
  IndexSettings index = options.index;
  index.directory = scratch + "/" + set.name + "-changes";
  ChangeSettings settings = options.changing;
  settings.seconds = options.seconds;
  const std::vector<ChangeRow> rows = measure_changes(
      set, read_labels(options.data, set.name, "base", set.base.count()), index, settings);
  print_changes(set, rows, options.markdown);
  nlohmann::json json = nlohmann::json::array();
  for (const ChangeRow& row : rows)
    json.push_back({{"what", row.what},
                    {"value", row.value},
                    {"unit", row.unit},
                    {"beside", row.beside},
                    {"compared", row.compared}});
  return {{"set", set.name}, {"changes", json}};
}

void run(const Options& options) {
  if (!options.sets.empty() && options.data.empty())
    throw std::runtime_error("--sets needs --data, the folder they are in");
  const Scratch scratch(options.directory);
  nlohmann::json results = nlohmann::json::array();
  const std::vector<std::string> names =
      options.sets.empty() ? std::vector<std::string>{""} : options.sets;
  for (const std::string& name : names) {
    const DataSet set = name.empty() ? generate_data_set(options.generated)
                                     : read_data_set(options.data, name, options.limit);
    if (options.filters) {
      results.push_back(run_filters(set, options, scratch.path()));
      continue;
    }
    if (options.changes) {
      results.push_back(run_changes(set, options, scratch.path()));
      continue;
    }
    std::vector<Measured> all = build_all(set, options, scratch.path());
    if (all.empty()) throw std::runtime_error("none of these engines is here");
    measure_all(options, all);
    print_points(all, options.markdown);
    print_summary(set, all, options.markdown);
    results.push_back(json_of(set, all));
    std::vector<Curve> curves;
    for (const Measured& measured : all) curves.push_back(measured.curve);
    if (!options.svg_directory.empty())
      write_file(options.svg_directory + "/recall-" + set.name + ".svg",
                 plot_svg(set.name + ", " + std::to_string(set.base.count()) + " vectors", curves));
  }
  if (!options.json_file.empty()) write_file(options.json_file, results.dump(2) + "\n");
}

int main_of(int count, char** arguments) {
  CLI::App app("Nearest neighbours by Quire and its peers: recall against speed.");
  Options options;
  add_options(app, options);
  CLI11_PARSE(app, count, arguments);
  try {
    run(options);
  } catch (const std::exception& error) {
    std::cerr << "vector-bench: " << error.what() << '\n';
    return kExitFailure;
  }
  return 0;
}

}  // namespace
}  // namespace quire::bench

int main(int count, char** arguments) { return quire::bench::main_of(count, arguments); }
