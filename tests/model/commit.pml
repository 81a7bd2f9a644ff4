/* Commits, group commit, checkpoints, and recovery after a crash at any moment.
 *
 * What it stands for: commits are numbered 1, 2, 3 by their log record; the state after commit n is
 * the set of commits 1 to n, one bit each. What was written is in the system's cache and survives
 * the death of the process; what was synced is on the device. At a power loss each thing that was
 * written and not synced survives or does not, a page or meta page also as rubbish. A sync may fail:
 * then what it should have written counts as clean and never reaches the device.
 *
 * What mirrors what:
 *   Committer      Writer::commit_logged and wait_for: append, then sync (`always`), write (`os`) or
 *                  nothing (`none`); a commit behind one that is not visible yet waits for its sync
 *   write_log      GroupLogWriter::write_pending: all that has been appended
 *   sync_log       GroupLogWriter::lead with SyncQueue: one leads, the others wait
 *   advance        Writer::advance_locked, called from LogWriter::Hooks::progress
 *   Publisher      Writer::publish: the log's write, then the root in the shared head
 *   Checkpointer   Writer::plan_checkpoint, Database::write_checkpoint, tidy_up
 *   poisoned       Writer::poison and GroupLogWriter::poison: nothing is tried again
 *   Life           Database::recover: the newest good meta page is written and synced again, the log
 *                  is replayed, LogWriter::start syncs the segment it ended in, a checkpoint, and
 *                  only then new commits
 *
 * What is claimed:
 *   1. An `always` commit is seen by nobody before it is durable.
 *   2. Recovery always finds a good meta page, its pages whole, and the log from there on.
 *   3. Every acknowledged `always` commit is there after it.
 *   4. The state is a prefix of the commits.
 *   5. Without a power loss, what another process saw is there, and what was acknowledged as `os`.
 *   6. Nobody waits for ever (no deadlock).
 *
 * Bounds: COMMITS commits in all lives together, COMMITTERS at once, CRASHES crashes of either kind
 * (also in the middle of recovery), CHECKPOINTS checkpoints, FAILURES failing syncs.
 *
 * Left out: segments (a record that the checkpoint does not need is gone at once), the order of bytes
 * within the log (records survive one by one, so in any order), pages and their reuse (publish.pml:
 * each checkpoint writes one page, not that of the one before), bulk commits, `batch`, which is `os`
 * with a time-out, the wake-ups of SyncQueue, readers of the own process.
 *
 * Seeded bugs: -DBUG_ACK_BEFORE_SYNC, -DBUG_META_BEFORE_SYNC, -DBUG_RECYCLE_BEFORE_META,
 * -DBUG_PUBLISH_BEFORE_WRITE, -DBUG_LOG_NOT_SYNCED (by a checkpoint), -DBUG_META_NOT_REWRITTEN,
 * -DBUG_SYNC_TRIED_AGAIN, -DBUG_NO_CHAIN (recovery reads past a hole),
 * -DBUG_NO_CHECKPOINT (after recovery).
 */

#ifndef COMMITS
#define COMMITS 3
#endif
#ifndef COMMITTERS
#define COMMITTERS 2
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef CHECKPOINTS
#define CHECKPOINTS 1
#endif
#ifndef FAILURES
#define FAILURES 1
#endif

#define NONE 0
#define OS 1
#define ALWAYS 2
#define RUBBISH 255
#define UP_TO(n) ((1 << (n)) - 1) /* commits 1 to n */
#define HAS(set, n) ((set) & (1 << ((n) - 1)))

/* The log: records in the cache, on the device, and clean in the cache though not on the device. */
byte log_cache, log_device, log_lost;
byte log_first;  /* records up to here are gone */
byte log_starts; /* bit n: a segment that was made durable by a recovery begins behind record n */

/* Two pages for checkpoints and the meta page for each: number (0: none or rubbish) and LSN. */
byte page_cache[2], page_device[2];
byte meta_cache[2], meta_device[2];
byte meta_cache_lsn[2], meta_device_lsn[2];
bool page_lost[2], meta_lost[2];
byte current; /* which of them is the checkpoint */

byte appended, written, synced, visible, published;
byte asked[COMMITS + 1]; /* the durability of each commit */
byte acked_always, acked_os, seen;
bool leading, poisoned;
byte life, crashes, checkpoints, failures;

inline advance() {
  do
  :: !poisoned && visible < appended && (asked[visible + 1] == NONE ||
#ifdef BUG_ACK_BEFORE_SYNC
                          written > visible) ->
#else
                          (asked[visible + 1] == OS && written > visible) || synced > visible) ->
#endif
     visible++;
     assert(asked[visible] != ALWAYS || (log_device & UP_TO(visible)) == UP_TO(visible)) /* claim 1 */
  :: else -> break
  od
}

inline write_log() {
  atomic {
    if
    :: !poisoned && written < appended ->
       log_cache = log_cache | UP_TO(appended);
       written = appended;
       advance()
    :: else
    fi
  }
}

/* A sync that fails: what is written and not on the device never gets there. */
inline fail_sync() {
  failures++;
  log_lost = log_lost | (log_cache & ~log_device);
#ifndef BUG_SYNC_TRIED_AGAIN
  poisoned = true;
  visible = published;
#endif
  leading = false
}

/* Uses `target`. */
inline sync_log(lsn) {
  do
  :: synced >= lsn || poisoned -> break
  :: atomic { !leading && !poisoned && synced < lsn -> leading = true };
     write_log();
     target = written;
     if
     :: atomic {
          log_device = log_device | (UP_TO(target) & ~log_lost);
          if
          :: target > synced -> synced = target
          :: else
          fi;
          advance();
          leading = false;
          target = 0
        }
     :: atomic { failures < FAILURES -> fail_sync(); target = 0 }
     fi
  od
}

proctype Committer(byte mine) {
  byte lsn, target;
  {
    do
    :: atomic {
         appended < COMMITS && !poisoned ->
         appended++;
         lsn = appended;
         if
         :: asked[lsn] = ALWAYS
         :: asked[lsn] = OS
         :: asked[lsn] = NONE
         fi;
         advance()
       }
       if
       :: asked[lsn] == ALWAYS ->
#ifdef BUG_ACK_BEFORE_SYNC
          write_log()
#else
          sync_log(lsn)
#endif
       :: asked[lsn] == OS -> write_log()
       :: else
       fi;
       if
       :: visible < lsn -> sync_log(lsn)
       :: else
       fi;
       atomic {
         if
         :: poisoned
         :: !poisoned && asked[lsn] == ALWAYS && lsn > acked_always -> acked_always = lsn
         :: !poisoned && asked[lsn] == OS && lsn > acked_os -> acked_os = lsn
         :: else
         fi;
         lsn = 0
       }
    :: appended == COMMITS || poisoned -> break
    od
  } unless { life != mine }
}

proctype Publisher(byte mine) {
  byte root;
  {
end:
    do
    :: !poisoned && visible > published ->
       root = visible;
#ifndef BUG_PUBLISH_BEFORE_WRITE
       write_log();
#endif
       atomic {
         if
         :: !poisoned -> published = root; seen = root
         :: else
         fi;
         root = 0
       }
    od
  } unless { life != mine }
}

/* One sync of `data`: all that is in the cache, but for what an earlier failure has left out. */
inline sync_data() {
  d_step {
    i = 0;
    do
    :: i < 2 ->
       if
       :: !page_lost[i] -> page_device[i] = page_cache[i]
       :: else
       fi;
       if
       :: !meta_lost[i] ->
          meta_device[i] = meta_cache[i];
          meta_device_lsn[i] = meta_cache_lsn[i]
       :: else
       fi;
       i++
    :: else -> break
    od;
    i = 0
  }
}

inline fail_data_sync() {
  atomic {
    failures++;
    i = 0;
    do
    :: i < 2 ->
       page_lost[i] = page_lost[i] || page_cache[i] != page_device[i];
       meta_lost[i] = meta_lost[i] || meta_cache[i] != meta_device[i];
       i++
    :: else -> break
    od;
    i = 0;
#ifndef BUG_SYNC_TRIED_AGAIN
    poisoned = true;
    visible = published
#endif
  }
}

inline try_sync_data() {
  if
  :: sync_data()
  :: failures < FAILURES -> fail_data_sync()
  fi
}

inline write_page(which, commits) {
  d_step { page_cache[which] = commits; page_lost[which] = false }
}

inline write_meta(which, number, lsn) {
  d_step {
    meta_cache[which] = number;
    meta_cache_lsn[which] = lsn;
    meta_lost[which] = false
  }
}

proctype Checkpointer(byte mine) {
  byte tip, target, i;
  {
end:
    do
    :: checkpoints < CHECKPOINTS && appended > meta_cache_lsn[current] && !poisoned ->
       checkpoints++;
       tip = appended;
#ifndef BUG_LOG_NOT_SYNCED
       sync_log(tip);
#endif
       if
       :: poisoned -> goto stop
       :: else
       fi;
       write_page(1 - current, UP_TO(tip));
#ifndef BUG_META_BEFORE_SYNC
       try_sync_data();
#endif
       if
       :: poisoned -> goto stop
       :: else
       fi;
       write_meta(1 - current, meta_cache[current] + 1, tip);
#ifdef BUG_RECYCLE_BEFORE_META
       log_first = tip;
#endif
       try_sync_data();
       atomic {
         if
         :: poisoned -> goto stop
         :: else
         fi;
         current = 1 - current;
         log_first = tip;
         tip = 0
       }
    od;
stop:
    skip
  } unless { life != mine }
}

/* What a power loss leaves: of the unsynced anything. */
inline lose_power() {
  i = 1;
  do
  :: i <= COMMITS ->
     if
     :: HAS(log_cache, i) && !HAS(log_device, i) && !HAS(log_lost, i) ->
        log_device = log_device | (1 << (i - 1))
     :: skip
     fi;
     i++
  :: else -> break
  od;
  i = 0;
  do
  :: i < 2 ->
     if
     :: page_cache[i] != page_device[i] && !page_lost[i] -> page_device[i] = page_cache[i]
     :: page_cache[i] != page_device[i] && !page_lost[i] -> page_device[i] = RUBBISH
     :: skip
     fi;
     if
     :: meta_cache[i] != meta_device[i] && !meta_lost[i] ->
        meta_device[i] = meta_cache[i];
        meta_device_lsn[i] = meta_cache_lsn[i]
     :: meta_cache[i] != meta_device[i] && !meta_lost[i] ->
        meta_device[i] = 0;
        meta_device_lsn[i] = 0
     :: skip
     fi;
     page_cache[i] = page_device[i];
     meta_cache[i] = meta_device[i];
     meta_cache_lsn[i] = meta_device_lsn[i];
     page_lost[i] = false;
     meta_lost[i] = false;
     i++
  :: else -> break
  od;
  i = 0;
  log_cache = log_device;
  log_lost = 0;
  acked_os = 0;
  seen = 0
}

/* The power may go, or the process die, between two steps of recovery. */
inline maybe_crash() {
  if
  :: crashes < CRASHES -> goto crash
  :: skip
  fi
}

proctype Life() {
  byte i, n, state;
  goto start;
crash:
  atomic {
    crashes++;
    life++;
    n = 0;
    state = 0;
    if
    :: lose_power()
    :: skip /* only the process dies */
    fi
  }
  _nr_pr == 2; /* the threads of the life before are gone */
  /* The newest good meta page, written again and synced. */
  atomic {
    current = (meta_cache[1] > meta_cache[0] -> 1 : 0);
    n = meta_cache_lsn[current];
    assert(meta_cache[current] != 0);                         /* claim 2 */
    assert(page_cache[current] == UP_TO(n) && log_first <= n); /* claim 2 */
    assert(n == 0 || HAS(log_cache, n) || (log_starts & (1 << n))) /* claim 2: its place in the log */
  }
#ifndef BUG_META_NOT_REWRITTEN
  write_meta(current, meta_cache[current], n);
  maybe_crash();
  sync_data();
  maybe_crash();
#endif
  /* The log from there on. */
  atomic {
    state = page_cache[current];
#ifdef BUG_NO_CHAIN
    state = state | log_cache;
    n = COMMITS;
    do
    :: n > 0 && !HAS(state, n) -> n--
    :: else -> break
    od;
#else
    do
    :: n < COMMITS && HAS(log_cache, n + 1) -> n++; state = state | (1 << (n - 1))
    :: else -> break
    od;
#endif
    assert(state == UP_TO(n));                 /* claim 4 */
    assert(n >= acked_always);                 /* claim 3 */
    assert(n >= acked_os && n >= seen);        /* claim 5 */
    /* A new segment: the old one is synced, and what is behind its end is void. */
    log_cache = log_cache & UP_TO(n);
    log_lost = log_lost & UP_TO(n);
    log_device = (log_device | (log_cache & ~log_lost)) & UP_TO(n);
    log_starts = log_starts | (1 << n);
    if
    :: crashes == CRASHES -> goto done /* what follows is not looked at any more */
    :: else
    fi
  }
  maybe_crash();
#ifndef BUG_NO_CHECKPOINT
  write_page(1 - current, UP_TO(n));
  maybe_crash();
  sync_data();
  write_meta(1 - current, meta_cache[current] + 1, n);
  maybe_crash();
  sync_data();
  atomic { current = 1 - current; log_first = n };
#endif
  atomic {
#ifndef BUG_NO_CHECKPOINT
    log_device = log_device | UP_TO(n); /* not needed any more; makes claim 1 easy to say */
    log_cache = log_cache | UP_TO(n);
    log_lost = 0;
#endif
    appended = n;
    written = n;
    synced = n;
    visible = n;
    published = n;
    leading = false;
    poisoned = false;
    n = 0;
    state = 0
  }
start:
  atomic {
    i = 0;
    do
    :: i < COMMITTERS -> run Committer(life); i++
    :: else -> break
    od;
    i = 0;
    run Publisher(life);
    run Checkpointer(life)
  }
end:
  crashes < CRASHES -> goto crash;
done:
  skip
}

init {
  atomic {
    meta_cache[0] = 1;
    meta_device[0] = 1;
    run Life()
  }
}
