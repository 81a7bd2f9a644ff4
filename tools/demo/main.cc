// quire-demo: the main job of Quire on real records, the package catalogue of a Debian machine. See
// docs/demo.md.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "tools/bench/text_table.h"
#include "tools/demo/answers.h"
#include "tools/demo/catalog.h"
#include "tools/demo/queries.h"
#include "tools/demo/scenario.h"
#include "tools/demo/shell_word.h"

namespace quire::demo {
namespace {

namespace fs = std::filesystem;

constexpr int kExitFailure = 2;
constexpr const char* kQuestion = "embedded key value database";
constexpr std::size_t kRecordsMin = 20;
// Enough commits that the kill falls into the middle of many, few enough that syncs do not rule.
constexpr std::size_t kCommitsAim = 600;
constexpr std::size_t kBatchMax = 100;

struct Options {
  CatalogRequest catalog;
  std::string directory = "quire-demo.quire";
  std::string question = kQuestion;
  bool quiet = false;
  bool json = false;
};

// Only what is a database, or empty, is removed: a typing error in --directory must cost nothing.
void remove_old(const fs::path& directory) {
  if (!fs::exists(directory)) return;
  if (!fs::is_directory(directory) ||
      (!fs::is_empty(directory) && !fs::exists(directory / "data"))) {
    throw std::runtime_error(directory.string() + " exists and is not a database of the demo");
  }
  fs::remove_all(directory);
}

double seconds_since(std::int64_t start_ns) {
  return static_cast<double>(now_ns() - start_ns) / 1e9;
}

Load find_records(Console& console, const Options& options, Featurizer& featurizer) {
  console.step("Real records");
  std::int64_t start = now_ns();
  Catalog catalog = read_catalog(options.catalog);
  for (const Source& source : catalog.sources) {
    console.line(format("%8s from %s", text::grouped(static_cast<double>(source.packages)).c_str(),
                        source.path.c_str()));
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(catalog.problems.size(), 5); ++i) {
    console.line("left out: " + catalog.problems[i]);
  }
  Load load;
  load.packages = std::move(catalog.packages);
  if (load.packages.size() < kRecordsMin) {
    throw std::runtime_error(format("%zu records are too few to show anything: %zu at least",
                                    load.packages.size(), kRecordsMin));
  }
  load.batch_size = std::clamp<std::size_t>(load.packages.size() / kCommitsAim, 1, kBatchMax);
  console.line(format("%8s packages, read in %.2f s",
                      text::grouped(static_cast<double>(load.packages.size())).c_str(),
                      seconds_since(start)));
  start = now_ns();
  const auto document = [](const Package& package) {
    return Document{package.name, package.summary, package.description};
  };
  for (const Package& package : load.packages) featurizer.learn(document(package));
  for (const Package& package : load.packages) {
    load.vectors.push_back(featurizer.features(document(package)));
  }
  console.line(format("a vector of %zu dimensions made of each description in %.2f s", kDimension,
                      seconds_since(start)));
  console.document()["records"] = load.packages.size();
  console.document()["problems"] = catalog.problems;
  return load;
}

void ask(Console& console, Scenario& scenario, const Options& options, const Load& load,
         const Featurizer& featurizer) {
  console.step("Questions");
  scenario.database().close();
  const std::int64_t start = now_ns();
  scenario.database() = Database::open(options.directory);
  const double open_ms = seconds_since(start) * 1e3;
  console.line(format("closed and opened again in %.2f ms", open_ms));
  console.line("");
  console.document()["open_ms"] = open_ms;
  console.document()["answers"] = nlohmann::json::array();
  Answers answers(console, scenario.database(), featurizer);
  answers.like(well_known_name(load));
  answers.text(options.question);
  if (const std::string section = well_known_section(load); !section.empty()) {
    answers.text_in_section(options.question, section);
  }
}

// Filters by indexes, each answer compared with that of a scan.
void filter(Console& console, Scenario& scenario, const Load& load) {
  console.step("Filters, by indexes and by a scan");
  const std::string section = well_known_section(load);
  Queries queries(console, scenario.database());
  if (section.empty() || !queries.make_indexes()) return;
  queries.refuse_unique_sections();
  queries.ask(section, well_known_name(load));
  console.check("check finds no damage", scenario.database().check().empty(),
                "every index against its records");
}

void suggest(Console& console, const Options& options, const Load& load) {
  const std::string directory = shell_word(options.directory);
  const std::string name = shell_word(well_known_name(load));
  console.step("What to try next");
  console.line("quire stat " + directory);
  // Behind "--" and "=" a key may begin with a dash.
  console.line("quire get " + directory + " packages " + (name[0] == '-' ? "-- " : "") + name);
  console.line("quire search " + directory + " packages --field embedding --like=" + name +
               " -k 5");
  console.line("quire query " + directory +
               " packages 'installed_size > 100000' --order 'installed_size desc' --limit 5 "
               "--select name,installed_size");
  console.line("quire shell " + directory);
  console.line("quire check " + directory);
  console.line("(from a checkout: ./dev quire ...)");
}

int run_demo(const Options& options) {
  Console console(options.quiet, options.json);
  Featurizer featurizer;
  const Load load = find_records(console, options, featurizer);
  remove_old(options.directory);
  const Vector query = featurizer.query(options.question);
  Scenario scenario(console, load, options.directory, options.question, query);
  scenario.load_until_killed();
  scenario.reopen_and_verify();
  scenario.finish_load();
  ask(console, scenario, options, load, featurizer);
  filter(console, scenario, load);
  scenario.database().close();
  suggest(console, options, load);
  return console.finish(fs::absolute(options.directory));
}

int run_program(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Loads the package catalogue of this machine into a Quire database, kills the writer in the\n"
      "middle, shows that nothing acknowledged was lost, finishes, and answers questions.",
      "quire-demo");
  app.add_option("--directory", options.directory, "where the database is made, anew each time")
      ->capture_default_str();
  app.add_option("--file", options.catalog.file,
                 "records of your own instead: .csv with a header, or .ndjson");
  app.add_option("--key", options.catalog.key, "the column of --file that is the key");
  app.add_option("--limit", options.catalog.limit, "take only so many records");
  app.add_option("--question", options.question, "the text to search for")->capture_default_str();
  app.add_flag("--quiet", options.quiet, "say only the result, and what failed");
  app.add_flag("--json", options.json, "print one JSON document with all figures instead");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitFailure;
  }
  return run_demo(options);
}

}  // namespace
}  // namespace quire::demo

int main(int argc, char** argv) {
  try {
    return quire::demo::run_program(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "quire-demo: " << error.what() << "\n";
    return 2;
  }
}
