#!/usr/bin/env python3
"""Help, stat, check, recover, inspect, streams, two processes."""

import json
import os
import subprocess
import time
import unittest

import cli_world
from cli_world import CliTest, PRODUCTS, ndjson, run


class Help(CliTest):
    VERBS = ["create", "put", "get", "del", "drop", "scan", "load", "dump", "search", "stat",
             "check", "checkpoint", "inspect", "recover", "schema", "index", "query", "count",
             "explain", "update", "delete", "shell"]

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
        with subprocess.Popen([cli_world.QUIRE, "scan", self.db, "c", "--json"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.stderr.read(), b"")
        self.assertEqual(process.returncode, 0)

    def test_output_that_can_not_be_written_is_a_failure(self):
        self.load_products()
        with open("/dev/full", "wb") as full:
            done = subprocess.run([cli_world.QUIRE, "dump", self.db, "products"], stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"cannot write standard output", done.stderr)
        done = subprocess.run(["sh", "-c", f'"{cli_world.QUIRE}" dump "{self.db}" products >&-'],
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
        process = subprocess.Popen([cli_world.QUIRE, "load", self.db, "c", "-", "--batch", "1", "--infer", "1"],
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
        waiting = subprocess.Popen([cli_world.QUIRE, "put", self.db, "c", '{"id":7}', "--wait", "20"])
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
                done = subprocess.run([cli_world.QUIRE, "get", self.db, "c", "1"], capture_output=True,
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
    cli_world.main()
