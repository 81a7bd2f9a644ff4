#!/usr/bin/env python3
"""shell: lines from standard input, and at a terminal."""

import json
import os
import pty
import select
import shutil
import subprocess
import time

import cli_world
from cli_world import CliTest, ndjson, parse_lines, run

GOODS = [{"id": i, "name": f"n {i}", "size": i * 10} for i in range(5)]


class Shell(CliTest):
    def setUp(self):
        super().setUp()
        self.good("load", self.db, "goods", "-", stdin=ndjson(GOODS))

    def shell(self, *lines):
        return self.good("shell", self.db, stdin="\n".join(lines) + "\n")

    def test_verbs_without_the_database_and_with_quotes(self):
        done = self.shell("count goods", "", "# nothing", "count goods \"name = 'n 1'\"",
                          "put goods '{\"id\":9,\"name\":\"it'\\''s\",\"size\":1}'",
                          "get goods 9 --json")
        self.assertEqual(done.out, '5\n1\n{"id":9,"name":"it\'s","size":1}\n')

    def test_modes(self):
        done = self.shell(".mode json", "query goods 'id < 1'", ".mode csv", "query goods 'id < 1'",
                          ".mode table", "query goods 'id < 1' --select id")
        lines = done.out.splitlines()
        self.assertEqual(json.loads(lines[0]), GOODS[0])
        self.assertEqual(lines[1:3], ["id,name,size", "0,n 0,0"])
        self.assertEqual([line.split() for line in lines[3:]], [["id"], ["0"]])

    def test_dot_commands(self):
        done = self.shell(".collections", ".schema goods", ".timing on", "count goods", ".help",
                          ".mode json", ".tables", ".quit", "count goods")
        self.assertRegex(done.out, r"goods +5\n")
        self.assertIn("key         id", done.out)
        self.assertIn(".timing on", done.out)
        self.assertEqual(parse_lines(done.out.splitlines()[-1]), [{"name": "goods", "records": 5}])
        self.assertEqual(done.out.splitlines().count("5"), 1)
        self.assertRegex(done.err, r"[0-9.]+ ms")

    def test_the_first_failure_ends_it(self):
        for wanted, line in (("no verb 'frob'", "frob x"), ("no collection 'x'", "count x"),
                             ("a quote that is not closed", "count goods \"id"),
                             ("'.frob' is no command", ".frob"), ("table, json or csv", ".mode xml"),
                             ("on or off", ".timing maybe"), ("within a shell", "shell")):
            done = run("shell", self.db, stdin=f"{line}\ncount goods\n")
            self.assertEqual((done.returncode, done.out), (2, ""), line)
            self.assertIn(wanted, done.err)
        done = run("shell", self.db, stdin="get goods 77\ncount goods\n")
        self.assertEqual((done.returncode, done.out), (1, "5\n"))
        self.failed("makes a database", "shell", self.path("nope.quire"), stdin="stat\n")

    def open_shell(self, *options):
        """A shell that waits for its first line; ask(line) gives the first line of the answer."""
        process = subprocess.Popen([cli_world.QUIRE, "shell", self.db, *options],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for stream in (process.stdin, process.stdout, process.stderr):
            self.addCleanup(stream.close)

        def ask(line):
            process.stdin.write(line + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()
        return process, ask

    def attached(self):
        readers = json.loads(self.good("inspect", self.db, "readers").out)
        return [process["pid"] for process in readers["processes"]]

    def test_the_database_is_open_between_lines_for_reading(self):
        process, ask = self.open_shell()
        self.assertEqual(ask("count goods"), "5")
        self.assertIn(process.pid, self.attached())
        # Others write meanwhile, and the shell sees it; it writes itself, and gives the place back.
        self.good("del", self.db, "goods", 0)
        self.assertEqual(ask("count goods"), "4")
        self.assertEqual(json.loads(ask("del goods 1 --json"))["deleted"], 1)
        self.assertEqual(ask("count goods"), "3")
        self.good("del", self.db, "goods", 2)
        self.assertEqual(ask("count goods"), "2")
        self.assertEqual(process.communicate(timeout=20), ("", ""))
        self.assertEqual(process.returncode, 0)
        self.assertEqual(self.good("check", self.db).out, "clean\n")

    def test_with_write_nobody_else_writes(self):
        process, ask = self.open_shell("--write")
        self.assertEqual(json.loads(ask("del goods 1 --json"))["deleted"], 1)
        self.assertEqual(json.loads(self.good("stat", self.db, "--json").out)["writer_pid"],
                         process.pid)
        self.failed(str(process.pid), "del", self.db, "goods", 2)
        self.failed(str(process.pid), "shell", self.db, "--write")
        self.assertEqual(ask("del goods 3 --durability none --json"), '{"deleted":1,"missing":0}')
        self.assertEqual(ask("count goods"), "3")
        self.assertEqual(process.communicate(timeout=20), ("", ""))
        self.assertEqual(process.returncode, 0)
        self.good("del", self.db, "goods", 2)
        self.assertEqual(self.good("count", self.db, "goods").out, "2\n")

    def test_options_of_writing_are_for_write(self):
        self.failed("--wait is for --write", "shell", self.db, "--wait", 1)
        self.failed("--durability is for --write", "shell", self.db, "--durability", "os")
        self.good("shell", self.db, "--write", "--wait", 1, "--durability", "os", stdin="stat\n")

    def at_terminal(self, *lines, state):
        main, other = pty.openpty()
        env = dict(os.environ, XDG_STATE_HOME=state, TERM="xterm")
        with subprocess.Popen([cli_world.QUIRE, "shell", self.db], stdin=other, stdout=other,
                              stderr=other, env=env, start_new_session=True) as process:
            os.close(other)
            shown = b""
            for line in lines:
                shown += self.read_until_quiet(main)
                os.write(main, line.encode())
            process.wait(20)
            shown += self.read_until_quiet(main)
        os.close(main)
        self.assertEqual(process.returncode, 0, shown)
        return shown.decode()

    @staticmethod
    def read_until_quiet(main):
        shown, deadline = b"", time.time() + 10
        while time.time() < deadline:
            if not select.select([main], [], [], 0.5)[0]:
                if shown:
                    break
                continue
            try:
                piece = os.read(main, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        return shown

    def test_a_terminal_has_completion_and_history(self):
        state = self.path("state")
        shown = self.at_terminal("frob\n", "cou\tgoo\t\"siz\t > 10\"\n", ".quit\n", state=state)
        self.assertIn("no verb 'frob'", shown)
        if not os.path.exists(os.path.join(state, "quire", "history")):
            self.skipTest("built without libedit")
        self.assertIn("\n3\r\n", shown)
        with open(os.path.join(state, "quire", "history"), encoding="utf-8") as file:
            self.assertIn("frob", file.read())


    def test_it_goes_on_with_a_database_that_was_made_anew(self):
        process, ask = self.open_shell()
        self.assertEqual(ask("count goods"), "5")
        shutil.rmtree(self.db)
        self.good("load", self.db, "goods", "-", stdin=ndjson(GOODS[:2]))
        self.assertEqual(ask("count goods"), "2")
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    cli_world.main()
