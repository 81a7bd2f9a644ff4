// Part of <quire/quire.hpp>: transactions.
#ifndef QUIRE_HPP_TRANSACTION_HPP
#define QUIRE_HPP_TRANSACTION_HPP

#include <quire/hpp/collection.hpp>
#include <quire/hpp/keyspace.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace quire {
inline namespace api1 {

struct Named {  // a keyspace or collection, as the lists have it
  std::string name{};
  std::uint32_t id = 0;
  std::uint64_t count = 0;  // entries or records
};

class Transaction {
 public:
  Transaction() = default;
  explicit Transaction(quire_txn* txn) : txn_(txn) {}
  Transaction(Transaction&& other) noexcept : txn_(std::exchange(other.txn_, nullptr)) {}
  Transaction& operator=(Transaction&& other) noexcept {
    if (this != &other) {
      abort();
      txn_ = std::exchange(other.txn_, nullptr);
    }
    return *this;
  }
  ~Transaction() { abort(); }

  // Ends it, also when it throws. Returns the commit's log sequence number.
  std::uint64_t commit(std::uint32_t durability = QUIRE_DURABILITY_DEFAULT) {
    std::uint64_t lsn = 0;
    require(quire_commit_ex(std::exchange(txn_, nullptr), durability, &lsn));
    return lsn;
  }
  void abort() noexcept { quire_abort(std::exchange(txn_, nullptr)); }
  // Moves a read transaction to the newest commit.
  void renew() { require(quire_renew(txn_)); }
  std::uint64_t number() const { return quire_txn_number(txn_); }
  explicit operator bool() const noexcept { return txn_ != nullptr; }
  quire_txn* handle() const noexcept { return txn_; }

  std::uint64_t savepoint() {
    std::uint64_t savepoint = 0;
    require(quire_savepoint(txn_, &savepoint));
    return savepoint;
  }
  void rollback_to(std::uint64_t savepoint) { require(quire_rollback_to(txn_, savepoint)); }
  void release(std::uint64_t savepoint) { require(quire_release(txn_, savepoint)); }

  std::optional<Keyspace> find_keyspace(const std::string& name) const {
    quire_keyspace id = 0;
    const int code = quire_keyspace_open(txn_, name.c_str(), 0, &id);
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return Keyspace(txn_, id);
  }
  // Makes it when it is not there. With QUIRE_MUST_CREATE it is an error that it is.
  Keyspace create_keyspace(const std::string& name, std::uint32_t flags = QUIRE_CREATE) {
    quire_keyspace id = 0;
    require(quire_keyspace_open(txn_, name.c_str(), flags, &id));
    return Keyspace(txn_, id);
  }
  void drop(const Keyspace& keyspace) { require(quire_keyspace_drop(txn_, keyspace.id())); }
  std::vector<Named> keyspaces() const {
    detail::List<Named> list;
    const int code = quire_keyspace_list(txn_, add_named, &list);
    return list.take(code);
  }

  std::optional<Collection> find_collection(const std::string& name) const {
    quire_collection id = 0;
    const int code = quire_collection_open(txn_, name.c_str(), &id);
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return Collection(txn_, id);
  }
  Collection create_collection(const std::string& name, std::span<const Field> fields) {
    const detail::CFields c_fields(fields);
    quire_collection id = 0;
    require(quire_collection_create(txn_, name.c_str(), c_fields.data(), c_fields.size(), &id));
    return Collection(txn_, id);
  }
  void drop(const Collection& collection) { require(quire_collection_drop(txn_, collection.id())); }
  std::vector<Named> collections() const {
    detail::List<Named> list;
    const int code = quire_collection_list(txn_, add_named, &list);
    return list.take(code);
  }

 private:
  static int add_named(void* context, const char* name, std::uint32_t id, std::uint64_t count) {
    return static_cast<detail::List<Named>*>(context)->add([&] { return Named{name, id, count}; });
  }

  quire_txn* txn_ = nullptr;
};

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_TRANSACTION_HPP
