#!/usr/bin/env python3
"""Builds a small project that takes Quire as a Meson subproject, and runs it; then installs Quire
and builds the same program by pkg-config.

usage: check_subproject.py QUIRE_SOURCE CONSUMER EXAMPLE_C
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# Everything that Quire alone does not need is left out, and nothing may be downloaded. It is compiled
# in units of whole folders and without optimisation: what is tried here are the build files.
OPTIONS = ["--wrap-mode=nodownload", "--buildtype=debug", "-Dquire:tests=disabled",
           "-Dquire:tools=disabled", "-Dquire:bench=disabled", "-Dquire:buildtype=plain",
           "-Dquire:units=100"]


def run(*command, cwd, env=None):
    subprocess.run(command, cwd=cwd, env=env, check=True)


def expect_hello(program, cwd, env=None):
    output = subprocess.run([program], cwd=cwd, env=env, text=True, capture_output=True,
                            timeout=60, check=True).stdout
    if output != "k1 = hello\n":
        sys.exit(f"{program} said {output!r}")


def main(source, consumer, example):
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        shutil.copytree(consumer, work / "consumer")
        shutil.copy(example, work / "consumer" / "main.c")
        (work / "consumer" / "subprojects").mkdir()
        (work / "consumer" / "subprojects" / "quire").symlink_to(source)
        run("meson", "setup", "build", *OPTIONS, f"--prefix={work / 'installed'}",
            cwd=work / "consumer")
        run("ninja", "-C", "build", cwd=work / "consumer")
        expect_hello(work / "consumer" / "build" / "consumer", work)

        run("meson", "install", "-C", "build", "--no-rebuild", "--quiet", cwd=work / "consumer")
        config = next((work / "installed").rglob("quire.pc"))
        env = dict(os.environ, PKG_CONFIG_PATH=str(config.parent),
                   LD_LIBRARY_PATH=str(config.parent.parent))
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "quire"], env=env, text=True,
                               capture_output=True, check=True).stdout.split()
        run("cc", "-std=c99", "-o", work / "by-pkg-config", example, *flags, cwd=work)
        expect_hello(work / "by-pkg-config", work, env)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*(pathlib.Path(argument).resolve() for argument in sys.argv[1:]))
