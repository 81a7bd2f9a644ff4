#!/usr/bin/env python3
"""query, count, explain, update, delete."""

import csv
import io
import json

import cli_world
from cli_world import CliTest, ndjson, parse_lines, run

SECTIONS = ["gui", "lib", "net"]
GOODS = [{"id": i, "section": SECTIONS[i % 3], "size": None if i % 10 == 9 else i * 7 % 50,
          "tags": ["a"] * (i % 2) + ["b"], "made": f"2024-01-{1 + i % 28:02}T00:00:00Z",
          "doc": {"n": i}} for i in range(60)]
SCHEMA = {"fields": [{"name": "id", "type": "i64"}, {"name": "section", "type": "text"},
                     {"name": "size", "type": "i64", "nullable": True, "max": 1000},
                     {"name": "tags", "type": "text[]"}, {"name": "made", "type": "timestamp"},
                     {"name": "doc", "type": "json", "nullable": True}],
          "key": "id",
          "indexes": [{"name": "by_section", "kind": "sorted",
                       "options": {"fields": ["section", "size"]}},
                      {"name": "by_size", "kind": "sorted", "options": {"fields": ["size"]}}]}


class Goods(CliTest):
    def setUp(self):
        super().setUp()
        self.good("load", self.db, "goods", "-", "--schema",
                  self.file("schema.json", json.dumps(SCHEMA)), stdin=ndjson(GOODS))

    def query(self, *args):
        return parse_lines(self.good("query", self.db, "goods", *args, "--json").out)

    def ids(self, *args):
        return [row["id"] for row in self.query(*args, "--select", "id")]

    def expected(self, test):
        return [g["id"] for g in GOODS if test(g)]


class Query(Goods):
    def test_finds_what_the_filter_says_by_any_way(self):
        for text, test in (
                ("section = 'gui' and size > 20",
                 lambda g: g["section"] == "gui" and (g["size"] or 0) > 20),
                ("size is null", lambda g: g["size"] is None),
                ("tags has 'a'", lambda g: "a" in g["tags"]),
                ("doc.n between 5 and 9", lambda g: 5 <= g["doc"]["n"] <= 9),
                ("made >= '2024-01-28'", lambda g: g["made"] >= "2024-01-28")):
            wanted = self.expected(test)
            self.assertTrue(wanted)
            self.assertEqual(sorted(self.ids(text)), wanted)
            self.assertEqual(self.ids(text, "--no-index"), wanted)
            self.assertEqual(self.good("count", self.db, "goods", text).out, f"{len(wanted)}\n")
        self.assertEqual(self.query(), GOODS)

    def test_select_order_limit_offset_distinct_group(self):
        rows = self.query("section = 'lib' and size is not null", "--select",
                          "id, size * 2 as twice", "--order", "size desc, id", "--limit", 2,
                          "--offset", 1)
        wanted = sorted((g for g in GOODS if g["section"] == "lib" and g["size"] is not None),
                        key=lambda g: (-g["size"], g["id"]))[1:3]
        self.assertEqual(rows, [{"id": g["id"], "twice": 2 * g["size"]} for g in wanted])
        rows = self.query("--select", "section", "--distinct", "--order", "section")
        self.assertEqual(rows, [{"section": s} for s in SECTIONS])
        rows = self.query("--group", "section", "--select", "section, count() as n, max(size) as m")
        self.assertEqual(rows, [{"section": s, "n": 20, "m": max(
            g["size"] or 0 for g in GOODS if g["section"] == s)} for s in SECTIONS])

    def test_arguments_are_json_or_texts(self):
        self.assertEqual(sorted(self.ids("section = $1 and size in $2", "--arg", "gui", "--arg",
                                         "[0, 21]")),
                         self.expected(lambda g: g["section"] == "gui" and g["size"] in (0, 21)))
        self.assertEqual(self.ids("id = $n", "--param", "n=7"), [7])
        self.assertEqual(self.ids("section = $s and id < 3", "--param", 's="gui"'), [0])
        self.assertEqual(sorted(self.ids("made < $1", "--arg", "2024-01-02")),
                         self.expected(lambda g: g["made"] < "2024-01-02"))
        self.assertEqual(self.ids("tags has any $1 and id < 2", "--arg", '["a"]', "--no-index"), [1])
        self.assertEqual(self.ids("$1 is null and id = 3", "--arg", "null"), [3])

    def test_wrong_queries_are_named(self):
        query = ["query", self.db, "goods"]
        for wanted, *args in (
                ("at 6", "size >"), ("nope", "nope = 1"), ("no collection 'x'; there are: goods",),
                ("it has 1 parameters, but there are 0 arguments", "size = $1"), ("text", "size = $1", "--arg", "x"),
                ("in quotes of its own", "section = $1", "--arg", "5"),
                ("NAME=VALUE", "size = $n", "--param", "5"),
                ("one kind of them", "size = $n", "--param", "n=5", "--arg", "5"),
                ("a mixed array, which no parameter", "size in $1", "--arg", "[1, \"a\"]"),
                ("not hexadecimal", "id = $1", "--arg", "x'0'"),
                ("nope", "--select", "nope"), ("nope", "--order", "nope"),
                ("nope", "--index", "nope"), ("--index", "--index", ""),
                ("not what --give-token gave", "--token", "xyz"), ("token", "--token", "00ff"),
                ("exclude each other", "--csv", "--json"),
                ("one too many", "size > 1", "and more"), ("the filter is empty", ""),
                ("'-1' is not a whole number", "--offset", "-1"),
                ("'0' is not a whole number of 1 or more", "--budget-ms", "0"),
                ("groups have no token", "--group", "section", "--give-token")):
            words = ["query", self.db, "x"] if not args else [*query, *args]
            self.failed(wanted, *words)

    def test_tokens_give_every_record_once(self):
        for order in ("size, id", "section", "id desc"):
            found, token = [], []
            for _ in range(20):
                done = self.good("query", self.db, "goods", "id >= 3", "--order", order, "--select",
                                 "id", "--limit", 10, "--give-token", "--json", *token)
                rows = parse_lines(done.out)
                more = rows and "token" in rows[-1]
                token = ["--token", rows.pop()["token"]] if more else token
                found += [row["id"] for row in rows]
                if not more:
                    break
            self.assertEqual(sorted(found), list(range(3, 60)), order)
        done = self.good("query", self.db, "goods", "--limit", 1, "--give-token")
        self.assertIn("go on with --token ", done.err)
        self.failed("token", "query", self.db, "goods", "id > 5", "--token",
                    done.err.split()[-1])

    def test_a_budget_ends_it_and_what_was_found_is_printed(self):
        done = run("query", self.db, "goods", "doc.n >= 0", "--select", "id", "--budget-entries", 25,
                   "--json", "--give-token")
        self.assertEqual(done.returncode, 2)
        rows = parse_lines(done.out)
        token = rows.pop()["token"]
        self.assertTrue(0 < len(rows) <= 25)
        self.assertIn("25", done.err)
        rest = self.ids("doc.n >= 0", "--token", token)
        self.assertEqual([row["id"] for row in rows] + rest, list(range(60)))
        table = run("query", self.db, "goods", "doc.n >= 0", "--budget-entries", 25).out
        self.assertIn("section", table.splitlines()[0])
        self.failed("5", "count", self.db, "goods", "doc.n >= 0", "--budget-entries", 5)
        self.failed("explain", "explain", self.db, "goods", "--csv")

    def test_tables_and_csv(self):
        out = self.good("query", self.db, "goods", "id < 2", "--csv").out
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual([r["id"] for r in rows], ["0", "1"])
        self.assertEqual(json.loads(rows[1]["tags"]), ["a", "b"])
        other = self.path("other.quire")
        self.good("load", other, "goods", "-", "--format", "csv", "--schema",
                  self.path("schema.json"), stdin=out)
        self.assertEqual(parse_lines(self.dump(other, "goods")), GOODS[:2])
        table = self.good("query", self.db, "goods", "id < 2", "--select", "id, section").out
        self.assertEqual([line.split() for line in table.splitlines()],
                         [["id", "section"], ["0", "gui"], ["1", "lib"]])


class CountAndExplain(Goods):
    def test_count(self):
        self.assertEqual(self.good("count", self.db, "goods").out, "60\n")
        self.assertEqual(json.loads(self.good("count", self.db, "goods", "id < $1", "--arg", "5",
                                              "--json").out), {"count": 5})
        self.failed("--help", "count", self.db, "goods", "--limit", "5")

    def test_explain_names_the_way_and_compares_figures(self):
        filter_text = "section = 'gui' and size > 20 and doc.n > 3"
        text = self.good("explain", self.db, "goods", filter_text).out
        self.assertIn("by index by_section: 1 range with", text)
        self.assertIn("answers: section = 'gui'", text)
        self.assertIn("tested on records: doc.n > 3", text)
        figures = {line.split("  ")[0]: line.split() for line in text.splitlines()}
        wanted = self.expected(lambda g: g["section"] == "gui" and (g["size"] or 0) > 20 and
                               g["id"] > 3)
        self.assertEqual(int(figures["found"][2]), len(wanted))
        raw = json.loads(self.good("explain", self.db, "goods", filter_text, "--json").out)
        self.assertEqual(raw["plan"]["index"], "by_section")
        self.assertEqual(raw["actual"]["rows"], len(wanted))
        planned = self.good("explain", self.db, "goods", filter_text, "--plan").out
        self.assertNotIn("rows", planned)
        self.assertEqual(json.loads(self.good("explain", self.db, "goods", filter_text, "--plan",
                                              "--json").out)["actual"]["rows"], 0)
        self.assertIn("by key: all 60 records", self.good("explain", self.db, "goods", filter_text,
                                                          "--no-index").out)
        self.assertIn("sorts", self.good("explain", self.db, "goods", "--order", "made").out)


class Changes(Goods):
    def test_update_changes_what_is_found(self):
        done = self.good("update", self.db, "goods", "section = 'gui'", "section=desktop",
                         'tags:=["x", "y"]', "size=", "--json")
        self.assertEqual(json.loads(done.out), {"updated": 20})
        self.assertEqual(self.query("section = 'desktop'", "--limit", 1, "--order", "id"),
                         [dict(GOODS[0], section="desktop", tags=["x", "y"], size=None)])
        self.assertEqual(self.good("count", self.db, "goods", "section = 'gui'").out, "0\n")
        self.assertEqual(self.good("check", self.db).out, "clean\n")
        self.assertIn("updated 1 record\n", self.good("update", self.db, "goods", "id = $1",
                                                      "doc:=null", "--arg", "5").err)
        self.assertEqual(self.query("id = 5")[0]["doc"], None)
        self.good("update", self.db, "goods", "--all", "size=1")
        self.assertEqual(self.good("count", self.db, "goods", "size = 1").out, "60\n")

    def test_update_is_all_or_nothing_and_names_what_is_wrong(self):
        update = ["update", self.db, "goods"]
        for wanted, *args in (
                ("maximum", "id > 50", "size=1001"), ("'id'", "id = 1", "id=500"),
                ("unknown field 'nope'", "id = 1", "nope=1"),
                ("is not FIELD=VALUE", "id = 1", "size"), ("there twice", "id = 1", "size=1", "size=2"),
                ("'x' is not a whole number", "id = 1", "size=x"), ("not JSON", "id = 1", "tags:=["),
                ("not nullable", "id = 1", "section:=null"), ("something is missing", "id = 1"),
                ("at ", "id = ", "size=1"), ("which records?",)):
            self.failed(wanted, *update, *args)
        self.assertEqual(self.query(), GOODS)

    def test_delete_wants_a_filter_or_all(self):
        self.failed("--all in place of FILTER", "delete", self.db, "goods")
        self.failed("--all in place of FILTER", "delete", self.db, "goods", "")
        self.failed("one too many", "delete", self.db, "goods", "id = 1", "--all")
        self.assertEqual(self.good("count", self.db, "goods").out, "60\n")
        done = self.good("delete", self.db, "goods", "section = 'gui'", "--json")
        self.assertEqual(json.loads(done.out), {"deleted": 20})
        self.assertEqual(self.ids("--no-index"), self.expected(lambda g: g["section"] != "gui"))
        self.assertIn("deleted 2 records", self.good("delete", self.db, "goods", "id > 10",
                                                     "--order", "id", "--limit", 2).err)
        self.assertEqual(self.good("count", self.db, "goods", "id in (11, 13)").out, "0\n")
        self.assertIn("deleted 0 records", self.good("delete", self.db, "goods", "id = 999").err)
        self.good("delete", self.db, "goods", "--all")
        self.assertEqual(self.good("count", self.db, "goods").out, "0\n")
        self.assertEqual(self.good("check", self.db).out, "clean\n")


if __name__ == "__main__":
    cli_world.main()
