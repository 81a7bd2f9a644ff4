// The writer's background thread: publication, syncs of `batch` commits, checkpoints, and what dead
// processes left.
//
// It sleeps on the shared head's writer_wake, so that a process that attaches can wake it too.
// Commits wake it at most once for each round of work.
#include <algorithm>
#include <chrono>
#include <thread>

#include "engine/db/database.h"

namespace quire {
namespace {

constexpr std::uint64_t kLookAroundMs = 1000;  // for dead processes, while others are attached
constexpr std::uint32_t kIdleMs = 3'600'000;

std::uint64_t now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

}  // namespace

void Database::start_background() {
  last_checkpoint_ms_ = now_ms();
  background_ = std::thread([this] { background_loop(); });
}

void Database::stop_background() {
  if (!background_.joinable()) return;
  stop_.store(true);
  attachment_->wake_writer();
  background_.join();
}

void Database::notify() {
  if (!notified_.exchange(true)) attachment_->wake_writer();
}

void Database::background_loop() {
  LockHeader& head = attachment_->head();
  std::uint32_t sleep_ms = kIdleMs;
  for (;;) {
    const std::uint32_t seen = head.writer_wake.load();
    if (stop_.load()) return;
    if (!notified_.load() && head.want_publish.load() == 0)
      futex_wait(head.writer_wake, seen, sleep_ms);
    if (stop_.load()) return;
    // What comes within this time is served together.
    if (notified_.load()) wait_for_more();
    notified_.store(false);
    sleep_ms = background_step();
  }
}

// publish_ms, or until somebody waits for what there is.
void Database::wait_for_more() {
  LockHeader& head = attachment_->head();
  const std::uint64_t until = now_ms() + options_.writer.publish_ms;
  for (;;) {
    const std::uint32_t seen = head.writer_wake.load();
    if (stop_.load() || head.want_publish.load() != 0) return;
    const std::uint64_t now = now_ms();
    if (now >= until) return;
    futex_wait(head.writer_wake, seen, static_cast<std::uint32_t>(until - now));
  }
}

// One round; returns how long it may sleep. Errors poison the writer, which says so to its callers.
std::uint32_t Database::background_step() {
  LockHeader& head = attachment_->head();
  const bool wanted = head.want_publish.exchange(0) != 0;
  if (!writer_->health() || !writing_.load()) return kIdleMs;
  const std::uint64_t now = now_ms();
  std::uint64_t next = now + kIdleMs;
  wal::LogWriter& log = *writer_->log();

  if (wanted || writer_->publication_due() || writer_->memory_due()) (void)writer_->publish();
  if (writer_->written_due()) {
    if (auto status = log.write(writer_->tip().lsn); !status) writer_->poison(status.error());
  }
  if (writer_->batch_due()) {
    if (batch_since_ms_ == 0) batch_since_ms_ = now;
    const std::uint64_t due = batch_since_ms_ + options_.writer.batch_ms;
    if (now >= due ||
        writer_->logged_total() - batch_synced_bytes_ >= options_.writer.batch_bytes) {
      const std::uint64_t total = writer_->logged_total();
      (void)writer_->sync(writer_->tip().lsn);
      batch_synced_bytes_ = total;
      batch_since_ms_ = 0;
    } else {
      next = std::min(next, due);
    }
  }
  const std::uint64_t logged = writer_->logged_bytes();
  if (logged != 0) {
    const std::uint64_t due = last_checkpoint_ms_ + options_.writer.checkpoint_ms;
    if (logged > options_.writer.checkpoint_bytes || writer_->checkpoint_wanted() || now >= due) {
      (void)checkpoint_now(false);
      last_checkpoint_ms_ = now_ms();
    } else {
      next = std::min(next, due);
    }
  } else {
    last_checkpoint_ms_ = now;
  }
  if (log.spare_due()) (void)log.prepare_spare();
  if (attachment_->others()) {
    if (now >= last_look_ms_ + kLookAroundMs) {
      (void)attachment_->bury_dead();
      writer_->reclaim();
      last_look_ms_ = now;
    }
    next = std::min(next, last_look_ms_ + kLookAroundMs);
  }
  const std::uint64_t after = now_ms();
  return next > after ? static_cast<std::uint32_t>(next - after) : 0;
}

}  // namespace quire
