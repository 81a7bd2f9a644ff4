// What the demo says: steps, lines, checks; or one JSON document at the end.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace quire::demo {

// printf into a string.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

class Console {
 public:
  Console(bool quiet, bool json) : quiet_(quiet), json_(json) {}

  void step(std::string_view title);
  void line(std::string_view text);
  void text(std::string_view block);  // several lines, as they are
  // Something that must hold. Said also when quiet, if it does not.
  void check(const std::string& name, bool holds, const std::string& detail);
  // Ends the run with a sentence; returns the exit code: 0 when every check held, else 1.
  int finish(const std::string& directory);

  bool all_hold() const { return failed_ == 0; }
  // Figures for --json, by step.
  nlohmann::json& document() { return document_; }

 private:
  bool says_steps() const { return !quiet_ && !json_; }

  bool quiet_;
  bool json_;
  int steps_ = 0;
  int checks_ = 0;
  int failed_ = 0;
  nlohmann::json document_ = nlohmann::json::object();
};

}  // namespace quire::demo
