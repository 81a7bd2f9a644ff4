// One key-value store under test, behind the few operations that the rows of the benchmark need.
//
// Thread safety: a Store is used by any number of threads, a Session by one. Lifetime: sessions end
// before their store. Errors: every failure throws std::runtime_error with the store's own
// sentence; a benchmark has nothing to recover.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quire::bench {

struct Entry {
  std::string_view key;
  std::string_view value;
};

// What an acknowledged commit survives. Each store has both, under its own names.
enum class Durability {
  kAlways,  // power loss
  kOs,      // death of the process
};

enum class Access {
  kReadWrite,
  kReadOnly,
};

class Session {
 public:
  virtual ~Session() = default;

  // One transaction, committed on return.
  virtual void put(std::span<const Entry> entries) = 0;

  // A snapshot that get and scan read, until end_read.
  virtual void begin_read() = 0;
  virtual void end_read() = 0;

  // Each returns something computed from the bytes, so that no store gets away without having
  // touched them. A key that is not there is an error.
  virtual std::uint64_t get(std::string_view key) = 0;
  virtual std::uint64_t scan(std::string_view from, std::size_t count) = 0;

  // A get in a transaction of its own, on the newest commit. Not between begin_read and end_read.
  virtual std::uint64_t get_latest(std::string_view key) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual std::unique_ptr<Session> session() = 0;
  // Brings the files into the shape in which the store reads best: after loading, before measuring.
  virtual void settle() = 0;
};

struct StoreKind {
  std::string name;      // for options and JSON: "lmdb"
  std::string title;     // for tables: "LMDB 0.9.24"
  std::string settings;  // how it is set up, for the report
  bool many_processes;   // other processes can read beside a writer
  std::unique_ptr<Store> (*open)(const std::string& directory, Durability durability,
                                 Access access);
};

// Quire first, then the peers that were found when this was built.
const std::vector<StoreKind>& store_kinds();
const StoreKind* find_store_kind(std::string_view name);

StoreKind quire_kind();
StoreKind lmdb_kind();
StoreKind leveldb_kind();
StoreKind sqlite_kind();

// First byte, last byte and length: the value's cache lines have been read, at no more cost.
inline std::uint64_t touch(const void* data, std::size_t size) noexcept {
  const auto* bytes = static_cast<const unsigned char*>(data);
  return size == 0 ? 0 : size + bytes[0] + bytes[size - 1];
}

}  // namespace quire::bench
