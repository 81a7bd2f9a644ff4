// The words of `quire --help` and `quire VERB --help`. They must suffice to use the program.
#pragma once

namespace quire::tools::help {

inline constexpr const char* kProgram =
    R"(Quire: an embedded database. A database is a directory; in it are collections (records of typed
fields and vectors, under a key) and keyspaces (plain keys and values).)";

inline constexpr const char* kProgramFooter = R"(
First steps:
  quire load shop.quire products products.ndjson     # makes database and collection, infers types
  quire get shop.quire products p-17
  quire scan shop.quire products --limit 5
  quire query shop.quire products "size > 100 and name like 'a%'" --order 'size desc' --limit 10
  quire search shop.quire products --field vector --like p-17 -k 5
  quire stat shop.quire
  quire shell shop.quire

`quire VERB --help` explains a verb, with examples. An argument that begins with '-' goes behind
'--': quire get shop.quire temperatures -- -5. '-' as FILE is standard input or output.

Output: standard output is data, standard error is messages. --json makes the data JSON: one object,
or one object a line. Exit codes: 0 done; 1 a negative answer (key not found, damage found);
2 wrong use or failure; 130 interrupted (SIGINT).)";

inline constexpr const char* kCreate = R"(
Makes an empty database, and in it, if named, an empty collection (with --schema) or keyspace.
Fails when the database is there, unless a collection or keyspace is to be added to it. A collection
that is there is an error; a keyspace that is there is fine, and --json says "created": false.

Examples:
  quire create shop.quire
  quire create shop.quire --page-size 16384
  quire create shop.quire products --schema products.schema.json
  quire create shop.quire --keyspace settings

A schema file is JSON:
  {"fields": [{"name": "id", "type": "text"},
              {"name": "size", "type": "i64", "nullable": true, "min": 0},
              {"name": "tags", "type": "text[]", "default": []},
              {"name": "vector", "type": "vector", "dimension": 384}],
   "key": "id",
   "indexes": [{"name": "by_size", "kind": "sorted", "options": {"fields": ["size"]}}]}
Types: bool, i64, f64, text, bytes, timestamp, json; arrays of scalars (i64[], text[], ...); vector (of
32-bit floats), vector_f16, vector_i8, vector_bits. "key" may be a list of fields. Rules: default,
generated (now, next, uuid, version), min, max, min_length, max_length, one_of, pattern. "ttl": true makes
a timestamp the time at which its record is over: see `quire purge --help`.)";

inline constexpr const char* kPut = R"(
Inserts a record or replaces the one with its key; or puts a key into a keyspace, which is made when
it is not there. The database must be there.

Examples:
  quire put shop.quire products '{"id": "p-17", "size": 42}'
  quire put shop.quire products - < record.json         # one JSON object
  quire put shop.quire products '{"id": "p-17", "size": 43}' --if size=42   # else exit code 1
  quire put shop.quire --keyspace settings theme dark
  quire put shop.quire --keyspace pictures logo - < logo.png
  quire put shop.quire --keyspace codes --hex 00ff cafe

In JSON, fields of type bytes are base64 texts, timestamps are like "2024-05-01T12:00:00Z" or
integer microseconds since 1970. A field that is left out has its default, or is null. A key that is
made for the record is told. Exit code 1: --no-overwrite, and the key is there.)";

inline constexpr const char* kGet = R"(
Prints a record, or the value of a key. A key of several fields is an array in JSON. Exit code 1: there
is none.

Examples:
  quire get shop.quire products p-17
  quire get shop.quire products p-17 --json
  quire get shop.quire orders '[2024, 17]'              # a key of two fields
  quire get shop.quire products p-17 --json --fields id,size
  quire get shop.quire --keyspace settings theme
  quire get shop.quire --keyspace pictures logo --raw > logo.png
  quire get shop.quire --keyspace codes --hex 00ff)";

inline constexpr const char* kDel = R"(
Deletes records or keys, all of them in one transaction. Keys that are not there are named and make
the exit code 1; the others are deleted.

Examples:
  quire del shop.quire products p-17 p-18
  quire del shop.quire products p-17 --if version=3             # else exit code 1
  quire del shop.quire --keyspace settings theme
  quire del shop.quire --keyspace sessions --prefix 2023-       # a range of a keyspace
  quire del shop.quire --keyspace sessions --from a --to m      # a <= key < m)";

inline constexpr const char* kDrop = R"(
Removes a collection or keyspace with all it has, in one transaction.

Examples:
  quire drop shop.quire products
  quire drop shop.quire --keyspace sessions)";

inline constexpr const char* kScan = R"(
Prints records in order of their key, or keys and values in order of bytes.

Examples:
  quire scan shop.quire products --limit 20
  quire scan shop.quire products --from p-10 --to p-20 --fields id,size   # p-10 <= key < p-20
  quire scan shop.quire orders --from '[2024]'          # all keys that begin so, and behind
  quire scan shop.quire products --json | jq .size
  quire scan shop.quire --keyspace settings --prefix theme.
  quire scan shop.quire --keyspace sessions --reverse --limit 1           # the last key
--reverse and --prefix are for keyspaces. With --json a key or value that is not UTF-8 is given in
hexadecimal as "key_hex" or "value_hex"; --hex does that for all, and reads --from, --to and --prefix
so.)";

inline constexpr const char* kLoad = R"(
Loads records from NDJSON (a JSON object a line) or CSV (with a header row), or vectors from .fvecs,
.bvecs, .fbin, .u8bin, .i8bin, .npy or an index that hnswlib saved (.hnsw), a batch a commit. Makes
the database and the collection when they are not there. Without --schema the types of a new
collection are inferred from the first records, and shown. FILE '-' is standard input.

Examples:
  quire load shop.quire products products.ndjson
  quire load shop.quire products products.csv --key sku --upsert
  zcat big.ndjson.gz | quire load shop.quire products - --schema schema.json
  quire load shop.quire products dirty.csv --on-error skip
  quire load shop.quire products products.ndjson --from-line 50001   # go on after an error
  quire load shop.quire --keyspace settings settings.ndjson          # {"key": ..., "value": ...}
  quire load shop.quire base base.fvecs                              # fields id and vector
  quire load shop.quire base index.bin --format hnswlib              # id: the label
  quire load shop.quire products embeddings.npy --vector-fields nr,embedding

A row of a file of vectors becomes an id, the number of the row from 0 or the label that hnswlib has
for it, and a vector: fields 'id' and 'vector', or those of --vector-fields ('VECTOR' alone: no id,
where the key is generated). --from-line counts rows, from 1. Of .npy: arrays of rows of f2, f4, f8 or
integers, C order, little-endian; of one dimension: one row. Of an index the vectors are taken (of
32-bit floats), not the graph, and elements that are marked as deleted are left out, and counted. A
new collection gets vectors of 32-bit floats, of f2 vector_f16, of i1 vector_i8. A file whose size is
not what its header says is refused, or with --on-error skip loaded as far as it goes (exit code 2).

Inference: integers are i64, other numbers f64, true and false bool, arrays of numbers of one length
vectors of that dimension, other arrays i64[], f64[], bool[] or text[], objects and what is mixed json,
texts text. A field that is null or missing somewhere is nullable. The key is the field 'id', else
'key', else 'name', unless --key says otherwise ('year,number' for one of two fields). In CSV a vector
or an array is a JSON array, a vector also numbers with blanks between, in a quoted cell; an empty cell
is null, "" an empty text. A bad
record among those read for inference fails the load before anything is made, unless --on-error skip
leaves it out.

A bad record (not JSON, unknown field, wrong type or dimension, key there already) stops the load:
its batch is undone, earlier ones stay, and the message says where to go on. --on-error skip
reports and skips it. A CSV quote that is never closed takes all behind it with it: the load ends
there, with exit code 2 also when bad records are skipped. SIGINT undoes the current batch and
reports in the same way (exit code 130).)";

inline constexpr const char* kDump = R"(
Writes all records, or all keys and values, as of one moment, in a form that `load` reads. A file is
replaced only when the dump is complete.

Examples:
  quire dump shop.quire products > products.ndjson
  quire dump shop.quire products products.csv                 # format by the file's name
  quire dump shop.quire products backup.ndjson --write-schema backup.schema.json
  quire load copy.quire products backup.ndjson --schema backup.schema.json
  quire dump shop.quire --keyspace settings settings.ndjson

Numbers are written so that they read back to the same value. The schema file keeps what the data
alone does not tell: bytes, timestamps, f64 fields of whole numbers in CSV, rules, indexes.)";

inline constexpr const char* kSearch = R"(
Prints the k records whose vectors are nearest to a query, nearest first; exact distances. Where the
field has an index of the kind hnsw by the metric (`quire index`), it is used, and may miss a few.

Examples:
  quire search shop.quire products --field vector --like p-17 -k 5
  quire search shop.quire products --field vector --literal '[0.1, 0.9, 0]' --metric cosine
  quire search shop.quire products --field vector --vector query.npy -k 20 --fields id,size
  quire search shop.quire products --field vector --like p-17 --where 'stock > $1' --arg 0
  quire search shop.quire products --field vector --like p-17 --ef 400       # looks farther
  quire search shop.quire products --field vector --like p-17 --target high  # finds 99% in the mean
  quire search shop.quire products --field vector --like p-17 --exact        # measures every vector
  quire search shop.quire products --like p-17 --like p-4 --unlike p-9 --per brand --within 0.5
  quire search shop.quire products --like p-17 --diversity 0.3               # not all the same
  embed "red shoes" | quire search shop.quire products --field vector --vector - --json

--like takes the vector of a stored record, or the mean of several, and leaves them out of the
answer; --unlike goes as far again from the mean of others. --after takes the "at" of a hit in JSON,
and gives the next page. A vector file
is a JSON array, raw little-endian 32-bit floats (exactly 4 bytes a dimension), .npy (one row), or
.fvecs, .bvecs, .fbin, .u8bin, .i8bin (the first row); its numbers, and those of --literal, have to fit the field: whole
numbers from -128 to 127 in a vector_i8, 0 and 1 in a vector_bits. Distances: l2 is squared; ip is
minus the inner product; cosine is 1 - cosine; l1 is the sum of absolute differences; hamming counts
bits that differ; jaccard is 1 - bits that both have / bits that either has. --where searches among
the records that a filter finds, and measures all of these. With --index and without --metric the
metric is that of the index. Exit code 1: no record with the key of --like.)";

inline constexpr const char* kStat = R"(
Prints what is in the database, its size, log, pages, and who has it open: the writer, the readers,
the oldest of them. It opens the database read-only, so what only the writer's process knows (quota,
bytes of log, pinned pages, counts of commits and syncs) is null in JSON.

Examples:
  quire stat shop.quire
  quire stat shop.quire --json | jq '.collections[] | {name, records}')";

inline constexpr const char* kCheck = R"(
Verifies every page, count, order and record, and the log; others may go on reading and writing.
Like every verb that reads, it first recovers a database that was not closed in order, if it may
write it: check damaged files on a copy. Exit code 0: clean; 1: damage, each on a line of its own.

Examples:
  quire check shop.quire
  quire check shop.quire --json)";

inline constexpr const char* kCheckpoint = R"(
Brings all committed data into the data file and releases the log before it. Quire does so by itself;
this is for before a copy, or after a load. Needs the writer's place.

Example:
  quire checkpoint shop.quire)";

inline constexpr const char* kMaintain = R"(
Does what indexes of vectors have put off at commits: links new vectors, takes deleted ones out. The
process that writes does so by itself, in time; this is for before a copy, before a database that is
written by short programs is searched much, or for a measurement. Needs the writer's place. `quire
index DB COLLECTION` shows what waits: tail and dead.

Example:
  quire maintain shop.quire)";

inline constexpr const char* kInspect = R"(
Shows a part of the files as JSON, without opening the database: works on many damaged ones. The log
is shown where one meta page at least is good.

Examples:
  quire inspect shop.quire meta            # the two meta pages
  quire inspect shop.quire page 17
  quire inspect shop.quire segment         # a list of the log's segments
  quire inspect shop.quire segment 3
  quire inspect shop.quire readers         # the head and the reader table, as last written)";

inline constexpr const char* kRecover = R"(
Makes the database NEW out of all that can be read of DB, which is damaged, and says what is lost:
each range of keys or records with the page and the reason, and how many there were. DB is only
read, and nobody can open it meanwhile. Nothing may be there at NEW. With --unverified entries are
taken too that no checksum vouches for; each page of such is listed. Exit code 0: nothing is lost;
1: NEW is made, and something is missing from it or unverified; 2: there is no NEW.

Examples:
  quire recover shop.quire saved.quire
  quire recover shop.quire saved.quire --unverified
  quire recover shop.quire saved.quire --json | jq 'select(.finding == "lost").text')";

}  // namespace quire::tools::help
