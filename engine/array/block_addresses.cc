#include "engine/array/block_addresses.h"

#include <algorithm>
#include <functional>
#include <new>

namespace quire {

TableAddresses::TableAddresses(const PagePtr& table_ptr, std::size_t blocks)
    : table(table_ptr), size(blocks), slots(std::make_unique<Slot[]>(blocks)) {}

ArrayAddresses::ArrayAddresses(std::uint64_t tables, std::uint64_t generation)
    : size_(std::min(tables, kMostTables)),
      generation_(generation),
      slots_(static_cast<std::atomic<const TableAddresses::Slot*>*>(
          std::calloc(size_, sizeof(std::atomic<const TableAddresses::Slot*>)))) {
  if (slots_ == nullptr) throw std::bad_alloc();
}

std::shared_ptr<TableAddresses> ArrayAddresses::find(std::uint64_t table) const {
  const std::scoped_lock lock(mutex_);
  const auto at = tables_.find(table);
  return at == tables_.end() ? nullptr : at->second;
}

void ArrayAddresses::keep(std::uint64_t table, const std::shared_ptr<TableAddresses>& addresses) {
  const std::scoped_lock lock(mutex_);
  const auto [at, is_new] = tables_.try_emplace(table, addresses);
  if (is_new) slots_[table].store(at->second->slots.get(), std::memory_order_release);
}

std::size_t AddressCache::Hash::operator()(const Key& key) const noexcept {
  // A checksum is as good as a hash; a private page has none yet.
  return key.ptr.checksum ^ (key.ptr.page + key.ptr.birth) * 0x9E3779B97F4A7C15ULL ^
         (key.framed ? 1U : 0U) ^ (key.whole ? 2U : 0U);
}

// What is kept under an older generation is of no use.
AddressCache::Entry* AddressCache::find(const Key& key, const Ground& ground) {
  const auto at = index_.find(key);
  if (at == index_.end()) return nullptr;
  if (ground.framed && at->second->generation < ground.generation) return nullptr;
  entries_.splice(entries_.begin(), entries_, at->second);
  return &*at->second;
}

AddressCache::Entry& AddressCache::keep(Entry entry) {
  entries_.push_front(std::move(entry));
  Entry& kept = entries_.front();
  try {
    const auto [at, is_new] = index_.try_emplace(kept.key, entries_.begin());
    if (!is_new) {
      bytes_ -= at->second->bytes;
      entries_.erase(at->second);
      at->second = entries_.begin();
    }
  } catch (...) {
    entries_.pop_front();
    throw;
  }
  bytes_ += kept.bytes;
  while (bytes_ > most_bytes_ && entries_.size() > 1) {
    bytes_ -= entries_.back().bytes;
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
  return kept;
}

std::shared_ptr<ArrayAddresses> AddressCache::array(const PagePtr& root, std::uint64_t tables,
                                                    const Ground& ground) {
  const Key key = key_of(root, ground, /*whole=*/true);
  const std::scoped_lock lock(mutex_);
  // Another count would be of a root that is damaged.
  if (const Entry* found = find(key, ground);
      found != nullptr && found->array->size() == std::min(tables, ArrayAddresses::kMostTables))
    return found->array;
  auto made = std::make_shared<ArrayAddresses>(tables, ground.generation);
  const std::size_t bytes = sizeof(Entry) + sizeof(ArrayAddresses) + made->size() * 8;
  return keep({key, ground.generation, bytes, std::move(made), nullptr}).array;
}

std::shared_ptr<TableAddresses> AddressCache::table(const PagePtr& table, std::size_t blocks,
                                                    const Ground& ground) {
  const Key key = key_of(table, ground, /*whole=*/false);
  const std::scoped_lock lock(mutex_);
  if (const Entry* found = find(key, ground); found != nullptr && found->table->size == blocks)
    return found->table;
  auto made = std::make_shared<TableAddresses>(table, blocks);
  // Of those of before that are in the file nothing has changed.
  if (const auto old = index_.find(key);
      old != index_.end() && old->second->table->size == blocks) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const std::byte* at = old->second->table->slots[i].load(std::memory_order_relaxed);
      if (std::less_equal()(ground.base, at) && std::less()(at, ground.base + ground.map_bytes))
        made->slots[i].store(at, std::memory_order_relaxed);
    }
  }
  const std::size_t bytes = sizeof(Entry) + sizeof(TableAddresses) + blocks * 8;
  return keep({key, ground.generation, bytes, nullptr, std::move(made)}).table;
}

std::size_t AddressCache::bytes() const {
  const std::scoped_lock lock(mutex_);
  return bytes_;
}

}  // namespace quire
