#!/usr/bin/env python3
"""Says which branches of engine and wal the tests did not take.

usage: report.py BUILD_DIRECTORY [--list | --unexplained]

A branch is an outcome, true or false, of a condition in the source, also of one inside a macro, where
it counts at each place that uses the macro. Instances of a template, and copies of an inline
function, are one: an outcome is taken when any of them took it. Prints a line for each file, and with
--list one for each outcome that was not taken: FILE:LINE:COLUMN true|false [REASON]  the line.

untaken.txt, beside this program, has the reasons: `FILE OUTCOME REASON | LINE` for each line of source
with such an outcome, whatever its number. --unexplained lists what has none; entries that nothing
needs any more are named on standard error.
"""
import argparse
import collections
import glob
import json
import os
import subprocess
import sys

MEASURED = ("engine/", "wal/")
EXPANSION = 1  # kind of a region that stands for the use of a macro


def tool(name):
    """llvm's program, with or without the version in its name."""
    for candidate in (f"{name}-19", name):
        if subprocess.run(["which", candidate], capture_output=True).returncode == 0:
            return candidate
    sys.exit(f"report.py: {name} is not installed")


def programs(build):
    """What the tests ran that was compiled for coverage."""
    found = glob.glob(os.path.join(build, "capi", "libquire.so*"))
    for folder, _, names in os.walk(build):
        paths = (os.path.join(folder, name) for name in names)
        found += [path for path in paths if os.access(path, os.X_OK)]
    elf = []
    for path in sorted(set(map(os.path.realpath, found))):
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            if file.read(4) == b"\x7fELF" and not path.endswith(".o"):
                elf.append(path)
    return elf


def export(build):
    """The functions of all programs, with their regions and branches."""
    profiles = glob.glob(os.path.join(build, "profiles", "*.profraw"))
    if not profiles:
        sys.exit(f"report.py: {build}/profiles is empty: run the tests first")
    merged = os.path.join(build, "coverage.profdata")
    subprocess.run([tool("llvm-profdata"), "merge", "--failure-mode=all", "-o", merged, *profiles],
                   check=True)
    for program in programs(build):
        shown = subprocess.run([tool("llvm-cov"), "export", f"-instr-profile={merged}", program],
                               capture_output=True)
        if shown.returncode == 0:  # else: a program without coverage
            for unit in json.loads(shown.stdout)["data"]:
                yield from unit["functions"]


def places(function):
    """For each of the function's files (macro uses count as files) where it is used: the path of
    positions down from the function's own source."""
    parents = {}
    for line, column, _, _, _, file, expanded, kind in function["regions"]:
        if kind == EXPANSION:
            parents[expanded] = (file, line, column)

    def path(file):
        if file not in parents:
            return function["filenames"][file], ()
        parent, line, column = parents[file]
        name, before = path(parent)
        return name, before + ((line, column),)

    return path


def outcomes(build, top):
    """(file, positions) -> [times true, times false]"""
    counts = collections.defaultdict(lambda: [0, 0])
    for function in export(build):
        path = places(function)
        for branch in function["branches"]:
            line, column, _, _, true_count, false_count, file = branch[:7]
            name, positions = path(file)
            name = os.path.relpath(os.path.realpath(os.path.join(build, name)), top)
            if not name.startswith(MEASURED):
                continue
            taken = counts[name, positions + ((line, column),)]
            taken[0] += true_count
            taken[1] += false_count
    return counts


REASONS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "untaken.txt")


def reasons():
    """(file, outcome, line of source) -> reason"""
    known = {}
    with open(REASONS) as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            place, separator, text = line.partition(" | ")
            words = place.split()
            if not separator or len(words) != 3 or words[1] not in ("true", "false"):
                sys.exit(f"{REASONS}:{number}: not FILE true|false REASON | LINE")
            known[words[0], words[1], text.strip()] = words[2]
    return known


class Source:
    """Lines of files below the top of the tree."""

    def __init__(self, top):
        self.top, self.files = top, {}

    def line(self, name, number):
        if name not in self.files:
            with open(os.path.join(self.top, name)) as file:
                self.files[name] = file.read().splitlines()
        return self.files[name][number - 1].strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--unexplained", action="store_true")
    options = parser.parse_args()
    top = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
    counts = outcomes(options.build, top)
    known, used, source = reasons(), set(), Source(top)
    files = collections.defaultdict(lambda: [0, 0])
    missed = []
    for (name, positions), taken in counts.items():
        for outcome, times in zip(("true", "false"), taken):
            files[name][0] += times > 0
            files[name][1] += 1
            if times != 0:
                continue
            key = (name, outcome, source.line(name, positions[0][0]))
            used.add(key)
            missed.append((name, positions[0], outcome, known.get(key, ""), key[2]))
    unexplained = [one for one in missed if not one[3]]
    if options.list or options.unexplained:
        for name, (line, column), outcome, reason, text in sorted(
                missed if options.list else unexplained):
            print(f"{name}:{line}:{column} {outcome:5} {reason:8}  {text}")
        for name, outcome, text in sorted(set(known) - used):
            print(f"taken by now: {name} {outcome} | {text}", file=sys.stderr)
        return
    print(f"{'branches':>9} {'taken':>9} {'percent':>8}")
    for name, (taken, all_of) in sorted(files.items()):
        print(f"{all_of:9} {taken:9} {100 * taken / all_of:8.1f}  {name}")
    taken = sum(one[0] for one in files.values())
    all_of = sum(one[1] for one in files.values())
    print(f"{all_of:9} {taken:9} {100 * taken / max(all_of, 1):8.1f}  engine and wal; of the "
          f"{len(missed)} that were not taken {len(missed) - len(unexplained)} have a reason in "
          "tests/coverage/untaken.txt")


if __name__ == "__main__":
    main()
