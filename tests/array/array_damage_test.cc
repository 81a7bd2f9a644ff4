// Tables that lie: nothing here may crash, hang, or go unseen by array_check where a number is
// wrong. The checksums are made to fit, as in a file that somebody wrote on purpose.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <random>

#include "engine/array/array_format.h"
#include "tests/array/array_world.h"

namespace quire {
namespace {

constexpr std::uint32_t kPage = 512;
constexpr std::uint32_t kElement = 100;
constexpr std::uint64_t kSize = 4500;

// An array of height 3 in the file, with holes, and where each of its tables is pointed from.
class DamagedArray : public testing::Test {
 protected:
  struct Table {
    PagePtr ptr;
    std::size_t parent;  // in tables_
    std::uint64_t slot;  // in the parent
  };

  void SetUp() override {
    auto writer = world_.begin();
    ArrayWriter array(writer.get(), ArrayRoot{.element_size = kElement, .id = 9});
    for (std::uint64_t i = 0; i < kSize; ++i) {
      if (i / 700 % 2 == 1 && i + 1 != kSize) continue;
      auto bytes = array.touch(i);
      ASSERT_TRUE(bytes.has_value());
      std::memset(*bytes, static_cast<int>(i % 251), kElement);
    }
    root_ = array.root();
    world_.commit(*writer, {writer->txn()});
    root_ = world_.publish(root_);
    ASSERT_EQ(root_.height, 3);
    image_.resize(std::size_t{world_.space().page_count()} * kPage);
    ASSERT_TRUE(world_.file().read(0, image_).has_value());
    find_tables(root_.root, 3, 0, 0);
    ASSERT_GT(tables_.size(), 5u);
  }

  void find_tables(const PagePtr& ptr, unsigned level, std::size_t parent, std::uint64_t slot) {
    const std::size_t place = tables_.size();
    tables_.push_back({ptr, parent, slot});
    const std::byte* page = page_of(ptr.page);
    for (std::uint64_t s = 0; level > 1 && s < load_table_header(page).used; ++s)
      if (const PagePtr child = load_ptr(table_slot(page, s)); child)
        find_tables(child, level - 1, place, s);
  }

  std::byte* page_of(PageNumber page) { return image_.data() + std::size_t{page} * kPage; }
  std::byte* table(std::size_t place) { return page_of(tables_[place].ptr.page); }

  // The image with checksums that fit what the table says now, in the file; the root for it.
  ArrayRoot write(std::size_t changed) {
    std::uint64_t checksum = page_checksum(Bytes(table(changed), kPage));
    for (std::size_t at = changed; at != 0; at = tables_[at].parent) {
      std::byte* slot = table_slot(table(tables_[at].parent), tables_[at].slot);
      store_le<std::uint64_t>(slot, checksum);
      checksum = page_checksum(Bytes(table(tables_[at].parent), kPage));
    }
    EXPECT_TRUE(world_.file().write(0, image_).has_value());
    ArrayRoot root = root_;
    root.root.checksum = checksum;
    return root;
  }

  // Reads every element, then changes and cuts; errors are fine, but must say kCorrupt.
  void use(const ArrayRoot& root) {
    ArrayView view(world_.file_reader(), root);
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < kSize; i += 3) {
      const std::byte* element = view.at(i);
      if (element == nullptr) {
        expect_corrupt(view.take_error());
      } else {
        for (std::uint32_t b = 0; b < kElement; ++b) sum += static_cast<std::uint64_t>(element[b]);
      }
    }
    EXPECT_LE(sum, kSize * kElement * 250);  // every byte was read, and is one that was written
    const auto each = [&](const std::function<Status(ArrayWriter&)>& change) {
      world_.file_reader();  // forgets what is verified
      auto writer = world_.begin();
      ArrayWriter array(writer.get(), root);
      if (const Status status = change(array); !status) expect_corrupt(status.error());
    };
    const ByteVector element(kElement, std::byte{1});
    each([](ArrayWriter& array) { return array.clear(); });
    each([](ArrayWriter& array) { return array.truncate(kSize / 2); });
    each([](ArrayWriter& array) { return array.truncate(3); });
    each([&](ArrayWriter& array) { return array.set(kSize * 10, element); });
    each([&](ArrayWriter& array) -> Status {
      for (std::uint64_t i = 0; i < kSize + 50; i += 41) QUIRE_CHECK(array.set(i, element));
      return array.truncate(100);
    });
  }

  static void expect_corrupt(const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.message();
    EXPECT_NE(error.message().find("age "), std::string::npos) << error.message();
  }

  // Damage that array_check sees, walking on around it.
  std::size_t damage(const ArrayRoot& root) {
    std::size_t found = 0;
    PageReader reader = world_.file_reader();
    EXPECT_TRUE(
        array_check(reader, root, {.on_page = {}, .on_damage = [&](const Error&) { ++found; }})
            .has_value());
    const Status first = array_check(reader, root, {});
    EXPECT_EQ(first.has_value(), found == 0);
    return found;
  }

  ArrayWorld world_{kPage};
  ArrayRoot root_;
  ByteVector image_;
  std::vector<Table> tables_;
};

TEST_F(DamagedArray, IsSoundBeforeTheDamage) {
  EXPECT_EQ(damage(root_), 0u);
  use(root_);
}

TEST_F(DamagedArray, RandomBytesInATableNeverCrashAndAreSeenByCheck) {
  std::mt19937 random(11);
  const ByteVector sound = image_;
  for (int round = 0; round < 250; ++round) {
    image_ = sound;
    const std::size_t place = random() % tables_.size();
    const std::uint64_t used =
        kPageHeaderSize + load_table_header(table(place)).used * kPagePtrSize;
    bool changed = false;
    for (unsigned i = 0; i <= random() % 3; ++i) {
      // Mostly where something is, and mostly small differences: those get furthest.
      std::byte& byte = table(place)[random() % (random() % 8 == 0 ? kPage : used)];
      const auto flip = static_cast<std::byte>(random() % 2 == 0 ? 1u << random() % 8 : random());
      byte ^= flip;
      changed |= flip != std::byte{0};
    }
    const bool differs =
        std::memcmp(table(place), sound.data() + (table(place) - image_.data()), kPage) != 0;
    const ArrayRoot root = write(place);
    use(root);
    EXPECT_EQ(damage(root) > 0, changed && differs) << "round " << round;
    if (HasFailure()) return;
  }
}

TEST_F(DamagedArray, AChecksumThatDoesNotFitIsFound) {
  table(tables_.size() - 1)[40] ^= std::byte{1};
  ASSERT_TRUE(world_.file().write(0, image_).has_value());
  EXPECT_EQ(damage(root_), 1u);
  use(root_);
}

TEST_F(DamagedArray, OneBlockInTwoPlacesIsNotFreedTwice) {
  const std::size_t place = tables_.size() - 2;
  std::memcpy(table_slot(table(place), 1), table_slot(table(place), 0), kPagePtrSize);
  const ArrayRoot root = write(place);
  auto writer = world_.begin();
  ArrayWriter array(writer.get(), root);
  const Status status = array.clear();
  ASSERT_FALSE(status.has_value());
  expect_corrupt(status.error());
  EXPECT_EQ(array.root().size, kSize);
}

// Was taken for a page of the transaction's own: it was used again at once, with a frame in memory
// that no abort gave back.
TEST_F(DamagedArray, APointerToAPageOfTheFutureIsNotFollowedByChanges) {
  const std::size_t place = tables_.size() - 1;
  PagePtr child = load_ptr(table_slot(table(place), 0));
  child.birth = 2;  // that of the transaction to come
  store_ptr(table_slot(table(place), 0), child);
  const ArrayRoot root = write(place);
  EXPECT_EQ(damage(root), 1u);
  const ByteVector element(kElement, std::byte{1});
  auto writer = world_.begin();
  ASSERT_EQ(writer->txn(), 2u);
  ArrayWriter array(writer.get(), root);
  const Status set = array.set(kSize - 1, element);
  ASSERT_FALSE(set.has_value());
  expect_corrupt(set.error());
  const Status cleared = array.clear();
  ASSERT_FALSE(cleared.has_value());
  expect_corrupt(cleared.error());
  writer->abort();
  EXPECT_EQ(world_.pool().used_bytes(), 0u);
}

// Without a bound the walks would visit 20^12 tables.
TEST_F(DamagedArray, TablesThatShareOneChildDoNotTakeForever) {
  ByteVector page(kPage);
  const PageNumber first = kFirstPage;
  PagePtr child{.checksum = 1, .count = 1, .birth = 1, .page = first};
  for (unsigned level = 1; level <= kMaxArrayHeight; ++level) {
    const PageNumber number = first + level;
    const ArrayTableHeader header{.kind = static_cast<std::uint8_t>(PageKind::kArrayTable),
                                  .level = static_cast<std::uint8_t>(level),
                                  .used = 20,
                                  .element_size = kElement,
                                  .block_pages = root_.block_pages,
                                  .reserved = 0,
                                  .page = number,
                                  .array = 9,
                                  .birth_low = 1,
                                  .birth_high = 0,
                                  .reserved_end = 0};
    store_table_header(page.data(), header);
    for (std::uint64_t slot = 0; slot < 20; ++slot) store_ptr(table_slot(page.data(), slot), child);
    ASSERT_TRUE(world_.file().write(std::uint64_t{number} * kPage, page).has_value());
    child = {.checksum = page_checksum(page), .count = 1, .birth = 1, .page = number};
  }
  ArrayRoot root = root_;
  root.root = child;
  root.height = kMaxArrayHeight;
  root.size = kMaxArraySize;
  while (ArrayGeometry(root, kPage).height_for(root.size) < root.height) --root.height;
  EXPECT_GT(damage(root), 0u);
  auto writer = world_.begin();
  ArrayWriter array(writer.get(), root);
  EXPECT_FALSE(array.clear().has_value());
  EXPECT_FALSE(array.truncate(1).has_value());
}

TEST_F(DamagedArray, ARootThatCannotBeFailsEveryCall) {
  const auto refused = [&](auto change) {
    ArrayRoot root = root_;
    change(root);
    ArrayView view(world_.file_reader(), root);
    EXPECT_EQ(view.at(0), nullptr);
    EXPECT_EQ(view.take_error().code(), ErrorCode::kCorrupt);
    EXPECT_EQ(damage(root), 1u);
    auto writer = world_.begin();
    ArrayWriter array(writer.get(), root);
    EXPECT_EQ(array.touch(0).error().code(), ErrorCode::kCorrupt);
    EXPECT_EQ(array.get(0).error().code(), ErrorCode::kCorrupt);
    EXPECT_EQ(array.truncate(1).error().code(), ErrorCode::kCorrupt);
    EXPECT_EQ(array.clear().error().code(), ErrorCode::kCorrupt);
  };
  refused([](ArrayRoot& root) { root.element_size = 0; });
  refused([](ArrayRoot& root) { root.element_size = kMaxArrayElement + 1; });
  refused([](ArrayRoot& root) { root.block_pages = 0; });
  refused([](ArrayRoot& root) { root.block_pages = 0xFFFFFFFF; });
  refused([](ArrayRoot& root) { root.size = ~std::uint64_t{0}; });
  refused([](ArrayRoot& root) { root.height = 2; });
  refused([](ArrayRoot& root) { root.height = 255; });
  refused([](ArrayRoot& root) { root.height = 0; });
}

// A root with a height but no page, blocks or elements was taken for an array that was never
// written: its writer chose blocks for it, and it stayed as damaged as it was; found by the fuzzer
// of array tables.
TEST_F(DamagedArray, AHeightOfAnArrayThatWasNeverWrittenIsRefused) {
  ArrayRoot root{.element_size = kElement, .id = 9};
  EXPECT_TRUE(array_check_root(root, kPage).has_value());
  root.height = 1;
  EXPECT_EQ(array_check_root(root, kPage).error().code(), ErrorCode::kCorrupt);
  auto writer = world_.begin();
  ArrayWriter array(writer.get(), root);
  EXPECT_EQ(array.touch(0).error().code(), ErrorCode::kCorrupt);
}

// A root without a page, but with a first block of more pages than a block has, was taken for an
// empty array: the first element gave it a block that no array can have; found by the fuzzer of
// array tables.
TEST_F(DamagedArray, AFirstBlockOfAnArrayWithoutABlockIsRefused) {
  ArrayRoot root{.element_size = kElement, .id = 9, .block_pages = 2};
  EXPECT_TRUE(array_check_root(root, kPage).has_value());
  root.first_block_pages = 4;
  EXPECT_EQ(array_check_root(root, kPage).error().code(), ErrorCode::kCorrupt);
  root.block_pages = 0;
  EXPECT_EQ(array_check_root(root, kPage).error().code(), ErrorCode::kCorrupt);
  auto writer = world_.begin();
  ArrayWriter array(writer.get(), root);
  EXPECT_EQ(array.touch(0).error().code(), ErrorCode::kCorrupt);
}

TEST_F(DamagedArray, VisitingThePointersOfAPageThatIsNoTableIsRefused) {
  const auto visit = [](const ArrayChildRef&) -> Status { return {}; };
  for (const std::size_t offset : {0, 1, 3}) {  // kind, level, slots
    ByteVector page(table(0), table(0) + kPage);
    page[offset] = std::byte{0xEE};
    EXPECT_EQ(array_for_each_pointer(page, visit).error().code(), ErrorCode::kCorrupt);
  }
}

TEST_F(DamagedArray, AskedForWhatCannotBeItSaysSo) {
  const auto stop = [](const ArrayChildRef&) -> Status {
    return fail(ErrorCode::kCancelled, "enough");
  };
  ByteVector page(table(0), table(0) + kPage);
  EXPECT_EQ(array_for_each_pointer(page, stop).error().code(), ErrorCode::kCancelled);
  ArrayView view(world_.file_reader(), root_);
  EXPECT_EQ(view.take_error().code(), ErrorCode::kInvalid);  // no call has failed
  EXPECT_EQ(view.at(kSize), nullptr);
  EXPECT_EQ(view.take_error().code(), ErrorCode::kInvalid);
  ArrayRoot unsound = root_;
  unsound.height = 9;
  ArrayView none(world_.file_reader(), unsound);
  EXPECT_EQ(none.at(kSize), nullptr);
  EXPECT_EQ(none.at(kSize), nullptr);
  EXPECT_EQ(none.take_error().code(), ErrorCode::kCorrupt);
  auto writer = world_.begin();
  ArrayRoot rootless{.root = root_.root, .size = 0, .element_size = kElement, .block_pages = 0};
  ArrayWriter array(writer.get(), rootless);
  EXPECT_FALSE(array.get(0).has_value());
  EXPECT_EQ(array_block_pages(0, kPage), 1u);
  const ArrayGeometry geometry(root_, kPage);
  EXPECT_EQ(geometry.count_in(3, 0), 0u);
  EXPECT_GE(geometry.blocks_per_slot(40), std::uint64_t{1} << 50);
}

}  // namespace
}  // namespace quire
