// A graph on paged arrays in a file of pages, the vectors that it was made from, and exact answers.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "index/kernels/exact_scan.h"
#include "index/vector/hnsw/graph_check.h"
#include "index/vector/hnsw/graph_plan.h"
#include "index/vector/quantizer.h"
#include "tests/array/array_world.h"

namespace quire::hnsw {

// Vectors one after the other.
struct Vectors {
  std::uint32_t dimension = 0;
  std::vector<float> values;
  std::size_t count() const { return values.size() / dimension; }
  const float* row(std::size_t i) const { return values.data() + i * dimension; }
};

inline Vectors normal_vectors(std::size_t count, std::uint32_t dimension, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Vectors vectors{dimension, std::vector<float>(count * dimension)};
  for (float& value : vectors.values) value = normal(random);
  return vectors;
}

// In clusters that are far from one another, one after the other: what is hardest on a graph that
// grows.
inline Vectors clustered_vectors(std::size_t count, std::uint32_t dimension, std::size_t clusters,
                                 unsigned seed) {
  Vectors centres = normal_vectors(clusters, dimension, seed);
  Vectors vectors = normal_vectors(count, dimension, seed + 1);
  for (std::size_t i = 0; i < count; ++i)
    for (std::uint32_t d = 0; d < dimension; ++d)
      vectors.values[i * dimension + d] += 10 * centres.row(i * clusters / count)[d];
  return vectors;
}

// Queries from all over: each near to one of them.
inline Vectors near_every_50th(const Vectors& vectors, std::uint32_t dimension, unsigned seed) {
  Vectors queries{dimension, {}};
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0, 0.5F);
  for (std::size_t i = 7; i < vectors.count(); i += 50)
    for (std::uint32_t d = 0; d < dimension; ++d)
      queries.values.push_back(vectors.row(i)[d] + normal(random));
  return queries;
}

class GraphWorld {
 public:
  GraphWorld(std::uint32_t dimension, GraphShape shape)
      : world_(4096), shape_(shape), metric_{distance_kernels().codes.l2, dimension} {
    shape_.code_bytes = dimension;
    roots_.lists = {.element_size = shape_.list_bytes(0), .id = 21};
    roots_.upper = {.element_size = shape_.list_bytes(1), .id = 22};
    roots_.codes = {.element_size = shape_.code_bytes, .id = 23};
    roots_.records = {.element_size = sizeof(PlaceUse), .id = 24};
  }

  const GraphShape& shape() const { return shape_; }
  const CodeMetric& metric() const { return metric_; }
  GraphRoots& roots() { return roots_; }
  GraphState& state() { return state_; }
  ArrayWorld& pages() { return world_; }

  Result<GraphView> open() { return GraphView::open(world_.reader(), roots_, shape_, state_); }
  GraphView view() { return open().value(); }

  // Trains a quantizer and links the vectors, so many with each transaction.
  void insert(const Vectors& vectors, std::size_t batch) {
    train(vectors);
    for (std::size_t i = 0; i < vectors.count(); i += batch)
      link(vectors, i, std::min(batch, vectors.count() - i));
  }

  void train(const Vectors& vectors) {
    std::vector<const float*> sample;
    for (std::size_t i = 0; i < std::min(vectors.count(), kQuantizerSample); ++i)
      sample.push_back(vectors.row(i));
    quantizer_ =
        std::make_unique<Quantizer>(Quantizer::train(sample, vectors.dimension, 1).value());
  }

  void link(const Vectors& vectors, std::size_t first, std::size_t count) {
    GraphView before = view();
    GraphPlan plan(before, metric_);
    for (std::size_t i = 0; i < count; ++i) {
      const ByteVector code = code_of(vectors.row(first + i));
      const Result<Place> place = plan.insert(code);
      ASSERT_TRUE(place) << place.error().message();
      ASSERT_EQ(*place, before.end() + i);
    }
    apply(plan);
  }
  // Each new node is the record before its place.
  void apply(const GraphPlan& plan) {
    change([&](const GraphWriters& writers) {
      const Result<GraphState> state = plan.apply(writers, state_);
      ASSERT_TRUE(state) << state.error().message();
      state_ = *state;
      for (const auto& [place, code] : plan.overlay().reused)
        set_use(place, PlaceUse::of_record(place - 1));
      if (plan.new_nodes() == 0) return;
      for (std::size_t i = 0; i < plan.new_nodes(); ++i) {
        const Place place = plan.overlay().first_new + static_cast<Place>(i);
        set_use(place, PlaceUse::of_record(place - 1));
      }
    });
  }
  // Within change().
  void set_use(Place place, PlaceUse use) {
    std::byte bytes[sizeof(PlaceUse)];
    store_le(bytes, use.value);
    ASSERT_TRUE(records_->set(place, bytes));
  }
  void set_uses(std::span<const Place> places, PlaceUse use) {
    change([&](const GraphWriters&) {
      for (const Place place : places) set_use(place, use);
    });
  }
  // One transaction.
  template <class Change>
  void change(const Change& change) {
    const auto pages = world_.begin();
    ArrayWriter lists(pages.get(), roots_.lists);
    ArrayWriter upper(pages.get(), roots_.upper);
    ArrayWriter codes(pages.get(), roots_.codes);
    ArrayWriter records(pages.get(), roots_.records);
    records_ = &records;
    change(GraphWriters{&lists, &upper, &codes});
    records_ = nullptr;
    roots_ = {lists.root(), upper.root(), codes.root(), records.root()};
    world_.commit(*pages, {});
  }
  void publish() {
    roots_ = {world_.publish(roots_.lists), world_.publish(roots_.upper),
              world_.publish(roots_.codes), world_.publish(roots_.records)};
  }

  const Quantizer& quantizer() const { return *quantizer_; }
  ByteVector code_of(const float* vector) const {
    ByteVector code(shape_.code_bytes);
    quantizer_->encode(vector, code.data());
    return code;
  }

  std::vector<Neighbour<Place>> search(GraphView& view, const float* query, std::size_t ef) {
    const ByteVector code = code_of(query);
    GraphReader reader(view);
    const auto found = search_.run(reader, metric_, code.data(), view.state().entry, ef);
    EXPECT_TRUE(found) << found.error().message();
    return {found->begin(), found->end()};
  }
  const GraphSearch& last_search() const { return search_; }

  GraphFigures check() {
    GraphView now = view();
    return check_graph(now, [](const Error& error) { ADD_FAILURE() << error.message(); }).value();
  }
  std::vector<std::string> damages() {
    std::vector<std::string> found;
    GraphView now = view();
    const auto report = [&](const Error& error) { found.push_back(error.message()); };
    EXPECT_TRUE(check_graph(now, report));
    return found;
  }

 private:
  ArrayWorld world_;
  GraphShape shape_;
  CodeMetric metric_;
  GraphRoots roots_;
  GraphState state_;
  ArrayWriter* records_ = nullptr;  // within change()
  std::unique_ptr<Quantizer> quantizer_;
  GraphSearch search_;
};

// The share of the 10 nearest that searches find, when the best 15 of a walk are measured exactly.
inline double recall_at_10(GraphWorld& world, GraphView& view, const Vectors& vectors,
                           const Vectors& queries, std::size_t ef) {
  const DistanceFunctions l2 = distance_kernels().f32.l2;
  std::size_t right = 0;
  for (std::size_t q = 0; q < queries.count(); ++q) {
    TopK<Place> truth(10);
    scan_rows<Place>(l2, queries.row(q), vectors.dimension,
                     {vectors.values.data(), vectors.dimension * sizeof(float), vectors.count()}, 1,
                     truth);
    TopK<Place> found(10);
    const auto pool = world.search(view, queries.row(q), ef);
    for (std::size_t i = 0; i < std::min<std::size_t>(15, pool.size()); ++i)
      found.offer(l2.one(queries.row(q), vectors.row(pool[i].id - 1), vectors.dimension),
                  pool[i].id);
    const auto expected = truth.sorted();
    for (const Neighbour<Place>& hit : found.sorted())
      if (std::ranges::find(expected, hit.id, &Neighbour<Place>::id) != expected.end()) ++right;
  }
  return static_cast<double>(right) / (10.0 * static_cast<double>(queries.count()));
}

}  // namespace quire::hnsw
