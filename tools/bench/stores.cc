#include "tools/bench/store.h"

namespace quire::bench {

const std::vector<StoreKind>& store_kinds() {
  static const std::vector<StoreKind> kinds = {
#ifdef QUIRE_BENCH_QUIRE
      quire_kind(),
#endif
#ifdef QUIRE_BENCH_LMDB
      lmdb_kind(),
#endif
#ifdef QUIRE_BENCH_LEVELDB
      leveldb_kind(),
#endif
#ifdef QUIRE_BENCH_SQLITE
      sqlite_kind(),
#endif
  };
  return kinds;
}

const StoreKind* find_store_kind(std::string_view name) {
  for (const StoreKind& kind : store_kinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace quire::bench
