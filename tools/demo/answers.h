// The questions that the demo puts to the finished database, and the tables of answers.
#pragma once

#include <string>

#include "tools/demo/console.h"
#include "tools/demo/store.h"

namespace quire::demo {

class Answers {
 public:
  Answers(Console& console, Database& database, const Featurizer& featurizer)
      : console_(console), database_(database), featurizer_(featurizer) {}

  // The records nearest to one that is stored, by its vector.
  void like(const std::string& name);
  // The records nearest to a text.
  void text(const std::string& question);
  // The same among those of one section: a scan with a condition, in the order of distance.
  void text_in_section(const std::string& question, const std::string& section);

 private:
  struct Row {
    double distance;
    std::string key;
  };
  void print(const Transaction& transaction, const std::vector<Row>& rows);
  std::vector<Row> search(const Transaction& transaction, const Vector& query, std::uint32_t k);

  Console& console_;
  Database& database_;
  const Featurizer& featurizer_;
};

// The first of some well-known names that is among the packages, else the first package.
std::string well_known_name(const Load& load);
// "database" where there is such a section, else the section with most packages; may be empty.
std::string well_known_section(const Load& load);

}  // namespace quire::demo
