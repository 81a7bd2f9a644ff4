// search: the records whose vectors are nearest to a query.
#include <array>
#include <cstdio>
#include <map>

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

// Borrows from the transaction.
Value stored_vector(const Arguments& arguments, const Collection& collection, const Schema& schema,
                    std::size_t field, const OwnedKey& key) {
  const auto values = collection.get(key.key());
  if (!values) throw Failure("no record '" + bytes_for_table(arguments.like) + "'", kNegative);
  const Value& value = (*values)[field];
  if (is_null(value)) {
    throw Failure("record '" + bytes_for_table(arguments.like) + "' has no '" +
                  schema.fields[field].name + "': it is null");
  }
  return value;
}

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
void query_vector(const Arguments& arguments, const Collection& collection, const Schema& schema,
                  std::size_t index, const OwnedKey& like, OwnedValue* query) {
  const Field& field = schema.fields[index];
  if (arguments.has_like) {
    query->value = stored_vector(arguments, collection, schema, index, like);
    return;
  }
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

std::vector<quire_hit> nearest(const Arguments& arguments, const Transaction& txn,
                               const Collection& collection, std::size_t field,
                               const Value& query) {
  // One more, for the record itself is among its neighbours; it need not be the first of equals.
  constexpr std::uint32_t kMaxK = 1'000'000;
  quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
  options.metric = metric_of(arguments.metric);
  options.field = static_cast<std::uint32_t>(field);
  options.query = &query;
  const QueryRequest among(arguments, arguments.where);
  if (!arguments.where.empty()) options.among = &among.options();
  if (!arguments.vector_index.empty()) options.index = arguments.vector_index.c_str();
  options.ef = arguments.ef;
  options.target = arguments.target;
  if (arguments.exact) options.flags |= QUIRE_SEARCH_EXACT;
  options.k = std::min(kMaxK, arguments.k + (arguments.has_like ? 1 : 0));
  std::vector<quire_hit> hits(options.k);
  std::size_t found = 0;
  require(quire_search(txn.handle(), collection.id(), &options, hits.data(), &found));
  hits.resize(found);
  return hits;
}

std::vector<quire_hit> find_hits(const Arguments& arguments, const Transaction& txn,
                                 const Collection& collection, const Schema& schema,
                                 std::size_t field, const Value& query, const OwnedKey& like) {
  std::vector<quire_hit> hits = nearest(arguments, txn, collection, field, query);
  if (arguments.has_like) {
    const std::string itself = key_json(schema, *collection.get(like.key()));
    std::erase_if(hits, [&](const quire_hit& hit) {
      return key_json(schema, record_of(txn, collection, schema, hit)) == itself;
    });
  }
  if (hits.size() > arguments.k) hits.resize(arguments.k);
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

std::string hit_json(const Schema& schema, double distance, std::size_t rank,
                     const std::vector<Value>& values, const std::vector<std::size_t>& selected) {
  std::string line = "{\"rank\":" + std::to_string(rank) + ",\"distance\":";
  append_json_value(f64_value(distance), &line);
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
  for (std::size_t rank = 0; rank < hits.size(); ++rank) {
    const std::vector<Value> values = record_of(txn, collection, schema, hits[rank]);
    if (arguments.json) {
      output.write(hit_json(schema, hits[rank].distance, rank + 1, values, selected));
      continue;
    }
    std::array<char, 32> distance;
    std::snprintf(distance.data(), distance.size(), "%.6g", hits[rank].distance);
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
  const OwnedKey like = arguments.has_like ? OwnedKey(arguments.like, schema) : OwnedKey();
  OwnedValue query;
  query_vector(arguments, collection, schema, field, like, &query);
  print_hits(arguments, txn, collection, schema,
             find_hits(arguments, txn, collection, schema, field, query.value, like));
  return kDone;
}

}  // namespace quire::tools
