#!/usr/bin/env python3
"""Says which branches of engine and wal the tests did not take.

usage: report.py BUILD_DIRECTORY [--list]

A branch is an outcome, true or false, of a condition in the source, also of one inside a macro, where
it counts at each place that uses the macro. Instances of a template, and copies of an inline
function, are one: an outcome is taken when any of them took it. Prints a line for each file, and with
--list one for each outcome that was not taken: FILE:LINE:COLUMN true|false  the line.
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    top = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
    counts = outcomes(options.build, top)
    files = collections.defaultdict(lambda: [0, 0])
    missed = []
    for (name, positions), taken in counts.items():
        for outcome, times in zip(("true", "false"), taken):
            files[name][0] += times > 0
            files[name][1] += 1
            if times == 0:
                missed.append((name, positions, outcome))
    if options.list:
        for name, positions, outcome in sorted(missed):
            with open(os.path.join(top, name)) as source:
                text = source.read().splitlines()[positions[0][0] - 1].strip()
            line, column = positions[0]
            print(f"{name}:{line}:{column} {outcome:5}  {text}")
        return
    print(f"{'branches':>9} {'taken':>9} {'percent':>8}")
    for name, (taken, all_of) in sorted(files.items()):
        print(f"{all_of:9} {taken:9} {100 * taken / all_of:8.1f}  {name}")
    taken = sum(one[0] for one in files.values())
    all_of = sum(one[1] for one in files.values())
    print(f"{all_of:9} {taken:9} {100 * taken / max(all_of, 1):8.1f}  engine and wal")


if __name__ == "__main__":
    main()
