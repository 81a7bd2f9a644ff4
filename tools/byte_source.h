// Where imports read from: a file, standard input, or memory (tests).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quire::tools {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Up to `size` bytes; 0 at the end. Throws Failure, naming the source, when reading fails.
  virtual std::size_t read(char* buffer, std::size_t size) = 0;
  // Total bytes, where known.
  virtual std::optional<std::uint64_t> size() const { return std::nullopt; }
  // For messages: "'base.fvecs'", "standard input".
  virtual std::string name() const { return "the input"; }
};

// "-" is standard input. A signal ends a blocked read early: it then looks like the end of the
// input, and the caller asks interrupted().
class FileSource : public ByteSource {
 public:
  explicit FileSource(const std::string& path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::size_t read(char* buffer, std::size_t size) override;
  // From where it stood when this was made.
  std::optional<std::uint64_t> size() const override { return size_; }
  std::string name() const override { return name_; }

 private:
  std::string name_;
  int fd_;
  std::optional<std::uint64_t> size_;
};

class MemorySource : public ByteSource {
 public:
  // Gives `chunk` bytes at a time, to move the seams between reads about.
  explicit MemorySource(std::string_view text, std::size_t chunk = SIZE_MAX,
                        std::string name = "the input")
      : text_(text), chunk_(chunk), name_(std::move(name)) {}

  std::size_t read(char* buffer, std::size_t size) override;
  std::string name() const override { return name_; }

 private:
  std::string_view text_;
  std::size_t chunk_;
  std::string name_;
};

// A source whose first bytes can be looked at before they are read.
class PeekSource : public ByteSource {
 public:
  explicit PeekSource(ByteSource* source) : source_(source) {}

  // Up to `size` bytes from the front, fewer where the input is shorter. Before the first read().
  std::string_view peek(std::size_t size);
  std::size_t read(char* buffer, std::size_t size) override;
  std::optional<std::uint64_t> size() const override { return source_->size(); }
  std::string name() const override { return source_->name(); }

 private:
  ByteSource* source_;
  std::string front_;      // read already
  std::size_t given_ = 0;  // of it
};

// What the first bytes of an input say that it is, if that is no text: "it looks compressed
// (gzip)".
std::optional<std::string> why_not_text(std::string_view beginning);

// The whole of a small file ("-": standard input); throws Failure when it is larger than `limit`.
std::string read_whole(const std::string& path, std::size_t limit);

// Buffers a source and hands out single bytes and runs of bytes; counts lines and bytes. Skips a
// byte order mark. Memory: one chunk.
class BufferedBytes {
 public:
  // Throws Failure when the input begins like something that is no text.
  explicit BufferedBytes(ByteSource* source);

  // What is at hand, at least one byte; empty at the end. consume() some of it.
  std::string_view peek();
  void consume(std::size_t count);

  std::uint64_t consumed_bytes() const { return consumed_; }

 private:
  static constexpr std::size_t kChunkBytes = 256 * 1024;

  void fill();

  ByteSource* source_;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t consumed_ = 0;
  bool at_end_ = false;
};

// Pieces of exact sizes from a source of binary data. Memory: one chunk.
class BinaryBytes {
 public:
  explicit BinaryBytes(ByteSource* source) : source_(source), buffer_(kChunkBytes, '\0') {}

  // Copies `size` bytes to `to`; how many there were, fewer only at the end.
  std::size_t take(char* to, std::size_t size);
  // The same without keeping them.
  std::uint64_t skip(std::uint64_t size);

  std::uint64_t consumed_bytes() const { return consumed_; }

 private:
  static constexpr std::size_t kChunkBytes = 256 * 1024;

  // What is at hand of `size` bytes, after a read where that was nothing; empty at the end.
  std::string_view next(std::uint64_t size);

  ByteSource* source_;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t consumed_ = 0;
  bool at_end_ = false;
};

}  // namespace quire::tools
