#!/usr/bin/env python3
"""Checks that the folders depend on one another as docs/architecture.md says.

Three rules, each a table below:

  * a folder includes itself and the folders above it in LAYERS, nothing else;
  * calls that touch files and maps appear in engine/io only, apart from the exceptions listed;
  * raw casts appear only where the table says why.

usage: check_layers.py ROOT | check_layers.py --self-test
Exit status: 0 clean, 1 a rule is broken (one line each: FILE:LINE: what), 2 wrong use.
"""

import os
import re
import sys

# Each line may include only what stands above it, and folders of one line not one another.
LAYERS = [
    ["engine/base"],
    ["engine/io"],
    ["wal"],
    ["engine/page"],
    ["engine/tree", "engine/array"],
    ["engine/txn"],
    ["engine/record"],
    ["engine/db"],
    ["index/kernels"],
    ["index/filter"],
    ["index/ordered"],
    ["index/vector", "index/gpu"],
    ["index/query"],
    ["include/quire"],
    ["capi"],
]
LEVELS = {folder: level for level, line in enumerate(LAYERS) for folder in line}

# The public header depends on nothing, whatever stands above it; what is built on it, on it alone.
ONLY = {
    "include/quire": ["include/quire"],
    "tools": ["include/quire", "tools"],
    "examples": ["include/quire", "examples"],
    "python": ["include/quire", "python"],
}
# Tests and fuzzers look at everything.
FREE = ["tests", "fuzz"]

# The pieces of the library, where the rules on calls and casts hold.
LIBRARY = ["engine", "wal", "index", "capi"]

FILE_CALLS = ("fsync|fdatasync|sync_file_range|syncfs|open|openat|creat|mmap|mmap64|mremap|msync|"
              "read|pread|preadv|preadv2|write|pwrite|pwritev|pwritev2|ftruncate|truncate|fallocate|"
              "posix_fallocate|flock|fcntl|rename|unlink|mkdir|rmdir")
# A call, not a method: nothing that ends a name, a dot, an arrow or a qualified name stands before
# it. Names that methods and plain functions also have count only when written ::name.
COMMON_WORDS = {"open", "read", "write", "rename", "truncate", "creat"}
CALL = re.compile(r"(?<![\w.>:])(::\s*)?\b(" + FILE_CALLS + r")\s*\(")
DECLARATION_BEFORE = re.compile(r"[\w>&*\]]\s+[&*]?$")

CALLS_ALLOWED = {
    "engine/io/": "the one seam to the system",
}
# Memory without a file behind it may be mapped anywhere.
ANONYMOUS = re.compile(r"\bMAP_ANONYMOUS\b")
URING = re.compile(r"\bio_uring_\w+\s*\(")

CASTS_ALLOWED = {
    "engine/base/": "text as bytes and back",
    "engine/io/": "addresses of maps, arguments of system calls",
    "engine/txn/": "atomics in the memory shared by processes",
    "index/kernels/": "vectors are floats, loaded by vector instructions",
    "capi/": "handles, and the caller's memory",
}
# An address as a number reads no bytes, and any object may be looked at as bytes.
CAST = re.compile(r"\breinterpret_cast\s*<(?!\s*(?:std::uintptr_t|(?:const\s+)?std::byte\s*\*)\s*>)")

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
SOURCE = (".h", ".hpp", ".c", ".cc")


def folder_of(path):
    """The unit that the rules speak of: 'engine/io', 'wal', 'index/vector', 'tools' ..."""
    parts = path.split("/")
    if parts[0] in ("engine", "index", "include") and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0]


def may_include(folder, target):
    if folder in FREE or folder == target:
        return True
    if folder in ONLY:
        return target in ONLY[folder]
    if folder not in LEVELS or target not in LEVELS:
        return False
    if folder.startswith("engine/") and target.startswith("index/"):
        return False
    return LEVELS[target] < LEVELS[folder]


def strip_comments(text):
    """Blanks comments and the contents of strings, keeping the lines."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(match):
        piece = match.group()
        if piece[0] == '"':
            return '"' + " " * (len(piece) - 2) + '"'
        if piece[0] == "'":
            return piece if len(piece) < 3 else "'" + " " * (len(piece) - 2) + "'"
        return re.sub(r"[^\n]", " ", piece)

    return pattern.sub(blank, text)


def check_includes(path, lines, exists):
    folder = folder_of(path)
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, target = match.groups()
        if quote == "<" and not target.startswith("quire/"):
            continue
        found = next((place + target for place in ("", "include/") if exists(place + target)), None)
        if found is None:
            if quote == '"' and folder not in FREE:
                yield number, f"includes {target}, which is not a path from the root"
            continue
        if not may_include(folder, folder_of(found)):
            yield number, f"{folder} may not include {found}"


def in_table(path, table):
    return any(path.startswith(prefix) for prefix in table)


def statement_at(code, offset):
    end = code.find(";", offset)
    return code[offset : end if end >= 0 else len(code)]


def check_calls(path, code):
    if path.split("/")[0] not in LIBRARY or in_table(path, CALLS_ALLOWED):
        return
    for match in CALL.finditer(code):
        qualified, name = match.groups()
        before = code[: match.start()]
        if not qualified:
            if name in COMMON_WORDS:
                continue
            if DECLARATION_BEFORE.search(before[-40:]) and not before.rstrip().endswith("return"):
                continue
        if name.startswith("mmap") and ANONYMOUS.search(statement_at(code, match.start())):
            continue
        yield before.count("\n") + 1, f"calls {name}, which belongs in engine/io"
    for match in URING.finditer(code):
        yield code[: match.start()].count("\n") + 1, "uses io_uring, which belongs in engine/io"


def check_casts(path, code):
    if path.split("/")[0] not in LIBRARY or in_table(path, CASTS_ALLOWED):
        return
    for match in CAST.finditer(code):
        yield (code[: match.start()].count("\n") + 1,
               "casts raw memory; load_le and its like in engine/base/bytes.h do not need to")


def check_file(path, text, exists):
    """All that is wrong with a file, as (line, sentence)."""
    code = strip_comments(text)
    yield from check_includes(path, text.splitlines(), exists)
    yield from check_calls(path, code)
    yield from check_casts(path, code)


def source_paths(root):
    tops = sorted({folder.split("/")[0] for folder in [*LEVELS, *ONLY, *FREE]})
    for top in tops:
        for directory, folders, names in os.walk(os.path.join(root, top)):
            folders.sort()
            for name in sorted(names):
                if name.endswith(SOURCE):
                    full = os.path.join(directory, name)
                    yield os.path.relpath(full, root).replace(os.sep, "/")


def check_tree(root):
    def exists(path):
        return os.path.isfile(os.path.join(root, path))

    problems = 0
    files = 0
    for path in source_paths(root):
        files += 1
        with open(os.path.join(root, path), encoding="utf-8") as file:
            for line, sentence in check_file(path, file.read(), exists):
                problems += 1
                print(f"{path}:{line}: {sentence}")
    print(f"{files} files, {problems} problems")
    if files == 0:
        print("there is nothing here to check", file=sys.stderr)
        return 2
    return 1 if problems else 0


# Each: the path, its text, and how many problems it has. A check that can't fail checks nothing.
SAMPLES = [
    ("engine/page/a.cc", '#include "engine/io/disk.h"\n#include "engine/base/bytes.h"\n', 0),
    ("engine/page/a.cc", '#include "engine/tree/tree.h"\n', 1),
    ("engine/tree/a.cc", '#include "engine/array/array.h"\n', 1),
    ("engine/tree/a.cc", '#include "wal/log.h"\n', 0),
    ("wal/a.cc", '#include "engine/page/page_ptr.h"\n', 1),
    ("engine/txn/a.cc", '#include "wal/log.h"\n', 0),
    ("engine/record/a.cc", '#include "index/kernels/distance.h"\n', 1),
    ("engine/db/a.cc", '#include "capi/handles.h"\n', 1),
    ("index/kernels/a.cc", '#include "engine/base/result.h"\n', 0),
    ("capi/a.cc", '#include "engine/db/database.h"\n#include "quire/quire.h"\n', 0),
    ("include/quire/quire.h", '#include "engine/base/bytes.h"\n', 1),
    ("tools/a.cc", '#include <quire/quire.h>\n#include "tools/table.h"\n', 0),
    ("tools/a.cc", '#include "engine/base/bytes.h"\n', 1),
    ("examples/a.c", '#include <quire/quire.h>\n', 0),
    ("tests/tree/a.cc", '#include "engine/tree/tree.h"\n#include "capi/handles.h"\n', 0),
    ("engine/page/a.cc", '#include "disk.h"\n', 1),
    ("engine/io/a.cc", "int f(int d) { return ::fdatasync(d); }\n", 0),
    ("engine/page/a.cc", "int f(int d) { return ::fdatasync(d); }\n", 1),
    ("engine/page/a.cc", "int f(int d) {\n  return fdatasync(d);\n}\n", 1),
    ("engine/page/a.cc", "int f(const char* p) { return ::open(p, 0); }\n", 1),
    ("engine/page/a.cc", "auto f(Disk& d) { return d.open(path, mode); }\n", 0),
    ("engine/page/a.cc", "static Result<File> open(const Path& path);\n", 0),
    ("engine/page/a.cc", "auto x = file->write(0, bytes); // ::pwrite(1)\n", 0),
    ("engine/page/a.cc", 'auto x = fail("::pwrite(%d)", 1);\n', 0),
    ("wal/a.cc", "auto n = pwrite(fd, p, n, 0);\n", 1),
    ("wal/a.cc", "io_uring_submit(&ring);\n", 1),
    ("engine/page/a.cc", "p = ::mmap(nullptr, n, PROT_READ, MAP_SHARED, fd, 0);\n", 1),
    ("engine/page/a.cc", "p = ::mmap(nullptr, n,\n  PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n", 0),
    ("engine/tree/a.cc", "auto* h = reinterpret_cast<const Header*>(page);\n", 1),
    ("engine/tree/a.cc", "auto n = reinterpret_cast<std::uintptr_t>(page);\n", 0),
    ("engine/db/a.cc", "read(0, {reinterpret_cast<std::byte*>(&image), sizeof image});\n", 0),
    ("index/kernels/a.cc", "auto* f = reinterpret_cast<const float*>(row);\n", 0),
    ("tools/a.cc", "int f(int d) { return ::fdatasync(d); }\n", 0),
]
SAMPLE_FILES = {
    "engine/base/bytes.h", "engine/base/result.h", "engine/io/disk.h", "wal/log.h",
    "engine/page/page_ptr.h", "engine/tree/tree.h", "engine/array/array.h",
    "engine/db/database.h", "index/kernels/distance.h", "include/quire/quire.h",
    "capi/handles.h", "tools/table.h",
}


def self_test():
    failures = 0
    for path, text, expected in SAMPLES:
        found = list(check_file(path, text, SAMPLE_FILES.__contains__))
        if len(found) != expected:
            failures += 1
            print(f"{path}: expected {expected} problems, found {found} in:\n{text}")
    print(f"{len(SAMPLES)} samples, {failures} failures")
    return 1 if failures else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) == 1:
        return check_tree(arguments[0])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
