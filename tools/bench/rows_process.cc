// Rows of several processes: readers beside a writer, and what it takes to open a database.
#include <array>
#include <sstream>

#include "tools/bench/child.h"
#include "tools/bench/rows.h"

namespace quire::bench {
namespace {

constexpr std::uint64_t kReaders = 2;

ChildTask task_of(Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
  return {kind.name, workspace.base(kind), workspace.settings().keys, workspace.settings().key_form,
          seed};
}

// Two processes that get at random, a transaction each, while this one commits durably.
Sample readers_beside_writer(Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
  std::vector<std::unique_ptr<Child>> readers;
  readers.reserve(kReaders);
  for (std::uint64_t i = 0; i < kReaders; ++i) {
    readers.push_back(std::make_unique<Child>(
        child_arguments("reader-child", task_of(workspace, kind, seed + i))));
  }
  const std::unique_ptr<Store> store =
      kind.open(workspace.base(kind), Durability::kAlways, Access::kReadWrite);
  const std::unique_ptr<Session> session = store->session();
  KeyMaker keys = workspace.keys();
  Random random(seed + kReaders);
  const auto commit = [&] {
    const Entry entry = {keys.key(random.below(workspace.settings().keys)),
                         workspace.values().value(random.next())};
    session->put({&entry, 1});
  };
  const double seconds = workspace.settings().seconds;
  const double alone = rate(seconds, 1, commit);
  for (const auto& reader : readers) reader->send("open");
  for (const auto& reader : readers) reader->receive();
  for (const auto& reader : readers) reader->send("go " + std::to_string(seconds));
  const double beside = rate(seconds, 1, commit);
  double reads = 0;
  for (const auto& reader : readers) reads += std::stod(reader->receive());
  return {{"reads", reads / seconds}, {"commits", beside}, {"alone", alone}};
}

// In a process that has done nothing before, pages of the files cached.
Sample open_and_get(Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
  Child probe(child_arguments("probe-child", task_of(workspace, kind, seed)));
  std::istringstream answer(probe.receive());
  double open_seconds = 0;
  double total_seconds = 0;
  double memory = 0;
  answer >> open_seconds >> total_seconds >> memory;
  return {{"total", total_seconds * 1e3}, {"open", open_seconds * 1e3}, {"memory", memory / 1e6}};
}

}  // namespace

std::vector<Row> process_rows() {
  return {
      {"readers",
       {{"reads", "2 reader processes beside a durable writer", "reads/s", true},
        {"commits", "  the writer's commits beside them", "/s", true},
        {"alone", "  the writer's commits alone", "/s", true}},
       100,
       true,
       readers_beside_writer,
       {}},
      {"open",
       {{"total", "open and first get", "ms", false},
        {"open", "  open alone", "ms", false},
        {"memory", "  private memory after the first get", "MB", false}},
       100,
       false,
       open_and_get,
       {}},
  };
}

}  // namespace quire::bench
