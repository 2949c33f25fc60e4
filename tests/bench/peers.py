#!/usr/bin/env python3
"""ganexp beside PyTorch: the same configs, interleaved in one run.

peers.py --python VENV/bin/python [--ganexp build/ganexp] [--threads N] [--rounds N] [--seconds S] [--json FILE] [CONFIG...]

Every round asks each program in turn for some seconds of training iterations: ganexp, each of PyTorch's modes, ganexp, … What is
printed are medians over the rounds, as a table in Markdown; the peer's figure is that of its best mode. PyTorch compiles and warms up
before the first round. Peak memory is the resident set of the process; the first step counts from the start of the process.

The machine should be idle. Where it is not, --realtime gives both programs real-time priority while they are measured (it needs the right to),
and --lock FILE is held meanwhile, for several that measure on one machine.
"""
import argparse
import contextlib
import fcntl
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGS = ["gan", "dcgan", "dcgan64", "acgan", "wgan_gp"]
MODES = ["eager", "fused", "fused+channels_last", "fused+compile", "fused+compile+channels_last"]
DENSE = ["eager", "fused", "fused+compile"]  # no image has channels there
JOINT = ["gan", "wgan_gp"]  # critics that couple no samples


def modes_of(config, precision, chosen):
    modes = chosen or (DENSE if config == "gan" else MODES)
    if not chosen and config in JOINT:
        modes = modes + [f"{m}+joint" for m in modes if m != "eager"]
    return [f"{m}+bf16" for m in modes if m != "eager"] if precision == "bf16" else modes


# --- the two programs --------------------------------------------------------------------------------------------------------

def fifo():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))


class Torch:
    """A process of torch_peer.py, asked for iterations."""

    def __init__(self, args, config, mode, prepare=None):
        self.mode, self.ms, self.realtime = mode, [], args.realtime
        command = [args.python, os.path.join(HERE, "torch_peer.py"), f"configs/{config}.yaml", mode, str(args.threads)]
        self.said = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True,
                                        preexec_fn=prepare)

    def begun(self):
        self.first = self.hear()
        return self

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            self.said.seek(0)
            raise RuntimeError(next((x for x in self.said if "Error" in x), "no answer").strip())
        return json.loads(line)

    def priority(self, policy, level):
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            os.sched_setscheduler(int(task), policy, os.sched_param(level))

    def run(self, n):
        if self.realtime:
            self.priority(os.SCHED_FIFO, 50)
        self.process.stdin.write(f"{n}\n")
        self.process.stdin.flush()
        said = self.hear()
        if self.realtime:
            self.priority(os.SCHED_OTHER, 0)
        self.rss = said["rss"]
        return 1e3 * said["seconds"] / n

    def warm_up(self, seconds):
        self.run(2)
        self.n = max(2, round(1e3 * seconds / self.run(2)))

    def measure(self):
        self.ms.append(self.run(self.n))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Ganexp:
    """`ganexp bench`, a process each time."""

    def __init__(self, args, config, precision):
        self.mode, self.ms, self.n = precision, [], 3
        self.args, self.config = args, config
        self.overrides = ["precision=bf16"] if precision == "bf16" else []
        self.own = tempfile.TemporaryDirectory()
        self.db = os.path.join(self.own.name, "results.db")

    def bench(self, n):
        command = [self.args.ganexp, "bench", f"configs/{self.config}.yaml", "-n", str(n), "-t", str(self.args.threads), "--json",
                   "--db", self.db, *self.overrides]
        p = subprocess.run(command, capture_output=True, text=True, preexec_fn=fifo if self.args.realtime else None)
        if p.returncode:
            raise RuntimeError(p.stderr.strip().splitlines()[0])
        self.last = json.loads(p.stdout)
        return self.last

    def train(self):
        """Short runs, everything included: their first step as results.db has it, their resident set."""
        firsts = [self.run() for _ in range(3)]
        self.first_step = statistics.median(firsts)

    def run(self):
        command = [self.args.ganexp, "run", f"configs/{self.config}.yaml", "train.steps=10", "evaluate.scores=[]", "--db", self.db,
                   "-t", str(self.args.threads), *self.overrides]
        start = time.time()
        p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=fifo if self.args.realtime else None)
        self.rss = 1024 * os.wait4(p.pid, 0)[2].ru_maxrss
        query = [self.args.ganexp, "query", "SELECT max(t_ms) AS t FROM tick WHERE step = 1", "--json", "--db", self.db]
        said = json.loads(subprocess.run(query, capture_output=True, text=True).stdout)
        return next(v for k, v in said.items() if k != "schema")[0]["t"] / 1e3 - start

    def warm_up(self, seconds):
        self.n = max(3, round(1e3 * seconds / self.iteration(self.bench(3))))

    @staticmethod
    def iteration(said):
        return next(r["ms"] for r in said["bench"] if r["what"] == "iteration")

    def measure(self):
        self.ms.append(self.iteration(self.bench(self.n)))


# --- a config ----------------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def alone(path):
    """Holds the lock, if there is one to hold."""
    with open(path or os.devnull, "w") as f:
        if path:
            fcntl.flock(f, fcntl.LOCK_EX)
        yield


def started(make, what):
    try:
        return make()
    except RuntimeError as e:
        print(f"{what}: {e}", file=sys.stderr)
        return None


def begin(args, config, mode):
    peer = Torch(args, config, mode).begun()
    with alone(args.lock):
        peer.warm_up(args.seconds)
    return peer


def compare(args, config, precision):
    ours = Ganexp(args, config, precision)
    with alone(args.lock):
        if not started(lambda: ours.warm_up(args.seconds) or True, f"{config}, {precision}: ganexp"):
            return None
    # One after the other: what they compile goes into one cache, and they have the machine to themselves to do so.
    modes = modes_of(config, precision, args.modes)
    peers = [p for m in modes if (p := started(lambda: begin(args, config, m), f"{config}: {m}"))]
    if not peers:
        return None
    for _ in range(args.rounds):
        with alone(args.lock):
            for p in [ours, *peers]:
                p.measure()
    for p in peers:
        p.close()
    best = min(peers, key=lambda p: statistics.median(p.ms))
    with alone(args.lock):
        ours.train()
        return report(config, precision, ours, peers, best, first_step(args, config, best.mode))


def first_step(args, config, mode):
    """Seconds from the start of a process to the end of its first iteration; what it compiles is in its cache by now."""
    start = time.perf_counter()
    p = Torch(args, config, mode, fifo if args.realtime else None).begun()
    seconds = time.perf_counter() - start
    p.close()
    return seconds


def report(config, precision, ours, peers, best, first):
    ms = {p.mode: statistics.median(p.ms) for p in peers}
    mine = statistics.median(ours.ms)
    row = {"config": config, "precision": precision, "ganexp_ms": mine, "torch_ms": ms[best.mode], "torch_mode": best.mode,
           "ratio": ms[best.mode] / mine, "modes_ms": ms, "torch": best.first["torch"], "torch_onednn": best.first["onednn"], "torch_rss": best.rss,
           "torch_first_step": first, "ganexp": ours.last["machine"][0],
           "rss": ours.rss, "first_step": ours.first_step, "parameters": best.first["parameters"],
           "rounds_ms": {"ganexp": ours.ms, **{p.mode: p.ms for p in peers}}}
    print(json.dumps(row), file=sys.stderr, flush=True)
    return row


def print_table(rows):
    if not rows:
        return
    is_ = rows[0]["ganexp"]
    print(f"{is_['threads']} threads, {is_['isa']}; ganexp with {is_['onednn']}, PyTorch {rows[0]['torch']} with oneDNN {rows[0]['torch_onednn']}\n")
    print("| config | precision | ganexp ms | PyTorch ms | its best mode | ratio | MB, ganexp and PyTorch | first step, s |")
    print("|---|---|---|---|---|---|---|---|")
    for r in rows:
        print(f"| `{r['config']}` | {r['precision']} | {r['ganexp_ms']:.1f} | {r['torch_ms']:.1f} | {r['torch_mode'].replace('+', ' + ')} "
              f"| **{r['ratio']:.2f}** | {r['rss'] / 1e6:.0f}, {r['torch_rss'] / 1e6:.0f} "
              f"| {r['first_step']:.2f}, {r['torch_first_step']:.1f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", required=True)
    parser.add_argument("--ganexp", default="build/ganexp")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("--lock")
    parser.add_argument("--json")
    parser.add_argument("--modes", nargs="*", help="of PyTorch, instead of all; as torch_peer.py has them")
    parser.add_argument("--precision", nargs="*", default=["f32", "bf16"])
    parser.add_argument("configs", nargs="*", default=CONFIGS)
    args = parser.parse_args()
    rows = [r for c in args.configs for p in args.precision if (r := compare(args, c, p))]
    print_table(rows)
    if args.json:
        with open(args.json, "w") as f:
            json.dump(rows, f, indent=1)


if __name__ == "__main__":
    main()
