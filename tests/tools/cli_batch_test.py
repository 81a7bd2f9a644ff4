#!/usr/bin/env python3
"""batch, and the conditions of put, del, update."""

import json
import signal
import subprocess
import time

import cli_world
from cli_world import CliTest, ndjson, parse_lines

SCHEMA = {"fields": [{"name": "id", "type": "text"},
                     {"name": "size", "type": "i64", "nullable": True, "max": 100},
                     {"name": "doc", "type": "json", "nullable": True},
                     {"name": "version", "type": "i64", "generated": "version"}],
          "key": "id",
          "indexes": [{"name": "by_size", "kind": "sorted",
                       "options": {"fields": ["size"], "unique": True}}]}
GOODS = [{"id": "a", "size": 1}, {"id": "b", "size": 2}, {"id": "c", "size": None}]


class Goods(CliTest):
    def setUp(self):
        super().setUp()
        self.good("load", self.db, "goods", "-", "--schema",
                  self.file("schema.json", json.dumps(SCHEMA)), stdin=ndjson(GOODS))
        self.before = self.goods()

    def goods(self):
        return {r["id"]: (r["size"], r["version"])
                for r in parse_lines(self.dump(self.db, "goods"))}

    def is_unchanged(self):
        self.assertEqual(self.goods(), self.before)


class Conditions(Goods):
    def test_put_only_if_the_record_is_as_expected(self):
        put = ["put", self.db, "goods"]
        self.good(*put, '{"id": "a", "size": 5}', "--if", "size=1", "--if", "version:=1")
        self.assertEqual(self.goods()["a"], (5, 2))
        self.before = self.goods()
        for record, *conditions in (({"id": "a"}, "size=1"), ({"id": "a"}, "size=5", "version=1"),
                                    ({"id": "a"}, "size="), ({"id": "new"}, "size=1"),
                                    ({"id": "a"}, "doc:=5")):
            words = [w for condition in conditions for w in ("--if", condition)]
            done = self.negative(*put, json.dumps(record), *words)
            self.assertIn("quire: ", done.err)
            self.assertEqual(done.out, "")
            self.is_unchanged()
        self.assertIn("5", self.negative(*put, '{"id": "a"}', "--if", "size=1").err)

    def test_a_version_in_the_record_is_a_condition_too(self):
        record = json.loads(self.good("get", self.db, "goods", "a", "--json").out)
        self.good("put", self.db, "goods", json.dumps({**record, "size": 6}))
        self.negative("put", self.db, "goods", json.dumps({**record, "size": 7}))
        self.assertEqual(self.goods()["a"], (6, 2))

    def test_del_only_if_the_record_is_as_expected(self):
        self.negative("del", self.db, "goods", "c", "--if", "size=1", "--json")
        self.is_unchanged()
        done = self.good("del", self.db, "goods", "c", "--if", "size=", "--json")
        self.assertEqual(json.loads(done.out), {"deleted": 1, "missing": 0})
        self.negative("del", self.db, "goods", "c", "--if", "size=")

    def test_update_of_one_record(self):
        update = ["update", self.db, "goods", "--record", "b"]
        done = self.good(*update, "size=7", "--if", "version=1", "--json")
        self.assertEqual(json.loads(done.out), {"updated": 1})
        self.assertEqual(self.goods()["b"], (7, 2))
        self.before = self.goods()
        self.assertIn("version", self.negative(*update, "size=8", "--if", "version=1").err)
        self.assertIn("no record 'x'", self.negative("update", self.db, "goods", "--record", "x",
                                                     "size=1").err)
        self.failed("by_size", *update, "size=1")
        self.is_unchanged()

    def test_conditions_that_are_none_are_named(self):
        put, update = ["put", self.db, "goods", '{"id": "a"}'], ["update", self.db, "goods"]
        for wanted, *args in (
                ("'size' is not FIELD=VALUE", *put, "--if", "size"),
                ("nope", *put, "--if", "nope=1"), ("is i64", *put, "--if", "size=x"),
                ("'size' is there twice", *put, "--if", "size=1", "--if", "size=2"),
                ("--if and --no-overwrite exclude", *put, "--if", "size=1", "--no-overwrite"),
                ("is for records", "put", self.db, "--keyspace", "k", "a", "b", "--if", "size=1"),
                ("is for records", "del", self.db, "--keyspace", "k", "a", "--if", "size=1"),
                ("'b' is one too many", "del", self.db, "goods", "a", "b", "--if", "size=1"),
                ("--if is for --record", *update, "size = 1", "size=2", "--if", "size=1"),
                ("--all is for a filter", *update, "--record", "a", "--all", "size=2"),
                ("--limit is for a filter", *update, "--record", "a", "size=2", "--limit", 1),
                ("something is missing", *update, "--record", "a")):
            self.failed(wanted, *args)
        self.is_unchanged()


class Batch(Goods):
    def batch(self, *lines):
        return self.file("changes.ndjson", ndjson(lines))

    CHANGES = ({"insert": {"id": "d", "size": 4, "doc": {"$json": None}}},
               {"upsert": {"id": "a", "size": 5}, "if": {"size": 1}},
               {"update": "b", "set": {"size": 1}, "if": {"version": 1, "size": 2}},
               {"delete": "c", "if": {"size": None}})

    def test_all_changes_are_one(self):
        file = self.batch(*self.CHANGES)
        self.assertIn("applied 4 changes", self.good("batch", self.db, "goods", file).err)
        self.assertEqual(self.goods(), {"a": (5, 2), "b": (1, 2), "d": (4, 1)})
        self.assertIn('"doc":{"$json":null}', self.dump(self.db, "goods"))

    def test_one_that_fails_is_the_end_of_an_atomic_batch(self):
        for line, code, change in ((5, "conflict", {"delete": "d", "if": {"size": 5}}),
                                   (5, "exists", {"insert": {"id": "b"}}),
                                   (5, "not_found", {"delete": "nope"}),
                                   (5, "unique", {"insert": {"id": "e", "size": 5}}),
                                   (5, "schema", {"insert": {"id": "e", "size": 101}})):
            file = self.batch(*self.CHANGES, change, {"delete": "d"})
            done = self.negative("batch", self.db, "goods", file, "--json")
            failed, last = parse_lines(done.out)
            self.assertEqual((failed["line"], failed["code"]), (line, code))
            self.assertTrue(failed["error"])
            self.assertEqual(last, {"applied": 0, "failed": 1, "replayed": False})
            done = self.negative("batch", self.db, "goods", file)
            self.assertIn(f"line {line}: ", done.err)
            self.assertIn("nothing was changed", done.err)
            self.is_unchanged()

    def test_a_line_that_is_no_change_ends_it_before_it_begins(self):
        for wanted, line in (("not JSON", "{"), ("unknown field", '{"insert":{"id":"e","x":1}}'),
                             ("does not say which change", "{}"), ("an array", "[]"),
                             ("'size' is i64", '{"update":"a","set":{"size":"x"}}')):
            self.failed(f"line 3: ", "batch", self.db, "goods", "-",
                        stdin=ndjson(self.CHANGES[:1]) + "\n" + line + "\n")
            done = self.failed(wanted, "batch", self.db, "goods", "-", stdin=line)
            self.assertIn("nothing was changed", done.err)
        self.is_unchanged()

    def test_partial_tells_each_that_failed(self):
        lines = ['{"insert": {"id": "b"}}', '{"insert": {"id": "d"}}', "{", '{"delete": "nope"}',
                 "", '{"update": "a", "set": {"size": 2}}', '{"update": "a", "set": {"x": 2}}',
                 '{"update": "a", "set": {"size": 9}}']
        done = self.negative("batch", self.db, "goods", "-", "--partial", "--json",
                             stdin="\n".join(lines))
        *failed, last = parse_lines(done.out)
        self.assertEqual([(f["line"], f["code"]) for f in failed],
                         [(1, "exists"), (3, "invalid"), (4, "not_found"), (6, "unique"),
                          (7, "invalid")])
        self.assertEqual(last, {"applied": 2, "failed": 5, "replayed": False})
        self.assertEqual(self.goods(), {**self.before, "a": (9, 2), "d": (None, 1)})
        self.good("check", self.db)

    def test_messages_of_many_that_failed_are_cut(self):
        file = self.batch(*[{"delete": f"x{i}"} for i in range(25)])
        done = self.negative("batch", self.db, "goods", file, "--partial")
        self.assertEqual(done.err.count("line "), 20)
        self.assertIn("applied 0 changes; 25 failed", done.err)
        self.assertEqual(done.out, "")

    def test_once_is_once(self):
        once = ["--once", "order-1", "--json"]
        file = self.batch(*self.CHANGES, {"delete": "nope"})
        first = parse_lines(self.negative("batch", self.db, "goods", file, "--partial", *once).out)
        after = self.goods()
        again = parse_lines(self.negative("batch", self.db, "goods", file, "--partial", *once).out)
        self.assertEqual(first[-1], {"applied": 4, "failed": 1, "replayed": False})
        self.assertEqual(again[-1], {"applied": 4, "failed": 1, "replayed": True})
        self.assertEqual(again[0], {"line": 5, "code": "not_found", "error": None})
        self.assertEqual(self.goods(), after)
        done = self.negative("batch", self.db, "goods", file, "--partial", "--once", "order-1")
        self.assertIn("applied before: 4 changes; 1 failed", done.err)
        self.failed("order-1", "batch", self.db, "goods", self.batch({"delete": "a"}), *once)
        self.assertEqual(self.goods(), after)

    def test_what_is_wrong_with_the_verb_is_named(self):
        file = self.batch(*self.CHANGES)
        batch = ["batch", self.db, "goods"]
        for wanted, *args in (
                ("something is missing", *batch), ("one too many", *batch, file, "x"),
                ("--remember is for --once", *batch, file, "--remember", 5),
                ("--remember", *batch, file, "--once", "k", "--remember", 0),
                ("--once", *batch, file, "--once", ""), ("255", *batch, file, "--once", "k" * 256),
                ("100 years", *batch, file, "--once", "k", "--remember", 2**40),
                ("no collection 'x'; there are: goods", "batch", self.db, "x", file),
                ("nope.ndjson", *batch, self.path("nope.ndjson")),
                ("longer than 10 bytes", *batch, file, "--max-line-bytes", 10),
                ("makes a database", "batch", self.path("nope.quire"), "goods", file)):
            self.failed(wanted, *args)
        self.is_unchanged()
        self.good(*batch, "-", stdin="")
        self.is_unchanged()

    def test_an_interrupt_while_it_reads_changes_nothing(self):
        with subprocess.Popen([cli_world.QUIRE, "batch", self.db, "goods", "-"],
                              stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdin.write(b'{"delete": "a"}\n')
            process.stdin.flush()
            time.sleep(0.5)
            # Who waits for its input keeps nobody waiting.
            self.good("put", self.db, "goods", '{"id": "a", "size": 1}')
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)
        self.assertIn(b"nothing was changed", error)
        self.assertEqual(self.goods(), {**self.before, "a": (1, 2)})


if __name__ == "__main__":
    cli_world.main()
