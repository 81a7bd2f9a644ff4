// What indexes put off, as the caller steers it.
#include <algorithm>
#include <cstring>

#include "capi/handles.h"

using namespace quire;
using namespace quire::capi;

namespace {

// A call on the maintenance of a database that this handle may write.
template <class Call>
int on_maintenance(quire_db* db, const char* read_only, const Call& call) {
  if (const int code = check_db(db); code != QUIRE_OK) return code;
  if (db->read_only) return report(QUIRE_ERR_READ_ONLY, read_only);
  return guarded([&] { return call(*db->shared->database->maintenance()); });
}

void fill(const MaintenanceStat& from, quire_maintenance_stat& stat) {
  stat.paused = from.paused ? 1 : 0;
  stat.working = from.working ? 1 : 0;
  stat.steps = from.steps;
  stat.conflicts = from.conflicts;
  stat.turn_us = from.turn_us;
  stat.turn_us_max = from.turn_us_max;
  if (!from.failure) return;
  stat.error = -static_cast<int>(from.failure->code());
  const std::string& words = from.failure->message();
  std::memcpy(stat.message, words.data(), std::min(words.size(), sizeof stat.message - 1));
}

}  // namespace

extern "C" {

int quire_maintenance_flush(quire_db* db) {
  return on_maintenance(db, "quire_maintenance_flush: the handle is read-only",
                        [](Maintenance& maintenance) {
                          const Status flushed = maintenance.flush();
                          return flushed ? QUIRE_OK : report(flushed.error());
                        });
}

int quire_maintenance_pause(quire_db* db) {
  return on_maintenance(db, "quire_maintenance_pause: the handle is read-only",
                        [](Maintenance& maintenance) {
                          maintenance.pause();
                          return QUIRE_OK;
                        });
}

int quire_maintenance_resume(quire_db* db) {
  return on_maintenance(db, "quire_maintenance_resume: the handle is read-only",
                        [](Maintenance& maintenance) {
                          maintenance.resume();
                          return QUIRE_OK;
                        });
}

int quire_maintenance_get_stat(quire_db* db, quire_maintenance_stat* stat) {
  return on_maintenance(db, "quire_maintenance_get_stat: the handle is read-only",
                        [&](Maintenance& maintenance) -> int {
                          if (stat == nullptr || stat->size < sizeof(size_t))
                            return report(
                                QUIRE_ERR_INVALID,
                                "quire_maintenance_get_stat: stat is NULL, or its size is not set");
                          quire_maintenance_stat all{};
                          fill(maintenance.stat(), all);
                          copy_out(all, stat);
                          return QUIRE_OK;
                        });
}

}  // extern "C"
