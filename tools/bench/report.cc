#include "tools/bench/report.h"

#include <algorithm>
#include <ctime>

#include "tools/bench/text_table.h"

namespace quire::bench {
namespace {

using nlohmann::json;

constexpr const char* kOwnStore = "quire";

// A metric's median for a store, or "-".
std::string cell(const json& metric, const std::string& store) {
  const json& values = metric.at("values");
  return values.contains(store) ? text::rounded(values.at(store).at("median").get<double>()) : "-";
}

// How many times better Quire is, whichever way better lies.
std::string ratio_cell(const json& metric, const std::string& store) {
  const json& values = metric.at("values");
  if (!values.contains(store) || !values.contains(kOwnStore)) return "-";
  const auto own = values.at(kOwnStore).at("median").get<double>();
  const auto other = values.at(store).at("median").get<double>();
  const bool higher = metric.at("higher_is_better").get<bool>();
  const double numerator = higher ? own : other;
  const double denominator = higher ? other : own;
  return denominator == 0 ? "-" : text::rounded(numerator / denominator) + " x";
}

bool has_values(const json& document, const std::string& store) {
  for (const json& row : document.at("rows")) {
    for (const json& metric : row.at("metrics")) {
      if (metric.at("values").contains(store)) return true;
    }
  }
  return false;
}

text::Table make_table(const json& document) {
  std::vector<std::string> stores;
  bool has_own = false;
  for (const json& store : document.at("stores")) {
    stores.push_back(store.at("name"));
    has_own = has_own || stores.back() == kOwnStore;
  }
  if (has_values(document, kCeilingStore)) stores.emplace_back(kCeilingStore);

  std::vector<text::Table::Column> columns = {{"", text::Align::kLeft},
                                              {"unit", text::Align::kLeft}};
  for (const std::string& store : stores) columns.push_back({store, text::Align::kRight});
  std::vector<std::string> others;
  for (const std::string& store : stores) {
    if (has_own && store != kOwnStore) others.push_back(store);
  }
  for (const std::string& store : others)
    columns.push_back({"quire/" + store, text::Align::kRight});

  text::Table table(columns);
  for (const json& row : document.at("rows")) {
    for (const json& metric : row.at("metrics")) {
      std::vector<std::string> cells = {metric.at("title"), metric.at("unit")};
      for (const std::string& store : stores) cells.push_back(cell(metric, store));
      for (const std::string& store : others) cells.push_back(ratio_cell(metric, store));
      table.add(cells);
    }
  }
  return table;
}

// What one has to know to read the table, a line each.
std::vector<std::string> notes(const json& document) {
  const json& machine = document.at("machine");
  const json& settings = document.at("settings");
  std::vector<std::string> lines = {
      machine.at("processor").get<std::string>() + ", " + machine.at("cores").dump() + " cores, " +
          machine.at("memory").get<std::string>() + ", " + machine.at("kernel").get<std::string>() +
          ", " + machine.at("filesystem").get<std::string>() + ", " +
          document.at("date").get<std::string>(),
      text::grouped(settings.at("keys").get<double>()) + " keys (" +
          settings.at("key_form").get<std::string>() + ") of 16 bytes, values of 100 bytes; " +
          text::rounded(settings.at("seconds").get<double>()) + " s a piece, median of " +
          settings.at("rounds").dump() + "; many threads: " + settings.at("threads").dump()};
  for (const json& store : document.at("stores")) {
    lines.push_back(store.at("title").get<std::string>() + ": " +
                    store.at("settings").get<std::string>());
  }
  lines.emplace_back(
      "quire/…: how many times better Quire is (above 1: better). machine: 4 KiB appended to a "
      "file "
      "written before, and fdatasync");
  return lines;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

}  // namespace

Report::Report(const Settings& settings, const std::vector<const StoreKind*>& kinds) {
  document_["version"] = 1;
  document_["date"] = today();
  document_["machine"] = describe_machine(settings.directory);
  document_["settings"] = {
      {"keys", settings.keys},
      {"seconds", settings.seconds},
      {"rounds", settings.rounds},
      {"threads", settings.threads},
      {"key_form", settings.key_form == KeyForm::kDecimal ? "decimal" : "spread"}};
  document_["stores"] = json::array();
  for (const StoreKind* kind : kinds) {
    document_["stores"].push_back(
        {{"name", kind->name}, {"title", kind->title}, {"settings", kind->settings}});
  }
  document_["rows"] = json::array();
}

json& Report::row_entry(const Row& row) {
  for (json& entry : document_["rows"]) {
    if (entry.at("id") == row.id) return entry;
  }
  json entry = {{"id", row.id}, {"metrics", json::array()}};
  for (const Metric& metric : row.metrics) {
    entry["metrics"].push_back({{"id", metric.id},
                                {"title", metric.title},
                                {"unit", metric.unit},
                                {"higher_is_better", metric.higher_is_better},
                                {"values", json::object()}});
  }
  document_["rows"].push_back(entry);
  return document_["rows"].back();
}

void Report::add(const Row& row, const std::string& store, const Sample& sample) {
  for (json& metric : row_entry(row)["metrics"]) {
    const auto found = sample.find(metric.at("id").get<std::string>());
    if (found == sample.end()) continue;
    json& value = metric["values"][store];
    value["samples"].push_back(found->second);
    value["median"] = median(value.at("samples").get<std::vector<double>>());
  }
}

double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const std::size_t middle = samples.size() / 2;
  return samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

std::string to_text(const json& document) {
  std::string out = make_table(document).to_text();
  out += "\n";
  for (const std::string& line : notes(document)) out += line + "\n";
  return out;
}

std::string to_markdown(const json& document) {
  std::string out = make_table(document).to_markdown();
  out += "\n";
  for (const std::string& line : notes(document)) out += "* " + line + "\n";
  return out;
}

}  // namespace quire::bench
