// What the demo's two children do: one writes, one watches.
#pragma once

#include <string>

#include "tools/demo/child_process.h"
#include "tools/demo/store.h"

namespace quire::demo {

// Makes the database and commits batch after batch, durably, reporting each acknowledged commit.
int run_writer(const Link& link, const std::string& directory, const Load& load);

// Opens the database read-only, reports every commit it sees arrive, and searches for `query` all
// the while. Checks on every snapshot that records and progress agree: that no commit is seen in
// half. Goes on, through the death of the writer, until the parent lets go.
int run_watcher(const Link& link, const std::string& directory, const Vector& query);

}  // namespace quire::demo
