#!/usr/bin/env python3
"""Compares the byte tables of docs/format.md with those the program format_tables prints.

A table lies between '<!-- table: NAME -->' and '<!-- end -->'. Every table printed must be on the
page and the other way round; --write puts the printed ones in.

usage: check_format.py [--write] FORMAT_MD FORMAT_TABLES_PROGRAM
"""

import pathlib
import re
import subprocess
import sys

TABLE = re.compile(r"<!-- table: ([\w-]+) -->\n.*?<!-- end -->\n", re.S)


def tables_of(text):
    return {match.group(1): match.group(0) for match in TABLE.finditer(text)}


def main(arguments):
    write = arguments[:1] == ["--write"]
    if len(arguments) != 2 + write:
        print(__doc__, file=sys.stderr)
        return 2
    page_path = pathlib.Path(arguments[-2])
    printed = tables_of(subprocess.run([pathlib.Path(arguments[-1]).resolve()], text=True,
                                       stdout=subprocess.PIPE, check=True, timeout=60).stdout)
    page = page_path.read_text(encoding="utf-8")
    on_page = tables_of(page)

    status = 0
    for name in sorted(printed.keys() - on_page.keys()):
        print(f"{page_path} lacks the table {name}")
        status = 1
    for name in sorted(on_page.keys() - printed.keys()):
        print(f"{page_path} has a table {name} that no struct stands for")
        status = 1
    if write:
        page_path.write_text(TABLE.sub(lambda match: printed.get(match.group(1), match.group(0)), page),
                             encoding="utf-8")
        return status
    for name in sorted(printed.keys() & on_page.keys()):
        if printed[name] != on_page[name]:
            print(f"{page_path}: the table {name} differs from the struct; ./dev docs writes it again")
            status = 1
    if not printed:
        print("no table was printed")
        status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
