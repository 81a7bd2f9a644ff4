// maintain: does what indexes have put off.
#include <chrono>
#include <future>

#include "tools/failure.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

// With progress on a terminal. SIGINT ends the process, which loses nothing that was committed.
void flush(Database* db, Progress* progress) {
  constexpr std::chrono::milliseconds kLook{200};
  auto flushed = std::async(std::launch::async, [db] { db->flush_maintenance(); });
  while (flushed.wait_for(kLook) == std::future_status::timeout) {
    if (progress->due_now())
      progress->update("maintain: " + count_of(db->maintenance_stat().steps, "step"));
  }
  progress->clear();
  flushed.get();
}

}  // namespace

int run_maintain(const Arguments& arguments) {
  Database db = open_for_writing(arguments);
  Progress progress;
  flush(&db, &progress);
  const std::uint64_t steps = db.maintenance_stat().steps;
  db.close();
  Output output;
  if (arguments.json) {
    output.write("{\"steps\":" + std::to_string(steps) + "}\n");
  } else {
    message(steps == 0 ? "nothing waited" : "done: " + count_of(steps, "step"));
  }
  output.finish();
  return kDone;
}

}  // namespace quire::tools
