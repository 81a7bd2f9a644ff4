#!/usr/bin/env python3
"""All types of fields, keys of several fields, rules and defaults: in and out, in NDJSON and CSV."""

import json

import cli_world
from cli_world import CliTest, ndjson, parse_lines

EVERYTHING = {
    "fields": [
        {"name": "year", "type": "i64"},
        {"name": "code", "type": "text"},
        {"name": "doc", "type": "json", "nullable": True},
        {"name": "flags", "type": "bool[]"},
        {"name": "counts", "type": "i64[]", "nullable": True},
        {"name": "shares", "type": "f64[]"},
        {"name": "tags", "type": "text[]", "max_length": 3, "one_of": ["a", "b c", "\"", ""]},
        {"name": "blobs", "type": "bytes[]"},
        {"name": "times", "type": "timestamp[]"},
        {"name": "v", "type": "vector", "dimension": 2, "nullable": True},
        {"name": "h", "type": "vector_f16", "dimension": 2},
        {"name": "i", "type": "vector_i8", "dimension": 3},
        {"name": "bits", "type": "vector_bits", "dimension": 10, "nullable": True},
        {"name": "size", "type": "i64", "default": 7, "min": 0, "max": 100},
        {"name": "at", "type": "timestamp", "generated": "now"}],
    "key": ["year", "code"],
    "indexes": [{"name": "by_size", "kind": "sorted", "options": {"fields": ["size"]}},
                {"name": "by_tag", "kind": "sorted", "options": {"fields": ["tags[]"]}}]}
RECORDS = (
    '{"year":2023,"code":"a,b","doc":{"x":[1.50,null],"y":"\\u0041"},"flags":[true,false],'
    '"counts":[-9223372036854775808,9223372036854775807],"shares":[0.1,1.0,"NaN"],'
    '"tags":["a","b c","\\""],"blobs":["AP8=",""],"times":["2024-05-01T12:00:00.5Z"],"v":[0.1,-2],'
    '"h":[0.5,65504],"i":[-128,0,127],"bits":[1,0,0,0,0,0,0,0,1,1],"size":0,'
    '"at":"2024-01-01T00:00:00Z"}\n'
    '{"year":2024,"code":"","doc":"just a text","flags":[],"counts":null,"shares":[],"tags":[""],'
    '"blobs":[],"times":[],"v":null,"h":[-0.0,0.1],"i":[1,2,3],"bits":null,"size":100,'
    '"at":"2024-01-01T00:00:00Z"}\n'
    '{"year":2024,"code":"z","doc":null,"flags":[true],"counts":[],"shares":[-1e-300],"tags":[],'
    '"blobs":["AA=="],"times":["1969-12-31T23:59:59.999999Z","2024-05-01T12:00:00Z"],"v":[1,2],'
    '"h":[1,2],"i":[0,0,0],"bits":[0,0,0,0,0,0,0,0,0,0],"size":5,'
    '"at":"2024-01-01T00:00:00Z"}\n').replace("0.1]", "0.099975586]")


class Types(CliTest):
    def setUp(self):
        super().setUp()
        self.schema = self.file("schema.json", json.dumps(EVERYTHING))
        self.good("load", self.db, "c", "-", "--schema", self.schema, stdin=RECORDS)

    def test_dump_gives_what_was_loaded(self):
        self.assertEqual(self.dump(self.db, "c"), RECORDS)

    def test_dump_and_load_give_the_same_collection(self):
        written = self.path("written.json")
        for form in ("ndjson", "csv"):
            file = self.path(f"records.{form}")
            self.good("dump", self.db, "c", file, "--write-schema", written)
            with open(written, encoding="utf-8") as schema:
                self.assertEqual(json.load(schema), EVERYTHING)
            other = self.path(f"{form}.quire")
            self.good("load", other, "c", file, "--schema", written)
            self.assertEqual(self.dump(other, "c"), RECORDS)
            self.assertEqual(self.good("check", other).out, "clean\n")
            stat = json.loads(self.good("stat", other, "--json").out)["collections"][0]
            self.assertEqual(stat, {"name": "c", "records": 3, **EVERYTHING})

    def test_the_document_null_is_not_null(self):
        fields = {"fields": [{"name": "id", "type": "i64"},
                             {"name": "may", "type": "json", "nullable": True,
                              "default": {"$json": None}},
                             {"name": "has", "type": "json"}], "key": "id"}
        schema = self.file("docs.json", json.dumps(fields))
        # What `may` has; the second is null. `has` has the same document.
        documents = ({"$json": None}, None, {"$json": {"$json": None}}, {"$json": {"$json": 5}},
                     {"$json": 1, "a": 2}, [None], {"a": None})
        records = [{"id": i, "may": d, "has": d if d is not None else {"$json": None}}
                   for i, d in enumerate(documents)]
        last = len(records)
        # A bare null is the document where nothing else can be meant; what is left out is the default.
        self.good("load", self.db, "d", "-", "--schema", schema,
                  stdin=ndjson(records) + f'{{"id":{last},"has":null}}\n')
        records.append({"id": last, "may": {"$json": None}, "has": {"$json": None}})
        self.assertEqual(parse_lines(self.dump(self.db, "d")), records)
        for form in ("ndjson", "csv"):
            file, other = self.path(f"docs.{form}"), self.path(f"docs-{form}.quire")
            self.good("dump", self.db, "d", file, "--write-schema", self.path("written.json"))
            with open(self.path("written.json"), encoding="utf-8") as written:
                self.assertEqual(json.load(written), fields)
            self.good("load", other, "d", file, "--schema", self.path("written.json"))
            self.assertEqual(self.dump(other, "d"), self.dump(self.db, "d"))
        self.assertRegex(self.good("get", self.db, "d", 0).out, r"may +null\n")
        self.good("update", self.db, "d", "id = 0", "may:=null", "has:=null")
        self.assertEqual(json.loads(self.good("get", self.db, "d", 0, "--json").out),
                         {"id": 0, "may": None, "has": {"$json": None}})
        self.good("update", self.db, "d", "id = 0", "may=null")
        self.assertEqual(json.loads(self.good("get", self.db, "d", 0, "--json").out)["may"],
                         {"$json": None})

    def test_keys_of_several_fields(self):
        get = json.loads(self.good("get", self.db, "c", '[2024, ""]', "--json", "--fields",
                                   "doc,size").out)
        self.assertEqual(get, {"doc": "just a text", "size": 100})
        self.negative("get", self.db, "c", '[2024, "no"]')
        self.failed("the key is (year, code), so it is written as a JSON array of 2 values",
                    "get", self.db, "c", "2024")
        self.failed("wrong key: field 'year' is i64: found a text", "get", self.db, "c", '["x", ""]')

        def codes(*args):
            out = self.good("scan", self.db, "c", "--json", *args).out
            return [line["code"] for line in parse_lines(out)]

        self.assertEqual(codes("--from", "[2024]"), ["", "z"])
        self.assertEqual(codes("--to", "[2024]"), ["a,b"])
        self.assertEqual(codes("--from", '[2024, "a"]'), ["z"])
        self.failed("array of up to 2 values", "scan", self.db, "c", "--from", "2024")
        done = self.negative("del", self.db, "c", '[2024, "z"]', '[1, "x"]', "--json")
        self.assertEqual(json.loads(done.out), {"deleted": 1, "missing": 1})
        self.assertEqual(codes(), ["a,b", ""])

    def test_tables_show_every_type(self):
        table = self.good("get", self.db, "c", '[2023, "a,b"]').out
        for wanted in ('doc     {"x":[1.50,null],"y":"\\u0041"}', "flags   [true,false]",
                       "h       [0.5 6.55e+04]", "bits    [1 0 0 ... 10]"):
            self.assertIn(wanted + "\n", table)

    def test_put_fills_in_defaults_and_keeps_rules(self):
        record = {"year": 1, "code": "n", "flags": [], "shares": [], "tags": ["a"], "blobs": [],
                  "times": [], "h": [0, 0], "i": [0, 0, 0]}
        self.good("put", self.db, "c", json.dumps(record))
        got = json.loads(self.good("get", self.db, "c", '[1, "n"]', "--json").out)
        self.assertEqual((got["size"], got["doc"]), (7, None))
        self.assertGreater(got["at"], "2024-06")
        for change, wanted in (({"size": 101}, "maximum"), ({"tags": ["q"]}, "'tags'"),
                               ({"tags": [1]}, "element 1: field 'tags' is text: found an integer"),
                               ({"h": [0, 1e6]}, "does not fit a 16-bit float"),
                               ({"bits": [2] * 10}, "neither 0 nor 1"), ({"size": None}, "not nullable"),
                               ({"i": [0, 0]}, "2 numbers where the vector has dimension 3")):
            self.failed(wanted, "put", self.db, "c", json.dumps(dict(record, **change)))

    def test_search_with_keys_of_several_fields(self):
        out = self.good("search", self.db, "c", "--literal", "[1, 2]", "-k", 1, "--json", "--fields",
                        "size", "--field", "v").out
        hit = json.loads(out)
        self.assertRegex(hit.pop("at"), "^0,[0-9]+,1$")
        self.assertEqual(hit,
                         {"rank": 1, "distance": 0, "key": [2024, "z"], "record": {"size": 5}})
        out = self.good("search", self.db, "c", "--field", "v", "--like", '[2024, "z"]', "--json").out
        self.assertEqual([hit["key"] for hit in parse_lines(out)], [[2023, "a,b"]])

    def test_search_in_vectors_of_every_type(self):
        def hits(field, *args):
            out = self.good("search", self.db, "c", "--field", field, "--json", *args).out
            return [(hit["key"][1], hit["distance"]) for hit in parse_lines(out)]

        self.assertEqual(hits("h", "--literal", "[1, 3]", "-k", 1), [("z", 1)])
        self.assertEqual(hits("i", "--literal", "[-128, 0, 125]", "-k", 1), [("a,b", 4)])
        self.assertEqual(hits("i", "--literal", "0 0 1", "--metric", "l1"),
                         [("z", 1), ("", 5), ("a,b", 254)])
        self.assertEqual(hits("bits", "--literal", "[1,1,0,0,0,0,0,0,0,0]"), [("z", 2), ("a,b", 3)])
        self.assertEqual(hits("bits", "--literal", "[1,1,0,0,0,0,0,0,0,0]", "--metric", "jaccard"),
                         [("a,b", 0.75), ("z", 1)])
        self.assertEqual(hits("i", "--vector", self.file("q", "[1, 2, 3]"), "-k", 1), [("", 0)])
        self.assertEqual(hits("bits", "--like", '[2024, "z"]'), [("a,b", 3)])
        self.assertEqual(hits("i", "--like", '[2024, ""]', "-k", 1), [("z", 14)])
        for wanted, *args in (
                ("128 is not a whole number from -128 to 127", "i", "--literal", "[0, 128, 0]"),
                ("0.5 is not a whole number", "i", "--vector", self.file("half", "[0, 0.5, 0]")),
                ("/half': field 'i'", "i", "--vector", self.file("half", "[0, 0.5, 0]")),
                ("does not fit a 16-bit float", "h", "--literal", "[0, 1e6]"),
                ("--literal: field 'bits': 2 is neither 0 nor 1", "bits", "--literal",
                 "[0,0,0,0,0,0,0,0,0,2]"),
                ("no l2 distance over vectors of bits", "bits", "--metric", "l2", "--literal",
                 "[0,0,0,0,0,0,0,0,0,1]"),
                ("no hamming distance over vectors of i8", "i", "--metric", "hamming", "--literal",
                 "[0,0,0]"),
                ("null", "bits", "--like", '[2024, ""]'),
                ("field 'size' is i64; vector fields are v, h, i, bits", "size", "--literal", "[1]")):
            self.failed(wanted, "search", self.db, "c", "--field", *args)
        self.failed("Give --field, one of v, h, i, bits", "search", self.db, "c", "--literal", "[1]")


class Generated(CliTest):
    def create(self, *fields, **more):
        schema = self.file("s.json", json.dumps({"fields": list(fields), "key": "id", **more}))
        self.good("create", self.db, "c", "--schema", schema)

    def test_a_made_key_is_told(self):
        self.create({"name": "id", "type": "i64", "generated": "next"},
                    {"name": "t", "type": "text"})
        self.assertIn("its key is 1", self.good("put", self.db, "c", '{"t":"a"}').err)
        done = self.good("put", self.db, "c", '{"t":"b"}', "--json")
        self.assertEqual(json.loads(done.out), {"put": 1, "key": 2})
        self.good("load", self.db, "c", "-", stdin='{"t":"c"}\n{"t":"d"}\n')
        self.good("load", self.db, "c", "-", "--format", "csv", stdin="id,t\n,e\n")
        self.assertEqual([(r["id"], r["t"]) for r in parse_lines(self.dump(self.db, "c"))],
                         list(enumerate("abcde", 1)))

    def test_a_version_is_counted_kept_by_dump_and_has_to_fit(self):
        self.create({"name": "id", "type": "i64"}, {"name": "t", "type": "text"},
                    {"name": "v", "type": "i64", "generated": "version"})
        self.good("put", self.db, "c", '{"id":1,"t":"a"}')
        self.good("put", self.db, "c", '{"id":1,"t":"b","v":1}')
        self.good("update", self.db, "c", "id = 1", "t=c")
        self.assertEqual(parse_lines(self.dump(self.db, "c")), [{"id": 1, "t": "c", "v": 3}])
        self.assertIn("'v'", self.negative("put", self.db, "c", '{"id":1,"t":"d","v":2}').err)
        self.failed("line 1", "load", self.db, "c", "-", "--upsert", stdin='{"id":1,"t":"d","v":2}\n')
        other, schema = self.path("other.quire"), self.path("written.json")
        dumped = self.dump(self.db, "c", "-", "--write-schema", schema)
        self.good("load", other, "c", "-", "--schema", schema, stdin=dumped)
        self.assertEqual(self.dump(other, "c"), dumped)
        self.assertIn("counts changes", self.good("schema", other, "c").out)

    def test_a_unique_index_makes_bad_records(self):
        self.create({"name": "id", "type": "i64"}, {"name": "mail", "type": "text"},
                    indexes=[{"name": "mails", "kind": "sorted",
                              "options": {"fields": ["mail"], "unique": True}}])
        records = ndjson({"id": i, "mail": m} for i, m in enumerate("aba"))
        self.failed("line 3", "load", self.db, "c", "-", stdin=records)
        self.good("load", self.db, "c", "-", "--on-error", "skip", stdin=records)
        self.assertEqual([r["mail"] for r in parse_lines(self.dump(self.db, "c"))], ["a", "b"])

    def test_inferred_types_are_shown_and_loaded(self):
        text = ('{"id":1,"tags":["a"],"doc":{"a":1},"n":[1]}\n'
                '{"id":2,"tags":[],"doc":[1,{}],"n":[2,3]}\n')
        done = self.good("load", self.db, "c", "-", stdin=text)
        for shown in ('"type":"text[]"', '"type":"json"', '"type":"i64[]"'):
            self.assertIn(shown, done.err)
        self.assertEqual(self.dump(self.db, "c"), text)
        as_csv = self.dump(self.db, "c", "-", "--format", "csv")
        other = self.path("other.quire")
        self.good("load", other, "c", "-", "--format", "csv", stdin=as_csv)
        self.assertEqual(self.dump(other, "c"), text)

    def test_an_inferred_key_of_several_fields(self):
        self.good("load", self.db, "c", "-", "--key", "a,b",
                  stdin='{"a":1,"b":"x","c":1}\n{"a":1,"b":"y","c":2}\n')
        self.assertEqual(json.loads(self.good("get", self.db, "c", '[1,"y"]', "--json").out)["c"], 2)
        self.failed("its key is 'a, b'", "load", self.db, "c", "-", "--key", "a", stdin="")


if __name__ == "__main__":
    cli_world.main()
