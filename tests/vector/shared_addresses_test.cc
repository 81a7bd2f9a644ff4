// Snapshots of a process that writes share the addresses of blocks, while frames come and go: each
// reads its own state all the same.
#include <atomic>
#include <thread>

#include "tests/vector/hnsw_world.h"

namespace quire {
namespace {

using namespace test;

constexpr std::int64_t kShared = 120;       // records
constexpr std::uint32_t kSharedWidth = 64;  // dimensions: two vectors to a page of 512 bytes

// A vector that says which version it is of.
ByteVector of_version(std::uint64_t version) {
  ByteVector bytes(kSharedWidth * 4);
  for (std::uint32_t i = 0; i < kSharedWidth; ++i) {
    const auto value = static_cast<float>(version);
    std::memcpy(bytes.data() + 4UL * i, &value, 4);
  }
  return bytes;
}

// All of a snapshot are of one version: which. Each is read twice, as a search comes back to it.
std::uint64_t version_of(View& view, const Collection& items) {
  const ArrayRoot root = must(view.array_root(items.definition().vectors[0]));
  std::uint64_t version = 0;
  for (int round = 0; round < 2; ++round) {
    ArrayView vectors(view.reader(), root);
    for (std::uint64_t i = 0; i < root.size; ++i) {
      const std::byte* at = vectors.at(i);
      if (at == nullptr) {
        ADD_FAILURE() << vectors.take_error().message();
        return 0;
      }
      float value = 0;
      std::memcpy(&value, at, 4);
      if (i == 0 && round == 0) version = static_cast<std::uint64_t>(value);
      EXPECT_TRUE(equal_bytes({at, kSharedWidth * 4}, of_version(version))) << i;
      if (testing::Test::HasFailure()) return version;
    }
  }
  return version;
}

TEST(SharedAddresses, OfFramesThatComeAndGo) {
  HnswWorld world({.maker = {FieldType::kVectorF32, kSharedWidth},
                   .page_size = 512,
                   .background = true,
                   .indexed = false});
  const auto put_all = [&](std::uint64_t version) {
    for (std::int64_t id = 0; id < kShared; ++id) world.put(id, of_version(version));
    world.commit();
  };
  put_all(1);
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader)
    readers.emplace_back([&, reader] {
      std::uint64_t newest = 0;
      std::unique_ptr<Snapshot> held;
      std::uint64_t held_version = 0;
      for (int round = 0; !done; ++round) {
        auto snapshot = must(world.database().begin_read());
        const std::uint64_t version = version_of(*snapshot, world.items());
        EXPECT_GE(version, newest);
        newest = version;
        if (held != nullptr) {
          EXPECT_EQ(version_of(*held, world.items()), held_version);
        }
        if (testing::Test::HasFailure()) return;
        if (round % (3 + reader) != 0) continue;
        held = std::move(snapshot);
        held_version = version;
      }
    });
  for (std::uint64_t version = 2; version < 60 && !testing::Test::HasFailure(); ++version) {
    put_all(version);
    // Frames are retired.
    if (version % 3 == 0) {
      EXPECT_TRUE(world.database().checkpoint());
    }
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  world.check();
}

}  // namespace
}  // namespace quire
