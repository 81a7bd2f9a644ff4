#include "capi/handles.h"
#include "engine/record/collection_change.h"

using namespace quire;
using namespace quire::capi;

namespace {

constexpr std::uint64_t kDefaultMemory = std::uint64_t{256} << 20;

// {"nodes": 12, "tail": 3}. Names are the kinds' own, and have nothing to escape.
std::string figures_text(const IndexStat& stat) {
  std::string json;
  for (const auto& [name, value] : stat.figures) {
    json += json.empty() ? "{\"" : ", \"";
    json += name + "\": " + std::to_string(value);
  }
  return json.empty() ? "{}" : json + "}";
}

// What is told of one index; the strings belong to the caller.
Result<quire_index_info> describe(View& view, const Collection& collection, std::size_t i,
                                  std::string& options, std::string& figures) {
  const IndexDefinition& definition = collection.definition().indexes[i];
  const Index* index = collection.indexes()[i].get();
  quire_index_info info{};
  info.size = sizeof info;
  info.name = definition.name.c_str();
  info.kind = definition.kind.c_str();
  if (index == nullptr) return info;
  const IndexKind* kind = find_kind(index_kinds(), definition.kind);
  options = kind->describe(collection.schema(), definition.options);
  info.options = options.c_str();
  QUIRE_TRY(const IndexStat stat, index->stat(view));
  info.entries = stat.entries;
  info.pages = stat.pages;
  figures = figures_text(stat);
  info.figures = figures.c_str();
  return info;
}

}  // namespace

extern "C" {

int quire_index_create(quire_txn* txn, quire_collection collection, const char* name,
                       const quire_index_options* options) {
  quire_index_options known;
  if (const int code = read_options(options, known, "quire_index_create"); code != QUIRE_OK)
    return code;
  if (name == nullptr || known.kind == nullptr || known.options == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_index_create: name, kind or options is NULL");
  const std::uint64_t memory = known.memory_bytes != 0 ? known.memory_bytes : kDefaultMemory;
  return redefine_collection(txn, collection, [&](const Collection& opened) {
    const IndexRequest request{
        .name = name, .kind = known.kind, .options = known.options, .memory_bytes = memory};
    return create_index(*txn->write, opened, request, index_kinds(),
                        progress_of(known.progress, known.context));
  });
}

int quire_index_drop(quire_txn* txn, quire_collection collection, const char* name) {
  if (name == nullptr) return report(QUIRE_ERR_INVALID, "quire_index_drop: name is NULL");
  return redefine_collection(txn, collection, [&](const Collection& opened) {
    return drop_index(*txn->write, opened, name, index_kinds());
  });
}

int quire_index_rename(quire_txn* txn, quire_collection collection, const char* name,
                       const char* new_name) {
  if (name == nullptr || new_name == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_index_rename: a name is NULL");
  return redefine_collection(txn, collection, [&](const Collection& opened) {
    return rename_index(*txn->write, opened, name, new_name, index_kinds());
  });
}

int quire_index_rebuild(quire_txn* txn, quire_collection collection, const char* name,
                        quire_progress progress, void* context) {
  if (name == nullptr) return report(QUIRE_ERR_INVALID, "quire_index_rebuild: name is NULL");
  return redefine_collection(txn, collection, [&](const Collection& opened) {
    return rebuild_index(*txn->write, opened, name, index_kinds(), progress_of(progress, context));
  });
}

int quire_index_list(quire_txn* txn, quire_collection collection,
                     int (*visit)(void* context, const quire_index_info* info), void* context) {
  if (visit == nullptr) return report(QUIRE_ERR_INVALID, "quire_index_list: visit is NULL");
  return read_collection(txn, collection, [&](OpenCollection& opened) -> int {
    const Collection& found = opened.reader.collection();
    for (std::size_t i = 0; i < found.indexes().size(); ++i) {
      std::string options;
      std::string figures;
      const auto info = describe(txn->view(), found, i, options, figures);
      if (!info) return report(info.error());
      if (visit(context, &*info) != 0) break;
    }
    return QUIRE_OK;
  });
}

}  // extern "C"
