#!/usr/bin/env python3
"""Checks the promise of README.md: the C example in it is examples/hello.c, and that runs.

usage: check_readme.py README HELLO_C HELLO_PROGRAM
"""

import pathlib
import re
import subprocess
import sys
import tempfile


def c_blocks(markdown):
    return re.findall(r"^```c\n(.*?)^```$", markdown, re.S | re.M)


def main(readme, source, program):
    expected = pathlib.Path(source).read_text(encoding="utf-8")
    if expected not in c_blocks(pathlib.Path(readme).read_text(encoding="utf-8")):
        print(f"no C block of {readme} equals {source}")
        return 1
    with tempfile.TemporaryDirectory() as directory:
        # Twice: the second run finds the database of the first.
        for _ in range(2):
            run = subprocess.run([pathlib.Path(program).resolve()], cwd=directory, text=True,
                                 capture_output=True, timeout=60, check=False)
            if run.returncode != 0 or run.stdout != "k1 = hello\n":
                print(f"{program} ended with {run.returncode}: {run.stdout!r} {run.stderr!r}")
                return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
