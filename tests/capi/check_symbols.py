"""The library exports the functions that quire.h declares, under its version, and nothing else.

Usage: check_symbols.py LIBRARY HEADER
"""
import re
import subprocess
import sys

VERSION = "QUIRE_0"


def exported(library):
    """Names with their versions, of what is defined."""
    output = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", library],
                            capture_output=True, text=True, check=True).stdout
    symbols = {}
    for line in output.splitlines():
        name, _, version = line.split()[-1].partition("@@")
        symbols[name] = version
    symbols.pop(VERSION, None)  # the version itself
    return symbols


def declared(header):
    with open(header) as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    return set(re.findall(r"QUIRE_API\s+[^;]*?\b(quire_\w+)\s*\(", text))


def main():
    library, header = sys.argv[1:]
    symbols, names = exported(library), declared(header)
    assert len(names) > 50, "the header was not understood"
    problems = [f"declared, not exported: {name}" for name in sorted(names - symbols.keys())]
    problems += [f"exported, not declared: {name}" for name in sorted(symbols.keys() - names)]
    problems += [f"without version {VERSION}: {name}" for name, version in sorted(symbols.items())
                 if version != VERSION]
    print("\n".join(problems))
    sys.exit(1 if problems else 0)


main()
