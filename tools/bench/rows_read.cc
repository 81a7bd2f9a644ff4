// Rows that read, and the mixes of YCSB (workloads A and B, Cooper et al., 2010).
#include "tools/bench/rows.h"

namespace quire::bench {
namespace {

constexpr std::size_t kScanLength = 100;
constexpr std::uint64_t kReadsPerClock = 256;  // a look at the clock costs as much as a fast get
constexpr std::uint64_t kScansPerClock = 16;

// The sums of what was read end here, where the compiler cannot know that nobody looks.
volatile std::uint64_t sink = 0;

// A store opened on the base and read through once.
struct WarmStore {
  WarmStore(Workspace& workspace, const StoreKind& kind)
      : store(kind.open(workspace.base(kind), Durability::kOs, Access::kReadWrite)),
        session(store->session()) {
    warm(*session, workspace);
  }
  std::unique_ptr<Store> store;
  std::unique_ptr<Session> session;
};

Sample random_gets(Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
  const WarmStore warm_store(workspace, kind);
  Session& session = *warm_store.session;
  KeyMaker keys = workspace.keys();
  Random random(seed);
  session.begin_read();
  const double gets = rate(workspace.settings().seconds, kReadsPerClock, [&] {
    sink = sink + session.get(keys.key(random.below(workspace.settings().keys)));
  });
  session.end_read();
  return {{"gets", gets}};
}

Sample gets_of_their_own(Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
  const WarmStore warm_store(workspace, kind);
  KeyMaker keys = workspace.keys();
  Random random(seed);
  return {{"gets", rate(workspace.settings().seconds, kReadsPerClock, [&] {
             const std::uint64_t number = random.below(workspace.settings().keys);
             sink = sink + warm_store.session->get_latest(keys.key(number));
           })}};
}

Sample scans(Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
  const WarmStore warm_store(workspace, kind);
  Session& session = *warm_store.session;
  KeyMaker keys = workspace.keys();
  Random random(seed);
  session.begin_read();
  const double scans = rate(workspace.settings().seconds, kScansPerClock, [&] {
    const std::uint64_t number = random.below(workspace.settings().keys);
    sink = sink + session.scan(keys.key(number), kScanLength);
  });
  session.end_read();
  return {{"scans", scans}};
}

// Reads and updates of one record each, every one its own transaction, popular keys zipfian.
Sample ycsb(Workspace& workspace, const StoreKind& kind, double reads, std::uint64_t seed) {
  const WarmStore warm_store(workspace, kind);
  Session& session = *warm_store.session;
  const Zipfian zipfian(workspace.settings().keys);
  KeyMaker keys = workspace.keys();
  Random random(seed);
  return {{"operations", rate(workspace.settings().seconds, kScansPerClock, [&] {
             const std::string_view key = keys.key(zipfian.next(random));
             if (random.unit() < reads) {
               sink = sink + session.get_latest(key);
             } else {
               const Entry entry = {key, workspace.values().value(random.next())};
               session.put({&entry, 1});
             }
           })}};
}

}  // namespace

std::vector<Row> read_rows() {
  return {
      {"get",
       {{"gets", "random get, in one transaction", "/s", true}},
       100,
       false,
       random_gets,
       {}},
      {"get-own",
       {{"gets", "random get, a transaction each", "/s", true}},
       100,
       false,
       gets_of_their_own,
       {}},
      {"scan", {{"scans", "scans of 100 entries", "/s", true}}, 100, false, scans, {}},
      {"ycsb-a",
       {{"operations", "YCSB A, 50% updates, non-durable", "/s", true}},
       100,
       false,
       [](Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
         return ycsb(workspace, kind, 0.5, seed);
       },
       {}},
      {"ycsb-b",
       {{"operations", "YCSB B, 5% updates, non-durable", "/s", true}},
       100,
       false,
       [](Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
         return ycsb(workspace, kind, 0.95, seed);
       },
       {}},
  };
}

}  // namespace quire::bench
