#!/usr/bin/env python3
"""What the tests of the command line share: running it, and a database in a folder of its own.

Each test is a program: cli_X_test.py PATH_OF_QUIRE [unittest arguments]
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

QUIRE = ""

PRODUCTS = [
    {"id": "p1", "size": 42, "price": 9.5, "sold": True, "text": "a, \"b\"\nc", "v": [1, 0, 0.25]},
    {"id": "p2", "size": -7, "price": 1e-7, "sold": False, "text": "", "v": [0, 1, -1]},
    {"id": "p3", "size": None, "price": 2, "sold": True, "text": "\u6f22\u5b57", "v": [0.1, 3, 7]},
]


def run(*args, stdin=None, cwd=None):
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run([QUIRE, *map(str, args)], input=data or b"", capture_output=True,
                          timeout=120, cwd=cwd)
    done.out = done.stdout.decode("utf-8", "replace")
    done.err = done.stderr.decode("utf-8", "replace")
    return done


def ndjson(records):
    return "".join(json.dumps(record) + "\n" for record in records)


def parse_lines(text):
    return [json.loads(line) for line in text.splitlines()]


class CliTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="quire-cli-")
        self.addCleanup(self.folder.cleanup)
        self.db = self.path("shop.quire")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def file(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return self.path(name)

    def good(self, *args, **kwargs):
        done = run(*args, **kwargs)
        self.assertEqual(done.returncode, 0, f"{args}: {done.err}")
        return done

    def negative(self, *args, **kwargs):
        done = run(*args, **kwargs)
        self.assertEqual(done.returncode, 1, f"{args}: {done.out} {done.err}")
        return done

    def failed(self, wanted, *args, **kwargs):
        """Exit code 2, nothing on stdout, and `wanted` in the message."""
        done = run(*args, **kwargs)
        self.assertEqual(done.returncode, 2, f"{args}: {done.out} {done.err}")
        self.assertEqual(done.out, "", args)
        self.assertTrue(done.err.startswith("quire: "), done.err)
        self.assertIn(wanted, done.err)
        return done

    def load_products(self):
        self.good("load", self.db, "products", "-", stdin=ndjson(PRODUCTS))

    def dump(self, db, collection, *args):
        return self.good("dump", db, collection, *args).out


def main():
    global QUIRE
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} PATH_OF_QUIRE")
    QUIRE = os.path.abspath(sys.argv.pop(1))
    unittest.main(module="__main__", verbosity=1)
