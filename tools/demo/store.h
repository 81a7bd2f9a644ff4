// The demo's database: a collection of packages with their vectors, and a keyspace in which each
// transaction notes how far it came. Both change in the same transaction, so that whoever reads
// them together can tell whether a commit is ever seen in half.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quire/quire.hpp"
#include "tools/demo/featurizer.h"
#include "tools/demo/package.h"

namespace quire::demo {

inline constexpr const char* kCollectionName = "packages";
inline constexpr const char* kKeyspaceName = "progress";

// The fields, in the order of their values.
enum class PackageField : std::uint32_t {
  kName,
  kVersion,
  kSection,
  kPriority,
  kInstalledSize,
  kMaintainer,
  kSummary,
  kDescription,
  kEmbedding,
};
inline constexpr std::size_t kFieldCount = 9;
inline constexpr std::uint32_t kEmbeddingField =
    static_cast<std::uint32_t>(PackageField::kEmbedding);

// What is to be in the database, and in which portions it gets there.
struct Load {
  std::vector<Package> packages;
  std::vector<Vector> vectors;
  std::size_t batch_size = 1;

  std::size_t batch_count() const { return (packages.size() + batch_size - 1) / batch_size; }
  // The first package of a batch; for batch_count(), the number of packages.
  std::size_t batch_begin(std::size_t batch) const;
};

// Note of the newest transaction.
struct Progress {
  std::uint32_t batches = 0;
  std::uint64_t records = 0;
};

// Makes the collection, with an index of sizes, and the keyspace, empty, in one durable commit.
void create_schema(Database& database);

// Writes one batch in one durable commit: the records and the note.
void commit_batch(Database& database, const Load& load, std::size_t batch);

Collection packages_of(const Transaction& transaction);
Progress progress_of(const Transaction& transaction);

// Value of a field of a record that came out of the collection.
std::string_view text_of(std::span<const Value> values, PackageField field);
// Of the installed package, in KiB, where the catalogue says it.
std::optional<std::int64_t> size_of(std::span<const Value> values);

// Whether a record has exactly this package and vector, bit for bit.
bool equals(std::span<const Value> values, const Package& package, const Vector& vector);

}  // namespace quire::demo
