// Addresses of blocks that snapshots share: whatever was kept before, a view reads what its own
// snapshot has.
#include <gtest/gtest.h>

#include <thread>

#include "engine/array/array_format.h"
#include "engine/array/block_addresses.h"
#include "tests/array/array_world.h"

namespace quire {
namespace {

constexpr std::uint32_t kSharedElement = 64;
constexpr std::uint32_t kSharedPage = 512;       // 8 elements to a block, 20 blocks to a table
constexpr std::uint64_t kSharedElements = 4000;  // three levels of tables

class SharedAddresses : public testing::Test {
 protected:
  // Element i of version v.
  static ByteVector element(std::uint64_t i, std::uint64_t version) {
    ByteVector bytes(kSharedElement);
    for (std::uint32_t at = 0; at < kSharedElement; at += 8)
      store_le<std::uint64_t>(bytes.data() + at, i * 1000 + version);
    return bytes;
  }
  ArrayRoot fill() {
    auto writer = world_.begin();
    ArrayWriter array(writer.get(), {.element_size = kSharedElement, .id = 5});
    for (std::uint64_t i = 0; i < kSharedElements; ++i) EXPECT_TRUE(array.set(i, element(i, 0)));
    world_.commit(*writer, live_);
    return array.root();
  }
  ArrayRoot change(const ArrayRoot& before, std::uint64_t every, std::uint64_t version) {
    auto writer = world_.begin();
    ArrayWriter array(writer.get(), before);
    for (std::uint64_t i = 0; i < kSharedElements; i += every)
      EXPECT_TRUE(array.set(i, element(i, version)));
    world_.commit(*writer, live_);
    return array.root();
  }
  ArrayView view(const ArrayRoot& root, PageReader reader, std::uint64_t generation = 0) {
    reader.lend({&cache_, generation});
    return ArrayView(reader, root);
  }
  // Each element has one of these two versions: the second where its number is a multiple.
  static void expect(ArrayView view, std::uint64_t old, std::uint64_t every,
                     std::uint64_t version) {
    for (std::uint64_t i = 0; i < kSharedElements; ++i) {
      const std::byte* at = view.at(i);
      ASSERT_NE(at, nullptr) << view.take_error().message();
      ASSERT_TRUE(equal_bytes({at, kSharedElement}, element(i, i % every == 0 ? version : old)))
          << i;
    }
  }

  ArrayWorld world_{kSharedPage};
  LiveSet live_;
  AddressCache cache_;
};

TEST_F(SharedAddresses, OfTheSameRootAreFoundOnce) {
  const ArrayRoot root = world_.publish(fill());
  expect(view(root, world_.file_reader()), 0, 1, 0);
  const std::size_t bytes = cache_.bytes();
  EXPECT_GT(bytes, kSharedElements / 8 * 8);
  expect(view(root, world_.file_reader()), 0, 1, 0);
  EXPECT_EQ(cache_.bytes(), bytes) << "nothing is found anew";
}

TEST_F(SharedAddresses, OfTablesThatStayedAreSharedByANewRoot) {
  const ArrayRoot first = world_.publish(fill());
  expect(view(first, world_.file_reader()), 0, 1, 0);
  const std::size_t bytes = cache_.bytes();
  live_ = {1};
  auto writer = world_.begin();
  ArrayWriter array(writer.get(), first);
  ASSERT_TRUE(array.set(9, element(9, 7)));
  world_.commit(*writer, live_);
  const ArrayRoot second = world_.publish(array.root());
  ArrayView later = view(second, world_.file_reader());
  for (std::uint64_t i = 0; i < kSharedElements; ++i)
    ASSERT_TRUE(equal_bytes({later.at(i), kSharedElement}, element(i, i == 9 ? 7 : 0))) << i;
  // One table of level 1, and the addresses of all tables: not each of them again.
  EXPECT_LT(cache_.bytes(), bytes + bytes / 4);
  expect(view(first, world_.file_reader()), 0, 1, 0);
}

TEST_F(SharedAddresses, PagesThatAreUsedAgainAreOthers) {
  ArrayRoot root = world_.publish(fill());
  expect(view(root, world_.file_reader()), 0, 1, 0);
  const PageNumber pages = world_.space().page_count();
  // Nobody is left at the states before: their pages are taken again and again.
  for (std::uint64_t version = 1; version <= 20; ++version) {
    live_ = {version};
    root = world_.publish(change(root, 1, version));
    world_.sweep({version + 1});
    expect(view(root, world_.file_reader()), 0, 1, version);
  }
  EXPECT_LT(world_.space().page_count(), 3 * pages) << "no page was used again";
}

// Frames that go: who comes behind looks again.
TEST_F(SharedAddresses, OfFramesAreGoodForTheirGenerationAndBefore) {
  const ArrayRoot root = fill();
  expect(view(root, world_.reader(), 1), 0, 1, 0);
  expect(view(root, world_.reader(), 1), 0, 1, 0);
  const std::size_t bytes = cache_.bytes();
  // Writes the pages, and gives the frames' memory to others: whoever still reads there sees it.
  const ArrayRoot written = world_.publish(root);
  EXPECT_EQ(world_.pool().used_bytes(), 0u);
  live_ = {1};
  const ArrayRoot later = change(written, 1, 9);
  EXPECT_GT(world_.pool().used_bytes(), 0u);
  // The root had no checksum before: to whoever kept addresses it is the same.
  expect(view(root, world_.reader(), 2), 0, 1, 0);
  expect(view(written, world_.file_reader(), 2), 0, 1, 0);
  expect(view(later, world_.reader(), 2), 0, 1, 9);
  EXPECT_GT(cache_.bytes(), bytes);
}

TEST_F(SharedAddresses, AreForgottenWhereThereAreTooMany) {
  AddressCache small(20'000);
  const ArrayRoot root = world_.publish(fill());
  for (int round = 0; round < 3; ++round) {
    PageReader reader = world_.file_reader();
    reader.lend({&small, 0});
    expect(ArrayView(reader, root), 0, 1, 0);
    EXPECT_LE(small.bytes(), 20'000u);
    EXPECT_GT(small.bytes(), 0u);
  }
}

TEST_F(SharedAddresses, ADamagedTableIsNotKept) {
  const ArrayRoot root = world_.publish(fill());
  ArrayRoot wrong = root;
  wrong.root.checksum ^= 1;
  ArrayView broken = view(wrong, world_.file_reader());
  EXPECT_EQ(broken.at(0), nullptr);
  EXPECT_EQ(broken.take_error().code(), ErrorCode::kCorrupt);
  expect(view(root, world_.file_reader()), 0, 1, 0);
  // Nor another's: the table says of which array it is.
  ArrayRoot other = root;
  other.id = 6;
  ArrayView foreign = view(other, world_.file_reader());
  EXPECT_EQ(foreign.at(0), nullptr);
  EXPECT_EQ(foreign.take_error().code(), ErrorCode::kCorrupt);
}

TEST_F(SharedAddresses, ManyThreadsFindThemTogether) {
  const ArrayRoot first = world_.publish(fill());
  live_ = {1};
  const ArrayRoot second = world_.publish(change(first, 3, 1));
  const PageReader reader = world_.file_reader();
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (unsigned round = 0; round < 6; ++round) {
        if ((thread + round) % 2 == 0) {
          expect(view(first, reader), 0, 1, 0);
        } else {
          expect(view(second, reader), 0, 3, 1);
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace quire
