#!/usr/bin/env python3
"""schema and index."""

import json

import cli_world
from cli_world import CliTest, ndjson, parse_lines

SCHEMA = {"fields": [{"name": "id", "type": "i64"}, {"name": "name", "type": "text"},
                     {"name": "size", "type": "i64", "nullable": True, "default": 3, "max": 100},
                     {"name": "tags", "type": "text[]"}],
          "key": "id"}
RECORDS = [{"id": i, "name": f"n{i % 4}", "size": None if i == 5 else i, "tags": ["x"] * (i % 3)}
           for i in range(12)]


class Stocked(CliTest):
    def setUp(self):
        super().setUp()
        self.schema_file = self.file("schema.json", json.dumps(SCHEMA))
        self.good("load", self.db, "c", "-", "--schema", self.schema_file, stdin=ndjson(RECORDS))

    def schema(self):
        return json.loads(self.good("schema", self.db, "c", "--json").out)

    def change(self, *args):
        return self.good("schema", self.db, "c", *args, "--json").out

    def field(self, name):
        return next(f for f in self.schema()["fields"] if f["name"] == name)

    def records(self):
        return parse_lines(self.dump(self.db, "c"))


class Schema(Stocked):
    def test_shows_all_as_json_that_create_takes(self):
        shown = self.schema()
        self.assertEqual(shown, {"name": "c", "records": 12, "version": 1, "oldest_version": 1,
                                 **SCHEMA})
        self.good("create", self.path("o.quire"), "c", "--schema",
                  self.file("shown.json", json.dumps(shown)))
        text = self.good("schema", self.db, "c").out
        for wanted in ("key         id\n", "size   i64, nullable  default 3, at most 100\n"):
            self.assertIn(wanted, text)

    def test_add_with_a_default(self):
        self.assertEqual(json.loads(self.change("add", '{"name":"note","type":"text","default":"-"}')),
                         {"version": 2})
        self.assertEqual(self.records(), [dict(r, note="-") for r in RECORDS])
        self.assertEqual((self.schema()["version"], self.schema()["oldest_version"]), (2, 1))
        self.assertIn("version     2, records from 1 on", self.good("schema", self.db, "c").out)
        self.change("rewrite")
        self.assertEqual(self.schema()["oldest_version"], 2)

    def test_drop_rename_widen_and_rules(self):
        self.change("drop", "tags")
        self.change("rename", "name", "title")
        self.change("change", "size", '{"type":"f64","default":null,"max":50}')
        self.assertEqual(self.field("size"),
                         {"name": "size", "type": "f64", "nullable": True, "max": 50.0})
        self.assertEqual(self.records()[3], {"id": 3, "title": "n3", "size": 3.0})
        self.assertEqual(self.good("check", self.db).out, "clean\n")

    def test_what_does_not_fit_changes_nothing(self):
        for wanted, *args in (
                ("'id' is of the key", "drop", "id"), ("unknown field 'q'", "drop", "q"),
                ("size", "change", "size", '{"max":5}'),
                ("size", "change", "size", '{"nullable":null}'),
                ("unknown member 'tpye'", "change", "size", '{"tpye":"f64"}'),
                ("not a JSON object", "change", "size", "f64"),
                ("unknown type 'int'", "add", '{"name":"n","type":"int"}'),
                ("name", "add", '{"name":"name","type":"i64","nullable":true}'),
                ("new", "add", '{"name":"new","type":"i64"}'),
                ("name", "change", "name", '{"type":"i64"}'),
                ("something is missing", "rename", "name"),
                ("one too many", "drop", "name", "size"),
                ("'frob' is nothing to do", "frob", "x")):
            self.failed(wanted, "schema", self.db, "c", *args)
        self.assertEqual(self.schema(), {"name": "c", "records": 12, "version": 1,
                                         "oldest_version": 1, **SCHEMA})
        self.failed("only reads", "schema", self.db, "c", "--wait", "1")
        self.failed("no collection 'q'", "schema", self.db, "q")

    def test_expect_tells_a_difference(self):
        self.assertEqual(json.loads(self.change("expect", self.schema_file)), {"expected": True})
        other = json.loads(json.dumps(SCHEMA))
        other["fields"][2]["type"] = "f64"
        done = self.negative("schema", self.db, "c", "expect", self.file("o.json", json.dumps(other)))
        self.assertIn("size: expected f64", done.err)

    def test_another_name(self):
        self.good("schema", self.db, "c", "name", "d")
        self.failed("there are: d", "schema", self.db, "c")
        self.assertEqual(self.good("count", self.db, "d").out, "12\n")


class Index(Stocked):
    def indexes(self):
        return parse_lines(self.good("index", self.db, "c", "list", "--json").out)

    def index(self, *args):
        return self.good("index", self.db, "c", *args)

    def test_create_list_rename_rebuild_drop(self):
        self.assertEqual(self.indexes(), [])
        self.index("create", "by_name", "name,-size", "--covering", "tags")
        self.index("create", "tags", "tags[]", "--where", "size > 3")
        shown = self.indexes()
        self.assertEqual([(i["name"], i["kind"], i["entries"]) for i in shown],
                         [("by_name", "sorted", 12), ("tags", "sorted", 7)])
        self.assertEqual(shown[0]["options"]["covering"], ["tags"])
        self.assertIn("size > 3", shown[1]["options"]["where"])
        self.index("rename", "tags", "by_tag")
        self.index("rebuild", "by_tag")
        table = self.index().out
        self.assertEqual([line.split()[0] for line in table.splitlines()],
                         ["index", "by_name", "by_tag"])
        self.assertEqual([i["name"] for i in self.schema()["indexes"]], ["by_name", "by_tag"])
        self.assertIn("by_name", self.good("explain", self.db, "c", "name = 'n1'", "--index",
                                           "by_name").out)
        self.index("drop", "by_name")
        self.assertEqual([i["name"] for i in self.indexes()], ["by_tag"])

    def test_unique_and_folded(self):
        self.failed("n0", "index", self.db, "c", "create", "u", "name", "--unique")
        self.assertEqual(self.indexes(), [])
        self.index("create", "u", "id,name", "--unique", "--ignore-case")
        self.assertEqual(self.indexes()[0]["options"]["unique"], True)
        self.index("create", "o", "--options", '{"fields": ["size"]}')
        self.good("put", self.db, "c", '{"id":50,"name":"N0","tags":[]}')

    def test_wrong_use_is_named(self):
        self.index("create", "by_name", "name")
        for wanted, *args in (
                ("by_name", "create", "by_name", "size"), ("nope", "create", "x", "nope"),
                ("kind", "create", "x", "name", "--kind", "magic"),
                ("at 7", "create", "x", "name", "--where", "size > "),
                ("one too many", "create", "x", "name", "--options", "{}"),
                ("within --options", "create", "x", "--options", "{}", "--unique"),
                ("something is missing", "create", "x"), ("nope", "drop", "nope"),
                ("nope", "rebuild", "nope"), ("nope", "rename", "nope", "x"),
                ("something is missing", "rename", "by_name"),
                ("is for 'create'", "drop", "by_name", "--unique"),
                ("'frob' is nothing to do", "frob", "x"), ("only reads", "list", "--wait", "1")):
            done = self.failed(wanted, "index", self.db, "c", *args)
            self.assertNotIn("makes a database", done.err)
        self.assertEqual([i["name"] for i in self.indexes()], ["by_name"])
        self.failed("name", "schema", self.db, "c", "drop", "name")


if __name__ == "__main__":
    cli_world.main()
