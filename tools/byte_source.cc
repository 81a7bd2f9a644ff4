#include "tools/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tools/failure.h"

namespace quire::tools {

FileSource::FileSource(const std::string& path)
    : name_(path == "-" ? "standard input" : "'" + path + "'"),
      fd_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) throw Failure("cannot open " + name_ + ": " + std::strerror(errno));
  struct stat info;
  if (::fstat(fd_, &info) != 0) return;
  if (S_ISDIR(info.st_mode)) {
    if (fd_ != STDIN_FILENO) ::close(fd_);
    throw Failure(name_ + " is a directory; give a file");
  }
  // Standard input may have been read from before.
  const off_t at = S_ISREG(info.st_mode) ? ::lseek(fd_, 0, SEEK_CUR) : -1;
  if (at >= 0 && at <= info.st_size) size_ = static_cast<std::uint64_t>(info.st_size - at);
}

FileSource::~FileSource() {
  if (fd_ != STDIN_FILENO) ::close(fd_);
}

std::size_t FileSource::read(char* buffer, std::size_t size) {
  const ssize_t got = ::read(fd_, buffer, size);
  if (got >= 0) return static_cast<std::size_t>(got);
  if (errno == EINTR) return 0;
  throw Failure("cannot read " + name_ + ": " + std::strerror(errno));
}

std::size_t MemorySource::read(char* buffer, std::size_t size) {
  const std::size_t count = std::min({size, chunk_, text_.size()});
  text_.copy(buffer, count);
  text_.remove_prefix(count);
  return count;
}

std::string_view PeekSource::peek(std::size_t size) {
  while (front_.size() < size) {
    const std::size_t before = front_.size();
    front_.resize(size);
    const std::size_t got = source_->read(front_.data() + before, size - before);
    front_.resize(before + got);
    if (got == 0) break;
  }
  return std::string_view(front_).substr(0, size);
}

std::size_t PeekSource::read(char* buffer, std::size_t size) {
  const std::size_t left = std::min(front_.size() - given_, size);
  if (left == 0) return source_->read(buffer, size);
  std::memcpy(buffer, front_.data() + given_, left);
  given_ += left;
  return left;
}

std::string read_whole(const std::string& path, std::size_t limit) {
  FileSource source(path);
  std::string text, chunk(64 * 1024, '\0');
  while (const std::size_t got = source.read(chunk.data(), chunk.size())) {
    text.append(chunk, 0, got);
    if (text.size() > limit) {
      throw Failure("'" + path + "' is larger than " + std::to_string(limit) +
                    " bytes, which is more than belongs here");
    }
  }
  return text;
}

std::optional<std::string> why_not_text(std::string_view beginning) {
  using namespace std::string_view_literals;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kCompressed{{
      {"\x1F\x8B"sv, "gzip"},
      {"\x28\xB5\x2F\xFD"sv, "zstd"},
      {"\xFD\x37\x7A\x58"sv, "xz"},
      {"BZh"sv, "bzip2"},
      {"PK\x03\x04"sv, "zip"},
  }};
  for (const auto& [magic, name] : kCompressed) {
    if (!beginning.starts_with(magic)) continue;
    return "it looks compressed (" + std::string(name) + "); unpack it into 'quire load ... -'";
  }
  if (beginning.starts_with("\x93NUM"sv)) return "it looks like a .npy file (--format npy)";
  if (beginning.starts_with("\xFF\xFE"sv) || beginning.starts_with("\xFE\xFF"sv)) {
    return "it looks like UTF-16, not UTF-8";
  }
  for (const char c : beginning) {
    const auto byte = static_cast<unsigned char>(c);
    const bool blank = byte == '\t' || byte == '\n' || byte == '\r';
    if ((byte < 0x20 && !blank) || byte == 0x7F) return "it begins with control characters";
  }
  // A byte that only ever continues a character can't be the first.
  const bool begins_inside =
      !beginning.empty() && (static_cast<unsigned char>(beginning[0]) & 0xC0) == 0x80;
  if (begins_inside) return "it does not begin with a character of UTF-8";
  return std::nullopt;
}

BufferedBytes::BufferedBytes(ByteSource* source) : source_(source), buffer_(kChunkBytes, '\0') {
  // A mark may come in pieces: fill until it can be told.
  while (!at_end_ && end_ < 4) fill();
  if (const auto why =
          why_not_text(std::string_view(buffer_.data(), std::min<std::size_t>(end_, 4))))
    throw Failure("the input is not text: " + *why);
  if (std::string_view(buffer_.data(), end_).starts_with("\xEF\xBB\xBF")) consume(3);
}

std::string_view BufferedBytes::peek() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (!at_end_) fill();
  }
  return std::string_view(buffer_).substr(begin_, end_ - begin_);
}

void BufferedBytes::consume(std::size_t count) {
  begin_ += count;
  consumed_ += count;
}

void BufferedBytes::fill() {
  const std::size_t got = source_->read(buffer_.data() + end_, buffer_.size() - end_);
  at_end_ = got == 0;
  end_ += got;
}

std::string_view BinaryBytes::next(std::uint64_t size) {
  if (begin_ == end_ && !at_end_) {
    begin_ = 0;
    end_ = source_->read(buffer_.data(), buffer_.size());
    at_end_ = end_ == 0;
  }
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size, end_ - begin_));
  const std::string_view piece(buffer_.data() + begin_, count);
  begin_ += count;
  consumed_ += count;
  return piece;
}

std::size_t BinaryBytes::take(char* to, std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    const std::string_view piece = next(size - got);
    if (piece.empty()) break;
    std::memcpy(to + got, piece.data(), piece.size());
    got += piece.size();
  }
  return got;
}

std::uint64_t BinaryBytes::skip(std::uint64_t size) {
  std::uint64_t got = 0;
  while (got < size) {
    const std::string_view piece = next(size - got);
    if (piece.empty()) break;
    got += piece.size();
  }
  return got;
}

}  // namespace quire::tools
