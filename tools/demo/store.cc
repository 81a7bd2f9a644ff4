#include "tools/demo/store.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace quire::demo {
namespace {

constexpr std::string_view kProgressKey = "newest";

std::size_t index_of(PackageField field) { return static_cast<std::size_t>(field); }

// Borrows from both.
std::array<Value, kFieldCount> to_values(const Package& package, const Vector& vector) {
  return {text_value(package.name),
          text_value(package.version),
          text_value(package.section),
          text_value(package.priority),
          package.installed_size_kib ? i64_value(*package.installed_size_kib) : null_value(),
          text_value(package.maintainer),
          text_value(package.summary),
          text_value(package.description),
          vector_value(vector)};
}

bool equal_values(const Value& a, const Value& b) {
  if (a.type != b.type) return false;
  if (a.type == QUIRE_TYPE_NULL) return true;
  if (a.type == QUIRE_TYPE_I64) return a.as.i64 == b.as.i64;
  if (a.type == QUIRE_TYPE_TEXT) return as_text(a) == as_text(b);
  return a.dimension == b.dimension &&
         std::memcmp(a.as.vector, b.as.vector, a.dimension * sizeof(float)) == 0;
}

std::string to_note(const Progress& progress) {
  return std::to_string(progress.batches) + " " + std::to_string(progress.records);
}

Progress from_note(std::string_view note) {
  Progress progress;
  const char* const begin = note.data();
  const char* const end = begin + note.size();
  const auto batches = std::from_chars(begin, end, progress.batches);
  if (batches.ec != std::errc() || batches.ptr == end ||
      std::from_chars(batches.ptr + 1, end, progress.records).ptr != end) {
    throw std::runtime_error("the note of progress is damaged: " + std::string(note));
  }
  return progress;
}

}  // namespace

std::size_t Load::batch_begin(std::size_t batch) const {
  return std::min(batch * batch_size, packages.size());
}

void create_schema(Database& database) {
  const std::array<Field, kFieldCount> fields = {{
      {"name", QUIRE_TYPE_TEXT, 0, false, true},
      {"version", QUIRE_TYPE_TEXT, 0, false, false},
      {"section", QUIRE_TYPE_TEXT, 0, false, false},
      {"priority", QUIRE_TYPE_TEXT, 0, false, false},
      {"installed_size", QUIRE_TYPE_I64, 0, true, false},
      {"maintainer", QUIRE_TYPE_TEXT, 0, false, false},
      {"summary", QUIRE_TYPE_TEXT, 0, false, false},
      {"description", QUIRE_TYPE_TEXT, 0, false, false},
      {"embedding", QUIRE_TYPE_VECTOR_F32, kDimension, false, false},
  }};
  Transaction transaction = database.write();
  const Collection packages = transaction.create_collection(kCollectionName, fields);
  quire_index_options by_size = QUIRE_INDEX_OPTIONS_INIT;
  by_size.options = R"({"fields": ["installed_size"]})";
  require(quire_index_create(transaction.handle(), packages.id(), "by_size", &by_size));
  transaction.create_keyspace(kKeyspaceName).put(kProgressKey, to_note({}));
  transaction.commit(QUIRE_DURABILITY_ALWAYS);
}

void commit_batch(Database& database, const Load& load, std::size_t batch) {
  Transaction transaction = database.write();
  Collection packages = packages_of(transaction);
  const std::size_t end = load.batch_begin(batch + 1);
  for (std::size_t i = load.batch_begin(batch); i < end; ++i) {
    if (!packages.insert(to_values(load.packages[i], load.vectors[i]))) {
      throw std::runtime_error("already there before it was inserted: " + load.packages[i].name);
    }
  }
  transaction.create_keyspace(kKeyspaceName)
      .put(kProgressKey, to_note({static_cast<std::uint32_t>(batch + 1), end}));
  transaction.commit(QUIRE_DURABILITY_ALWAYS);
}

Collection packages_of(const Transaction& transaction) {
  const std::optional<Collection> found = transaction.find_collection(kCollectionName);
  if (!found) throw std::runtime_error("the collection of packages is not there");
  return *found;
}

Progress progress_of(const Transaction& transaction) {
  const std::optional<Keyspace> keyspace = transaction.find_keyspace(kKeyspaceName);
  if (!keyspace) throw std::runtime_error("the keyspace of progress is not there");
  const std::optional<std::string_view> note = keyspace->get(kProgressKey);
  if (!note) throw std::runtime_error("the note of progress is not there");
  return from_note(*note);
}

std::string_view text_of(std::span<const Value> values, PackageField field) {
  return as_text(values[index_of(field)]);
}

std::optional<std::int64_t> size_of(std::span<const Value> values) {
  const Value& size = values[index_of(PackageField::kInstalledSize)];
  if (is_null(size)) return std::nullopt;
  return size.as.i64;
}

bool equals(std::span<const Value> values, const Package& package, const Vector& vector) {
  const std::array<Value, kFieldCount> expected = to_values(package, vector);
  return values.size() == expected.size() &&
         std::equal(values.begin(), values.end(), expected.begin(), equal_values);
}

}  // namespace quire::demo
