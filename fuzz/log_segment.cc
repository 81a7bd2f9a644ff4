// Segments of the log: the reader, inspect, and a writer that goes on where the reader ended.
//
// What the input is: changes to a log of several segments, some of whose commits have several
// parts, one of which was given up. The checksums of records, start blocks and headers are made
// right or left as they are, as the input says. Or it is what a segment says: records with any
// numbers and flags and payloads, under right checksums.
//
// What is promised, always: the reader ends, gives records of ascending numbers and whole commits
// only, and a writer that goes on at a quiet end can be read back. Checksums left alone: what is
// given is what was written, from the first record on without a gap.
#include <algorithm>
#include <map>

#include "engine/base/checksum.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/must.h"
#include "tests/wal/memory_disk.h"
#include "wal/format.h"
#include "wal/log_reader.h"
#include "wal/log_writer.h"
#include "wal/segment_image.h"

namespace quire::fuzz {
namespace {

using wal::Lsn;
using wal::MemoryDisk;
using wal::Position;
using Files = std::map<std::string, ByteVector>;

struct Entry {
  Lsn lsn = 0;
  bool last = false;
  std::uint8_t kind = 0;
  std::string payload;
  bool operator==(const Entry&) const = default;
};

const wal::LogOptions& options() {
  static const wal::LogOptions options{.directory = "/db/wal",
                                       .database = {17, 42},
                                       .segment_bytes_min = 4096,
                                       .segment_bytes_max = 4096};
  return options;
}

Lsn append(wal::LogWriter& log, const std::string& text, bool last) {
  const Bytes pieces[] = {as_bytes(text)};
  return must(log.append(pieces, static_cast<std::uint8_t>(text.size() % 7), last));
}

// Records of a segment from `at` on as their sizes say, with right checksums and chain values.
// Returns the chain value of the last.
std::uint64_t seal_from(MutableBytes segment, std::uint64_t at, std::uint64_t key,
                        std::uint64_t chain, bool chained) {
  while (at + sizeof(wal::RecordHeader) <= segment.size()) {
    std::byte* const header = segment.data() + at;
    const auto payload =
        load_le<std::uint32_t>(header + offsetof(wal::RecordHeader, payload_bytes));
    const std::uint64_t size = wal::record_bytes(payload);
    if (size > segment.size() - at) break;
    if (load_le<std::uint64_t>(header + offsetof(wal::RecordHeader, lsn)) == 0) break;
    if (chained) store_le(header + offsetof(wal::RecordHeader, previous), chain);
    chain = wal::seal_record(segment.subspan(at, size), key);
    at += size;
  }
  return chain;
}

// The same for a whole segment, with its header and start block; `chain` is of what is before it.
std::uint64_t seal_segment(MutableBytes segment, bool chained, std::uint64_t chain) {
  if (segment.size() < wal::kRecordsAt) return chain;
  wal::SegmentHeader header;
  std::memcpy(&header, segment.data(), sizeof header);
  header.checksum =
      checksum64(as_bytes(&header, sizeof header).first(offsetof(wal::SegmentHeader, checksum)));
  std::memcpy(segment.data(), &header, sizeof header);
  const std::uint64_t key = wal::segment_key(header);
  wal::SegmentStart start;
  std::memcpy(&start, segment.data() + wal::kStartAt, sizeof start);
  if (start.first_lsn == 0) return chain;
  if (chained) start.previous = chain;
  start = wal::make_start(key, start.first_lsn, start.previous);
  std::memcpy(segment.data() + wal::kStartAt, &start, sizeof start);
  return seal_from(segment, wal::kRecordsAt, key, start.previous, chained);
}

struct Base {
  Files files;
  std::vector<std::string> names;
  std::vector<Entry> entries;
};

// Three segments and a prepared one; every third commit has three parts.
const Base& base() {
  static const Base base = [] {
    MemoryDisk disk;
    const auto log = must(wal::LogWriter::start(disk, options(), {}, 0, {}));
    for (int i = 0; i < 24; ++i) {
      const std::string text = "commit " + std::to_string(i) + std::string(i * 17 % 400, 'c');
      if (i == 9) {
        append(*log, text, false);
        log->abandon();
      }
      if (i % 3 == 0) {
        append(*log, text + " first", false);
        append(*log, "middle", false);
      }
      const Lsn lsn = append(*log, text, true);
      if (i % 4 == 1) must(log->sync(lsn));
    }
    must(log->sync(log->appended()));
    must(log->prepare_spare());
    Base made;
    made.files = disk.copy();
    // The seeds are random: made the same, so that an input is replayed everywhere as it was found.
    std::uint64_t chain = 0;
    for (auto& [path, bytes] : made.files) {
      made.names.push_back(path);
      wal::SegmentHeader header;
      std::memcpy(&header, bytes.data(), sizeof header);
      header.seed = 1000 * header.number;
      std::memcpy(bytes.data(), &header, sizeof header);
      chain = seal_segment(bytes, true, chain);
    }
    disk.restore(made.files);
    const auto reader = must(wal::LogReader::open(disk, options(), {}));
    while (const auto record = must(reader->next()))
      made.entries.push_back(
          {record->lsn, record->last, record->kind, std::string(as_text(record->payload))});
    demand(made.entries.size() == 40, "the log to begin with is not as it was written");
    return made;
  }();
  return base;
}

// --- what is read ---

struct ReadLog {
  std::vector<Entry> entries;
  Position end;
  std::uint64_t highest = 0;
  bool quiet = false;
};

ReadLog read_log(io::Disk& disk, const Position& from) {
  ReadLog log;
  const auto reader = wal::LogReader::open(disk, options(), from);
  if (!reader) return log;
  log.highest = (*reader)->highest_segment();
  Lsn before = from.lsn;
  for (;;) {
    const auto record = (*reader)->next();
    if (!record || !*record) {
      log.quiet = record.has_value();
      demand(record || !record.error().message().empty(), "an error without a sentence");
      const auto again = (*reader)->next();
      demand(again.has_value() == log.quiet && !(again && *again), "the end does not stay");
      break;
    }
    demand((*record)->lsn > before, "records are not in order");
    demand((*record)->end == (*reader)->position(), "a record ends elsewhere than the reader");
    before = (*record)->lsn;
    log.entries.push_back({(*record)->lsn, (*record)->last, (*record)->kind,
                           std::string(as_text((*record)->payload))});
  }
  log.end = (*reader)->position();
  demand(!log.quiet || log.entries.empty() || log.entries.back().last,
         "the log ends within a commit");
  return log;
}

// A new life: a writer behind what was read, one commit, and all of it read again.
void go_on(MemoryDisk& disk, const Position& from, const ReadLog& before) {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 60;  // numbers that would not fit
  if (before.end.lsn > kFar || before.highest > kFar) return;
  const auto log = wal::LogWriter::start(disk, options(), before.end, before.highest, {});
  if (!log) return;
  const Lsn lsn = append(**log, "a new life", true);
  must((*log)->sync(lsn));
  const ReadLog after = read_log(disk, from);
  std::vector<Entry> expected = before.entries;
  expected.push_back(
      {lsn, true, static_cast<std::uint8_t>(std::string("a new life").size() % 7), "a new life"});
  demand(after.quiet && after.entries == expected, "what a new writer appends is not read back");
}

void look_at(MemoryDisk& disk) {
  for (const std::uint64_t number : must(wal::list_segments(disk, options().directory))) {
    const std::string path = wal::segment_path(options().directory, number);
    const auto info = wal::inspect_segment(disk, path, options().database);
    if (!info) continue;
    demand(info->records == 0 || info->last_lsn == info->first_lsn + info->records - 1,
           "inspect counts other records than it numbers");
    demand(info->used_bytes >= wal::kRecordsAt, "inspect: a segment without its head");
  }
  (void)wal::first_position(disk, options());
}

Position position_of(Input& input, MemoryDisk& disk) {
  const std::uint8_t which = input.byte() % 4;
  if (which == 3) {
    const auto first = wal::first_position(disk, options());
    return first ? *first : Position{};
  }
  if (which < 2) return {};
  return {.segment = input.below(5),
          .offset = input.take<std::uint16_t>() * std::uint64_t{8},
          .lsn = input.below(64),
          .chain = input.take<std::uint64_t>()};
}

// --- what is made of an input ---

// A segment of records as the input describes them.
ByteVector described_segment(Input& input, std::uint64_t number, Lsn& lsn, std::uint64_t& chain) {
  ByteVector segment(4096);
  wal::SegmentHeader header =
      wal::make_header(options().database, number, 1000 + number, segment.size());
  const std::uint64_t key = wal::segment_key(header);
  std::memcpy(segment.data(), &header, sizeof header);
  if (input.byte() == 0) return segment;  // prepared
  const wal::SegmentStart start = wal::make_start(key, lsn + 1, chain);
  std::memcpy(segment.data() + wal::kStartAt, &start, sizeof start);
  std::uint64_t at = wal::kRecordsAt;
  while (!input.empty()) {
    const std::uint8_t what = input.byte();
    if (what == 255) break;
    const Bytes payload = input.sized(255);
    const std::uint64_t size = wal::record_bytes(payload.size());
    if (at + size > segment.size()) break;
    const Lsn skip = (what & 0x30) == 0x30 ? input.byte() : 0;
    const wal::RecordHeader record{
        .checksum = 0,
        .lsn = lsn += 1 + skip,
        .synced_lsn = (what & 4) != 0 ? lsn - 1 : ((what & 8) != 0 ? input.byte() : 0U),
        .previous = (what & 0xC0) == 0xC0 ? input.byte() : chain,
        .payload_bytes = static_cast<std::uint32_t>(payload.size()),
        .tag = 0,
        .kind = static_cast<std::uint8_t>(payload.size()),
        .flags = static_cast<std::uint8_t>(what & 3)};
    std::memcpy(segment.data() + at, &record, sizeof record);
    std::ranges::copy(payload, segment.begin() + static_cast<std::ptrdiff_t>(at + sizeof record));
    chain = wal::seal_record(MutableBytes(segment).subspan(at, size), key);
    at += size;
    if (what == 128) at += 8;  // a hole
  }
  return segment;
}

void change(Input& input, Files& files) {
  const std::vector<std::string>& names = base().names;
  for (std::size_t i = 0; i < Edits::kMost && !input.empty(); ++i) {
    const std::uint8_t where = input.byte();
    const std::string& name = names[where % names.size()];
    const auto found = files.find(name);
    if (found == files.end()) continue;
    const std::uint8_t how = where / 16;
    if (how == 0) {
      files.erase(found);
    } else if (how == 1) {
      found->second.resize(input.take<std::uint16_t>() % (found->second.size() + 64));
    } else if (how == 2) {
      files[name] = base().files.at(names[input.byte() % names.size()]);
    } else {
      // Most where the heads are.
      const std::uint16_t at = input.take<std::uint16_t>();
      Edits::apply_one(input, found->second, at);
    }
  }
}

enum Mode : std::uint8_t { kLeaveSums, kFixSums, kFixChain, kDescribed, kModes };

void check_what_was_written(const ReadLog& log) {
  const std::vector<Entry>& written = base().entries;
  demand(log.entries.size() <= written.size() &&
             std::equal(log.entries.begin(), log.entries.end(), written.begin()),
         "something else is read than was written");
}

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  const std::uint8_t mode = input.byte() % kModes;
  MemoryDisk disk;
  Files files;
  Position from;
  if (mode == kDescribed) {
    Lsn lsn = input.byte();
    std::uint64_t chain = 0;
    from = {.segment = 0, .offset = 0, .lsn = lsn, .chain = 0};
    for (std::uint64_t number = 1; number < 5 && !input.empty(); ++number)
      files[wal::segment_path(options().directory, number)] =
          described_segment(input, number, lsn, chain);
    disk.restore(files);
  } else {
    files = base().files;
    change(input, files);
    std::uint64_t chain = 0;
    for (auto& [path, segment] : files) {
      if (mode == kLeaveSums) break;
      chain = seal_segment(segment, mode == kFixChain, chain);
    }
    disk.restore(files);
    if (mode != kLeaveSums) from = position_of(input, disk);
  }
  look_at(disk);
  const ReadLog log = read_log(disk, from);
  if (mode == kLeaveSums) check_what_was_written(log);
  if (log.quiet) go_on(disk, from, log);
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  for (std::uint8_t mode = 0; mode < kDescribed; ++mode) {
    all.push_back({std::byte{mode}});
    all.push_back({std::byte{mode}, std::byte{33}, std::byte{0}, std::byte{3}, std::byte{16}});
  }
  // Two segments: whole commits, one in parts, one that was given up.
  const std::uint8_t described[] = {kDescribed, 0,   1,   3, 3, 'o', 'n', 'e', 1,   1,  'a',
                                    0,          1,   'b', 6, 1, 'c', 1,   1,   'x', 3,  2,
                                    'y',        'z', 255, 1, 7, 1,   'e', 7,   1,   'f'};
  all.push_back(to_vector(std::as_bytes(std::span(described))));
  return all;
}

}  // namespace quire::fuzz
