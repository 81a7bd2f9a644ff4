#!/usr/bin/env python3
"""Runs clang-tidy over what a build directory compiles, and skips what was clean the last time.

usage: tidy.py BUILD FOLDER...

What is checked is one compilation after another, as BUILD/compile_commands.json has them, of sources
below the FOLDERs: where Meson compiles several files at a time (the option `units`) clang-tidy reads
them together too, and walks through what they all include once instead of once for each. The largest
go first, as many at a time as there are processors.

A compilation that was clean leaves a mark in BUILD/tidy-clean. The mark's name is a hash of all that
the answer depends on: clang-tidy itself, .clang-tidy, the command, and the bytes of every file that
the compiler read. What has not been compiled since its last change is not known and is checked.

Exit status: 0 clean, 1 there are findings (printed), 2 wrong use.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

TIDY = "clang-tidy-19"
# What clang-tidy says of what it does not show.
NOISE = re.compile(r"^(\d+ warnings? (generated|treated)|Suppressed |Use -header-filter)")
INCLUDED = re.compile(r"^#include\s*<(/.*)>$", re.MULTILINE)


class Compilation:
    """One command of the compiler."""

    def __init__(self, entry):
        self.directory = pathlib.Path(entry["directory"])
        self.file = (self.directory / entry["file"]).resolve()
        self.output = entry["output"]
        self.command = entry["command"]
        self.sources = [self.file]
        # Files that Meson wrote include the sources and have nothing else.
        if "unity" in self.file.name and self.file.suffix == ".cpp":
            found = INCLUDED.findall(self.file.read_text())
            self.sources = [pathlib.Path(path).resolve() for path in found]

    def is_below(self, folders):
        return any(source.is_relative_to(folder) for source in self.sources for folder in folders)

    def size(self):
        return sum(source.stat().st_size for source in self.sources)


def compilations(build, folders):
    """Those below the folders, the largest first; each file once, whatever it is compiled for."""
    with open(build / "compile_commands.json", encoding="utf-8") as commands:
        known = [Compilation(entry) for entry in json.load(commands)]
    chosen = {each.file: each for each in known
              if each.file.suffix in (".cc", ".cpp") and each.is_below(folders)}
    return sorted(chosen.values(), key=Compilation.size, reverse=True)


def read_files(build):
    """What the compiler read for each output, by Ninja's log: {output: [path]}."""
    log = subprocess.run(["ninja", "-C", build, "-t", "deps"], text=True, capture_output=True,
                         check=True).stdout
    files, output = {}, None
    for line in log.splitlines():
        if line.startswith("    "):
            files[output].append(line.strip())
        elif ": #deps" in line:
            output = line.split(": #deps")[0]
            files[output] = []
    return files


class Marks:
    """Which compilations were clean: files without content, named by the hash."""

    def __init__(self, build, root):
        self.folder = build / "tidy-clean"
        self.folder.mkdir(exist_ok=True)
        self.files = read_files(build)
        version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
        self.common = version + (root / ".clang-tidy").read_bytes()
        self.digests = {}

    def digest(self, path):
        if path not in self.digests:
            self.digests[path] = hashlib.sha256(path.read_bytes()).digest()
        return self.digests[path]

    def of(self, compilation):
        """The path of its mark; None where it is not known what it reads by now."""
        names = self.files.get(compilation.output)
        output = compilation.directory / compilation.output
        if not names or not output.is_file():
            return None
        compiled = output.stat().st_mtime_ns
        state = hashlib.sha256(self.common + compilation.command.encode())
        for name in sorted(names):
            path = compilation.directory / name
            if not path.is_file() or path.stat().st_mtime_ns > compiled:
                return None
            state.update(name.encode() + b"\0" + self.digest(path))
        return self.folder / state.hexdigest()


def check(build, compilation):
    """What clang-tidy has to say, and whether that is nothing."""
    result = subprocess.run([TIDY, "-p", build, "--quiet", "--warnings-as-errors=*",
                             compilation.file], text=True, capture_output=True, check=False)
    said = (result.stdout + result.stderr).splitlines()
    return "\n".join(line for line in said if not NOISE.match(line)), result.returncode == 0


def main(build, folders):
    root = pathlib.Path(__file__).resolve().parents[2]
    marks = Marks(build, root)
    wanted = [(each, marks.of(each)) for each in compilations(build, folders)]
    due = [(each, mark) for each, mark in wanted if mark is None or not mark.exists()]
    print(f"lint: clang-tidy, {len(due)} of {len(wanted)} compilations changed", file=sys.stderr)
    failed = False
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda pair: check(build, pair[0]), due)
        for (_, mark), (said, clean) in zip(due, results):
            if not clean:
                print(said)
                failed = True
            elif mark is not None:
                mark.touch()  # without content, and there is one a change: nobody has to tidy up
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(),
                  [pathlib.Path(argument).resolve() for argument in sys.argv[2:]]))
