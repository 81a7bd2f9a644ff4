// Which elements of a damaged array can't be read.
#include "engine/array/array_format.h"

namespace quire {
namespace {

class ArraySalvager {
 public:
  using OnLoss = std::function<Status(const ArrayLoss&)>;
  ArraySalvager(PageReader& reader, const ArrayRoot& array, const OnLoss& on_loss)
      : reader_(reader), array_(array), on_loss_(on_loss), geometry_(array, reader.page_size()) {}

  // `first`: number of the first block under the pointer.
  Status walk(const PagePtr& ptr, unsigned level, std::uint64_t first,
              std::optional<PageNumber> parent) {
    auto page = load(ptr, level);
    if (!page) return lose(ptr, level, first, parent, page.error());
    if (level == 0) return {};
    const std::uint64_t used = load_table_header(*page).used;
    const std::uint64_t blocks = geometry_.blocks_for(array_.size);
    for (std::uint64_t slot = 0; slot < used; ++slot) {
      const PagePtr child = load_ptr(table_slot(*page, slot));
      const std::uint64_t block = first + slot * geometry_.blocks_per_slot(level);
      if (child && block < blocks) QUIRE_CHECK(walk(child, level - 1, block, ptr.page));
    }
    return {};
  }

 private:
  Result<const std::byte*> load(const PagePtr& ptr, unsigned level) {
    const PageNumber pages =
        level > 0 ? 1 : (array_.height == 0 ? array_.first_block_pages : array_.block_pages);
    pages_ += pages;
    if (pages_ > reader_.page_count())
      return fail(ErrorCode::kCorrupt, "page %u: array %u has more pages than the file", ptr.page,
                  array_.id);
    const std::byte* page = reader_.fetch(ptr, pages);
    if (page == nullptr) return reader_.failure();
    if (level > 0 && !is_array_table(page, ptr, level, array_, geometry_.fanout()))
      return not_array_table(page, ptr, level, array_);
    return page;
  }

  Status lose(const PagePtr& ptr, unsigned level, std::uint64_t first,
              std::optional<PageNumber> parent, const Error& why) {
    const std::uint64_t per_block = geometry_.per_block();
    const std::uint64_t blocks = level == 0 ? 1 : geometry_.blocks_per_slot(level + 1);
    const std::uint64_t begin = first * per_block;
    const std::uint64_t room = (array_.size - begin) / per_block + 1;  // in blocks
    const std::uint64_t end =
        blocks >= room ? array_.size : std::min(array_.size, begin + blocks * per_block);
    return on_loss_({.first = begin,
                     .end = end,
                     .elements = std::min(ptr.count, end - begin),
                     .ptr = ptr,
                     .block = level == 0,
                     .parent = parent,
                     .why = &why});
  }

  PageReader& reader_;
  const ArrayRoot& array_;
  const OnLoss& on_loss_;
  ArrayGeometry geometry_;
  std::uint64_t pages_ = 0;
};

}  // namespace

Status array_salvage(PageReader& reader, const ArrayRoot& array,
                     const std::function<Status(const ArrayLoss&)>& on_loss) {
  if (const Status sound = array_check_root(array, reader.page_size()); !sound)
    return on_loss({.first = 0,
                    .end = array.size,
                    .elements = array.size,
                    .ptr = array.root,
                    .block = false,
                    .parent = std::nullopt,
                    .why = &sound.error()});
  if (array.size == 0 || !array.root) return {};
  return ArraySalvager(reader, array, on_loss).walk(array.root, array.height, 0, std::nullopt);
}

}  // namespace quire
