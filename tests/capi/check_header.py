"""quire.h compiles by itself, without a word, as C99 and as C++11; quire.hpp and each of its parts as C++20.

Usage: check_header.py INCLUDE_DIR C_FILE CPP_FILE CPP20_FILE C_COMPILER... -- CPP_COMPILER...
"""
import pathlib
import subprocess
import sys
import tempfile

STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-Wshadow", "-fsyntax-only"]


def compiles(compiler, standard, file, include):
    command = [*compiler, standard, *STRICT, "-I", include, file]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0 or done.stderr:
        print(" ".join(command), done.stderr, sep="\n")
        return False
    return True


def main():
    include, c_file, cpp_file, cpp20_file, *compilers = sys.argv[1:]
    split = compilers.index("--")
    c_compiler, cpp_compiler = compilers[:split], compilers[split + 1:]
    results = [
        compiles(c_compiler, "-std=c99", c_file, include),
        compiles(cpp_compiler, "-std=c++11", cpp_file, include),
        compiles(cpp_compiler, "-std=c++23", cpp_file, include),
        compiles(cpp_compiler, "-std=c++20", cpp20_file, include),
        compiles(cpp_compiler, "-std=c++23", cpp20_file, include),
    ]
    parts = sorted((pathlib.Path(include) / "quire" / "hpp").glob("*.hpp"))
    results.append(bool(parts))
    for part in parts:
        with tempfile.NamedTemporaryFile("w", suffix=".cc") as file:
            file.write(f"#include <quire/hpp/{part.name}>\n")
            file.flush()
            results.append(compiles(cpp_compiler, "-std=c++20", file.name, include))
    sys.exit(0 if all(results) else 1)


main()
