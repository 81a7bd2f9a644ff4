// Descriptions of the files as they lie on disk, as JSON. Nothing is opened as a database, so this
// works on what can't be opened.
#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

#include "capi/handles.h"
#include "engine/tree/node.h"
#include "wal/log_reader.h"

using namespace quire;
using namespace quire::capi;

namespace {

// Puts JSON together: objects and arrays with their commas.
class Json {
 public:
  Json& open(char bracket) {
    separate();
    text_ += bracket;
    first_ = true;
    return *this;
  }
  Json& close(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
  }
  Json& key(const char* name) {
    separate();
    quote(name);
    text_ += ':';
    first_ = true;  // no comma before the value
    return *this;
  }
  Json& number(const char* name, std::uint64_t value) {
    key(name);
    separate();
    text_ += std::to_string(value);
    return *this;
  }
  Json& boolean(const char* name, bool value) {
    key(name);
    separate();
    text_ += value ? "true" : "false";
    return *this;
  }
  Json& string(const char* name, std::string_view value) {
    key(name);
    separate();
    quote(value);
    return *this;
  }
  const std::string& text() const noexcept { return text_; }

 private:
  void separate() {
    if (!first_) text_ += ',';
    first_ = false;
  }
  void quote(std::string_view value) {
    text_ += '"';
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte == '"' || byte == '\\' || byte < 0x20 || byte > 0x7E) {
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
        text_ += escaped;
      } else {
        text_ += c;
      }
    }
    text_ += '"';
  }
  std::string text_;
  bool first_ = true;
};

std::string hex(std::uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "%016" PRIx64, value);
  return text;
}
// Byte by byte, as quire_stat has it.
std::string id_text(const std::uint64_t (&id)[2]) {
  return hex(__builtin_bswap64(id[0])) + hex(__builtin_bswap64(id[1]));
}

void put_ptr(Json& json, const char* name, const PagePtr& ptr) {
  json.key(name).open('{').number("page", ptr.page).number("count", ptr.count);
  json.number("birth", ptr.birth).string("checksum", hex(ptr.checksum)).close('}');
}

void put_root(Json& json, const char* name, const RootImage& image) {
  const auto root = from_image(image);
  json.key(name).open('{').boolean("valid", root.has_value());
  json.number("txn", image.txn).number("lsn", image.lsn).number("page_count", image.page_count);
  json.number("next_id", image.next_id).number("catalog_height", image.catalog_height);
  put_ptr(json, "catalog", load_ptr(image.catalog));
  json.close('}');
}

void put_meta(Json& json, const MetaImage& image, std::uint64_t place, const std::string& path) {
  const auto meta = from_image(image, path);
  json.open('{').number("offset", place).boolean("valid", meta.has_value());
  if (!meta) json.string("error", meta.error().message());
  json.number("format_version", image.format_version).number("page_size", image.page_size);
  json.boolean("clean", (image.flags & kMetaClean) != 0);
  json.boolean("archive", (image.flags & kMetaArchive) != 0);
  json.string("id", id_text(image.database)).number("sequence", image.sequence);
  json.number("created_us", image.created_us);
  put_root(json, "root", image.root);
  json.key("log").open('{').number("segment", image.log_segment).number("offset", image.log_offset);
  json.number("lsn", image.log_lsn).string("chain", hex(image.log_chain)).close('}');
  json.key("free_map").open('{').number("page", image.free_map_page);
  json.number("pages", image.free_map_pages).number("runs", image.free_map_runs).close('}');
  json.number("page_count", image.page_count).string("checksum", hex(image.checksum)).close('}');
}

Result<MetaImage> read_image(io::File& data, std::uint64_t offset) {
  MetaImage image;
  std::memset(static_cast<void*>(&image), 0, sizeof image);
  QUIRE_CHECK(data.read_some(offset, {reinterpret_cast<std::byte*>(&image), sizeof image}));
  return image;
}

// The page size, from whichever meta page is good.
Result<std::uint32_t> page_size_of(io::File& data) {
  const auto metas = read_metas(data);
  if (metas) return metas->newest.page_size;
  QUIRE_TRY(const MetaImage first, read_image(data, 0));
  const std::uint32_t size = first.page_size;
  const bool sane = size >= kMinPageSize && size <= kMaxPageSize && (size & (size - 1)) == 0;
  return sane ? size : kDefaultPageSize;
}

Status describe_metas(const std::string& path, Json& json) {
  QUIRE_TRY(const auto data, io::real_disk().open(path + "/data", io::OpenMode::kRead));
  QUIRE_TRY(const std::uint32_t page_size, page_size_of(*data));
  QUIRE_TRY(const std::uint64_t size, data->size());
  json.open('{').number("file_bytes", size).key("metas").open('[');
  for (const std::uint64_t place : {std::uint64_t{0}, std::uint64_t{page_size}}) {
    QUIRE_TRY(const MetaImage image, read_image(*data, place));
    if (image.magic != 0) put_meta(json, image, place, data->path());
  }
  json.close(']').close('}');
  return {};
}

const char* kind_name(std::uint8_t kind) {
  switch (static_cast<PageKind>(kind)) {
    case PageKind::kLeaf:
      return "leaf";
    case PageKind::kBranch:
      return "branch";
    case PageKind::kCatalogLeaf:
      return "catalog leaf";
    case PageKind::kArrayTable:
      return "array table";
  }
  return "no header (block, run, free map, meta or free)";
}

Status describe_page(const std::string& path, std::uint64_t number, Json& json) {
  QUIRE_TRY(const auto data, io::real_disk().open(path + "/data", io::OpenMode::kRead));
  QUIRE_TRY(const std::uint32_t page_size, page_size_of(*data));
  QUIRE_TRY(const std::uint64_t size, data->size());
  if (number >= size / page_size)
    return fail(ErrorCode::kInvalid, "page %" PRIu64 ": %s has %" PRIu64 " pages", number,
                data->path().c_str(), size / page_size);
  ByteVector page(page_size);
  QUIRE_CHECK(data->read(number * page_size, page));
  const auto kind = static_cast<std::uint8_t>(page[0]);
  json.open('{').number("page", number).number("page_size", page_size);
  json.string("checksum", hex(page_checksum(page))).string("kind", kind_name(kind));
  if (kind == static_cast<std::uint8_t>(PageKind::kBranch) ||
      kind == static_cast<std::uint8_t>(PageKind::kLeaf) ||
      kind == static_cast<std::uint8_t>(PageKind::kCatalogLeaf)) {
    NodeHeader header;
    std::memcpy(static_cast<void*>(&header), page.data(), sizeof header);
    json.number("level", header.level).number("count", header.count).number("tree", header.tree);
    json.number("own_number", header.page).number("prefix_bytes", header.prefix_size);
    const auto valid = tree_check_node(page, header.tree);
    json.boolean("valid", valid.has_value());
    if (!valid) json.string("error", valid.error().message());
    json.key("pointers").open('[');
    (void)tree_for_each_pointer(page, [&json](const ChildRef& child) -> Status {
      const PagePtr ptr = load_ptr(child.at);
      json.open('{').number("page", ptr.page).number("pages", child.pages);
      json.number("count", ptr.count).number("birth", ptr.birth).close('}');
      return {};
    });
    json.close(']');
  }
  json.close('}');
  return {};
}

Status describe_segment(const std::string& path, std::uint64_t number, Json& json) {
  io::Disk& disk = io::real_disk();
  QUIRE_TRY(const auto data, disk.open(path + "/data", io::OpenMode::kRead));
  QUIRE_TRY(const Metas metas, read_metas(*data));
  const std::string directory = path + "/wal";
  QUIRE_TRY(const auto segments, wal::list_segments(disk, directory));
  json.open('{').key("segments").open('[');
  for (const std::uint64_t segment : segments) {
    if (number != 0 && segment != number) continue;
    const std::string file = wal::segment_path(directory, segment);
    const auto info = wal::inspect_segment(disk, file, metas.newest.database);
    json.open('{').number("segment", segment).boolean("valid", info.has_value());
    if (!info) {
      json.string("error", info.error().message()).close('}');
      continue;
    }
    json.number("bytes", info->size_bytes).number("used_bytes", info->used_bytes);
    json.number("first_lsn", info->first_lsn).number("last_lsn", info->last_lsn);
    json.number("records", info->records).close('}');
  }
  json.close(']').close('}');
  return {};
}

Status describe_readers(const std::string& path, Json& json) {
  QUIRE_TRY(const auto file, io::real_disk().open(path + "/lock", io::OpenMode::kRead));
  QUIRE_TRY(const std::uint64_t size, file->size());
  if (size < kSlotsOffset)
    return fail(ErrorCode::kTruncated, "%s has %" PRIu64 " bytes", file->path().c_str(), size);
  QUIRE_TRY(const auto map, file->map_read(size));
  const auto& head = *reinterpret_cast<const LockHeader*>(map->data());
  json.open('{').boolean("valid", head.magic == kLockMagic && head.version == kLockVersion);
  json.string("id", id_text(head.database)).number("attached", head.attached.load());
  json.number("writer_pid", head.writer_pid.load())
      .number("committed_txn", head.committed_txn.load());
  json.number("sequence", head.published.sequence());
  put_root(json, "published", head.published.read().image);
  json.key("processes").open('[');
  const auto* processes = reinterpret_cast<const ProcessEntry*>(map->data() + kProcessesOffset);
  for (std::uint32_t i = 0; i < kMaxProcesses; ++i) {
    if (processes[i].owner.load() == 0) continue;
    json.open('{').number("place", i).number("pid", processes[i].pid.load());
    json.boolean("writes", processes[i].writes.load() != 0).close('}');
  }
  json.close(']').key("readers").open('[');
  const auto* slots = reinterpret_cast<const ReaderSlot*>(map->data() + kSlotsOffset);
  // A longer file is none of ours, and might have no end.
  const std::uint64_t room =
      std::min<std::uint64_t>((size - kSlotsOffset) / sizeof(ReaderSlot), kSlotsMax);
  for (std::uint64_t i = 0; i < room; ++i) {
    const std::uint64_t txn = slots[i].txn.load();
    if (txn == 0 || txn == kMaxTxn) continue;
    const std::uint32_t place = owner_index(slots[i].owner.load());
    json.open('{').number("slot", i).number("txn", txn).number("thread", slots[i].thread.load());
    json.number("pid", place < kMaxProcesses ? processes[place].pid.load() : 0);
    const std::uint64_t now = coarse_clock_ns();
    const std::uint64_t since = slots[i].since_ns.load();
    json.number("age_ms", now > since ? (now - since) / 1'000'000 : 0).close('}');
  }
  json.close(']').close('}');
  return {};
}

}  // namespace

extern "C" {

int quire_inspect(const char* path, uint32_t what, uint64_t number, char** out) {
  if (path == nullptr || out == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_inspect: path or json is NULL");
  *out = nullptr;
  return guarded([&]() -> int {
    Json json;
    Status status;
    switch (what) {
      case QUIRE_INSPECT_META:
        status = describe_metas(path, json);
        break;
      case QUIRE_INSPECT_PAGE:
        status = describe_page(path, number, json);
        break;
      case QUIRE_INSPECT_SEGMENT:
        status = describe_segment(path, number, json);
        break;
      case QUIRE_INSPECT_READERS:
        status = describe_readers(path, json);
        break;
      default:
        return report(QUIRE_ERR_INVALID, "quire_inspect: what is not a QUIRE_INSPECT_*");
    }
    if (!status) return report(status.error());
    *out = static_cast<char*>(std::malloc(json.text().size() + 1));
    if (*out == nullptr) return report(QUIRE_ERR_NO_MEMORY, "out of memory");
    std::memcpy(*out, json.text().c_str(), json.text().size() + 1);
    return QUIRE_OK;
  });
}

void quire_free(void* memory) { std::free(memory); }

}  // extern "C"
