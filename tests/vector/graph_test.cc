// The graph: that searches find what is nearest, that a graph depends on its codes and their order
// alone, and that each view has its own state.
#include "tests/vector/graph_world.h"

namespace quire::hnsw {
namespace {

TEST(Graph, FindsTheNearestOfRandomVectors) {
  const Vectors vectors = normal_vectors(5000, 24, 1);
  const Vectors queries = normal_vectors(100, 24, 2);
  GraphWorld world(24, {});
  world.insert(vectors, 250);
  GraphView view = world.view();
  EXPECT_GE(recall_at_10(world, view, vectors, queries, 400), 0.99);
  const double narrow = recall_at_10(world, view, vectors, queries, 40);
  EXPECT_GE(narrow, 0.80);
  EXPECT_LE(world.last_search().measured(), 2500u) << "of 5000: no walk";
  const GraphFigures figures = world.check();
  EXPECT_EQ(figures.nodes, 5000u);
  EXPECT_LE(figures.unreachable, 5u);
  EXPECT_GT(figures.edges, 5000u * 12);
}

TEST(Graph, FindsTheNearestOfClustersThatCameOneAfterTheOther) {
  const Vectors vectors = clustered_vectors(5000, 16, 50, 3);
  GraphWorld world(16, {});
  world.insert(vectors, 500);
  GraphView view = world.view();
  const Vectors queries = near_every_50th(vectors, 16, 4);
  EXPECT_GE(recall_at_10(world, view, vectors, queries, 100), 0.95);
  EXPECT_LE(world.check().unreachable, 25u);
}

TEST(Graph, IsTheSameInOneTransactionOrMany) {
  const Vectors vectors = normal_vectors(600, 8, 5);
  GraphWorld one(8, {.m = 6, .ef_construction = 40, .seed = 9});
  GraphWorld many(8, {.m = 6, .ef_construction = 40, .seed = 9});
  one.insert(vectors, 600);
  many.insert(vectors, 7);
  EXPECT_EQ(one.state().entry, many.state().entry);
  EXPECT_EQ(many.state().generation, (600u + 6) / 7);
  GraphView a = one.view();
  GraphView b = many.view();
  for (Place place = 1; place < a.end(); ++place) {
    ASSERT_TRUE(equal_bytes({a.code(place), 8}, {b.code(place), 8}));
    for (unsigned level = 0; level <= level_of(place, 9); ++level)
      ASSERT_TRUE(equal_bytes({a.list(level, place), one.shape().list_bytes(level)},
                              {b.list(level, place), one.shape().list_bytes(level)}))
          << place << " at level " << level;
  }
}

TEST(Graph, HasNodesAboveAndBeginsAtTheHighest) {
  GraphWorld world(4, {.m = 4, .ef_construction = 20});
  world.insert(normal_vectors(700, 4, 6), 100);
  unsigned top = 0;
  for (Place place = 1; place <= 700; ++place) top = std::max(top, level_of(place, 0));
  EXPECT_GE(top, 2u);
  EXPECT_EQ(level_of(world.state().entry, 0), top);
}

TEST(Graph, AViewKeepsItsStateWhileOthersAreLinked) {
  const Vectors vectors = normal_vectors(400, 8, 7);
  GraphWorld world(8, {.m = 8, .ef_construction = 60});
  world.insert(vectors, 400);
  const auto pages = world.pages().begin();  // nothing is used again while it may be read
  GraphView before = world.view();
  const float* query = vectors.row(3);
  const auto expected = world.search(before, query, 50);
  ArrayWriter lists(pages.get(), world.roots().lists);
  ArrayWriter upper(pages.get(), world.roots().upper);
  ArrayWriter codes(pages.get(), world.roots().codes);
  GraphPlan plan(before, world.metric());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(plan.insert(world.code_of(query)));
  ASSERT_TRUE(plan.apply({&lists, &upper, &codes}, world.state()));
  EXPECT_EQ(world.search(before, query, 50), expected);
  GraphView again = world.view();
  EXPECT_EQ(world.search(again, query, 50), expected);
}

TEST(Graph, NodesOfAPlanAreFoundBeforeItIsApplied) {
  const Vectors vectors = normal_vectors(300, 8, 8);
  GraphWorld world(8, {});
  world.insert(vectors, 100);
  GraphView view = world.view();
  GraphPlan plan(view, world.metric());
  const Vectors more = normal_vectors(20, 8, 9);
  std::vector<Place> places;
  for (std::size_t i = 0; i < 20; ++i)
    places.push_back(plan.insert(world.code_of(more.row(i))).value());
  GraphReader reader(view, &plan.overlay());
  GraphSearch search;
  for (std::size_t i = 0; i < 20; ++i) {
    const ByteVector code = world.code_of(more.row(i));
    const auto found = search.run(reader, world.metric(), code.data(), plan.state().entry, 50);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->front(), (Neighbour<Place>{0, places[i]}));
  }
}

TEST(Graph, APlanOverAnOlderStateIsRefused) {
  const Vectors vectors = normal_vectors(60, 8, 10);
  GraphWorld world(8, {});
  world.insert(vectors, 20);
  GraphView view = world.view();
  GraphPlan first(view, world.metric());
  GraphPlan second(view, world.metric());
  ASSERT_TRUE(first.insert(world.code_of(vectors.row(0))));
  ASSERT_TRUE(second.insert(world.code_of(vectors.row(1))));
  world.apply(first);
  const GraphRoots before = world.roots();
  world.change([&](const GraphWriters& writers) {
    EXPECT_EQ(second.apply(writers, world.state()).error().code(), ErrorCode::kConflict);
  });
  EXPECT_EQ(world.roots().lists.size, before.lists.size);
  EXPECT_EQ(world.roots().lists.root, before.lists.root) << "nothing was written";
}

TEST(Graph, OfNoNodesFindsNone) {
  GraphWorld world(4, {});
  GraphView view = world.view();
  EXPECT_EQ(view.end(), 1u);
  GraphReader reader(view);
  GraphSearch search;
  const ByteVector code(4);
  const auto found = search.run(reader, world.metric(), code.data(), view.state().entry, 10);
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_TRUE(found->empty());
  EXPECT_EQ(world.check().nodes, 0u);
}

TEST(Graph, OfFewNodesFindsAllOrAsManyAsAreAskedFor) {
  const Vectors vectors = normal_vectors(40, 4, 11);
  for (std::size_t nodes = 1; nodes <= 20; ++nodes) {
    GraphWorld world(4, {});
    world.insert(
        {4,
         {vectors.values.begin(), vectors.values.begin() + static_cast<std::ptrdiff_t>(4 * nodes)}},
        1);
    GraphView view = world.view();
    EXPECT_EQ(world.search(view, vectors.row(39), 30).size(), nodes);
    EXPECT_EQ(world.search(view, vectors.row(39), 1).size(), 1u);
  }
}

TEST(Graph, OfEqualVectorsGivesAsManyAsAreAskedFor) {
  Vectors same{6, std::vector<float>(500 * 6, 0.25F)};
  GraphWorld world(6, {});
  world.insert(same, 50);
  GraphView view = world.view();
  EXPECT_EQ(world.search(view, same.row(0), 10).size(), 10u);
  (void)world.check();
}

TEST(Graph, IsReadFromTheFileAsFromMemory) {
  const Vectors vectors = normal_vectors(500, 16, 12);
  GraphWorld world(16, {});
  world.insert(vectors, 100);
  GraphView memory = world.view();
  const auto expected = world.search(memory, vectors.row(9), 30);
  world.publish();
  GraphView file =
      GraphView::open(world.pages().file_reader(), world.roots(), world.shape(), world.state())
          .value();
  EXPECT_EQ(world.search(file, vectors.row(9), 30), expected);
  // And goes on from there.
  world.link(vectors, 0, 50);
  EXPECT_EQ(world.check().nodes, 550u);
}

TEST(Graph, EveryNumberOfNeighboursWorks) {
  const Vectors vectors = normal_vectors(500, 8, 13);
  for (const std::uint32_t m : {kLeastM, 5U, 33U, kMostM}) {
    GraphWorld world(8, {.m = m, .ef_construction = std::max(m, 50U)});
    world.insert(vectors, 250);
    GraphView view = world.view();
    EXPECT_GE(recall_at_10(world, view, vectors, normal_vectors(20, 8, 14), 200), 0.9) << m;
    EXPECT_EQ(world.check().nodes, 500u);
  }
}

}  // namespace
}  // namespace quire::hnsw
