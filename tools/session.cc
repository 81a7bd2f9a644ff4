#include "tools/session.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "tools/failure.h"
#include "tools/text_codec.h"

namespace quire::tools {
namespace {

std::uint32_t durability_of(const std::string& name) {
  if (name == "always") return QUIRE_DURABILITY_ALWAYS;
  if (name == "batch") return QUIRE_DURABILITY_BATCH;
  if (name == "os") return QUIRE_DURABILITY_OS;
  if (name == "none") return QUIRE_DURABILITY_NONE;
  return QUIRE_DURABILITY_DEFAULT;
}

// "; there are: a, b" or "; there are none".
std::string list_names(const std::vector<Named>& list) {
  if (list.empty()) return "; there are none";
  std::string names;
  for (const Named& named : list) names += (names.empty() ? "; there are: " : ", ") + named.name;
  return names;
}

// The library would name the system's error only.
void require_parent_directory(const std::string& db) {
  namespace fs = std::filesystem;
  fs::path path = fs::path(db).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "a/b/" is "a/b"
  const fs::path parent = path.parent_path();
  std::error_code ignored;
  if (parent.empty() || fs::exists(path, ignored) || fs::exists(parent, ignored)) return;
  throw Failure("there is no directory '" + parent.string() + "' to make the database '" + db +
                "' in; make it first");
}

std::shared_ptr<const Rules> copy_rules(const quire_rules& given) {
  const auto rules = std::make_shared<Rules>();
  rules->default_kind = given.default_kind;
  copy_value(given.default_value, &rules->default_value);
  copy_value(given.min, &rules->min);
  copy_value(given.max, &rules->max);
  rules->min_length = given.min_length;
  rules->max_length = given.max_length;
  for (std::size_t i = 0; i < given.one_of_count; ++i) {
    copy_value(given.one_of[i], &rules->one_of.emplace_back());
  }
  if (given.pattern != nullptr) rules->pattern = given.pattern;
  return rules;
}

// What is not there is then something in it.
bool has_database(const std::string& db) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::path(db) / "data", ignored);
}

// The verbs that have --wait.
bool can_wait(const std::string& verb) {
  constexpr std::array<std::string_view, 14> kWriters{
      "create",   "put",    "del",   "drop",   "load",   "batch", "checkpoint",
      "maintain", "schema", "index", "update", "delete", "purge", "shell"};
  return std::find(kWriters.begin(), kWriters.end(), verb) != kWriters.end();
}

}  // namespace

Database open_for_reading(const Arguments& arguments) {
  return Database::open_read_only(arguments.db);
}

Database open_for_writing(const Arguments& arguments, std::uint32_t flags) {
  if ((flags & QUIRE_OPEN_CREATE) != 0) require_parent_directory(arguments.db);
  OpenOptions options;
  options.flags = flags;
  options.page_size = arguments.page_size;
  options.durability = durability_of(arguments.durability);
  // UINT32_MAX would mean for ever.
  const double wait_ms = std::ceil(arguments.wait_seconds * 1000);
  options.busy_timeout_ms = static_cast<std::uint32_t>(std::min(wait_ms, UINT32_MAX - 1.0));
  return Database::open(arguments.db, options);
}

void commit(const Arguments& arguments, Transaction* txn) {
  txn->commit(durability_of(arguments.durability));
}

Collection find_collection(const Transaction& txn, const std::string& name) {
  std::optional<Collection> collection;
  try {
    collection = txn.find_collection(name);
  } catch (const Error& error) {
    if (error.code() != QUIRE_ERR_TYPE) throw;
    throw Failure("'" + name + "' is a keyspace; name it with --keyspace " + name);
  }
  if (!collection) {
    throw Failure("no collection '" + name + "'" + list_names(txn.collections()));
  }
  return *collection;
}

Keyspace find_keyspace(const Transaction& txn, const std::string& name) {
  std::optional<Keyspace> keyspace;
  try {
    keyspace = txn.find_keyspace(name);
  } catch (const Error& error) {
    if (error.code() != QUIRE_ERR_TYPE) throw;
    throw Failure("'" + name + "' is a collection; name it without --keyspace");
  }
  if (!keyspace) throw Failure("no keyspace '" + name + "'" + list_names(txn.keyspaces()));
  return *keyspace;
}

Schema schema_of(const Transaction& txn, const Collection& collection) {
  Schema schema;
  const std::size_t count = collection.field_count();
  for (std::size_t i = 0; i < count; ++i) {
    quire_field given{};
    require(quire_collection_field(txn.handle(), collection.id(), i, &given));
    Field& field = schema.fields.emplace_back();
    field = {given.name,
             static_cast<quire_type>(given.type),
             given.dimension,
             (given.flags & QUIRE_FIELD_NULLABLE) != 0,
             (given.flags & QUIRE_FIELD_KEY) != 0,
             (given.flags & QUIRE_FIELD_TTL) != 0,
             given.id,
             given.rules != nullptr ? copy_rules(*given.rules) : nullptr};
    if (type_name(field.type) == "unknown") {
      throw Failure("field '" + field.name + "' has a type that this program does not know (" +
                    std::to_string(given.type) + ")");
    }
  }
  for (const IndexInfo& index : collection.indexes()) {
    schema.indexes.push_back({index.name, index.kind, index.options.value_or(""), index.entries,
                              index.pages, index.figures.value_or("")});
  }
  return schema;
}

Collection create_collection(const Transaction& txn, const std::string& name,
                             const Schema& schema) {
  const CFields fields(schema);
  quire_collection id = 0;
  require(quire_collection_create(txn.handle(), name.c_str(), fields.data(), fields.size(), &id));
  const Collection collection(txn.handle(), id);
  for (const Index& index : schema.indexes) create_index(txn, collection, index);
  return collection;
}

void create_index(const Transaction& txn, const Collection& collection, const Index& index,
                  quire_progress progress, void* context) {
  quire_index_options options = QUIRE_INDEX_OPTIONS_INIT;
  options.kind = index.kind.c_str();
  options.options = index.options.c_str();
  options.progress = progress;
  options.context = context;
  require(quire_index_create(txn.handle(), collection.id(), index.name.c_str(), &options));
}

std::vector<std::size_t> select_fields(const Schema& schema, const std::string& names) {
  std::vector<std::size_t> selected;
  if (names.empty()) {
    for (std::size_t i = 0; i < schema.fields.size(); ++i) selected.push_back(i);
    return selected;
  }
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    const std::string name = names.substr(begin, end - begin);
    selected.push_back(schema.require_field(name));
    begin = end + 1;
  }
  return selected;
}

void require_words(const Arguments& arguments, std::size_t least, std::size_t most,
                   const std::string& wanted) {
  const std::size_t count = arguments.rest.size();
  if (count >= least && count <= most) return;
  const std::string problem =
      count < least ? "something is missing" : "'" + arguments.rest[most] + "' is one too many";
  throw Failure(problem + ": " + arguments.verb + " wants DB " + wanted + "; see 'quire " +
                arguments.verb + " --help'");
}

void refuse_options(const Arguments& arguments, std::initializer_list<std::string> options,
                    const std::string& why) {
  for (const std::string& option : options) {
    if (arguments.given.contains(option))
      throw Failure(std::string(option).append(" ").append(why));
  }
}

std::optional<Format> format_of(const Arguments& arguments, const std::string& file) {
  return arguments.format.empty() ? format_by_ending(file) : format_by_name(arguments.format);
}

Format text_format_of(const Arguments& arguments, const std::string& file) {
  const Format format = format_of(arguments, file).value_or(Format::kNdjson);
  if (!is_vector_format(format)) return format;
  throw Failure("'" + file +
                "' ends as a file of vectors does, and what is written is text; give " +
                "--format ndjson or csv, or another name");
}

std::string bytes_argument(const Arguments& arguments, const std::string& text) {
  if (!arguments.hex) return text;
  const auto bytes = from_hex(text);
  if (!bytes) throw Failure("'" + text + "' is not hexadecimal: pairs of digits 0-9 and a-f");
  return *bytes;
}

ByteRange byte_range(const Arguments& arguments) {
  ByteRange range;
  if (arguments.has_from) range.from = bytes_argument(arguments, arguments.from);
  if (arguments.has_to) range.to = bytes_argument(arguments, arguments.to);
  if (arguments.has_prefix) range.prefix = bytes_argument(arguments, arguments.prefix);
  return range;
}

std::optional<std::string> prefix_end(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

std::string explain(const Error& error, const Arguments& arguments) {
  const std::string& db = arguments.db;
  std::string sentence = error.what();
  switch (error.code()) {
    case QUIRE_ERR_NOT_FOUND:
      if (arguments.verb == "create" || arguments.verb == "recover" || has_database(db)) {
        return sentence;
      }
      return sentence + "; 'quire create " + db + "' makes a database, 'quire load' loads one";
    case QUIRE_ERR_BUSY:
    case QUIRE_ERR_TIMEOUT:
      return sentence + (can_wait(arguments.verb)
                             ? "; wait with --wait SECONDS, or end that process"
                             : "; try again when it has ended");
    case QUIRE_ERR_NEEDS_RECOVERY:
      return sentence + "; open it as a user who may write to it, with any verb";
    case QUIRE_ERR_TYPE:
      if (sentence.find("parameter $") == std::string::npos || !sentence.ends_with("is text")) {
        return sentence;
      }
      return sentence + "; a text that looks like JSON stands in quotes of its own: '\"5\"'";
    case QUIRE_ERR_FULL:
      return sentence + "; free some space and try again, nothing is lost";
    case QUIRE_ERR_CORRUPT:
    case QUIRE_ERR_TRUNCATED:
    case QUIRE_ERR_LOG_DAMAGED:
    case QUIRE_ERR_WRONG_ID:
      return sentence + "; 'quire check " + db + "' lists all damage";
    default:
      return sentence;
  }
}

}  // namespace quire::tools
