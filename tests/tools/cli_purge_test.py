#!/usr/bin/env python3
"""purge, and the field that says when a record's time is over."""

import json

import cli_world
from cli_world import CliTest, ndjson

SCHEMA = {"fields": [{"name": "id", "type": "i64"},
                     {"name": "ends", "type": "timestamp", "nullable": True, "ttl": True},
                     {"name": "other", "type": "timestamp", "nullable": True}],
          "key": "id"}
FAR = "2999-01-01T00:00:00Z"
RECORDS = [{"id": i, "ends": [None, FAR, i][i % 3]} for i in range(900)]  # 300 are over


class Purge(CliTest):
    def setUp(self):
        super().setUp()
        self.schema_file = self.file("schema.json", json.dumps(SCHEMA))
        for name in ("a", "b"):
            self.good("load", self.db, name, "-", "--schema", self.schema_file,
                      stdin=ndjson(RECORDS))

    def count(self, name):
        return json.loads(self.good("count", self.db, name, "--json").out)["count"]

    def purge(self, *args):
        return json.loads(self.good("purge", self.db, *args, "--json").out)

    def test_of_one_collection(self):
        self.assertEqual(self.purge("a"), {"purged": 300})
        self.assertEqual((self.count("a"), self.count("b")), (600, 900))
        self.assertEqual(self.purge("a"), {"purged": 0})
        done = self.good("purge", self.db, "b")
        self.assertEqual((done.out, done.err), ("", "quire: purged 300 records\n"))
        self.good("check", self.db)

    def test_of_all(self):
        self.good("load", self.db, "plain", "-", stdin=ndjson([{"id": 1}]))
        self.assertEqual(self.purge(), {"purged": 600})
        self.assertEqual(self.count("plain"), 1)

    def test_limit_and_an_index(self):
        self.good("index", self.db, "a", "create", "by_end", "ends", "--where", "ends is not null")
        self.assertEqual(self.purge("a", "--limit", 2), {"purged": 2})
        self.assertEqual(self.count("a"), 898)
        gone = json.loads(self.good("count", self.db, "a", "id in (2, 5)", "--json").out)
        self.assertEqual(gone["count"], 0, "the soonest over go first")
        self.assertEqual(self.purge("a", "--durability", "os"), {"purged": 298})
        self.good("check", self.db)

    def test_what_is_wrong_is_told(self):
        self.failed("no collection 'c'", "purge", self.db, "c")
        self.good("put", self.db, "--keyspace", "k", "x", "y")
        self.failed("'k' is a keyspace", "purge", self.db, "k")
        self.failed("COLLECTION", "purge", self.db, "a", "b")
        self.failed("--limit", "purge", self.db, "a", "--limit", "0")
        self.failed("--limit", "purge", self.db, "a", "--limit", "-3")
        self.good("schema", self.db, "a", "change", "ends", '{"ttl": null}')
        self.failed("'a': has no field that says when", "purge", self.db, "a")
        self.failed("nothing.quire", "purge", self.path("nothing.quire"))

    def test_the_schema_shows_it_and_changes_it(self):
        shown = json.loads(self.good("schema", self.db, "a", "--json").out)
        self.assertEqual(shown["fields"], SCHEMA["fields"])
        self.assertIn("timestamp, nullable, ttl", self.good("schema", self.db, "a").out)
        self.assertIn("ends timestamp, nullable, ttl", self.good("stat", self.db).out)
        self.good("schema", self.db, "a", "expect", self.schema_file)
        self.failed("as 'ends' does already", "schema", self.db, "a", "change", "other",
                    '{"ttl": true}')
        self.failed("must be a timestamp", "schema", self.db, "a", "change", "id", '{"ttl": true}')
        self.failed('"ttl" of field', "schema", self.db, "a", "change", "ends", '{"ttl": 1}')
        self.good("schema", self.db, "a", "rename", "ends", "until")
        self.assertEqual(self.purge("a", "--limit", 1), {"purged": 1})
        self.good("schema", self.db, "a", "change", "until", '{"ttl": null}')
        done = self.negative("schema", self.db, "a", "expect", self.schema_file)
        self.assertIn("ends: expected timestamp, may be null, when the record's time is over",
                      done.err)
        self.good("schema", self.db, "a", "change", "other", '{"ttl": true}')
        self.assertEqual(self.purge("a"), {"purged": 0})
        self.good("schema", self.db, "a", "drop", "other")
        self.failed("has no field", "purge", self.db, "a")

    def test_a_dump_and_a_salvage_keep_it(self):
        saved = self.path("saved.quire")
        schema = self.path("dumped.json")
        self.good("dump", self.db, "a", self.path("a.ndjson"), "--write-schema", schema)
        self.good("load", saved, "a", self.path("a.ndjson"), "--schema", schema)
        self.assertEqual(json.loads(self.good("purge", saved, "--json").out), {"purged": 300})
        recovered = self.path("recovered.quire")
        self.good("recover", self.db, recovered)
        self.assertEqual(json.loads(self.good("purge", recovered, "--json").out), {"purged": 600})


if __name__ == "__main__":
    cli_world.main()
