// Include before whatever calls the library: each call of quire.h then says when it begins and
// ends, so that memory ends in the library alone.
#pragma once

#include <quire/quire.h>

#include "failing_memory.h"

#define QUIRE_TEST_CALLED(call) (::quire::test::memory::called(#call, [&] { return call; }))
#define quire_open(...) QUIRE_TEST_CALLED(quire_open(__VA_ARGS__))
#define quire_close(...) QUIRE_TEST_CALLED(quire_close(__VA_ARGS__))
#define quire_begin(...) QUIRE_TEST_CALLED(quire_begin(__VA_ARGS__))
#define quire_commit(...) QUIRE_TEST_CALLED(quire_commit(__VA_ARGS__))
#define quire_abort(...) QUIRE_TEST_CALLED(quire_abort(__VA_ARGS__))
#define quire_renew(...) QUIRE_TEST_CALLED(quire_renew(__VA_ARGS__))
#define quire_keyspace_open(...) QUIRE_TEST_CALLED(quire_keyspace_open(__VA_ARGS__))
#define quire_keyspace_drop(...) QUIRE_TEST_CALLED(quire_keyspace_drop(__VA_ARGS__))
#define quire_put(...) QUIRE_TEST_CALLED(quire_put(__VA_ARGS__))
#define quire_get(...) QUIRE_TEST_CALLED(quire_get(__VA_ARGS__))
#define quire_delete(...) QUIRE_TEST_CALLED(quire_delete(__VA_ARGS__))
#define quire_delete_range(...) QUIRE_TEST_CALLED(quire_delete_range(__VA_ARGS__))
#define quire_cursor_open(...) QUIRE_TEST_CALLED(quire_cursor_open(__VA_ARGS__))
#define quire_cursor_close(...) QUIRE_TEST_CALLED(quire_cursor_close(__VA_ARGS__))
#define quire_cursor_first(...) QUIRE_TEST_CALLED(quire_cursor_first(__VA_ARGS__))
#define quire_cursor_last(...) QUIRE_TEST_CALLED(quire_cursor_last(__VA_ARGS__))
#define quire_cursor_next(...) QUIRE_TEST_CALLED(quire_cursor_next(__VA_ARGS__))
#define quire_cursor_delete(...) QUIRE_TEST_CALLED(quire_cursor_delete(__VA_ARGS__))
#define quire_collection_create(...) QUIRE_TEST_CALLED(quire_collection_create(__VA_ARGS__))
#define quire_collection_open(...) QUIRE_TEST_CALLED(quire_collection_open(__VA_ARGS__))
#define quire_collection_drop(...) QUIRE_TEST_CALLED(quire_collection_drop(__VA_ARGS__))
#define quire_record_insert(...) QUIRE_TEST_CALLED(quire_record_insert(__VA_ARGS__))
#define quire_record_upsert(...) QUIRE_TEST_CALLED(quire_record_upsert(__VA_ARGS__))
#define quire_record_delete(...) QUIRE_TEST_CALLED(quire_record_delete(__VA_ARGS__))
#define quire_scan_open(...) QUIRE_TEST_CALLED(quire_scan_open(__VA_ARGS__))
#define quire_scan_next(...) QUIRE_TEST_CALLED(quire_scan_next(__VA_ARGS__))
#define quire_search(...) QUIRE_TEST_CALLED(quire_search(__VA_ARGS__))
#define quire_savepoint(...) QUIRE_TEST_CALLED(quire_savepoint(__VA_ARGS__))
#define quire_rollback_to(...) QUIRE_TEST_CALLED(quire_rollback_to(__VA_ARGS__))
#define quire_release(...) QUIRE_TEST_CALLED(quire_release(__VA_ARGS__))
#define quire_check(...) QUIRE_TEST_CALLED(quire_check(__VA_ARGS__))
#define quire_get_stat(...) QUIRE_TEST_CALLED(quire_get_stat(__VA_ARGS__))
#define quire_inspect(...) QUIRE_TEST_CALLED(quire_inspect(__VA_ARGS__))
#define quire_checkpoint(...) QUIRE_TEST_CALLED(quire_checkpoint(__VA_ARGS__))
#define quire_sync(...) QUIRE_TEST_CALLED(quire_sync(__VA_ARGS__))
