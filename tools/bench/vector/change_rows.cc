#include "tools/bench/vector/change_rows.h"

#include <quire/quire.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "tools/bench/vector/changing.h"
#include "tools/bench/vector/plot.h"

namespace quire::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kEfs[] = {10, 14, 20, 28, 40, 56, 80, 113, 160, 226, 320};
constexpr double kRecalls[] = {0.95, 0.99, 0.999};
constexpr unsigned kTurns = 5;  // of rates that are compared with each other

std::vector<double> numbers_of(const std::string& answer) {
  std::istringstream words(answer);
  std::vector<double> numbers;
  for (double number = 0; words >> number;) numbers.push_back(number);
  return numbers;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

class Changes {
 public:
  Changes(const DataSet& set, const std::vector<std::uint8_t>& labels, const IndexSettings& index,
          const ChangeSettings& settings)
      : set_(set), labels_(labels), index_(index), settings_(settings) {}

  std::vector<ChangeRow> run() {
    if (wanted("rates")) measure_rates();
    if (wanted("inserted"))
      measure_fifth("insert", " " + std::to_string(QUIRE_DURABILITY_NONE), "inserted");
    if (wanted("replaced")) measure_fifth("replace", " -1", "replaced");
    if (wanted("rounds")) measure_rounds(false);
    if (wanted("labels") && !labels_.empty()) measure_rounds(true);
    if (wanted("beside")) measure_beside();
    if (wanted("kill")) measure_kill();
    return std::move(rows_);
  }

 private:
  bool wanted(const std::string& part) const {
    return std::ranges::count(settings_.parts, part) != 0;
  }
  // A writer that has made a database of so many records.
  std::unique_ptr<Process> made(std::size_t records) {
    say("makes " + std::to_string(records) + " records");
    fs::remove_all(index_.directory);
    fs::create_directory(index_.directory);
    auto writer = this->writer();
    (void)writer->ask("make " + std::to_string(records));
    return writer;
  }
  std::unique_ptr<Process> writer() {
    return std::make_unique<Process>([this] { return changing_writer(set_, labels_, index_); });
  }
  std::unique_ptr<Process> reader() {
    auto process = std::make_unique<Process>(
        [this] { return changing_reader(set_, index_, settings_.queries); });
    (void)process->ask("open");
    return process;
  }
  void say(const std::string& what) const { std::cerr << set_.name << ": " << what << '\n'; }
  void add(const std::string& what, double value, const std::string& unit,
           const std::string& beside = "", double compared = 0) {
    rows_.push_back({what, value, unit, beside, compared});
  }
  static double first(Process& process, const std::string& line) {
    return numbers_of(process.ask(line)).at(0);
  }
  std::size_t half() const { return set_.base.count() / 2; }

  // Durable ones beside puts of the same bytes, in turn; then such that are not durable, and what
  // they leave to be done; then replaces.
  void measure_rates() {
    const auto writer = made(half());
    say("inserts and puts");
    const std::size_t at_once = std::min<std::size_t>(500, half() / 20);
    const std::string durable =
        " " + std::to_string(at_once) + " " + std::to_string(QUIRE_DURABILITY_ALWAYS);
    std::vector<double> inserts;
    std::vector<double> puts;
    for (unsigned turn = 0; turn < kTurns; ++turn) {
      inserts.push_back(static_cast<double>(at_once) / first(*writer, "insert" + durable));
      puts.push_back(static_cast<double>(at_once) / first(*writer, "put" + durable));
    }
    add("durable inserts, one a commit", median(inserts), "/s", "durable puts of the same bytes",
        median(puts));
    (void)writer->ask("flush");
    const std::size_t many = std::min<std::size_t>(20'000, half() / 4);
    const auto absorbed = [&](const std::string& line) {
      const double seconds = first(*writer, line);
      return static_cast<double>(many) / (seconds + first(*writer, "flush"));
    };
    const double inserted =
        absorbed("insert " + std::to_string(many) + " " + std::to_string(QUIRE_DURABILITY_NONE));
    add("inserts that are not durable, linked at the end", inserted, "/s");
    const double replaced = absorbed("replace " + std::to_string(many) + " -1");
    add("time of a replace, linked at the end", 1e6 / replaced, "us", "of an insert",
        1e6 / inserted);
  }

  Curve curve_of(Process& reader) {
    (void)reader.ask("renew");
    Curve curve;
    for (const std::size_t ef : kEfs) {
      const auto numbers = numbers_of(
          reader.ask("search " + std::to_string(ef) + " " + std::to_string(settings_.seconds / 4)));
      curve.points.push_back({.ef = ef,
                              .recall = numbers.at(0),
                              .qps = numbers.at(1),
                              .p50_us = numbers.at(2),
                              .p99_us = numbers.at(3)});
    }
    return curve;
  }
  void compare(const std::string& when, const Curve& now, const Curve& fresh) {
    for (const double recall : kRecalls) {
      std::ostringstream what;
      what << "searches at a recall of " << recall << ", " << when;
      add(what.str(), qps_at(now, recall), "/s", "of an index built anew", qps_at(fresh, recall));
    }
    const auto at = [&](const Curve& curve) {
      return std::ranges::find(curve.points, settings_.ef, &Point::ef);
    };
    if (at(now) != now.points.end())
      add("recall at ef " + std::to_string(settings_.ef) + ", " + when, at(now)->recall, "",
          "of an index built anew", at(fresh)->recall);
  }

  // As many as a fifth of the records, one a commit, and linked.
  void measure_fifth(const std::string& verb, const std::string& how, const std::string& done) {
    const auto writer = made(half());
    say("a fifth is " + done);
    (void)writer->ask(verb + " " + std::to_string(half() / 5) + how);
    (void)writer->ask("flush");
    (void)writer->ask("checkpoint");
    const auto reader = this->reader();
    const Curve after = curve_of(*reader);
    (void)writer->ask("rebuild");
    compare("a fifth of the records " + done, after, curve_of(*reader));
  }

  // Of the file of pages; the log is as long as its checkpoints let it be.
  double file_bytes() const {
    for (const auto& entry : fs::recursive_directory_iterator(index_.directory))
      if (entry.path().filename() == "data") return static_cast<double>(entry.file_size());
    throw std::runtime_error("there is no file of pages in " + index_.directory);
  }

  void measure_rounds(bool by_label) {
    const auto writer = made(half());
    const double fresh_bytes = file_bytes();
    const std::string count = std::to_string(half() / 20);
    for (unsigned round = 0; round < settings_.rounds; ++round) {
      say("round " + std::to_string(round + 1) + (by_label ? " by label" : ""));
      (void)writer->ask("replace " + count + " " +
                        (by_label ? std::to_string(round % 10) : std::string("-1")));
      (void)writer->ask("flush");
      (void)writer->ask("checkpoint");
    }
    const double bytes = file_bytes();
    const auto reader = this->reader();  // now: an older snapshot would hold the pages of its state
    const Curve after = curve_of(*reader);
    (void)writer->ask("rebuild");
    const std::string when = std::to_string(settings_.rounds) + " rounds of a twentieth" +
                             (by_label ? ", each of one label" : "");
    compare(when, after, curve_of(*reader));
    add("file of pages after " + when, bytes / 1e6, "MB", "before them", fresh_bytes / 1e6);
  }

  // Searches in new snapshots while another process commits.
  void measure_beside() {
    const auto writer = made(half());
    const auto one = reader();
    const auto two = reader();
    say("searches beside a writer");
    const std::string seconds = std::to_string(settings_.seconds * 2);
    const std::string fresh = "fresh " + std::to_string(settings_.ef) + " " + seconds;
    const auto stream = [&](double rate) {
      writer->send("stream " + std::to_string(static_cast<int>(rate * settings_.seconds * 2.5)) +
                   " " + std::to_string(static_cast<int>(rate)));
    };
    const auto idle = numbers_of(one->ask(fresh));
    stream(500);
    const auto busy = numbers_of(one->ask(fresh));
    (void)writer->receive();
    (void)writer->ask("flush");
    add("p99 of a search while 500 a second are inserted", busy.at(3), "us", "while none are",
        idle.at(3));
    const std::string checked = "checked " + std::to_string(settings_.ef) + " " + seconds;
    const double alone = first(*one, checked);
    stream(200);
    one->send(checked);
    two->send(checked);
    const auto first_of_two = numbers_of(one->receive());
    const auto second_of_two = numbers_of(two->receive());
    (void)writer->receive();
    add("searches of each of two processes while a third commits",
        std::min(first_of_two.at(0), second_of_two.at(0)), "/s", "of one alone", alone);
    add("answers that were wrong for their snapshot", first_of_two.at(1) + second_of_two.at(1), "");
  }

  // The writer ends with as many records as there are vectors for behind its last checkpoint.
  void measure_kill() {
    const std::size_t many = std::min(settings_.killed, half());
    auto writer = made(set_.base.count() - many);
    say("is killed");
    (void)writer->ask("insert " + std::to_string(many - 1) + " " +
                      std::to_string(QUIRE_DURABILITY_NONE));
    (void)writer->ask("insert 1 " + std::to_string(QUIRE_DURABILITY_ALWAYS));
    writer->kill();
    auto next = this->writer();
    const double opened = first(*next, "open");
    auto process = std::make_unique<Process>(
        [this] { return changing_reader(set_, index_, settings_.queries); });
    const auto searched = numbers_of(process->ask("open"));
    add("from a kill with " + std::to_string(many) + " inserts behind it to the first search",
        opened + searched.at(0), "s");
    add("of its 10 hits are right", searched.at(1), "");
  }

  const DataSet& set_;
  const std::vector<std::uint8_t>& labels_;
  const IndexSettings& index_;
  const ChangeSettings& settings_;
  std::vector<ChangeRow> rows_;
};

}  // namespace

std::vector<ChangeRow> measure_changes(const DataSet& set, const std::vector<std::uint8_t>& labels,
                                       const IndexSettings& index, const ChangeSettings& settings) {
  if (set.base.count() < 1000)
    throw std::runtime_error("changes of " + std::to_string(set.base.count()) +
                             " vectors say little: 1,000 at least");
  return Changes(set, labels, index, settings).run();
}

}  // namespace quire::bench
