#!/usr/bin/env python3
"""Checks that every relative link in the documents leads to a file, and every #anchor to a heading.

usage: check_links.py FILE_OR_FOLDER...
"""

import pathlib
import re
import sys

LINK = re.compile(r"(?<!\!)\[[^\]\n]+\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.*?)\s*$", re.M)
CODE = re.compile(r"^```.*?^```$", re.S | re.M)


def anchors_of(path):
    """As GitHub makes them from headings."""
    found = set()
    for heading in HEADING.findall(CODE.sub("", path.read_text(encoding="utf-8"))):
        name = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")
        found.add(name)
    return found


def check(path):
    for target in LINK.findall(CODE.sub("", path.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name) if name else path
        if not file.exists():
            yield f"{path}: {target} leads nowhere"
        elif anchor and file.suffix == ".md" and anchor not in anchors_of(file):
            yield f"{path}: {file} has no heading #{anchor}"


def main(arguments):
    pages = []
    for argument in map(pathlib.Path, arguments):
        pages += sorted(argument.rglob("*.md")) if argument.is_dir() else [argument]
    problems = [problem for page in pages for problem in check(page)]
    for problem in problems:
        print(problem)
    print(f"{len(pages)} pages, {len(problems)} broken links")
    return 1 if problems or not pages else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
