#include <cinttypes>
#include <utility>

#include "engine/array/array_format.h"

namespace quire {
namespace {

// One walk. Where something is damaged the walk goes on around it, unless nobody wants to hear.
class Checker {
 public:
  Checker(PageReader& reader, const ArrayRoot& array, const ArrayCheck& check)
      : reader_(reader), array_(array), check_(check), geometry_(array, reader.page_size()) {}

  Status run() {
    if (!array_.root) {
      if (array_.root != PagePtr{})
        return report(
            fail(ErrorCode::kCorrupt, "array %u: a null root is not all zeros", array_.id));
      return {};
    }
    return walk(array_.root, array_.height, 0, 0);
  }

 private:
  // Hands the damage on; an error stops the walk.
  Status report(std::unexpected<Error> damage) {
    if (check_.on_damage == nullptr) return damage;
    check_.on_damage(damage.error());
    return {};
  }

  // `first`: number of the first block under the pointer, which is in page `parent`; 0: it is the
  // root.
  Status walk(const PagePtr& ptr, unsigned level, std::uint64_t first, PageNumber parent) {
    const PageNumber pages =
        level > 0 ? 1 : (array_.height == 0 ? array_.first_block_pages : array_.block_pages);
    // Tables that lead to one table over and over would take forever.
    pages_seen_ += pages;
    if (pages_seen_ > reader_.page_count()) {
      if (std::exchange(too_many_, true)) return {};
      return report(fail(ErrorCode::kCorrupt,
                         "array %u has more pages than the file (at page %u); the rest is not "
                         "looked at",
                         array_.id, ptr.page));
    }
    const std::byte* page = reader_.fetch(ptr, pages);
    if (page == nullptr) {
      const Error error =
          reader_.take_error().with_context(level == 0 ? "array block" : "array table");
      const std::string from = parent == 0 ? "the catalog" : "page " + std::to_string(parent);
      return report(
          std::unexpected(Error(error.code(), error.message() + "; " + from + " points to it")));
    }
    if (check_.on_page != nullptr) QUIRE_CHECK(check_.on_page(ptr.page, pages));
    if (level == 0) return check_block(ptr, first);
    if (!is_array_table(page, ptr, level, array_, geometry_.fanout()))
      return report(not_array_table(page, ptr, level, array_));
    return check_table(page, ptr, level, first);
  }

  Status check_block(const PagePtr& ptr, std::uint64_t block) {
    const std::uint64_t count = geometry_.count_in(block, array_.size);
    if (ptr.count == count) return {};
    return report(fail(ErrorCode::kCorrupt,
                       "array %u: the pointer to block %" PRIu64 " at page %u counts %" PRIu64
                       " elements instead of %" PRIu64,
                       array_.id, block, ptr.page, ptr.count, count));
  }

  Status check_table(const std::byte* table, const PagePtr& ptr, unsigned level,
                     std::uint64_t first) {
    const ArrayTableHeader header = load_table_header(table);
    const TxnNumber birth = header.birth_low | (std::uint64_t{header.birth_high} << 32);
    if (birth != ptr.birth)
      QUIRE_CHECK(report(fail(ErrorCode::kCorrupt,
                              "array table at page %u was made by transaction %" PRIu64
                              ", its pointer says %" PRIu64,
                              ptr.page, birth, ptr.birth)));
    if (header.reserved != 0 || header.reserved_end != 0)
      QUIRE_CHECK(report(
          fail(ErrorCode::kCorrupt, "array table at page %u: reserved bytes are set", ptr.page)));
    if (!load_ptr(table_slot(table, header.used - 1U)))
      QUIRE_CHECK(
          report(fail(ErrorCode::kCorrupt, "array table at page %u: its last slot, %u, is a hole",
                      ptr.page, header.used - 1U)));
    QUIRE_CHECK(check_unused(table, header, ptr));
    return check_slots(table, ptr, level, first);
  }

  Status check_unused(const std::byte* table, const ArrayTableHeader& header, const PagePtr& ptr) {
    const std::byte* rest = table_slot(table, header.used);
    const std::byte* end = table + reader_.page_size();
    if (std::all_of(rest, end, [](std::byte b) { return b == std::byte{0}; })) return {};
    return report(fail(ErrorCode::kCorrupt,
                       "array table at page %u: bytes after its %u slots are not zero", ptr.page,
                       header.used));
  }

  Status check_slots(const std::byte* table, const PagePtr& ptr, unsigned level,
                     std::uint64_t first) {
    const std::uint64_t used = load_table_header(table).used;
    const std::uint64_t blocks = geometry_.blocks_for(array_.size);
    std::uint64_t count = 0;
    for (std::uint64_t slot = 0; slot < used; ++slot) {
      const PagePtr child = load_ptr(table_slot(table, slot));
      const std::uint64_t block = first + slot * geometry_.blocks_per_slot(level);
      count += child.count;
      QUIRE_CHECK(check_child(child, ptr, slot, block < blocks));
      if (child && block < blocks) QUIRE_CHECK(walk(child, level - 1, block, ptr.page));
    }
    if (count == ptr.count) return {};
    return report(fail(ErrorCode::kCorrupt,
                       "array table at page %u has %" PRIu64 " elements, its pointer says %" PRIu64,
                       ptr.page, count, ptr.count));
  }

  Status check_child(const PagePtr& child, const PagePtr& table, std::uint64_t slot, bool inside) {
    const auto where = [&](const char* what) {
      return report(fail(ErrorCode::kCorrupt, "array table at page %u, slot %" PRIu64 ": %s",
                         table.page, slot, what));
    };
    if (!child) return child == PagePtr{} ? Status{} : where("a hole is not all zeros");
    if (!inside) return where("a pointer behind the array's end");
    if (child.birth > table.birth) return where("the child is younger than the table");
    return {};
  }

  PageReader& reader_;
  const ArrayRoot& array_;
  const ArrayCheck& check_;
  ArrayGeometry geometry_;
  std::uint64_t pages_seen_ = 0;
  bool too_many_ = false;
};

}  // namespace

Status array_check(PageReader& reader, const ArrayRoot& array, const ArrayCheck& check) {
  if (auto status = array_check_root(array, reader.page_size()); !status) {
    if (check.on_damage == nullptr) return status;
    check.on_damage(status.error());
    return {};
  }
  if (array.size == 0) return {};
  return Checker(reader, array, check).run();
}

}  // namespace quire
