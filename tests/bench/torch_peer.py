#!/usr/bin/env python3
"""A config trained in PyTorch, as one would write it there, in one of PyTorch's modes.

torch_peer.py CONFIG MODE THREADS

MODE is words joined by '+': eager, channels_last, compile, fused (optimizer), joint (real and fake in one batch of the critic, where it
couples no samples), bf16 (autocast). Networks are those of the config (torch_networks.py); the training loop is written out for each kind of game. Real data lie in memory, ready. A line N on standard input: N iterations; the
answer is a line of JSON with their seconds. The first answer, unasked, comes after the first iteration.
"""
import json
import re
import resource
import sys
import time

import torch
from torch.nn import functional as F

from torch_networks import network, one_word
from config import load_config  # in tests/parity, where torch_networks looks

IMAGES = 4096  # real ones, kept ready


# --- what a peer is made of --------------------------------------------------------------------------------------------------

class Peer:
    def __init__(self, config, mode):
        self.config, self.mode = config, mode
        self.layout = torch.channels_last if "channels_last" in mode else torch.contiguous_format
        critic = config["games"][0]["critic"].split(".")[0]
        self.G, self.D = self.network("generator"), self.network(critic)
        self.opt_g, self.opt_d = self.optimizer(self.G), self.optimizer(self.D)
        self.batch = int(config["data"]["real"]["batch"])
        shape = [int(n) for n in config["networks"][critic]["inputs"]["image"]]
        self.images = torch.rand(IMAGES, *shape).mul_(2).sub_(1).to(memory_format=self.layout)
        self.labels = torch.randint(10, (IMAGES,))
        self.at = 0

    def network(self, name):
        self.eager = network(self.config, name).train().to(memory_format=self.layout)
        return torch.compile(self.eager) if "compile" in self.mode else self.eager

    def optimizer(self, net):
        _, p = one_word(self.config["train"]["optimizer"])
        betas = [float(p.get(k, d)) for k, d in (("beta1", 0.9), ("beta2", 0.999))]
        return torch.optim.Adam(net.parameters(), float(p["lr"]), betas, fused="fused" in self.mode)

    def real(self):
        """The next batch: a slice, as a loader would have laid it ready."""
        self.at = self.at % (IMAGES // self.batch)
        part = slice(self.at * self.batch, (self.at + 1) * self.batch)
        self.at += 1
        return self.images[part], self.labels[part]

    def noise(self):
        return torch.randn(self.batch, 100)

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled="bf16" in self.mode)

    @staticmethod
    def step(optimizer, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def says(logits, real):
    """−log σ(±x), averaged"""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


# --- the loops ---------------------------------------------------------------------------------------------------------------

class Standard(Peer):
    """Goodfellow's game, non-saturating: critic, then generator, on the same fakes unless the config asks for fresh ones."""

    def iteration(self):
        G, D = self.G, self.D
        real, _ = self.real()
        with self.autocast():
            if self.fresh():
                with torch.no_grad():
                    fake = G(self.noise())
            else:
                fake = G(self.noise())
            if "joint" in self.mode:
                r, f = D(torch.cat([real, fake.detach()])).chunk(2)
            else:
                r, f = D(real), D(fake.detach())
            loss = says(r, True) + says(f, False)
        self.step(self.opt_d, loss)
        D.requires_grad_(False)
        with self.autocast():
            if self.fresh():
                fake = G(self.noise())
            loss = says(D(fake), True)
        self.step(self.opt_g, loss)
        D.requires_grad_(True)

    def fresh(self):
        return "fresh" in self.config["train"]["iteration"][1]


class Auxiliary(Peer):
    """The critic also classifies."""

    def iteration(self):
        G, D = self.G, self.D
        real, label = self.real()
        y = torch.randint(10, (self.batch,))
        with self.autocast():
            fake = G(self.noise(), y)
            rv, rc = D(real)
            fv, fc = D(fake.detach())
            loss = says(rv, True) + says(fv, False) + F.cross_entropy(rc, label) + F.cross_entropy(fc, y)
        self.step(self.opt_d, loss)
        D.requires_grad_(False)
        with self.autocast():
            v, c = D(fake)
            loss = says(v, True) + F.cross_entropy(c, y)
        self.step(self.opt_g, loss)
        D.requires_grad_(True)


class Wasserstein(Peer):
    """Five steps of the critic with a gradient penalty, one of the generator. What is differentiated twice is not compiled: torch cannot."""

    def critic_step(self):
        G, D = self.G, self.D
        real, _ = self.real()
        with self.autocast():
            with torch.no_grad():
                fake = G(self.noise())
            if "joint" in self.mode:
                r, f = D(torch.cat([real, fake])).chunk(2)
            else:
                r, f = D(real), D(fake)
            between = real.lerp(fake.to(real.dtype), torch.rand(self.batch, 1, 1, 1)).requires_grad_()
            slope, = torch.autograd.grad(self.eager(between).sum(), between, create_graph=True)
            penalty = 10 * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
            loss = f.mean() - r.mean() + penalty
        self.step(self.opt_d, loss)

    def iteration(self):
        for _ in range(5):
            self.critic_step()
        G, D = self.G, self.D
        D.requires_grad_(False)
        with self.autocast():
            loss = -D(G(self.noise())).mean()
        self.step(self.opt_g, loss)
        D.requires_grad_(True)


def peer(config, mode):
    if one_word(config["games"][0]["loss"])[0] == "wasserstein":
        return Wasserstein(config, mode)
    return (Auxiliary if "terms" in config else Standard)(config, mode)


# --- being asked -------------------------------------------------------------------------------------------------------------

def answer(**is_):
    print(json.dumps(is_), flush=True)


def onednn():
    return re.search(r"MKL-DNN v([0-9.]+)", torch.__config__.show()).group(1)


def main(path, mode, threads):
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    p = peer(load_config(open(path).read()), mode.split("+"))
    p.iteration()
    answer(first=True, torch=torch.__version__, onednn=onednn(), parameters=sum(w.numel() for n in (p.G, p.D) for w in n.parameters()))
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            p.iteration()
        answer(seconds=time.perf_counter() - start, rss=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main(*sys.argv[1:])
