#!/usr/bin/env python3
"""Does PyTorch find what ganexp found?

parity.py [--break] GANEXP

Each line of standard input is a name, a config and overrides, of which `ganexp trace` runs three iterations. The networks are built from
the config in the trace, start from its weights, get its data, noise and masks, and are trained by the rules of the language, in float64.
Compared are all losses (1e-4 of their value; of what may cancel, a difference of means or a slope's distance from 1, of its parts), all
gradients (1e-3 of their norm) and, after the last iteration, all weights, buffers and averages (1e-4 of their norm, or of the way they
have gone). Exit code 0: all agree; 1: some do not; 77: there is no torch here.

Some gradients are zero but for rounding: a bias in front of a batch norm. What is smaller than a millionth of all gradients of an
update is taken for such, and not compared; and since an optimizer that divides by their size makes full steps of what is only noise,
both programs step along ganexp's there, element by element.

A relu whose input is zero but for rounding may come down on either side, and one such place moves a gradient by more than the limit.
So where gradients differ by more than a tenth of the limit, the places nearest to zero are tried on the other side, one by one, and
kept there if that brings the gradients nearer; they are counted. Losses are compared after that: a penalty is a loss of gradients.

--break makes one gradient of each trace wrong by one part in a hundred: then the comparison must fail.
"""
import gc
import os
import subprocess
import sys
import tempfile

try:
    import torch
    import yaml  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import safetensors
from config import load_config
from training import Experiment

LOSS, GRADIENT, WEIGHT = 1e-4, 1e-3, 1e-4
ROUNDING = 1e-6  # of the norm of all gradients of an update
TRIES = 20  # relus tried on the other side


class Worst:
    """The worst figure of a kind, and what it is of."""

    def __init__(self, kind, limit):
        self.kind, self.limit, self.figure, self.name, self.n = kind, limit, 0.0, "-", 0

    def see(self, name, figure):
        self.n += 1
        if not figure <= self.figure:  # NaN is worse than all
            self.figure, self.name = figure, name

    def bad(self):
        return not self.figure <= self.limit

    def __str__(self):
        return f"{self.kind} {self.figure:.1e}" + (f" > {self.limit:.0e} ({self.name})" if self.bad() else f" of {self.n}")


def off(is_, wanted, least=0.0):
    """|is − wanted| / |wanted|"""
    size = max(wanted.norm().item(), least)
    difference = (is_ - wanted).norm().item()
    return difference / size if size else (0.0 if difference == 0 else float("inf"))


class Comparison:
    def __init__(self, path, broken):
        tensors, metadata = safetensors.read(path)
        self.name = os.path.basename(path).split(".")[0]
        self.tensors = {k: torch.from_numpy(v.copy()) for k, v in tensors.items()}
        self.steps = int(metadata["steps"])
        self.config = load_config(metadata["config"])
        if broken:
            first = next(k for k in sorted(self.tensors) if k.startswith("grad/") and k.endswith(".weight@0.0"))
            self.tensors[first] *= 1.01
        self.experiment = Experiment(self.config, self.recorded, torch.float64)
        self.losses, self.gradients, self.weights = Worst("losses", LOSS), Worst("gradients", GRADIENT), Worst("weights", WEIGHT)
        self.zero, self.flipped = set(), 0

    def recorded(self, name):
        t = self.tensors[name]
        return t.double() if t.is_floating_point() else t

    def way(self, name):
        """The farthest that a tensor has been from where it began."""
        return max((self.recorded(f"{name}@{k}") - self.recorded(f"{name}@0")).norm().item() for k in range(self.steps + 1))

    def see_losses(self, losses, u, at):
        for name, (loss, size) in losses.items():
            full = f"loss/{u}{name and '/'}{name}@{at}"
            self.losses.see(full, off(self.recorded(full), loss.detach(), size))

    def distance(self, grads, u, at):
        """The worst of all gradients, and how far they are off taken together."""
        pairs = [(self.recorded(f"grad/{u}/{name}@{at}"), g) for name, g in grads.items()]
        whole = torch.cat([g.flatten() for _, g in pairs]).norm()
        worst = max(off(ours, g) for ours, g in pairs if max(ours.norm(), g.norm()) >= ROUNDING * whole)
        return worst, torch.cat([(ours - g).flatten() for ours, g in pairs]).norm().item()

    def try_sides(self, update, r, losses, grads, at):
        u, e = update.number, self.experiment
        worst, distance = self.distance(grads, u, at)
        for place in e.near()[:TRIES] if worst > GRADIENT / 10 else ():
            e.flip(place)
            other_losses, other = e.gradients_again(update, r)
            worst, nearer = self.distance(other, u, at)
            if nearer < distance:
                losses, grads, distance = other_losses, other, nearer
                self.flipped += 1
            else:
                e.flip(place)
            if worst <= GRADIENT / 10:
                break
        return losses, grads

    def names_agree(self, grads, u, at):
        there = {k[len(f"grad/{u}/"):-len(at) - 1] for k in self.tensors if k.startswith(f"grad/{u}/") and k.endswith(f"@{at}")}
        other = there ^ set(grads)
        if other:
            self.gradients.see(f"trained by one program only: {other}", float("inf"))
        return not other

    def see_gradients(self, grads, u, at):
        whole = torch.cat([g.flatten() for g in grads.values()]).norm().item()
        for name in grads:
            full = f"grad/{u}/{name}@{at}"
            ours = self.recorded(full)
            if max(grads[name].norm().item(), ours.norm().item()) < ROUNDING * whole:
                self.zero.add(name)
            else:
                self.gradients.see(full, off(ours, grads[name]))
            tiny = torch.maximum(grads[name].abs(), ours.abs()) < ROUNDING * whole
            grads[name] = torch.where(tiny, ours, grads[name])

    def take_turn(self, turn, k, r):
        """All its updates look at the networks before any of them acts."""
        e, pending = self.experiment, []
        e.take_draws(turn.fresh)
        for update in turn.updates:
            losses, grads = e.gradients(update, r)
            if not self.names_agree(grads, update.number, f"{k}.{r}"):
                return False
            losses, grads = self.try_sides(update, r, losses, grads, f"{k}.{r}")
            self.see_losses(losses, update.number, f"{k}.{r}")
            self.see_gradients(grads, update.number, f"{k}.{r}")
            pending.append((update, grads, e.touched))
        for each in pending:
            e.step(*each)
        return True

    def train(self):
        e = self.experiment
        for k in range(self.steps):
            e.begin(k)
            for turn in e.phase(k)[0].turns:
                for r in range(turn.repeat):
                    if not self.take_turn(turn, k, r):
                        return
            e.finish()

    def see_weights(self):
        there = {k[:k.rindex("@")] for k in self.tensors if k.startswith(("param/", "ema/"))}
        for name, value in self.experiment.state():
            self.weights.see(name, off(self.recorded(f"{name}@{self.steps}"), value.detach(), self.way(name)))
            there.discard(name)
        if there:
            self.weights.see(f"known to one program only: {there}", float("inf"))

    def run(self):
        self.experiment.start(lambda name: self.recorded(f"{name}@0"))
        self.train()
        self.see_weights()
        worst = (self.losses, self.gradients, self.weights)
        bad = any(w.bad() for w in worst)
        notes = [f"{len(self.zero)} gradients are zero"] if self.zero else []
        notes += [f"{self.flipped} relus at zero"] if self.flipped else []
        print(f"{'FAIL' if bad else 'ok  '} {self.name}: {self.steps} steps; {'; '.join([*map(str, worst), *notes])}", flush=True)
        return bad


def trace(ganexp, arguments, path):
    subprocess.run([ganexp, "trace", *arguments, "--threads", "1", "--steps", "3", "-o", path], check=True, stdout=subprocess.DEVNULL)


def main(ganexp, broken):
    bad = 0
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            name, *arguments = line.split()
            path = f"{folder}/{name}.safetensors"
            trace(ganexp, arguments, path)
            bad += Comparison(path, broken).run()
            os.remove(path)
            gc.collect()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[-1], "--break" in sys.argv))
