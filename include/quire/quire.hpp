// Quire for C++20: handles that close themselves, and exceptions, over quire.h and nothing else.
//
//     quire::Database db = quire::Database::open("shop.quire");
//     quire::Transaction txn = db.write();
//     quire::Keyspace names = txn.create_keyspace("names");
//     names.put("k1", "hello");
//     const std::vector<quire::Field> fields{
//         {.name = "id", .type = QUIRE_TYPE_I64, .key = true,
//          .rules = quire::default_rules(QUIRE_DEFAULT_NEXT)},
//         {.name = "size", .type = QUIRE_TYPE_I64, .nullable = true}};
//     quire::Collection goods = txn.create_collection("goods", fields);
//     goods.create_index("by_size", {.options = R"({"fields": ["size"]})"});
//     goods.insert(std::array{quire::default_value(), quire::i64_value(42)});
//     quire::Query query = goods.query({.filter = "size > 5", .order = "size"});
//     while (const std::vector<quire::Value>* row = query.next()) use(*row);
//     txn.commit();
//
// Errors: everything that fails throws quire::Error, which has the code of quire.h and the
// sentence. "Not there" is an answer, not an error, wherever a function returns an optional or a
// bool. What a callback throws comes out of the call that called it.
//
// Lifetime: a Transaction must end before its Database is closed, a Cursor, Query, Keyspace or
// Collection is of use only while its Transaction is open. What is not committed is undone by the
// destructor. string_views, spans and Values that come out are borrowed from the library: good
// until the transaction ends, and in a write transaction until its next change; OwnedValue copies
// one. What goes in is borrowed for the call alone, but by Keys, Expecteds and Changes, which
// borrow as long as they live.
//
// Thread safety is that of quire.h: a Database is for all threads, the rest for one at a time.
#ifndef QUIRE_QUIRE_HPP
#define QUIRE_QUIRE_HPP

#include <quire/hpp/database.hpp>
#include <quire/hpp/files.hpp>

#endif  // QUIRE_QUIRE_HPP
