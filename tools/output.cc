#include "tools/output.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "tools/failure.h"

namespace quire::tools {
namespace {

double now_seconds() {
  using std::chrono::duration, std::chrono::steady_clock;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

// Pipes and devices are written to directly: a file renamed over them would replace them.
bool can_be_replaced(const std::string& path) {
  struct stat info;
  return ::lstat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode);
}

}  // namespace

Output::Output() : Output("-") {}

Output::Output(const std::string& path) : file_(stdout) {
  if (path == "-") return;
  path_ = path;
  if (can_be_replaced(path)) part_path_ = path + ".part";
  file_ = std::fopen(part_path_.empty() ? path.c_str() : part_path_.c_str(), "we");
  if (file_ == nullptr) throw Failure("cannot write '" + path + "': " + std::strerror(errno));
}

Output::~Output() {
  if (file_ == nullptr || file_ == stdout) return;
  std::fclose(file_);
  if (!part_path_.empty()) ::unlink(part_path_.c_str());
}

void Output::fail() {
  if (errno == EPIPE) throw OutputClosed();
  const std::string name = path_.empty() ? "standard output" : "'" + path_ + "'";
  throw Failure("cannot write " + name + ": " + std::strerror(errno));
}

void Output::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) fail();
}

void Output::finish() {
  if (std::fflush(file_) != 0) fail();
  if (file_ == stdout) return;
  if (std::fclose(std::exchange(file_, nullptr)) != 0) fail();
  if (!part_path_.empty() && std::rename(part_path_.c_str(), path_.c_str()) != 0) fail();
}

void message(std::string_view text) {
  std::fprintf(stderr, "quire: %.*s\n", static_cast<int>(text.size()), text.data());
}

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

std::size_t terminal_width() {
  if (!stdout_is_terminal()) return 0;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

Progress::Progress()
    : begin_(now_seconds()), next_(begin_ + 2.0), terminal_(stderr_is_terminal()) {}

Progress::~Progress() { clear(); }

bool Progress::due() { return terminal_ && ++calls_ % 16 == 0 && due_now(); }

bool Progress::due_now() const { return terminal_ && now_seconds() >= next_; }

void Progress::update(std::string_view text) {
  next_ = now_seconds() + 0.2;
  shown_ = true;
  std::fprintf(stderr, "\r%.*s\x1b[K", static_cast<int>(text.size()), text.data());
  std::fflush(stderr);
}

void Progress::clear() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
  shown_ = false;
}

double Progress::seconds() const { return now_seconds() - begin_; }

std::string format_bytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  std::array<char, 64> buffer;
  const int length = std::snprintf(buffer.data(), buffer.size(), unit == 0 ? "%.0f %s" : "%.1f %s",
                                   bytes, kUnits[unit]);
  return std::string(buffer.data(), static_cast<std::size_t>(length));
}

std::string format_count(unsigned long long count) {
  std::string text = std::to_string(count);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, 1, ',');
  return text;
}

std::string count_of(unsigned long long count, const std::string& thing) {
  return format_count(count) + ' ' + thing + (count == 1 ? "" : "s");
}

}  // namespace quire::tools
