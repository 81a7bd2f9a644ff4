#!/usr/bin/env python3
"""create, put, get, del, drop, scan."""

import json
import os

import cli_world
from cli_world import CliTest, PRODUCTS, ndjson, parse_lines, run


class Create(CliTest):
    def test_makes_a_database_once(self):
        self.good("create", self.db)
        self.assertTrue(os.path.isdir(self.db))
        self.failed("", "create", self.db)

    def test_page_size_and_json(self):
        self.assertEqual(json.loads(self.good("create", self.db, "--page-size", 8192, "--json").out),
                         {"created": True})
        self.assertEqual(json.loads(self.good("stat", self.db, "--json").out)["page_size"], 8192)
        self.failed("", "create", self.path("other"), "--page-size", 5000)

    def test_collection_with_schema_and_keyspace(self):
        schema = {"fields": [{"name": "k", "type": "i64"}, {"name": "b", "type": "bytes"},
                             {"name": "t", "type": "timestamp", "nullable": True}], "key": "k"}
        file = self.file("schema.json", json.dumps(schema))
        self.good("create", self.db, "c", "--schema", file)
        self.good("create", self.db, "--keyspace", "settings")
        self.failed("", "create", self.db, "c", "--schema", file)
        self.failed("--schema", "create", self.db, "d")
        stat = json.loads(self.good("stat", self.db, "--json").out)
        self.assertEqual(stat["collections"], [{"name": "c", "records": 0, **schema}])
        self.assertEqual(stat["keyspaces"], [{"name": "settings", "entries": 0}])

    def test_a_keyspace_that_is_there_is_fine_and_not_made(self):
        create = ["create", self.db, "--keyspace", "s", "--json"]
        self.assertEqual(json.loads(self.good(*create).out), {"created": True})
        txn = json.loads(self.good("stat", self.db, "--json").out)["txn_number"]
        done = self.good(*create)
        self.assertEqual(json.loads(done.out), {"created": False})
        self.assertIn("the keyspace 's' is there already", done.err)
        self.assertEqual(json.loads(self.good("stat", self.db, "--json").out)["txn_number"], txn)

    def test_a_missing_parent_directory_is_named(self):
        for args in (["create", self.path("no/a/b.quire")], ["load", self.path("no/a/b"), "c", "-"]):
            self.failed(f"there is no directory '{self.path('no/a')}'", *args, stdin='{"id":1}')
        self.good("create", self.db + "/")

    def test_a_nullable_key_is_named_so(self):
        schema = self.file("s.json", json.dumps({"key": "k", "fields": [
            {"name": "k", "type": "i64", "nullable": True}]}))
        self.failed("the key 'k' is declared nullable", "create", self.db, "c", "--schema", schema)

    def test_reads_create_nothing(self):
        for args in (["get", self.db, "c", "k"], ["scan", self.db, "c"], ["dump", self.db, "c"],
                     ["search", self.db, "c", "--like", "x"], ["stat", self.db],
                     ["check", self.db], ["checkpoint", self.db], ["inspect", self.db, "meta"],
                     ["recover", self.db, self.db + "-new"],
                     ["del", self.db, "c", "k"], ["put", self.db, "--keyspace", "s", "k", "v"]):
            self.failed("", *args)
            self.assertFalse(os.path.exists(self.db), args)


class Keyspaces(CliTest):
    def put(self, key, value, *args, **kwargs):
        return self.good("put", self.db, "--keyspace", "s", key, value, *args, **kwargs)

    def test_put_get_del(self):
        self.good("create", self.db)
        self.put("k1", "hello")
        self.put("k1", "world")
        self.assertEqual(self.good("get", self.db, "--keyspace", "s", "k1").out, "world\n")
        self.assertEqual(self.good("get", self.db, "--keyspace", "s", "k1", "--raw").out, "world")
        self.assertEqual(json.loads(self.good("get", self.db, "--keyspace", "s", "k1", "--json").out),
                         {"key": "k1", "value": "world"})
        self.negative("put", self.db, "--keyspace", "s", "k1", "x", "--no-overwrite")
        self.assertEqual(self.good("get", self.db, "--keyspace", "s", "k1").out, "world\n")
        done = self.negative("get", self.db, "--keyspace", "s", "k2")
        self.assertEqual(done.out, "")
        self.assertIn("no key 'k2'", done.err)
        self.put("k2", "x")
        done = self.negative("del", self.db, "--keyspace", "s", "k1", "k9", "k2", "--json")
        self.assertEqual(json.loads(done.out), {"deleted": 2, "missing": 1})
        self.assertIn("k9", done.err)
        self.negative("get", self.db, "--keyspace", "s", "k2")
        self.failed("no keyspace 'nope'; there are: s", "get", self.db, "--keyspace", "nope", "k")

    def test_binary_keys_and_values(self):
        self.good("create", self.db)
        self.put("00ff", "cafe", "--hex")
        self.put("00fe", "-", "--hex", stdin=b"\xff\x00\n")
        self.assertEqual(self.good("get", self.db, "--keyspace", "s", "00ff", "--hex").out, "cafe\n")
        self.assertEqual(run("get", self.db, "--keyspace", "s", "00fe", "--hex").out, "ff000a\n")
        self.assertEqual(parse_lines(self.good("scan", self.db, "--keyspace", "s", "--json").out),
                         [{"key_hex": "00fe", "value_hex": "ff000a"},
                          {"key_hex": "00ff", "value_hex": "cafe"}])
        self.failed("hexadecimal", "put", self.db, "--keyspace", "s", "0", "00", "--hex")
        self.failed("hexadecimal", "put", self.db, "--keyspace", "s", "00", "zz", "--hex")

    def test_scan_ranges_prefix_limit_reverse(self):
        self.good("create", self.db)
        for key in ("a", "ab", "abc", "b", "c"):
            self.put(key, key.upper())

        def keys(*args):
            out = self.good("scan", self.db, "--keyspace", "s", "--json", *args).out
            return [line["key"] for line in parse_lines(out)]

        self.assertEqual(keys(), ["a", "ab", "abc", "b", "c"])
        self.assertEqual(keys("--from", "ab", "--to", "c"), ["ab", "abc", "b"])
        self.assertEqual(keys("--prefix", "ab"), ["ab", "abc"])
        self.assertEqual(keys("--prefix", "a", "--from", "ab", "--limit", "1"), ["ab"])
        self.assertEqual(keys("--reverse", "--limit", "2"), ["c", "b"])
        self.assertEqual(keys("--limit", "0"), [])
        table = self.good("scan", self.db, "--keyspace", "s").out.splitlines()
        self.assertEqual(table[0].split(), ["key", "value"])
        self.assertEqual(table[5].split(), ["c", "C"])

    def test_delete_ranges_and_drop(self):
        self.good("create", self.db)
        for key in ("a", "ab", "abc", "b", "c"):
            self.put(key, "x")
        done = self.good("del", self.db, "--keyspace", "s", "--prefix", "ab", "--json")
        self.assertEqual(json.loads(done.out)["deleted"], 2)
        done = self.good("del", self.db, "--keyspace", "s", "--from", "b", "--json")
        self.assertEqual(json.loads(done.out)["deleted"], 2)
        done = self.good("del", self.db, "--keyspace", "s", "--from", "z", "--to", "a", "--json")
        self.assertEqual(json.loads(done.out)["deleted"], 0)
        self.failed("something is missing", "del", self.db, "--keyspace", "s")
        self.good("drop", self.db, "--keyspace", "s")
        self.failed("no keyspace 's'; there are none", "scan", self.db, "--keyspace", "s")

    def test_keys_out_of_range(self):
        self.good("create", self.db)
        self.failed("", "put", self.db, "--keyspace", "s", "", "v")
        self.failed("", "put", self.db, "--keyspace", "s", "k" * 100_000, "v")

    def test_load_and_dump_round_trip(self):
        entries = [{"key": "a", "value": "1\n,\""}, {"key": "b", "value": ""},
                   {"key_hex": "ff00", "value_hex": "80"}]
        self.good("load", self.db, "--keyspace", "s", "-", stdin=ndjson(entries))
        dumped = self.good("dump", self.db, "--keyspace", "s").out
        self.assertEqual(parse_lines(dumped), entries)
        done = run("dump", self.db, "--keyspace", "s", "--format", "csv")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--hex", done.err)
        text = self.good("dump", self.db, "--keyspace", "s", "--format", "csv", "--hex").out
        other = self.path("other.quire")
        self.good("load", other, "--keyspace", "s", "-", "--format", "csv", stdin=text)
        self.assertEqual(self.good("dump", other, "--keyspace", "s").out, dumped)
        self.failed("key is there already", "load", other, "--keyspace", "s", "-", stdin=dumped)
        self.good("load", other, "--keyspace", "s", "-", "--upsert", stdin=dumped)
        self.failed("no field 'key'", "load", other, "--keyspace", "s", "-", stdin='{"k":"v"}')


class Records(CliTest):
    def test_put_get_del(self):
        self.load_products()
        record = dict(PRODUCTS[0], size=1)
        self.good("put", self.db, "products", json.dumps(record))
        self.assertEqual(json.loads(self.good("get", self.db, "products", "p1", "--json").out), record)
        self.good("put", self.db, "products", "-", stdin=json.dumps(dict(record, id="p9")))
        self.negative("put", self.db, "products", json.dumps(record), "--no-overwrite")
        out = self.good("get", self.db, "products", "p9", "--json", "--fields", "size,id").out
        self.assertEqual(out, '{"size":1,"id":"p9"}\n')
        human = self.good("get", self.db, "products", "p1").out
        self.assertIn("id     p1\n", human)
        self.assertIn("text   a, \"b\"\\nc\n", human)
        self.assertEqual(json.loads(self.good("del", self.db, "products", "p9", "--json").out),
                         {"deleted": 1, "missing": 0})
        self.negative("get", self.db, "products", "p9")
        self.negative("del", self.db, "products", "p9")

    def test_wrong_records_and_keys(self):
        self.load_products()
        base = PRODUCTS[0]
        for change, wanted in (({"size": "x"}, "field 'size' is i64: found a text"),
                               ({"v": [1, 2]}, "2 numbers where the vector has dimension 3"),
                               ({"v": None}, "field 'v' is missing or null"),
                               ({"q": 1}, "unknown field 'q'"),
                               ({"size": 2**63}, "does not fit a 64-bit integer"),
                               ({"v": [1, 2, 1e39]}, "does not fit a 32-bit float")):
            self.failed(wanted, "put", self.db, "products", json.dumps(dict(base, **change)))
        self.failed("NaN", "put", self.db, "products", '{"id":"x","v":[NaN,1,2]}')
        self.failed("not JSON", "put", self.db, "products", "{")
        self.failed("UTF-8", "put", self.db, "products", "-", stdin=b'{"id":"\xff"}')
        self.failed("no collection 'nope'; there are: products", "get", self.db, "nope", "k")
        self.failed("unknown field 'q'", "get", self.db, "products", "p1", "--fields", "id,q")
        self.failed("name it with --keyspace", "get", self.keyspace_too(), "s", "p1")
        self.failed("without --keyspace", "get", self.db, "--keyspace", "products", "p1")

    def keyspace_too(self):
        self.good("put", self.db, "--keyspace", "s", "k", "v")
        return self.db

    def test_integer_keys(self):
        self.good("load", self.db, "n", "-", stdin=ndjson({"id": i, "x": str(i)} for i in range(-3, 4)))
        self.assertEqual(json.loads(self.good("get", self.db, "n", "--json", "--", "-3").out)["x"], "-3")
        self.failed("'three' is not a whole number of 64 bits", "get", self.db, "n", "three")
        out = self.good("scan", self.db, "n", "--json", "--from=-1", "--to", "2").out
        self.assertEqual([line["id"] for line in parse_lines(out)], [-1, 0, 1])

    def test_scan(self):
        self.load_products()
        out = self.good("scan", self.db, "products", "--json").out
        self.assertEqual(parse_lines(out), PRODUCTS)
        table = self.good("scan", self.db, "products", "--fields", "id,size", "--limit", "2").out
        self.assertEqual([line.split() for line in table.splitlines()],
                         [["id", "size"], ["p1", "42"], ["p2", "-7"]])
        self.failed("for keyspaces", "scan", self.db, "products", "--reverse")

    def test_drop(self):
        self.load_products()
        self.good("drop", self.db, "products")
        self.failed("there are none", "scan", self.db, "products")


if __name__ == "__main__":
    cli_world.main()
