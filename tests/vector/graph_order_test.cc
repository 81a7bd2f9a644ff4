// The order of vectors for a bulk build: each once, near ones near one another, the same each time.
#include "index/vector/hnsw/graph_order.h"

#include <atomic>
#include <numeric>
#include <thread>

#include "index/vector/hnsw/share_out.h"
#include "tests/vector/graph_world.h"

namespace quire::hnsw {
namespace {

Result<std::vector<std::uint32_t>> order_of(
    const Vectors& vectors, unsigned threads,
    const std::function<Status()>& report = [] { return Status(); }) {
  GraphWorld world(vectors.dimension, {});
  world.train(vectors);
  const CodeMetric metric = world.metric();
  return order_near({.count = vectors.count(),
                     .metric = metric,
                     .code_bytes = vectors.dimension,
                     .encode =
                         [&](std::size_t i, std::byte* code) {
                           world.quantizer().encode(vectors.row(i), code);
                           return Status();
                         },
                     .threads = threads,
                     .report = report});
}

bool is_permutation(std::vector<std::uint32_t> order) {
  std::ranges::sort(order);
  for (std::uint32_t i = 0; i < order.size(); ++i)
    if (order[i] != i) return false;
  return true;
}

TEST(GraphOrder, HasEachOnceWhateverTheirNumber) {
  for (const std::size_t count : {1, 2, 1000, 1023, 1024, 1025, 5000}) {
    const Vectors vectors = normal_vectors(count, 8, 1);
    const auto order = order_of(vectors, 4);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->size(), count);
    EXPECT_TRUE(is_permutation(*order)) << count;
  }
}

TEST(GraphOrder, BringsTogetherWhatIsNear) {
  // Each of 40 clusters all over the numbers.
  Vectors vectors = normal_vectors(8000, 12, 2);
  const Vectors centres = normal_vectors(40, 12, 3);
  for (std::size_t i = 0; i < 8000; ++i)
    for (std::uint32_t d = 0; d < 12; ++d)
      vectors.values[i * 12 + d] += 20 * centres.row(i % 40)[d];
  const auto order = order_of(vectors, 3);
  ASSERT_TRUE(order);
  ASSERT_TRUE(is_permutation(*order));
  std::size_t changes = 0;
  for (std::size_t i = 1; i < 8000; ++i)
    changes += (*order)[i] % 40 != (*order)[i - 1] % 40 ? 1 : 0;
  EXPECT_LE(changes, 500u) << "all 7,999 in their own order";
}

TEST(GraphOrder, ByOneThreadIsTheSameEachTime) {
  const Vectors vectors = normal_vectors(4000, 8, 4);
  EXPECT_EQ(*order_of(vectors, 1), *order_of(vectors, 1));
}

TEST(GraphOrder, OfEqualVectorsIsOne) {
  const Vectors same{6, std::vector<float>(3000 * 6, 0.25F)};
  const auto order = order_of(same, 2);
  ASSERT_TRUE(order);
  EXPECT_TRUE(is_permutation(*order));
}

TEST(GraphOrder, EndsWithTheErrorOfAReport) {
  const Vectors vectors = normal_vectors(4000, 8, 5);
  for (const int most : {0, 1, 2}) {
    int left = most;
    const auto order = order_of(vectors, 4, [&]() -> Status {
      if (left-- > 0) return {};
      return fail(ErrorCode::kCancelled, "enough");
    });
    ASSERT_FALSE(order);
    EXPECT_EQ(order.error().message(), "enough");
  }
}

// ---------------------------------------------------------------- threads

TEST(ShareOut, DoesEachPieceOnce) {
  for (const unsigned threads : {1U, 2U, 7U}) {
    for (const std::size_t count : {0, 1, 63, 64, 65, 10'000}) {
      std::vector<std::atomic<int>> done(count + 5);
      EXPECT_TRUE(share_out({.first = 5,
                             .end = count + 5,
                             .threads = threads,
                             .make_worker = [&]() -> Worker {
                               return [&](std::size_t i) {
                                 ++done[i];
                                 return Status();
                               };
                             },
                             .report = [](std::uint64_t) { return Status(); }}));
      for (std::size_t i = 0; i < done.size(); ++i) ASSERT_EQ(done[i], i < 5 ? 0 : 1);
    }
  }
}

// The caller's thread comes to its first piece when the other has done them all.
TEST(ShareOut, ReportsBeginningAndEndWhoeverDoesThePieces) {
  constexpr std::size_t kEnd = 5000;
  std::atomic<std::size_t> done{0};
  std::vector<std::uint64_t> reports;
  const auto caller = std::this_thread::get_id();
  ASSERT_TRUE(share_out({.first = 10,
                         .end = kEnd,
                         .threads = 2,
                         .make_worker = [&]() -> Worker {
                           if (std::this_thread::get_id() == caller)
                             while (done < kEnd - 10) std::this_thread::yield();
                           return [&](std::size_t) {
                             ++done;
                             return Status();
                           };
                         },
                         .report =
                             [&](std::uint64_t count) {
                               reports.push_back(count);
                               return Status();
                             }}));
  EXPECT_EQ(reports, (std::vector<std::uint64_t>{10, kEnd}));
}

TEST(ShareOut, EndsWithTheErrorOfAnyReport) {
  for (const std::size_t end : {0, 1, 10'000}) {
    for (const bool throws : {false, true}) {
      const Status done =
          share_out({.end = end,
                     .threads = 2,
                     .make_worker = []() -> Worker { return [](std::size_t) { return Status(); }; },
                     .report = [&](std::uint64_t count) -> Status {
                       if (count < end) return {};
                       if (throws) throw std::bad_alloc();
                       return fail(ErrorCode::kCancelled, "enough");
                     }});
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().code(), throws ? ErrorCode::kNoMemory : ErrorCode::kCancelled);
    }
  }
}

TEST(ShareOut, EndsWithTheFirstErrorOfAnyThread) {
  for (const bool throws : {false, true}) {
    std::atomic<int> pieces{0};
    const Status done = share_out({.end = 1'000'000,
                                   .threads = 4,
                                   .make_worker = [&]() -> Worker {
                                     return [&](std::size_t i) -> Status {
                                       ++pieces;
                                       if (i < 2000) return {};
                                       if (throws) throw std::bad_alloc();
                                       return fail(ErrorCode::kCorrupt, "piece");
                                     };
                                   },
                                   .report = [](std::uint64_t) { return Status(); }});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), throws ? ErrorCode::kNoMemory : ErrorCode::kCorrupt);
    EXPECT_LT(pieces, 500'000);
  }
}

TEST(ShareOut, EndsWhereAWorkerCannotBeMade) {
  std::atomic<int> made{0};
  const Status done = share_out({.end = 100'000,
                                 .threads = 4,
                                 .make_worker = [&]() -> Worker {
                                   if (++made == 3) throw std::bad_alloc();
                                   return [](std::size_t) { return Status(); };
                                 },
                                 .report = [](std::uint64_t) { return Status(); }});
  if (made >= 3) {
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), ErrorCode::kNoMemory);
  }
}

}  // namespace
}  // namespace quire::hnsw
