// Graphs that are damaged, and arguments that make no sense.
#include "tests/vector/graph_world.h"

namespace quire::hnsw {
namespace {

constexpr std::uint32_t kDamagedDimension = 8;

class DamagedGraph : public testing::Test {
 protected:
  DamagedGraph()
      : vectors_(normal_vectors(300, kDamagedDimension, 1)), world_(kDamagedDimension, {}) {
    world_.insert(vectors_, 300);
  }

  void write(unsigned level, Place place, std::uint32_t at, Place neighbour) {
    world_.change([&](const GraphWriters& writers) {
      std::byte* list = level == 0 ? writers.lists->touch(place).value()
                                   : writers.upper->touch(upper_slot(level, place)).value();
      store_le(list + std::size_t{at} * sizeof(Place), neighbour);
    });
  }
  Place above() const {
    Place place = 1;
    while (level_of(place, 0) == 0) ++place;
    return place;
  }
  void expect_damage(const std::string& words) {
    const auto found = world_.damages();
    ASSERT_FALSE(found.empty()) << words;
    EXPECT_TRUE(std::ranges::any_of(found, [&](const std::string& each) {
      return each.find(words) != std::string::npos;
    })) << found.front();
  }

  Vectors vectors_;
  GraphWorld world_;
};

TEST_F(DamagedGraph, ListsThatNameWhatIsNotThere) {
  write(0, 5, 0, 301);
  expect_damage("node 5 at level 0 names node 301, there are 301");
  write(0, 6, 0, 0xFFFFFFFF);
  expect_damage("node 6 at level 0 names node 4294967295");
}

TEST_F(DamagedGraph, ASearchThatComesToOneSaysSo) {
  for (Place place = 1; place <= 300; ++place) write(0, place, 0, 4'000'000);
  GraphView view = world_.view();
  GraphReader reader(view);
  GraphSearch search;
  const ByteVector code = world_.code_of(vectors_.row(0));
  const auto found = search.run(reader, world_.metric(), code.data(), view.state().entry, 20);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), ErrorCode::kCorrupt);
  EXPECT_NE(found.error().message().find("names node 4000000"), std::string::npos);
  GraphPlan plan(view, world_.metric());
  EXPECT_EQ(plan.insert(code).error().code(), ErrorCode::kCorrupt);
}

TEST_F(DamagedGraph, ListsThatNameTheNodeItselfOrOneTwiceOrGoOn) {
  write(0, 5, 0, 5);
  expect_damage("node 5 at level 0 names node 5, itself");
  GraphView view = world_.view();
  Neighbours neighbours;
  ASSERT_TRUE(GraphReader(view).read(0, 9, neighbours));
  ASSERT_GE(neighbours.count, 2u);
  write(0, 9, 1, neighbours.places[0]);
  expect_damage("node 9 at level 0 names node " + std::to_string(neighbours.places[0]) + ", twice");
  write(0, 11, 2, 0);
  expect_damage("node 11 at level 0 goes on behind its end");
}

TEST_F(DamagedGraph, ListsAboveThatNameNodesBelow) {
  Place below = 1;
  while (level_of(below, 0) != 0) ++below;
  write(1, above(), 0, below);
  expect_damage("names node " + std::to_string(below) + ", which is not of that level");
}

TEST_F(DamagedGraph, AnEntryThatIsNotOfTheTopLevel) {
  Place below = 1;
  while (level_of(below, 0) != 0) ++below;
  world_.state().entry = below;
  expect_damage("its entry, node " + std::to_string(below) + ", is not of the top level");
}

TEST_F(DamagedGraph, NoEntryOrOneThatIsFree) {
  const GraphState good = world_.state();
  world_.state().entry = kNoPlace;
  expect_damage("it has no entry");
  world_.state() = good;
  world_.set_uses({{good.entry}}, PlaceUse::free(kNoPlace));
  expect_damage("its entry, place " + std::to_string(good.entry) + ", has no node");
}

TEST_F(DamagedGraph, FreePlacesThatAreNamedOrHaveLists) {
  GraphView view = world_.view();
  Neighbours neighbours;
  ASSERT_TRUE(GraphReader(view).read(0, 9, neighbours));
  const Place named = neighbours.places[0];
  world_.set_uses({{named}}, PlaceUse::free(kNoPlace));
  expect_damage("node 9 at level 0 names node " + std::to_string(named) + ", a free place");
  expect_damage("place " + std::to_string(named) + " is free and has a list at level 0");
}

TEST_F(DamagedGraph, ArraysThatDoNotFitAreRefused) {
  const auto refused = [&](const std::string& words) {
    const auto view = world_.open();
    ASSERT_FALSE(view) << words;
    EXPECT_EQ(view.error().code(), ErrorCode::kCorrupt);
    EXPECT_NE(view.error().message().find(words), std::string::npos) << view.error().message();
  };
  const GraphState good = world_.state();
  world_.state().entry = 301;
  refused("its entry is 301");
  world_.state() = good;
  const GraphRoots roots = world_.roots();
  world_.roots().lists.size = 7;
  refused("7 lists, 301 codes and 301 records");
  world_.roots() = roots;
  world_.roots().upper.element_size = 4;
  refused("upper lists");
  world_.roots() = roots;
  world_.roots().codes.element_size = 9;
  refused("codes");
  world_.roots() = roots;
  world_.roots().records.size = 300;
  refused("300 records");
}

TEST_F(DamagedGraph, AnArrayOfUpperListsThatIsTooShortIsTold) {
  world_.change([](const GraphWriters& writers) { ASSERT_TRUE(writers.upper->clear()); });
  expect_damage("has no list at level 1");
}

TEST_F(DamagedGraph, BytesThatFailTheirChecksumAreTold) {
  world_.publish();
  const PagePtr damaged = world_.roots().lists.root;
  const std::byte wrong{0x5A};
  // A table of the lists, or their only block.
  ASSERT_TRUE(world_.pages().file().write(std::uint64_t{damaged.page} * 4096 + 100, {&wrong, 1}));
  GraphView view =
      GraphView::open(world_.pages().file_reader(), world_.roots(), world_.shape(), world_.state())
          .value();
  GraphReader reader(view);
  GraphSearch search;
  const ByteVector code = world_.code_of(vectors_.row(0));
  const auto found = search.run(reader, world_.metric(), code.data(), view.state().entry, 20);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), ErrorCode::kCorrupt) << found.error().message();
}

TEST_F(DamagedGraph, ArgumentsOutOfRangeAreRefused) {
  GraphView view = world_.view();
  GraphReader reader(view);
  GraphSearch search;
  const ByteVector code(kDamagedDimension);
  const Place entry = view.state().entry;
  for (const std::size_t ef : {std::size_t{0}, std::size_t{kMostEf} + 1})
    EXPECT_EQ(search.run(reader, world_.metric(), code.data(), entry, ef).error().code(),
              ErrorCode::kInvalid);
  EXPECT_EQ(search.run(reader, world_.metric(), code.data(), 301, 10).error().code(),
            ErrorCode::kCorrupt);
  GraphPlan plan(view, world_.metric());
  EXPECT_EQ(plan.insert(Bytes(code).first(7)).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(plan.new_nodes(), 0u);
}

TEST(GraphShapes, OutOfRangeAreRefusedByName) {
  const auto refused = [](const GraphShape& shape, const std::string& name) {
    const Status status = shape.check();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::kInvalid);
    EXPECT_NE(status.error().message().find(name), std::string::npos);
  };
  refused({.m = 3, .code_bytes = 1}, "m is 3");
  refused({.m = 65, .code_bytes = 1}, "m is 65");
  refused({.ef_construction = 15, .code_bytes = 1}, "ef_construction is 15");
  refused({.ef_construction = kMostEf + 1, .code_bytes = 1}, "ef_construction");
  refused({}, "size of a code");
  EXPECT_TRUE((GraphShape{.code_bytes = 1}).check());
}

}  // namespace
}  // namespace quire::hnsw
