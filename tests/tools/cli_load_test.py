#!/usr/bin/env python3
"""load and dump."""

import csv
import json
import os
import signal
import struct
import subprocess
import time

import cli_world
from cli_world import CliTest, PRODUCTS, ndjson, parse_lines, run


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
                ('{"id":1,"o":{"a":1}}\n{"id":2,"o":1}', "field 'o': an integer here and an object"),
                ('{"id":1,"a":1}\n{"id":2,"a":"x"}', "line 2: field 'a': a text here and an integer"),
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
        with subprocess.Popen([cli_world.QUIRE, "load", self.db, "c", "-", "--batch", "2", "--infer", "1"],
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
        with subprocess.Popen([cli_world.QUIRE, "load", self.db, "c", "-", "--batch", "1", "--infer", "1"],
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
        with subprocess.Popen([cli_world.QUIRE, "load", self.db, "c", "-", "--json", "--durability", "os"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as process:
            for i in range(60_000):
                process.stdin.write((line % i).encode())
            process.stdin.close()
            summary = json.loads(process.stdout.read())
        self.assertEqual(process.returncode, 0)
        self.assertEqual(summary["records"], 60_000)
        self.assertEqual(self.count(), 60_000)


if __name__ == "__main__":
    cli_world.main()
