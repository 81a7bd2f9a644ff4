// purge: deletes the records whose time is over.
#include "tools/failure.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/signals.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

// Progress on a terminal, and an end by SIGINT, between transactions.
class Purge {
 public:
  explicit Purge(const Arguments& arguments) {
    catch_interrupts();
    options_.limit = arguments.limit;
    if (!arguments.rest.empty()) options_.collection = arguments.rest[0].c_str();
    options_.progress = told;
    options_.context = this;
  }

  // How many were deleted.
  std::uint64_t run(const Database& db) {
    std::uint64_t purged = 0;
    const int code = quire_purge_database(db.handle(), &options_, &purged);
    progress_.clear();
    if (code == QUIRE_ERR_CANCELLED && interrupted()) {
      throw Failure("interrupted; purged " + count_of(purged, "record"), kInterrupted);
    }
    require(code);
    return purged;
  }

 private:
  static int told(void* context, std::uint64_t done, std::uint64_t /*total*/) {
    Progress& progress = static_cast<Purge*>(context)->progress_;
    if (progress.due_now()) progress.update("purge: " + count_of(done, "record"));
    return interrupted() ? 1 : 0;
  }

  quire_purge_options options_ = QUIRE_PURGE_OPTIONS_INIT;
  Progress progress_;
};

}  // namespace

int run_purge(const Arguments& arguments) {
  require_words(arguments, 0, 1, "[COLLECTION]");
  Database db = open_for_writing(arguments);
  const std::uint64_t purged = Purge(arguments).run(db);
  db.close();
  Output output;
  if (arguments.json) {
    output.write("{\"purged\":" + std::to_string(purged) + "}\n");
  } else {
    message("purged " + count_of(purged, "record"));
  }
  output.finish();
  return kDone;
}

}  // namespace quire::tools
