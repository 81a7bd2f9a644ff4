// The plan of a query as JSON.
#include <cmath>

#include "index/ordered/json_text.h"
#include "index/query/query.h"

namespace quire {
namespace {

// An object or a list that is being written.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& name(std::string_view name) {
    separate();
    append_json_string(name, out_);
    out_ += ": ";
    first_ = true;
    return *this;
  }
  void text(std::string_view value) {
    separate();
    append_json_string(value, out_);
  }
  void number(double value) {
    separate();
    out_ += std::to_string(std::llround(value));
  }
  void truth(bool value) {
    separate();
    out_ += value ? "true" : "false";
  }
  void begin(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
  }
  void end(char bracket) {
    out_ += bracket;
    first_ = false;
  }

 private:
  void separate() {
    if (!first_) out_ += ", ";
    first_ = false;
  }
  std::string& out_;
  bool first_ = true;
};

std::string text_of(const query::Condition& condition) {
  const std::string text = filter::to_text(*condition.node);
  return condition.negated ? "not (" + text + ")" : text;
}

class Explainer {
 public:
  Explainer(std::string& out, const query::Wanted& wanted) : json_(out), wanted_(wanted) {}

  void plan(const query::Plan& plan) {
    json_.begin('{');
    if (plan.nothing) {
      json_.name("by").text("nothing");
    } else if (plan.by_number) {
      json_.name("by").text("set");
      json_.name("set");
      set(plan.set);
    } else {
      path(plan.path);
      json_.name("direction").text(plan.forward ? "forward" : "backward");
    }
    if (!plan.filters.empty()) {
      json_.name("sets").begin('[');
      for (const query::SetPlan& one : plan.filters) set(one);
      json_.end(']');
    }
    conditions("tested_on_entries", plan.entry_tests);
    conditions("tested_on_records", plan.row_tests);
    json_.name("reads_records").truth(plan.reads_rows && !plan.nothing);
    json_.name("sorts").truth(!plan.ordered);
    json_.name("estimated").begin('{');
    json_.name("entries").number(plan.entries);
    json_.name("records").number(plan.rows);
    json_.name("found").number(plan.found);
    json_.name("cost_us").number(plan.cost_us);
    json_.end('}');
    json_.end('}');
  }

  JsonWriter& json() noexcept { return json_; }

 private:
  // Fields of the object around it.
  void path(const query::AccessPath& path) {
    json_.name("by").text(path.index != nullptr ? "index" : path.narrows() ? "key" : "all");
    if (path.index != nullptr) json_.name("index").text(path.index->name());
    json_.name("ranges").number(static_cast<double>(path.ranges.size()));
    json_.name("entries").number(static_cast<double>(path.entries));
    conditions("answers", path.answered);
    if (path.duplicates) json_.name("drops_duplicates").truth(true);
  }
  void set(const query::SetPlan& set) {
    json_.begin('{');
    if (set.members.empty()) {
      path(set.path);
    } else {
      json_.name("any_of").begin('[');
      for (const query::SetPlan& member : set.members) member_of(member);
      json_.end(']');
      conditions("answers", set.answered);
    }
    json_.end('}');
  }
  // What it answers is numbered within its alternative.
  void member_of(const query::SetPlan& member) {
    json_.begin('{');
    if (member.members.empty()) {
      const query::AccessPath& path = member.path;
      json_.name("by").text(path.index != nullptr ? "index" : "key");
      if (path.index != nullptr) json_.name("index").text(path.index->name());
      json_.name("ranges").number(static_cast<double>(path.ranges.size()));
      json_.name("entries").number(static_cast<double>(path.entries));
    } else {
      json_.name("any_of").begin('[');
      for (const query::SetPlan& inner : member.members) member_of(inner);
      json_.end(']');
    }
    json_.end('}');
  }
  void conditions(std::string_view name, std::span<const std::uint32_t> list) {
    if (list.empty()) return;
    json_.name(name).begin('[');
    for (const std::uint32_t condition : list) json_.text(text_of(wanted_.conditions[condition]));
    json_.end(']');
  }

  JsonWriter json_;
  const query::Wanted& wanted_;
};

}  // namespace

std::string Query::explain() const {
  std::string out;
  Explainer explainer(out, wanted_);
  JsonWriter& json = explainer.json();
  json.begin('{');
  json.name("collection").text(collection_.name());
  json.name("filter").text(filter::to_text(filter_->root()));
  json.name("plan");
  explainer.plan(plan_);
  if (prepared_->grouping) {
    const bool hops =
        plan_.ordered && !plan_.nothing && query::can_hop(plan_, *prepared_->grouping);
    json.name("groups").text(prepared_->grouping->terms.empty() ? "whole"
                             : hops                             ? "by rank"
                             : plan_.ordered                    ? "in order"
                                                                : "hashed");
  }
  const query::Figures& figures = budget_.figures();
  json.name("actual").begin('{');
  json.name("entries").number(static_cast<double>(figures.entries));
  json.name("records").number(static_cast<double>(figures.rows));
  json.name("found").number(static_cast<double>(figures.found));
  json.name("rows").number(static_cast<double>(figures.given));
  json.name("memory_bytes").number(static_cast<double>(figures.memory_bytes));
  json.name("time_us").number(static_cast<double>(budget_.elapsed_us()));
  json.end('}');
  json.end('}');
  return out;
}

}  // namespace quire
