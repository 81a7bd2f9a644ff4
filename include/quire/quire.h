/* Quire: an embedded database. This header is the whole public interface.
 *
 * INTRODUCTION
 *
 * A database is a directory. Any number of processes may have it open: one to write, the others to
 * read. In it are keyspaces (ordered bytes to bytes) and collections (records of typed fields and
 * vectors, under a primary key). All is read and written in transactions: a read transaction sees
 * one committed state for as long as it is open, without blocking anybody and without being
 * blocked; a write transaction is all or nothing, over every keyspace and collection it touches.
 *
 *     quire_db* db;
 *     quire_open("shop.quire", NULL, &db);
 *     quire_txn* txn;
 *     quire_begin(db, QUIRE_WRITE, &txn);
 *     quire_keyspace names;
 *     quire_keyspace_open(txn, "names", QUIRE_CREATE, &names);
 *     quire_put(txn, names, "k1", 2, "hello", 5, 0);
 *     quire_commit(txn);
 *     quire_close(db);
 *
 * RULES
 *
 * - Every function that can fail returns an int: QUIRE_OK (0), or a negative code whose meaning
 *   never changes. quire_last_error() has the sentence for it, of the calling thread.
 * - Memory that a function hands out (values, keys, names) belongs to the library. From a read
 *   transaction it is good until that transaction ends or is renewed; from a write transaction,
 *   until its next change or end; a key from a cursor only until the cursor moves. It must not be
 *   written.
 * - A database handle may be used by any number of threads. A transaction, and the cursors in it,
 *   by one thread at a time (QUIRE_ERR_THREAD when that is seen to be broken).
 * - Option structs begin with their size: set it with QUIRE_*_INIT. A newer library accepts older
 *   sizes; unknown non-zero fields of a newer program are refused with QUIRE_ERR_INVALID.
 * - A callback may not use the transaction of the call that calls it (QUIRE_ERR_THREAD). What it is
 *   given is good until it returns.
 * - A process must not use a handle it inherited by fork(): every call but quire_close says
 *   QUIRE_ERR_FORKED.
 *
 * ERRORS AND COSTS
 *
 * Functions list the errors that tell their caller something, without QUIRE_ERR_. Any function may
 * also return
 *
 *     INVALID    an argument is NULL, out of range or has unknown flags
 *     CLOSED     the handle was closed, or its transaction has ended
 *     THREAD     another thread is in a call of the same transaction
 *     FORKED     the handle came by fork()
 *     READ_ONLY  a change through a read transaction or a read-only handle
 *     CORRUPT    something that the call needs is damaged; the rest goes on working
 *     IO, NO_MEMORY, TOO_MANY_FILES  the system said so
 *     POISONED   a write or sync failed before: nothing is written any more; read transactions can
 *                still begin, at the newest state that other processes can see
 *
 * n in a cost is the number of entries or records. A page costs a read and a checksum besides when
 * a process touches it first; if the device can't deliver it, the system sends SIGBUS.
 *
 * STABILITY: symbols, codes, struct layouts and flags of version 0.x may change with the second
 * number only; from 1.0, with the first.
 */
#ifndef QUIRE_QUIRE_H
#define QUIRE_QUIRE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#error "Quire needs a POSIX system"
#endif
#define QUIRE_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

#define QUIRE_VERSION_MAJOR 0
#define QUIRE_VERSION_MINOR 2
#define QUIRE_VERSION_PATCH 0

/* ------------------------------------------------------------------ errors */

enum {
  QUIRE_OK = 0,
  QUIRE_ERR_NOT_FOUND = -1,    /* no such key, keyspace, collection, record or file */
  QUIRE_ERR_EXISTS = -2,       /* it is there already */
  QUIRE_ERR_INVALID = -3,      /* an argument is wrong */
  QUIRE_ERR_KEY_SIZE = -4,     /* a key is empty or too long */
  QUIRE_ERR_VALUE_SIZE = -5,   /* a value is too long */
  QUIRE_ERR_TYPE = -6,         /* a value's type, or a structure's kind, is another */
  QUIRE_ERR_SCHEMA = -7,       /* a record does not fit its schema */
  QUIRE_ERR_NOT_DATABASE = -8, /* not a file of Quire's */
  QUIRE_ERR_VERSION = -9,      /* a format version that this library does not read */
  QUIRE_ERR_BYTE_ORDER = -10,  /* written with the other byte order */
  QUIRE_ERR_WRONG_ID = -11,    /* a file of another database */
  QUIRE_ERR_PAGE_SIZE = -12,   /* page size out of range or not the file's */
  QUIRE_ERR_CORRUPT = -13,     /* a checksum or an invariant does not hold */
  QUIRE_ERR_TRUNCATED = -14,   /* a file is shorter than its contents say */
  QUIRE_ERR_LOG_DAMAGED = -15, /* the log has a hole before records that were synced */
  QUIRE_ERR_BUSY = -16,        /* somebody else holds the writer's place; the message has the pid */
  QUIRE_ERR_TIMEOUT = -17,     /* waited as long as asked */
  QUIRE_ERR_READ_ONLY = -18,   /* a write through something read-only */
  QUIRE_ERR_PERMISSION = -19,  /* the system refused access */
  QUIRE_ERR_FULL = -20,        /* no space left on the device; the transaction is undone */
  QUIRE_ERR_QUOTA = -21,       /* the quota is reached; the transaction is undone */
  QUIRE_ERR_IO = -22,          /* another failure of the system */
  QUIRE_ERR_TOO_MANY_FILES = -23, /* out of file descriptors */
  QUIRE_ERR_NO_MEMORY = -24,      /* out of memory */
  QUIRE_ERR_POISONED = -25,       /* a write or sync failed before: close and open again */
  QUIRE_ERR_CLOSED = -26,         /* the handle was closed or ended */
  QUIRE_ERR_FORKED = -27,         /* the handle came by fork() */
  QUIRE_ERR_THREAD = -28,         /* two threads at once in one transaction */
  QUIRE_ERR_TOO_LARGE = -29,      /* a limit of the format is reached */
  QUIRE_ERR_NOT_SUPPORTED = -30,  /* this build, machine or file system can't */
  QUIRE_ERR_NEEDS_RECOVERY = -31, /* crashed, and this process may not write */
  QUIRE_ERR_LOCK_LOST = -32,      /* the `lock` file was deleted or replaced while open */
  QUIRE_ERR_READERS_FULL = -33,   /* the reader table can't grow further */
  QUIRE_ERR_CONFLICT = -34,       /* something is not as expected: a record's field, a savepoint */
  QUIRE_ERR_CANCELLED = -35,      /* a callback asked to stop */
  QUIRE_ERR_UNIQUE = -36,         /* another record has this key in a unique index */
  QUIRE_ERR_BUDGET = -37          /* a query needs more than it was allowed */
};

/* The sentence for the last error of the calling thread; never NULL; good until its next call. A
 * call that succeeds leaves it as it was. */
QUIRE_API const char* quire_last_error(void);
/* "not_found" for QUIRE_ERR_NOT_FOUND; "unknown" for what is not a code. */
QUIRE_API const char* quire_error_name(int code);
/* "0.2.0". */
QUIRE_API const char* quire_version(void);
/* A line of JSON: version, format, kernels in use, whether built with io_uring, compiler. */
QUIRE_API const char* quire_build_info(void);

/* ---------------------------------------------------------------- database */

typedef struct quire_db quire_db;
typedef struct quire_txn quire_txn;
typedef struct quire_cursor quire_cursor;

/* What an acknowledged commit survives. In every mode a crash leaves a prefix of the commits, and
 * the death of a process loses nothing that another process saw. */
enum {
  QUIRE_DURABILITY_DEFAULT = 0, /* of the database: as opened */
  QUIRE_DURABILITY_ALWAYS = 1,  /* power loss */
  QUIRE_DURABILITY_BATCH = 2,   /* death of the process; power loss after batch_ms or batch_bytes */
  QUIRE_DURABILITY_OS = 3,  /* death of the process; power loss when the system has written it */
  QUIRE_DURABILITY_NONE = 4 /* death of the process after publish_ms */
};

/* With QUIRE_OPEN_NO_BACKGROUND there is no thread beside the caller's; calls do its work:
 * - a checkpoint that is due (see below) is made in quire_begin of a write transaction. As ever,
 *   one is made by quire_checkpoint, by the last close, and as the commit of a transaction over
 *   the log budget;
 * - `batch` commits are synced by the one that finds batch_ms or batch_bytes passed, so the last
 *   ones wait for a next `batch` or `always` commit, quire_sync, a checkpoint or close;
 * - every commit is seen by other processes when it returns;
 * - what readers that died had pinned is free again only when a writer opens the database anew. */
enum {
  QUIRE_OPEN_READ_ONLY = 1,     /* quire_open_options.flags */
  QUIRE_OPEN_CREATE = 2,        /* make the database when it is not there; not with READ_ONLY */
  QUIRE_OPEN_EXCLUSIVE = 4,     /* with CREATE: QUIRE_ERR_EXISTS when it is */
  QUIRE_OPEN_ARCHIVE = 8,       /* keep log segments that are no longer needed; once set it stays */
  QUIRE_OPEN_NO_BACKGROUND = 16 /* see above */
};

/* Zero means the default everywhere.
 *
 * A checkpoint is due when checkpoint_bytes were logged since the last one; when something was
 * logged and checkpoint_ms have passed since then; or when the pages that wait for nothing but a
 * checkpoint (more than 256) outnumber those in use less what readers pin, or an eighth of those in
 * use where that is more. With twice as many it is overdue (see quire_begin). It comes sooner where
 * quota_bytes leaves less room, and when a transaction found none. */
typedef struct quire_open_options {
  size_t size;               /* sizeof(quire_open_options) */
  uint32_t flags;            /* QUIRE_OPEN_* */
  uint32_t page_size;        /* at creation: 4096 (default) to 65536, a power of two; 512 to
                                2048 for tests. Else 0 or the file's */
  uint32_t durability;       /* QUIRE_DURABILITY_*; default ALWAYS */
  uint32_t busy_timeout_ms;  /* wait for the writer's place this long; default 0: not at all;
                                UINT32_MAX: for ever */
  uint32_t publish_ms;       /* default 1: a commit that is not `always` is seen by other
                                processes after this at the latest */
  uint32_t batch_ms;         /* default 50: `batch` commits are synced after this */
  uint64_t batch_bytes;      /* default 4 MiB: or after so many bytes of log */
  uint64_t checkpoint_bytes; /* default 64 MiB: so much log starts a checkpoint */
  uint32_t checkpoint_ms;    /* default 60,000: so does this time with something logged */
  uint32_t purge_ms;         /* default 0: never. So often a thread of the library's purges all
                                collections: see quire_purge. Neither with READ_ONLY nor with
                                NO_BACKGROUND */
  uint64_t log_budget_bytes; /* default 64 MiB: a transaction that logs more commits by
                                checkpoint, as `always`; with ARCHIVE it is logged in parts */
  uint64_t private_bytes;    /* default 256 MiB of changed pages in memory: the background thread
                                writes pages early from half of it, the transaction itself from
                                all of it */
  uint64_t quota_bytes;      /* default 0, none: largest size of the data file. Deleting takes
                                pages too */
  uint32_t build_threads;    /* 1 to 256, default as many as the processors run at once, 64 at
                                most: threads that link vectors while an index is made or rebuilt,
                                or many records are committed at once, the caller's among them.
                                With NO_BACKGROUND 1, which is the default there */
  uint32_t reserved;         /* 0 */
} quire_open_options;
#define QUIRE_OPEN_OPTIONS_INIT \
  {sizeof(quire_open_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/* Opens the database in the directory `path`. options may be NULL: read-write, made when absent
 * (QUIRE_OPEN_CREATE).
 *
 * Recovery: a database whose writer died is recovered by whoever opens it first and may write it,
 * read-only opens included: its log is carried out and a checkpoint made. To look at damage, open a
 * copy.
 *
 * Sharing: a second open of a database in one process gives another handle on what is open there
 * already. It ignores its own options (durability, quota_bytes, checkpoint_*, purge_ms, ...) and
 * flags but READ_ONLY and EXCLUSIVE. Read-only opens share whatever is open, others what is open
 * for writing.
 *
 * Without the right to write: a process that may not write the directory's file `lock`, where
 * readers are entered, keeps writers out (BUSY) while it reads, and is refused (BUSY) while there
 * is one.
 *
 * Waits busy_timeout_ms for the writer's place, and up to 30 s for a process that is just opening
 * or recovering the database. O(runs of free pages), and the log since the last checkpoint when the
 * database was not closed in order.
 *
 * Errors: NOT_FOUND (nothing there), NOT_DATABASE (something else there), EXISTS (EXCLUSIVE);
 * BUSY, TIMEOUT (the same after waiting), READERS_FULL (1,024 processes), LOCK_LOST;
 * NEEDS_RECOVERY (crashed, and this process may not write it), PERMISSION, READ_ONLY (the file
 * system is); VERSION, BYTE_ORDER, PAGE_SIZE, NOT_SUPPORTED (a network file system); CORRUPT,
 * TRUNCATED, WRONG_ID, LOG_DAMAGED (damage); FULL, QUOTA (recovery and creation need room). */
QUIRE_API int quire_open(const char* path, const quire_open_options* options, quire_db** db);
/* Closes the handle; NULL is fine. No other call may be using it. Its write transaction, if open,
 * is undone. The last close of a writer makes a checkpoint and leaves an empty log; the error of
 * that, if any, is returned (FULL, QUOTA, ...), and the handle is gone all the same.
 * Errors: BUSY (nothing closed: read transactions of this handle are open). */
QUIRE_API int quire_close(quire_db* db);
/* Transaction number and log sequence number of the newest commit this handle can see; either may
 * be NULL. O(1). */
QUIRE_API int quire_latest(quire_db* db, uint64_t* txn_number, uint64_t* lsn);
/* Waits until a commit newer than `txn_number` can be seen, timeout_ms at most (UINT32_MAX: for
 * ever). `newest` (may be NULL) gets its number. Maintenance (below) makes commits too.
 * Errors: TIMEOUT (at once where this process keeps writers out). */
QUIRE_API int quire_wait_commit(quire_db* db, uint64_t txn_number, uint32_t timeout_ms,
                                uint64_t* newest);
/* Returns when everything committed before the call is on the device.
 * Errors: READ_ONLY (this process has the database open read-only: its writer syncs). */
QUIRE_API int quire_sync(quire_db* db);
/* The same for commits up to one log sequence number (quire_commit_ex gives it).
 * Errors: READ_ONLY as above, INVALID (no commit has this number yet). */
QUIRE_API int quire_wait_durable(quire_db* db, uint64_t lsn);
/* Makes a checkpoint: all committed data is in the data file, the log before it is released. Waits
 * for one that is under way. O(pages changed since the last checkpoint + runs of free pages).
 * Errors: READ_ONLY; FULL, QUOTA (no room for the list of free pages: nothing is changed). */
QUIRE_API int quire_checkpoint(quire_db* db);

typedef struct quire_stat {
  size_t size;
  uint32_t page_size;
  uint32_t format_version;
  uint8_t id[16];
  uint64_t txn_number;     /* newest commit */
  uint64_t lsn;            /* its log sequence number */
  uint64_t durable_lsn;    /* known to be on the device */
  uint64_t checkpoint_txn; /* newest durable checkpoint */
  uint64_t checkpoint_lsn;
  uint64_t published_txn; /* newest commit other processes can see */
  uint64_t file_bytes;    /* of `data` */
  uint64_t log_bytes;     /* written since the checkpoint */
  uint64_t log_files;
  uint64_t pages_total;
  uint64_t pages_free;
  uint64_t pages_pinned;  /* dead but visible to an open snapshot or the checkpoint */
  uint64_t private_bytes; /* pages in this process's memory */
  uint64_t keyspaces;
  uint64_t collections;
  uint64_t readers;           /* open read transactions, in all processes */
  uint64_t oldest_reader_txn; /* 0: none */
  uint64_t oldest_reader_age_ms;
  uint64_t oldest_reader_pinned_bytes;
  uint32_t oldest_reader_pid;
  uint32_t writer_pid; /* 0: nobody has it open for writing */
  uint64_t quota_bytes;
  uint64_t commits; /* of the writer's process since it opened */
  uint64_t syncs;   /* of the log, likewise */
  uint64_t checkpoints;
  /* Of purges in the background, in the writer's process alone; else 0. */
  uint64_t purge_rounds; /* that were done, well or not */
  uint64_t purged;       /* records */
  int32_t purge_error;   /* QUIRE_OK, or why the last round did not purge everything */
  uint32_t purge_ms;     /* as opened */
} quire_stat;
/* Set stat->size = sizeof *stat first. Where the database is open read-only,
 * - durable_lsn, log_bytes, pages_free, pages_pinned, private_bytes, oldest_reader_pinned_bytes,
 *   quota_bytes, commits, syncs and checkpoints are what the writer's background thread answers;
 * the call waits up to 0.1 s for it. Without that thread they are what was told last;
 * - where nobody has it open for writing, pages_free is that of the newest checkpoint and the
 * others are 0, but durable_lsn, which is lsn;
 * - published_txn, readers, oldest_reader_* and writer_pid are 0 if the process keeps writers out
 *   (see quire_open).
 * durable_lsn and syncs may be 0 in the writer's process before its first write transaction.
 * O(keyspaces + collections + readers + pages pinned or free).
 * Errors: READERS_FULL. */
QUIRE_API int quire_get_stat(quire_db* db, quire_stat* stat);

/* Verifies everything: meta pages, every page reachable from the newest commit (checksum and
 * structure), counts, order, records against their indexes, free pages (in the writer's process, or
 * when the newest commit is the checkpoint), the log. For each damage calls report(context, text),
 * if not NULL; a non-zero return stops. QUIRE_OK: clean. Reads with pread. Runs beside everything
 * else. O(pages in use + log).
 * Errors: CORRUPT (damage was found), CANCELLED (`report` stopped it), READERS_FULL. */
QUIRE_API int quire_check(quire_db* db, int (*report)(void* context, const char* text),
                          void* context);

/* ------------------------------------------------------------ transactions */

enum {
  QUIRE_READ = 0,
  QUIRE_WRITE = 1,
  QUIRE_TRY = 2 /* with WRITE: QUIRE_ERR_BUSY at once when another transaction writes */
};

/* Begins; O(1).
 *
 * A read transaction never waits. There is one write transaction at a time, whatever the handle: it
 * waits for the end of another one, first come first served (for ever, if that one is of the same
 * thread), and for a checkpoint that is overdue, which it makes if need be. With QUIRE_TRY it waits
 * for neither (without a background thread it makes the checkpoint all the same).
 * Errors: BUSY (only with QUIRE_TRY); READERS_FULL (65,536 read transactions, in all processes);
 * FULL, QUOTA (the first write transaction of a process begins the log); TOO_LARGE (2^48
 * transactions).
 *
 * When a change fails because something is short or damaged (FULL, QUOTA, TOO_LARGE, NO_MEMORY, IO,
 * CORRUPT, ...) the transaction is broken: every further change, savepoint, rollback and commit
 * returns that error. End it; nothing is committed. After any other error of a change the
 * transaction is as it was before that call. */
QUIRE_API int quire_begin(quire_db* db, uint32_t flags, quire_txn** txn);
/* Ends a transaction. The handle is gone whatever it returns, but for calls that were not let in
 * (CLOSED, THREAD, FORKED); its cursors are of use for quire_cursor_close only. For a read
 * transaction the same as abort. On an error nothing was committed, except after one that poisons
 * the database (POISONED, or another after which quire_begin says so): then its durability is
 * unknown until the database is opened again. O(bytes logged), and a sync if `always`, which
 * commits of other threads share; over log_budget_bytes that of a checkpoint.
 * Errors: FULL, QUOTA; that of the change which broke the transaction. */
QUIRE_API int quire_commit(quire_txn* txn);
/* The same with a durability of its own (QUIRE_DURABILITY_*; another is INVALID and ends nothing);
 * lsn (may be NULL) gets the commit's log sequence number, for quire_wait_durable. */
QUIRE_API int quire_commit_ex(quire_txn* txn, uint32_t durability, uint64_t* lsn);
/* Undoes a write transaction, ends a read transaction. NULL is fine. O(pages changed). */
QUIRE_API void quire_abort(quire_txn* txn);
/* Moves a read transaction to the newest commit; cheaper than ending and beginning. Its cursors
 * become unpositioned, its scans end (CLOSED); memory borrowed before is gone. After an error it
 * can only be ended. */
QUIRE_API int quire_renew(quire_txn* txn);
/* Number of the snapshot a transaction reads (for a write transaction: the one it began at). 0 when
 * it has ended. */
QUIRE_API uint64_t quire_txn_number(const quire_txn* txn);

/* Savepoints of a write transaction nest; ids are given by the library.
 * Errors of the last two: CONFLICT (this savepoint has ended, or is of another transaction). */
/* O(keyspaces and collections used). Pages changed before are copied again when they change. */
QUIRE_API int quire_savepoint(quire_txn* txn, uint64_t* savepoint);
/* Undoes all since and ends the savepoints inside it; the savepoint itself stays. Cursors keep
 * their place by key; scans end (CLOSED). O(pages changed since). */
QUIRE_API int quire_rollback_to(quire_txn* txn, uint64_t savepoint);
/* Ends it and those inside it; the changes stay. O(pages given up since). */
QUIRE_API int quire_release(quire_txn* txn, uint64_t savepoint);

/* --------------------------------------------------------------- keyspaces */

/* A keyspace's number: the same in every transaction and process, never used again after a drop.
 * Functions that take one return NOT_FOUND when the transaction's state has no such keyspace, and
 * TYPE when the number is a collection's. Those that change something also FULL, QUOTA (deleting
 * takes pages too) and TOO_LARGE (2^32 pages; 2^32 numbers of keyspaces and collections). */
typedef uint32_t quire_keyspace;

enum {
  QUIRE_CREATE = 1,     /* make it when it is not there (write transactions) */
  QUIRE_MUST_CREATE = 2 /* QUIRE_ERR_EXISTS when it is */
};

/* Finds a keyspace by its name, or makes it. Names: 1 to 255 bytes of UTF-8 without control
 * characters; unique over keyspaces and collections. flags: 0 or the above, which need a write
 * transaction even if the keyspace is there. O(log names).
 * Errors: NOT_FOUND (without flags), EXISTS (MUST_CREATE), TYPE (the name is a collection's),
 * INVALID (not a name). */
QUIRE_API int quire_keyspace_open(quire_txn* txn, const char* name, uint32_t flags,
                                  quire_keyspace* keyspace);
/* Drops it with all it has. O(its pages + names). */
QUIRE_API int quire_keyspace_drop(quire_txn* txn, quire_keyspace keyspace);
/* Calls visit(context, name, keyspace, entries) for each, in order of names; a non-zero return
 * stops it, with QUIRE_OK. O(m log m) for m names of keyspaces and collections. */
QUIRE_API int quire_keyspace_list(quire_txn* txn,
                                  int (*visit)(void* context, const char* name,
                                               quire_keyspace keyspace, uint64_t entries),
                                  void* context);

/* A piece of memory. */
typedef struct quire_slice {
  const void* data;
  size_t size;
} quire_slice;

enum {
  QUIRE_NO_OVERWRITE = 1, /* QUIRE_ERR_EXISTS when the key is there; nothing is changed */
  QUIRE_APPEND = 2,    /* the key must be greater than all others, else QUIRE_ERR_INVALID: faster */
  QUIRE_MUST_EXIST = 4 /* QUIRE_ERR_NOT_FOUND when the key is not there */
};

/* Keys: 1 byte to quire_max_key_size; values: 0 bytes to 2 GiB. Keys are ordered as by memcmp.
 * flags: 0 (insert or replace) or one of the above. O(log n + value_size).
 * Errors: KEY_SIZE, VALUE_SIZE; EXISTS, INVALID, NOT_FOUND as the flag says. */
QUIRE_API int quire_put(quire_txn* txn, quire_keyspace keyspace, const void* key, size_t key_size,
                        const void* value, size_t value_size, uint32_t flags);
/* Borrows the value: no copy. O(log n).
 * Errors: NOT_FOUND (no such key), KEY_SIZE. */
QUIRE_API int quire_get(quire_txn* txn, quire_keyspace keyspace, const void* key, size_t key_size,
                        quire_slice* value);
/* Deletes one key. O(log n).
 * Errors: NOT_FOUND (no such key), KEY_SIZE. */
QUIRE_API int quire_delete(quire_txn* txn, quire_keyspace keyspace, const void* key,
                           size_t key_size);
/* Deletes keys in [low, high); low NULL: from the first; high NULL: to the last. `deleted` (may be
 * NULL) gets how many; none is no error. Whole pages are dropped without looking at each key:
 * O(log n + pages dropped). */
QUIRE_API int quire_delete_range(quire_txn* txn, quire_keyspace keyspace, const quire_slice* low,
                                 const quire_slice* high, uint64_t* deleted);
/* Exact number of keys in [low, high), bounds as above. O(log n). */
QUIRE_API int quire_count(quire_txn* txn, quire_keyspace keyspace, const quire_slice* low,
                          const quire_slice* high, uint64_t* count);
/* Number of keys less than `key`, which need not be there. O(log n). */
QUIRE_API int quire_rank(quire_txn* txn, quire_keyspace keyspace, const void* key, size_t key_size,
                         uint64_t* rank);
/* Longest key of this database, in bytes (a quarter page, 4096 at most). 0 if it is not open. */
QUIRE_API size_t quire_max_key_size(quire_db* db);

/* ----------------------------------------------------------------- cursors */

/* Limits what a cursor shows. All may be unset (data NULL). */
typedef struct quire_range {
  size_t size;        /* sizeof(quire_range) */
  quire_slice low;    /* keys >= low */
  quire_slice high;   /* keys < high */
  quire_slice prefix; /* keys that begin with it */
} quire_range;
#define QUIRE_RANGE_INIT {sizeof(quire_range), {0, 0}, {0, 0}, {0, 0}}

/* range may be NULL: the whole keyspace. The cursor copies it. It starts before the first entry:
 * quire_cursor_next gives the first, quire_cursor_previous the last. Changes made through its write
 * transaction are seen; the cursor keeps its place by key. Close it with quire_cursor_close. O(1).
 */
QUIRE_API int quire_cursor_open(quire_txn* txn, quire_keyspace keyspace, const quire_range* range,
                                quire_cursor** cursor);
/* NULL is fine; also after the transaction has ended. */
QUIRE_API void quire_cursor_close(quire_cursor* cursor);
/* Each moves, and fills key and value (either may be NULL, which spares a long value's reading).
 * first, last: O(log n); next, previous: O(1) on average, O(log n) after a change of the keyspace.
 * Errors: NOT_FOUND (at the end: the cursor is then before the first or behind the last, and may
 * turn round), TYPE (a cursor of quire_scan_open). After NO_MEMORY or CORRUPT it may stand as at
 * its beginning. */
QUIRE_API int quire_cursor_next(quire_cursor* cursor, quire_slice* key, quire_slice* value);
QUIRE_API int quire_cursor_previous(quire_cursor* cursor, quire_slice* key, quire_slice* value);
QUIRE_API int quire_cursor_first(quire_cursor* cursor, quire_slice* key, quire_slice* value);
QUIRE_API int quire_cursor_last(quire_cursor* cursor, quire_slice* key, quire_slice* value);
/* The first entry at or after `wanted`, which may be of any size. O(log n). NOT_FOUND as above. */
QUIRE_API int quire_cursor_seek(quire_cursor* cursor, const void* wanted, size_t wanted_size,
                                quire_slice* key, quire_slice* value);
/* The entry with number `rank` (from 0) of the range. O(log n). NOT_FOUND as above. */
QUIRE_API int quire_cursor_seek_rank(quire_cursor* cursor, uint64_t rank, quire_slice* key,
                                     quire_slice* value);
/* The entry it is on, again. NOT_FOUND when it is on none, or that was deleted. O(1). */
QUIRE_API int quire_cursor_current(quire_cursor* cursor, quire_slice* key, quire_slice* value);
/* Deletes the entry it is on; next gives the one after. O(log n). NOT_FOUND as for current. */
QUIRE_API int quire_cursor_delete(quire_cursor* cursor);

/* ------------------------------------------------------------- collections */

/* Like quire_keyspace, with the same errors: NOT_FOUND, TYPE (a keyspace's number), and for changes
 * FULL, QUOTA, TOO_LARGE (also 2^48 records). */
typedef uint32_t quire_collection;

typedef enum quire_type {
  QUIRE_TYPE_NULL = 0,
  QUIRE_TYPE_BOOL = 1,
  QUIRE_TYPE_I64 = 2,
  QUIRE_TYPE_F64 = 3,
  QUIRE_TYPE_TEXT = 4, /* UTF-8, checked */
  QUIRE_TYPE_BYTES = 5,
  QUIRE_TYPE_TIMESTAMP = 6, /* i64, microseconds since 1970 UTC */
  QUIRE_TYPE_JSON = 7,      /* the text of a document (RFC 8259), UTF-8, checked, kept as given */
  /* Arrays of scalars, none of them null: see quire_array_make. */
  QUIRE_TYPE_ARRAY_BOOL = 8,
  QUIRE_TYPE_ARRAY_I64 = 9,
  QUIRE_TYPE_ARRAY_F64 = 10,
  QUIRE_TYPE_ARRAY_TEXT = 11,
  QUIRE_TYPE_ARRAY_BYTES = 12,
  QUIRE_TYPE_ARRAY_TIMESTAMP = 13,
  /* Vectors, of fixed dimension. */
  QUIRE_TYPE_VECTOR_F32 = 16,
  QUIRE_TYPE_VECTOR_F16 = 17, /* IEEE 754 binary16 */
  QUIRE_TYPE_VECTOR_I8 = 18,
  QUIRE_TYPE_VECTOR_BITS = 19, /* eight a byte, lowest first; those past the last are 0 */
  QUIRE_TYPE_DEFAULT = 255     /* of a value that is written: what its field has by default */
} quire_type;

enum {
  QUIRE_FIELD_NULLABLE = 1, /* may be null; vectors too */
  QUIRE_FIELD_KEY = 2,      /* of the primary key: 1 to 16 fields, in their order, scalars, not
                               nullable, F64 not NaN; together at most quire_max_key_size bytes (one
                               TEXT or BYTES: 0 to quire_max_key_size - 1) */
  QUIRE_FIELD_TTL = 4       /* a TIMESTAMP, one field at most: when the time of its record is over,
                               null for never; see quire_purge */
};

typedef struct quire_rules quire_rules;

typedef struct quire_field {
  const char* name;         /* 1 to 255 bytes of UTF-8 without control characters, unique */
  uint32_t type;            /* quire_type */
  uint32_t flags;           /* QUIRE_FIELD_* */
  uint32_t dimension;       /* of a vector: 1 to 65,535 */
  uint32_t id;              /* 0 for a new field; see quire_collection_change */
  const quire_rules* rules; /* NULL: no default, nothing checked */
} quire_field;

/* A value of a field. For TEXT, BYTES, JSON and arrays `bytes`; for a vector `vector` or
 * `elements`, with `dimension` elements; in results these borrow the transaction's memory. Vectors
 * in results are aligned for their elements. */
typedef struct quire_value {
  uint32_t type; /* quire_type; NULL for a null */
  uint32_t dimension;
  union {
    int32_t boolean;
    int64_t i64; /* I64, TIMESTAMP */
    double f64;
    quire_slice bytes;
    const float* vector;  /* of F32 */
    const void* elements; /* of any type */
  } as;
} quire_value;

typedef enum quire_default {
  QUIRE_DEFAULT_NONE = 0,  /* null where the field may be null; else a value has to be given */
  QUIRE_DEFAULT_VALUE = 1, /* default_value */
  QUIRE_DEFAULT_NOW = 2,   /* TIMESTAMP: when the record is written */
  QUIRE_DEFAULT_NEXT = 3,  /* I64: one more than any record of the collection ever had, from 1 */
  QUIRE_DEFAULT_UUID = 4,  /* BYTES (16) or TEXT (36): a UUID of version 7 */
  /* I64, not null, not of the key: 1 in a new record (in one that is older than the field, too),
   * and one more with each update or upsert of it. An insert may give another value to begin with,
   * as a copy of a record does. A value that an update or upsert gives for it is not written: it is
   * what the field has to have now (CONFLICT). So who reads a record, changes it and upserts it as
   * a whole loses nobody's change. A record that is deleted and made anew begins at 1 again. */
  QUIRE_DEFAULT_VERSION = 5
} quire_default;

/* What a field has by default, and what its values have to be; null is never checked. In those of
 * arrays the range, list and pattern hold for each element. */
struct quire_rules {
  size_t size;
  uint32_t default_kind; /* quire_default */
  uint32_t reserved;
  quire_value default_value;
  quire_value min; /* of numbers and timestamps; type NULL: none */
  quire_value max;
  uint64_t min_length; /* TEXT: characters; BYTES: bytes; arrays: elements */
  uint64_t max_length; /* UINT64_MAX, or where the size ends before it: any */
  const quire_value* one_of;
  size_t one_of_count; /* 0: any */
  const char* pattern; /* a regular expression (RE2's syntax) for the whole of a TEXT; NULL: none */
};
#define QUIRE_RULES_INIT \
  {sizeof(quire_rules), 0, 0, {0, 0, {0}}, {0, 0, {0}}, {0, 0, {0}}, 0, UINT64_MAX, 0, 0, 0}

/* An array value of `count` elements, all of the type's element type and none null, in `buffer`,
 * which has room for *size bytes; *size gets the bytes it takes. `array` then borrows the buffer.
 * Errors: VALUE_SIZE (more room is needed: *size says how much), TYPE. O(size). */
QUIRE_API int quire_array_make(uint32_t type, const quire_value* elements, size_t count,
                               void* buffer, size_t* size, quire_value* array);
/* Number of its elements. O(1).
 * Errors: TYPE (no array), SCHEMA (its bytes make no sense). */
QUIRE_API int quire_array_count(const quire_value* array, uint64_t* count);
/* Its elements from `first` on, at most `room`; `filled` gets how many. They borrow what the array
 * borrows. O(first + filled).
 * Errors: as quire_array_count. */
QUIRE_API int quire_array_elements(const quire_value* array, uint64_t first, quire_value* elements,
                                   size_t room, size_t* filled);

/* Makes a collection; the fields' order is the order of values everywhere. 1 to 1,024 fields; all
 * is copied. Names are as for keyspaces. O(fields).
 * Errors: EXISTS (the name is a keyspace's or collection's), INVALID (a name, the fields, their
 * rules), TYPE (a field's type). */
QUIRE_API int quire_collection_create(quire_txn* txn, const char* name, const quire_field* fields,
                                      size_t field_count, quire_collection* collection);
/* Finds a collection by its name. O(log names).
 * Errors: NOT_FOUND, TYPE (the name is a keyspace's). */
QUIRE_API int quire_collection_open(quire_txn* txn, const char* name, quire_collection* collection);
/* Drops it with all its records; all scans of this transaction end (CLOSED). O(its pages). */
QUIRE_API int quire_collection_drop(quire_txn* txn, quire_collection collection);
/* Calls visit(context, name, collection, records) for each, as quire_keyspace_list does. */
QUIRE_API int quire_collection_list(quire_txn* txn,
                                    int (*visit)(void* context, const char* name,
                                                 quire_collection collection, uint64_t records),
                                    void* context);
/* Number of fields, then each; names and rules are borrowed. NOT_FOUND: no field has this index. */
QUIRE_API int quire_collection_field_count(quire_txn* txn, quire_collection collection,
                                           size_t* field_count);
QUIRE_API int quire_collection_field(quire_txn* txn, quire_collection collection, size_t index,
                                     quire_field* field);
/* The version of the schema that rows are written with now, and the oldest that a row may have:
 * each row keeps the one that it was written with. From 1. O(1). */
QUIRE_API int quire_collection_version(quire_txn* txn, quire_collection collection,
                                       uint32_t* newest, uint32_t* oldest);
/* Whether the collection is what the caller's program was written for: the same fields (by name, in
 * any order) with the same types, flags, dimensions, and rules where `rules` is not NULL, and the
 * same key. Fields that the caller does not know are none of its business.
 * Errors: SCHEMA, whose sentence is the difference, a field a line. */
QUIRE_API int quire_collection_expect(quire_txn* txn, quire_collection collection,
                                      const quire_field* fields, size_t field_count);

/* Told now and then by what takes long: how many records of how many are done. A non-zero return
 * stops it: CANCELLED. */
typedef int (*quire_progress)(void* context, uint64_t done, uint64_t total);

/* Each of these changes what a collection is, without writing its records again. An error of the
 * caller leaves it as it was. Its scans in this transaction end (CLOSED). */
/* Errors: EXISTS, INVALID. */
QUIRE_API int quire_collection_rename(quire_txn* txn, quire_collection collection,
                                      const char* name);
/* Other fields: all that the collection shall have, in their new order. A field with an id is the
 * one that has it now (quire_collection_field): it may get another name, other rules, become
 * nullable or not, QUIRE_FIELD_TTL or not, and become wider: BOOL an I64 or F64, I64 an F64, TEXT
 * BYTES. One with id 0 is new: in the records that are there it is its default, where that is a
 * value, NOW or VERSION, else null.
 * Those left out go, with their values: without a field that has QUIRE_FIELD_TTL no record's time
 * is over any more. The fields of the key stay what they are, but for name, rules and
 * QUIRE_FIELD_TTL.
 * O(fields); O(records) where rules become stricter, a field may be null no more, or an I64 becomes
 * an F64: then every record is looked at, and indexes of fields that became wider are built anew.
 * Errors: SCHEMA (a record does not fit: the sentence names it; a new field that can't be null has
 * no value, NOW or VERSION by default, and there are records), INVALID (a field; an index uses one
 * that goes, or has a filter that can't compare one that became wider), CANCELLED, TOO_LARGE (over
 * 255 versions in use: see quire_collection_rewrite). */
QUIRE_API int quire_collection_change(quire_txn* txn, quire_collection collection,
                                      const quire_field* fields, size_t field_count,
                                      quire_progress progress, void* context);
/* Writes every row that is of an older version anew. O(records).
 * Errors: CANCELLED. */
QUIRE_API int quire_collection_rewrite(quire_txn* txn, quire_collection collection,
                                       quire_progress progress, void* context);

/* Called for a record whose key is to be the default (its one key field has QUIRE_TYPE_DEFAULT):
 * fills `key`, of the field's type; what it points to has to be good until the next call. A
 * non-zero return refuses the record: CANCELLED. */
typedef int (*quire_key_function)(void* context, quire_value* key);
/* Sets the function, or none (NULL), for the collection of this name in this process, whether it is
 * there yet or not. It comes before what the field has by default. O(1). */
QUIRE_API int quire_set_key_function(quire_db* db, const char* collection,
                                     quire_key_function function, void* context);

/* Exact number of records. O(log names). */
QUIRE_API int quire_collection_count(quire_txn* txn, quire_collection collection,
                                     uint64_t* records);

/* values: one a field, in order; value_count must be the field count. Everything is copied, and
 * checked before anything is written. A record without its vectors: 2 GiB at most. Each of these
 * costs O(log n + size of the record); writing a vector may copy the 64 KiB around it, once a
 * transaction.
 * key: one value for each key field, in their order; key_count says how many, and must be as many
 * as there are key fields.
 * Errors of each: INVALID (key_count is another), TYPE (a value or the key is of another type),
 * SCHEMA (count, nulls, UTF-8, JSON, dimensions, NaN and infinities in vectors, NaN as a key, what
 * the rules say), both naming the field; KEY_SIZE, VALUE_SIZE; CONFLICT (see
 * QUIRE_DEFAULT_VERSION); UNIQUE, naming the index, the key and the record that has it. */
/* Inserts.
 * Errors: EXISTS (there is a record with this key). */
QUIRE_API int quire_record_insert(quire_txn* txn, quire_collection collection,
                                  const quire_value* values, size_t value_count);
/* The same, and fills `key` with a value for each key field: what defaults became. They are good
 * until the transaction's next change or end. key_count is how many values `key` has room for, and
 * must be as many as there are key fields, else nothing is inserted. */
QUIRE_API int quire_record_insert_keyed(quire_txn* txn, quire_collection collection,
                                        const quire_value* values, size_t value_count,
                                        quire_value* key, size_t key_count);
/* The same with a `key` that has room for as many values as there are key fields, which nothing
 * checks. For programs written before there was quire_record_insert_keyed. */
QUIRE_API int quire_record_insert_key(quire_txn* txn, quire_collection collection,
                                      const quire_value* values, size_t value_count,
                                      quire_value* key);
/* Inserts or replaces. */
QUIRE_API int quire_record_upsert(quire_txn* txn, quire_collection collection,
                                  const quire_value* values, size_t value_count);
/* Changes the `count` fields listed (by index) of the record with this key.
 * Errors: NOT_FOUND (no such record), INVALID (no such field; the key can't be changed). */
QUIRE_API int quire_record_update(quire_txn* txn, quire_collection collection,
                                  const quire_value* key, size_t key_count, const uint32_t* fields,
                                  const quire_value* values, size_t count);
/* Deletes the record with this key. O(log n).
 * Errors: NOT_FOUND (no such record). */
QUIRE_API int quire_record_delete(quire_txn* txn, quire_collection collection,
                                  const quire_value* key, size_t key_count);

/* A value that a field of a record has to have. */
typedef struct quire_expected {
  uint32_t field; /* its index */
  uint32_t reserved;
  quire_value value;
} quire_expected;

/* Each does what its namesake does, if the record now has what is expected of it; else it changes
 * nothing. All has to hold; nothing (NULL and 0) is expected of any record. Null equals null;
 * numbers and timestamps are equal as they compare (-0.0 and 0.0, NaN and itself); texts, arrays,
 * JSON and vectors where their bytes are: JSON as it was written. O(size of the values) besides.
 * Errors besides those of its namesake: CONFLICT (the record has something else, or an upsert finds
 * none: the sentence has field and record, what is expected and what is there), INVALID (no such
 * field), TYPE, SCHEMA (a value that the field can't have). */
QUIRE_API int quire_record_upsert_if(quire_txn* txn, quire_collection collection,
                                     const quire_value* values, size_t value_count,
                                     const quire_expected* expected, size_t expected_count);
QUIRE_API int quire_record_update_if(quire_txn* txn, quire_collection collection,
                                     const quire_value* key, size_t key_count,
                                     const uint32_t* fields, const quire_value* values,
                                     size_t count, const quire_expected* expected,
                                     size_t expected_count);
QUIRE_API int quire_record_delete_if(quire_txn* txn, quire_collection collection,
                                     const quire_value* key, size_t key_count,
                                     const quire_expected* expected, size_t expected_count);

/* Fills values[0..value_count), the first value_count fields; TEXT, BYTES and vectors are borrowed.
 * O(log n).
 * Errors: NOT_FOUND (no such record), INVALID (more values than fields); for the key as above. */
QUIRE_API int quire_record_get(quire_txn* txn, quire_collection collection, const quire_value* key,
                               size_t key_count, quire_value* values, size_t value_count);

/* The version of the schema that the record's row was written with. O(log n).
 * Errors: NOT_FOUND (no such record); for the key as above. */
QUIRE_API int quire_record_version(quire_txn* txn, quire_collection collection,
                                   const quire_value* key, size_t key_count, uint32_t* version);
/* The same as quire_record_get for the record with this number, which a search gave in this
 * transaction. Errors: NOT_FOUND (no record has this number), INVALID. */
QUIRE_API int quire_record_get_number(quire_txn* txn, quire_collection collection, uint64_t record,
                                      quire_value* values, size_t value_count);
/* The same for the `count` fields that are listed (by index), in this order: values[i] is that of
 * fields[i]. Errors: NOT_FOUND (no record has this number), INVALID (no such field). */
QUIRE_API int quire_record_get_fields(quire_txn* txn, quire_collection collection, uint64_t record,
                                      const uint32_t* fields, quire_value* values, size_t count);

/* A scan in order of the primary key: by value, TEXT and BYTES as by memcmp. Use quire_cursor_close
 * to end it; only quire_scan_next works on such a cursor. low[0..low_count) and
 * high[0..high_count): values of the first key fields, of all or of fewer, of any size, low <= key
 * < high; none (NULL and 0) is no bound. They are copied. (2024, 5) as low: from the first key that
 * begins so; as high: none that begins so. Changes made through its write transaction are seen.
 * O(1). Errors: INVALID (more values than key fields), TYPE, SCHEMA (of low and high). */
QUIRE_API int quire_scan_open(quire_txn* txn, quire_collection collection, const quire_value* low,
                              size_t low_count, const quire_value* high, size_t high_count,
                              quire_cursor** cursor);
/* The next record's first value_count fields. O(1) on average, O(log n) after a change.
 * Errors: NOT_FOUND (at the end), INVALID (more values than fields), TYPE (not a scan), CLOSED
 * (also after a renewal, a rollback, the collection's drop or NO_MEMORY). */
QUIRE_API int quire_scan_next(quire_cursor* cursor, quire_value* values, size_t value_count);

/* A collection's field with QUIRE_FIELD_TTL says when the time of a record is over: at that moment,
 * or never where it is null. The record does not go by itself: every transaction sees it as any
 * other (a filter may leave it out: `ends is null or ends > now()`) until one deletes it. That is
 * what a purge does; it is a deletion like any other, in the log and in all indexes.
 *
 * A sorted index whose first part is the field finds such records without reading others: one
 * without `where`, or with the field's `is not null`. So does a key that begins with it. Else a
 * purge reads all records. */
#define QUIRE_NOW INT64_MIN /* of now_us: what the system's clock says */

/* Deletes records whose time was over at now_us (microseconds since 1970 UTC, or QUIRE_NOW), at
 * most `limit` (UINT64_MAX: all), soonest over first where an index helps; in the caller's
 * transaction. `purged` (may be NULL) gets how many. An error leaves those before it deleted; a
 * savepoint undoes that. O(purged * log n), and O(n) without such an index.
 * Errors: INVALID (no field has QUIRE_FIELD_TTL; the limit is 0), NOT_SUPPORTED (an index of a kind
 * that is not known here). */
QUIRE_API int quire_purge(quire_txn* txn, quire_collection collection, int64_t now_us,
                          uint64_t limit, uint64_t* purged);

typedef struct quire_purge_options {
  size_t size;
  const char* collection; /* its name; NULL: all that have such a field */
  int64_t now_us;         /* as above */
  uint64_t limit;         /* records, all in all; UINT64_MAX: any number */
  uint32_t batch;         /* records of one transaction: 1 to 1,000,000; 0: 256 */
  uint32_t durability;    /* QUIRE_DURABILITY_*, of its commits */
  /* Told before each transaction how many records are deleted, with `limit` for the total. */
  quire_progress progress;
  void* context;
} quire_purge_options;
#define QUIRE_PURGE_OPTIONS_INIT {sizeof(quire_purge_options), 0, QUIRE_NOW, UINT64_MAX, 0, 0, 0, 0}

/* The same in transactions of its own, which wait for their turn as others do and are short: other
 * writers go on meanwhile, and readers. The records are found by read transactions, and looked at
 * once more before they are deleted. options may be NULL: all records of all collections whose time
 * is over by now. `purged` (may be NULL) gets how many are deleted, also on an error: those stay.
 * The calling thread must have no write transaction open (see quire_begin).
 * Errors: READ_ONLY (the handle); NOT_FOUND (no such collection), TYPE (a keyspace has this name),
 * INVALID (it has no such field; the limit is 0, the batch is too large, no QUIRE_DURABILITY_*),
 * CANCELLED (`progress` said so); those of quire_begin and quire_commit. */
QUIRE_API int quire_purge_database(quire_db* db, const quire_purge_options* options,
                                   uint64_t* purged);

/* ----------------------------------------------------------------- batches */

enum {
  QUIRE_CHANGE_INSERT = 1, /* quire_change.kind: as quire_record_insert, with `values` */
  QUIRE_CHANGE_UPSERT = 2, /* as quire_record_upsert_if, with `values` */
  QUIRE_CHANGE_UPDATE = 3, /* as quire_record_update_if, with `key`, `fields` and `values` */
  QUIRE_CHANGE_DELETE = 4  /* as quire_record_delete_if, with `key` */
};

/* A change of one record. What its kind does not take is NULL and 0. */
typedef struct quire_change {
  uint32_t kind; /* QUIRE_CHANGE_* */
  uint32_t reserved;
  const quire_value* key;
  size_t key_count;
  const uint32_t* fields; /* value_count of them */
  const quire_value* values;
  size_t value_count;
  const quire_expected* expected; /* not of an INSERT */
  size_t expected_count;
} quire_change;

enum {
  QUIRE_BATCH_PARTIAL = 1 /* quire_batch_options.flags: each change stands or falls by itself */
};
typedef struct quire_batch_options {
  size_t size;
  uint32_t flags; /* QUIRE_BATCH_* */
  uint32_t reserved;
  quire_slice key;     /* idempotency key, 1 to 255 bytes; data NULL: none */
  uint64_t remember_s; /* how long it is remembered, from now; 0: a day; at most 100 years */
  /* Gets the keys of the records that inserts and upserts wrote: for each change in its order as
   * many values as there are key fields, nulls where it is another change, or failed. NULL: they
   * are not wanted. */
  quire_value* keys;
  size_t key_room; /* values that `keys` has room for: one for each key field and change at least */
} quire_batch_options;
#define QUIRE_BATCH_OPTIONS_INIT {sizeof(quire_batch_options), 0, 0, {0, 0}, 0, 0, 0}

/* What became of one change. */
typedef struct quire_change_result {
  int32_t code; /* QUIRE_OK, or why it failed */
  uint32_t reserved;
  const char* message; /* the sentence; NULL with QUIRE_OK */
} quire_change_result;

typedef struct quire_batch_result {
  size_t size;
  uint64_t applied;      /* how many changes were carried out */
  uint64_t failed;       /* how many failed; of an atomic batch one at most */
  uint64_t first_failed; /* the place of the first of these in `changes`; UINT64_MAX: none */
  uint32_t replayed; /* 1: this is what the batch gave when it was applied; nothing was changed */
  uint32_t reserved;
} quire_batch_result;

/* Applies the changes, in their order, in the caller's write transaction. options, results and
 * result may be NULL; `results` has room for `count`; set result->size = sizeof *result first.
 * Messages and keys are good until the next batch of the transaction, or its end.
 *
 * A batch is atomic: where a change fails, none is carried out, and the call returns its error,
 * with its place (from 0) before the sentence. With QUIRE_BATCH_PARTIAL a change that fails changes
 * nothing, the others stay, and the call returns QUIRE_OK. Errors after which a transaction is
 * broken end either.
 *
 * With an idempotency key, what the batch gave is kept with the collection, and committed or undone
 * with the transaction. While it is remembered, the same changes with the same flags and key are
 * not carried out again: `results` and `result` get what they got then, without the sentences, and
 * `keys` too, where the batch asked for them then: its first keys, as many as a MiB holds (some
 * 250,000 integers that follow one another, 70,000 UUIDs); the others are null.
 * So a program that has lost the answer to its commit just sends its batch again. An atomic batch
 * that fails is not remembered. Changes are the same where their bytes are, defaults as they are
 * given. Outcomes whose time is over go with later batches, some hundreds each; quire_recover
 * saves none. The clock is the system's.
 *
 * O(the changes), and with a key O(log of the batches remembered + size of the changes).
 * Errors: INVALID (a change is not one: kind, NULL, number of key values, something its kind does
 * not take; then none is carried out, also with QUIRE_BATCH_PARTIAL. `keys` has too little room.
 * The idempotency key has another size, or belongs to another batch), TYPE (a value of no type);
 * when atomic those of the changes. */
QUIRE_API int quire_batch_apply(quire_txn* txn, quire_collection collection,
                                const quire_change* changes, size_t count,
                                const quire_batch_options* options, quire_change_result* results,
                                quire_batch_result* result);

/* ----------------------------------------------------------------- indexes */

typedef struct quire_index_options {
  size_t size;
  const char* kind;      /* "sorted", or of vectors "hnsw" */
  const char* options;   /* an object in JSON: docs/indexes.md has what each kind takes */
  uint64_t memory_bytes; /* that building may use; 0: 256 MiB */
  quire_progress progress;
  void* context;
} quire_index_options;
#define QUIRE_INDEX_OPTIONS_INIT {sizeof(quire_index_options), "sorted", 0, 0, 0, 0}

typedef struct quire_index_info {
  size_t size;
  const char* name;
  const char* kind;
  const char* options; /* as the index has them, in JSON; NULL where the kind is not known here */
  uint64_t entries;
  uint64_t pages; /* 0: the kind can't tell */
  /* What else the kind tells of itself: an object in JSON, names and whole numbers
   * (docs/indexes.md); NULL where the kind is not known here. */
  const char* figures;
} quire_index_info;

/* Makes an index and fills it from the records that are there; from then on every change of a
 * record changes it in the same transaction. Readers go on meanwhile. `progress` is called by this
 * thread alone; an index of vectors is built by several (build_threads of quire_open_options), so
 * that its graph is not the same each time, and of `memory_bytes` at once: what does not fit is
 * linked after it, more slowly. O(n log n). Errors: EXISTS
 * (the name), INVALID (name, options), NOT_SUPPORTED (kind), UNIQUE (two records have the same key:
 * both are named), KEY_SIZE (a record's key is too long), CANCELLED. */
QUIRE_API int quire_index_create(quire_txn* txn, quire_collection collection, const char* name,
                                 const quire_index_options* options);
/* Each of these has NOT_FOUND for a name that no index of the collection has. */
QUIRE_API int quire_index_drop(quire_txn* txn, quire_collection collection, const char* name);
/* Errors: EXISTS, INVALID. */
QUIRE_API int quire_index_rename(quire_txn* txn, quire_collection collection, const char* name,
                                 const char* new_name);
/* Builds it anew beside the old one, which then goes. O(n log n).
 * Errors: CANCELLED, NOT_SUPPORTED. */
QUIRE_API int quire_index_rebuild(quire_txn* txn, quire_collection collection, const char* name,
                                  quire_progress progress, void* context);
/* Calls visit(context, info) for each index, in order of creation; a non-zero return stops it, with
 * QUIRE_OK. What info points to is good during the call. O(indexes * log n). */
QUIRE_API int quire_index_list(quire_txn* txn, quire_collection collection,
                               int (*visit)(void* context, const quire_index_info* info),
                               void* context);

/* ------------------------------------------------------------- maintenance */

/* Indexes of vectors put work off: a commit makes a record findable at once, by a list that every
 * search goes through; linking it into the graph, and taking deleted ones out, is done between
 * commits, by a thread of the process that writes (not where QUIRE_OPEN_NO_BACKGROUND asks for
 * none), in transactions that no caller sees: they change no record, are not logged and ask for no
 * sync. A commit that makes the list much too long does a part of it itself. What was not done when
 * a database is closed, or its process dies, is gone on with by who writes next. */

/* Does all that waits, in this thread, also while it is paused: before a database is closed that
 * will be read for long, or measured. In turn with other transactions, so a thread that has a write
 * transaction open waits for itself for ever. Errors: READ_ONLY; CORRUPT; those of a commit. */
QUIRE_API int quire_maintenance_flush(quire_db* db);
/* Until quire_maintenance_resume, or the last close, the thread begins no work; what it is at is
 * ended first. Commits go on doing their part. Errors: READ_ONLY. */
QUIRE_API int quire_maintenance_pause(quire_db* db);
QUIRE_API int quire_maintenance_resume(quire_db* db);

typedef struct quire_maintenance_stat {
  size_t size;
  uint32_t paused;      /* 0, 1 */
  uint32_t working;     /* whether the thread is at something */
  uint64_t steps;       /* that were done, since the database was opened */
  uint64_t conflicts;   /* that were worked out in vain, because a commit did its part meanwhile */
  uint64_t turn_us;     /* for which other transactions had to wait, in all */
  uint64_t turn_us_max; /* the most at once */
  int32_t error;        /* QUIRE_OK, or why the thread's last step was not done */
  char message[244];    /* and in words, cut where there is no room; "" */
} quire_maintenance_stat;
/* Set stat->size = sizeof *stat first. What waits in each index: quire_index_list. O(1).
 * Errors: READ_ONLY. */
QUIRE_API int quire_maintenance_get_stat(quire_db* db, quire_maintenance_stat* stat);

/* ----------------------------------------------------------------- queries */

/* Filters, what may be selected and ordered by, how a query finds its records and what it says of
 * that: docs/filters.md and docs/queries.md. */

typedef struct quire_query quire_query;

enum {
  QUIRE_QUERY_DISTINCT = 1, /* each row once: what is selected has to have an order */
  QUIRE_QUERY_NO_INDEX = 2  /* reads all records, or those of a range of keys */
};

typedef struct quire_query_options {
  size_t size;
  const char* filter;           /* NULL: all records */
  const quire_value* arguments; /* of the filter's parameters, $1 first */
  size_t argument_count;
  const char* const* argument_names; /* without the $, where parameters have names; else NULL */
  const char* select; /* fields and expressions; count(), min(x), max(x). NULL: all fields */
  const char* group;  /* fields and expressions; NULL: no groups */
  const char* order;  /* fields and expressions, each with asc or desc; NULL: any order */
  uint64_t limit;     /* rows at most; UINT64_MAX: all */
  uint64_t offset;    /* rows left out first; of no meaning with a token */
  const void* token;  /* of quire_query_token: goes on behind that row. NULL: from the beginning */
  size_t token_size;
  const char* index; /* the only one that may be used; NULL: what is cheapest */
  uint32_t flags;    /* QUIRE_QUERY_* */
  uint32_t reserved;
  uint64_t budget_us;      /* of time, entries read (records, or entries of indexes), and memory */
  uint64_t budget_entries; /* for sorting, groups and sets; 0: no limit */
  uint64_t budget_bytes;
} quire_query_options;
#define QUIRE_QUERY_OPTIONS_INIT \
  {sizeof(quire_query_options), 0, 0, 0, 0, 0, 0, 0, UINT64_MAX, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/* Plans a query over the records as the transaction has them; options may be NULL: all records.
 * All is copied. It ends with its transaction, with a change of what the collection is, and with
 * quire_renew and quire_rollback_to (CLOSED). In a write transaction every row fulfils the filter
 * when it is given, whatever was changed since. O(text + indexes * log n).
 * Errors: INVALID (texts, numbers of arguments, a token of another query or none), NOT_FOUND (a
 * field, the index), TYPE (types that do not go together, or have no order), CONFLICT (what the
 * token went by is there no more). */
QUIRE_API int quire_query_open(quire_txn* txn, quire_collection collection,
                               const quire_query_options* options, quire_query** query);
/* NULL is fine; also after the transaction has ended. */
QUIRE_API void quire_query_close(quire_query* query);
/* Columns of a row. */
QUIRE_API int quire_query_column_count(quire_query* query, size_t* count);
/* Name and type of a column, good until the query is closed; NULL for a type that only each row
 * tells. Either may be NULL. Errors: NOT_FOUND. */
QUIRE_API int quire_query_column(quire_query* query, size_t column, const char** name,
                                 uint32_t* type);
/* The next row: its first value_count columns, good until the next call with the query or the next
 * change. Errors: NOT_FOUND (at the end), BUDGET (says what was done so far). After an error there
 * are no more rows (CLOSED), but quire_query_token tells where to go on, and quire_query_explain
 * what was done. */
QUIRE_API int quire_query_next(quire_query* query, quire_value* values, size_t value_count);
/* Number of the record that is the row (see quire_record_get_number), and, where key_count is not
 * 0, its primary key, key_count being how many fields that has. Either may be NULL.
 * Errors: NOT_FOUND (on no row), NOT_SUPPORTED (rows are groups), INVALID (key_count). */
QUIRE_API int quire_query_record(quire_query* query, uint64_t* record, quire_value* key,
                                 size_t key_count);
/* Where a later query with the same filter, arguments and order goes on, in this state of the
 * database or another. Records that did not change since are given once, all in all; one that moved
 * within the order may be given again or not. `token` has room for *size bytes; *size gets those
 * it takes.
 * Errors: VALUE_SIZE (more room is needed: *size says how much), INVALID (no row was given yet),
 * NOT_SUPPORTED (rows are groups). */
QUIRE_API int quire_query_token(quire_query* query, void* token, size_t* size);
/* The plan with its estimates, and what was done so far, in JSON; freed with quire_free. */
QUIRE_API int quire_query_explain(quire_query* query, char** json);

/* How many records a filter finds: `filter`, its arguments, `index`, `flags` and budgets of the
 * options count. O(log n) where an index answers all of the filter. Errors: as quire_query_open and
 * quire_query_next. */
QUIRE_API int quire_query_count(quire_txn* txn, quire_collection collection,
                                const quire_query_options* options, uint64_t* count);
/* Deletes the records that a query without groups would give; `deleted` (may be NULL) gets how
 * many. All are found before the first is deleted. An error of one is the error of all: records
 * before it are deleted, and a savepoint undoes that. O(query + deleted * log n). */
QUIRE_API int quire_query_delete(quire_txn* txn, quire_collection collection,
                                 const quire_query_options* options, uint64_t* deleted);
/* The same for changes of the `count` fields listed (by index), as quire_record_update. */
QUIRE_API int quire_query_update(quire_txn* txn, quire_collection collection,
                                 const quire_query_options* options, const uint32_t* fields,
                                 const quire_value* values, size_t count, uint64_t* updated);

/* ------------------------------------------------------------------ search */

/* Of vectors of F32, F16 and I8: L2, IP, COSINE, L1. Of BITS: HAMMING, JACCARD. */
typedef enum quire_metric {
  QUIRE_METRIC_DEFAULT = 0, /* L2; of BITS HAMMING */
  QUIRE_METRIC_L2 = 1,      /* squared euclidean distance */
  QUIRE_METRIC_IP = 2,      /* minus the inner product */
  QUIRE_METRIC_COSINE = 3,  /* 1 - cosine; 1 where a vector is zero */
  QUIRE_METRIC_L1 = 4,      /* sum of the absolute differences */
  QUIRE_METRIC_HAMMING = 5, /* how many bits differ */
  QUIRE_METRIC_JACCARD =
      6 /* 1 - bits that both have / bits that either has; 0 where both are zero */
} quire_metric;

/* How a search went; each is filled in as far as `size` lets it. */
typedef struct quire_search_stat {
  size_t size;
  uint32_t way;     /* QUIRE_SEARCHED_* */
  uint32_t ef;      /* of the walk through the graph; 0: there was none */
  uint64_t matches; /* vectors that could be found: with `among`, of the records it gives */
  uint64_t codes;   /* short codes of vectors that were measured */
  uint64_t vectors; /* vectors that were measured exactly */
} quire_search_stat;
#define QUIRE_SEARCH_STAT_INIT {sizeof(quire_search_stat), 0, 0, 0, 0, 0}

enum {
  QUIRE_SEARCHED_EXACTLY = 1, /* every vector that could be found was measured exactly */
  QUIRE_SEARCHED_GRAPH = 2,   /* by an index */
  QUIRE_SEARCHED_MATCHES = 3, /* every vector of `among`, by an index, which has codes of them */
  QUIRE_SEARCHED_GRAPH_FILTERED = 4 /* by an index, narrowed to `among` on the way */
};

typedef struct quire_hit {
  double distance; /* ascending, with the precision of a float */
  quire_value key; /* primary key of the record, borrowed; NULL where that has several fields */
  uint64_t record; /* its number: see quire_record_get_number */
} quire_hit;

/* A record that a search shall find the like of, or not: its key, a value for each key field. */
typedef struct quire_example {
  const quire_value* key;
  size_t key_count;
} quire_example;

typedef struct quire_search_options {
  size_t size;
  uint32_t metric;     /* quire_metric */
  uint32_t field;      /* index of a vector field */
  const float* vector; /* the query where the field is of F32: `dimension` floats */
  uint32_t dimension;
  uint32_t k; /* how many: 1 to 1,000,000 */
  /* The query as a vector of the field's type, whatever that is; then `vector` is NULL. BITS as
   * they are stored: eight a byte, lowest first, 0 past the last. NULL: `vector` is the query. */
  const quire_value* query;
  /* Only records that this query gives, as quire_query_open would now; what it selects is of no
   * meaning. NULL: all records. */
  const quire_query_options* among;
  /* The index to search by. NULL: one of the field by this metric, if there is one. With a name,
   * QUIRE_METRIC_DEFAULT is the metric of the index. */
  const char* index;
  uint32_t
      ef; /* how far a search by an index looks: to 1,000,000; 0: 128, more where k is over 10 */
  uint32_t flags; /* QUIRE_SEARCH_* */
  /* Instead of an ef: the share of the nearest that a search by an index shall find, 0.5 to 0.9999
   * or QUIRE_TARGET_*. The index measures on its own vectors, in maintenance, how far it has to
   * look for that; before the first time (from 1,000 vectors on) 64, 128 and 400 are taken for the
   * named ones. So it holds for queries that are like the data, in the mean. 0: none */
  double target;
  quire_search_stat* stat; /* filled in where the search succeeds; may be NULL */
  /* Instead of a vector and a query: the mean of the vectors of `like`, and with `unlike` as far
   * again from their mean as from there to that of `like`. None of these records is found. */
  const quire_example* like;
  size_t like_count;
  const quire_example* unlike;
  size_t unlike_count;
  double max_distance; /* of a hit, with QUIRE_SEARCH_WITHIN */
  /* Only hits behind this one, the last of an earlier search for the same: its distance and record
   * count. So pages of hits follow one another, without one twice or left out between, in this
   * state of the database or another. NULL: from the nearest on. `after_count`: about how many hits
   * there are up to it; a guess that is wrong costs time. */
  const quire_hit* after;
  uint64_t after_count;
  /* At most `per_group` hits have the same value of the field `group_field`, a scalar one; null is
   * a value. 0: any number. */
  uint32_t group_field;
  uint32_t per_group;
  /* More than 0, at most 1: of the nearest `candidates` (0: 4 * k) those are chosen, one after the
   * other, that have the least (1 - diversity) * distance - diversity * distance to the nearest one
   * that was chosen before (maximal marginal relevance). Hits come in this order. 0: the nearest */
  double diversity;
  uint32_t candidates;
  uint32_t reserved;
} quire_search_options;
#define QUIRE_SEARCH_OPTIONS_INIT \
  {sizeof(quire_search_options),  \
   QUIRE_METRIC_DEFAULT,          \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0,                             \
   0}
#define QUIRE_TARGET_FAST 0.90
#define QUIRE_TARGET_BALANCED 0.95
#define QUIRE_TARGET_HIGH 0.99

enum {
  QUIRE_SEARCH_EXACT = 1, /* by no index: every vector is measured */
  QUIRE_SEARCH_WITHIN = 2 /* only hits of a distance of max_distance at most */
};

/* Nearest neighbours at the age of the transaction, its own changes included. hits has room
 * for k; `found` gets how many there are (fewer than k only when fewer records have the field and
 * are among those that are asked for). Distances are exact. Where the field has an index of the
 * kind "hnsw" (docs/indexes.md) by the metric, a few of the nearest may be missed, fewer with a
 * larger `ef`; without an index, and with QUIRE_SEARCH_EXACT, none. Ties in no particular order,
 * the same for the same state. By an index about O(ef * m * dimension + k log n), also with
 * `among`, of which an index of vectors takes what costs less: to measure all that match, or to
 * walk. Else O(n * dimension + k log n), n with the deleted records whose place no new one has
 * taken; with `among` O(n / 64 + matches * dimension + k log n). Finding the records of `among`
 * costs what that query does, the first time; searches of the same state by the same query find
 * them again. Errors: TYPE (not a field of vectors, a query of another type), SCHEMA (another
 * dimension, NaN or infinities in the query, bits past the last), INVALID (k, ef, target, no such
 * metric, field or flag, no query or two, an index that is of another field, metric or kind, or
 * given to an exact search; max_distance or diversity out of range; `unlike` without `like`; an
 * example without a vector; groups or a diversity together with `after`; fewer candidates than k),
 * NOT_FOUND (no such index; no such example), NOT_SUPPORTED (a metric that the field's type does
 * not have; `among` gives groups), and those of quire_query_open and quire_query_next for `among`.
 */
QUIRE_API int quire_search(quire_txn* txn, quire_collection collection,
                           const quire_search_options* options, quire_hit* hits, size_t* found);
/* The same for `count` queries, each as quire_search_options.query would have it; the options have
 * no query of their own. hits has room for count * k: those of query i begin at hits[i * k], and
 * found[i] says how many they are. In a read transaction by up to `threads` threads (1 to 1,024;
 * the caller's is one, others end before this returns); in a write transaction by the caller's
 * alone. `stat` of the options has the sums over all. Errors: as quire_search, naming the query;
 * then nothing was found for any. */
QUIRE_API int quire_search_batch(quire_txn* txn, quire_collection collection,
                                 const quire_search_options* options, const quire_value* queries,
                                 size_t count, uint32_t threads, quire_hit* hits, size_t* found);
/* Distance of the vectors that two records have in a field. O(log n + dimension).
 * Errors: NOT_FOUND (no such record), INVALID (one has no vector there; no such metric or field),
 * TYPE (not a field of vectors), NOT_SUPPORTED (the metric); for the keys as quire_record_get. */
QUIRE_API int quire_record_distance(quire_txn* txn, quire_collection collection, uint32_t field,
                                    uint32_t metric, const quire_value* a, const quire_value* b,
                                    size_t key_count, double* distance);

/* ----------------------------------------------------------------- inspect */

enum {
  QUIRE_INSPECT_META = 1,    /* both meta pages */
  QUIRE_INSPECT_PAGE = 2,    /* one page, by number */
  QUIRE_INSPECT_SEGMENT = 3, /* one log segment, by number (0: a list of all) */
  QUIRE_INSPECT_READERS = 4  /* the head and the reader table of `lock` */
};
/* Describes a part of the files as JSON text, without opening or changing the database (works on
 * damaged ones; SEGMENT needs a good meta page). *json is freed with quire_free. A segment that is
 * not there gives an empty list. O(1), SEGMENT O(bytes of the segments).
 * Errors: NOT_FOUND (no such file), PERMISSION, INVALID (no such page), TRUNCATED; of SEGMENT
 * NOT_DATABASE, VERSION, BYTE_ORDER and others of quire_open. */
QUIRE_API int quire_inspect(const char* path, uint32_t what, uint64_t number, char** json);
/* Frees what quire_inspect gave; NULL is fine. */
QUIRE_API void quire_free(void* memory);

/* ----------------------------------------------------------------- recover */

enum { QUIRE_RECOVER_UNVERIFIED = 1 /* quire_recover_options.flags; see below */ };
typedef struct quire_recover_options {
  size_t size;
  uint32_t flags; /* QUIRE_RECOVER_* */
  uint32_t reserved;
} quire_recover_options;
#define QUIRE_RECOVER_OPTIONS_INIT {sizeof(quire_recover_options), 0, 0}

/* What a finding says. */
enum {
  QUIRE_FINDING_NOTE = 1,       /* something is damaged, and nothing is lost by it */
  QUIRE_FINDING_LOST = 2,       /* something is lost */
  QUIRE_FINDING_UNVERIFIED = 3, /* entries that no checksum vouches for were saved */
  QUIRE_FINDING_SAVED = 4       /* closes a keyspace or collection: what the new one has */
};
/* And of what. */
enum {
  QUIRE_FINDING_OF_DATABASE = 0,
  QUIRE_FINDING_OF_KEYSPACE = 1,
  QUIRE_FINDING_OF_COLLECTION = 2,
  QUIRE_FINDING_OF_LOG = 3
};
typedef struct quire_finding {
  size_t size;
  uint32_t kind;    /* QUIRE_FINDING_* */
  uint32_t subject; /* QUIRE_FINDING_OF_* */
  const char* name; /* of the keyspace or collection in the new database; else NULL */
  const char* text; /* a sentence */
  quire_slice low;  /* the keys in [low, high) are meant; of a collection encoded, as in */
  quire_slice high; /* docs/format.md. data NULL: none, or no bound above */
  uint64_t saved;   /* keys or records */
  /* How many are lost. They differ only where the log wrote or erased keys in a range that is lost;
   * UINT64_MAX for the second: nothing tells. */
  uint64_t lost_least;
  uint64_t lost_most;
  uint32_t page; /* that is damaged; 0: none in particular */
  uint32_t reserved;
} quire_finding;

typedef struct quire_recover_result {
  size_t size;
  uint64_t keyspaces;
  uint64_t collections;
  uint64_t saved; /* keys and records, all together */
  uint64_t lost_least;
  uint64_t lost_most; /* UINT64_MAX: nothing tells */
  uint64_t commits;   /* of the log, carried out over the last checkpoint */
} quire_recover_result;

/* Makes the database `new_path` out of all that can be read of the damaged one, with the same page
 * size, names and schemas, and reports what is lost: report(context, finding) for each thing found,
 * last a QUIRE_FINDING_SAVED for each keyspace and collection; a non-zero return stops. Memory of a
 * finding is good until `report` returns. options, report and result may be NULL; set result->size
 * = sizeof *result first.
 *
 * The damaged database is only read, with pread. Nobody can open it meanwhile (they wait, as for a
 * recovery); read transactions that are open go on. The state to begin with is that of the newest
 * good meta page; where the one that was lost may have been newer, or both are lost, the pages of
 * `data` are searched for a younger state that is whole. A damaged page costs what is below it and
 * no more, and its pointer says how much that is; a record whose vector is lost is saved without
 * it, where the field may be null. Then the log is carried out, commit by commit, as far as it can
 * be read.
 *
 * With QUIRE_RECOVER_UNVERIFIED leaves are taken too that no checksum vouches for: damaged ones
 * whose structure holds, and those below a branch that is lost. Never an older copy of something
 * newer, as long as the list of free pages can be read; else they are said to be perhaps old.
 *
 * QUIRE_OK: nothing is lost. CORRUPT: the new database was made, and lacks, or has unverified, what
 * was reported. After any other error there is no new database. O(pages in use + log), and of the
 * whole file where it is searched.
 * Errors: NOT_FOUND, NOT_DATABASE (nothing of a database is there), VERSION, BYTE_ORDER; BUSY
 * (somebody writes to it, or opens it); EXISTS (there is something at new_path), INVALID (new_path
 * is in the damaged directory); CANCELLED (`report` stopped it); FULL, PERMISSION and others of
 * writing the new one. */
QUIRE_API int quire_recover(const char* damaged, const char* new_path,
                            const quire_recover_options* options,
                            int (*report)(void* context, const quire_finding* finding),
                            void* context, quire_recover_result* result);

#ifdef __cplusplus
}
#endif
#endif /* QUIRE_QUIRE_H */
