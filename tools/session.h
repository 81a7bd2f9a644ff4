// What the verbs share: opening the database as asked, finding what is named, saying what went
// wrong.
#pragma once

#include <quire/quire.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "tools/arguments.h"
#include "tools/format.h"
#include "tools/schema.h"

namespace quire::tools {

// Never creates anything.
Database open_for_reading(const Arguments& arguments);
// flags: QUIRE_OPEN_CREATE, QUIRE_OPEN_EXCLUSIVE. Waits for the writer's place as --wait says.
Database open_for_writing(const Arguments& arguments, std::uint32_t flags = 0);

// Commits with the durability that the verb was given, also where the database is open with
// another.
void commit(const Arguments& arguments, Transaction* txn);

// Each throws Failure, naming what there is, when it is not there.
Collection find_collection(const Transaction& txn, const std::string& name);
Keyspace find_keyspace(const Transaction& txn, const std::string& name);
// Its fields, rules and indexes. Throws Failure for a type that this program does not know.
Schema schema_of(const Transaction& txn, const Collection& collection);
// Makes a collection of this schema, with its indexes.
Collection create_collection(const Transaction& txn, const std::string& name, const Schema& schema);
void create_index(const Transaction& txn, const Collection& collection, const Index& index,
                  quire_progress progress = nullptr, void* context = nullptr);

// Positions of the fields named by --fields; all of them when it is empty. Throws Failure.
std::vector<std::size_t> select_fields(const Schema& schema, const std::string& names);

// Checks how many words follow DB: throws Failure saying what `wanted` are.
void require_words(const Arguments& arguments, std::size_t least, std::size_t most,
                   const std::string& wanted);
// Throws Failure, "OPTION why", when one of `options` is given: what does not apply is not ignored.
void refuse_options(const Arguments& arguments, std::initializer_list<std::string> options,
                    const std::string& why);
// --format, or what the name of a file that is read or written says; nothing where neither does.
std::optional<Format> format_of(const Arguments& arguments, const std::string& file);
// Of a file that is written. Throws Failure where its name says vectors.
Format text_format_of(const Arguments& arguments, const std::string& file);
// A key or value of a keyspace, decoded when --hex is given. Throws Failure.
std::string bytes_argument(const Arguments& arguments, const std::string& text);

// The cursor bounds of --from, --to and --prefix.
struct ByteRange {
  std::optional<std::string> from, to, prefix;
};
ByteRange byte_range(const Arguments& arguments);
// The least key greater than all that begin with `prefix`; nothing when there is none.
std::optional<std::string> prefix_end(std::string prefix);

// The sentence of an error of the library, and what to do about it.
std::string explain(const Error& error, const Arguments& arguments);

}  // namespace quire::tools
