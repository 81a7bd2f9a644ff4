// search: the records whose vectors are nearest to a query.
#include <array>
#include <charconv>
#include <cstdio>
#include <deque>
#include <map>
#include <span>

#include "tools/byte_source.h"
#include "tools/convert.h"
#include "tools/failure.h"
#include "tools/output.h"
#include "tools/query_request.h"
#include "tools/session.h"
#include "tools/table.h"
#include "tools/text_codec.h"
#include "tools/value_text.h"
#include "tools/vector_file.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

constexpr std::size_t kMaxVectorFileBytes = 64u << 20;

quire_metric metric_of(const std::string& name) {
  static const std::map<std::string, quire_metric> kMetrics = {
      {"l2", QUIRE_METRIC_L2},           {"ip", QUIRE_METRIC_IP},
      {"cosine", QUIRE_METRIC_COSINE},   {"l1", QUIRE_METRIC_L1},
      {"hamming", QUIRE_METRIC_HAMMING}, {"jaccard", QUIRE_METRIC_JACCARD}};
  const auto found = kMetrics.find(name);
  return found == kMetrics.end() ? QUIRE_METRIC_DEFAULT : found->second;
}

std::size_t vector_field(const Schema& schema, const std::string& name) {
  std::vector<std::size_t> vectors;
  std::string names;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (!is_vector(schema.fields[i].type)) continue;
    vectors.push_back(i);
    names += (names.empty() ? "" : ", ") + schema.fields[i].name;
  }
  if (vectors.empty()) throw Failure("this collection has no vector field to search in");
  if (name.empty()) {
    if (vectors.size() == 1) return vectors[0];
    throw Failure("which vector field? Give --field, one of " + names);
  }
  const auto index = schema.find(name);
  if (!index) throw Failure("unknown field '" + name + "'; vector fields are " + names);
  const Field& field = schema.fields[*index];
  if (is_vector(field.type)) return *index;
  throw Failure("field '" + name + "' is " + std::string(type_name(field.type)) +
                "; vector fields are " + names);
}

// The records of --like or --unlike, which have vectors.
class Examples {
 public:
  Examples(const std::vector<std::string>& given, const Collection& collection,
           const Schema& schema, std::size_t field) {
    for (const std::string& text : given) {
      const OwnedKey& key = keys_.emplace_back(text, schema);
      const auto values = collection.get(key.key());
      if (!values) throw Failure("no record '" + bytes_for_table(text) + "'", kNegative);
      if (is_null((*values)[field])) {
        throw Failure("record '" + bytes_for_table(text) + "' has no '" +
                      schema.fields[field].name + "': it is null");
      }
      examples_.push_back({key.values().data(), key.values().size()});
    }
  }
  std::span<const quire_example> span() const { return examples_; }

 private:
  std::deque<OwnedKey> keys_;
  std::vector<quire_example> examples_;
};

std::vector<float> literal_numbers(const Arguments& arguments, std::size_t dimension) {
  std::vector<float> vector;
  std::string reason;
  if (!parse_vector_text(arguments.literal, &vector, &reason))
    throw Failure("--literal: " + reason);
  if (vector.size() != dimension) {
    throw Failure("--literal has " + std::to_string(vector.size()) +
                  " numbers where the field has dimension " + std::to_string(dimension));
  }
  return vector;
}

// A vector of the field's type.
void query_vector(const Arguments& arguments, const Field& field, OwnedValue* query) {
  const bool file = !arguments.vector_file.empty();
  if (!file && arguments.literal.empty()) {
    throw Failure("what to search for? Give --vector FILE, --literal '[..]' or --like KEY");
  }
  std::vector<float> numbers =
      file ? parse_vector_file(read_whole(arguments.vector_file, kMaxVectorFileBytes),
                               arguments.vector_file, field.dimension)
           : literal_numbers(arguments, field.dimension);
  std::string reason;
  if (value_from_numbers(std::move(numbers), field, query, &reason)) return;
  throw Failure((file ? "'" + arguments.vector_file + "': " : "--literal: ") + reason);
}

// Where --after goes on: the "at" of a hit.
struct At {
  quire_hit hit{};
  std::uint64_t count = 0;  // of hits up to it
};
template <class Number>
bool take_number(std::string_view& text, bool last, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (last) return text.empty();
  if (!text.starts_with(',')) return false;
  text.remove_prefix(1);
  return true;
}
At parse_at(std::string_view text) {
  At at;
  if (take_number(text, false, &at.hit.distance) && take_number(text, false, &at.hit.record) &&
      take_number(text, true, &at.count))
    return at;
  throw Failure("--after is no \"at\" of a hit, such as 0.25,17,10");
}
std::string at_text(const At& at) {
  std::array<char, 80> text;
  std::snprintf(text.data(), text.size(), "%.9g,%llu,%llu", at.hit.distance,
                static_cast<unsigned long long>(at.hit.record),
                static_cast<unsigned long long>(at.count));
  return text.data();
}

// What says how a filter is answered says nothing without one.
void check_filter(const Arguments& arguments) {
  if (!arguments.where.empty()) return;
  if (!arguments.args.empty() || !arguments.params.empty() || !arguments.index.empty() ||
      arguments.no_index || arguments.budget_ms != 0 || arguments.budget_entries != 0 ||
      arguments.budget_bytes != 0) {
    throw Failure(
        "--arg, --param, --where-index, --no-index and --budget-... are for the filter of --where; "
        "--exact searches by no index");
  }
}

std::vector<Value> record_of(const Transaction& txn, const Collection& collection,
                             const Schema& schema, const quire_hit& hit) {
  std::vector<Value> values(schema.fields.size());
  require(quire_record_get_number(txn.handle(), collection.id(), hit.record, values.data(),
                                  values.size()));
  return values;
}

std::string key_text(const Schema& schema, const std::vector<Value>& values) {
  std::string text;
  for (const std::size_t i : schema.key_fields()) {
    text += text.empty() ? "" : ", ";
    text += value_for_table(values[i]);
  }
  return text;
}

// A value, or an array of those of a key with several fields.
std::string key_json(const Schema& schema, const std::vector<Value>& values) {
  const auto keys = schema.key_fields();
  std::string json = keys.size() > 1 ? "[" : "";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) json += ',';
    append_json_value(values[keys[i]], &json);
  }
  return keys.size() > 1 ? json + "]" : json;
}

// What a search is asked for but its query. Borrows the arguments.
class SearchRequest {
 public:
  SearchRequest(const Arguments& arguments, const Schema& schema, std::size_t field)
      : among_(arguments, arguments.where) {
    options_.metric = metric_of(arguments.metric);
    options_.field = static_cast<std::uint32_t>(field);
    options_.k = arguments.k;
    if (!arguments.where.empty()) options_.among = &among_.options();
    if (!arguments.vector_index.empty()) options_.index = arguments.vector_index.c_str();
    options_.ef = arguments.ef;
    options_.target = arguments.target;
    if (arguments.exact) options_.flags |= QUIRE_SEARCH_EXACT;
    if (arguments.within) {
      options_.flags |= QUIRE_SEARCH_WITHIN;
      options_.max_distance = *arguments.within;
    }
    if (!arguments.after.empty()) {
      after_ = parse_at(arguments.after);
      options_.after = &after_.hit;
      options_.after_count = after_.count;
    }
    if (!arguments.per.empty()) {
      const auto group = schema.find(arguments.per);
      if (!group) throw Failure("unknown field '" + arguments.per + "' of --per");
      options_.group_field = static_cast<std::uint32_t>(*group);
      options_.per_group = arguments.at_most;
    }
    options_.diversity = arguments.diversity;
    options_.candidates = arguments.candidates;
  }
  SearchRequest(const SearchRequest&) = delete;
  SearchRequest& operator=(const SearchRequest&) = delete;
  quire_search_options& options() { return options_; }

 private:
  QueryRequest among_;
  At after_;
  quire_search_options options_ = QUIRE_SEARCH_OPTIONS_INIT;
};

std::vector<quire_hit> find_hits(const Arguments& arguments, const Transaction& txn,
                                 const Collection& collection, const Schema& schema,
                                 std::size_t field) {
  SearchRequest request(arguments, schema, field);
  quire_search_options& options = request.options();
  const Examples like(arguments.like, collection, schema, field);
  const Examples unlike(arguments.unlike, collection, schema, field);
  OwnedValue query;
  if (arguments.like.empty()) {
    query_vector(arguments, schema.fields[field], &query);
    options.query = &query.value;
  } else {
    options.like = like.span().data();
    options.like_count = like.span().size();
    options.unlike = unlike.span().data();
    options.unlike_count = unlike.span().size();
  }
  std::vector<quire_hit> hits(options.k);
  std::size_t found = 0;
  require(quire_search(txn.handle(), collection.id(), &options, hits.data(), &found));
  hits.resize(found);
  return hits;
}

// All fields but vectors, which say nothing to a person, unless --fields names them.
std::vector<std::size_t> shown_fields(const Arguments& arguments, const Schema& schema) {
  auto selected = select_fields(schema, arguments.fields);
  if (arguments.fields.empty()) {
    std::erase_if(selected, [&](std::size_t i) { return is_vector(schema.fields[i].type); });
  }
  return selected;
}

std::string hit_json(const Schema& schema, const At& at, const std::vector<Value>& values,
                     const std::vector<std::size_t>& selected) {
  std::string line = "{\"rank\":" + std::to_string(at.count) + ",\"distance\":";
  append_json_value(f64_value(at.hit.distance), &line);
  line += ",\"at\":\"" + at_text(at) + "\"";
  line += ",\"key\":" + key_json(schema, values) + ",\"record\":";
  append_json_record(schema, values, selected, &line);
  return line + "}\n";
}

void print_hits(const Arguments& arguments, const Transaction& txn, const Collection& collection,
                const Schema& schema, const std::vector<quire_hit>& hits) {
  const auto selected = shown_fields(arguments, schema);
  std::vector<Column> columns{{"distance", true}, {schema.key_names()}};
  for (const std::size_t i : selected) {
    if (schema.fields[i].key) continue;
    columns.push_back({schema.fields[i].name, is_numeric(schema.fields[i].type)});
  }
  Output output;
  TablePrinter table(std::move(columns), &output, terminal_width());
  std::uint64_t rank = arguments.after.empty() ? 0 : parse_at(arguments.after).count;
  for (const quire_hit& hit : hits) {
    const std::vector<Value> values = record_of(txn, collection, schema, hit);
    ++rank;
    if (arguments.json) {
      output.write(hit_json(schema, {hit, rank}, values, selected));
      continue;
    }
    std::array<char, 32> distance;
    std::snprintf(distance.data(), distance.size(), "%.6g", hit.distance);
    std::vector<std::string> row{distance.data(), key_text(schema, values)};
    for (const std::size_t i : selected) {
      if (!schema.fields[i].key) row.push_back(value_for_table(values[i]));
    }
    table.add(std::move(row));
  }
  if (!arguments.json) table.finish();
  output.finish();
}

}  // namespace

int run_search(const Arguments& arguments) {
  require_words(arguments, 1, 1,
                "COLLECTION --field F (--vector FILE | --literal '[..]' | --like KEY)");
  check_filter(arguments);
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  const Collection collection = find_collection(txn, arguments.rest[0]);
  const Schema schema = schema_of(txn, collection);
  const std::size_t field = vector_field(schema, arguments.field);
  print_hits(arguments, txn, collection, schema,
             find_hits(arguments, txn, collection, schema, field));
  return kDone;
}

}  // namespace quire::tools
