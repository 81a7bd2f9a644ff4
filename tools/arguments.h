// The command line, parsed. CLI11 is known to arguments.cc and command_line.h only.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace quire::tools {

// One struct for all verbs; each uses what its help names. Absent: empty, 0, false.
struct Arguments {
  std::string verb;
  std::string db;
  std::vector<std::string> rest;  // what follows DB: names, keys, files
  std::set<std::string> given;    // names of the options that are there: "--json", "-k"
  std::string keyspace;
  bool json = false;

  // Writers.
  std::string durability;   // "always", "batch", "os", "none"
  double wait_seconds = 0;  // for the writer's place
  std::uint32_t page_size = 0;
  std::string schema_file;
  std::string key_field;
  bool no_overwrite = false;

  // Bytes of keyspaces.
  bool hex = false;
  bool raw = false;

  // Ranges.
  std::string from, to, prefix;
  bool has_from = false, has_to = false, has_prefix = false;
  std::uint64_t limit = UINT64_MAX;
  bool reverse = false;
  std::string fields;  // "a,b"

  // Import and export.
  std::string format;         // "ndjson", "npy"; empty: by the file's name
  std::string vector_fields;  // "id,vector", "vector"
  bool upsert = false;
  bool skip_bad = false;
  bool ignore_unknown = false;
  std::uint64_t batch = 1000;
  std::uint64_t infer_records = 1000;
  std::uint64_t from_line = 1;
  std::uint64_t max_line_bytes = 64u << 20;
  std::string write_schema;

  // Recovery.
  bool unverified = false;

  // Search.
  std::string field;
  std::string vector_file;
  std::string literal;
  std::vector<std::string> like, unlike;  // keys
  std::uint32_t k = 10;
  std::string metric;        // of an index of vectors too
  std::string vector_index;  // by which to search
  std::uint32_t ef = 0;      // 0: as the library has it
  double target = 0;         // share of the nearest to be found; 0: none
  bool exact = false;
  std::optional<double> within;
  std::string after;  // "DISTANCE,RECORD,COUNT"
  std::string per;    // a field
  std::uint32_t at_most = 1;
  double diversity = 0;
  std::uint32_t candidates = 0;

  // Queries.
  std::string select, order, group;
  bool distinct = false;
  std::uint64_t offset = 0;
  std::vector<std::string> args;    // of $1, $2
  std::vector<std::string> params;  // "name=value"
  std::string token;                // hexadecimal
  bool give_token = false;
  std::string index;
  bool no_index = false;
  std::uint64_t budget_ms = 0, budget_entries = 0, budget_bytes = 0;  // 0: none
  bool csv = false;
  bool plan_only = false;
  bool all = false;

  // Changes: of one record, under conditions, many at once.
  std::string record;  // its key
  bool has_record = false;
  std::vector<std::string> conditions;  // "FIELD=VALUE", "FIELD:=JSON"
  bool partial = false;
  std::string once;              // idempotency key
  std::uint64_t remember_s = 0;  // 0: as the library has it

  // The shell.
  bool write = false;

  // Indexes.
  std::string index_kind, index_options, where, covering;
  bool unique = false;
  bool ignore_case = false;
};

enum class ParseResult { kRun, kExit };

// kExit: help or an error has been printed, and *exit_code says how to end.
// `words` are those behind the program's name.
ParseResult parse_arguments(const std::vector<std::string>& words, Arguments* arguments,
                            int* exit_code);

}  // namespace quire::tools
