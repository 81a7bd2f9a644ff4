// More words of `quire VERB --help`: schemas, indexes, queries, the shell.
#pragma once

namespace quire::tools::help {

inline constexpr const char* kSchema = R"(
Shows fields, rules, key, indexes and versions of a collection; or changes its fields, in one
transaction. Records are not written again: each keeps the version that it was written with.

Examples:
  quire schema shop.quire products
  quire schema shop.quire products --json > products.schema.json      # for create and load --schema
  quire schema shop.quire products add '{"name": "note", "type": "text", "default": ""}'
  quire schema shop.quire products rename note remark
  quire schema shop.quire products change size '{"type": "f64"}'      # wider: the records stay
  quire schema shop.quire products change size '{"min": 0, "nullable": null}'
  quire schema shop.quire products change ends '{"ttl": true}'        # when a record is over: see purge
  quire schema shop.quire products drop remark                        # with its values
  quire schema shop.quire products expect products.schema.json        # exit code 1: it is another
  quire schema shop.quire products rewrite                            # brings all to one version
  quire schema shop.quire products name goods                         # another name for the collection

`add` takes a field as it stands in a schema file; `change` the members that are to be others, null
for one that goes. A field that can't be null needs a default when there are records. Widening is bool
to i64, i64 to f64, text to bytes.)";

inline constexpr const char* kIndex = R"(
Lists the indexes of a collection, or makes, removes, renames and rebuilds one. FIELDS are the parts of
the key: fields, '-field' for descending, 'tags[]' for the elements of an array, 'doc.price.net' for a
place in JSON; or, with --kind hnsw, the field of vectors that `quire search` is to search.

Examples:
  quire index shop.quire products list
  quire index shop.quire products create by_section section,-size --covering name
  quire index shop.quire products create by_mail mail --unique --ignore-case
  quire index shop.quire products create by_tag 'tags[]' --where "section = 'gui'"
  quire index shop.quire products create by_name --options '{"fields": ["name"]}'
  quire index shop.quire products create near vector --kind hnsw --metric cosine
  quire index shop.quire products create wide --kind hnsw --options '{"field": "vector", "m": 32}'
  quire index shop.quire products rename by_tag tags
  quire index shop.quire products drop by_mail
  quire index shop.quire products rebuild by_section

docs/indexes.md has all options of each kind, and what the figures say.)";

inline constexpr const char* kQuery = R"(
Prints the records that a filter finds, or what is selected of them. Which indexes help is found out;
`quire explain` shows it. docs/filters.md is the manual of filters.

Examples:
  quire query shop.quire products "section = 'gui' and size > 100" --order 'size desc' --limit 10
  quire query shop.quire products 'name like $1' --arg 'lib%' --select 'name, size / 1024 as kib'
  quire query shop.quire products 'section = $s and size in $sizes' --param s=gui --param 'sizes=[1,2]'
  quire query shop.quire products --group section --select 'section, count(), max(size)' --json
  quire query shop.quire products "tags has 'x'" --csv > found.csv
  quire query shop.quire products --order name --limit 100 --give-token      # and then
  quire query shop.quire products --order name --limit 100 --token 0a1b2c...

A VALUE is JSON (5, 2.5, true, null, "5", ["a", "b"]), x'00ff' for bytes, else a text as it stands.
Where a budget is used up, the rows that were found are printed, and the exit code is 2.)";

inline constexpr const char* kExplain = R"(
Runs a query without printing its rows, and shows how its records were found: what was expected, and
what was done. --json gives the plan as the library has it.

Examples:
  quire explain shop.quire products "section = 'gui' and size > 100" --order size
  quire explain shop.quire products "section = 'gui'" --plan
  quire explain shop.quire products "section = 'gui'" --no-index --json)";

inline constexpr const char* kCount = R"(
Counts the records that a filter finds: two descents of an index, where one answers the filter.

Examples:
  quire count shop.quire products "section = 'gui'"
  quire count shop.quire products 'size between $1 and $2' --arg 10 --arg 20 --json)";

inline constexpr const char* kUpdate = R"(
Changes fields of all records that a filter finds, in one transaction: all of them or, if one does not
fit, none. FIELD=VALUE takes a value as a CSV cell has it, FIELD:=JSON one in JSON.

Examples:
  quire update shop.quire products "section = 'gui'" section=desktop
  quire update shop.quire products 'size < $1' --arg 10 size:=null 'tags:=["small"]'
  quire update shop.quire products --all checked=false
  quire update shop.quire products --record p-17 size=43 --if version=3

With --record KEY one record is changed; with --if only when it has these values now, else the exit
code is 1 and nothing is changed. So a program that read version 3 loses nobody's change.)";

inline constexpr const char* kDelete = R"(
Deletes all records that a filter finds, in one transaction. Without a filter it wants --all.

Examples:
  quire delete shop.quire products "section = 'gui'"
  quire delete shop.quire products 'made < $1' --arg 2020-01-01 --order made --limit 1000
  quire delete shop.quire products --all)";

inline constexpr const char* kPurge = R"(
Deletes the records whose time is over: the time in the field that the schema calls "ttl". Of one
collection, or of all that have such a field; 256 records a transaction, so that others may write in
between. With an index on the field no other records are read.

Examples:
  quire schema shop.quire sessions change ends '{"ttl": true}'        # once: a timestamp
  quire index shop.quire sessions create by_end ends --where 'ends is not null'
  quire purge shop.quire sessions
  quire purge shop.quire --limit 10000 --json)";

inline constexpr const char* kBatch = R"(
Carries out changes of a collection in one transaction, one JSON object a line:

  {"insert": {"id": "a", "size": 5}}
  {"upsert": {"id": "b", "size": 6}, "if": {"version": 2}}
  {"update": "c", "set": {"size": 7}, "if": {"size": 5, "note": null}}
  {"delete": "d"}

"if" is what the record has to have now. Where a change fails, none is carried out; with --partial the
others are, and those that failed are told by their lines. Exit code 1: changes failed.

Examples:
  quire batch shop.quire products changes.ndjson
  quire batch shop.quire products changes.ndjson --partial --json
  quire batch shop.quire products - --once order-4711 < changes.ndjson

With --once KEY the outcome is remembered: after a lost answer send the same batch with the same key
again, and it is applied once, whatever happened. A key of several fields is an array: [2024, 17].)";

inline constexpr const char* kShell = R"(
Reads verbs and carries them out, each in a transaction of its own: the verbs of this program without
DB, with the same quotes as in a shell. The database stays open between lines, for reading; with --write
for writing too, and no other process writes meanwhile. On a terminal there is history, and the tabulator completes
verbs, collections and fields. Else lines come from standard input, and the first that fails ends it,
with its exit code. --json: begins in that mode.

Examples:
  quire shell shop.quire
  quire shell shop.quire --write --durability os
  echo 'count products "size > 5"' | quire shell shop.quire

Within it:
  query products "section = 'gui'" --limit 5
  .help           # the commands that begin with a dot)";

inline constexpr const char* kShellCommands = R"(
VERB ...               a verb of quire, without DB; `VERB --help` explains it
.collections           names and numbers of records; .tables is the same
.schema [COLLECTION]   fields, rules, indexes
.mode table|json|csv   how rows are printed (csv: those of query)
.timing on|off         how long each line takes
.quit                  ends it, as the end of the input does; .exit is the same
# ...                  nothing)";

}  // namespace quire::tools::help
