#include "tools/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

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
  if (S_ISREG(info.st_mode)) size_ = static_cast<std::uint64_t>(info.st_size);
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
  std::memcpy(buffer, text_.data(), count);
  text_.remove_prefix(count);
  return count;
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

BufferedBytes::BufferedBytes(ByteSource* source) : source_(source), buffer_(kChunkBytes, '\0') {
  // The mark may come in pieces: fill until it can be told.
  while (!at_end_ && end_ < 3) fill();
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

}  // namespace quire::tools
