#!/usr/bin/env python3
"""search."""

import json
import struct

import cli_world
from cli_world import CliTest, ndjson, parse_lines


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

    def test_among_what_a_filter_finds(self):
        self.assertEqual(self.keys("--literal", "[1, 0]", "--where", "t <> 'text 0'", "-k", 2),
                         ["r1", "r2"])
        self.assertEqual(self.keys("--literal", "[1, 0]", "--where", "id > $1", "--arg", "r2"), ["r3"])
        self.assertEqual(self.keys("--literal", "[1, 0]", "--where", "id > $x", "--param", "x=r2",
                                   "--no-index"), ["r3"])
        self.assertEqual(self.keys("--like", "r0", "--where", "id < 'r2'"), ["r1"])
        self.assertEqual(self.keys("--literal", "[1, 0]", "--where", "id = 'r9'"), [])
        search = ["search", self.db, "c", "--literal", "[1, 0]"]
        self.failed("filter, at ", *search, "--where", "id =")
        self.failed("colour", *search, "--where", "colour = 1")
        self.failed("--where", *search, "--arg", "1")
        self.failed("--where", *search, "--budget-entries", 1)
        self.failed("--where", *search, "--where", "")
        self.failed("--where", *search, "--where-index", "by_t")
        self.failed("--exact", *search, "--no-index")
        self.failed("by_t", *search, "--where", "t = 'text 1'", "--where-index", "by_t")
        self.good("index", self.db, "c", "create", "by_t", "t")
        self.assertEqual(self.keys("--literal", "[1, 0]", "--where", "t = 'text 1'",
                                   "--where-index", "by_t"), ["r1"])
        self.failed("budget", *search, "--where", "t <> ''", "--budget-entries", 1)

    def test_more_than_near(self):
        literal = ["--literal", "[1, 0]"]
        self.assertEqual(self.keys(*literal, "--within", 0.021, "-k", 5), ["r0", "r1"])
        self.assertEqual(self.keys(*literal, "--per", "t", "-k", 2), ["r0", "r1"])
        self.assertEqual(self.keys(*literal, "--diversity", 1, "-k", 3), ["r0", "r3", "r2"])
        self.assertEqual(self.keys(*literal, "--diversity", 1, "--candidates", 2, "-k", 2),
                         ["r0", "r1"])
        self.assertEqual(self.keys("--like", "r0", "--like", "r2", "-k", 9), ["r1", "r3"])
        self.assertEqual(self.keys("--like", "r2", "--unlike", "r0"), ["r3", "r1"])
        self.failed("--at-most", "search", self.db, "c", *literal, "--at-most", 2)
        self.failed("--candidates", "search", self.db, "c", *literal, "--candidates", 2)
        self.failed("not in range 0.0", "search", self.db, "c", *literal, "--diversity", 2)
        self.failed("--like", "search", self.db, "c", *literal, "--unlike", "r0")
        self.failed("unknown field 'x'", "search", self.db, "c", *literal, "--per", "x")
        self.failed("it is null", "search", self.db, "c", "--like", "r0", "--unlike", "r4")

    def test_pages(self):
        page = self.search("--literal", "[1, 0]", "-k", 3)
        self.assertEqual([hit["rank"] for hit in page], [1, 2, 3])
        last = self.search("--literal", "[1, 0]", "-k", 3, "--after", page[-1]["at"])
        self.assertEqual([hit["key"] for hit in page + last], ["r0", "r1", "r2", "r3"])
        self.assertEqual([hit["rank"] for hit in last], [4])
        self.assertEqual(self.search("--literal", "[1, 0]", "--after", last[-1]["at"]), [])
        for at in ("x", "1", "1,2", "1,2,3,4", "1,-2,3", "1;2;3"):
            self.failed("--after", "search", self.db, "c", "--literal", "[1, 0]", "--after", at)
        self.failed("--after", "search", self.db, "c", "--literal", "[1, 0]", "--after", "0.1,2,3",
                    "--diversity", 0.5)

    def test_table(self):
        lines = self.good("search", self.db, "c", "--like", "r0", "-k", 1).out.splitlines()
        self.assertEqual(lines[0].split(), ["distance", "id", "t"])
        self.assertEqual(lines[1].split(), ["0.02", "r1", "text", "1"])


class SearchByIndex(CliTest):
    """Records at the corners of a grid: which ones are nearest to a point is easily said."""

    SIDE = 36  # over 1,024 records, so that codes are trained

    def setUp(self):
        super().setUp()
        records = [{"id": x * 100 + y, "v": [x, y], "w": [y, x, 1], "even": (x + y) % 2 == 0}
                   for x in range(self.SIDE) for y in range(self.SIDE)]
        self.good("load", self.db, "c", "-", stdin=ndjson(records))

    def create(self, *args):
        return self.good("index", self.db, "c", "create", *args)

    def keys(self, *args):
        out = self.good("search", self.db, "c", "--field", "v", "--literal", "[10.1, 20.2]",
                        "--json", *args).out
        return [hit["key"] for hit in parse_lines(out)]

    def indexes(self):
        return {index["name"]: index
                for index in parse_lines(self.good("index", self.db, "c", "--json").out)}

    def test_by_an_index_and_exactly(self):
        exact = self.keys("--exact")
        self.assertEqual(exact[:3], [1020, 1021, 1120])
        self.create("near", "v", "--kind", "hnsw")
        self.assertEqual(self.keys("--exact"), exact)
        for args in ([], ["--index", "near"], ["--ef", "500"], ["--index", "near", "--ef", "500"],
                     ["--metric", "l2"], ["--target", "high"], ["--target", "0.9999"]):
            keys = self.keys(*args)
            self.assertEqual(len(keys), 10)
            self.assertGreaterEqual(len(set(keys) & set(exact)), 9, args)
        self.assertEqual(self.keys("--where", "even = true", "-k", "2"), [1020, 1121])
        # What is put is found at once, and what is deleted is not.
        self.good("put", self.db, "c", '{"id": 7, "v": [10.1, 20.2], "w": [0, 0, 1], "even": true}')
        self.good("del", self.db, "c", "1020")
        self.assertEqual(self.keys("-k", "2"), [7, 1021])
        hits = parse_lines(self.good("search", self.db, "c", "--like", "7", "--field", "v", "-k",
                                     "1", "--json").out)
        self.assertEqual([hit["key"] for hit in hits], [1021])

    def test_the_metric_of_an_index(self):
        self.create("angle", "w", "--kind", "hnsw", "--metric", "cosine")
        self.create("product", "w", "--kind", "hnsw", "--metric", "ip")
        indexes = self.indexes()
        self.assertEqual(indexes["angle"]["options"], {"field": "w", "metric": "cosine"})
        self.assertEqual(indexes["product"]["options"], {"field": "w", "metric": "inner_product"})
        search = ["search", self.db, "c", "--field", "w", "--literal", "[3, 4, 1]", "-k", "1",
                  "--json"]
        for args in (["--index", "angle"], ["--metric", "cosine"]):
            hit = parse_lines(self.good(*search, *args).out)[0]
            self.assertEqual(hit["key"], 403)
            self.assertAlmostEqual(hit["distance"], 0, places=6)
        hit = parse_lines(self.good(*search, "--index", "product").out)[0]
        self.assertEqual(hit["key"], 3535)
        self.failed("by cosine", *search, "--index", "angle", "--metric", "l2")

    def test_figures_are_shown(self):
        self.create("near", "--kind", "hnsw", "--options", '{"field": "v", "m": 8}')
        self.create("evens", "even")
        indexes = self.indexes()
        count = self.SIDE ** 2
        self.assertEqual(indexes["near"]["kind"], "hnsw")
        self.assertEqual(indexes["near"]["entries"], count)
        figures = indexes["near"]["figures"]
        self.assertEqual((figures["nodes"], figures["tail"], figures["dead"]), (count, 0, 0))
        self.assertEqual(list(indexes["evens"]["figures"]), ["height"])
        lines = self.good("index", self.db, "c").out.splitlines()
        self.assertEqual(lines[0].split(),
                         ["index", "kind", "entries", "pages", "options", "figures"])
        self.assertIn("nodes 1,296, ", lines[1])
        self.assertNotIn("tail", lines[1])
        self.good("index", self.db, "c", "rebuild", "near")
        self.good("index", self.db, "c", "rename", "near", "nearest")
        self.assertEqual(len(self.keys("--index", "nearest")), 10)
        self.good("index", self.db, "c", "drop", "nearest")
        self.failed("'nearest'", "search", self.db, "c", "--field", "v", "--literal", "[1, 2]",
                    "--index", "nearest")

    def test_maintain(self):
        self.create("near", "v", "--kind", "hnsw")
        # How far to look for a target is measured, unless the making has had the time.
        self.good("maintain", self.db)
        self.assertGreater(self.indexes()["near"]["figures"]["calibrated at nodes"], 0)
        done = self.good("maintain", self.db)
        self.assertEqual((done.out, done.err), ("", "quire: nothing waited\n"))
        self.good("load", self.db, "c", "-", stdin=ndjson(
            {"id": 100000 + i, "v": [i / 7, i / 11], "w": [0, 0, 1], "even": False}
            for i in range(40)))
        # The load may have had the time to do it itself.
        steps = json.loads(self.good("maintain", self.db, "--json", "--wait", "1").out)["steps"]
        self.assertGreaterEqual(steps, 0)
        figures = self.indexes()["near"]["figures"]
        self.assertEqual((figures["nodes"], figures["tail"]), (self.SIDE ** 2 + 40, 0))
        self.good("check", self.db)
        self.failed("no database", "maintain", self.path("nothing.quire"))
        self.failed("no option '--durability'", "maintain", self.db, "--durability", "os")
        self.failed("", "maintain", self.db, "c")

    def test_wrong_use_is_named(self):
        self.create("near", "v", "--kind", "hnsw")
        self.create("evens", "even")
        search = ["search", self.db, "c", "--field", "v", "--literal", "[1, 2]"]
        for wanted, *args in (
                ("'nope'", "--index", "nope"), ("'evens'", "--index", "evens"),
                ("by l2", "--index", "near", "--metric", "l1"), ("--index", "--index", ""),
                ("--exact", "--exact", "--index", "near"), ("--exact", "--exact", "--ef", "10"),
                ("--ef", "--ef", "0"), ("--ef", "--ef", "1000001"), ("--ef", "--ef", "x")):
            self.failed(wanted, *search, *args)
        self.failed("another field", "search", self.db, "c", "--field", "w", "--literal",
                    "[1, 2, 3]", "--index", "near")
        for wanted, *args in (
                ("'near'", "near", "v", "--kind", "hnsw"), ("'nope'", "x", "nope", "--kind", "hnsw"),
                ("no vector", "x", "even", "--kind", "hnsw"),
                ("sorted", "x", "v", "--kind", "hnsw", "--unique"),
                ("sorted", "x", "v", "--kind", "hnsw", "--where", "even = true"),
                ("hnsw", "x", "even", "--metric", "l2"),
                ("within --options", "x", "--kind", "hnsw", "--metric", "l2", "--options", "{}"),
                ("'field'", "x", "--kind", "hnsw", "--options", "{}"),
                ("4 to 64", "x", "--kind", "hnsw", "--options", '{"field": "v", "m": 1}'),
                ("hamming", "x", "v", "--kind", "hnsw", "--metric", "hamming"),
                ("kind", "x", "v", "--kind", "ivf")):
            self.failed(wanted, "index", self.db, "c", "create", *args)
        self.failed("is for 'create'", "index", self.db, "c", "drop", "near", "--metric", "l2")
        self.assertEqual(list(self.indexes()), ["near", "evens"])

    def test_a_schema_file_has_it(self):
        self.create("near", "v", "--kind", "hnsw")
        records = self.path("c.ndjson")
        schema = self.path("c.json")
        self.good("dump", self.db, "c", records, "--write-schema", schema)
        copy = self.path("copy.quire")
        self.good("load", copy, "c", records, "--schema", schema)
        self.good("maintain", copy)
        index = parse_lines(self.good("index", copy, "c", "--json").out)[0]
        self.assertEqual((index["name"], index["kind"], index["entries"]),
                         ("near", "hnsw", self.SIDE ** 2))
        self.assertEqual(index["figures"]["tail"], 0)
        self.good("check", copy)


if __name__ == "__main__":
    cli_world.main()
