// What the benchmark of queries asks of a store: one table of goods, indexes on it, questions.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tools/bench/workload.h"

namespace quire::bench {

// A record. All of it follows from its number.
struct Goods {
  explicit Goods(std::uint64_t number);
  std::int64_t id;
  std::string sku;       // unique
  std::string category;  // one of 2,000
  std::string name;      // 40 bytes
  double price;
  std::int64_t stock;  // below 1,000,000
  std::int64_t created;
  std::int64_t maker;   // one of 10,000
  std::int64_t rating;  // below 100
};

inline constexpr std::uint64_t kCategories = 2000;
inline constexpr std::uint64_t kMakers = 10'000;
inline constexpr std::int64_t kStock = 1'000'000;
std::string category_name(std::uint64_t number);
std::string sku_of(std::uint64_t number);

// An index, as both say it.
struct GoodsIndex {
  const char* name;
  const char* sql;    // behind ON goods
  const char* quire;  // options
  bool unique = false;
};
// In the order in which rows with 1, 3 and 6 indexes take them.
const std::vector<GoodsIndex>& goods_indexes();

using Argument = std::variant<std::int64_t, double, std::string>;

// One question in both languages, and the arguments that it is asked with.
struct Question {
  const char* id;
  const char* title;
  const char* sql;  // the first column of its rows is a number
  struct {
    const char* filter;
    const char* select;
    const char* group = "";
    const char* order = "";
    std::uint64_t limit = UINT64_MAX;
    std::uint64_t offset = 0;
  } quire;
  std::vector<Argument> (*arguments)(Random& random, std::uint64_t records);
};
const std::vector<Question>& questions();

// What a question was answered with: as many rows, and their first columns added up.
struct Answer {
  std::uint64_t rows = 0;
  std::int64_t sum = 0;
  bool operator==(const Answer&) const = default;
};

// One thread.
class GoodsSession {
 public:
  virtual ~GoodsSession() = default;
  // One transaction.
  virtual void insert(std::uint64_t first, std::uint64_t count) = 0;
  // Before the first question, and after the last: a read transaction, where the store has them.
  virtual void begin_read() = 0;
  virtual void end_read() = 0;
  virtual Answer ask(const Question& question, const std::vector<Argument>& arguments) = 0;
};

class GoodsStore {
 public:
  virtual ~GoodsStore() = default;
  virtual void add_index(const GoodsIndex& index) = 0;
  // Brings what is in the log to where it stays.
  virtual void settle() = 0;
  virtual std::unique_ptr<GoodsSession> session() = 0;
};

// Makes the table; `durable`: each commit is synced, else left to the system.
std::unique_ptr<GoodsStore> make_quire_goods(const std::filesystem::path& directory, bool durable);
std::unique_ptr<GoodsStore> make_sqlite_goods(const std::filesystem::path& directory, bool durable);

}  // namespace quire::bench
