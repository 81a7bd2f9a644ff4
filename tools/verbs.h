// The verbs. Each returns its exit code, or throws Failure, quire::Error or OutputClosed.
#pragma once

#include "tools/arguments.h"

namespace quire::tools {

int run_create(const Arguments& arguments);
int run_put(const Arguments& arguments);
int run_get(const Arguments& arguments);
int run_del(const Arguments& arguments);
int run_drop(const Arguments& arguments);
int run_scan(const Arguments& arguments);
int run_load(const Arguments& arguments);
int run_dump(const Arguments& arguments);
int run_search(const Arguments& arguments);
int run_stat(const Arguments& arguments);
int run_check(const Arguments& arguments);
int run_checkpoint(const Arguments& arguments);
int run_maintain(const Arguments& arguments);
int run_inspect(const Arguments& arguments);
int run_recover(const Arguments& arguments);
int run_schema(const Arguments& arguments);
int run_index(const Arguments& arguments);
int run_query(const Arguments& arguments);
int run_count(const Arguments& arguments);
int run_explain(const Arguments& arguments);
int run_batch(const Arguments& arguments);
int run_update(const Arguments& arguments);
int run_delete(const Arguments& arguments);
int run_purge(const Arguments& arguments);
int run_shell(const Arguments& arguments);

}  // namespace quire::tools
