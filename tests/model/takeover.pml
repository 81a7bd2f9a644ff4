/* A writer dies, or is poisoned and steps down, while readers live; another takes over.
 *
 * What it stands for: a state of the database is two pages, as in publish.pml. Writer A makes
 * commits, publishes, makes checkpoints and may stop at any point, by death or by poison. Then
 * writer B recovers from the last checkpoint and the log, and goes on writing and reusing pages.
 * B's recovery may be cut off too; then another B does it again. Readers of other processes begin
 * snapshots all the time, at whatever the shared head has; a poisoned A has a reader as well.
 *
 * What mirrors what:
 *   Reader         Attachment::register_at; in A's process Writer::renew: first at A's own ring,
 *                  then, if A has stepped down, at the published one
 *   WriterA        Writer::commit_logged, publish, Database::checkpoint_now, each under the lock
 *                  (or turn) that Database::step_down and Writer::step_down wait for
 *   Spare          GroupLogWriter::prepare_spare in A's background thread
 *   poisoned       Writer::poison: A's own ring goes back to the published root
 *   step down      Writer::step_down (turn, publication, log), then the writer's lock is given up
 *   WriterB        Database::open_writer, recover: numbers above highest_txn, Writer::start in doubt
 *                  (FreeMap::load_in_doubt), replay, checkpoint, publication, Writer::reclaim
 *
 * What is claimed:
 *   1. No page of a registered snapshot is overwritten, whoever wrote the snapshot.
 *   2. No page of the checkpoint is overwritten before the next one is durable.
 *   3. Each acknowledged commit is in the state that recovery ends with, and each that was seen.
 *   4. A new transaction's number is above every one that was seen: two states never share one.
 *   5. Nothing of A is written after the writer's lock was given up.
 *
 * Bounds: COMMITS_A and COMMITS_B commits, one checkpoint of A, CUTS recoveries that are cut off,
 * OTHERS readers of other processes (each may begin again and again), POISON=1: A is poisoned,
 * 0: A dies. SPARE: A's background thread makes a log segment meanwhile. Pages past what A used stand for the end of the file.
 *
 * Left out: power losses (commit.pml: they end all readers too), a database that was closed in
 * order, A's private pages (its commits are written when they are made), slots of dead processes.
 *
 * Seeded bugs: -DBUG_NO_DOUBT, -DBUG_NUMBERS_FROM_CHECKPOINT (B ignores highest_txn),
 * -DBUG_OWN_RING (a poisoned process's readers never look at the published ring),
 * -DBUG_LOCK_BEFORE_STOP (the lock is given up before what is under way has ended),
 * -DBUG_PUBLISH_BEFORE_LOG, -DBUG_SPARE_NOT_AWAITED (stop does not wait for prepare_spare).
 */

#ifndef COMMITS_A
#define COMMITS_A 2
#endif
#ifndef COMMITS_B
#define COMMITS_B 2
#endif
#ifndef OTHERS
#define OTHERS 1
#endif
#ifndef CUTS
#define CUTS 1
#endif
#ifndef POISON
#define POISON 1
#endif
#define READERS (OTHERS + POISON)
#define FIRST 1
#define STATES 15 /* numbers that there may be */
#define PAGES 12
#define FREE 0
#define USED 1
#define DEAD 2

byte page[STATES * 2];
byte born[STATES * 2];
bool used_number[STATES];
byte file[PAGES];

/* The log: commits that are in its file, and of them the one that the checkpoint contains. */
byte logged, checkpoint_lsn;
byte lsn_of[STATES];
byte acked, seen;
/* The checkpoint on the device: its state; pages not of it are free there. */
byte meta = FIRST;

/* The shared head. */
byte ring_sequence = 1, ring_root = FIRST;
byte highest = FIRST;
byte slot[READERS];
bool writer_lock = true;

/* A's process. */
byte own_sequence = 1, own_root = FIRST;
bool poisoned, dead, stepped_down, spare_busy, a_busy;

/* The free map of whoever writes. */
byte status[PAGES], birth[PAGES], death[PAGES];
byte file_end = 2; /* pages past it were never used */

inline write_file(p, txn) {
  assert(page[meta * 2] != p || born[meta * 2] == txn);         /* claim 2 */
  assert(page[meta * 2 + 1] != p || born[meta * 2 + 1] == txn); /* claim 2 */
  file[p] = txn
}

/* Looks at the slots one after the other; `live` has the other live states already. */
inline collect_and_sweep() {
  i = 0;
  do
  :: i < READERS -> atomic { live = live | (1 << slot[i]); i++ }
  :: else -> break
  od;
  atomic {
    i = 0;
    do
    :: i < PAGES ->
       if
       :: status[i] == DEAD && (live & ((1 << death[i]) - (1 << birth[i]))) == 0 ->
          status[i] = FREE;
          birth[i] = 0;
          death[i] = 0
       :: else
       fi;
       i++
    :: else -> break
    od;
    i = 0;
    live = 0
  }
}

/* Transaction `txn` on `base` writes leaf l anew. */
inline change(txn, base, l) {
  i = 0;
  do
  :: i < file_end && status[i] != FREE -> i++
  :: else -> break
  od;
  assert(i < PAGES);
  if
  :: i == file_end -> file_end++
  :: else
  fi;
  status[i] = USED;
  page[txn * 2 + l] = i;
  born[txn * 2 + l] = txn;
  page[txn * 2 + 1 - l] = page[base * 2 + 1 - l];
  born[txn * 2 + 1 - l] = born[base * 2 + 1 - l];
  write_file(i, txn);
  i = 0
}

inline bury(txn, base, l) {
  status[page[base * 2 + l]] = DEAD;
  birth[page[base * 2 + l]] = born[base * 2 + l];
  death[page[base * 2 + l]] = txn
}

inline publish(txn) {
  atomic {
    ring_root = txn;
    ring_sequence++;
    if
    :: lsn_of[txn] > seen -> seen = lsn_of[txn]
    :: else
    fi
  }
}

proctype Reader(byte me; bool of_a) {
  byte root, seen_sequence;
begin:
end:
  if
  :: of_a ->
own:
     atomic { root = own_root; seen_sequence = own_sequence };
     slot[me] = root;
     if
     :: own_sequence != seen_sequence -> goto own
     :: else
     fi;
#ifndef BUG_OWN_RING
     if
     :: stepped_down -> goto shared
     :: else
     fi
#endif
  :: else ->
shared:
     atomic { root = ring_root; seen_sequence = ring_sequence };
     slot[me] = root;
     if
     :: ring_sequence != seen_sequence -> goto shared
     :: else
     fi
  fi;
  atomic {
    seen_sequence = 0;
    assert(file[page[root * 2]] == born[root * 2]);             /* claim 1 */
    assert(file[page[root * 2 + 1]] == born[root * 2 + 1])      /* claim 1 */
  }
end_open:
  if
  :: atomic {
       assert(file[page[root * 2]] == born[root * 2]);          /* claim 1 */
       assert(file[page[root * 2 + 1]] == born[root * 2 + 1]);  /* claim 1 */
       root = 0
     };
     slot[me] = 0
  fi;
  goto begin
}

proctype WriterA() {
  byte i, txn, tip = FIRST, checkpoint = FIRST, l, made;
  short live;
  {
    do
    :: made < COMMITS_A && !poisoned ->
       a_busy = true; /* the turn */
       if
       :: poisoned -> goto out
       :: else
       fi;
       atomic { made++; highest++; txn = highest; used_number[txn] = true };
       atomic {
         if
         :: l = 0
         :: l = 1
         fi;
         change(txn, tip, l)
       };
#ifdef BUG_PUBLISH_BEFORE_LOG
       atomic { lsn_of[txn] = logged + 1; !poisoned -> publish(txn) };
#endif
       if
       :: poisoned -> goto out
       :: else
       fi;
       atomic { logged++; lsn_of[txn] = logged; bury(txn, tip, l); tip = txn };
       atomic {
         if
         :: !poisoned -> own_root = tip; own_sequence++
         :: else -> goto out
         fi
       };
       atomic {
         if
         :: !poisoned -> publish(tip)
         :: else -> goto out
         fi
       };
       atomic { if :: !poisoned -> acked = logged :: else fi };
       live = (1 << tip) | (1 << checkpoint);
       collect_and_sweep();
       a_busy = false
    :: made > 0 && checkpoint == FIRST && !poisoned && tip != FIRST ->
       a_busy = true; /* checkpoint_mutex_ */
       if
       :: poisoned -> goto out
       :: else
       fi;
       atomic { meta = tip; checkpoint_lsn = lsn_of[tip] };
       checkpoint = tip;
       live = (1 << tip) | (1 << checkpoint);
       collect_and_sweep();
       a_busy = false
    :: made == COMMITS_A || poisoned -> break
    od;
out:
    a_busy = false
  } unless { dead }
}

/* Makes a file in the log's folder, which the next writer must not meet. */
proctype Spare() {
  {
    atomic { !poisoned -> spare_busy = true };
    assert(writer_lock); /* claim 5: a file is made and renamed into place */
    spare_busy = false
  } unless { dead }
}

/* Poison may come at any moment; then who begins a transaction, or the background, steps down. */
proctype Fate() {
#if POISON
  atomic {
    poisoned = true;
    own_root = ring_root; /* published_root_: what was published last */
    own_sequence++
  }
#ifndef BUG_LOCK_BEFORE_STOP
  !a_busy;
#ifndef BUG_SPARE_NOT_AWAITED
  !spare_busy;
#endif
#endif
  stepped_down = true;
#else
  dead = true;
#endif
  writer_lock = false
}

proctype WriterB() {
  byte i, txn, tip, checkpoint, cuts, replayed, made;
  short live;
  !writer_lock;
again:
  atomic {
    /* Writer::start */
    tip = meta;
    checkpoint = meta;
    replayed = checkpoint_lsn;
    txn = 0;
#ifdef BUG_NUMBERS_FROM_CHECKPOINT
    highest = meta;
#endif
    i = 0;
    do
    :: i < PAGES ->
       if
       :: i >= file_end -> status[i] = FREE
       :: i < file_end && (page[meta * 2] == i || page[meta * 2 + 1] == i) -> status[i] = USED
       :: else ->
#ifdef BUG_NO_DOUBT
          status[i] = FREE;
#else
          status[i] = DEAD; /* in doubt: any snapshot so far may use it */
#endif
          birth[i] = 0;
          death[i] = highest + 1
       fi;
       i++
    :: else -> break
    od;
    i = 0
  }
  do
  :: replayed < logged ->
     atomic {
       highest++;
       txn = highest;
       assert(!used_number[txn]); /* claim 4 */
       used_number[txn] = true;
       replayed++;
       lsn_of[txn] = replayed;
       change(txn, tip, replayed % 2);
       bury(txn, tip, replayed % 2);
       tip = txn
     };
     if
     :: cuts < CUTS -> cuts++; goto again
     :: skip
     fi
  :: else -> break
  od;
  assert(lsn_of[tip] >= acked && lsn_of[tip] >= seen); /* claim 3 */
  if
  :: ring_root != tip -> publish(tip)
  :: else
  fi;
  atomic { meta = tip; checkpoint_lsn = lsn_of[tip] };
  if
  :: cuts < CUTS -> cuts++; goto again
  :: skip
  fi;
  checkpoint = tip;
  live = 1 | (1 << tip);
  collect_and_sweep();
  do
  :: made < COMMITS_B ->
     atomic {
       made++;
       highest++;
       txn = highest;
       assert(!used_number[txn]); /* claim 4 */
       used_number[txn] = true;
       if
       :: change(txn, tip, 0); bury(txn, tip, 0)
       :: change(txn, tip, 1); bury(txn, tip, 1)
       fi;
       logged++;
       lsn_of[txn] = logged;
       tip = txn
     };
     publish(tip);
     live = (1 << tip) | (1 << checkpoint);
     collect_and_sweep();
     atomic { meta = tip; checkpoint_lsn = lsn_of[tip]; checkpoint = tip };
     live = (1 << tip) | (1 << checkpoint);
     collect_and_sweep()
  :: else -> break
  od
}

init {
  byte i;
  atomic {
    page[FIRST * 2 + 1] = 1;
    born[FIRST * 2] = FIRST;
    born[FIRST * 2 + 1] = FIRST;
    file[0] = FIRST;
    file[1] = FIRST;
    status[0] = USED;
    status[1] = USED;
    used_number[FIRST] = true;
    do
    :: i < OTHERS -> run Reader(i, false); i++
    :: else -> break
    od;
    if
    :: POISON -> run Reader(i, true)
    :: else
    fi;
    run WriterA();
#ifdef SPARE
    run Spare();
#endif
    run Fate();
    run WriterB()
  }
}
