#include "index/ordered/purge.h"

#include "capi/handles.h"
#include "engine/record/defaults.h"
#include "engine/record/expiry.h"

using namespace quire;
using namespace quire::capi;

namespace {

constexpr std::uint32_t kMostOfBatch = 1'000'000;

std::int64_t time_of(std::int64_t given) noexcept { return given == QUIRE_NOW ? now_us() : given; }

Result<PurgeTerms> terms_of(const quire_purge_options& options, const Database& database) {
  if (options.limit == 0)
    return fail(ErrorCode::kInvalid, "quire_purge_options.limit is 0: UINT64_MAX is any number");
  if (options.batch > kMostOfBatch)
    return fail(ErrorCode::kInvalid, "quire_purge_options.batch is %u, must be 1 to %u",
                options.batch, kMostOfBatch);
  if (options.durability > QUIRE_DURABILITY_NONE)
    return fail(ErrorCode::kInvalid, "quire_purge_options.durability is not a QUIRE_DURABILITY_*");
  PurgeTerms terms{.now_us = time_of(options.now_us),
                   .most = options.limit,
                   .durability = database.options().writer.durability};
  if (options.batch != 0) terms.batch = options.batch;
  if (options.durability != QUIRE_DURABILITY_DEFAULT)
    terms.durability = static_cast<Durability>(options.durability);
  if (options.progress != nullptr)
    terms.go_on = [options](std::uint64_t done) {
      return options.progress(options.context, done, options.limit) == 0;
    };
  return terms;
}

// The collection of this name, which has to have a field that says when.
Result<StructureId> find_purged(SharedDatabase& shared, const char* name) {
  QUIRE_TRY(const auto snapshot, shared.database->begin_read());
  QUIRE_TRY(const Collection collection, Collection::open(*snapshot, name, &shared.definitions));
  QUIRE_CHECK(check_has_ttl(collection));
  return collection.id();
}

Status purge(SharedDatabase& shared, const quire_purge_options& options, std::uint64_t& purged) {
  QUIRE_TRY(const PurgeTerms terms, terms_of(options, *shared.database));
  if (options.collection == nullptr)
    return purge_all_in_pieces(*shared.database, &shared.definitions, terms, purged);
  QUIRE_TRY(const StructureId id, find_purged(shared, options.collection));
  return purge_in_pieces(*shared.database, id, &shared.definitions, terms, purged);
}

}  // namespace

extern "C" {

int quire_purge(quire_txn* txn, quire_collection collection, int64_t now_us, uint64_t limit,
                uint64_t* purged) {
  if (purged != nullptr) *purged = 0;
  if (limit == 0)
    return report(QUIRE_ERR_INVALID, "quire_purge: the limit is 0: UINT64_MAX is any number");
  return change_records(txn, collection, [&](const Collection& opened) -> int {
    const auto done = purge_records(*txn->write, opened, time_of(now_us), limit);
    if (!done) return report(done.error());
    if (purged != nullptr) *purged = *done;
    return QUIRE_OK;
  });
}

int quire_purge_database(quire_db* db, const quire_purge_options* given, uint64_t* purged) {
  if (purged != nullptr) *purged = 0;
  if (const int code = check_db(db); code != QUIRE_OK) return code;
  quire_purge_options options = QUIRE_PURGE_OPTIONS_INIT;
  if (given != nullptr) {
    const int code = read_options(given, options, "quire_purge_options");
    if (code != QUIRE_OK) return code;
  }
  if (db->read_only)
    return report(QUIRE_ERR_READ_ONLY, "quire_purge_database: the handle is read-only");
  std::uint64_t untold = 0;
  std::uint64_t& done = purged != nullptr ? *purged : untold;
  return guarded([&]() -> int { return code_of(purge(*db->shared, options, done)); });
}

}  // extern "C"
