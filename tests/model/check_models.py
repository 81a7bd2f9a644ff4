#!/usr/bin/env python3
"""Checks the models of the protocols in this folder with Spin.

Each model is searched in full, in one or more sizes, and must hold. Then it is searched once for
each of its seeded bugs, which must be found: a model that can't fail proves nothing.

usage: check_models.py [MODEL...]      (publish, commit, takeover; all without a name)
One line each: what, outcome, states, seconds. Exit status: 0 all as it must be, 1 not, 2 wrong use.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MEMORY_MIB = 2048
DEPTH = 1_000_000
COMPILE = ["gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DNOFAIR", f"-DMEMLIM={MEMORY_MIB}"]

# Sizes in which a model must hold, and each bug with the size in which it must be found.
MODELS = {
    "publish": (
        [
            "-DOTHERS=1 -DOWN=0",
            "-DOTHERS=0 -DOWN=1 -DPAGES=4",
            "-DOTHERS=2 -DOWN=0 -DCOMMITS=2 -DPAGES=4 -DCHECKPOINTS=0",
        ],
        {
            "BUG_SLOTS_BEFORE_FLIP": "-DOTHERS=1 -DOWN=0",
            "BUG_NO_SECOND_LOOK": "-DOTHERS=1 -DOWN=0",
            "BUG_PUBLISHED_NOT_LIVE": "-DOTHERS=1 -DOWN=0",
            "BUG_PUBLISHING_NOT_LIVE": "-DOTHERS=1 -DOWN=0",
            "BUG_RUNNING_NOT_LIVE": "-DOTHERS=1 -DOWN=0",
            "BUG_CHECKPOINT_NOT_LIVE": "-DOTHERS=1 -DOWN=0",
            "BUG_FLIP_BEFORE_WRITE": "-DOTHERS=1 -DOWN=0",
            "BUG_SEQUENCE_FIRST": "-DOTHERS=1 -DOWN=0",
        },
    ),
    "commit": (
        [
            "-DCOMMITS=2 -DCRASHES=1",
            "-DCOMMITS=2 -DCRASHES=2 -DCOMMITTERS=1 -DFAILURES=0",
        ],
        {
            "BUG_ACK_BEFORE_SYNC": "-DCOMMITS=2 -DCRASHES=1",
            "BUG_META_BEFORE_SYNC": "-DCOMMITS=2 -DCRASHES=1",
            "BUG_RECYCLE_BEFORE_META": "-DCOMMITS=2 -DCRASHES=1",
            "BUG_PUBLISH_BEFORE_WRITE": "-DCOMMITS=2 -DCRASHES=1",
            "BUG_LOG_NOT_SYNCED": "-DCOMMITS=2 -DCRASHES=1",
            "BUG_META_NOT_REWRITTEN": "-DCOMMITS=2 -DCRASHES=2 -DCOMMITTERS=1 -DFAILURES=0",
            "BUG_SYNC_TRIED_AGAIN": "-DCOMMITS=2 -DCRASHES=1",
            "BUG_NO_CHAIN": "-DCOMMITS=2 -DCRASHES=1",
            "BUG_NO_CHECKPOINT": "-DCOMMITS=3 -DCRASHES=2 -DCOMMITTERS=1",
        },
    ),
    "takeover": (
        [
            "-DPOISON=0 -DCOMMITS_B=1",
            "-DPOISON=1 -DOTHERS=0 -DCUTS=0 -DCOMMITS_B=1",
            "-DPOISON=1 -DOTHERS=0 -DCUTS=0 -DCOMMITS_A=1 -DCOMMITS_B=1 -DSPARE",
        ],
        {
            "BUG_NO_DOUBT": "-DPOISON=0 -DCOMMITS_B=1",
            "BUG_NUMBERS_FROM_CHECKPOINT": "-DPOISON=0 -DCOMMITS_B=1",
            "BUG_PUBLISH_BEFORE_LOG": "-DPOISON=0 -DCOMMITS_B=1",
            "BUG_OWN_RING": "-DPOISON=1 -DOTHERS=0 -DCUTS=0 -DCOMMITS_B=1",
            "BUG_LOCK_BEFORE_STOP": "-DPOISON=1 -DOTHERS=0 -DCUTS=0 -DCOMMITS_B=1",
            "BUG_SPARE_NOT_AWAITED": "-DPOISON=1 -DOTHERS=0 -DCUTS=0 -DSPARE",
        },
    ),
}


def search(model, defines, folder):
    """Returns (errors, states, whether the search was complete)."""
    run = lambda command: subprocess.run(command, cwd=folder, capture_output=True, text=True)
    made = run(["spin", *defines, "-a", str(HERE / f"{model}.pml")])
    if made.returncode != 0 or not (folder / "pan.c").exists():
        sys.exit(f"spin: {made.stdout}{made.stderr}")
    made = run([*COMPILE, "-o", "pan", "pan.c"])
    if made.returncode != 0:
        sys.exit(f"gcc: {made.stderr}")
    output = run(["./pan", f"-m{DEPTH}"]).stdout
    errors = re.search(r"errors: (\d+)", output)
    states = re.search(r"([\d.e+]+) states, stored", output)
    if errors is None or states is None:
        sys.exit(f"pan: {output}")
    complete = "Search not completed" not in output and "too small" not in output
    return int(errors[1]), int(float(states[1])), complete


def check(model, defines, bug):
    """Prints a line; whether the outcome is the one that must be."""
    began = time.monotonic()
    words = defines.split() + ([f"-D{bug}"] if bug else [])
    with tempfile.TemporaryDirectory(prefix="quire-model-") as folder:
        errors, states, complete = search(model, words, pathlib.Path(folder))
    seconds = time.monotonic() - began
    if bug:
        good, outcome = errors > 0, "found" if errors else "NOT FOUND"
    else:
        good = errors == 0 and complete
        outcome = "holds" if good else "FAILS" if errors else "NOT SEARCHED IN FULL"
    what = f"{model} {bug or defines.replace('-D', '')}".strip()
    print(f"{what:58} {outcome:10} {states:>11,} states {seconds:6.1f} s", flush=True)
    return good


def main(names):
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        print(f"no model {unknown[0]}; there are {', '.join(MODELS)}", file=sys.stderr)
        return 2
    results = []
    for model, (sizes, bugs) in MODELS.items():
        if names and model not in names:
            continue
        results += [check(model, size, None) for size in sizes]
        results += [check(model, size, bug) for bug, size in bugs.items()]
    print(f"{sum(results)} as they must be, {len(results) - sum(results)} not")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
