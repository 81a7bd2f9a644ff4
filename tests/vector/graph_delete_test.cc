// Nodes that are taken out of a graph, places that are used again, nodes that nothing named.
#include <set>

#include "index/vector/hnsw/graph_sweep.h"
#include "tests/vector/graph_world.h"

namespace quire::hnsw {
namespace {

constexpr std::uint32_t kDimension = 16;

// A graph whose places have vectors that come and go.
class ChangingGraph {
 public:
  ChangingGraph(const Vectors& vectors, GraphShape shape) : world_(vectors.dimension, shape) {
    world_.insert(vectors, 250);
    vectors_.resize(vectors.count() + 1);
    for (std::size_t i = 0; i < vectors.count(); ++i)
      set(static_cast<Place>(i + 1), vectors.row(i));
  }
  GraphWorld& world() { return world_; }
  std::vector<Place> live() {
    std::vector<Place> places;
    GraphView view = world_.view();
    for (Place place = 1; place < view.end(); ++place)
      if (view.use(place)->is_live()) places.push_back(place);
    return places;
  }

  void kill(std::span<const Place> places) { world_.set_uses(places, PlaceUse::dead()); }
  void repair(std::span<const Place> places) {
    GraphView view = world_.view();
    GraphPlan plan(view, world_.metric());
    for (const Place place : places) {
      const Status repaired = plan.repair(place);
      ASSERT_TRUE(repaired) << repaired.error().message();
    }
    world_.apply(plan);
  }
  // How many lists named one of these, which are free then. Links anew what nothing leads to.
  std::size_t sweep(std::span<const Place> places) {
    const std::set<Place> set(places.begin(), places.end());
    const auto gone = [&](Place place) { return set.contains(place); };
    GraphView view = world_.view();
    const auto naming = find_naming(view, gone);
    EXPECT_TRUE(naming);
    GraphPlan plan(view, world_.metric());
    for (const ListOf& list : *naming) EXPECT_TRUE(plan.forget(list.place, list.level, gone));
    const auto lost = find_unreachable(view);
    EXPECT_TRUE(lost);
    for (const Place place : *lost) EXPECT_TRUE(plan.relink(place));
    world_.apply(plan);
    world_.set_uses(places, PlaceUse::free(kNoPlace));
    return naming->size();
  }
  void reuse(std::span<const Place> places, const Vectors& vectors) {
    GraphView view = world_.view();
    GraphPlan plan(view, world_.metric());
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto placed = plan.insert(world_.code_of(vectors.row(i)), places[i]);
      ASSERT_TRUE(placed) << placed.error().message();
      ASSERT_EQ(*placed, places[i]);
      set(places[i], vectors.row(i));
    }
    ASSERT_EQ(plan.new_nodes(), 0u);
    world_.apply(plan);
  }

  // Of live places.
  Vectors vectors() {
    Vectors all{world_.shape().code_bytes, {}};
    for (const Place place : live())
      all.values.insert(all.values.end(), vectors_[place].begin(), vectors_[place].end());
    return all;
  }

  // Of the 10 nearest live ones, how many are among the first 15 live ones of a search.
  double recall(const Vectors& queries, std::size_t ef) {
    const std::vector<Place> places = live();
    const std::set<Place> living(places.begin(), places.end());
    const DistanceFunctions l2 = distance_kernels().f32.l2;
    GraphView view = world_.view();
    std::size_t right = 0;
    for (std::size_t q = 0; q < queries.count(); ++q) {
      TopK<Place> truth(10);
      for (const Place place : places)
        truth.offer(l2.one(queries.row(q), vectors_[place].data(), queries.dimension), place);
      TopK<Place> found(10);
      std::size_t measured = 0;
      for (const Neighbour<Place>& hit : world_.search(view, queries.row(q), ef)) {
        if (!living.contains(hit.id) || measured++ == 15) continue;
        found.offer(l2.one(queries.row(q), vectors_[hit.id].data(), queries.dimension), hit.id);
      }
      const auto expected = truth.sorted();
      for (const Neighbour<Place>& hit : found.sorted())
        if (std::ranges::find(expected, hit.id, &Neighbour<Place>::id) != expected.end()) ++right;
    }
    return static_cast<double>(right) / (10.0 * static_cast<double>(queries.count()));
  }

 private:
  void set(Place place, const float* vector) {
    vectors_[place].assign(vector, vector + world_.shape().code_bytes);
  }
  GraphWorld world_;
  std::vector<std::vector<float>> vectors_;  // by place
};

std::vector<Place> some_of(std::vector<Place> places, std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::ranges::shuffle(places, random);
  places.resize(count);
  return places;
}

TEST(GraphDelete, RecallStaysWhileAllIsReplaced) {
  const Vectors queries = normal_vectors(60, kDimension, 2);
  ChangingGraph graph(normal_vectors(2000, kDimension, 1), {});
  const double fresh = graph.recall(queries, 60);
  for (unsigned round = 0; round < 10; ++round) {
    const std::vector<Place> gone = some_of(graph.live(), 200, round);
    graph.kill(gone);
    graph.repair(gone);
    EXPECT_LE(graph.sweep(gone), 1000u);
    graph.reuse(gone, normal_vectors(200, kDimension, 100 + round));
    const GraphFigures figures = graph.world().check();
    EXPECT_EQ(figures.nodes, 2000u);
    EXPECT_EQ(figures.free, 0u);
    EXPECT_EQ(figures.unreachable, 0u);
  }
  EXPECT_GE(graph.recall(queries, 60), fresh - 0.02);
}

// Whoever a dead node named is named by others instead, else nodes are found by fewer and fewer.
TEST(GraphDelete, WhatIsReplacedIsAsGoodAsAGraphThatIsMadeAnew) {
  const Vectors queries = normal_vectors(200, kDimension, 2);
  ChangingGraph graph(normal_vectors(4000, kDimension, 1), {});
  for (unsigned round = 0; round < 10; ++round) {
    const std::vector<Place> gone = some_of(graph.live(), 400, round);
    graph.kill(gone);
    graph.repair(gone);
    graph.sweep(gone);
    graph.reuse(gone, normal_vectors(400, kDimension, 100 + round));
  }
  ChangingGraph fresh(graph.vectors(), {});
  for (const std::size_t ef : {20, 40})
    EXPECT_GE(graph.recall(queries, ef), fresh.recall(queries, ef) - 0.012) << ef;
}

TEST(GraphDelete, ARepairFindsMostOfWhoNamesTheNode) {
  ChangingGraph graph(normal_vectors(2000, kDimension, 3), {});
  const std::vector<Place> gone = some_of(graph.live(), 100, 1);
  graph.kill(gone);
  GraphView view = graph.world().view();
  GraphReader reader(view);
  const std::set<Place> dead(gone.begin(), gone.end());
  std::size_t named = 0;
  for (Place place = 1; place < view.end(); ++place) {
    Neighbours list;
    ASSERT_TRUE(reader.read(0, place, list));
    named += static_cast<std::size_t>(std::count_if(
        list.places, list.places + list.count, [&](Place other) { return dead.contains(other); }));
  }
  graph.repair(gone);
  EXPECT_LE(graph.sweep(gone), named / 10);
}

// Those that are left are found, to the last one, and whatever the entry was.
TEST(GraphDelete, AGraphThatShrinksToNothingAndGrowsAgain) {
  const Vectors vectors = normal_vectors(300, kDimension, 4);
  ChangingGraph graph(vectors, {.m = 6, .ef_construction = 50});
  const Vectors queries = normal_vectors(20, kDimension, 5);
  while (!graph.live().empty()) {
    std::vector<Place> gone = {graph.world().state().entry};
    for (const Place place :
         some_of(graph.live(), std::min<std::size_t>(graph.live().size(), 20), 7))
      if (place != gone[0]) gone.push_back(place);
    graph.kill(gone);
    graph.repair(gone);
    graph.sweep(gone);
    const GraphFigures figures = graph.world().check();
    EXPECT_EQ(figures.unreachable, 0u) << figures.nodes;
    if (figures.nodes >= 10) {
      EXPECT_GE(graph.recall(queries, 300), 0.99) << figures.nodes;
    }
  }
  EXPECT_EQ(graph.world().state().entry, kNoPlace);
  std::vector<Place> all(300);
  for (Place place = 1; place <= 300; ++place) all[place - 1] = place;
  graph.reuse(all, vectors);
  EXPECT_EQ(graph.world().check().nodes, 300u);
  EXPECT_GE(graph.recall(queries, 200), 0.99);
}

TEST(GraphDelete, DeadNodesAreNotLinkedTo) {
  const Vectors vectors = normal_vectors(400, kDimension, 6);
  ChangingGraph graph(vectors, {});
  std::vector<Place> gone = some_of(graph.live(), 200, 8);
  graph.kill(gone);
  GraphView view = graph.world().view();
  GraphPlan plan(view, graph.world().metric());
  const Vectors more = normal_vectors(50, kDimension, 9);
  for (std::size_t i = 0; i < more.count(); ++i)
    ASSERT_TRUE(plan.insert(graph.world().code_of(more.row(i))));
  for (std::size_t i = 0; i < more.count(); ++i) {
    const auto& list = plan.overlay().lists.at(GraphOverlay::key(0, 401 + static_cast<Place>(i)));
    EXPECT_FALSE(list.empty());
    for (const Place neighbour : list)
      EXPECT_FALSE(neighbour <= 400 && !view.use(neighbour)->is_live()) << neighbour;
  }
}

TEST(GraphDelete, ANodeThatNothingNamesIsLinkedAnew) {
  const Vectors vectors = normal_vectors(500, kDimension, 10);
  ChangingGraph graph(vectors, {});
  GraphWorld& world = graph.world();
  const Place lost = world.state().entry == 77 ? 78 : 77;
  {
    GraphView view = world.view();
    GraphPlan plan(view, world.metric());
    for (Place place = 1; place <= 500; ++place)
      for (unsigned level = 0; level <= level_of(place, 0); ++level)
        ASSERT_TRUE(plan.forget(place, level, [&](Place other) { return other == lost; }));
    world.apply(plan);
  }
  EXPECT_GE(world.check().unreachable, 1u);
  {
    GraphView view = world.view();
    GraphPlan plan(view, world.metric());
    ASSERT_TRUE(plan.relink(lost));
    world.apply(plan);
  }
  EXPECT_EQ(world.check().unreachable, 0u);
  GraphView view = world.view();
  EXPECT_EQ(world.search(view, vectors.row(lost - 1), 40).front().id, lost);
}

}  // namespace
}  // namespace quire::hnsw
