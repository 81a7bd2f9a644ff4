#!/usr/bin/env python3
"""Power loss on a real file system: `./dev power`.

A database lies on a file system (ext4 or xfs) on a loop device whose writes and flushes are logged
(logged_disk.c). A worker (tests/process/worker.cc) commits; with each commit that was acknowledged
as `always` the length of the log is noted. Then the power fails at moments of that log: a disk is put
together from all that was written before the last flush, and any part, by sectors, of what came
behind. It is mounted, which recovers the file system, and the database is opened, which recovers it:

  - every commit that was acknowledged before that moment is there, and at most what had been begun
    besides, in whole commits (tests/process/invariant.h);
  - `quire check` finds nothing.

Only loop devices on files in a directory of its own are touched. Exit status: 0 all held, 1 something
was lost, 2 wrong use or the machine can't do it.
"""

import argparse
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

WRITE, FLUSH = 1, 2
HEAD = struct.Struct("<QQQ")
# What is written whole or not at all. File systems rely on it for their own blocks (a superblock of
# ext4 that is torn can't be mounted), so tears within a page are left to the simulated disk.
SECTOR = 4096
IMAGE_BYTES = {"ext4": 96 << 20, "xfs": 320 << 20}
MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-F", "-b", "4096", "-J", "size=4"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
}
# What makes everything happen often: commits by checkpoint, checkpoints, spilled pages.
OPTIONS = "log_budget_bytes=150000 checkpoint_bytes=700000 private_bytes=200000"
# Syncs that say they are done and do nothing: what the campaign must find.
LIE = ["strace", "-f", "-o", "/dev/null", "-e", "trace=fdatasync,fsync",
       "-e", "inject=fdatasync,fsync:retval=0"]


class Impossible(Exception):
    """The machine can't run this."""


class Lost(Exception):
    """What must hold does not."""


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Impossible(f"{' '.join(command)}: {done.stdout.strip()}")
    return done.stdout.strip()


class Worker:
    """tests/process/worker.cc, told a line and answering one."""

    def __init__(self, program, before=(), plain_io=False):
        environment = dict(os.environ)
        if plain_io:
            environment["QUIRE_IO"] = "plain"
        self.process = subprocess.Popen([*before, program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1,
                                        env=environment, start_new_session=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Lost(f"the worker died at: {line}")
        return answer.strip()

    def must(self, line):
        answer = self.ask(line)
        if answer.split(" ")[0] != "ok":
            raise Lost(f"{line}: {answer}")
        return answer[3:]

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Stack:
    """Undoes in reverse order, whatever happens."""

    def __init__(self):
        self.undo = []

    def push(self, action):
        self.undo.append(action)

    def unwind(self):
        while self.undo:
            action = self.undo.pop()
            try:
                action()
            except Exception as error:  # the others are undone all the same
                print(f"power: while cleaning up: {error}", file=sys.stderr)


def attach(stack, file):
    """A loop device on a file of ours; the only devices that are ever touched."""
    device = run("losetup", "--find", "--show", file)
    if not device.startswith("/dev/loop"):
        raise Impossible(f"losetup gave {device}")
    stack.push(lambda: run("losetup", "--detach", device))
    return device


def mount(stack, device, place):
    os.makedirs(place, exist_ok=True)
    run("mount", device, place)
    stack.push(lambda: unmount(place))


def unmount(place):
    for _ in range(50):
        done = subprocess.run(["umount", place], stderr=subprocess.PIPE, text=True)
        if done.returncode == 0:
            return
        time.sleep(0.1)
    raise Impossible(f"umount {place}: {done.stderr.strip()}")


class Recording:
    """What was written, flushed and acknowledged."""

    def __init__(self, settings, directory, seed):
        self.settings, self.directory = settings, directory
        self.random = random.Random(seed)
        self.image = os.path.join(directory, "image")
        self.log = os.path.join(directory, "log")
        self.acknowledged = []  # (bytes of log, number)
        self.begun = []  # (bytes of log, number)

    def make(self):
        stack = Stack()
        try:
            self.record(stack)
        finally:
            stack.unwind()

    def record(self, stack):
        with open(self.image, "wb") as image:
            image.truncate(IMAGE_BYTES[self.settings.fs])
        device = attach(stack, self.image)
        run(*MAKE[self.settings.fs], device)
        stack.unwind()
        shutil.copy(self.image, self.image + ".first")

        lower = os.path.join(self.directory, "lower")
        os.mkdir(lower)
        daemon = subprocess.Popen([self.settings.logged_disk, self.image, self.log, lower],
                                  start_new_session=True)
        stack.push(lambda: (subprocess.run(["umount", lower], stderr=subprocess.DEVNULL),
                            daemon.wait(timeout=20)))
        for _ in range(100):
            if os.path.exists(os.path.join(lower, "disk")):
                break
            if daemon.poll() is not None:
                raise Impossible("the logged disk did not start: is there /dev/fuse?")
            time.sleep(0.05)
        device = attach(stack, os.path.join(lower, "disk"))
        upper = os.path.join(self.directory, "upper")
        mount(stack, device, upper)
        worker = Worker(self.settings.worker, LIE if self.settings.lie else (), self.settings.lie)
        stack.push(worker.end)
        self.commit(worker, os.path.join(upper, "t.quire"))

    def commit(self, worker, path):
        def length():
            return os.path.getsize(self.log)

        worker.must(f"open {path} c {OPTIONS} {self.settings.options}")
        number = 0
        while number < self.settings.commits:
            durability = self.random.choice((1, 1, 2, 3, 4))
            count = self.random.randint(1, 4)
            self.begun.append((length(), number + count))
            number = int(worker.must(f"advance {count} {durability}"))
            if durability == 1:
                self.acknowledged.append((length(), number))
            if self.random.randrange(12) == 0:
                worker.must(self.random.choice(("sync", "checkpoint")))
                self.acknowledged.append((length(), number))

    def required(self, moment):
        return max((number for at, number in self.acknowledged if at <= moment), default=0)

    def possible(self, moment):
        return max((number for at, number in self.begun if at <= moment), default=0)

    def entries(self):
        """(place behind it in the log, kind, offset, data's place, bytes)"""
        found = []
        with open(self.log, "rb") as log:
            at, size = 0, os.path.getsize(self.log)
            while at + HEAD.size <= size:
                log.seek(at)
                kind, offset, count = HEAD.unpack(log.read(HEAD.size))
                behind = at + HEAD.size + count
                found.append((behind, kind, offset, at + HEAD.size, count))
                at = behind
        return found


class PowerLoss:
    """Disks as they may be after power was lost at moments of a recording, in their order."""

    def __init__(self, recording, seed):
        self.recording = recording
        self.entries = recording.entries()
        self.random = random.Random(seed)
        self.disk = recording.image + ".lost"
        self.flushed = recording.image + ".first"  # becomes all before the last flush
        self.done = 0  # entries in it
        self.data = open(recording.log, "rb")

    def bytes_of(self, entry):
        self.data.seek(entry[3])
        return self.data.read(entry[4])

    def at(self, moment):
        """The disk when the first `moment` entries had been given to it."""
        last_flush = self.done
        for i in range(self.done, moment):
            if self.entries[i][1] == FLUSH:
                last_flush = i + 1
        with open(self.flushed, "r+b") as flushed:
            for entry in self.entries[self.done:last_flush]:
                if entry[1] == WRITE:
                    flushed.seek(entry[2])
                    flushed.write(self.bytes_of(entry))
        self.done = last_flush
        run("cp", "--sparse=always", self.flushed, self.disk)
        self.scatter([e for e in self.entries[last_flush:moment] if e[1] == WRITE])
        return self.entries[moment - 1][0]

    def scatter(self, writes):
        """Any part of what was not flushed: none, all, some writes, some blocks, out of order."""
        how = self.random.randrange(4)
        if how == 0:
            return
        if how != 1:
            self.random.shuffle(writes)
        with open(self.disk, "r+b") as disk:
            for entry in writes:
                data = self.bytes_of(entry)
                if how == 1 or (how == 2 and self.random.random() < 0.5):
                    disk.seek(entry[2])
                    disk.write(data)
                if how != 3:
                    continue
                for sector in range(0, len(data), SECTOR):
                    if self.random.random() < 0.5:
                        disk.seek(entry[2] + sector)
                        disk.write(data[sector:sector + SECTOR])


def look(settings, recording, disk, moment, place):
    """Recovers a disk and the database on it; what must be there is."""
    required, possible = recording.required(moment), recording.possible(moment)
    stack = Stack()
    try:
        mount(stack, attach(stack, disk), place)
        path = os.path.join(place, "t.quire")
        worker = Worker(settings.worker)
        stack.push(worker.end)
        opened = worker.ask(f"open {path} w {settings.options}")
        if opened != "ok":
            # Before the first acknowledged commit there may be no database yet.
            if required == 0 and opened.split(" ")[0] in ("not_found", "not_database"):
                return 0
            raise Lost(f"{required} commits were acknowledged; open: {opened}")
        worker.must("check")
        worker.must("begin r r")
        answer = worker.ask("invariant r")
        number = 0 if answer.startswith("not_found") else None
        if number is None:
            if not answer.startswith("ok "):
                raise Lost(f"{required} commits were acknowledged; found: {answer}")
            number = int(answer[3:])
        if not required <= number <= possible:
            raise Lost(f"{required} commits were acknowledged, {possible} begun; {number} found")
        worker.must("abort r")
        worker.must("close")
        return number
    finally:
        stack.unwind()


def campaign(settings, directory):
    recording = Recording(settings, directory, settings.seed)
    recording.make()
    losses = PowerLoss(recording, settings.seed)
    flushes = sum(1 for entry in losses.entries if entry[1] == FLUSH)
    print(f"power: {settings.fs}: {len(losses.entries) - flushes} writes, {flushes} flushes, "
          f"{len(recording.acknowledged)} acknowledgements up to commit "
          f"{recording.acknowledged[-1][1]}", flush=True)
    count = min(settings.cuts, len(losses.entries))
    moments = sorted(losses.random.sample(range(1, len(losses.entries) + 1), count))
    lost = 0
    for moment in moments:
        at = losses.at(moment)
        try:
            look(settings, recording, losses.disk, at, os.path.join(directory, "found"))
        except Lost as error:
            lost += 1
            if settings.lie and lost > 3:
                continue
            print(f"LOST at entry {moment} of {len(losses.entries)}: {error}", flush=True)
            if not settings.lie:
                print(f"  again: ./dev power --fs {settings.fs} --seed {settings.seed} --commits "
                      f"{settings.commits} --cuts {settings.cuts}; disk and log of this time, "
                      f"which no replay has quite alike, are kept in {directory}", flush=True)
                break
    print(f"power: seed {settings.seed}: {len(moments)} power losses on {settings.fs}, {lost} lost something")
    return lost


def parse():
    parser = argparse.ArgumentParser(prog="power", description="power loss on a real file system")
    parser.add_argument("--worker", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--logged-disk", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--commits", type=int, default=120, help="that are recorded (120)")
    parser.add_argument("--cuts", type=int, default=150, help="moments of power loss (150)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fs", choices=sorted(MAKE), default="ext4")
    parser.add_argument("--options", default="", help="more of the database's, e.g. flags=8")
    parser.add_argument("--lie", action="store_true",
                        help="syncs of the writer do nothing: something must be lost")
    settings = parser.parse_args()
    for name in ("commits", "cuts"):
        if getattr(settings, name) < 1:
            parser.error(f"--{name} must be at least 1")
    return settings


def check_machine(settings):
    if os.geteuid() != 0:
        raise Impossible("loop devices and mounts need root")
    for path in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(path):
            raise Impossible(f"there is no {path}")
    for program in ("losetup", "mount", "umount", MAKE[settings.fs][0],
                    *(["strace"] if settings.lie else [])):
        if shutil.which(program) is None:
            raise Impossible(f"there is no {program}")


def main():
    settings = parse()
    directory = tempfile.mkdtemp(prefix="quire-power-")
    keep = False
    # A signal unwinds like an error: nothing stays mounted or attached.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(2))
    try:
        check_machine(settings)
        lost = campaign(settings, directory)
        if settings.lie:
            print("power: the lie was found" if lost else "power: THE LIE WAS NOT FOUND")
            return 0 if lost else 1
        keep = lost != 0
        return 1 if lost else 0
    except Impossible as error:
        print(f"power: can't run here: {error}", file=sys.stderr)
        return 2
    except Lost as error:
        print(f"LOST: {error}")
        return 1
    finally:
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
