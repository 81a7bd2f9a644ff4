// quire-bench: Quire and its peers, measured in one run. See docs/performance.md.
#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

#include "tools/bench/child.h"
#ifdef QUIRE_BENCH_QUERY
#include "tools/bench/query_bench.h"
#endif
#include "tools/bench/run.h"

namespace quire::bench {
namespace {

constexpr int kExitFailure = 2;

const std::map<std::string, KeyForm> kKeyForms = {{"decimal", KeyForm::kDecimal},
                                                  {"spread", KeyForm::kSpread}};

// A command-line option's list: every name must be one of `known`, none given means all.
template <typename Item>
std::vector<const Item*> choose(const std::vector<std::string>& names,
                                const std::vector<Item>& known, std::string Item::* name_of) {
  std::vector<const Item*> chosen;
  for (const Item& item : known) {
    const std::string& name = item.*name_of;
    if (names.empty() || std::find(names.begin(), names.end(), name) != names.end()) {
      chosen.push_back(&item);
    }
  }
  const auto unknown = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return std::none_of(known.begin(), known.end(),
                        [&](const Item& item) { return item.*name_of == name; });
  });
  if (unknown == names.end()) return chosen;
  std::string all;
  for (const Item& item : known) all.append(" ").append(item.*name_of);
  throw std::runtime_error("no '" + *unknown + "' here; there are:" + all);
}

struct KvOptions {
  Settings settings;
  std::vector<std::string> rows;
  std::vector<std::string> stores;
  std::string directory;
  std::string json_file;
  bool markdown = false;
  bool quick = false;
  bool list = false;
};

void add_kv_options(CLI::App& verb, KvOptions& options) {
  Settings& settings = options.settings;
  verb.add_option("--keys", settings.keys, "keys in the database (1M, 10M)")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, std::uint64_t>{{"k", 1'000}, {"M", 1'000'000}},
          CLI::AsNumberWithUnit::CASE_INSENSITIVE))
      ->check(CLI::Range(std::uint64_t{10}, std::uint64_t{4'000'000'000}))
      ->capture_default_str();
  verb.add_option("--seconds", settings.seconds, "length of each timed piece")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb.add_option("--rounds", settings.rounds, "rounds, of which the median is taken")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb.add_option("--threads", settings.threads, "threads of the row 'durable-n'")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb.add_option("--key-form", settings.key_form,
                  "decimal (as db_bench) or spread (few shared bytes)")
      ->transform(CLI::CheckedTransformer(kKeyForms, CLI::ignore_case));
  verb.add_option("--rows", options.rows, "only these, separated by commas; --list names them")
      ->delimiter(',');
  verb.add_option("--stores", options.stores, "only these, separated by commas")->delimiter(',');
  verb.add_option("--dir", options.directory,
                  "where the databases are made and removed again; default $TMPDIR or here");
  verb.add_option("--json", options.json_file, "also write the results to this file");
  verb.add_flag("--markdown", options.markdown, "print the table as Markdown");
  verb.add_flag("--quick", options.quick,
                "100,000 keys, one round of half a second: a look, no claim");
  verb.add_flag("--list", options.list, "name the rows and stores, and end");
}

void print_list() {
  for (const Row& row : kv_rows()) std::cout << row.id << "\t" << row.metrics.front().title << "\n";
  for (const StoreKind& kind : store_kinds()) {
    std::cout << kind.name << "\t" << kind.title << ": " << kind.settings << "\n";
  }
}

void settle_options(const CLI::App& verb, KvOptions& options) {
  Settings& settings = options.settings;
  if (options.quick) {
    if (verb.count("--keys") == 0) settings.keys = 100'000;
    if (verb.count("--seconds") == 0) settings.seconds = 0.5;
    if (verb.count("--rounds") == 0) settings.rounds = 1;
  }
  const char* temporary = std::getenv("TMPDIR");
  if (options.directory.empty()) options.directory = temporary != nullptr ? temporary : ".";
  settings.directory = std::filesystem::absolute(options.directory);
  const std::string filesystem = filesystem_name(settings.directory);
  if (filesystem == "tmpfs") {
    std::cerr
        << "warning: " << settings.directory.string()
        << " is in memory (tmpfs): durable commits mean nothing there; choose a disk with --dir\n";
  }
}

int run_kv(const CLI::App& verb, KvOptions& options) {
  if (options.list) {
    print_list();
    return 0;
  }
  settle_options(verb, options);
  const Selection selection = {choose(options.rows, kv_rows(), &Row::id),
                               choose(options.stores, store_kinds(), &StoreKind::name)};
  const nlohmann::json document = run(options.settings, selection).to_json();
  if (!options.json_file.empty()) {
    std::ofstream out(options.json_file);
    out << document.dump(2) << "\n";
    if (!out.flush()) throw std::runtime_error("cannot write " + options.json_file);
  }
  std::cout << (options.markdown ? to_markdown(document) : to_text(document));
  return 0;
}

int run_report(const std::string& file, bool markdown) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file);
  const nlohmann::json document = nlohmann::json::parse(in);
  std::cout << (markdown ? to_markdown(document) : to_text(document));
  return 0;
}

#ifdef QUIRE_BENCH_QUERY
struct QueryOptions {
  QuerySettings settings;
  std::string directory;
  bool quick = false;
  bool list = false;
};

CLI::App* add_query_verb(CLI::App& app, QueryOptions& options) {
  CLI::App* verb = app.add_subcommand("query", "queries, indexes and inserts: SQLite");
  QuerySettings& settings = options.settings;
  verb->add_option("--records", settings.records, "records that are asked for")
      ->check(CLI::Range(std::uint64_t{1000}, std::uint64_t{100'000'000}))
      ->capture_default_str();
  verb->add_option("--seconds", settings.seconds, "length of each timed piece")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--rounds", settings.rounds, "rounds, of which the median is taken")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--inserts", settings.inserts, "records of each row of inserts")
      ->check(CLI::Range(std::uint64_t{1000}, std::uint64_t{100'000'000}))
      ->capture_default_str();
  verb->add_option("--threads", settings.threads, "threads of the row 'durable'")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--rows", settings.rows, "only these, separated by commas; --list names them")
      ->delimiter(',');
  verb->add_option("--dir", options.directory,
                   "where the databases are made and removed again; default $TMPDIR or here");
  verb->add_flag("--markdown", settings.markdown, "print the table as Markdown");
  verb->add_flag("--quick", options.quick, "100,000 records, one round: a look, no claim");
  verb->add_flag("--list", options.list, "name the rows, and end");
  return verb;
}

int run_query(QueryOptions& options) {
  if (options.list) {
    list_query_rows();
    return 0;
  }
  if (options.quick) {
    options.settings.records = 100'000;
    options.settings.inserts = 10'000;
    options.settings.rounds = 1;
    options.settings.seconds = 0.3;
  }
  const char* temporary = std::getenv("TMPDIR");
  if (options.directory.empty()) options.directory = temporary != nullptr ? temporary : ".";
  options.settings.directory = std::filesystem::absolute(options.directory);
  run_query_bench(options.settings);
  return 0;
}
#endif

// The verbs that the program uses on itself; an empty group hides them from --help.
CLI::App* add_child_verb(CLI::App& app, const std::string& name, ChildTask& task) {
  CLI::App* verb = app.add_subcommand(name)->group("");
  verb->add_option("--store", task.store);
  verb->add_option("--directory", task.directory);
  verb->add_option("--keys", task.keys);
  verb->add_option("--key-form", task.key_form)->transform(CLI::CheckedTransformer(kKeyForms));
  verb->add_option("--seed", task.seed);
  return verb;
}

int run_program(int argc, char** argv) {
  CLI::App app("Measures Quire and its peers in one run.", "quire-bench");
  app.require_subcommand(1);
  KvOptions kv;
  CLI::App* kv_verb = app.add_subcommand("kv", "keys and values: LMDB, LevelDB, SQLite");
  add_kv_options(*kv_verb, kv);
#ifdef QUIRE_BENCH_QUERY
  QueryOptions query;
  const CLI::App* query_verb = add_query_verb(app, query);
#endif
  std::string file;
  bool markdown = false;
  CLI::App* report_verb = app.add_subcommand("report", "prints the table of a --json file again");
  report_verb->add_option("file", file, "what --json wrote")->required();
  report_verb->add_flag("--markdown", markdown, "as Markdown");
  ChildTask task;
  const CLI::App* reader_verb = add_child_verb(app, "reader-child", task);
  const CLI::App* probe_verb = add_child_verb(app, "probe-child", task);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitFailure;
  }
  if (kv_verb->parsed()) return run_kv(*kv_verb, kv);
#ifdef QUIRE_BENCH_QUERY
  if (query_verb->parsed()) return run_query(query);
#endif
  if (report_verb->parsed()) return run_report(file, markdown);
  if (reader_verb->parsed()) return run_reader_child(task);
  return probe_verb->parsed() ? run_probe_child(task) : kExitFailure;
}

}  // namespace
}  // namespace quire::bench

int main(int argc, char** argv) {
  try {
    return quire::bench::run_program(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "quire-bench: " << error.what() << "\n";
    return 2;
  }
}
