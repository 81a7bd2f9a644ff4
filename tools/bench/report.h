// Results as one JSON document, and tables made from it alone: what a run prints can be printed
// again later from its file.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/bench/rows.h"

namespace quire::bench {

// Collects samples; to_json() has the medians.
class Report {
 public:
  Report(const Settings& settings, const std::vector<const StoreKind*>& kinds);

  void add(const Row& row, const std::string& store, const Sample& sample);
  nlohmann::json to_json() const { return document_; }

 private:
  nlohmann::json& row_entry(const Row& row);

  nlohmann::json document_;
};

// The name under which a row's ceiling, which belongs to no store, is kept.
inline constexpr const char* kCeilingStore = "machine";

double median(std::vector<double> samples);

std::string to_text(const nlohmann::json& document);
std::string to_markdown(const nlohmann::json& document);

}  // namespace quire::bench
