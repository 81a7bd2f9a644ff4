#include "tools/bench/rows.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "tools/signals.h"

namespace quire::bench {

const std::vector<Row>& kv_rows() {
  static const std::vector<Row> rows = [] {
    std::vector<Row> all = write_rows();
    for (Row& row : read_rows()) all.push_back(std::move(row));
    for (Row& row : process_rows()) all.push_back(std::move(row));
    return all;
  }();
  return rows;
}

std::string Workspace::base(const StoreKind& kind) {
  if (const auto found = bases_.find(kind.name); found != bases_.end()) return found->second;
  const std::string path = directory_ / ("base-" + kind.name);
  std::filesystem::create_directory(path);
  const std::unique_ptr<Store> store = kind.open(path, Durability::kOs, Access::kReadWrite);
  const std::unique_ptr<Session> session = store->session();
  load(*session, *this, settings_.keys, [](std::uint64_t i) { return i; });
  store->settle();
  bases_[kind.name] = path;
  return path;
}

std::string Workspace::fresh() {
  const std::filesystem::path path = directory_ / "fresh";
  std::filesystem::remove_all(path);
  std::filesystem::create_directory(path);
  return path;
}

void Workspace::flush() const {
  const int directory = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  syncfs(directory);
  close(directory);
}

void load(Session& session, const Workspace& workspace, std::uint64_t count,
          const std::function<std::uint64_t(std::uint64_t)>& number_of) {
  KeyMaker keys = workspace.keys();
  std::string key_bytes;
  std::vector<Entry> batch;
  for (std::uint64_t first = 0; first < count; first += kBatchSize) {
    if (tools::interrupted()) throw std::runtime_error("interrupted");
    const std::uint64_t size = std::min(kBatchSize, count - first);
    key_bytes.clear();
    key_bytes.reserve(size * kKeySize);  // entries point into it
    batch.clear();
    for (std::uint64_t i = first; i < first + size; ++i) {
      const std::uint64_t number = number_of(i);
      const std::size_t at = key_bytes.size();
      key_bytes += keys.key(number);
      batch.push_back(
          {std::string_view(key_bytes).substr(at, kKeySize), workspace.values().value(number + i)});
    }
    session.put(batch);
  }
}

void warm(Session& session, const Workspace& workspace) {
  KeyMaker keys = workspace.keys();
  session.begin_read();
  session.scan(keys.key(0), workspace.settings().keys);
  session.end_read();
}

}  // namespace quire::bench
