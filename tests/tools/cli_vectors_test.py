#!/usr/bin/env python3
"""load of files of vectors."""

import json
import os
import signal
import struct
import subprocess
import time

import cli_world
from cli_world import CliTest, parse_lines, run

SMALL_INDEX = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "small.hnsw")


def fvecs(rows):
    return b"".join(struct.pack(f"<i{len(row)}f", len(row), *row) for row in rows)


def npy(descr, shape, data, order="False"):
    literal = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    literal += b" " * (63 - (10 + len(literal)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(literal)) + literal + data


ROWS = [[0, 0.5], [1, -2], [3, 4]]
RECORDS = [{"id": i, "vector": row} for i, row in enumerate(ROWS)]


class Vectors(CliTest):
    def load(self, name, content, *args):
        return self.good("load", self.db, "c", self.file(name, content), *args)

    def records(self, collection="c"):
        return parse_lines(self.dump(self.db, collection))

    def fields(self, collection="c"):
        schema = json.loads(self.good("schema", self.db, collection, "--json").out)
        return {f["name"]: (f["type"], f.get("dimension")) for f in schema["fields"]}

    def test_each_form_by_its_ending(self):
        flat = [number for row in ROWS for number in row]
        whole = [[1, 2], [-128, 127], [3, 4]]
        bytes_ = [number for row in whole for number in row]
        small = [[1, 200], [3, 4]]
        cases = (
            ("a.fvecs", fvecs(ROWS), ROWS, "vector"),
            ("b.FBIN", struct.pack("<II6f", 3, 2, *flat), ROWS, "vector"),
            ("c.i8bin", struct.pack("<II6b", 3, 2, *bytes_), whole, "vector_i8"),
            ("d.u8bin", struct.pack("<II4B", 2, 2, 1, 200, 3, 4), small, "vector"),
            ("e.bvecs", struct.pack("<i2Bi2B", 2, 1, 200, 2, 3, 4), small, "vector"),
            ("f.npy", npy("<f4", "(3, 2)", struct.pack("<6f", *flat)), ROWS, "vector"),
            ("g.npy", npy("<f8", "(3, 2)", struct.pack("<6d", *flat)), ROWS, "vector"),
            ("h.npy", npy("<f2", "(3, 2)", struct.pack("<6e", *flat)), ROWS, "vector_f16"),
            ("i.npy", npy("|i1", "(3, 2)", struct.pack("<6b", *bytes_)), whole, "vector_i8"),
            ("j.npy", npy("<i8", "(3, 2)", struct.pack("<6q", *bytes_)), whole, "vector"),
            ("k.npy", npy("<f4", "(2,)", struct.pack("<2f", 5, 6)), [[5, 6]], "vector"))
        for number, (name, content, rows, kind) in enumerate(cases):
            done = self.good("load", self.db, f"c{number}", self.file(name, content), "--json")
            self.assertIn("schema inferred from the first record", done.err, name)
            self.assertEqual(json.loads(done.out)["records"], len(rows), name)
            self.assertEqual(self.records(f"c{number}"),
                             [{"id": i, "vector": row} for i, row in enumerate(rows)], name)
            self.assertEqual(self.fields(f"c{number}"),
                             {"id": ("i64", None), "vector": (kind, 2)}, name)
        out = self.good("search", self.db, "c0", "--literal", "[3, 4]", "-k", 1, "--json").out
        self.assertEqual(json.loads(out)["key"], 2)

    def test_an_index_that_hnswlib_saved(self):
        done = self.good("load", self.db, "c", SMALL_INDEX, "--json")
        summary = json.loads(done.out)
        self.assertEqual((summary["records"], summary["skipped"], summary["left_out"]), (5, 0, 1))
        self.assertEqual(self.records(), [
            {"id": 0, "vector": [-1.5, 2, 0.25]}, {"id": 5, "vector": [3, 3, 3]},
            {"id": 10, "vector": [0, 0, 0]}, {"id": 11, "vector": [1, 0, 0]},
            {"id": 4000000000000, "vector": [0, 0, 1]}])
        done = self.good("load", self.db, "d", SMALL_INDEX)
        self.assertIn("loaded 5 records", done.err)
        self.assertIn("left out 1 deleted element", done.err)
        self.good("index", self.db, "c", "create", "near", "vector", "--kind", "hnsw")
        self.assertTrue(json.loads(self.good("check", self.db, "--json").out)["clean"])
        # Behind the deleted one, which is the third row, nothing is left out.
        summary = json.loads(self.good("load", self.db, "e", SMALL_INDEX, "--from-line", 4, "--json").out)
        self.assertEqual((summary["records"], summary["left_out"]), (3, 0))
        with open(SMALL_INDEX, "rb") as file:
            index = file.read()
        for size in (0, 95, 96, 200, 359):
            self.failed("cut.hnsw': ", "load", self.db, "x", self.file("cut.hnsw", index[:size]))
        self.failed("the links are cut short", "load", self.db, "x",
                    self.file("cut.hnsw", index[:-1]))
        self.failed("not an index that hnswlib saved: its elements do not begin at 0", "load",
                    self.db, "x", "-", "--format", "hnswlib", stdin=b"x" * 500)

    def test_standard_input(self):
        array = npy("<f4", "(1, 2)", struct.pack("<2f", 5, 6))
        self.good("load", self.db, "c", "-", stdin=array)  # by its magic
        self.good("load", self.db, "d", "-", "--format", "fvecs", stdin=fvecs(ROWS))
        self.assertEqual((self.records("c"), self.records("d")),
                         ([{"id": 0, "vector": [5, 6]}], RECORDS))
        self.failed("standard input, row 2: cut short", "load", self.db, "e", "-", "--format",
                    "fvecs", stdin=fvecs(ROWS)[:-20])
        self.failed("standard input: cut short in its header", "load", self.db, "e", "-",
                    "--format", "fbin", stdin=b"")
        self.failed("it looks like a .npy file (--format npy)", "load", self.db, "e", "-",
                    "--format", "ndjson", stdin=array)

    def test_names_of_fields(self):
        done = self.load("a.fvecs", fvecs(ROWS), "--vector-fields", "nr,emb")
        self.assertIn('"key":"nr"', done.err)
        self.assertEqual(self.records()[1], {"nr": 1, "emb": [1, -2]})
        load = ["load", self.db, "c", self.path("a.fvecs")]
        self.failed("the collection has no field 'id' for the rows of '" + self.path("a.fvecs") +
                    "'; its fields are nr, emb", *load)
        self.failed("field 'nr' is i64, not a vector", *load, "--vector-fields", "emb,nr")
        self.failed("no field 'x'", *load, "--vector-fields", "nr,x")
        for wrong in ("a,b,c", "a,a", ",b", ","):
            self.failed("--vector-fields is ID,VECTOR", *load, "--vector-fields", wrong)
        self.failed("--vector-fields", *load, "--vector-fields", "")
        self.failed("--vector-fields is for files of vectors", "load", self.db, "c", "-",
                    "--vector-fields", "a,b", stdin="{}")

    def test_without_an_id(self):
        schema = self.file("s.json", json.dumps({"fields": [
            {"name": "key", "type": "i64", "generated": "next"},
            {"name": "emb", "type": "vector", "dimension": 2}], "key": "key"}))
        vectors = ["--vector-fields", "emb"]
        self.failed("rows without an id need a collection", "load", self.db, "c",
                    self.file("a.fvecs", fvecs(ROWS)), *vectors)
        self.load("a.fvecs", fvecs(ROWS), "--schema", schema, *vectors)
        self.load("a.fvecs", fvecs(ROWS), *vectors)
        self.assertEqual([r["emb"] for r in self.records()], ROWS + ROWS)

    def test_into_fields_of_other_types(self):
        def collection(name, kind, dimension=2):
            self.good("create", self.db, name, "--schema", self.file("s.json", json.dumps({
                "fields": [{"name": "id", "type": "i64"},
                           {"name": "vector", "type": kind, "dimension": dimension}],
                "key": "id"})))
        for kind, rows in (("vector_i8", [[1, -2], [127, -128]]), ("vector_f16", ROWS),
                           ("vector_bits", [[0, 1], [1, 1]])):
            collection(kind, kind)
            self.good("load", self.db, kind, self.file("a.fvecs", fvecs(rows)))
            self.assertEqual([r["vector"] for r in self.records(kind)], rows)
        file = self.file("a.fvecs", fvecs([[1, 2], [1, 128]]))
        done = self.failed("a.fvecs', row 2: field 'vector': 128 is not a whole number from -128",
                           "load", self.db, "vector_i8", file, "--upsert")
        self.assertIn("nothing was loaded", done.err)
        collection("three", "vector", 3)
        for name, content in (("a.fbin", struct.pack("<II2f", 1, 2, 1, 2)),
                              ("a.npy", npy("<f4", "(1, 2)", struct.pack("<2f", 1, 2)))):
            self.failed("has vectors of dimension 2; field 'vector' has dimension 3", "load",
                        self.db, "three", self.file(name, content))
        self.failed("row 1: field 'vector': 2 numbers where the vector has dimension 3", "load",
                    self.db, "three", file)

    def test_bad_rows(self):
        rows = ROWS + [[1, float("nan")], [1, 2, 3], [float("inf"), 1], [7, 8]]
        # As many bytes as rows of two numbers have.
        data = fvecs(rows) + struct.pack("<ii", 0, 0)
        file = self.file("a.fvecs", data)
        done = self.failed("a.fvecs', row 4: number 2 is not finite", "load", self.db, "c", file,
                           "--batch", 2)
        self.assertIn("2 records are committed", done.err)
        self.assertIn("go on with --from-line 3", done.err)
        done = run("load", self.db, "d", file, "--on-error", "skip", "--json")
        self.assertEqual(done.returncode, 2, done.err)
        summary = json.loads(done.out)
        self.assertEqual((summary["records"], summary["skipped"], summary["lost_from_line"]),
                         (4, 4, 8))
        self.assertIn("a.fvecs', row 5: dimension 3, where the first row has 2", done.err)
        self.assertIn("a.fvecs', row 6: number 1 is not finite", done.err)
        self.assertIn("a.fvecs', row 8: the dimension is 0, which is not 1 to 65535", done.err)
        self.assertIn("row 8 to the end is lost; mend the file", done.err)
        self.assertEqual(self.records("d"), RECORDS + [{"id": 6, "vector": [7, 8]}])
        # From a row on: its id is that of the whole file.
        self.good("load", self.db, "e", self.file("b.fvecs", fvecs(ROWS)), "--from-line", 3)
        self.assertEqual(self.records("e"), RECORDS[2:])
        self.failed("--from-line 4 is behind the last", "load", self.db, "f",
                    self.path("b.fvecs"), "--from-line", 4)
        self.failed("row 1: its key is there already", "load", self.db, "d", self.path("b.fvecs"))

    def test_files_that_are_cut(self):
        for name, content, wanted in (
                ("a.fvecs", fvecs(ROWS)[:-1], "35 bytes, no whole number of rows of 12"),
                ("a.fbin", struct.pack("<II3f", 2, 2, 1, 2, 3), "header of 2 rows of dimension 2 needs 24"),
                ("a.npy", npy("<f4", "(2, 2)", b"1234")[:-1], "header of 2 rows of dimension 2 needs 144"),
                ("a.npy", b"\x93NUMPY\x01", "cut short in its header"),
                ("a.npy", b"", "cut short in its header"),
                ("a.u8bin", struct.pack("<II", 1, 65_536), "the dimension is 65536"),
                ("a.npy", npy("<f4", "(2, 2)", b"", "True"), "in Fortran order"),
                ("a.npy", npy(">f4", "(2, 2)", b""), "big-endian"),
                ("a.npy", npy("<c8", "(2, 2)", b""), "type '<c8'"),
                ("a.fvecs", b"", "no records to infer")):
            self.failed(wanted, "load", self.db, "c", self.file(name, content))
            self.assertFalse(os.path.exists(self.db), name)
        # What a cut file has is loaded where bad rows are skipped.
        done = run("load", self.db, "c", self.file("a.fvecs", fvecs(ROWS)[:-1]), "--on-error", "skip")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(self.records(), RECORDS[:2])

    def test_options_that_do_not_apply(self):
        file = self.file("a.fvecs", fvecs(ROWS))
        for option in (["--infer", 5], ["--max-line-bytes", 5], ["--ignore-unknown"]):
            self.failed(option[0] + " is for text", "load", self.db, "c", file, *option)
        self.failed("a keyspace has keys and values", "load", self.db, "--keyspace", "k", file)
        self.failed("--format", "load", self.db, "c", file, "--format", "hdf5")
        self.good("load", self.db, "c", file)
        self.failed("ends as a file of vectors does", "dump", self.db, "c", self.path("out.npy"))
        self.failed("--format", "dump", self.db, "c", "--format", "npy")
        self.good("dump", self.db, "c", self.path("out.npy"), "--format", "ndjson")

    def test_interrupt_before_the_header_is_there(self):
        # It said that the header was cut short, with exit code 2.
        with subprocess.Popen([cli_world.QUIRE, "load", self.db, "c", "-", "--format", "fbin"],
                              stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdin.write(b"\1\0\0\0")
            process.stdin.flush()
            time.sleep(1.0)
            process.send_signal(signal.SIGINT)
            error = process.stderr.read().decode()
            process.wait(30)
        self.assertEqual(process.returncode, 130, error)
        self.assertIn("interrupted", error)
        self.assertIn("nothing was loaded", error)
        self.assertFalse(os.path.exists(self.db))


if __name__ == "__main__":
    cli_world.main()
