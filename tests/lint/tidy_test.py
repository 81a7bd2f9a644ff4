#!/usr/bin/env python3
"""What tidy.py checks and what it skips, with a clang-tidy that finds the word `bad`.

usage: tidy_test.py TIDY_PY
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

FAKE = """#!/bin/sh
[ "$1" = --version ] && exit 0
for file; do :; done
echo "$file" >>"$CALLS"
! grep -n bad "$file" "$(dirname "$file")/a.h"
"""
NINJA = """rule cxx
  command = cp $in $out && echo '$out: $in a.h' >$out.d
  deps = gcc
  depfile = $out.d
build one.o: cxx one.cc
build two.o: cxx two.cc
"""


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name).resolve()
        self.calls = self.root / "calls"
        fake = self.root / "bin" / "clang-tidy-19"
        fake.parent.mkdir()
        fake.write_text(FAKE)
        fake.chmod(0o755)
        self.write("build.ninja", NINJA)
        for name in ("a.h", "one.cc", "two.cc"):
            self.write(name, "good\n")
        self.write("compile_commands.json", json.dumps([
            {"directory": str(self.root), "file": f"{name}.cc", "output": f"{name}.o",
             "command": f"c++ {name}.cc"} for name in ("one", "two")]))
        self.build()

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, text):
        (self.root / name).write_text(text)

    def build(self):
        time.sleep(0.01)
        subprocess.run(["ninja", "-C", self.root], check=True, capture_output=True)

    def run_tidy(self, *folders):
        """The exit status, what was said, and the files that clang-tidy was called for."""
        self.calls.write_text("")
        env = dict(os.environ, CALLS=str(self.calls),
                   PATH=f"{self.root / 'bin'}:{os.environ['PATH']}")
        result = subprocess.run([sys.executable, TIDY_PY, self.root, *(folders or [self.root])],
                                env=env, text=True, capture_output=True, check=False)
        called = sorted(pathlib.Path(path).name for path in self.calls.read_text().split())
        return result.returncode, result.stdout, called

    def test_what_was_clean_is_skipped(self):
        self.assertEqual(self.run_tidy(), (0, "", ["one.cc", "two.cc"]))
        self.assertEqual(self.run_tidy(), (0, "", []))

    def test_a_changed_header_is_checked_again_before_and_after_it_is_compiled(self):
        self.run_tidy()
        time.sleep(0.01)
        self.write("a.h", "better\n")
        for _ in range(2):
            self.assertEqual(self.run_tidy()[2], ["one.cc", "two.cc"])
        self.build()
        self.assertEqual(self.run_tidy()[2], ["one.cc", "two.cc"])
        self.assertEqual(self.run_tidy()[2], [])

    def test_a_finding_is_told_every_time(self):
        self.write("two.cc", "bad\n")
        self.build()
        status, said, called = self.run_tidy()
        self.assertEqual((status, called), (1, ["one.cc", "two.cc"]))
        self.assertIn("bad", said)
        self.assertEqual((1, ["two.cc"]), self.run_tidy()[::2])

    def test_another_command_is_another_compilation(self):
        self.run_tidy()
        path = self.root / "compile_commands.json"
        path.write_text(path.read_text().replace("c++ one.cc", "c++ -DX one.cc"))
        self.assertEqual(self.run_tidy()[2], ["one.cc"])

    def test_what_is_outside_of_the_folders_is_not_looked_at(self):
        self.assertEqual(self.run_tidy(self.root / "bin"), (0, "", []))

    def test_of_a_unit_the_sources_count(self):
        (self.root / "deep").mkdir()
        self.write("deep/source.cc", "good\n")
        self.write("x-unity0.cpp", f"#include<{self.root}/bin/../deep/source.cc>\n")
        self.write("compile_commands.json", json.dumps([
            {"directory": str(self.root), "file": "x-unity0.cpp", "output": "x.o",
             "command": "c++ x-unity0.cpp"}]))
        self.assertEqual(self.run_tidy(self.root / "deep")[2], ["x-unity0.cpp"])
        self.assertEqual(self.run_tidy(self.root / "bin")[2], [])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    TIDY_PY = sys.argv.pop()
    unittest.main()
