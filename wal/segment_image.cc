#include "wal/segment_image.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

#include "wal/log_reader.h"

namespace quire::wal {
namespace {

constexpr std::size_t kNameDigits = 16;

Result<SegmentHead> parse_head(Bytes front, std::uint64_t file_bytes, const std::string& path,
                               const DatabaseId& database, std::uint64_t number) {
  SegmentHead head;
  QUIRE_TRY(head.header, parse_header(front, database, path));
  if (number != 0 && head.header.number != number) {
    return fail(ErrorCode::kCorrupt, "%s: the header says that this is log segment %" PRIu64,
                path.c_str(), head.header.number);
  }
  head.file_bytes = file_bytes;
  if (front.size() >= kRecordsAt) {
    SegmentStart start;
    std::memcpy(&start, front.data() + kStartAt, sizeof start);
    if (start_is_good(start, segment_key(head.header))) head.start = start;
  }
  return head;
}

}  // namespace

std::string segment_name(std::uint64_t number) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string name(kNameDigits, '0');
  for (std::size_t i = kNameDigits; i-- > 0; number >>= 4) name[i] = kDigits[number & 15];
  return name;
}

std::optional<std::uint64_t> parse_segment_name(const std::string& name) {
  if (name.size() != kNameDigits) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : name) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) return std::nullopt;
    number = number << 4 | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  if (number == 0) return std::nullopt;
  return number;
}

std::string segment_path(const std::string& directory, std::uint64_t number) {
  return directory + "/" + segment_name(number);
}

Result<std::vector<std::uint64_t>> list_segments(io::Disk& disk, const std::string& directory) {
  std::vector<std::uint64_t> numbers;
  QUIRE_TRY(const bool there, disk.exists(directory));
  if (!there) return numbers;
  QUIRE_TRY(const std::vector<std::string> names, disk.list(directory));
  for (const std::string& name : names) {
    if (const auto number = parse_segment_name(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<SegmentHead> read_segment_head(io::Disk& disk, const std::string& path,
                                      const DatabaseId& database, std::uint64_t number) {
  QUIRE_TRY(const auto file, disk.open(path, io::OpenMode::kRead));
  QUIRE_TRY(const std::uint64_t file_bytes, file->size());
  std::array<std::byte, kRecordsAt> front;
  QUIRE_TRY(const std::size_t got, file->read_some(0, front));
  return parse_head(Bytes(front).first(got), file_bytes, path, database, number);
}

Result<std::shared_ptr<const SegmentImage>> SegmentImage::load(io::Disk& disk,
                                                               const std::string& path,
                                                               const DatabaseId& database,
                                                               std::uint64_t number) {
  QUIRE_TRY(const auto file, disk.open(path, io::OpenMode::kRead));
  QUIRE_TRY(const std::uint64_t file_bytes, file->size());
  std::array<std::byte, kRecordsAt> front;
  QUIRE_TRY(const std::size_t got, file->read_some(0, front));
  auto image = std::make_shared<SegmentImage>();
  QUIRE_TRY(image->head_, parse_head(Bytes(front).first(got), file_bytes, path, database, number));
  image->size_ = std::min(file_bytes, image->head_.header.size_bytes);
  image->key_ = segment_key(image->head_.header);
  image->data_ = std::make_unique_for_overwrite<std::byte[]>(image->size_);
  QUIRE_CHECK(file->read(0, {image->data_.get(), image->size_}));
  return image;
}

bool SegmentImage::find_record(std::uint64_t& offset, RecordView& out) const noexcept {
  const std::uint16_t tag = record_tag(key_);
  constexpr std::uint64_t kTagAt = offsetof(RecordHeader, tag);
  std::uint64_t at = std::max(round_up<std::uint64_t>(offset, 8), kRecordsAt);
  for (; at + sizeof(RecordHeader) <= size_; at += 8) {
    if (load_le<std::uint16_t>(data_.get() + at + kTagAt) != tag) continue;
    if (!record_at(at, out)) continue;
    offset = at;
    return true;
  }
  return false;
}

}  // namespace quire::wal
