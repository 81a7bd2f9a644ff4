#include "tools/record_sink.h"

#include "tools/session.h"
#include "tools/text_codec.h"

namespace quire::tools {
namespace {

// The codes that blame the record and leave the transaction as it was.
bool is_record_fault(int code) {
  switch (code) {
    case QUIRE_ERR_EXISTS:
    case QUIRE_ERR_INVALID:
    case QUIRE_ERR_KEY_SIZE:
    case QUIRE_ERR_VALUE_SIZE:
    case QUIRE_ERR_TYPE:
    case QUIRE_ERR_SCHEMA:
    case QUIRE_ERR_UNIQUE:
    case QUIRE_ERR_CONFLICT:
      return true;
    default:
      return false;
  }
}

// Calls `change`; a record's fault becomes a reason.
template <class Change>
bool try_change(std::string* reason, Change change) {
  try {
    if (change()) return true;
    *reason = "its key is there already (--upsert replaces)";
  } catch (const Error& error) {
    if (!is_record_fault(error.code())) throw;
    *reason = error.what();
  }
  return false;
}

// The bytes of "NAME" or "NAME_hex"; false, and why, when there is neither or it is no text.
bool find_bytes(const Record& record, const std::string& name, std::string* bytes,
                std::string* reason) {
  for (const auto& [field, cell] : record.fields) {
    const bool hex = field == name + "_hex";
    if (field != name && !hex) continue;
    const bool text = cell.kind == CellKind::kText || cell.kind == CellKind::kRaw || cell.raw_null;
    if (!text) {
      *reason = "field '" + field + "' is not a text";
      return false;
    }
    if (!hex) {
      *bytes = cell.text;
      return true;
    }
    auto decoded = from_hex(cell.text);
    if (!decoded) {
      *reason = "field '" + field + "' is not hexadecimal";
      return false;
    }
    *bytes = std::move(*decoded);
    return true;
  }
  *reason = "no field '" + name + "' or '" + name + "_hex'";
  return false;
}

}  // namespace

void CollectionSink::begin(Transaction* txn) {
  collection_ = txn->find_collection(name_);
  if (!collection_) collection_ = create_collection(*txn, name_, schema_);
}

bool CollectionSink::store(const Record& record, std::string* reason) {
  if (!row_.build(record, reason)) return false;
  return try_change(reason, [this] {
    if (!upsert_) return collection_->insert(row_.values());
    collection_->upsert(row_.values());
    return true;
  });
}

void KeyspaceSink::begin(Transaction* txn) { keyspace_ = txn->create_keyspace(name_); }

bool KeyspaceSink::store(const Record& record, std::string* reason) {
  std::string key, value;
  if (!find_bytes(record, "key", &key, reason)) return false;
  if (!find_bytes(record, "value", &value, reason)) return false;
  return try_change(reason, [&] {
    if (!upsert_) return keyspace_->insert(key, value);
    keyspace_->put(key, value);
    return true;
  });
}

}  // namespace quire::tools
