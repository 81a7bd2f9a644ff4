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
constexpr std::uint32_t kRetryMs = 50;

}  // namespace

void Database::start_background() {
  background_ = std::thread([this] { background_loop(); });
}

void Database::stop_threads() {
  if (maintenance_ != nullptr) maintenance_->stop();
  if (!background_.joinable()) return;
  stop_.store(true);
  attachment_->wake_writer();
  background_.join();
}

void Database::notify() {
  if (!notified_.exchange(true) || !writer_->health()) attachment_->wake_writer();
}

void Database::background_loop() {
  LockHeader& head = attachment_->head();
  std::uint32_t sleep_ms = kIdleMs;
  for (;;) {
    const std::uint32_t seen = head.writer_wake.load();
    if (stop_.load()) return;
    if (!notified_.load() && head.want_publish.load() == 0 && head.want_figures.load() == 0)
      futex_wait(head.writer_wake, seen, sleep_ms);
    if (stop_.load()) return;
    // What comes within this time is served together.
    if (notified_.load()) wait_for_more();
    notified_.store(false);
    try {
      sleep_ms = background_step();
    } catch (const std::bad_alloc&) {
      sleep_ms = kRetryMs;  // nothing that may not half happen ends like this
    }
  }
}

// publish_ms, or until somebody waits for what there is.
void Database::wait_for_more() {
  LockHeader& head = attachment_->head();
  const std::uint64_t until = now_ms() + options_.writer.publish_ms;
  for (;;) {
    const std::uint32_t seen = head.writer_wake.load();
    if (stop_.load() || head.want_publish.load() != 0 || head.want_figures.load() != 0) return;
    if (!writer_->health()) return;  // its place is wanted by others
    const std::uint64_t now = now_ms();
    if (now >= until) return;
    futex_wait(head.writer_wake, seen, static_cast<std::uint32_t>(until - now));
  }
}

// Clears what dead processes left, at most once in a while; returns when the next time is.
std::uint64_t Database::look_around() {
  const std::uint64_t now = now_ms();
  std::uint64_t last = last_look_ms_.load();
  if (now >= last + kLookAroundMs && last_look_ms_.compare_exchange_strong(last, now)) {
    (void)attachment_->bury_dead();
    writer_->reclaim();
  }
  return last_look_ms_.load() + kLookAroundMs;
}

// One round; returns how long it may sleep. Errors poison the writer, which says so to its callers.
std::uint32_t Database::background_step() {
  LockHeader& head = attachment_->head();
  const bool wanted = head.want_publish.exchange(0) != 0;
  if (head.want_figures.load() != 0) tell_figures();
  if (!writer_->health()) return step_down() ? kIdleMs : kRetryMs;
  if (!writing_.load()) return kIdleMs;
  const std::uint64_t now = now_ms();
  std::uint64_t next = now + kIdleMs;
  wal::LogWriter& log = *writer_->log();

  if (wanted || writer_->publication_due() || writer_->memory_due()) (void)writer_->publish();
  if (writer_->written_due()) {
    if (auto status = log.write(writer_->tip().lsn); !status) writer_->poison(status.error());
  }
  if (const auto due = writer_->sync_batch()) next = std::min(next, *due);
  const std::uint64_t logged = writer_->logged_bytes();
  if (logged != 0) {
    const std::uint64_t due = last_checkpoint_ms_ + options_.writer.checkpoint_ms;
    if (logged > options_.writer.checkpoint_bytes || writer_->checkpoint_wanted() || now >= due) {
      (void)checkpoint_now(false);
    } else {
      next = std::min(next, due);
    }
  } else {
    last_checkpoint_ms_ = now;
  }
  if (log.spare_due()) (void)log.prepare_spare();
  if (attachment_->others()) next = std::min(next, look_around());
  const std::uint64_t after = now_ms();
  return next > after ? static_cast<std::uint32_t>(next - after) : 0;
}

}  // namespace quire
