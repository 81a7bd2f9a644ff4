#!/usr/bin/env python3
"""Behaviour of the command line: every verb, every exit code, bad input, round trips, two processes.

Usage: cli_test.py PATH_OF_QUIRE [unittest arguments]
"""

import csv
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

QUIRE = ""

PRODUCTS = [
    {"id": "p1", "size": 42, "price": 9.5, "sold": True, "text": "a, \"b\"\nc", "v": [1, 0, 0.25]},
    {"id": "p2", "size": -7, "price": 1e-7, "sold": False, "text": "", "v": [0, 1, -1]},
    {"id": "p3", "size": None, "price": 2, "sold": True, "text": "\u6f22\u5b57", "v": [0.1, 3, 7]},
]


def run(*args, stdin=None, cwd=None):
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run([QUIRE, *map(str, args)], input=data or b"", capture_output=True,
                          timeout=120, cwd=cwd)
    done.out = done.stdout.decode("utf-8", "replace")
    done.err = done.stderr.decode("utf-8", "replace")
    return done


def ndjson(records):
    return "".join(json.dumps(record) + "\n" for record in records)


def parse_lines(text):
    return [json.loads(line) for line in text.splitlines()]


class CliTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="quire-cli-")
        self.addCleanup(self.folder.cleanup)
        self.db = self.path("shop.quire")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def file(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return self.path(name)

    def good(self, *args, **kwargs):
        done = run(*args, **kwargs)
        self.assertEqual(done.returncode, 0, f"{args}: {done.err}")
        return done

    def negative(self, *args, **kwargs):
        done = run(*args, **kwargs)
        self.assertEqual(done.returncode, 1, f"{args}: {done.out} {done.err}")
        return done

    def failed(self, wanted, *args, **kwargs):
        """Exit code 2, nothing on stdout, and `wanted` in the message."""
        done = run(*args, **kwargs)
        self.assertEqual(done.returncode, 2, f"{args}: {done.out} {done.err}")
        self.assertEqual(done.out, "", args)
        self.assertTrue(done.err.startswith("quire: "), done.err)
        self.assertIn(wanted, done.err)
        return done

    def load_products(self):
        self.good("load", self.db, "products", "-", stdin=ndjson(PRODUCTS))

    def dump(self, db, collection, *args):
        return self.good("dump", db, collection, *args).out


class Help(CliTest):
    VERBS = ["create", "put", "get", "del", "drop", "scan", "load", "dump", "search", "stat",
             "check", "checkpoint", "inspect", "recover"]

    def test_help_names_every_verb_and_each_verb_has_examples(self):
        text = self.good("--help").out
        for verb in self.VERBS:
            self.assertIn(verb, text)
            verb_help = self.good(verb, "--help").out
            self.assertIn(f"Usage: quire {verb} DB", verb_help)
            self.assertIn("Example", verb_help)
            self.assertIn("--json", verb_help)
        self.assertIn("create", self.good().out)
        self.assertIn("0.", self.good("--version").out)

    def test_wrong_use_is_exit_code_2_and_points_to_help(self):
        self.failed("there is no verb 'frob'", "frob", self.db)
        self.failed("--help", "get", self.db, "--frob")
        self.failed("--help", "get")
        self.failed("something is missing", "get", self.db)
        self.failed("one too many", "get", self.db, "c", "k", "x")
        self.failed("--help", "search", self.db, "c", "-k", "0")
        self.failed("--help", "search", self.db, "c", "--metric", "l7")
        self.failed("--help", "search", self.db, "c", "--like", "a", "--literal", "[1]")
        self.failed("--help", "load", self.db, "c", "-", "--batch", "0")
        self.failed("--help", "load", self.db, "c", "-", "--on-error", "cry")

    def test_numbers_out_of_range_are_refused_in_a_short_sentence(self):
        # `scan --limit -1` printed everything; the others printed a bound of 300 digits.
        for wanted, *args in (
                ("--limit: '-1' is not a whole number of 0 or more", "scan", self.db, "c", "--limit", "-1"),
                ("--limit: 'x' is not", "scan", self.db, "c", "--limit", "x"),
                ("--batch: '0' is not a whole number of 1 or more", "load", self.db, "c", "-",
                 "--batch", "0"),
                ("--wait: '-1' is not a number of seconds", "drop", self.db, "c", "--wait", "-1"),
                ("--wait: 'x' is not a number of seconds", "drop", self.db, "c", "--wait", "x"),
                ("-k: '0' is not a whole number from 1 to 1000000", "search", self.db, "c", "-k", "0"),
                ("--page-size: '-1' is not", "create", self.db, "--page-size", "-1")):
            self.assertLess(len(self.failed(wanted, *args).err), 150)
        self.failed("DB is required", "stat")
        self.failed("'stat' wants DB, and no 'a', 'b'", "stat", self.db, "a", "b")

    def test_options_that_do_not_apply_are_refused(self):
        # They were ignored, and `--keyspace ''` was taken as absent.
        self.load_products()
        self.good("put", self.db, "--keyspace", "s", "k", "v")
        schema = self.file("s.json", '{"fields":[{"name":"id","type":"text"}],"key":"id"}')
        for option, *args in (
                ("--raw", "get", self.db, "products", "p1", "--raw"),
                ("--hex", "get", self.db, "products", "p1", "--hex"),
                ("--hex", "scan", self.db, "products", "--hex"),
                ("--hex", "put", self.db, "products", "{}", "--hex"),
                ("--hex", "del", self.db, "products", "p1", "--hex"),
                ("--hex", "dump", self.db, "products", "--hex"),
                ("--json", "dump", self.db, "products", "--format", "csv", "--json"),
                ("--json", "get", self.db, "--keyspace", "s", "k", "--raw", "--json"),
                ("--fields", "get", self.db, "--keyspace", "s", "k", "--fields", "a"),
                ("--fields", "scan", self.db, "--keyspace", "s", "--fields", "a"),
                ("--fields", "dump", self.db, "--keyspace", "s", "--fields", "a"),
                ("--write-schema", "dump", self.db, "--keyspace", "s", "--write-schema", "a"),
                ("--schema", "load", self.db, "--keyspace", "s", "--schema", schema, schema),
                ("--key", "create", self.db, "--key", "id"),
                ("--keyspace", "create", self.db, "--keyspace", ""),
                ("'checkpoint' has no option '--durability'", "checkpoint", self.db,
                 "--durability", "os")):
            self.failed(option, *args)
        self.assertFalse(os.path.exists("a"))
        self.good("get", self.db, "products", "p1")


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


class Load(CliTest):
    def load(self, text, *args, **kwargs):
        return self.good("load", self.db, "c", "-", *args, stdin=text, **kwargs)

    def count(self):
        stat = json.loads(self.good("stat", self.db, "--json").out)
        return {c["name"]: c["records"] for c in stat["collections"]}.get("c")

    def test_makes_database_and_infers(self):
        done = self.load(ndjson(PRODUCTS), "--json")
        self.assertIn("made the database", done.err)
        self.assertIn("schema inferred from the first 3 records", done.err)
        summary = json.loads(done.out)
        self.assertEqual((summary["records"], summary["skipped"]), (3, 0))
        schema = json.loads(done.err.split("records: ")[1].splitlines()[0])
        self.assertEqual(schema["key"], "id")
        self.assertIn({"name": "size", "type": "i64", "nullable": True}, schema["fields"])
        self.assertIn({"name": "v", "type": "vector", "dimension": 3}, schema["fields"])
        self.assertIn({"name": "price", "type": "f64"}, schema["fields"])

    def test_round_trip_ndjson(self):
        self.load(ndjson(PRODUCTS))
        first = self.dump(self.db, "c")
        self.assertEqual(parse_lines(first), PRODUCTS)
        other = self.path("other.quire")
        self.good("load", other, "c", self.file("d.ndjson", first))
        self.assertEqual(self.dump(other, "c"), first)

    def test_round_trip_csv(self):
        self.load(ndjson(PRODUCTS))
        target = self.path("d.csv")
        self.good("dump", self.db, "c", target, "--write-schema", self.path("s.json"))
        with open(target, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(rows[0]["text"], PRODUCTS[0]["text"])
        self.assertEqual(json.loads(rows[0]["v"]), PRODUCTS[0]["v"])
        for extra in ([], ["--schema", self.path("s.json")]):
            other = self.path(f"other{len(extra)}.quire")
            self.good("load", other, "c", target, *extra)
            self.assertEqual(self.dump(other, "c"), self.dump(self.db, "c"))
            self.assertEqual(self.dump(other, "c", "-", "--format", "csv"),
                             self.dump(self.db, "c", "-", "--format", "csv"))

    def test_round_trip_of_every_type(self):
        schema = {"fields": [{"name": "k", "type": "timestamp"},
                             {"name": "b", "type": "bytes", "nullable": True},
                             {"name": "f", "type": "f64"},
                             {"name": "v", "type": "vector", "dimension": 1, "nullable": True}],
                  "key": "k"}
        file = self.file("s.json", json.dumps(schema))
        text = ('{"k":"1969-12-31T23:59:59.999999Z","b":"AP8=","f":"NaN","v":[0.1]}\n'
                '{"k":"2024-05-01T12:00:00Z","b":"","f":1.0,"v":null}\n'
                '{"k":"2024-05-01T12:00:00.5Z","b":null,"f":-0.0,"v":[-3e-40]}\n')
        self.load(text, "--schema", file)
        self.assertEqual(self.dump(self.db, "c").replace("e-40", "e-40"), text)
        other = self.path("other.quire")
        as_csv = self.dump(self.db, "c", "-", "--format", "csv")
        self.good("load", other, "c", "-", "--format", "csv", "--schema", file, stdin=as_csv)
        self.assertEqual(self.dump(other, "c"), text)
        out = self.good("get", self.db, "c", "2024-05-01T12:00:00Z", "--json").out
        self.assertEqual(json.loads(out)["f"], 1.0)

    def test_floats_survive_to_the_last_bit(self):
        values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -2.5e-8, 123456789.123456789]
        self.load(ndjson({"id": i, "f": v, "v": [v % 1, 0.3]} for i, v in enumerate(values)))
        out = parse_lines(self.dump(self.db, "c"))
        self.assertEqual([record["f"] for record in out], values)
        for value, record in zip(values, out):
            self.assertEqual(struct.pack("f", record["v"][0]), struct.pack("f", value % 1))

    def test_bad_line_stops_and_names_where_to_go_on(self):
        lines = [json.dumps({"id": i}) for i in range(25)]
        lines[17] = "{oops"
        done = run("load", self.db, "c", "-", "--batch", "10", "--infer", "5", stdin="\n".join(lines))
        self.assertEqual(done.returncode, 2)
        self.assertIn("line 18: not JSON, column 2", done.err)
        self.assertIn("10 records are committed", done.err)
        self.assertIn("--from-line 11", done.err)
        self.assertEqual(self.count(), 10)
        lines[17] = json.dumps({"id": 17})
        self.load("\n".join(lines), "--from-line", "11")
        self.assertEqual(self.count(), 25)

    def test_bad_first_batch_loads_nothing(self):
        done = run("load", self.db, "c", "-", stdin='{"id":1}\n{"id":1}\n')
        self.assertEqual(done.returncode, 2)
        self.assertIn("line 2: its key is there already", done.err)
        self.assertIn("nothing was loaded", done.err)
        self.assertIsNone(self.count())

    def test_skip_reports_and_goes_on(self):
        text = '{"id":1,"n":1}\nnope\n{"id":2,"n":2}\n{"id":1,"n":3}\n{"id":3,"n":"x"}\n{"id":4}\n'
        done = self.load(text, "--on-error", "skip", "--infer", "1", "--json")
        self.assertEqual(json.loads(done.out)["records"], 2)
        self.assertEqual(json.loads(done.out)["skipped"], 4)
        for line in (2, 4, 5, 6):
            self.assertIn(f"skipped line {line}: ", done.err)
        self.assertEqual(self.count(), 2)

    def test_skip_covers_what_inference_reads(self):
        # The load failed at the first misfit, although skip was asked.
        text = ('{"id":1,"n":1}\n{"id":2,"n":"x"}\nbad\n{"id":4,"n":2.5}\n{"n":3}\n'
                '{"id":6,"n":{}}\n{"id":7,"n":7}\n')
        done = self.load(text, "--on-error", "skip", "--json")
        self.assertEqual(json.loads(done.out)["skipped"], 4)
        self.assertIn("skipped line 2: field 'n': a text here and an integer on line 1", done.err)
        self.assertIn("skipped line 5: field 'id' is missing or null", done.err)
        self.assertIn("skipped line 6: field 'n': an object", done.err)
        self.assertEqual(parse_lines(self.dump(self.db, "c")),
                         [{"id": 1, "n": 1}, {"id": 4, "n": 2.5}, {"id": 7, "n": 7}])
        done = self.failed("line 2: field 'n': a text here", "load", self.db, "d", "-", stdin=text)
        self.assertIn("nothing was loaded", done.err)

    def test_an_open_quote_is_not_skipped_in_silence(self):
        # It swallowed the rest of the file, said one line, and the exit code was 0.
        text = 'id,n\n1,a\n2,"b\n' + "".join(f"{i},c\n" for i in range(3, 10))
        args = ["load", self.db, "c", "-", "--format", "csv", "--on-error", "skip", "--json"]
        done = run(*args, stdin=text)
        self.assertEqual(done.returncode, 2)
        summary = json.loads(done.out)
        self.assertEqual((summary["records"], summary["lost_from_line"]), (1, 3))
        self.assertIn("lost: lines 3 to 10, the end of the input", done.err)
        self.assertIn("--from-line 3", done.err)
        self.assertEqual(self.count(), 1)
        done = self.good(*args, "--from-line", "3", stdin=text.replace('"', ""))
        self.assertIsNone(json.loads(done.out)["lost_from_line"])
        self.assertEqual(self.count(), 9)

    def test_from_line_behind_the_end(self):
        # Nothing was loaded, and the exit code was 0.
        self.load('{"id":1}\n')
        self.failed("--from-line 3 is behind the last record", "load", self.db, "c", "-",
                    "--from-line", "3", stdin='{"id":1}\n{"id":2}\n')
        self.assertEqual(self.count(), 1)

    def test_many_bad_lines_are_counted_not_listed(self):
        done = self.load('{"id":1}\n' + "x\n" * 1000, "--on-error", "skip", "--json")
        self.assertEqual(json.loads(done.out)["skipped"], 1000)
        self.assertLess(len(done.err.splitlines()), 30)

    def test_upsert_replaces(self):
        self.load('{"id":1,"n":1}\n{"id":2,"n":2}\n')
        self.load('{"id":2,"n":20}\n{"id":3,"n":30}\n', "--upsert")
        self.assertEqual([r["n"] for r in parse_lines(self.dump(self.db, "c"))], [1, 20, 30])

    def test_into_an_existing_collection(self):
        self.load('{"id":1,"n":1}\n')
        self.load('{"id":2,"n":2}\n')
        schema = self.file("s.json", '{"fields":[{"name":"id","type":"text"}],"key":"id"}')
        self.failed("its field 'id' is i64, key, the schema's text, key",
                    "load", self.db, "c", "-", "--schema", schema, stdin="")
        self.failed("its key is 'id'", "load", self.db, "c", "-", "--key", "n", stdin="")
        self.failed("unknown field 'x'", "load", self.db, "c", "-", stdin='{"id":3,"n":1,"x":1}')
        self.load('{"id":3,"n":1,"x":1}', "--ignore-unknown")

    def test_what_inference_refuses(self):
        for text, wanted in (
                ('{"sku":"a"}', "--key FIELD"),
                ('{"id":1,"o":{"a":1}}', "field 'o': an object"),
                ('{"id":1,"a":1}\n{"id":2,"a":"x"}', "line 2: field 'a': a text here and an integer"),
                ('{"id":1,"v":[1,2]}\n{"id":2,"v":[1]}', "line 2: field 'v'"),
                ('[{"id":1}]', "one object a line"),
                ('{"id":99999999999999999999}', "line 1: field 'id': 99999999999999999999"),
                ("", "no records to infer")):
            self.failed(wanted, "load", self.db, "c", "-", stdin=text)
            self.assertFalse(os.path.exists(self.db))

    def test_hostile_input(self):
        for text, wanted in ((b'{"id":"\xff"}', "UTF-8"), (b'{"id":1}\0', "NUL"),
                             (b'{"id":' + b"[" * 100_000, "nested deeper"),
                             (b'{"id":1e999}', "too large"), (b"\x89PNG\r\n", "not text"),
                             (b"\x1f\x8b\x08\0", "looks compressed (gzip)"),
                             (b"\x28\xb5\x2f\xfd\0", "looks compressed (zstd)")):
            self.failed(wanted, "load", self.db, "c", "-", stdin=text)
        self.failed("longer than 100 bytes", "load", self.db, "c", "-", "--max-line-bytes", "100",
                    stdin=json.dumps({"id": "x" * 200}))
        self.failed("cannot open", "load", self.db, "c", self.path("nope.ndjson"))
        self.failed("is a directory", "load", self.db, "c", self.folder.name)

    def test_csv_details(self):
        text = ('\ufeffid,n,v,"a ""b"""\r\n1,,1 2 3,"x\r\ny"\r\n2,5,"[4, 5, 6]",""\r\n')
        self.load(text, "--format", "csv")
        self.assertEqual(parse_lines(self.dump(self.db, "c")),
                         [{"id": 1, "n": None, "v": [1, 2, 3], 'a "b"': "x\r\ny"},
                          {"id": 2, "n": 5, "v": [4, 5, 6], 'a "b"': ""}])

    def test_csv_errors(self):
        for text, wanted in (("", "empty"), ("a,a\n", "there twice"), ("id,n\n1\n", "1 cell where"),
                             ("id,n\n1,x\"y\n", "line 2: a quote inside"),
                             ("id,n\n1,\"x\n\n", "line 2: a quoted cell that is never closed"),
                             ("id,n\n1,\"x\"y\n", "behind the closing quote")):
            self.failed(wanted, "load", self.db, "c", "-", "--format", "csv", stdin=text)

    def test_csv_value_that_does_not_fit_names_line_and_field(self):
        schema = self.file("s.json", json.dumps({"fields": [
            {"name": "id", "type": "i64"}, {"name": "v", "type": "vector", "dimension": 2}],
            "key": "id"}))
        args = ["load", self.db, "c", "-", "--format", "csv", "--schema", schema]
        self.failed("line 3: field 'v': 3 numbers", *args, stdin="id,v\n1,1 2\n2,1 2 3\n")
        self.failed("line 2: field 'v': 'NaN'", *args, stdin="id,v\n1,1 NaN\n")
        self.failed("line 2: field 'id' is i64: 'x'", *args, stdin="id,v\nx,1 2\n")
        self.failed("field 'v' is missing or null", *args, stdin="id,v\n1,\n")

    def test_empty_input_with_a_schema_makes_an_empty_collection(self):
        schema = self.file("s.json", '{"fields":[{"name":"id","type":"text"}],"key":"id"}')
        self.load("", "--schema", schema)
        self.assertEqual(self.count(), 0)

    def test_durability_modes(self):
        for number, mode in enumerate(("always", "batch", "os", "none")):
            self.load(json.dumps({"id": number}), "--durability", mode)
        self.assertEqual(self.count(), 4)

    def test_interrupt_undoes_the_batch_and_says_where_to_go_on(self):
        with subprocess.Popen([QUIRE, "load", self.db, "c", "-", "--batch", "2", "--infer", "1"],
                              stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdin.write(b'{"id":1}\n{"id":2}\n{"id":3}\n')
            process.stdin.flush()
            time.sleep(1.0)
            process.send_signal(signal.SIGINT)
            error = process.stderr.read().decode()
            process.wait(30)
        self.assertEqual(process.returncode, 130, error)
        self.assertIn("interrupted", error)
        self.assertIn("2 records are committed, 1 of the last batch is undone", error)
        self.assertIn("--from-line 3", error)
        self.assertEqual(self.count(), 2)

    def test_interrupt_between_batches_says_where_to_go_on(self):
        # With no batch open there was no line to go on from.
        with subprocess.Popen([QUIRE, "load", self.db, "c", "-", "--batch", "1", "--infer", "1"],
                              stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdin.write(b'{"id":1}\n{"id":2}\n')
            process.stdin.flush()
            deadline = time.time() + 20
            while run("get", self.db, "c", "2").returncode != 0:
                self.assertLess(time.time(), deadline)
            process.send_signal(signal.SIGINT)
            error = process.stderr.read().decode()
            process.wait(30)
        self.assertEqual(process.returncode, 130, error)
        self.assertIn("2 records are committed; go on with --from-line 3", error)

    def test_streams_in_constant_memory(self):
        # 60 MB of records; the process may have far less than that of its own.
        line = json.dumps({"id": "%d", "text": "x" * 1000}) + "\n"
        with subprocess.Popen([QUIRE, "load", self.db, "c", "-", "--json", "--durability", "os"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as process:
            for i in range(60_000):
                process.stdin.write((line % i).encode())
            process.stdin.close()
            summary = json.loads(process.stdout.read())
        self.assertEqual(process.returncode, 0)
        self.assertEqual(summary["records"], 60_000)
        self.assertEqual(self.count(), 60_000)


class Search(CliTest):
    VECTORS = [[1, 0], [0.9, 0.1], [0, 1], [-1, 0], None]

    def setUp(self):
        super().setUp()
        self.good("load", self.db, "c", "-", stdin=ndjson(
            {"id": f"r{i}", "t": f"text {i}", "v": v} for i, v in enumerate(self.VECTORS)))

    def search(self, *args, **kwargs):
        out = self.good("search", self.db, "c", "--field", "v", "--json", *args, **kwargs).out
        return parse_lines(out)

    def keys(self, *args, **kwargs):
        return [hit["key"] for hit in self.search(*args, **kwargs)]

    def test_literal_and_metrics(self):
        hits = self.search("--literal", "[1, 0]", "-k", 2)
        self.assertEqual([hit["key"] for hit in hits], ["r0", "r1"])
        self.assertEqual([hit["rank"] for hit in hits], [1, 2])
        self.assertEqual(hits[0]["distance"], 0)
        self.assertAlmostEqual(hits[1]["distance"], 0.02, places=6)
        self.assertEqual(hits[0]["record"], {"id": "r0", "t": "text 0"})
        self.assertEqual(self.keys("--literal", "0 -2", "--metric", "ip")[-1], "r2")
        self.assertEqual(self.keys("--literal", "[0, 5]", "--metric", "cosine", "-k", 1), ["r2"])
        self.assertEqual(len(self.keys("--literal", "[0, 5]", "-k", 100)), 4)

    def test_like_leaves_the_record_out(self):
        self.assertEqual(self.keys("--like", "r0", "-k", 2), ["r1", "r2"])
        self.assertEqual(len(self.keys("--like", "r0", "-k", 100)), 3)
        self.negative("search", self.db, "c", "--like", "nope")
        self.failed("it is null", "search", self.db, "c", "--like", "r4")

    def test_vector_files(self):
        raw = struct.pack("<2f", 0, 1)
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n"
        npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + raw
        for name, content in (("q.json", b"[0, 1]\n"), ("q.f32", raw), ("q.npy", npy),
                              ("q.fvecs", struct.pack("<i", 2) + raw)):
            self.assertEqual(self.keys("--vector", self.file(name, content), "-k", 1), ["r2"], name)
        self.assertEqual(self.keys("--vector", "-", "-k", 1, stdin=raw), ["r2"])

    def test_wrong_queries(self):
        search = ["search", self.db, "c"]
        self.failed("3 numbers where the field has dimension 2", *search, "--literal", "[1,2,3]")
        self.failed("--literal", *search, "--literal", "[1,")
        self.failed("NaN", *search, "--literal", "[NaN, 1]")
        self.failed("not finite", *search, "--vector",
                    self.file("q", struct.pack("<2f", float("nan"), 1)))
        self.failed("8 bytes of raw", *search, "--vector", self.file("q", b"12345"))
        self.failed("what to search for", *search)
        self.failed("field 't' is text; vector fields are v", *search, "--field", "t", "--like", "r0")
        self.failed("unknown field 'x'", *search, "--field", "x", "--like", "r0")

    def test_table(self):
        lines = self.good("search", self.db, "c", "--like", "r0", "-k", 1).out.splitlines()
        self.assertEqual(lines[0].split(), ["distance", "id", "t"])
        self.assertEqual(lines[1].split(), ["0.02", "r1", "text", "1"])


class Admin(CliTest):
    def test_stat(self):
        self.load_products()
        self.good("put", self.db, "--keyspace", "s", "k", "v")
        stat = json.loads(self.good("stat", self.db, "--json").out)
        self.assertEqual(stat["collections"][0]["name"], "products")
        self.assertEqual(stat["collections"][0]["records"], 3)
        self.assertEqual(stat["keyspaces"], [{"name": "s", "entries": 1}])
        for member in ("page_size", "oldest_reader_txn", "oldest_reader_age_ms", "oldest_reader_pid",
                       "oldest_reader_pinned_bytes", "writer_pid", "file_bytes", "log_bytes"):
            self.assertIn(member, stat)
        human = self.good("stat", self.db).out
        self.assertIn("products", human)
        self.assertIn("oldest reader", human)

    def test_stat_does_not_invent_figures_of_a_writer(self):
        self.load_products()
        stat = json.loads(self.good("stat", self.db, "--json").out)
        for member in ("private_bytes", "quota_bytes", "commits", "syncs", "checkpoints"):
            self.assertIsNone(stat[member], member)
        self.assertEqual(stat["durable_lsn"], stat["lsn"])
        human = self.good("stat", self.db).out
        self.assertIn("quota          of the writer, when there is one\n", human)

    def test_check_clean(self):
        self.load_products()
        self.assertEqual(self.good("check", self.db).out, "clean\n")
        self.assertEqual(json.loads(self.good("check", self.db, "--json").out),
                         {"clean": True, "damage": []})

    def test_check_finds_damage(self):
        self.good("load", self.db, "c", "-", stdin=ndjson(
            {"id": i, "text": str(i) * 50} for i in range(5000)))
        with open(os.path.join(self.db, "data"), "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            # All but the two meta pages and the last page: whatever is in use is hit.
            for offset in range(2 * 4096 + 1000, size, 4096):
                file.seek(offset)
                byte = file.read(1)
                file.seek(offset)
                file.write(bytes([byte[0] ^ 0x55]))
        done = self.negative("check", self.db)
        self.assertIn("damage: ", done.out)
        done = self.negative("check", self.db, "--json")
        self.assertFalse(json.loads(done.out)["clean"])
        self.assertTrue(json.loads(done.out)["damage"])

    def test_check_says_each_damage_once(self):
        self.good("load", self.db, "c", "-", stdin=ndjson(
            {"id": i, "text": str(i) * 50} for i in range(5000)))
        with open(os.path.join(self.db, "data"), "r+b") as file:
            for page in (3, 4, 5):
                file.seek(page * 4096 + 1000)
                file.write(b"\x55" * 8)
        # A leaf of records is met by the check of its tree, and by that of the collection.
        done = self.negative("check", self.db)
        lines = done.out.splitlines()
        self.assertEqual(len(lines), len(set(lines)))
        self.assertIn(f"{len(lines)} damage", done.err)

    def test_recover_of_a_good_database(self):
        self.load_products()
        self.good("put", self.db, "--keyspace", "s", "k", "v")
        new = self.path("new.quire")
        done = self.good("recover", self.db, new)
        self.assertIn(f"saved: collection 'products': {len(PRODUCTS)} records saved, 0 lost\n",
                      done.out)
        self.assertIn("saved: keyspace 's': 1 keys saved, 0 lost\n", done.out)
        self.assertEqual(self.dump(new, "products"), self.dump(self.db, "products"))
        self.assertEqual(self.good("check", new).out, "clean\n")
        self.failed("is there already", "recover", self.db, new)
        self.failed("something is missing", "recover", self.db)
        self.failed("'recover' has no option '--wait'", "recover", self.db, new, "--wait", "1")

    def test_recover_says_what_is_lost(self):
        self.good("load", self.db, "c", "-", stdin=ndjson(
            {"id": i, "text": str(i) * 50} for i in range(2000)))
        with open(os.path.join(self.db, "data"), "r+b") as file:
            file.seek(50 * 4096 + 1000)
            file.write(b"\x55" * 8)
        new = self.path("new.quire")
        done = self.negative("recover", self.db, new)
        lost = [line for line in done.out.splitlines() if line.startswith("lost: ")]
        self.assertIn("page 50 ", lost[0])
        done = self.negative("recover", self.db, self.path("other"), "--json")
        lines = [json.loads(line) for line in done.out.splitlines()]
        self.assertEqual(lines[-1]["finding"], "result")
        self.assertFalse(lines[-1]["complete"])
        self.assertGreater(lines[-1]["lost_most"], 0)
        self.assertEqual(lines[-1]["saved"] + lines[-1]["lost_most"], 2000)
        self.assertEqual(len(self.dump(new, "c").splitlines()), lines[-1]["saved"])
        done = self.negative("recover", self.db, self.path("third"), "--unverified", "--json")
        self.assertIn('"finding":"unverified"', done.out)

    def test_not_a_database(self):
        os.mkdir(self.path("plain"))
        self.file("plain/data", "x" * 20_000)
        self.failed("", "stat", self.path("plain"))
        self.failed("", "stat", self.file("file", "x"))

    def test_checkpoint(self):
        self.load_products()
        self.assertIn("checkpoint_txn", json.loads(self.good("checkpoint", self.db, "--json").out))
        self.good("checkpoint", self.db)

    def test_inspect(self):
        self.load_products()
        for what in (["meta"], ["page", "0"], ["segment"], ["readers"]):
            json.loads(self.good("inspect", self.db, *what, "--json").out)
            json.loads(self.good("inspect", self.db, *what).out)
        self.failed("can't be inspected", "inspect", self.db, "soul")
        self.failed("which page", "inspect", self.db, "page")
        self.failed("not a number", "inspect", self.db, "page", "x")
        self.failed("takes no number", "inspect", self.db, "meta", "1")

    def test_inspect_names_what_is_not_there_and_what_is_meta(self):
        # An empty list and exit code 0, as if there were a segment 77 without contents.
        self.load_products()
        self.failed("no log segment 77; there are", "inspect", self.db, "segment", "77")
        self.failed("no log segment 0; there are", "inspect", self.db, "segment", "0")
        for page in ("0", "1"):
            shown = json.loads(self.good("inspect", self.db, "page", page, "--json").out)
            self.assertTrue(shown["kind"].startswith("meta"), shown)
        shown = json.loads(self.good("inspect", self.db, "readers", "--json").out)
        self.assertIn("last known", shown["note"])


class Streams(CliTest):
    def test_a_reader_that_goes_away_is_no_error(self):
        self.good("load", self.db, "c", "-", stdin=ndjson({"id": i, "t": "x" * 100} for i in range(20_000)))
        with subprocess.Popen([QUIRE, "scan", self.db, "c", "--json"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.stderr.read(), b"")
        self.assertEqual(process.returncode, 0)

    def test_output_that_can_not_be_written_is_a_failure(self):
        self.load_products()
        with open("/dev/full", "wb") as full:
            done = subprocess.run([QUIRE, "dump", self.db, "products"], stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"cannot write standard output", done.stderr)
        done = subprocess.run(["sh", "-c", f'"{QUIRE}" dump "{self.db}" products >&-'],
                              stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(self.good("check", self.db).out, "clean\n")

    def test_a_failed_dump_leaves_the_old_file(self):
        self.good("load", self.db, "c", "-", stdin='{"id":1,"t":"\\u0000"}')
        target = self.file("old.csv", "old")
        self.failed("NUL", "dump", self.db, "c", target)
        with open(target, encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")
        self.failed("cannot write", "dump", self.db, "c", self.path("no/such/folder"))


class TwoProcesses(CliTest):
    def writer(self):
        process = subprocess.Popen([QUIRE, "load", self.db, "c", "-", "--batch", "1", "--infer", "1"],
                                   stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        process.stdin.write(b'{"id":1}\n')
        process.stdin.flush()
        deadline = time.time() + 20
        while time.time() < deadline:
            done = run("get", self.db, "c", "1")
            if done.returncode == 0:
                return process
            time.sleep(0.05)
        process.kill()
        self.fail("the record never appeared: " + done.err)

    def test_readers_see_commits_and_a_second_writer_is_told_the_pid(self):
        process = self.writer()
        try:
            done = self.failed(str(process.pid), "put", self.db, "c", '{"id":2}')
            self.assertIn("--wait", done.err)
            begin = time.time()
            self.failed("", "put", self.db, "c", '{"id":2}', "--wait", "0.5")
            self.assertGreater(time.time() - begin, 0.4)
            stat = json.loads(self.good("stat", self.db, "--json").out)
            self.assertEqual(stat["writer_pid"], process.pid)
            process.stdin.write(b'{"id":3}\n')
            process.stdin.flush()
            deadline = time.time() + 20
            while run("get", self.db, "c", "3").returncode != 0:
                self.assertLess(time.time(), deadline)
            self.assertEqual(self.good("check", self.db).out, "clean\n")
        finally:
            process.stdin.close()
            process.wait(30)
        self.assertEqual(process.returncode, 0)
        self.good("put", self.db, "c", '{"id":2}')

    def test_wait_takes_over_when_the_writer_ends(self):
        process = self.writer()
        waiting = subprocess.Popen([QUIRE, "put", self.db, "c", '{"id":7}', "--wait", "20"])
        time.sleep(0.3)
        process.stdin.close()
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(waiting.wait(30), 0)
        self.good("get", self.db, "c", "7")

    def test_a_killed_writer_leaves_what_was_committed(self):
        process = self.writer()
        process.kill()
        process.wait(30)
        process.stdin.close()
        self.good("get", self.db, "c", "1")
        self.assertEqual(self.good("check", self.db).out, "clean\n")
        self.good("put", self.db, "c", '{"id":2}')

    @unittest.skipUnless(os.geteuid() == 0, "needs another user")
    def test_a_verb_without_wait_does_not_advise_it(self):
        process = self.writer()
        try:
            os.chmod(self.folder.name, 0o755)
            os.chmod(os.path.join(self.db, "lock"), 0o644)
            try:
                done = subprocess.run([QUIRE, "get", self.db, "c", "1"], capture_output=True,
                                      check=False, user=65534)
            except PermissionError:
                self.skipTest("the program lies where another user may not run it")
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"is open for writing by process", done.stderr)
            self.assertNotIn(b"--wait", done.stderr)
            self.assertIn(b"try again", done.stderr)
        finally:
            process.stdin.close()
            process.wait(30)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: cli_test.py PATH_OF_QUIRE")
    QUIRE = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
