#include "capi/handles.h"
#include "engine/record/batch_memory.h"
#include "engine/record/collection_change.h"

using namespace quire;
using namespace quire::capi;

namespace {

constexpr std::uint32_t kFieldFlags = QUIRE_FIELD_NULLABLE | QUIRE_FIELD_KEY | QUIRE_FIELD_TTL;

Result<OwnedValue> owned(const quire_value& given) {
  QUIRE_TRY(const Value value, value_of(given));
  if (is_vector(value.type) || value.type == FieldType::kDefault)
    return fail(ErrorCode::kType, "a rule has a value of type %.*s",
                static_cast<int>(type_name(value.type).size()), type_name(value.type).data());
  return OwnedValue(value);
}

Result<FieldRules> rules_of(const quire_rules* given) {
  FieldRules rules;
  if (given == nullptr) return rules;
  quire_rules known;
  if (given->size < sizeof(size_t))
    return fail(ErrorCode::kInvalid, "rules have no size: initialize them with QUIRE_RULES_INIT");
  if (read_options(given, known, "rules") != QUIRE_OK)
    return fail(ErrorCode::kInvalid, "rules that this library does not know");
  // Of what a shorter struct lacks, this alone does not mean "none" where it is 0.
  if (given->size < offsetof(quire_rules, max_length) + sizeof known.max_length)
    known.max_length = UINT64_MAX;
  if (known.default_kind > QUIRE_DEFAULT_VERSION || known.reserved != 0)
    return fail(ErrorCode::kInvalid, "default_kind is not a QUIRE_DEFAULT_*");
  rules.default_kind = static_cast<DefaultKind>(known.default_kind);
  QUIRE_TRY(rules.default_value, owned(known.default_value));
  QUIRE_TRY(rules.min, owned(known.min));
  QUIRE_TRY(rules.max, owned(known.max));
  if (known.min_length != 0) rules.min_length = known.min_length;
  if (known.max_length != UINT64_MAX) rules.max_length = known.max_length;
  if (known.one_of == nullptr && known.one_of_count != 0)
    return fail(ErrorCode::kInvalid, "one_of is NULL");
  for (std::size_t i = 0; i < known.one_of_count; ++i) {
    QUIRE_TRY(OwnedValue one, owned(known.one_of[i]));
    rules.one_of.push_back(std::move(one));
  }
  if (known.pattern != nullptr) {
    QUIRE_TRY(rules.pattern, Pattern::compile(known.pattern));
  }
  return rules;
}

Result<Field> field_of(const quire_field& given, std::size_t place) {
  if (given.name == nullptr) return fail(ErrorCode::kInvalid, "field %zu has no name", place);
  if (given.type > 255 || !is_known_type(static_cast<std::uint8_t>(given.type)))
    return fail(ErrorCode::kType, "field '%s': %u is not a QUIRE_TYPE_* of a field", given.name,
                given.type);
  if ((given.flags & ~kFieldFlags) != 0)
    return fail(ErrorCode::kInvalid, "field '%s': unknown flags", given.name);
  auto rules = rules_of(given.rules);
  if (!rules)
    return fail(rules.error().code(), "field '%s': %s", given.name,
                rules.error().message().c_str());
  return Field{.name = given.name,
               .type = static_cast<FieldType>(given.type),
               .nullable = (given.flags & QUIRE_FIELD_NULLABLE) != 0,
               .dimension = given.dimension,
               .rules = *std::move(rules),
               .ttl = (given.flags & QUIRE_FIELD_TTL) != 0,
               .id = given.id};
}

struct GivenFields {
  std::vector<Field> fields;
  std::vector<std::size_t> key;
};

Result<GivenFields> fields_of(const quire_field* given, std::size_t count) {
  GivenFields made;
  if (given == nullptr) return fail(ErrorCode::kInvalid, "fields is NULL");
  if (count > kMaxFields)
    return fail(ErrorCode::kInvalid, "schema: %zu fields, must be 1 to %zu", count, kMaxFields);
  for (std::size_t i = 0; i < count; ++i) {
    QUIRE_TRY(Field field, field_of(given[i], i));
    made.fields.push_back(std::move(field));
    if ((given[i].flags & QUIRE_FIELD_KEY) != 0) made.key.push_back(i);
  }
  if (made.key.empty()) return fail(ErrorCode::kInvalid, "no field is the key (QUIRE_FIELD_KEY)");
  return made;
}

Result<Schema> new_schema(const quire_field* given, std::size_t count) {
  QUIRE_TRY(GivenFields made, fields_of(given, count));
  for (const Field& field : made.fields)
    if (field.id != 0)
      return fail(ErrorCode::kInvalid, "field '%s': a new collection's fields have no ids",
                  field.name.c_str());
  return Schema::make(std::move(made.fields), made.key);
}

PublicRules public_rules(const FieldRules& rules) {
  PublicRules out;
  out.rules = QUIRE_RULES_INIT;
  out.rules.default_kind = static_cast<std::uint32_t>(rules.default_kind);
  out.rules.default_value = public_value(rules.default_value.view());
  out.rules.min = public_value(rules.min.view());
  out.rules.max = public_value(rules.max.view());
  out.rules.min_length = rules.min_length.value_or(0);
  out.rules.max_length = rules.max_length.value_or(UINT64_MAX);
  for (const OwnedValue& one : rules.one_of) out.one_of.push_back(public_value(one.view()));
  out.rules.one_of = out.one_of.empty() ? nullptr : out.one_of.data();
  out.rules.one_of_count = out.one_of.size();
  if (rules.pattern) out.rules.pattern = rules.pattern.expression().c_str();
  return out;
}

// The rules of a field, or nullptr where it has none; kept as long as the collection is open.
const quire_rules* kept_rules(OpenCollection& opened, std::size_t field) {
  const FieldRules& rules = opened.reader.collection().schema().field(field).rules;
  if (rules == FieldRules()) return nullptr;
  opened.rules.resize(opened.reader.collection().schema().size());
  auto& kept = opened.rules[field];
  if (kept == nullptr) kept = std::make_unique<PublicRules>(public_rules(rules));
  return &kept->rules;
}

std::string described(const Field& field, bool is_key) {
  std::string text(type_name(field.type));
  if (is_vector(field.type)) text.append("(").append(std::to_string(field.dimension)).append(")");
  if (field.nullable) text += ", may be null";
  if (is_key) text += ", of the key";
  if (field.ttl) text += ", when the record's time is over";
  return text;
}

// A line for each difference between what is expected and what is there.
std::string difference(const Schema& there, const GivenFields& expected,
                       std::span<const quire_field> given) {
  std::string lines;
  std::size_t keys = 0;
  for (std::size_t i = 0; i < expected.fields.size(); ++i) {
    const Field& wanted = expected.fields[i];
    const bool wanted_key = (given[i].flags & QUIRE_FIELD_KEY) != 0;
    keys += wanted_key ? 1 : 0;
    const std::size_t found = there.find(wanted.name);
    const std::string then = described(wanted, wanted_key);
    const std::string now = found == there.size()
                                ? "there is no such field"
                                : "is " + described(there.field(found), there.is_key(found));
    if (now != "is " + then) {
      lines.append("\n  ").append(wanted.name).append(": expected ").append(then);
      lines.append(", ").append(now);
    }
    if (found != there.size() && given[i].rules != nullptr &&
        wanted.rules != there.field(found).rules)
      lines.append("\n  ").append(wanted.name).append(": its default or its checks are others");
  }
  if (lines.empty() && keys != there.key().size())
    lines += "\n  the key has " + std::to_string(there.key().size()) + " fields, expected " +
             std::to_string(keys);
  return lines;
}

}  // namespace

Result<OpenCollection*> quire::capi::open_collection(quire_txn* txn, quire_collection id) {
  const auto found = txn->collections.find(id);
  if (found != txn->collections.end()) return found->second.get();
  QUIRE_TRY(Collection collection,
            Collection::open(txn->view(), id, &txn->db->shared->definitions));
  auto made = std::make_unique<OpenCollection>(txn->view(), std::move(collection));
  return txn->collections.emplace(id, std::move(made)).first->second.get();
}

ReportProgress quire::capi::progress_of(quire_progress progress, void* context) {
  if (progress == nullptr) return {};
  return [progress, context](std::uint64_t done, std::uint64_t total) {
    return progress(context, done, total) == 0;
  };
}

extern "C" {

int quire_collection_create(quire_txn* txn, const char* name, const quire_field* fields,
                            size_t field_count, quire_collection* collection) {
  TxnCall call(txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  if (name == nullptr || fields == nullptr || collection == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_collection_create: name, fields or collection is NULL");
  return guarded_change(txn, [&]() -> int {
    const auto schema = new_schema(fields, field_count);
    if (!schema) return report(schema.error());
    const auto made = Collection::create(*txn->write, name, *schema, index_kinds());
    if (!made) return report(made.error());
    *collection = made->id();
    return QUIRE_OK;
  });
}

int quire_collection_drop(quire_txn* txn, quire_collection collection) {
  return redefine_collection(txn, collection, [&](const Collection& opened) -> Result<Collection> {
    QUIRE_CHECK(opened.drop(*txn->write));
    QUIRE_CHECK(forget_batches_of(*txn->write, collection));
    return opened;
  });
}

int quire_collection_rename(quire_txn* txn, quire_collection collection, const char* name) {
  if (name == nullptr) return report(QUIRE_ERR_INVALID, "quire_collection_rename: name is NULL");
  return redefine_collection(txn, collection, [&](const Collection& opened) {
    return rename_collection(*txn->write, opened, name, index_kinds());
  });
}

int quire_collection_change(quire_txn* txn, quire_collection collection, const quire_field* fields,
                            size_t field_count, quire_progress progress, void* context) {
  return redefine_collection(txn, collection, [&](const Collection& opened) -> Result<Collection> {
    QUIRE_TRY(GivenFields given, fields_of(fields, field_count));
    for (const std::size_t key : given.key) {
      const std::size_t now = opened.schema().find_id(given.fields[key].id);
      if (now == opened.schema().size() || !opened.schema().is_key(now))
        return opened.failure(ErrorCode::kInvalid, "field '" + given.fields[key].name +
                                                       "' can't become part of the key");
    }
    return change_fields(*txn->write, opened, std::move(given.fields), index_kinds(),
                         progress_of(progress, context));
  });
}

int quire_collection_rewrite(quire_txn* txn, quire_collection collection, quire_progress progress,
                             void* context) {
  return redefine_collection(txn, collection, [&](const Collection& opened) {
    return rewrite_rows(*txn->write, opened, index_kinds(), progress_of(progress, context));
  });
}

int quire_collection_expect(quire_txn* txn, quire_collection collection, const quire_field* fields,
                            size_t field_count) {
  return read_collection(txn, collection, [&](OpenCollection& opened) -> int {
    const auto expected = fields_of(fields, field_count);
    if (!expected) return report(expected.error());
    const Collection& found = opened.reader.collection();
    const std::string lines = difference(found.schema(), *expected, {fields, field_count});
    if (lines.empty()) return QUIRE_OK;
    return report(
        found.failure(ErrorCode::kSchema, "its fields are not those expected:" + lines).error());
  });
}

int quire_collection_version(quire_txn* txn, quire_collection collection, uint32_t* newest,
                             uint32_t* oldest) {
  if (newest == nullptr || oldest == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_collection_version: newest or oldest is NULL");
  return read_collection(txn, collection, [&](OpenCollection& opened) -> int {
    const Schema& schema = opened.reader.collection().schema();
    *newest = schema.version();
    *oldest = schema.layouts().front().version();
    return QUIRE_OK;
  });
}

int quire_collection_field_count(quire_txn* txn, quire_collection collection, size_t* field_count) {
  if (field_count == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_collection_field_count: field_count is NULL");
  return read_collection(txn, collection, [&](OpenCollection& opened) -> int {
    *field_count = opened.reader.collection().schema().size();
    return QUIRE_OK;
  });
}

int quire_collection_field(quire_txn* txn, quire_collection collection, size_t index,
                           quire_field* field) {
  if (field == nullptr) return report(QUIRE_ERR_INVALID, "quire_collection_field: field is NULL");
  return read_collection(txn, collection, [&](OpenCollection& opened) -> int {
    const Collection& found = opened.reader.collection();
    const Schema& schema = found.schema();
    if (index >= schema.size())
      return report(Error(ErrorCode::kNotFound,
                          "collection '" + found.name() + "' has " + std::to_string(schema.size()) +
                              " fields, none with index " + std::to_string(index)));
    const Field& described = schema.field(index);
    *field = {};
    field->name = described.name.c_str();
    field->type = static_cast<std::uint32_t>(described.type);
    field->flags = (described.nullable ? std::uint32_t{QUIRE_FIELD_NULLABLE} : 0u) |
                   (schema.is_key(index) ? std::uint32_t{QUIRE_FIELD_KEY} : 0u) |
                   (described.ttl ? std::uint32_t{QUIRE_FIELD_TTL} : 0u);
    field->dimension = described.dimension;
    field->id = described.id;
    field->rules = kept_rules(opened, index);
    return QUIRE_OK;
  });
}

int quire_set_key_function(quire_db* db, const char* collection, quire_key_function function,
                           void* context) {
  if (const int code = check_db(db); code != QUIRE_OK) return code;
  if (collection == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_set_key_function: collection is NULL");
  return guarded([&]() -> int {
    SharedDatabase& shared = *db->shared;
    const std::scoped_lock lock(shared.key_mutex);
    if (function == nullptr) {
      shared.key_functions.erase(std::string(collection));
    } else {
      shared.key_functions.insert_or_assign(collection, KeyFunction{function, context});
    }
    return QUIRE_OK;
  });
}

}  // extern "C"
