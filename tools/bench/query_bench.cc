#include "tools/bench/query_bench.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "tools/bench/query_store.h"
#include "tools/bench/report.h"
#include "tools/bench/system.h"
#include "tools/bench/text_table.h"

namespace quire::bench {
namespace {

constexpr std::uint64_t kLoadBatch = 10'000;
constexpr std::uint64_t kInsertBatch = 100;
constexpr int kCompared = 20;  // questions that both are asked before one is timed

using Maker = std::unique_ptr<GoodsStore> (*)(const std::filesystem::path&, bool);
struct Contender {
  const char* name;
  Maker make;
  const char* file;  // that it makes, or a directory
};
constexpr Contender kContenders[] = {{"Quire", make_quire_goods, "goods.quire"},
                                     {"SQLite", make_sqlite_goods, "goods.sqlite"}};

void load(GoodsStore& store, std::uint64_t first, std::uint64_t count, std::uint64_t batch) {
  const auto session = store.session();
  for (std::uint64_t i = 0; i < count; i += batch)
    session->insert(first + i, std::min(batch, count - i));
}

class Bench {
 public:
  explicit Bench(const QuerySettings& settings)
      : settings_(settings),
        table_({{"row"},
                {"what"},
                {"unit"},
                {"Quire", text::Align::kRight},
                {"SQLite", text::Align::kRight},
                {"Quire / SQLite", text::Align::kRight}}) {}

  void run() {
    if (any_question() || wanted("build") || wanted("beside")) run_questions();
    for (const std::size_t indexes : {0, 1, 3, 6}) run_inserts(indexes);
    run_durable();
    std::cout << (settings_.markdown ? table_.to_markdown() : table_.to_text());
  }

 private:
  bool wanted(const std::string& id) const {
    return settings_.rows.empty() || std::ranges::find(settings_.rows, id) != settings_.rows.end();
  }
  bool any_question() const {
    return std::ranges::any_of(questions(),
                               [&](const Question& question) { return wanted(question.id); });
  }

  void add(const std::string& id, const std::string& what, const std::string& unit,
           std::vector<double> quire, std::vector<double> sqlite) {
    const double ours = median(std::move(quire));
    const double theirs = median(std::move(sqlite));
    table_.add(
        {id, what, unit, text::rounded(ours), text::rounded(theirs), text::rounded(ours / theirs)});
    std::cerr << id << ": " << text::rounded(ours) << " beside " << text::rounded(theirs) << " "
              << unit << "\n";
  }

  // ------------------------------------------------------------ questions

  void run_questions() {
    TemporaryDirectory directory(settings_.directory);
    std::vector<std::unique_ptr<GoodsStore>> stores;
    std::vector<std::vector<double>> builds(2);
    for (std::size_t i = 0; i < 2; ++i) {
      std::cerr << "loading " << settings_.records << " records: " << kContenders[i].name << "\n";
      stores.push_back(kContenders[i].make(directory.path(), false));
      load(*stores[i], 0, settings_.records, kLoadBatch);
    }
    for (const GoodsIndex& index : goods_indexes()) {
      for (std::size_t i = 0; i < 2; ++i) {
        const Clock::time_point start = Clock::now();
        stores[i]->add_index(index);
        builds[i].push_back(static_cast<double>(settings_.records) / seconds_since(start));
      }
      if (wanted("build"))
        add(std::string("build-") + index.name, std::string("an index on ") + index.sql,
            "records/s", {builds[0].back()}, {builds[1].back()});
    }
    for (const auto& store : stores) store->settle();
    for (const Question& question : questions()) {
      if (wanted(question.id)) ask(question, *stores[0], *stores[1]);
    }
    if (wanted("beside")) run_beside(stores, directory.path());
  }

  // ------------------------------------------------------------ a build beside readers

  // Reads a second of one thread, records by their key at random, while `busy` runs.
  double reads_beside(GoodsStore& store, const std::function<void()>& busy) const {
    static const Question kByKey = {
        "key",
        "one record by its key",
        "SELECT id, name FROM goods WHERE id = ?1",
        {.filter = "id = $1", .select = "id, name"},
        [](Random& random, std::uint64_t records) -> std::vector<Argument> {
          return {static_cast<std::int64_t>(random.below(records))};
        }};
    constexpr std::uint64_t kReadsEach = 100;  // transaction
    std::atomic<bool> stop = false;
    std::uint64_t reads = 0;
    const Clock::time_point start = Clock::now();
    std::jthread reader([&] {
      const auto session = store.session();
      Random random(7);
      while (!stop) {
        session->begin_read();
        for (std::uint64_t i = 0; i < kReadsEach; ++i)
          (void)session->ask(kByKey, kByKey.arguments(random, settings_.records));
        session->end_read();
        reads += kReadsEach;
      }
    });
    busy();
    stop = true;
    reader.join();
    return static_cast<double>(reads) / seconds_since(start);
  }

  void run_beside(std::vector<std::unique_ptr<GoodsStore>>& stores,
                  const std::filesystem::path& directory) {
    const GoodsIndex index = {"beside", "(rating, price)", R"({"fields": ["rating", "price"]})"};
    std::vector<double> shares;
    std::vector<double> growth;
    for (std::size_t i = 0; i < 2; ++i) {
      const double alone = reads_beside(*stores[i], [&] {
        std::this_thread::sleep_for(std::chrono::duration<double>(settings_.seconds));
      });
      const std::uint64_t before = file_bytes(directory / kContenders[i].file);
      const double beside = reads_beside(*stores[i], [&] { stores[i]->add_index(index); });
      shares.push_back(beside / alone);
      growth.push_back(static_cast<double>(file_bytes(directory / kContenders[i].file)) /
                       static_cast<double>(before));
    }
    add("beside", "reads beside the build of an index on (rating, price)", "of alone", {shares[0]},
        {shares[1]});
    add("  size", "files after it (less is better)", "of before", {growth[0]}, {growth[1]});
  }

  // Of a file and those beside it whose names go on, or of a directory.
  static std::uint64_t file_bytes(const std::filesystem::path& path) {
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path.parent_path())) {
      if (entry.is_regular_file() && entry.path().native().starts_with(path.native()))
        bytes += entry.file_size();
    }
    return bytes;
  }

  void ask(const Question& question, GoodsStore& quire, GoodsStore& sqlite) {
    const auto ours = quire.session();
    const auto theirs = sqlite.session();
    ours->begin_read();
    theirs->begin_read();
    compare(question, *ours, *theirs);
    std::vector<double> rates[2];
    for (unsigned round = 0; round < settings_.rounds; ++round) {
      rates[0].push_back(rate_of(question, *ours, round));
      rates[1].push_back(rate_of(question, *theirs, round));
    }
    ours->end_read();
    theirs->end_read();
    add(question.id, question.title, "queries/s", rates[0], rates[1]);
  }

  void compare(const Question& question, GoodsSession& ours, GoodsSession& theirs) const {
    Random random(42);
    for (int i = 0; i < kCompared; ++i) {
      const std::vector<Argument> arguments = question.arguments(random, settings_.records);
      const Answer one = ours.ask(question, arguments);
      const Answer other = theirs.ask(question, arguments);
      // Numbers that were floating may be rounded another way.
      if (one.rows == other.rows && std::abs(one.sum - other.sum) <= 1) continue;
      throw std::runtime_error(std::string("the stores differ in '") + question.id +
                               "': " + std::to_string(one.rows) + " rows, sum " +
                               std::to_string(one.sum) + "; " + std::to_string(other.rows) +
                               " rows, sum " + std::to_string(other.sum));
    }
  }

  double rate_of(const Question& question, GoodsSession& session, unsigned round) const {
    Random random(1000 + round);
    std::uint64_t asked = 0;
    const Clock::time_point start = Clock::now();
    double elapsed = 0;
    while (elapsed < settings_.seconds) {
      (void)session.ask(question, question.arguments(random, settings_.records));
      ++asked;
      elapsed = seconds_since(start);
    }
    return static_cast<double>(asked) / elapsed;
  }

  // ------------------------------------------------------------ inserts

  std::unique_ptr<GoodsStore> make_indexed(const Contender& contender,
                                           const std::filesystem::path& directory, bool durable,
                                           std::size_t indexes) const {
    auto store = contender.make(directory, durable);
    for (std::size_t i = 0; i < indexes; ++i) store->add_index(goods_indexes()[i]);
    return store;
  }

  void run_inserts(std::size_t indexes) {
    const std::string id = "insert-" + std::to_string(indexes);
    if (!wanted(id)) return;
    std::vector<double> rates[2];
    for (unsigned round = 0; round < settings_.rounds; ++round) {
      TemporaryDirectory directory(settings_.directory);
      for (std::size_t i = 0; i < 2; ++i) {
        const auto store = make_indexed(kContenders[i], directory.path(), false, indexes);
        load(*store, 0, settings_.inserts, kInsertBatch);
        const Clock::time_point start = Clock::now();
        load(*store, settings_.inserts, settings_.inserts, kInsertBatch);
        rates[i].push_back(static_cast<double>(settings_.inserts) / seconds_since(start));
      }
    }
    add(id, "inserts, 100 a transaction, not synced, " + std::to_string(indexes) + " indexes",
        "records/s", rates[0], rates[1]);
  }

  double durable_rate(GoodsStore& store) const {
    std::vector<std::jthread> threads;
    const std::uint64_t each = settings_.inserts / 10 / settings_.threads;
    const Clock::time_point start = Clock::now();
    for (unsigned t = 0; t < settings_.threads; ++t)
      threads.emplace_back([&, t] { load(store, t * each, each, 1); });
    threads.clear();
    return static_cast<double>(each * settings_.threads) / seconds_since(start);
  }

  void run_durable() {
    if (!wanted("durable")) return;
    std::vector<double> rates[2];
    for (unsigned round = 0; round < settings_.rounds; ++round) {
      TemporaryDirectory directory(settings_.directory);
      for (std::size_t i = 0; i < 2; ++i) {
        const auto store = make_indexed(kContenders[i], directory.path(), true, 3);
        rates[i].push_back(durable_rate(*store));
      }
    }
    add("durable",
        "durable inserts, one a transaction, 3 indexes, " + std::to_string(settings_.threads) +
            " threads",
        "records/s", rates[0], rates[1]);
  }

  const QuerySettings& settings_;
  text::Table table_;
};

}  // namespace

void run_query_bench(const QuerySettings& settings) { Bench(settings).run(); }

void list_query_rows() {
  for (const Question& question : questions())
    std::cout << question.id << "\t" << question.title << "\n";
  std::cout << "build\tan index on the records that are there, each of the six\n"
            << "beside\treads while an index is built, and the size of files after it\n"
            << "insert-0, insert-1, insert-3, insert-6\tinserts with so many indexes\n"
            << "durable\tdurable inserts from several threads\n";
}

}  // namespace quire::bench
