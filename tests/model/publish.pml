/* Publication of roots, registration of readers, and reuse of pages.
 *
 * What it stands for: one writer process with three threads (transactions, publication, checkpoints)
 * and readers that come and go. A state of the database is two pages, one a leaf. A commit writes
 * one leaf or both to pages that are free, and the pages that it replaces are dead from then on.
 * Each page carries the number of the transaction that wrote it, so a reader sees when a page of
 * its state was written anew.
 *
 * What mirrors what:
 *   Reader         Attachment::register_at and free_slot (slot_high), RootRing::read,
 *                  Snapshot::~Snapshot. `own` readers are the writer's (Writer::renew): they begin at
 *                  the visible root and find private pages; the others begin at the published root
 *                  and read the file. Reader 0 may die with its slot set: Attachment::bury_dead.
 *   flip           RootRing::publish: first the place, in two halves, then the sequence number
 *   collect        Attachment::collect and Writer::live_locked: slot by slot
 *   sweep          FreeMap::bury and sweep, pinned_by: free when nothing live lies in [birth, death)
 *   Transactions   Writer::begin, PageWriter::take_number, commit_logged, advance_locked
 *   Publisher      Writer::publish; Database::look_around
 *   Checkpointer   Writer::plan_checkpoint, flush, Database::write_checkpoint, finish_checkpoint
 *
 * What is claimed:
 *   1. Who has registered at a state finds each page of it as that state wrote it, to the end.
 *   2. A root that is read from a ring is one root, never halves of two.
 *   3. Until a newer meta page is synced, no page of the checkpoint is written again: not of the
 *      last one, and not of the one whose meta page may be on the device already.
 *   4. A state's private pages are still there when they are to be written to the file.
 *   5. Nobody waits for ever (no deadlock).
 *
 * Bounds: COMMITS commits, CHECKPOINTS checkpoints, PAGES pages, OWN readers of the writer's process
 * and OTHERS of other processes, each of which begins snapshots without end. check_models.py runs
 * several choices of these. Rings have two places instead of eight,
 * the fewest that are right.
 *
 * Left out: the log and its syncs (commit.pml: here each commit is visible at once, so tip and
 * visible are one), the death of the writer (takeover.pml), memory orders weaker than the
 * sequentially consistent one, runs of pages, frames that stay for a snapshot (retired_), and the
 * order in which FreeMap looks at waiting pages again: here it looks at all of them each time.
 *
 * Seeded bugs: -DBUG_SLOTS_BEFORE_FLIP, -DBUG_NO_SECOND_LOOK, -DBUG_PUBLISHED_NOT_LIVE,
 * -DBUG_PUBLISHING_NOT_LIVE, -DBUG_RUNNING_NOT_LIVE, -DBUG_CHECKPOINT_NOT_LIVE,
 * -DBUG_FLIP_BEFORE_WRITE, -DBUG_SEQUENCE_FIRST.
 */

#ifndef COMMITS
#define COMMITS 3
#endif
#ifndef CHECKPOINTS
#define CHECKPOINTS 1
#endif
#ifndef PAGES
#define PAGES 5
#endif
#ifndef OTHERS
#define OTHERS 1
#endif
#ifndef OWN
#define OWN 1
#endif
#define READERS (OTHERS + OWN)
#define FIRST 1 /* the transaction of the state that all begins with */
#define STATES (FIRST + COMMITS + 1)
#define PLACES 2
#define PUBLISHED 0 /* the two rings */
#define VISIBLE 1

#define FREE 0
#define USED 1
#define DEAD 2

/* State t has leaf l on page[t * 2 + l], written by transaction born[t * 2 + l]. */
byte page[STATES * 2];
byte born[STATES * 2];
byte memory[PAGES]; /* who wrote it last, as the writer's process sees it */
byte file[PAGES];   /* the same in the file, as the other processes see it */

/* The free map. */
byte status[PAGES];
byte free_pages = PAGES - 2;
byte birth[PAGES];
byte death[PAGES];

/* Shared memory. */
byte sequence[2];
byte half_a[2 * PLACES];
byte half_b[2 * PLACES];
byte slot[READERS];
byte slot_high;
bool gone[READERS]; /* its process died */

/* The writer's process. */
bool state_mutex, publish_mutex;
byte visible = FIRST, published = FIRST, checkpoint = FIRST;
byte publishing, running; /* 0: none */
byte meta_maybe = FIRST;  /* state whose meta page may be on the device */
byte next_txn = FIRST + 1;

inline lock(mutex) { atomic { !mutex -> mutex = true } }
inline unlock(mutex) { mutex = false }

/* Both bytes of a place, then the number: readers may come in between. */
inline flip(ring, txn) {
#ifdef BUG_SEQUENCE_FIRST
  sequence[ring] = sequence[ring] + 1;
  half_a[ring * PLACES + sequence[ring] % PLACES] = txn;
  half_b[ring * PLACES + sequence[ring] % PLACES] = txn
#else
  half_a[ring * PLACES + (sequence[ring] + 1) % PLACES] = txn;
  half_b[ring * PLACES + (sequence[ring] + 1) % PLACES] = txn;
  sequence[ring] = sequence[ring] + 1
#endif
}

/* live: one bit for each state. */
inline collect() {
  high = slot_high;
  live = 0;
  i = 0;
  do
  :: i < high -> atomic { live = live | (1 << slot[i]); i++ }
  :: else -> break
  od;
  atomic {
    live = live | (1 << visible);
#ifndef BUG_PUBLISHED_NOT_LIVE
    live = live | (1 << published);
#endif
#ifndef BUG_PUBLISHING_NOT_LIVE
    live = live | (1 << publishing);
#endif
#ifndef BUG_CHECKPOINT_NOT_LIVE
    live = live | (1 << checkpoint);
#endif
#ifndef BUG_RUNNING_NOT_LIVE
    live = live | (1 << running);
#endif
    high = 0;
    i = 0
  }
}

inline sweep() {
  d_step {
    i = 0;
    do
    :: i < PAGES ->
       if
       :: status[i] == DEAD && (live & ((1 << death[i]) - (1 << birth[i]))) == 0 ->
          status[i] = FREE;
          free_pages++;
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

/* Claim 3 is looked at with each write to the file. */
inline write_file(p, txn) {
  d_step {
    assert(page[checkpoint * 2] != p || born[checkpoint * 2] == txn);
    assert(page[checkpoint * 2 + 1] != p || born[checkpoint * 2 + 1] == txn);
    assert(page[meta_maybe * 2] != p || born[meta_maybe * 2] == txn);
    assert(page[meta_maybe * 2 + 1] != p || born[meta_maybe * 2 + 1] == txn);
    file[p] = txn
  }
}

inline flush_leaf(root, l) {
  atomic {
    if
    :: file[page[root * 2 + l]] != born[root * 2 + l] ->
       assert(memory[page[root * 2 + l]] == born[root * 2 + l]); /* claim 4 */
       write_file(page[root * 2 + l], born[root * 2 + l])
    :: else
    fi
  }
}

inline flush(root) {
  flush_leaf(root, 0);
  flush_leaf(root, 1)
}

proctype Reader(byte me; byte ring) {
  byte seen, a, b;
  atomic {
    if
    :: slot_high < me + 1 -> slot_high = me + 1
    :: else
    fi
  }
begin:
end:
  seen = sequence[ring];
  a = half_a[ring * PLACES + seen % PLACES];
  b = half_b[ring * PLACES + seen % PLACES];
  if
  :: sequence[ring] != seen -> goto begin
  :: else
  fi;
  d_step {
    assert(a == b); /* claim 2 */
    b = 0
  }
  slot[me] = a;
#ifndef BUG_NO_SECOND_LOOK
  if
  :: sequence[ring] != seen -> goto begin
  :: else
  fi;
#endif
  seen = 0;
  /* Claim 1. Each page may be read at any time until the end. */
  do
  :: ring == VISIBLE ->
     d_step {
       assert(memory[page[a * 2]] == born[a * 2]);
       assert(memory[page[a * 2 + 1]] == born[a * 2 + 1])
     };
     break
  :: ring == PUBLISHED ->
     d_step {
       assert(file[page[a * 2]] == born[a * 2]);
       assert(file[page[a * 2 + 1]] == born[a * 2 + 1])
     };
     break
  od;
  if
  :: ring == PUBLISHED && me == 0 ->
     gone[me] = true; /* dies with its slot set; another takes its place once it is buried */
end_buried:
     !gone[me]
  :: slot[me] = 0
  fi;
  a = 0;
  goto begin
}

inline take(l) {
  i = 0;
  do
  :: status[i] != FREE -> i++
  :: else -> break
  od;
  free_pages--;
  status[i] = USED;
  memory[i] = next_txn;
  page[next_txn * 2 + l] = i;
  born[next_txn * 2 + l] = next_txn;
  /* Leaf 1 is written at once, as spills and large values are; leaf 0 when it is published. */
  if
  :: l == 1 -> write_file(i, next_txn)
  :: else
  fi;
  i = 0
}

inline keep(l) {
  d_step {
    page[next_txn * 2 + l] = page[visible * 2 + l];
    born[next_txn * 2 + l] = born[visible * 2 + l]
  }
}

inline bury(l) {
  if
  :: born[next_txn * 2 + l] == next_txn ->
     status[page[visible * 2 + l]] = DEAD;
     birth[page[visible * 2 + l]] = born[visible * 2 + l];
     death[page[visible * 2 + l]] = next_txn
  :: else
  fi
}

proctype Transactions() {
  byte live, i, high, leaf, changed;
  do
  :: next_txn < STATES ->
     if
     :: changed = 1
     :: changed = 2
     :: changed = 3
     fi;
     leaf = 0;
take_leaf:
     if
     :: leaf < 2 && !(changed & (1 << leaf)) -> keep(leaf); leaf++; goto take_leaf
     :: leaf < 2 && (changed & (1 << leaf)) ->
end_full: /* Here the file would grow; that it waits finds more. */
        atomic { free_pages > 0 -> take(leaf); leaf++ };
        goto take_leaf
     :: else
     fi;
     atomic { leaf = 0; changed = 0 };
     lock(state_mutex);
     d_step { bury(0); bury(1) };
#ifdef BUG_SLOTS_BEFORE_FLIP
     d_step { visible = next_txn; next_txn++ };
     collect();
     flip(VISIBLE, visible);
#else
     d_step { visible = next_txn; next_txn++ };
     flip(VISIBLE, visible);
     collect();
#endif
     sweep();
     unlock(state_mutex)
  :: else -> break
  od
}

proctype Publisher() {
  byte live, i, high, root;
end:
  do
  :: visible != published ->
     lock(publish_mutex);
     lock(state_mutex);
     atomic { root = visible; publishing = root };
     unlock(state_mutex);
#ifndef BUG_FLIP_BEFORE_WRITE
     flush(root);
#endif
     lock(state_mutex);
     if
     :: root > published ->
#ifdef BUG_SLOTS_BEFORE_FLIP
        atomic { published = root; publishing = 0 };
        collect();
        flip(PUBLISHED, root);
#else
        flip(PUBLISHED, root);
        atomic { published = root; publishing = 0 };
        collect();
#endif
        sweep()
     :: else -> publishing = 0
     fi;
     unlock(state_mutex);
#ifdef BUG_FLIP_BEFORE_WRITE
     flush(root);
#endif
     root = 0;
     unlock(publish_mutex)
  :: gone[0] ->
     slot[0] = 0;
     gone[0] = false;
     lock(state_mutex);
     collect();
     sweep();
     unlock(state_mutex)
  od
}

proctype Checkpointer() {
  byte live, i, high, made;
end:
  do
  :: made < CHECKPOINTS && visible != checkpoint ->
     made++;
     lock(state_mutex);
     collect();
     sweep();
     running = visible;
     unlock(state_mutex);
     lock(publish_mutex);
     flush(running);
     lock(state_mutex);
     if
     :: running > published ->
        flip(PUBLISHED, running);
        published = running
     :: else
     fi;
     unlock(state_mutex);
     unlock(publish_mutex);
     /* data synced; the meta page is being written and synced */
     meta_maybe = running;
     lock(state_mutex);
     atomic { checkpoint = running; running = 0 };
     collect();
     sweep();
     unlock(state_mutex)
  od
}

init {
  byte i;
  atomic {
    d_step {
      page[FIRST * 2 + 1] = 1;
      born[FIRST * 2] = FIRST;
      born[FIRST * 2 + 1] = FIRST;
      do
      :: i < 2 ->
         memory[i] = FIRST;
         file[i] = FIRST;
         status[i] = USED;
         sequence[i] = 1;
         half_a[i * PLACES + 1] = FIRST;
         half_b[i * PLACES + 1] = FIRST;
         i++
      :: else -> break
      od;
      i = 0
    }
    do
    :: i < OTHERS -> run Reader(i, PUBLISHED); i++
    :: else -> break
    od;
    do
    :: i < READERS -> run Reader(i, VISIBLE); i++
    :: else -> break
    od;
    i = 0;
    run Transactions();
    run Publisher();
    run Checkpointer()
  }
}
