#include "index/vector/hnsw/graph_order.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "index/vector/hnsw/graph_build.h"
#include "index/vector/hnsw/graph_search.h"
#include "index/vector/hnsw/share_out.h"

namespace quire::hnsw {
namespace {

// One vector of so many is of the sample: a page or two of codes and lists for each member.
constexpr std::size_t kEvery = 64;
constexpr std::size_t kLeastSample = 16;
// How wide the search for the nearest member is: the very nearest is not needed.
constexpr std::size_t kNearEf = 8;

class Ordering {
 public:
  explicit Ordering(const OrderRequest& request)
      : request_(request),
        sample_(static_cast<Place>(request.count / kEvery)),
        shape_{.m = 8, .ef_construction = 48, .seed = 0, .code_bytes = request.code_bytes},
        sample_codes_((std::size_t{sample_} + 1) * request.code_bytes),
        memory_(shape_, sample_ + 1) {}

  Result<std::vector<std::uint32_t>> run() {
    for (Place place = 1; place <= sample_; ++place)
      QUIRE_CHECK(request_.encode(vector_of(place), code_of(place)));
    const MemoryCodes codes(sample_codes_.data(), request_.code_bytes);
    std::vector<Place> places(sample_);
    std::iota(places.begin(), places.end(), Place{1});
    const auto report = [this](std::uint64_t) { return request_.report(); };
    QUIRE_TRY(const Place entry, build_graph({.memory = memory_,
                                              .codes = codes,
                                              .metric = request_.metric,
                                              .entry = kNoPlace,
                                              .places = std::move(places),
                                              .threads = request_.threads,
                                              .report = report}));
    std::vector<std::uint32_t> member(request_.count);  // turn of the one that each is nearest to
    const std::vector<std::uint32_t> turns = walk_turns(entry);
    const auto make_worker = [&]() -> Worker {
      return [this, entry, &member, &turns,
              nearest = std::make_shared<Nearest>(request_, memory_, codes)](std::size_t i) {
        return nearest->find(i, entry, turns, member[i]);
      };
    };
    QUIRE_CHECK(share_out({.first = 0,
                           .end = request_.count,
                           .threads = request_.threads,
                           .make_worker = make_worker,
                           .report = report}));
    std::vector<std::uint32_t> order(request_.count);
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, {}, [&](std::uint32_t i) { return std::pair(member[i], i); });
    return order;
  }

 private:
  // Finds the member that a vector is nearest to.
  class Nearest {
   public:
    Nearest(const OrderRequest& request, GraphMemory& memory, const MemoryCodes& codes)
        : encode_(request.encode),
          metric_(request.metric),
          reader_(memory, codes),
          code_(request.code_bytes) {}
    Status find(std::size_t i, Place entry, const std::vector<std::uint32_t>& turns,
                std::uint32_t& turn) {
      QUIRE_CHECK(encode_(i, code_.data()));
      QUIRE_TRY(const auto found, search_.run(reader_, metric_, code_.data(), entry, kNearEf));
      turn = turns[found.front().id];
      return {};
    }

   private:
    std::function<Status(std::size_t i, std::byte* code)> encode_;
    CodeMetric metric_;
    MemoryReader reader_;
    GraphSearchOf<MemoryReader> search_;
    ByteVector code_;
  };

  // One of its 64, by chance: vectors may come in turns.
  static std::size_t vector_of(Place member) noexcept {
    return (std::size_t{member} - 1) * kEvery + mix_bits(member) % kEvery;
  }
  std::byte* code_of(Place place) {
    return sample_codes_.data() + std::size_t{place} * request_.code_bytes;
  }

  // When a walk comes to each member. It goes on from the last that has a neighbour it was not at;
  // those that nothing leads to begin walks of their own.
  std::vector<std::uint32_t> walk_turns(Place entry) {
    constexpr std::uint32_t kNone = UINT32_MAX;
    std::vector<std::uint32_t> turns(std::size_t{sample_} + 1, kNone);
    std::uint32_t next = 0;
    std::vector<Place> way;
    const auto walk_from = [&](Place start) {
      if (turns[start] != kNone) return;
      turns[start] = next++;
      way.assign(1, start);
      while (!way.empty()) {
        const Place to =
            nearest_new(way.back(), [&](Place place) { return turns[place] == kNone; });
        if (to == kNoPlace) {
          way.pop_back();
          continue;
        }
        turns[to] = next++;
        way.push_back(to);
      }
    };
    walk_from(entry);
    for (Place place = 1; place <= sample_; ++place) walk_from(place);
    return turns;
  }

  template <class IsNew>
  Place nearest_new(Place from, const IsNew& is_new) {
    Neighbours list;
    memory_.read(0, from, list);
    Neighbour<Place> best{0, kNoPlace};
    for (std::uint32_t i = 0; i < list.count; ++i) {
      const Place place = list.places[i];
      if (!is_new(place)) continue;
      const Neighbour<Place> candidate{
          request_.metric.distance.one(code_of(from), code_of(place), request_.metric.dimension),
          place};
      if (best.id == kNoPlace || nearer(candidate, best)) best = candidate;
    }
    return best.id;
  }

  const OrderRequest& request_;
  Place sample_;
  GraphShape shape_;
  ByteVector sample_codes_;
  GraphMemory memory_;
};

}  // namespace

Result<std::vector<std::uint32_t>> order_near(const OrderRequest& request) {
  if (request.count / kEvery >= kLeastSample) return Ordering(request).run();
  std::vector<std::uint32_t> order(request.count);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

}  // namespace quire::hnsw
