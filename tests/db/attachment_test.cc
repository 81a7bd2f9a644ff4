// The lock file by itself: whose it is, its places and its table of readers, also with nonsense in
// it.
#include "engine/txn/attachment.h"

#include <gtest/gtest.h>

#include <cstring>

#include "engine/io/simulated_disk.h"
#include "tests/db/state.h"

namespace quire::test {
namespace {

class Lock : public testing::Test {
 protected:
  Lock() {
    identity_.database = {1, 2};
    identity_.page_size = 4096;
    identity_.boot = {3, 4};
    must(disk_.open("/data", io::OpenMode::kCreate));
    data_ = must(disk_.open("/data", io::OpenMode::kReadWrite));
    identity_.data = must(data_->identity());
  }
  Result<std::unique_ptr<Attachment>> join(bool may_create = true) {
    return Attachment::join(disk_, *data_, "/lock", identity_, false, may_create);
  }
  // As another process: with locks of its own.
  struct Other {
    std::unique_ptr<io::File> locks;
    std::unique_ptr<Attachment> attachment;
    ~Other() { attachment.reset(); }
  };
  std::unique_ptr<Other> join_as_other() {
    auto other = std::make_unique<Other>();
    other->locks = must(disk_.open("/data", io::OpenMode::kReadWrite));
    other->attachment =
        must(Attachment::join(disk_, *other->locks, "/lock", identity_, false, true));
    return other;
  }
  void write(std::uint64_t offset, Bytes bytes) {
    must(must(disk_.open("/lock", io::OpenMode::kReadWrite))->write(offset, bytes));
  }

  io::SimulatedDisk disk_;
  std::unique_ptr<io::File> data_;
  LockIdentity identity_;
};

TEST_F(Lock, OfAnotherDatabaseDiskOrBootIsMadeAnew) {
  EXPECT_TRUE(must(join())->fresh());
  EXPECT_FALSE(must(join())->fresh());
  const auto other_with = [&](const std::function<void(LockIdentity&)>& change) {
    const LockIdentity before = identity_;
    change(identity_);
    EXPECT_EQ(code_of(join(false)), ErrorCode::kNeedsRecovery);
    EXPECT_TRUE(must(join())->fresh());
    identity_ = before;
    EXPECT_TRUE(must(join())->fresh());
  };
  other_with([](LockIdentity& identity) { identity.database[0] = 9; });
  other_with([](LockIdentity& identity) { identity.database[1] = 9; });
  other_with([](LockIdentity& identity) { identity.page_size = 512; });
  other_with([](LockIdentity& identity) { identity.boot[0] = 9; });
  other_with([](LockIdentity& identity) { identity.boot[1] = 9; });
  other_with([](LockIdentity& identity) { identity.data.device += 1; });
  other_with([](LockIdentity& identity) { identity.data.inode += 1; });
}

TEST_F(Lock, ThatIsDamagedIsMadeAnewUnlessSomebodyHasIt) {
  const auto spoil = [&](std::uint64_t offset, std::size_t size) {
    write(offset, ByteVector(size, std::byte{0xAB}));
  };
  for (const std::uint64_t offset : {offsetof(LockHeader, magic), offsetof(LockHeader, version),
                                     offsetof(LockHeader, slot_capacity)}) {
    must(join());
    spoil(offset, 4);
    EXPECT_TRUE(must(join())->fresh()) << offset;
  }
  must(must(disk_.open("/lock", io::OpenMode::kReadWrite))->resize(100));
  EXPECT_TRUE(must(join())->fresh());
  const auto other = join_as_other();
  spoil(0, 8);
  EXPECT_EQ(code_of(join()), ErrorCode::kLockLost);
}

TEST_F(Lock, NonsenseInTheTablesPinsNothingForEver) {
  const auto mine = must(join());
  {
    const auto other = join_as_other();
    ReaderSlot& slot = *must(other->attachment->free_slot());
    slot.txn.store(7);
    slot.thread.store(1);
    EXPECT_EQ(mine->readers().size(), 1u);
    EXPECT_TRUE(mine->any_reader_before(8));
    // What a process may have left: nobody's slot, a claimed one, one of a place there is not.
    const OwnerWord owner = slot.owner.load();
    slot.owner.store(0);
    EXPECT_TRUE(mine->readers().empty());
    slot.owner.store((OwnerWord{1} << 16) | 60'000);
    EXPECT_TRUE(mine->readers().empty());
    slot.txn.store(kMaxTxn);
    EXPECT_TRUE(mine->readers().empty());
    EXPECT_FALSE(mine->any_reader_before(8));
    EXPECT_EQ(must(mine->bury_dead()), 1u);
    EXPECT_EQ(slot.txn.load(), 0u);
    // Of an earlier holder of a place that has another now.
    slot.txn.store(9);
    slot.owner.store(owner + (OwnerWord{1} << 16));
    EXPECT_EQ(must(mine->bury_dead()), 1u);
    EXPECT_FALSE(mine->any_reader_before(10));
    EXPECT_EQ(must(mine->bury_dead()), 0u);
    // Somebody opens the database: processes stay.
    ASSERT_TRUE(must(other->locks->try_lock(lock_range::kInit, 1, io::LockMode::kExclusive)));
    EXPECT_EQ(must(mine->bury_dead()), 0u);
  }
}

TEST_F(Lock, HasSoManyPlaces) {
  std::vector<std::unique_ptr<Other>> others;
  for (std::uint32_t i = 0; i < kMaxProcesses; ++i) others.push_back(join_as_other());
  const auto locks = must(disk_.open("/data", io::OpenMode::kReadWrite));
  const auto refused = Attachment::join(disk_, *locks, "/lock", identity_, false, true);
  EXPECT_EQ(code_of(refused), ErrorCode::kReadersFull);
  EXPECT_NE(words_of(refused).find("1024 processes"), std::string::npos) << words_of(refused);
  others.erase(others.begin() + 500);
  others.push_back(join_as_other());
}

TEST_F(Lock, HasSoManyReaders) {
  const auto mine = must(join());
  std::vector<ReaderSlot*> slots;
  for (;;) {
    const auto slot = mine->free_slot();
    if (!slot) {
      EXPECT_EQ(code_of(slot), ErrorCode::kReadersFull);
      EXPECT_NE(words_of(slot).find("65536 read transactions"), std::string::npos);
      break;
    }
    // As after registration: the table is looked through from its beginning otherwise.
    (*slot)->txn.store(5);
    slots.push_back(*slot);
    if (slots.size() == 100) {  // no need to look through all of it a thousand times
      mine->head().slot_capacity.store(65'536);
      must(must(disk_.open("/lock", io::OpenMode::kReadWrite))->resize(8 << 20));
      for (std::uint32_t i = 100; i < 65'536 - 5; ++i) {
        slots[0][i].owner.store(mine->owner());
        slots[0][i].txn.store(5);
      }
    }
  }
  EXPECT_EQ(slots.size(), 105u);
  slots[50]->txn.store(0);
  EXPECT_EQ(must(mine->free_slot()), slots[50]);
}

}  // namespace
}  // namespace quire::test
