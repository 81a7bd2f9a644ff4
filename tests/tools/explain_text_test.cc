#include "tools/explain_text.h"

#include <gtest/gtest.h>

namespace quire::tools {
namespace {

constexpr const char* kFigures =
    R"("estimated": {"entries": 1200, "records": 60, "found": 6, "cost_us": 2500}},
       "actual": {"entries": 1201, "records": 59, "found": 7, "rows": 5, "memory_bytes": 2048,
                  "time_us": 300}})";

std::string text(const std::string& plan, bool ran = true) {
  return explain_as_text(R"({"collection": "c", "filter": "a = 1", "plan": {)" + plan + kFigures,
                         ran);
}

TEST(ExplainText, AnIndexWithWhatItAnswersAndWhatIsTested) {
  EXPECT_EQ(text(R"("by": "index", "index": "by_a", "ranges": 1, "entries": 1200,
                    "answers": ["a = 1"], "drops_duplicates": true, "direction": "backward",
                    "tested_on_entries": ["b > 2"], "tested_on_records": ["c > 3"],
                    "reads_records": true, "sorts": true, )"),
            "c: a = 1\n"
            "by index by_a: 1 range with 1,200 entries, backward\n"
            "  answers: a = 1\n"
            "  gives each record once\n"
            "  tested on entries: b > 2\n"
            "  tested on records: c > 3\n"
            "  reads records\n"
            "  sorts\n"
            "\n"
            "                     estimated        actual\n"
            "entries read             1,200         1,201\n"
            "records read                60            59\n"
            "found                        6             7\n"
            "time                    2.5 ms        300 us\n"
            "rows                                       5\n"
            "memory                               2.0 KiB\n");
}

TEST(ExplainText, SetsWithinSets) {
  EXPECT_NE(text(R"("by": "set", "set": {"any_of": [
                      {"by": "index", "index": "x", "ranges": 2, "entries": 3},
                      {"any_of": [{"by": "key", "ranges": 1, "entries": 1}]}], "answers": ["q"]},
                    "sets": [{"by": "index", "index": "y", "ranges": 1, "entries": 9}],
                    "reads_records": false, )")
                .find("by a set of record numbers\n"
                      "  any of\n"
                      "    by index x: 2 ranges with 3 entries\n"
                      "    any of\n"
                      "      by key: 1 range with 1 records\n"
                      "    answers: q\n"
                      "  only records of a set\n"
                      "    by index y: 1 range with 9 entries\n"
                      "  reads no records\n"),
            std::string::npos);
}

TEST(ExplainText, AllAndNothing) {
  EXPECT_NE(text(R"("by": "all", "ranges": 1, "entries": 60, "direction": "forward", )")
                .find("by key: all 60 records, forward\n"),
            std::string::npos);
  EXPECT_NE(text(R"("by": "nothing", )").find("reads nothing: the filter can't be true\n"),
            std::string::npos);
}

TEST(ExplainText, WhatWasOnlyPlannedHasNoFigures) {
  const std::string planned = text(R"("by": "nothing", )", false);
  EXPECT_EQ(planned.find("1,201"), std::string::npos);
  EXPECT_EQ(planned.find("rows"), std::string::npos);
}

}  // namespace
}  // namespace quire::tools
