#include "engine/db/meta.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/base/checksum.h"

namespace quire {

MetaImage to_image(const Meta& meta) noexcept {
  MetaImage image;
  std::memset(static_cast<void*>(&image), 0, sizeof image);
  image.magic = kMetaMagic;
  image.format_version = kFormatVersion;
  image.byte_order = kByteOrderMark;
  image.page_size = meta.page_size;
  image.flags = (meta.clean ? kMetaClean : 0u) | (meta.archive ? kMetaArchive : 0u);
  image.database[0] = meta.database[0];
  image.database[1] = meta.database[1];
  image.sequence = meta.sequence;
  image.created_us = meta.created_us;
  image.root = to_image(meta.root);
  image.log_segment = meta.position.segment;
  image.log_offset = meta.position.offset;
  image.log_lsn = meta.position.lsn;
  image.log_chain = meta.position.chain;
  image.free_map_page = meta.free_map_run.first;
  image.free_map_pages = meta.free_map_run.pages;
  image.free_map_runs = meta.free_map_runs;
  image.free_map_checksum = meta.free_map_checksum;
  image.page_count = meta.page_count;
  image.checksum = checksum64(as_bytes(&image, offsetof(MetaImage, checksum)));
  return image;
}

Result<Meta> from_image(const MetaImage& image, const std::string& path) {
  const char* name = path.c_str();
  if (image.magic == __builtin_bswap64(kMetaMagic) ||
      (image.magic == kMetaMagic && image.byte_order == __builtin_bswap32(kByteOrderMark)))
    return fail(ErrorCode::kByteOrder, "%s was written on a machine of the other byte order", name);
  if (image.magic != kMetaMagic)
    return fail(ErrorCode::kNotDatabase, "%s is not a Quire database (wrong magic)", name);
  // The version stands where every version has it; the rest is looked at only when it is known.
  if (image.format_version != kFormatVersion)
    return fail(ErrorCode::kVersion, "%s has format version %u; this library reads %u", name,
                image.format_version, kFormatVersion);
  if (image.checksum != checksum64(as_bytes(&image, offsetof(MetaImage, checksum))))
    return fail(ErrorCode::kCorrupt, "%s: a meta page is damaged (checksum)", name);
  if (image.page_size < kMinPageSize || image.page_size > kMaxPageSize ||
      !std::has_single_bit(image.page_size))
    return fail(ErrorCode::kPageSize, "%s: page size %u is not a power of two from %u to %u", name,
                image.page_size, kMinPageSize, kMaxPageSize);
  const std::optional<Root> root = from_image(image.root);
  if (!root) return fail(ErrorCode::kCorrupt, "%s: the root in a meta page is damaged", name);
  Meta meta;
  meta.page_size = image.page_size;
  meta.database = {image.database[0], image.database[1]};
  meta.sequence = image.sequence;
  meta.created_us = image.created_us;
  meta.root = *root;
  meta.position = {image.log_segment, image.log_offset, image.log_lsn, image.log_chain};
  meta.free_map_run = {image.free_map_page, image.free_map_pages};
  meta.free_map_runs = image.free_map_runs;
  meta.free_map_checksum = image.free_map_checksum;
  meta.page_count = image.page_count;
  meta.clean = (image.flags & kMetaClean) != 0;
  meta.archive = (image.flags & kMetaArchive) != 0;
  if (meta.root.page_count > meta.page_count || meta.page_count < kFirstPage)
    return fail(ErrorCode::kCorrupt, "%s: a meta page says %u pages, its root %u", name,
                meta.page_count, meta.root.page_count);
  return meta;
}

Status write_meta(io::File& data, const Meta& meta) {
  const MetaImage image = to_image(meta);
  const std::uint64_t place = meta.sequence % 2 * meta.page_size;
  return data.write(place, as_bytes(&image, sizeof image));
}

Result<Meta> read_meta(io::File& data, std::uint64_t offset) {
  const char* name = data.path().c_str();
  MetaImage image;
  std::memset(static_cast<void*>(&image), 0, sizeof image);
  QUIRE_TRY(const std::size_t size,
            data.read_some(offset, {reinterpret_cast<std::byte*>(&image), sizeof image}));
  if (offset == 0 && size < sizeof image)
    return fail(size == 0 ? ErrorCode::kNotDatabase : ErrorCode::kTruncated,
                "%s is not a Quire database (%zu bytes)", name, size);
  QUIRE_TRY(const Meta meta, from_image(image, data.path()));
  // A whole one in the other's place was written there by mistake, and may be the older one.
  if ((meta.sequence % 2 == 0) != (offset == 0))
    return fail(ErrorCode::kCorrupt, "%s: a meta page lies in the place of the other", name);
  return meta;
}

bool is_of_another_format(const Error& error) noexcept {
  return error.code() == ErrorCode::kVersion || error.code() == ErrorCode::kByteOrder;
}

Result<Meta> find_second_meta(io::File& data) {
  std::optional<Error> foreign;
  for (std::uint32_t size = kMinPageSize; size <= kMaxPageSize; size *= 2) {
    auto meta = read_meta(data, size);
    if (meta && meta->page_size == size) return meta;
    if (!meta && is_of_another_format(meta.error())) foreign = std::move(meta).error();
  }
  if (foreign) return std::unexpected(*std::move(foreign));
  return fail(ErrorCode::kCorrupt, "%s: no meta page is good", data.path().c_str());
}

Result<Metas> read_metas(io::File& data) {
  auto first = read_meta(data, 0);
  auto second = first ? read_meta(data, first->page_size) : find_second_meta(data);
  if (!first && !second) return std::unexpected(std::move(first).error());
  // What could not be read is not known to be damaged, and may be the newest.
  for (const Result<Meta>* meta : {&first, &second}) {
    if (!*meta && meta->error().code() == ErrorCode::kIo) return std::unexpected(meta->error());
  }
  Metas metas;
  if (!first) {
    metas.newest = *second;
    metas.damaged = first.error();
  } else if (!second) {
    metas.newest = *first;
    // A database that was just made has written only one of them.
    if (first->sequence > 2) metas.damaged = second.error();
  } else {
    if (first->database != second->database)
      return fail(ErrorCode::kWrongId, "%s: its two meta pages are of different databases",
                  data.path().c_str());
    metas.newest = first->sequence > second->sequence ? *first : *second;
  }
  QUIRE_TRY(const std::uint64_t size, data.size());
  const std::uint64_t needed = std::uint64_t{metas.newest.page_count} * metas.newest.page_size;
  if (size < needed)
    return fail(ErrorCode::kTruncated, "%s has %llu bytes, but its meta page says %llu",
                data.path().c_str(), static_cast<unsigned long long>(size),
                static_cast<unsigned long long>(needed));
  return metas;
}

std::vector<PageRun> merge_runs(std::vector<PageRun> runs) {
  std::ranges::sort(runs, {}, &PageRun::first);
  std::vector<PageRun> merged;
  for (const PageRun& run : runs) {
    if (run.pages == 0) continue;
    if (!merged.empty() && merged.back().first + merged.back().pages == run.first) {
      merged.back().pages += run.pages;
    } else {
      merged.push_back(run);
    }
  }
  return merged;
}

Result<std::vector<PageRun>> read_free_map(io::File& data, const Meta& meta) {
  const char* name = data.path().c_str();
  const PageRun own = meta.free_map_run;
  const std::uint64_t space = std::uint64_t{own.pages} * meta.page_size;
  const bool in_file = own.pages == 0 || (own.first >= kFirstPage && own.pages <= meta.page_count &&
                                          own.first <= meta.page_count - own.pages);
  if (!in_file || meta.free_map_runs > space / sizeof(PageRun) ||
      meta.root.page_count != meta.page_count)
    return fail(ErrorCode::kCorrupt, "%s: the free map of the meta page makes no sense", name);
  if (meta.free_map_runs == 0) return std::vector<PageRun>{};
  std::vector<PageRun> runs(meta.free_map_runs);
  const MutableBytes bytes = std::as_writable_bytes(std::span(runs));
  QUIRE_CHECK(data.read(std::uint64_t{meta.free_map_run.first} * meta.page_size, bytes));
  if (checksum64(bytes) != meta.free_map_checksum)
    return fail(ErrorCode::kCorrupt, "%s: the free map (page %u) is damaged", name,
                meta.free_map_run.first);
  std::uint64_t end = kFirstPage;
  for (const PageRun& run : runs) {
    const bool over_own = run.first < own.first + own.pages && own.first < run.first + run.pages;
    if (run.pages == 0 || run.first < end || over_own ||
        std::uint64_t{run.first} + run.pages > meta.page_count)
      return fail(ErrorCode::kCorrupt, "%s: the free map (page %u) is out of order", name,
                  meta.free_map_run.first);
    end = std::uint64_t{run.first} + run.pages;
  }
  return runs;
}

}  // namespace quire
