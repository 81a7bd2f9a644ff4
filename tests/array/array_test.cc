#include "engine/array/array.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/array/array_append.h"
#include "engine/array/array_format.h"
#include "tests/array/array_world.h"

namespace quire {
namespace {

ByteVector element_of(std::uint32_t size, std::uint64_t seed) {
  ByteVector bytes(size);
  for (std::uint32_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::byte>((seed + 1) * 0x9E3779B97F4A7C15ULL >> (8 * (i % 8)) ^ i);
  return bytes;
}

TEST(ArrayBlockPages, WasteIsUnderFivePercentWhereverABlockOf64KiBCanDoThat) {
  for (const std::uint32_t page_size : {512u, 4096u, 65536u}) {
    for (std::uint32_t element = 1; element <= 65536; element += element < 5000 ? 1 : 97) {
      const PageNumber pages = array_block_pages(element, page_size);
      const std::uint64_t bytes = std::uint64_t{pages} * page_size;
      ASSERT_GE(bytes, element);
      ASSERT_LE(bytes, 65536u);
      const auto waste = [&](std::uint64_t of) {
        return static_cast<double>(of % element) / static_cast<double>(of);
      };
      if (waste(bytes) < 0.05) continue;
      ASSERT_GT(element * 20, 65536u) << "a block of 64 KiB would waste less";
      for (std::uint64_t other = page_size; other <= 65536; other += page_size) {
        ASSERT_TRUE(other < element || waste(other) >= waste(bytes)) << element;
      }
    }
  }
}

TEST(ArrayBlockPages, AreFewForSmallElementsAndHoldOneLargeElement) {
  EXPECT_EQ(array_block_pages(128, 4096), 1u);
  EXPECT_EQ(array_block_pages(512, 4096), 1u);
  EXPECT_EQ(array_block_pages(3136, 4096), 4u);
  EXPECT_EQ(array_block_pages(70000, 4096), 18u);
  EXPECT_EQ(array_block_pages(70000, 512), 137u);
}

// Geometry of an array: what makes the tests reach each height.
struct Shape {
  std::uint32_t page_size;
  std::uint32_t element_size;
  std::uint64_t elements;      // largest index in the random test
  PageNumber block_pages = 0;  // 0: as array_block_pages() says

  ArrayRoot empty() const {
    return {.element_size = element_size, .block_pages = block_pages, .id = 77};
  }
};

class ArrayOf : public testing::TestWithParam<Shape> {};

std::string shape_name(const testing::TestParamInfo<Shape>& shape) {
  return "pages_of_" + std::to_string(shape.param.page_size) + "_elements_of_" +
         std::to_string(shape.param.element_size) +
         (shape.param.block_pages == 0 ? ""
                                       : "_blocks_of_" + std::to_string(shape.param.block_pages));
}

// Random operations against a vector, with savepoints, aborts, publication and old snapshots.
class ArrayRun {
 public:
  ArrayRun(const Shape& shape, unsigned seed)
      : shape_(shape),
        random_(seed),
        world_(shape.page_size),
        model_{shape.element_size, {}},
        committed_model_(model_) {
    committed_ = shape.empty();
    begin();
  }

  void step() {
    switch (random_() % 64) {
      case 0:
        return commit();
      case 1:
        if (random_() % 4 == 0) return abort();
        return;
      case 2:
        return mark();
      case 3:
        return rollback();
      case 4:
        return release();
      case 5:
        if (random_() % 4 == 0) return clear();
        return truncate();
      case 6:
        return truncate();
      case 7:
        return append();
      default:
        return random_() % 2 == 0 ? get() : change();
    }
  }

  // Commits, lets go of every old snapshot, and expects each page to be in use or free.
  void finish() {
    while (!marks_.empty()) release();
    commit();
    if (testing::Test::HasFatalFailure()) return;
    snapshots_.erase(snapshots_.begin(), std::prev(snapshots_.end()));
    writer_.reset();
    world_.sweep(live());
    const std::uint64_t used = expect_sound(world_.reader(), committed_);
    EXPECT_EQ(used + world_.space().free_pages(), world_.space().page_count() - kFirstPage);
    EXPECT_TRUE(world_.space().check_invariants());
  }

  unsigned highest() const { return highest_; }

 private:
  struct Snapshot {
    TxnNumber txn;
    ArrayRoot array;
    ArrayModel model;
  };
  struct Savepoint {
    std::size_t mark;
    ArrayRoot array;
    ArrayModel model;
  };

  void begin() {
    writer_ = world_.begin();
    array_ = std::make_unique<ArrayWriter>(writer_.get(), committed_);
    model_ = committed_model_;
  }
  LiveSet live() const {
    LiveSet live;
    for (const Snapshot& snapshot : snapshots_) live.push_back(snapshot.txn);
    return live;
  }

  std::uint64_t some_index() {
    const std::uint64_t size = model_.size();
    switch (random_() % 8) {
      case 0:  // anywhere, often far behind the end
        return random_() % shape_.elements;
      case 1:
        return size + random_() % 4;
      case 2:
      case 3:
      case 4:
        return size < shape_.elements ? size : random_() % size;
      default:
        return size == 0 ? 0 : random_() % size;
    }
  }

  void change() {
    const std::uint64_t i = some_index();
    const ByteVector element = element_of(shape_.element_size, random_());
    if (random_() % 2 == 0) {
      ASSERT_TRUE(array_->set(i, element).has_value());
    } else {
      const bool grows = i >= model_.size();
      auto bytes = array_->touch(i);
      ASSERT_TRUE(bytes.has_value()) << bytes.error().message();
      if (grows) {
        for (std::uint32_t b = 0; b < shape_.element_size; ++b)
          ASSERT_EQ((*bytes)[b], std::byte{0}) << "a new element is not zero";
      } else {
        ASSERT_TRUE(equal_bytes({*bytes, shape_.element_size}, model_.element(i)));
      }
      std::copy(element.begin(), element.end(), *bytes);
    }
    model_.set(i, element);
    last_ = i;
    ASSERT_EQ(array_->root().size, model_.size());
    highest_ = std::max<unsigned>(highest_, array_->root().height);
  }

  // Some pieces, and what makes none at either end.
  void append() {
    ArrayRoot root = array_->root();
    const std::uint64_t block_bytes = std::uint64_t{root.block_pages} * shape_.page_size;
    const std::uint64_t per_block = ArrayGeometry(root, shape_.page_size).per_block();
    const std::uint64_t blocks = 1 + random_() % 4;
    if (model_.size() + 4 * blocks * per_block > shape_.elements) return;
    const std::uint64_t count = random_() % (3 * blocks * per_block);
    ArrayAppender appender(*array_, count, blocks * block_bytes);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto bytes = appender.next();
      ASSERT_TRUE(bytes.has_value()) << bytes.error().message();
      for (std::uint32_t b = 0; b < shape_.element_size; ++b)
        ASSERT_EQ((*bytes)[b], std::byte{0}) << "a new element is not zero";
      const ByteVector element = element_of(shape_.element_size, random_());
      std::copy(element.begin(), element.end(), *bytes);
      model_.set(model_.size(), element);
    }
    ASSERT_TRUE(appender.finish().has_value());
    last_ = 0;
    expect_same();
    highest_ = std::max<unsigned>(highest_, array_->root().height);
  }

  void get() {
    if (model_.size() == 0) return;
    // Half of them where the last change was, which the writer remembers.
    const std::uint64_t i = (random_() % 2 == 0 ? last_ : random_()) % model_.size();
    const auto bytes = array_->get(i);
    ASSERT_TRUE(bytes.has_value()) << bytes.error().message();
    ASSERT_TRUE(equal_bytes(*bytes, model_.element(i))) << "element " << i;
  }

  void truncate() {
    const std::uint64_t to = random_() % (model_.size() + 2);
    ASSERT_TRUE(array_->truncate(to).has_value());
    model_.truncate(to);
    expect_same();
  }
  void clear() {
    ASSERT_TRUE(array_->clear().has_value());
    model_.truncate(0);
    expect_same();
  }

  void mark() {
    if (marks_.size() < 3) marks_.push_back({writer_->mark(), array_->root(), model_});
  }
  void rollback() {
    if (marks_.empty()) return;
    const std::size_t to = random_() % marks_.size();
    marks_.resize(to + 1);
    writer_->rollback(marks_[to].mark);
    array_->reset(marks_[to].array);
    model_ = marks_[to].model;
    expect_same();
  }
  void release() {
    if (marks_.empty()) return;
    const std::size_t from = random_() % marks_.size();
    writer_->release(marks_[from].mark);
    marks_.resize(from);
  }

  void expect_same() {
    expect_sound(writer_->reader(), array_->root());
    expect_view(writer_->reader(), array_->root(), model_);
  }

  void commit() {
    marks_.clear();
    expect_same();
    const TxnNumber txn = writer_->txn();
    committed_ = array_->root();
    committed_model_ = model_;
    if (snapshots_.size() >= 4)
      snapshots_.erase(snapshots_.begin() + static_cast<std::ptrdiff_t>(random_() % 3));
    LiveSet keep = live();
    keep.push_back(txn);
    world_.commit(*writer_, keep);
    world_.sweep(keep);
    const bool publish = random_() % 3 == 0;
    if (publish) committed_ = world_.publish(committed_);
    snapshots_.push_back({txn, committed_, committed_model_});
    if (publish) expect_view(world_.file_reader(), committed_, committed_model_);
    const Snapshot& old = snapshots_[random_() % snapshots_.size()];
    expect_sound(world_.reader(), old.array);
    expect_view(world_.reader(), old.array, old.model);
    begin();
  }
  void abort() {
    marks_.clear();
    writer_->abort();
    begin();
    expect_same();
  }

  Shape shape_;
  std::mt19937 random_;
  ArrayWorld world_;
  ArrayModel model_;
  ArrayModel committed_model_;
  ArrayRoot committed_;
  std::unique_ptr<PageWriter> writer_;
  std::unique_ptr<ArrayWriter> array_;
  std::vector<Savepoint> marks_;
  std::vector<Snapshot> snapshots_;
  std::uint64_t last_ = 0;  // index of the last change
  unsigned highest_ = 0;
};

TEST_P(ArrayOf, BehavesAsAVectorThroughSavepointsCommitsAndOldSnapshots) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    ArrayRun run(GetParam(), seed);
    for (int i = 0; i < 2000; ++i) {
      run.step();
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
    run.finish();
    ArrayRoot array = GetParam().empty();
    if (array.block_pages == 0)
      array.block_pages = array_block_pages(array.element_size, GetParam().page_size);
    const ArrayGeometry geometry(array, GetParam().page_size);
    EXPECT_GE(run.highest(), geometry.height_for(GetParam().elements / 2));
  }
}

TEST_P(ArrayOf, LosesNoPageWhenAppendedCutAndFilledAgain) {
  const auto& [page_size, element_size, elements, block_pages] = GetParam();
  ArrayWorld world(page_size);
  auto writer = world.begin();
  ArrayWriter array(writer.get(), GetParam().empty());
  ArrayModel model{element_size, {}};
  const std::uint64_t count = std::min<std::uint64_t>(elements, 3000);
  for (const std::uint64_t cut :
       {count / 2, std::uint64_t{3}, std::uint64_t{1}, std::uint64_t{0}}) {
    for (std::uint64_t i = model.size(); i < count; ++i) {
      const ByteVector element = element_of(element_size, i * 3 + cut);
      ASSERT_TRUE(array.set(i, element).has_value());
      model.set(i, element);
    }
    expect_sound(writer->reader(), array.root());
    expect_view(writer->reader(), array.root(), model);
    ASSERT_TRUE(array.truncate(cut).has_value());
    model.truncate(cut);
    expect_sound(writer->reader(), array.root());
    expect_view(writer->reader(), array.root(), model);
  }
  EXPECT_FALSE(array.root().root);
  EXPECT_EQ(array.root().height, 0);
  writer->commit();
  EXPECT_EQ(world.space().free_pages(), world.space().page_count() - kFirstPage);
}

// Every operation, with 0, 1, 2 ... pages to be had: it fails and changes nothing, until it works.
TEST_P(ArrayOf, AFullFileLeavesTheArrayAsItWas) {
  const auto& [page_size, element_size, elements, block_pages] = GetParam();
  std::mt19937 random(5);
  for (int round = 0; round < 12; ++round) {
    ArrayWorld world(page_size);
    ArrayModel model{element_size, {}};
    ArrayRoot root = GetParam().empty();
    {
      auto writer = world.begin();
      ArrayWriter array(writer.get(), root);
      for (int i = 0; i < round * 2; ++i) {
        const std::uint64_t at = round % 4 < 2 ? model.size() : random() % elements;
        ASSERT_TRUE(array.set(at, element_of(element_size, at)).has_value());
        model.set(at, element_of(element_size, at));
      }
      root = array.root();
      world.commit(*writer, {writer->txn()});
    }
    auto writer = world.begin();
    ArrayWriter array(writer.get(), root);
    // In some rounds the last block is the transaction's already, and remembered.
    const bool remembered = round % 3 == 1;
    ASSERT_TRUE(!remembered || array.touch(model.size() - 1).has_value());
    if (round % 6 == 4) writer->mark();  // and must be copied again
    std::vector<PageNumber> hoard;
    for (auto page = world.space().take(1); page; page = world.space().take(1))
      hoard.push_back(*page);
    std::sort(hoard.begin(), hoard.end(), std::greater<>());

    const std::uint64_t at = random() % 3 == 0 ? model.size() : random() % elements;
    const std::uint64_t cut = model.size() / 2;
    const bool truncates = round % 4 == 3;
    for (int pages = 0;; ++pages) {
      ASSERT_LT(pages, 2000);
      const Status status =
          truncates ? array.truncate(cut) : array.set(at, element_of(element_size, 99));
      if (status) break;
      ASSERT_EQ(status.error().code(), ErrorCode::kQuota) << status.error().message();
      if (pages % 8 < 2) {
        expect_sound(writer->reader(), array.root());
        expect_view(writer->reader(), array.root(), model);
      }
      for (std::uint64_t i = model.size(); i-- > 0 && i + 20 > model.size();)
        ASSERT_TRUE(equal_bytes(array.get(i).value(), model.element(i)));
      world.space().give_back({hoard.back(), 1});
      hoard.pop_back();
    }
    if (truncates) {
      model.truncate(cut);
    } else {
      model.set(at, element_of(element_size, 99));
    }
    expect_sound(writer->reader(), array.root());
    expect_view(writer->reader(), array.root(), model);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ArrayOf,
                         testing::Values(Shape{512, 1, 300'000}, Shape{512, 4, 60'000},
                                         Shape{512, 100, 9'000}, Shape{512, 512, 900},
                                         Shape{512, 3136, 300}, Shape{512, 70'000, 30},
                                         Shape{512, 100, 9'000, 8}, Shape{4096, 4, 300'000, 11},
                                         Shape{4096, 1, 400'000}, Shape{4096, 4, 200'000},
                                         Shape{4096, 100, 9'000}, Shape{4096, 512, 2'000},
                                         Shape{4096, 3136, 400}, Shape{4096, 70'000, 30}),
                         shape_name);

// As many as there is room for are appended whatever the pages are that are to be had.
TEST(ArrayAppender, WhereThereIsNoRoomForAPieceItsBlocksAreAppendedOneByOne) {
  constexpr std::uint32_t kPage = 512;
  for (PageNumber hole = 1; hole <= 40; ++hole) {
    ArrayWorld world(kPage);
    // Holes of so many pages, up to the quota.
    std::vector<PageNumber> all;
    for (auto page = world.space().take(1); page; page = world.space().take(1))
      all.push_back(*page);
    for (std::size_t i = 0; i < 2000; ++i)
      if (i % (hole + 1) != 0) world.space().give_back({all[i], 1});
    auto writer = world.begin();
    ArrayWriter array(writer.get(), {.element_size = 100, .block_pages = 4, .id = 7});
    ArrayModel model{100, {}};
    ArrayAppender appender(array, 2000, 16 * kPage);
    for (int i = 0; i < 2000; ++i) {
      const auto bytes = appender.next();
      if (hole < 4 && !bytes) break;  // for not even a block
      ASSERT_TRUE(bytes.has_value()) << bytes.error().message();
      const ByteVector element = element_of(100, static_cast<std::uint64_t>(i));
      std::copy(element.begin(), element.end(), *bytes);
      model.set(model.size(), element);
    }
    if (hole < 4) continue;
    ASSERT_TRUE(appender.finish());
    expect_sound(writer->reader(), array.root());
    expect_view(writer->reader(), array.root(), model);
    writer->abort();
    EXPECT_TRUE(world.space().check_invariants());
  }
}

TEST(ArrayAppender, PiecesLieTogetherInTheFileAndNotInMemory) {
  ArrayWorld world(4096);
  auto writer = world.begin();
  ArrayWriter array(writer.get(), {.element_size = 128, .block_pages = 16, .id = 7});
  const std::uint64_t per_piece = kArrayPieceBytes / 128;
  const std::uint64_t count = 3 * per_piece + 100;
  ArrayAppender appender(array, count);
  ArrayModel model{128, {}};
  for (std::uint64_t i = 0; i < count; ++i) {
    std::byte* const element = appender.next().value();
    store_le(element, i);
    model.set(i, {element, 128});
  }
  ASSERT_TRUE(appender.finish());
  EXPECT_LE(writer->private_bytes(), 200'000u);
  const ArrayRoot root = world.publish(array.root());
  world.commit(*writer, {writer->txn()});
  expect_view(world.file_reader(), root, model);
  ArrayView view(world.file_reader(), root);
  for (std::uint64_t piece = 0; piece < 3; ++piece) {
    const std::byte* const first = view.at(piece * per_piece);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % kArrayPieceBytes, 0u);
    EXPECT_EQ(view.at((piece + 1) * per_piece - 1) - first,
              static_cast<std::ptrdiff_t>(kArrayPieceBytes - 128));
  }
}

TEST(ArrayAppender, RefusesBlocksThatAreNone) {
  ArrayWorld world(512);
  auto writer = world.begin();
  ArrayWriter array(writer.get(), {.element_size = 100, .block_pages = 2, .id = 7});
  EXPECT_EQ(array.append_blocks(ByteVector(1000)).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(array.append_blocks({}).error().code(), ErrorCode::kInvalid);
  ASSERT_TRUE(array.set(0, ByteVector(100)));
  EXPECT_EQ(array.append_blocks(ByteVector(1024)).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(array.root().size, 1u);
}

TEST(Array, IsSmallWhileItHasFewElements) {
  ArrayWorld world(4096);
  auto writer = world.begin();
  ArrayRoot root{.element_size = 100};
  root.block_pages = 16;
  ArrayWriter array(writer.get(), root);
  const auto pages_with = [&](std::uint64_t elements) {
    EXPECT_TRUE(array.touch(elements - 1).has_value());
    return expect_sound(writer->reader(), array.root());
  };
  EXPECT_EQ(pages_with(1), 1u);
  EXPECT_EQ(pages_with(40), 1u);
  EXPECT_EQ(pages_with(41), 2u);
  EXPECT_EQ(pages_with(82), 4u);
  EXPECT_EQ(pages_with(655), 16u);
  EXPECT_EQ(pages_with(656), 33u);  // two blocks and a table
}

TEST(Array, HolesTakeNoPagesAndReadAsZerosHoweverFarTheEnd) {
  ArrayWorld world(512);
  auto writer = world.begin();
  ArrayWriter array(writer.get(), ArrayRoot{.element_size = 100'000});
  ASSERT_TRUE(array.set(2, element_of(100'000, 1)).has_value());
  const std::uint64_t far = kMaxArraySize - 1;
  ASSERT_TRUE(array.set(far, element_of(100'000, 2)).has_value());
  EXPECT_EQ(array.root().size, kMaxArraySize);
  EXPECT_EQ(array.root().root.count, 2u);
  EXPECT_EQ(array.root().height, kMaxArrayHeight);
  EXPECT_EQ(expect_sound(writer->reader(), array.root()), 2 * 196u + 2 * kMaxArrayHeight - 1);

  ArrayView view(writer->reader(), array.root());
  const ByteVector zeros(100'000);
  for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{3}, far / 2, far - 1}) {
    ASSERT_TRUE(equal_bytes({view.at(i), 100'000}, zeros));
    ASSERT_TRUE(equal_bytes(array.get(i).value(), zeros));
  }
  ASSERT_TRUE(equal_bytes({view.at(far), 100'000}, element_of(100'000, 2)));
  EXPECT_EQ(array.set(kMaxArraySize, zeros).error().code(), ErrorCode::kTooLarge);

  ASSERT_TRUE(array.truncate(2).has_value());  // only a hole is left
  EXPECT_FALSE(array.root().root);
  EXPECT_EQ(array.root().size, 2u);
  expect_view(writer->reader(), array.root(), ArrayModel{100'000, ByteVector(200'000)});
}

TEST(Array, RefusesWhatCannotBe) {
  ArrayWorld world(4096);
  auto writer = world.begin();
  ArrayWriter array(writer.get(), ArrayRoot{.element_size = 8});
  EXPECT_EQ(array.set(0, element_of(7, 1)).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(array.get(0).error().code(), ErrorCode::kInvalid);
  EXPECT_TRUE(array.truncate(10).has_value());
  EXPECT_EQ(array.root().size, 0u);
  ASSERT_TRUE(array.set(5, element_of(8, 1)).has_value());
  ArrayView view(writer->reader(), array.root());
  EXPECT_EQ(view.piece(6).data, nullptr);
  EXPECT_EQ(view.take_error().code(), ErrorCode::kInvalid);
}

TEST(Array, AViewOfOneNeverWrittenIsEmpty) {
  ArrayWorld world(4096);
  ArrayView view(world.reader(), ArrayRoot{.element_size = 8});
  EXPECT_EQ(view.size(), 0u);
  EXPECT_EQ(view.at(0), nullptr);
  EXPECT_EQ(ArrayView().at(0), nullptr);
}

TEST(Array, WritesOfACommittedStateGoToOtherPages) {
  ArrayWorld world(4096);
  ArrayModel model{512, {}};
  ArrayRoot root{.element_size = 512};
  {
    auto writer = world.begin();
    ArrayWriter array(writer.get(), root);
    for (std::uint64_t i = 0; i < 50; ++i) {
      model.set(i, element_of(512, i));
      ASSERT_TRUE(array.set(i, element_of(512, i)).has_value());
    }
    root = array.root();
    world.commit(*writer, {1});
  }
  auto writer = world.begin();
  ArrayWriter array(writer.get(), root);
  for (std::uint64_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(array.set(i, element_of(512, 1000 + i)).has_value());
    expect_view(writer->reader(), root, model);
  }
}

}  // namespace
}  // namespace quire
