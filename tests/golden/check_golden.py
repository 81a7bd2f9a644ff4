"""Databases of format version 1, made long ago, are read and written by this library.

Usage: check_golden.py PROGRAM FOLDER

Each FOLDER/NAME.tar.xz is unpacked and compared with FOLDER/NAME.txt, value by value, opened
read-only and for writing; checked, written to and opened again; and refused when its version is of
the future.
"""
import glob
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile

VERSION_AT = 8  # of a meta page
PAGE_SIZE_AT = 16


class Failed(Exception):
    pass


def run(program, *args, good=True):
    done = subprocess.run([program, *args], capture_output=True, text=True, check=False)
    if (done.returncode == 0) != good:
        raise Failed(f"{' '.join(args)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout if good else done.stderr


def unpack(archive, folder):
    """The path of a fresh copy of the database."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder)
    name = os.path.basename(archive).removesuffix(".tar.xz")
    return os.path.join(folder, name + ".quire")


def expect_listing(program, path, wanted, *how):
    found = run(program, "list", path, *how)
    if found == wanted:
        return
    for number, (old, new) in enumerate(zip(wanted.splitlines(), found.splitlines()), 1):
        if old != new:
            raise Failed(f"line {number} of the listing is\n  {new}\nand should be\n  {old}")
    raise Failed(f"the listing has {len(found.splitlines())} lines, "
                 f"not {len(wanted.splitlines())}")


def make_future(path):
    """Both meta pages say a version that this library can't know."""
    with open(os.path.join(path, "data"), "r+b") as data:
        data.seek(PAGE_SIZE_AT)
        page_size = struct.unpack("<I", data.read(4))[0]
        for page in (0, page_size):
            data.seek(page + VERSION_AT)
            data.write(struct.pack("<I", 2))


def contents(path):
    found = {}
    for folder, _, files in os.walk(path):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                found[os.path.relpath(os.path.join(folder, name), path)] = file.read()
    return found


def check_one(program, archive):
    with open(archive.removesuffix(".tar.xz") + ".txt") as file:
        wanted = file.read()
    with tempfile.TemporaryDirectory() as folder:
        path = unpack(archive, folder)
        expect_listing(program, path, wanted, "ro")
        shutil.rmtree(path)
        unpack(archive, folder)
        expect_listing(program, path, wanted)
        run(program, "check", path)
        run(program, "write", path)
        listing = run(program, "list", path)
        if "keyspace 'zz new': 1\n" not in listing:
            raise Failed("what was written is not there")
        expect_rest(listing, wanted)
        run(program, "check", path)
        shutil.rmtree(path)
        unpack(archive, folder)
        make_future(path)
        before = contents(path)
        for how in ([], ["ro"]):
            said = run(program, "list", path, *how, good=False)
            if "version:" not in said or "format version 2" not in said:
                raise Failed(f"a version of the future is not refused as such: {said}")
        if contents(path) != before:
            raise Failed("a database of the future was changed")


def expect_rest(listing, wanted):
    """What was there before the writing is there after it."""
    missing = set(wanted.splitlines()) - set(listing.splitlines())
    if missing:
        raise Failed(f"after writing, these lines are gone: {sorted(missing)[:5]}")


def main():
    program, folder = sys.argv[1:]
    archives = sorted(glob.glob(os.path.join(folder, "*.tar.xz")))
    assert len(archives) >= 6, "the golden databases are not there"
    failures = 0
    for archive in archives:
        try:
            check_one(program, archive)
        except Failed as failed:
            failures += 1
            print(f"{archive}: {failed}")
    print(f"{len(archives) - failures} of {len(archives)} golden databases are good")
    sys.exit(1 if failures else 0)


main()
