// quire_recover: the engine's salvage, with its findings as C structs.
#include "capi/handles.h"
#include "engine/db/salvage.h"

namespace {

using namespace quire;
using namespace quire::capi;

static_assert(static_cast<int>(SalvageEvent::Kind::kNote) == QUIRE_FINDING_NOTE);
static_assert(static_cast<int>(SalvageEvent::Kind::kLost) == QUIRE_FINDING_LOST);
static_assert(static_cast<int>(SalvageEvent::Kind::kUnverified) == QUIRE_FINDING_UNVERIFIED);
static_assert(static_cast<int>(SalvageEvent::Kind::kSaved) == QUIRE_FINDING_SAVED);
static_assert(static_cast<int>(SalvageEvent::Subject::kDatabase) == QUIRE_FINDING_OF_DATABASE);
static_assert(static_cast<int>(SalvageEvent::Subject::kKeyspace) == QUIRE_FINDING_OF_KEYSPACE);
static_assert(static_cast<int>(SalvageEvent::Subject::kCollection) == QUIRE_FINDING_OF_COLLECTION);
static_assert(static_cast<int>(SalvageEvent::Subject::kLog) == QUIRE_FINDING_OF_LOG);

quire_slice slice_of(const std::optional<ByteVector>& bytes) {
  if (!bytes) return {nullptr, 0};
  // An empty bound is a bound.
  return {bytes->empty() ? static_cast<const void*>("") : bytes->data(), bytes->size()};
}

quire_finding finding_of(const SalvageEvent& event) {
  quire_finding finding;
  std::memset(static_cast<void*>(&finding), 0, sizeof finding);
  finding.size = sizeof finding;
  finding.kind = static_cast<std::uint32_t>(event.kind);
  finding.subject = static_cast<std::uint32_t>(event.subject);
  finding.name = event.name.empty() ? nullptr : event.name.c_str();
  finding.text = event.text.c_str();
  finding.low = slice_of(event.low);
  finding.high = slice_of(event.high);
  finding.saved = event.saved;
  finding.lost_least = event.lost_least;
  finding.lost_most = event.lost_most;
  finding.page = event.page;
  return finding;
}

void fill_result(const SalvageTotals& totals, quire_recover_result* result) {
  if (result == nullptr) return;
  quire_recover_result filled;
  std::memset(static_cast<void*>(&filled), 0, sizeof filled);
  const std::size_t size = result->size;
  filled.size = size;
  filled.keyspaces = totals.keyspaces;
  filled.collections = totals.collections;
  filled.saved = totals.saved;
  filled.lost_least = totals.lost_least;
  filled.lost_most = totals.lost_most;
  filled.commits = totals.commits;
  std::memcpy(static_cast<void*>(result), &filled, std::min(size, sizeof filled));
}

}  // namespace

extern "C" {

int quire_recover(const char* damaged, const char* new_path, const quire_recover_options* options,
                  int (*callback)(void* context, const quire_finding* finding), void* context,
                  quire_recover_result* result) {
  if (damaged == nullptr || new_path == nullptr || *damaged == '\0' || *new_path == '\0')
    return report(QUIRE_ERR_INVALID, "quire_recover: a path is NULL or empty");
  if (result != nullptr && result->size < sizeof(size_t))
    return report(QUIRE_ERR_INVALID, "quire_recover: result->size is not set");
  quire_recover_options known;
  if (const int code = read_options(options, known, "quire_recover_options"); code != QUIRE_OK)
    return code;
  if ((known.flags & ~static_cast<std::uint32_t>(QUIRE_RECOVER_UNVERIFIED)) != 0 ||
      known.reserved != 0)
    return report(QUIRE_ERR_INVALID, "quire_recover: unknown flags");
  return guarded([&]() -> int {
    SalvageOptions salvage_options;
    salvage_options.database.index_kinds = index_kinds();
    salvage_options.unverified = (known.flags & QUIRE_RECOVER_UNVERIFIED) != 0;
    const auto totals = salvage(io::real_disk(), damaged, new_path, salvage_options,
                                [&](const SalvageEvent& event) {
                                  const quire_finding finding = finding_of(event);
                                  return callback == nullptr || callback(context, &finding) == 0;
                                });
    if (!totals) return report(totals.error());
    fill_result(*totals, result);
    if (totals->complete) return QUIRE_OK;
    return report(Error(ErrorCode::kCorrupt, std::string(new_path) +
                                                 " was made of what can be read of " + damaged +
                                                 ", which is not all"));
  });
}

}  // extern "C"
