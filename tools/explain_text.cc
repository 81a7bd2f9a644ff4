#include "tools/explain_text.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "tools/output.h"
#include "tools/table.h"

namespace quire::tools {
namespace {

using nlohmann::ordered_json;

std::uint64_t number(const ordered_json& object, const char* member) {
  return object.value(member, std::uint64_t{0});
}

std::string seconds(std::uint64_t microseconds) {
  std::array<char, 32> text;
  if (microseconds < 1000) {
    std::snprintf(text.data(), text.size(), "%llu us",
                  static_cast<unsigned long long>(microseconds));
  } else {
    std::snprintf(text.data(), text.size(), "%.1f ms", static_cast<double>(microseconds) / 1000);
  }
  return text.data();
}

class PlanText {
 public:
  std::string take() { return std::move(text_); }

  void plan(const ordered_json& plan) {
    const std::string by = plan.value("by", "");
    if (by == "nothing") {
      line(0, "reads nothing: the filter can't be true");
    } else if (by == "set") {
      line(0, "by a set of record numbers");
      set(1, plan.at("set"));
    } else {
      line(0, path(plan) + ", " + plan.value("direction", ""));
      conditions(1, "answers", plan, "answers");
      if (plan.value("drops_duplicates", false)) line(1, "gives each record once");
    }
    if (plan.contains("sets")) {
      for (const ordered_json& one : plan.at("sets")) {
        line(1, "only records of a set");
        set(2, one);
      }
    }
    conditions(1, "tested on entries", plan, "tested_on_entries");
    conditions(1, "tested on records", plan, "tested_on_records");
    line(1, plan.value("reads_records", false) ? "reads records" : "reads no records");
    if (plan.value("sorts", false)) line(1, "sorts");
  }
  void line(std::size_t depth, const std::string& words) {
    text_ += std::string(2 * depth, ' ') + words + "\n";
  }

 private:
  static std::string path(const ordered_json& path) {
    const std::string by = path.value("by", "");
    if (by == "all") return "by key: all " + count_of(number(path, "entries"), "record");
    const std::string what =
        by == "index" ? "by index " + path.value("index", "") : std::string("by key");
    return what + ": " + count_of(number(path, "ranges"), "range") + " with " +
           format_count(number(path, "entries")) + (by == "index" ? " entries" : " records");
  }
  void set(std::size_t depth, const ordered_json& set) {
    if (set.contains("any_of")) {
      line(depth, "any of");
      for (const ordered_json& member : set.at("any_of")) this->set(depth + 1, member);
    } else {
      line(depth, path(set));
    }
    conditions(depth + 1, "answers", set, "answers");
  }
  void conditions(std::size_t depth, const char* title, const ordered_json& object,
                  const char* member) {
    if (!object.contains(member)) return;
    for (const ordered_json& condition : object.at(member)) {
      line(depth, std::string(title) + ": " + condition.get<std::string>());
    }
  }

  std::string text_;
};

void add_figures(const ordered_json& root, bool ran, PlanText* out) {
  const ordered_json& estimated = root.at("plan").at("estimated");
  const ordered_json& actual = root.at("actual");
  const auto row = [&](const char* title, const std::string& expected, const std::string& done) {
    std::array<char, 96> text;
    std::snprintf(text.data(), text.size(), "%-16s%14s%14s", title, expected.c_str(),
                  ran ? done.c_str() : "");
    std::string words = text.data();
    words.erase(words.find_last_not_of(' ') + 1);
    out->line(0, words);
  };
  const auto figures = [&](const char* title, const char* member) {
    row(title, format_count(number(estimated, member)), format_count(number(actual, member)));
  };
  row("", "estimated", "actual");
  figures("entries read", "entries");
  figures("records read", "records");
  figures("found", "found");
  row("time", seconds(number(estimated, "cost_us")), seconds(number(actual, "time_us")));
  if (!ran) return;
  row("rows", "", format_count(number(actual, "rows")));
  row("memory", "", format_bytes(static_cast<double>(number(actual, "memory_bytes"))));
}

}  // namespace

std::string explain_as_text(std::string_view json, bool ran) {
  const ordered_json root = ordered_json::parse(json);
  PlanText out;
  const std::string filter = root.value("filter", "");
  out.line(0, root.value("collection", "") + (filter.empty() ? "" : ": " + filter));
  out.plan(root.at("plan"));
  if (root.contains("groups")) out.line(1, "groups " + root.at("groups").get<std::string>());
  out.line(0, "");
  add_figures(root, ran, &out);
  return out.take();
}

}  // namespace quire::tools
