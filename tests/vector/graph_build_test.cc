// Graphs that were linked in memory: as good as those that plans make, the same each time with one
// thread, whole with several, and left by errors without a thread running.
#include <atomic>
#include <set>

#include "index/vector/hnsw/graph_build.h"
#include "tests/vector/graph_world.h"

namespace quire::hnsw {
namespace {

const auto kSilent = [](std::uint64_t) { return Status(); };

struct Asked {
  unsigned threads = 1;
  std::function<Status(std::uint64_t)> report = kSilent;
};

// Links vectors behind those that the world has, all at once.
Status build(GraphWorld& world, const Vectors& vectors, const Asked& asked) {
  GraphView before = world.view();
  const Place first = before.end();
  const Place end = first + static_cast<Place>(vectors.count());
  GraphMemory memory(world.shape(), end);
  QUIRE_CHECK(memory.load(before));
  std::vector<Place> places;
  world.change([&](const GraphWriters& writers) {
    for (Place place = first; place < end; ++place) {
      const ByteVector code = world.code_of(vectors.row(place - first));
      ASSERT_TRUE(writers.codes->set(place, code));
      places.push_back(place);
    }
  });
  ArrayView codes(world.pages().reader(), world.roots().codes);
  QUIRE_CHECK(look_at_all(codes));
  const auto entry = build_graph({.memory = memory,
                                  .codes = MemoryCodes(codes),
                                  .metric = world.metric(),
                                  .entry = world.state().entry,
                                  .places = places,
                                  .threads = asked.threads,
                                  .report = asked.report});
  QUIRE_CHECK(entry);
  world.change([&](const GraphWriters& writers) {
    ASSERT_TRUE(memory.for_each_changed([&](unsigned level, Place place, Bytes list) {
      return level == 0 ? writers.lists->set(place, list)
                        : writers.upper->set(upper_slot(level, place), list);
    }));
    for (const Place place : places) world.set_use(place, PlaceUse::of_record(place - 1));
  });
  world.state().entry = *entry;
  ++world.state().generation;
  return {};
}

void expect_same(GraphWorld& one, GraphWorld& other) {
  EXPECT_EQ(one.state().entry, other.state().entry);
  GraphView a = one.view();
  GraphView b = other.view();
  ASSERT_EQ(a.end(), b.end());
  for (Place place = 1; place < a.end(); ++place)
    for (unsigned level = 0; level <= level_of(place, one.shape().seed); ++level)
      ASSERT_TRUE(equal_bytes({a.list(level, place), one.shape().list_bytes(level)},
                              {b.list(level, place), one.shape().list_bytes(level)}))
          << place << " at level " << level;
}

TEST(GraphBuild, IsAsGoodAsAGraphOfPlans) {
  const Vectors vectors = normal_vectors(5000, 24, 1);
  const Vectors queries = normal_vectors(200, 24, 2);
  GraphWorld plans(24, {});
  plans.insert(vectors, 250);
  GraphView of_plans = plans.view();
  for (const unsigned threads : {1U, 4U}) {
    GraphWorld world(24, {});
    world.train(vectors);
    ASSERT_TRUE(build(world, vectors, {.threads = threads}));
    GraphView view = world.view();
    for (const std::size_t ef : {40, 400})
      EXPECT_GE(recall_at_10(world, view, vectors, queries, ef),
                recall_at_10(plans, of_plans, vectors, queries, ef) - 0.015)
          << threads << " threads, ef " << ef;
    const GraphFigures figures = world.check();
    EXPECT_EQ(figures.nodes, 5000u);
    EXPECT_LE(figures.unreachable, 5u);
    EXPECT_GT(figures.edges, 5000u * 12);
  }
}

TEST(GraphBuild, OfClustersOneAfterTheOtherFindsThemAll) {
  const Vectors vectors = clustered_vectors(5000, 16, 50, 3);
  GraphWorld world(16, {});
  world.train(vectors);
  ASSERT_TRUE(build(world, vectors, {.threads = 3}));
  GraphView view = world.view();
  const Vectors queries = near_every_50th(vectors, 16, 4);
  EXPECT_GE(recall_at_10(world, view, vectors, queries, 100), 0.95);
  EXPECT_LE(world.check().unreachable, 25u);
}

TEST(GraphBuild, ByOneThreadIsTheSameEachTime) {
  const Vectors vectors = normal_vectors(2500, 8, 5);
  const GraphShape shape{.m = 6, .ef_construction = 40, .seed = 9};
  GraphWorld one(8, shape);
  GraphWorld other(8, shape);
  for (GraphWorld* world : {&one, &other}) {
    world->train(vectors);
    ASSERT_TRUE(build(*world, vectors, {}));
  }
  expect_same(one, other);
}

TEST(GraphBuild, OfAnyNumberOfNodesIsWhole) {
  for (const std::size_t nodes : {1, 2, 3, 15, 16, 17, 255, 256, 257, 1100}) {
    const Vectors vectors = normal_vectors(nodes, 4, 11);
    GraphWorld world(4, {.m = 4, .ef_construction = 20});
    world.train(vectors);
    ASSERT_TRUE(build(world, vectors, {.threads = 8}));
    EXPECT_EQ(world.check().nodes, nodes);
    unsigned top = 0;
    for (Place place = 1; place <= nodes; ++place) top = std::max(top, level_of(place, 0));
    EXPECT_EQ(level_of(world.state().entry, 0), top);
    GraphView view = world.view();
    EXPECT_EQ(world.search(view, vectors.row(0), 10).size(), std::min<std::size_t>(10, nodes));
  }
}

TEST(GraphBuild, OfEqualVectorsFindsAsManyAsAreAskedFor) {
  const Vectors same{6, std::vector<float>(1500 * 6, 0.25F)};
  GraphWorld world(6, {.m = 8, .ef_construction = 50});
  world.train(same);
  ASSERT_TRUE(build(world, same, {.threads = 4}));
  GraphView view = world.view();
  EXPECT_EQ(world.search(view, same.row(0), 10).size(), 10u);
  EXPECT_EQ(world.check().nodes, 1500u);
}

TEST(GraphBuild, EveryNumberOfNeighboursWorks) {
  const Vectors vectors = normal_vectors(1500, 8, 13);
  for (const std::uint32_t m : {kLeastM, 5U, 33U, kMostM}) {
    GraphWorld world(8, {.m = m, .ef_construction = std::max(m, 50U)});
    world.train(vectors);
    ASSERT_TRUE(build(world, vectors, {.threads = 4}));
    GraphView view = world.view();
    EXPECT_GE(recall_at_10(world, view, vectors, normal_vectors(20, 8, 14), 200), 0.9) << m;
    EXPECT_EQ(world.check().nodes, 1500u);
  }
}

TEST(GraphBuild, GoesOnWithAGraphThatIsThere) {
  const Vectors vectors = normal_vectors(6000, 16, 15);
  const Vectors first{16, {vectors.values.begin(), vectors.values.begin() + 2000L * 16}};
  const Vectors rest{16, {vectors.values.begin() + 2000L * 16, vectors.values.end()}};
  GraphWorld world(16, {});
  world.insert(first, 500);
  // Some die, the entry among them: nobody may be made to name them.
  std::vector<Place> dead = {world.state().entry};
  for (Place place = 10; place < 2000; place += 7)
    if (place != dead.front()) dead.push_back(place);
  std::set<std::pair<Place, Place>> named;
  const auto names_of_dead = [&] {
    GraphView view = world.view();
    GraphReader reader(view);
    std::set<std::pair<Place, Place>> found;
    for (Place place = 1; place < view.end(); ++place) {
      Neighbours list;
      EXPECT_TRUE(reader.read(0, place, list));
      for (std::uint32_t i = 0; i < list.count; ++i)
        if (std::ranges::find(dead, list.places[i]) != dead.end())
          found.emplace(place, list.places[i]);
    }
    return found;
  };
  world.set_uses(dead, PlaceUse::dead());
  const auto before = names_of_dead();
  Place live = kNoPlace;
  for (Place place = 1; live == kNoPlace; ++place)
    if (std::ranges::find(dead, place) == dead.end()) live = place;
  world.state().entry = live;
  ASSERT_TRUE(build(world, rest, {.threads = 4}));
  EXPECT_TRUE(std::ranges::includes(before, names_of_dead()));
  const GraphFigures figures = world.check();
  EXPECT_EQ(figures.nodes, 6000u - dead.size());
  GraphView view = world.view();
  std::size_t own = 0;
  for (std::size_t i = 0; i < 6000; i += 10) {
    const auto place = static_cast<Place>(i + 1);
    const auto found = world.search(view, vectors.row(i), 60);
    own += std::ranges::find(found, place, &Neighbour<Place>::id) != found.end() ? 1 : 0;
  }
  EXPECT_GE(own, 590u) << "of 600 that look for themselves";
}

TEST(GraphBuild, EndsWithTheErrorOfAReport) {
  const Vectors vectors = normal_vectors(3000, 8, 16);
  for (const std::uint64_t most : {0, 500, 1500, 2500}) {
    GraphWorld world(8, {.m = 6, .ef_construction = 30});
    world.train(vectors);
    std::uint64_t last = 0;
    const Status built =
        build(world, vectors, {.threads = 4, .report = [&](std::uint64_t linked) -> Status {
                                 EXPECT_GE(linked, last);
                                 last = linked;
                                 if (linked < most) return {};
                                 return fail(ErrorCode::kCancelled, "enough");
                               }});
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().message(), "enough");
    EXPECT_LE(last, 3000u);
  }
}

// Memory that ends in a report, where no caller of a thread could catch it.
TEST(GraphBuild, EndsWhereMemoryDoes) {
  const Vectors vectors = normal_vectors(3000, 8, 17);
  for (const std::uint64_t most : {0, 2000}) {
    GraphWorld world(8, {.m = 6, .ef_construction = 30});
    world.train(vectors);
    const auto built = catch_out_of_memory([&] {
      return build(world, vectors, {.threads = 4, .report = [&](std::uint64_t linked) -> Status {
                                      if (linked >= most) throw std::bad_alloc();
                                      return {};
                                    }});
    });
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().code(), ErrorCode::kNoMemory);
  }
}

TEST(GraphMemory, SaysWhatItTakes) {
  const GraphShape shape{.m = 16, .code_bytes = 8};
  EXPECT_GE(GraphMemory::bytes(shape, 1000), 1000u * 129);
  EXPECT_LE(GraphMemory::bytes(shape, 100'000), 100'000u * 134);
}

}  // namespace
}  // namespace quire::hnsw
