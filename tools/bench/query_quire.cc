// Quire's side of the benchmark of queries, through its C interface alone.
#include <stdexcept>

#include "quire/quire.h"
#include "tools/bench/query_store.h"

namespace quire::bench {
namespace {

void require(int code, const char* what) {
  if (code == QUIRE_OK) return;
  throw std::runtime_error(std::string("quire: ") + what + ": " + quire_last_error());
}

quire_value value_of(std::int64_t number, std::uint32_t type = QUIRE_TYPE_I64) {
  quire_value value{};
  value.type = type;
  value.as.i64 = number;
  return value;
}
quire_value value_of(double number) {
  quire_value value{};
  value.type = QUIRE_TYPE_F64;
  value.as.f64 = number;
  return value;
}
quire_value value_of(const std::string& text) {
  quire_value value{};
  value.type = QUIRE_TYPE_TEXT;
  value.as.bytes = {text.data(), text.size()};
  return value;
}

class Session final : public GoodsSession {
 public:
  Session(quire_db* db, quire_collection goods) : db_(db), goods_(goods) {}

  void insert(std::uint64_t first, std::uint64_t count) override {
    quire_txn* txn = nullptr;
    require(quire_begin(db_, QUIRE_WRITE, &txn), "begin");
    for (std::uint64_t i = first; i < first + count; ++i) {
      const Goods goods(i);
      const quire_value values[] = {
          value_of(goods.id),      value_of(goods.sku),   value_of(goods.category),
          value_of(goods.name),    value_of(goods.price), value_of(goods.stock),
          value_of(goods.created), value_of(goods.maker), value_of(goods.rating)};
      const int code = quire_record_insert(txn, goods_, values, std::size(values));
      if (code == QUIRE_OK) continue;
      const std::string sentence = quire_last_error();
      quire_abort(txn);
      throw std::runtime_error("quire: insert: " + sentence);
    }
    require(quire_commit(txn), "commit");
  }

  void begin_read() override { require(quire_begin(db_, QUIRE_READ, &txn_), "begin"); }
  void end_read() override { quire_abort(txn_); }

  Answer ask(const Question& question, const std::vector<Argument>& arguments) override {
    std::vector<quire_value> values;
    for (const Argument& argument : arguments)
      values.push_back(std::visit([](const auto& value) { return value_of(value); }, argument));
    quire_query_options options = QUIRE_QUERY_OPTIONS_INIT;
    options.filter = question.quire.filter;
    options.select = question.quire.select;
    options.group = question.quire.group;
    options.order = question.quire.order;
    options.limit = question.quire.limit;
    options.offset = question.quire.offset;
    options.arguments = values.data();
    options.argument_count = values.size();
    quire_query* query = nullptr;
    require(quire_query_open(txn_, goods_, &options, &query), question.id);
    size_t columns = 0;
    require(quire_query_column_count(query, &columns), "columns");
    Answer answer;
    quire_value row[4];
    int code = quire_query_next(query, row, columns);
    for (; code == QUIRE_OK; code = quire_query_next(query, row, columns)) {
      ++answer.rows;
      answer.sum += row[0].type == QUIRE_TYPE_F64 ? static_cast<std::int64_t>(row[0].as.f64 * 100)
                                                  : row[0].as.i64;
    }
    if (code != QUIRE_ERR_NOT_FOUND) require(code, question.id);
    quire_query_close(query);
    return answer;
  }

 private:
  quire_db* db_;
  quire_collection goods_;
  quire_txn* txn_ = nullptr;
};

class Store final : public GoodsStore {
 public:
  Store(const std::filesystem::path& directory, bool durable) {
    quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
    options.flags = QUIRE_OPEN_CREATE;
    options.durability = durable ? QUIRE_DURABILITY_ALWAYS : QUIRE_DURABILITY_OS;
    require(quire_open((directory / "goods.quire").c_str(), &options, &db_), "open");
    static const quire_field kFields[] = {{"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
                                          {"sku", QUIRE_TYPE_TEXT, 0, 0, 0, nullptr},
                                          {"category", QUIRE_TYPE_TEXT, 0, 0, 0, nullptr},
                                          {"name", QUIRE_TYPE_TEXT, 0, 0, 0, nullptr},
                                          {"price", QUIRE_TYPE_F64, 0, 0, 0, nullptr},
                                          {"stock", QUIRE_TYPE_I64, 0, 0, 0, nullptr},
                                          {"created", QUIRE_TYPE_I64, 0, 0, 0, nullptr},
                                          {"maker", QUIRE_TYPE_I64, 0, 0, 0, nullptr},
                                          {"rating", QUIRE_TYPE_I64, 0, 0, 0, nullptr}};
    quire_txn* txn = nullptr;
    require(quire_begin(db_, QUIRE_WRITE, &txn), "begin");
    require(quire_collection_create(txn, "goods", kFields, std::size(kFields), &goods_), "create");
    require(quire_commit(txn), "commit");
  }
  ~Store() override { quire_close(db_); }

  void add_index(const GoodsIndex& index) override {
    quire_txn* txn = nullptr;
    require(quire_begin(db_, QUIRE_WRITE, &txn), "begin");
    quire_index_options options = QUIRE_INDEX_OPTIONS_INIT;
    options.options = index.quire;
    require(quire_index_create(txn, goods_, index.name, &options), index.name);
    require(quire_commit(txn), "commit");
  }
  void settle() override { require(quire_checkpoint(db_), "checkpoint"); }
  std::unique_ptr<GoodsSession> session() override {
    return std::make_unique<Session>(db_, goods_);
  }

 private:
  quire_db* db_ = nullptr;
  quire_collection goods_ = 0;
};

}  // namespace

std::unique_ptr<GoodsStore> make_quire_goods(const std::filesystem::path& directory, bool durable) {
  return std::make_unique<Store>(directory, durable);
}

}  // namespace quire::bench
