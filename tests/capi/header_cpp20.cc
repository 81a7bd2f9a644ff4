// quire.hpp alone, as C++20.
#include "quire/quire.hpp"

int main() {
  const std::vector<quire::Field> fields{{.name = "id",
                                          .type = QUIRE_TYPE_I64,
                                          .key = true,
                                          .rules = quire::default_rules(QUIRE_DEFAULT_NEXT)},
                                         {.name = "size",
                                          .type = QUIRE_TYPE_I64,
                                          .nullable = true,
                                          .rules = quire::Rules{.min = quire::i64_value(0)}}};
  try {
    quire::Database db = quire::Database::open_read_only("no such database");
    const quire::Transaction txn = db.read();
    const quire::Collection goods = *txn.find_collection("goods");
    quire::Query query =
        goods.query({.filter = "size > $1", .arguments = {quire::i64_value(5)}, .limit = 3});
    while (const std::vector<quire::Value>* row = query.next()) {
      if (row->size() != fields.size()) return 1;
    }
    return goods.count({.filter = "size = 1"}) == 0 && goods.indexes().empty() ? 0 : 2;
  } catch (const quire::Error& error) {
    return error.code() == QUIRE_ERR_NOT_FOUND ? 0 : 3;
  }
}
