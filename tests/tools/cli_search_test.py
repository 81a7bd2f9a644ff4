#!/usr/bin/env python3
"""search."""

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
        self.failed("budget", *search, "--where", "t <> ''", "--budget-entries", 1)

    def test_table(self):
        lines = self.good("search", self.db, "c", "--like", "r0", "-k", 1).out.splitlines()
        self.assertEqual(lines[0].split(), ["distance", "id", "t"])
        self.assertEqual(lines[1].split(), ["0.02", "r1", "text", "1"])


if __name__ == "__main__":
    cli_world.main()
