// A segment as a reader sees it: names of segment files, the head of one, all of one in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/io/disk.h"
#include "wal/format.h"

namespace quire::wal {

// The number in a segment's file name (16 hexadecimal digits, lower case), if it is one.
std::optional<std::uint64_t> parse_segment_name(const std::string& name);
std::string segment_name(std::uint64_t number);

// Header and start block. `start` is empty in a segment that is prepared but not started (or whose
// start block was torn: nobody can tell).
struct SegmentHead {
  SegmentHeader header{};
  std::optional<SegmentStart> start;
  std::uint64_t file_bytes = 0;
};
// Errors of parse_header, and kCorrupt when `number` (0: any) is not the header's.
Result<SegmentHead> read_segment_head(io::Disk& disk, const std::string& path,
                                      const DatabaseId& database, std::uint64_t number);

// One segment in memory. Immutable, so it may be shared.
class SegmentImage {
 public:
  static Result<std::shared_ptr<const SegmentImage>> load(io::Disk& disk, const std::string& path,
                                                          const DatabaseId& database,
                                                          std::uint64_t number);

  const SegmentHead& head() const noexcept { return head_; }
  std::uint64_t number() const noexcept { return head_.header.number; }
  std::uint64_t size() const noexcept { return size_; }
  // The file is shorter than its header says: no crash does that.
  bool is_cut() const noexcept { return head_.file_bytes < head_.header.size_bytes; }

  bool record_at(std::uint64_t offset, RecordView& out) const noexcept {
    return read_record({data_.get(), size_}, offset, key_, out);
  }
  // The first good record at `offset` or behind it, wherever it begins. Sets `offset` to it.
  // O(bytes): what is not a record is refused by its tag.
  bool find_record(std::uint64_t& offset, RecordView& out) const noexcept;

 private:
  SegmentHead head_;
  std::unique_ptr<std::byte[]> data_;
  std::uint64_t size_ = 0;  // of what can hold records: file or header, whichever is less
  std::uint64_t key_ = 0;
};

}  // namespace quire::wal
