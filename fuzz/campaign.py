#!/usr/bin/env python3
"""Runs the fuzzers of a build: what `./dev fuzz` does when the build is configured.

A target is built when it is run. What it finds worth trying stays in BUILD/corpus/TARGET, findings in
BUILD/findings/TARGET; committed are fuzz/corpus/TARGET.
"""
import argparse
import concurrent.futures
import os
import re
import resource
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
# Nothing that is tried may take longer, or more memory in one piece or in all.
SECONDS = 20
LIMITS = [f"-timeout={SECONDS}", "-malloc_limit_mb=512", "-rss_limit_mb=2048"]
# What libFuzzer calls inputs that took their time.
SLOW = ("timeout-", "slow-unit-")
# Less is kept of freed memory, and of stacks, than the sanitizer likes to: that is where its time goes.
SANITIZERS = {"ASAN_OPTIONS": "quarantine_size_mb=16:malloc_context_size=12",
              "UBSAN_OPTIONS": "print_stacktrace=1"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def last(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


class Target:
    def __init__(self, build, name):
        self.build, self.name = build, name
        self.program = os.path.join(build, "fuzz", "fuzz_" + name)
        self.replayer = os.path.join(build, "fuzz", "replay_" + name)
        self.corpus = os.path.join(build, "corpus", name)
        self.committed = os.path.join(HERE, "corpus", name)
        self.findings = os.path.join(build, "findings", name)
        self.log = os.path.join(build, name + ".log")

    def prepare(self):
        """Builds the programs; what the target begins with goes to the corpus of this build."""
        if not os.path.exists(self.program):
            say(f"dev: building {self.name}; this takes a while")
        made = subprocess.run(["ninja", "-C", self.build, f"fuzz/fuzz_{self.name}",
                               f"fuzz/replay_{self.name}"], capture_output=True, text=True)
        if made.returncode != 0:
            sys.exit(made.stdout + "dev: the build failed")
        for folder in (self.corpus, self.committed, self.findings):
            os.makedirs(folder, exist_ok=True)
        subprocess.run([self.replayer, "--write-seeds", self.corpus], check=True)

    def start(self, arguments, output):
        return subprocess.Popen([self.program, *LIMITS, *arguments], stdout=output,
                                stderr=subprocess.STDOUT, env={**SANITIZERS, **os.environ})

    def found(self):
        return sorted(os.path.join(self.findings, name) for name in os.listdir(self.findings))

    def ends_in_time(self, path):
        """By the processor's clock, tried alone."""
        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        run = subprocess.run([self.program, "-timeout=0", *LIMITS[1:], path], preexec_fn=limit,
                             capture_output=True, env={**SANITIZERS, **os.environ})
        return run.returncode == 0

    def drop_false(self, new):
        """libFuzzer's clock goes on where others have the processor, or the fuzzer was stopped: of the
        inputs that were slow by it, those that are not are no findings. Returns the others."""
        kept = []
        for path in new:
            if os.path.basename(path).startswith(SLOW) and self.ends_in_time(path):
                say(f"fuzz: {self.name}: {os.path.basename(path)} ends in time when tried alone")
                os.remove(path)
            else:
                kept.append(path)
        return kept

    def run(self, seconds, seed):
        """Until it has had so many seconds of a processor, or has found something."""
        before = set(self.found())
        used = executions = edges = inputs = 0
        text, status, new = "", 0, []
        with open(self.log, "w+", errors="replace") as log:
            while seconds - used >= 1 and status == 0:
                begin = log.tell()
                process = self.start(
                    [f"-max_total_time={max(1, round(seconds - used))}", f"-seed={seed}",
                     "-len_control=0", "-max_len=2048", "-print_final_stats=1",
                     f"-artifact_prefix={self.findings}/", self.corpus, self.committed], log)
                _, status, usage = os.wait4(process.pid, 0)
                used += usage.ru_utime + usage.ru_stime
                log.seek(begin)
                text = log.read()
                executions += last(r"number_of_executed_units: (\d+)", text)
                edges = max(edges, last(r"cov: (\d+)", text))
                inputs = max(inputs, last(r"corp: (\d+)", text))
                seed += 1
                told = [path for path in self.found() if path not in before]
                new = self.drop_false(told)
                if not new and any("/timeout-" in path for path in told):
                    status = 0
        if status != 0:
            lines = re.findall(r"^FINDING.*|.*ERROR: .*|^SUMMARY: .*|.*runtime error:.*", text, re.M)
            say(f"fuzz: {self.name} ended with {status}:\n" + "\n".join(lines or [text[-2000:]]))
        for path in new:
            say(f"fuzz: {self.name}: replay it with:  ./dev fuzz replay {self.name} {path}")
        return {"name": self.name, "executions": executions, "seconds": used, "edges": edges,
                "inputs": inputs, "findings": max(len(new), int(status != 0))}

    def minimize(self):
        """Commits a small set of small inputs that reaches every edge that all of them reach; how often
        each passes an edge is for the fuzzer to know, which keeps its own."""
        merged = os.path.join(self.build, "merged", self.name)
        shutil.rmtree(merged, ignore_errors=True)
        os.makedirs(merged)
        with open(self.log, "w+", errors="replace") as log:
            process = self.start(["-set_cover_merge=1", "-use_counters=0", "-max_len=1024",
                                  f"-artifact_prefix={self.findings}/", merged, self.committed,
                                  self.corpus], log)
            if process.wait() != 0:
                log.seek(0)
                sys.exit(log.read()[-2000:] + f"fuzz: {self.name}: the merge failed")
        for name in os.listdir(self.committed):
            if not name.startswith("found-"):  # what once was found stays
                os.remove(os.path.join(self.committed, name))
        for name in os.listdir(merged):
            shutil.copy(os.path.join(merged, name), self.committed)
        sizes = [os.path.getsize(os.path.join(self.committed, name))
                 for name in os.listdir(self.committed)]
        print(f"{self.name}: {len(sizes)} inputs, {sum(sizes)} bytes")


def targets_of(build):
    listed = subprocess.run(["ninja", "-C", build, "-t", "targets", "all"], check=True,
                            capture_output=True, text=True).stdout
    return sorted(re.findall(r"^fuzz/fuzz_([a-z_]+): ", listed, re.M))


def print_table(rows):
    print(f"{'target':12} {'executions':>12} {'seconds':>8} {'per s':>8} {'edges':>8} {'inputs':>8}"
          f" {'findings':>9}")
    for row in rows:
        speed = row["executions"] / max(row["seconds"], 1e-9)
        print(f"{row['name']:12} {row['executions']:12,} {row['seconds']:8.0f} {speed:8.0f}"
              f" {row['edges']:8,} {row['inputs']:8,} {row['findings']:9}")


def campaign(targets, options):
    for target in targets:
        target.prepare()

    def one(target):
        say(f"fuzz: {target.name}, {options.seconds} s (what it says is in {target.log})")
        row = target.run(options.seconds, options.seed)
        # All of them take hours: what is known is told at once.
        say(f"fuzz: {row['name']}: {row['executions']:,} executions in {row['seconds']:.0f} s,"
            f" {row['edges']:,} edges, {row['inputs']:,} inputs, {row['findings']} findings")
        return row

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(one, targets))
    print_table(rows)
    return int(any(row["findings"] for row in rows))


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def main():
    parser = argparse.ArgumentParser(
        prog="./dev fuzz", formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="""./dev fuzz                              lists the targets
       ./dev fuzz TARGET|all [SECONDS] [--seed N] [--jobs N]
                                               runs one, or each, for so many seconds of a processor (60)
       ./dev fuzz minimize TARGET|all          takes what was found into fuzz/corpus
       ./dev fuzz replay TARGET FILE...        runs single inputs""")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--from", dest="caller", default=".", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=positive, default=1)
    parser.add_argument("--jobs", type=positive, default=1)
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    known = targets_of(options.build)

    def named(name):
        if name != "all" and name not in known:
            sys.exit(f"dev: no fuzz target '{name}'; ./dev fuzz lists them")
        return [Target(options.build, one) for one in (known if name == "all" else [name])]

    if not options.words:
        say(parser.format_usage() + "The targets are:")
        print("\n".join(known))
        return 0
    verb, *rest = options.words
    if verb == "minimize" and len(rest) == 1:
        for target in named(rest[0]):
            target.prepare()
            target.minimize()
        return 0
    if verb == "replay" and len(rest) >= 2 and rest[0] != "all":
        target = named(rest[0])[0]
        files = [path if os.path.exists(path) else os.path.join(options.caller, path)
                 for path in rest[1:]]
        for path in files:
            if not os.path.isfile(path):
                sys.exit(f"dev: there is no file '{path}'")
        target.prepare()
        return target.start(files, None).wait()
    if verb in ("minimize", "replay") or len(rest) > 1:
        parser.error("not so many words, or so few: " + " ".join(options.words))
    if rest and not (rest[0].isdigit() and int(rest[0]) > 0):
        parser.error(f"'{rest[0]}' is no number of seconds")
    options.seconds = int(rest[0]) if rest else 60
    return campaign(named(verb), options)


if __name__ == "__main__":
    sys.exit(main())
