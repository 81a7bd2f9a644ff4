#include "capi/handles.h"

using namespace quire;
using namespace quire::capi;

namespace {

int check_key_argument(const void* key, size_t key_size) noexcept {
  if (key == nullptr && key_size != 0) return report(QUIRE_ERR_INVALID, "the key is NULL");
  return QUIRE_OK;
}

std::optional<Bytes> bound_of(const quire_slice* slice) noexcept {
  if (slice == nullptr || (slice->data == nullptr && slice->size == 0)) return std::nullopt;
  return bytes_of(slice->data, slice->size);
}

Result<std::uint64_t> rank_of(View& view, const TreeRoot& root, const std::optional<Bytes>& bound,
                              std::uint64_t unbounded) {
  if (!bound) return unbounded;
  return tree_rank(view.reader(), root, *bound);
}

}  // namespace

extern "C" {

int quire_keyspace_open(quire_txn* txn, const char* name, uint32_t flags,
                        quire_keyspace* keyspace) {
  TxnCall call(txn, (flags & (QUIRE_CREATE | QUIRE_MUST_CREATE)) != 0);
  if (call.code() != QUIRE_OK) return call.code();
  if (name == nullptr || keyspace == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_keyspace_open: name or keyspace is NULL");
  if ((flags & ~static_cast<std::uint32_t>(QUIRE_CREATE | QUIRE_MUST_CREATE)) != 0)
    return report(QUIRE_ERR_INVALID, "quire_keyspace_open: flags has unknown bits");
  const auto open = [&]() -> int {
    if (auto valid = check_name(name, "keyspace"); !valid) return report(valid.error());
    const auto found = txn->view().find_name(name);
    if (!found) return report(found.error());
    if (!*found) {
      if (flags == 0)
        return report(
            Error(ErrorCode::kNotFound, "there is no keyspace '" + std::string(name) + "'"));
      const auto made = txn->write->create_keyspace(name);
      if (!made) return report(made.error());
      *keyspace = *made;
      return QUIRE_OK;
    }
    if ((*found)->kind != NameKind::kKeyspace)
      return report(Error(ErrorCode::kType, "'" + std::string(name) + "' is a collection"));
    if ((flags & QUIRE_MUST_CREATE) != 0)
      return report(
          Error(ErrorCode::kExists, "keyspace '" + std::string(name) + "' is there already"));
    *keyspace = (*found)->id;
    return QUIRE_OK;
  };
  return flags == 0 ? guarded(open) : guarded_change(txn, open);
}

int quire_keyspace_drop(quire_txn* txn, quire_keyspace keyspace) {
  TxnCall call(txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded_change(txn, [&]() -> int {
    const auto status = txn->write->drop_keyspace(keyspace);
    return status ? QUIRE_OK : report(status.error());
  });
}

int quire_keyspace_list(quire_txn* txn,
                        int (*visit)(void* context, const char* name, quire_keyspace keyspace,
                                     uint64_t entries),
                        void* context) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (visit == nullptr) return report(QUIRE_ERR_INVALID, "quire_keyspace_list: visit is NULL");
  return guarded([&]() -> int {
    const auto list = [&]() -> Status {
      View& view = txn->view();
      TreeCursor cursor(&view.reader(), view.catalog_root());
      QUIRE_CHECK(cursor.seek(name_key("")));
      std::vector<std::pair<std::string, NameEntry>> names;
      while (cursor.valid() && static_cast<char>(cursor.key()[0]) == 'n') {
        std::string name(as_text(cursor.key().subspan(1)));
        QUIRE_TRY(const Bytes value, cursor.value());
        QUIRE_TRY(const NameEntry entry, NameEntry::decode(value, name));
        if (entry.kind == NameKind::kKeyspace && !is_internal_name(name))
          names.emplace_back(std::move(name), entry);
        QUIRE_CHECK(cursor.next());
      }
      for (const auto& [name, entry] : names) {
        QUIRE_TRY(const TreeRoot root, view.keyspace_root(entry.id));
        if (visit(context, name.c_str(), entry.id, root.count()) != 0) break;
      }
      return {};
    };
    const auto status = list();
    return status ? QUIRE_OK : report(status.error());
  });
}

int quire_put(quire_txn* txn, quire_keyspace keyspace, const void* key, size_t key_size,
              const void* value, size_t value_size, uint32_t flags) {
  TxnCall call(txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  if (const int code = check_key_argument(key, key_size); code != QUIRE_OK) return code;
  if (value == nullptr && value_size != 0) return report(QUIRE_ERR_INVALID, "the value is NULL");
  TreeWriter::PutMode mode = TreeWriter::PutMode::kUpsert;
  if (flags == QUIRE_NO_OVERWRITE) {
    mode = TreeWriter::PutMode::kInsert;
  } else if (flags == QUIRE_APPEND) {
    mode = TreeWriter::PutMode::kAppend;
  } else if (flags == QUIRE_MUST_EXIST) {
    mode = TreeWriter::PutMode::kUpdate;
  } else if (flags != 0) {
    return report(QUIRE_ERR_INVALID,
                  "quire_put: flags is not one of QUIRE_NO_OVERWRITE, "
                  "QUIRE_APPEND, QUIRE_MUST_EXIST");
  }
  return guarded_change(txn, [&]() -> int {
    const auto put =
        txn->write->put(keyspace, bytes_of(key, key_size), bytes_of(value, value_size), mode);
    return put ? QUIRE_OK : report(put.error());
  });
}

int quire_get(quire_txn* txn, quire_keyspace keyspace, const void* key, size_t key_size,
              quire_slice* value) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (const int code = check_key_argument(key, key_size); code != QUIRE_OK) return code;
  if (value == nullptr) return report(QUIRE_ERR_INVALID, "quire_get: value is NULL");
  return guarded([&]() -> int {
    View& view = txn->view();
    const auto root = view.keyspace_root(keyspace);
    if (!root) return report(root.error());
    if (key_size == 0 || key_size > max_key_size(view.reader().page_size()))
      return report(QUIRE_ERR_KEY_SIZE, "a key has 1 to quire_max_key_size bytes");
    const auto found = tree_get(view.reader(), *root, bytes_of(key, key_size));
    if (!found) return report(found.error());
    if (!*found) return report(QUIRE_ERR_NOT_FOUND, "there is no such key");
    *value = {(*found)->data(), (*found)->size()};
    return QUIRE_OK;
  });
}

int quire_delete(quire_txn* txn, quire_keyspace keyspace, const void* key, size_t key_size) {
  TxnCall call(txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  if (const int code = check_key_argument(key, key_size); code != QUIRE_OK) return code;
  return guarded_change(txn, [&]() -> int {
    const auto erased = txn->write->erase(keyspace, bytes_of(key, key_size));
    if (!erased) return report(erased.error());
    return *erased ? QUIRE_OK : report(QUIRE_ERR_NOT_FOUND, "there is no such key");
  });
}

int quire_delete_range(quire_txn* txn, quire_keyspace keyspace, const quire_slice* low,
                       const quire_slice* high, uint64_t* deleted) {
  TxnCall call(txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded_change(txn, [&]() -> int {
    const auto erased = txn->write->erase_range(keyspace, bound_of(low), bound_of(high));
    if (!erased) return report(erased.error());
    if (deleted != nullptr) *deleted = *erased;
    return QUIRE_OK;
  });
}

int quire_count(quire_txn* txn, quire_keyspace keyspace, const quire_slice* low,
                const quire_slice* high, uint64_t* count) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (count == nullptr) return report(QUIRE_ERR_INVALID, "quire_count: count is NULL");
  return guarded([&]() -> int {
    const auto ranks = [&]() -> Result<std::uint64_t> {
      View& view = txn->view();
      QUIRE_TRY(const TreeRoot root, view.keyspace_root(keyspace));
      QUIRE_TRY(const std::uint64_t below, rank_of(view, root, bound_of(low), 0));
      QUIRE_TRY(const std::uint64_t end, rank_of(view, root, bound_of(high), root.count()));
      return end > below ? end - below : 0;
    };
    const auto found = ranks();
    if (!found) return report(found.error());
    *count = *found;
    return QUIRE_OK;
  });
}

int quire_rank(quire_txn* txn, quire_keyspace keyspace, const void* key, size_t key_size,
               uint64_t* rank) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (const int code = check_key_argument(key, key_size); code != QUIRE_OK) return code;
  if (rank == nullptr) return report(QUIRE_ERR_INVALID, "quire_rank: rank is NULL");
  return guarded([&]() -> int {
    View& view = txn->view();
    const auto root = view.keyspace_root(keyspace);
    if (!root) return report(root.error());
    const auto found = tree_rank(view.reader(), *root, bytes_of(key, key_size));
    if (!found) return report(found.error());
    *rank = *found;
    return QUIRE_OK;
  });
}

}  // extern "C"
