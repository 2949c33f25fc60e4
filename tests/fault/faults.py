"""What must hold whatever call to the system fails: the process ends by itself, not by a signal; when it does not exit 0 it has said a
line; what was recorded before is there; the next run works; and what was under way ends as it would have, to the bit.

A world is a folder with a database, a run that is done, a run that was killed, a trained scorer and a study. Each case takes a copy of
it, lets one command meet one fault, and looks at what is left without any fault."""
import argparse
import concurrent.futures
import contextlib
import errno
import filecmp
import glob
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

KINDS = {  # a kind of call, and what it fails with: (error, whether it stays)
    "open": [("EMFILE", False), ("EACCES", True)],
    "read": [("EIO", False)],
    "write": [("ENOSPC", False), ("ENOSPC", True), ("half", False)],
    "sync": [("EIO", False)],
    "rename": [("EIO", False)],
    "link": [("EPERM", True)],
    "unlink": [("EIO", True)],
    "mmap": [("ENOMEM", False)],
    "truncate": [("ENOSPC", True)],
    "lock": [("ENOLCK", True)],
    "close": [("EIO", False)],
    "mkdir": [("ENOSPC", False)],
    "file": [("kill", False)],
}
SMALL = ["--threads", "1"]
TINY = ["tests/configs/tiny.yaml", "train.steps=6", "train.checkpoint={every: 2, keep: 3}", "train.log_every=1", "train.lr_schedule=!unset",
        "evaluate={scores: [inception_score], samples: 20, splits: 2, every: 0}", "samples.every=3"]


class World:
    def __init__(self, root, ganexp, shim):
        self.root, self.ganexp, self.shim = root, ganexp, shim
        self.db = os.path.join(root, "r.db")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("FAULT_", "GANEXP_"))}
        self.environment.update(OMP_WAIT_POLICY="passive", GANEXP_NO_TUNE="1", GANEXP_CACHE=os.path.join(root, "cache"),
                                GANEXP_DB=self.db, PATH="/usr/bin:/bin", NO_COLOR="1")

    def run(self, *words, fault=None, before=None):
        """The exit code (negative: a signal), standard output, standard error."""
        environment = dict(self.environment)
        if fault:
            environment.update(fault, LD_PRELOAD=self.shim, FAULT_UNDER=self.root)
        done = subprocess.run([*(before or []), self.ganexp, *words], env=environment, capture_output=True, text=True, errors="replace", timeout=300)
        return done.returncode, done.stdout, done.stderr

    def rows(self, sql):
        """Of the database, read by another program than the one that wrote it."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.db}?mode=ro", uri=True, timeout=10)) as db:
                return db.execute(sql).fetchall()
        except sqlite3.Error as e:
            raise Broken(f"cannot ask the database: {e}")

    def runs(self):
        return dict(self.rows("SELECT uid, status FROM run"))

    def metrics(self, uid):
        return self.rows("SELECT k.name, m.step, m.value FROM metric m JOIN metric_key k ON k.id = m.key_id "
                         f"JOIN run r ON r.id = m.run_id WHERE r.uid = '{uid}' ORDER BY 1, 2")

    def directory(self, uid):
        return glob.glob(os.path.join(self.root, "runs", uid[-8:] + "-*"))[0]

    def last_checkpoint(self, uid):
        return sorted(glob.glob(os.path.join(self.directory(uid), "checkpoints", "step-*.safetensors")) or [""])[-1]

    def copy(self):
        root = tempfile.mkdtemp(prefix="fault-", dir=os.path.dirname(self.root))
        shutil.copytree(self.root, root, dirs_exist_ok=True, symlinks=True)
        return World(root, self.ganexp, self.shim)


class Broken(Exception):
    pass


def must(holds, what):
    if not holds:
        raise Broken(what)


def must_end_well(code, told, what):
    """Not by a signal, and with a line where it failed."""
    must(0 <= code < 128, f"{what} ended by signal {-code if code < 0 else code - 128}: {told[-400:]}")
    must(code == 0 or told.strip(), f"{what}: exit code {code} without a line")


def must_work(world, *words):
    code, out, told = world.run(*words)
    must(code == 0, f"`{' '.join(words)}` afterwards: exit code {code}: {told[-600:]}")
    return out


class Base:
    """The world that every case begins with, and what an undisturbed run of the one that was killed gives."""

    def __init__(self, root, ganexp, shim):
        whole = World(os.path.join(root, "whole"), ganexp, shim)
        os.makedirs(whole.root)
        must_work(whole, "run", *SMALL, *TINY, "seed=9")
        [uid] = whole.runs()
        self.final_metrics, self.final_checkpoint = whole.metrics(uid), whole.last_checkpoint(uid)
        self.world = world = World(os.path.join(root, "world"), ganexp, shim)
        os.makedirs(world.root)
        must_work(world, "run", *SMALL, *TINY, "seed=8")
        [self.done] = world.runs()
        must_work(world, "eval", *SMALL, self.done)  # trains the scorer
        renames = count(world.copy(), "rename", "run", *SMALL, *TINY, "seed=9")
        for at in range(renames, 0, -1):  # killed as late as may be with something left to do
            trial = world.copy()
            trial.run("run", *SMALL, *TINY, "seed=9", fault=fault("rename", at, "kill"))
            [left] = set(trial.runs()) - {self.done} or [""]
            if left and trial.last_checkpoint(left).endswith("step-00000004.safetensors"):
                break
        world.run("run", *SMALL, *TINY, "seed=9", fault=fault("rename", at, "kill"))
        [self.killed] = set(world.runs()) - {self.done}
        must(world.last_checkpoint(self.killed), "the killed run has no checkpoint")
        self.done_metrics = world.metrics(self.done)
        must(len(self.done_metrics) == len(self.final_metrics) >= 12, "the runs have no metrics")
        study = os.path.join(world.root, "which")
        os.makedirs(study)
        with open(os.path.join(study, "study.yaml"), "w") as f:
            f.write(f"question: Which?\nbase: {os.path.abspath(TINY[0])}\nseeds: [100, 101]\nset:\n" + "".join(f"  - \"{s}\"\n" for s in TINY[1:] if "evaluate" not in s)
                    + "  - evaluate=!unset\nvary:\n  one:\n")


def fault(kind, at, error, stays=False, **more):
    number = error if error in ("kill", "half") else str(getattr(errno, error))
    return {"FAULT_KIND": kind, "FAULT_AT": str(at), "FAULT_ERROR": number, **({"FAULT_STAYS": "1"} if stays else {}), **more}


def count(world, kind, *words):
    """How many calls of a kind a command makes."""
    file = os.path.join(world.root, "count")
    code, _, told = world.run(*words, fault=fault(kind, 0, "EIO", FAULT_COUNT=file))
    must(code == 0, f"`{' '.join(words)}` without a fault: {told}")
    with open(file) as f:
        n = int(f.read())
    shutil.rmtree(world.root)
    return n


def words_of(command, base, world):
    return {"run": ["run", *SMALL, *TINY, "seed=9"], "resume": ["resume", *SMALL, base.killed], "eval": ["eval", *SMALL, base.done],
            "study": ["study", os.path.join(world.root, "which"), "-j", "1", "-t", "1"]}[command]


def same_end(world, base, uid):
    """A run of seed 9 that is done is the undisturbed one, to the bit."""
    must(world.runs()[uid] == "done", f"run {uid} is {world.runs()[uid]} and not done")
    must(world.metrics(uid) == base.final_metrics, f"run {uid} has {len(world.metrics(uid))} points, wanted {len(base.final_metrics)}, or others")
    last = world.last_checkpoint(uid)
    must(last and filecmp.cmp(last, base.final_checkpoint, shallow=False), f"run {uid}: the last checkpoint has other bytes")


def look_after(world, base, command, code):
    """What is there after a command met a fault, and that everything goes on."""
    must_work(world, "run", *SMALL, *TINY, "seed=1", "train.steps=2")
    must(world.rows("PRAGMA integrity_check") == [("ok",)], "the database is damaged")
    must(world.runs()[base.done] == "done" and world.metrics(base.done) == base.done_metrics, "rows of a run that was done are lost")
    must(os.path.exists(world.last_checkpoint(base.done)), "the checkpoint of a run that was done is lost")
    if command == "study":
        must_work(world, *words_of("study", base, world))
        trials = world.rows("SELECT DISTINCT seed FROM run WHERE seed IN (100, 101) AND status = 'done'")
        must(len(trials) == 2, f"{len(trials)} of 2 trials are done")
        return
    if command == "eval":
        must_work(world, "eval", *SMALL, base.done)
        must(world.rows(f"SELECT count(*) FROM eval JOIN run ON run.id = eval.run_id WHERE uid = '{base.done}'")[0][0] >= 1, "the scores are lost")
        return
    ours = [base.killed] if command == "resume" else [u for u, seed in world.rows("SELECT uid, seed FROM run") if seed == 9 and u != base.killed]
    must(ours or code != 0, "a run that exited 0 is not in the database")
    for uid in ours:
        if world.runs()[uid] != "done":
            must(code != 0, f"exit code 0, but the run is {world.runs()[uid]}")
            must_work(world, "resume", *SMALL, uid)
        same_end(world, base, uid)


def try_call(base, world, command, kind, at, error, stays):
    code, _, told = world.run(*words_of(command, base, world), fault=fault(kind, at, error, stays))
    if error != "kill":
        must_end_well(code, told, command)
    look_after(world, base, command, code)


def try_limit(base, world, kilobytes):
    """The address space has a limit."""
    limit = ["sh", "-c", f"ulimit -v {kilobytes} && exec \"$@\"", "_"]
    code, _, told = world.run(*words_of("run", base, world), before=limit)
    must_end_well(code, told, "run")
    look_after(world, base, "run", code)


def try_clock(base, world):
    """The wall clock goes back a minute whenever it is asked."""
    for command in "run", "resume", "eval":
        code, _, told = world.run(*words_of(command, base, world), fault={"FAULT_CLOCK": "60"})
        must(code == 0, f"{command}: exit code {code}: {told}")
        look_after(world, base, command, code)
    must_work(world, "ls")


def try_containers(base, world):
    """Processes with one pid, each in a container of its own, make one database."""
    n, own = 12, ["unshare", "--pid", "--fork"]
    if subprocess.run([*own, "true"], capture_output=True).returncode:
        print("containers: skipped, no right to unshare")
        return
    os.unlink(world.db)
    with concurrent.futures.ThreadPoolExecutor(n) as at_once:
        ends = list(at_once.map(lambda i: world.run("run", *SMALL, *TINY, f"seed={i}", "evaluate=!unset", before=own), range(n)))
    for code, _, told in ends:
        must(code == 0, f"exit code {code}: {told}")
    must(world.rows("PRAGMA integrity_check") == [("ok",)], "the database is damaged")
    runs = {uid: status for uid, status in world.runs().items() if uid not in (base.done, base.killed)}
    must(len(runs) == n and set(runs.values()) == {"done"}, f"{len(runs)} runs of {n} in the database: {runs}")
    for uid in runs:
        must(len(world.metrics(uid)) == len(base.final_metrics), f"points of {uid} are missing")


def tried(base, name, case, *words):
    """None, or what is wrong."""
    world = base.world.copy()
    try:
        case(base, world, *words)
    except (Broken, subprocess.TimeoutExpired) as e:
        return f"{name}: {e}"
    finally:
        shutil.rmtree(world.root, ignore_errors=True)
    return None


def some(n, most, full):
    """Numbers from 1 to n: all of them, or `most` spread evenly, first and last among them."""
    if full or n <= most:
        return list(range(1, n + 1))
    return sorted({1 + round(i * (n - 1) / (most - 1)) for i in range(most)})


def cases(base, full):
    """(name, function, what it is given)"""
    yield "a clock that goes back", try_clock
    yield "12 containers", try_containers
    for command, most in ("run", 3), ("resume", 2), ("eval", 2), ("study", 2):
        for kind, errors in KINDS.items():
            if kind == "lock" and command != "eval" and not full:
                continue  # each lock is waited for: minutes
            n = count_of(base, command, kind)
            for error, stays in errors:
                for at in some(n, most * (4 if error == "kill" else 1), full):
                    name = f"{command}: {kind} call {at} of {n} {error}{', and all after it' if stays else ''}"
                    yield name, try_call, command, kind, at, error, stays
    for command, most in ("run", 12), ("resume", 5), ("eval", 5):
        n = count_of(base, command, "memory")
        for stays in False, True:
            for at in some(n, most, full):
                name = f"{command}: allocation {at} of {n} fails{', and all after it' if stays else ''}"
                yield name, try_call, command, "memory", at, "ENOMEM", stays
    for i in range(50):  # from less than the libraries take to what a run has room in
        yield f"ulimit -v {40000 + 12000 * i}", try_limit, 40000 + 12000 * i


def count_of(base, command, kind):
    world = base.world.copy()
    return count(world, kind, *words_of(command, base, world))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", default="", help="cases whose name has this")
    parser.add_argument("ganexp")
    parser.add_argument("shim")
    args = parser.parse_args()
    root = os.path.realpath(tempfile.mkdtemp(prefix="faults-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        base = Base(root, args.ganexp, args.shim)
        failures = []
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            ends = [pool.submit(tried, base, *case) for case in cases(base, args.full) if args.only in case[0]]
            for end in concurrent.futures.as_completed(ends):
                if end.result():
                    failures.append(end.result())
                    print(end.result(), flush=True)
        print(f"{len(ends)} cases, {len(failures)} failed")
    finally:
        shutil.rmtree(root, ignore_errors=True)
    sys.exit(bool(failures))


main()
