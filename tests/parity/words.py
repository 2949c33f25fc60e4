#!/usr/bin/env python3
"""Does every word mean to PyTorch what it means to ganexp?

words.py GANEXP

One config is made of all rows below: a small network for each layer, a term for each term, a game for each loss and penalty. `ganexp trace`
runs two iterations of it; torch's own function of the name (or the paper's formula, where torch has none) gets the weights, noise and draws of
the trace, in float64. Compared are all values (1e-4) and all gradients (1e-3 of their norm). Then the optimizers: what weights come to, against
torch.optim's on the trace's gradients. Then the schedules: the rates that plain gradient descent is found to have used, against
torch.optim.lr_scheduler. Then the initialisations: their distributions against torch.nn.init's.
Exit codes as parity.py's.
"""
import math
import subprocess
import sys
import tempfile

try:
    import torch
    import yaml
    from torch.nn import functional as F
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import safetensors
from optimizers import KerasAdam, KerasRMSprop

BATCH = 6
LEAST = 1e-3  # what is smaller is compared as if it were as large: gradients that are 0 but for rounding
RATE = 0.01


# --- layers: the word, shapes of input and output, layers, and what torch makes of x and the layer's weights -----------------

def attention(x, w):
    def project(name):
        return F.conv2d(x, w(f"{name}.weight"), w(f"{name}.bias")).flatten(2)
    a = torch.softmax(torch.einsum("nci,ncj->nij", project("query"), project("key")), 2)
    return x + w("gamma") * torch.einsum("ncj,nij->nci", project("value"), a).reshape(x.shape)


def discrimination(x, w):
    m = (x @ w("weight").T).reshape(len(x), 3, 2).transpose(0, 1)
    return torch.cat([x, torch.exp(-torch.cdist(m, m, p=1)).sum(2).T], 1)


def spectral(make):
    """torch's own hook, on our weights and on the vectors that the iteration begins with."""
    def run(x, w):
        module = torch.nn.utils.spectral_norm(make().double()).train()
        for name in ("weight_orig", "bias"):
            del module._parameters[name]
            setattr(module, name, w(name))
        module.weight_u.copy_(w("weight_u", False))
        module.weight_v.copy_(w("weight_v", False))
        y = module(x)
        w.after.update({w.full("weight_u"): module.weight_u, w.full("weight_v"): module.weight_v})
        return y
    return run


LAYERS = [
    ("relu", [2, 3, 4], [2, 3, 4], "relu", lambda x, w: F.relu(x)),
    ("leaky_relu", [7], [7], {"leaky_relu": 0.1}, lambda x, w: F.leaky_relu(x, 0.1)),
    ("elu", [7], [7], {"elu": 0.7}, lambda x, w: F.elu(x, 0.7)),
    ("tanh", [7], [7], "tanh", lambda x, w: torch.tanh(x)),
    ("sigmoid", [7], [7], "sigmoid", lambda x, w: torch.sigmoid(x)),
    ("softmax", [5, 2, 3], [5, 2, 3], "softmax", lambda x, w: F.softmax(x, 1)),
    ("prelu", [3, 2, 2], [3, 2, 2], {"prelu": True}, lambda x, w: F.prelu(x, w("weight"))),
    ("prelu_one", [5], [5], "prelu", lambda x, w: F.prelu(x, w("weight"))),
    ("glu", [6, 2, 2], [3, 2, 2], "glu", lambda x, w: F.glu(x, 1)),
    ("pixel_shuffle", [8, 2, 3], [2, 4, 6], {"pixel_shuffle": 2}, lambda x, w: F.pixel_shuffle(x, 2)),
    ("upsample", [2, 2, 3], [2, 6, 9], {"upsample": 3}, lambda x, w: F.interpolate(x, scale_factor=3)),
    ("upsample_pair", [2, 2, 3], [2, 8, 6], {"upsample": [4, 2]}, lambda x, w: F.interpolate(x, scale_factor=(4, 2))),
    ("upsample_bilinear", [2, 2, 3], [2, 6, 6], {"upsample": {"factor": [3, 2], "method": "bilinear"}},
     lambda x, w: F.interpolate(x, scale_factor=(3, 2), mode="bilinear")),
    ("upsample_bicubic", [2, 3, 4], [2, 6, 8], {"upsample": {"method": "bicubic"}},
     lambda x, w: F.interpolate(x, scale_factor=2, mode="bicubic")),
    ("reflection_pad", [2, 4, 5], [2, 7, 9], {"reflection_pad": [1, 2, 3, 1]}, lambda x, w: F.pad(x, (3, 1, 1, 2), "reflect")),
    ("zero_pad", [2, 4, 5], [2, 7, 9], {"zero_pad": [1, 2, 3, 1]}, lambda x, w: F.pad(x, (3, 1, 1, 2))),
    ("crop", [2, 6, 5], [2, 3, 4], {"crop": [1, 2, 0, 1]}, lambda x, w: F.pad(x, (0, -1, -1, -2))),
    ("avg_pool", [3, 6, 7], [3, 3, 3], {"avg_pool": 2}, lambda x, w: F.avg_pool2d(x, 2)),
    ("avg_pool_apart", [3, 8, 7], [3, 3, 2], {"avg_pool": {"kernel": 2, "stride": 3}}, lambda x, w: F.avg_pool2d(x, 2, 3)),
    ("avg_pool_over", [3, 6, 7], [3, 3, 4], {"avg_pool": {"kernel": 3, "stride": 2, "padding": 1}},
     lambda x, w: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
    ("avg_pool_zeros", [3, 6, 7], [3, 6, 7], {"avg_pool": {"kernel": 3, "stride": 1, "padding": 1, "count_padding": True}},
     lambda x, w: F.avg_pool2d(x, 3, 1, 1)),
    ("max_pool", [3, 6, 7], [3, 3, 3], {"max_pool": 2}, lambda x, w: F.max_pool2d(x, 2)),
    ("max_pool_over", [3, 6, 7], [3, 3, 4], {"max_pool": {"kernel": 3, "stride": 2, "padding": 1}},
     lambda x, w: F.max_pool2d(x, 3, 2, 1)),
    ("max_pool_wide", [3, 5, 9], [3, 5, 4], {"max_pool": {"kernel": [1, 4], "stride": [1, 2], "padding": [0, 0, 1, 0]}},
     lambda x, w: F.max_pool2d(F.pad(x, (1, 0), value=-1e30), (1, 4), (1, 2))),
    # All pixels are 0: of equal ones the first has the gradient.
    ("max_pool_equal", [4], [3, 3, 3], [{"dense": {"units": 108, "init": {"constant": 0}}}, {"reshape": [3, 6, 6]},
                                        {"max_pool": {"kernel": 3, "stride": 2, "padding": 1}}],
     lambda x, w: F.max_pool2d(w.dense(x, 1).reshape(-1, 3, 6, 6), 3, 2, 1)),
    ("global_avg_pool", [3, 2, 4], [3], "global_avg_pool", lambda x, w: F.adaptive_avg_pool2d(x, 1).flatten(1)),
    ("log_sum_exp", [5], [1], "log_sum_exp", lambda x, w: torch.logsumexp(x, 1, keepdim=True)),
    ("layer_norm", [3, 2, 4], [3, 2, 4], "layer_norm", lambda x, w: F.layer_norm(x, x.shape[1:], w("weight"), w("bias"))),
    ("layer_norm_channel", [3, 2, 4], [3, 2, 4], {"layer_norm": {"affine": "channel"}},
     lambda x, w: F.group_norm(x, 1, w("weight"), w("bias"))),
    ("layer_norm_scalar", [3, 2, 4], [3, 2, 4], {"layer_norm": {"affine": "scalar"}},
     lambda x, w: F.layer_norm(x, x.shape[1:]) * w("weight") + w("bias")),
    ("group_norm", [6, 2, 4], [6, 2, 4], {"group_norm": 3}, lambda x, w: F.group_norm(x, 3, w("weight"), w("bias"))),
    ("instance_norm", [3, 4, 4], [3, 4, 4], {"instance_norm": True}, lambda x, w: F.instance_norm(x, weight=w("weight"), bias=w("bias"))),
    ("instance_norm_bare", [3, 4, 4], [3, 4, 4], "instance_norm", lambda x, w: F.instance_norm(x)),
    ("minibatch_discrimination", [4], [7], {"minibatch_discrimination": {"kernels": 3, "dim": 2}}, discrimination),
    ("self_attention", [16, 3, 4], [16, 3, 4], {"self_attention": {"init": {"normal": 0.3}}}, attention),
    ("slice", [5, 2, 3], [2, 2, 3], {"slice": [1, 3]}, lambda x, w: x[:, 1:3]),
    ("scale", [3, 2], [3, 2], {"scale": -0.2}, lambda x, w: -0.2 * x),
    ("dot", [4], [1], [{"dense": 5, "as": "first"}, {"dense": 5}, {"dot": "first"}],
     lambda x, w: (w.dense(x, 1) * w.dense(w.dense(x, 1), 2)).sum(1, keepdim=True)),
    ("covariance", [3, 2, 4], [3, 3], "covariance", lambda x, w: torch.stack([torch.cov(i.flatten(1), correction=0) for i in x])),
    ("tile", [3], [3, 2, 4], {"tile": [2, 4]}, lambda x, w: x[:, :, None, None].expand(-1, -1, 2, 4)),
    ("conv2d_transpose", [3, 4, 5], [2, 8, 10], {"conv2d_transpose": {"filters": 2, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1}},
     lambda x, w: F.conv_transpose2d(x, w("weight"), w("bias"), 2, 1, 1)),
    ("conv2d", [3, 6, 5], [2, 3, 3], {"conv2d": {"filters": 2, "kernel": 3, "stride": 2, "padding": [0, 1, 1, 1]}},
     lambda x, w: F.conv2d(F.pad(x, (1, 1, 0, 1)), w("weight"), w("bias"), 2)),
    ("batch_norm", [3, 2, 4], [3, 2, 4], "batch_norm", lambda x, w: F.batch_norm(x, None, None, w("weight"), w("bias"), True)),
    ("dropout", [8], [8], {"dropout": 0.25}, lambda x, w: x * w.draw() / 0.75),
    ("gaussian_noise", [8], [8], {"gaussian_noise": 0.3}, lambda x, w: x + w.draw()),
    ("add", [4], [4], [{"tanh": None, "as": "a"}, {"sigmoid": None}, {"add": "a"}], lambda x, w: torch.tanh(x) + torch.sigmoid(torch.tanh(x))),
    ("multiply", [4], [4], [{"tanh": None, "as": "a"}, {"multiply": "a"}], lambda x, w: torch.tanh(x) ** 2),
    ("joined", [4], [8], [{"tanh": None, "as": "a"}, {"sigmoid": None}, {"concat": "a"}],
     lambda x, w: torch.cat([torch.sigmoid(torch.tanh(x)), torch.tanh(x)], 1)),
    ("spectral_dense", [5], [4], {"dense": {"units": 4, "spectral_norm": True}}, spectral(lambda: torch.nn.Linear(5, 4))),
    ("spectral_conv", [3, 5, 5], [4, 5, 5], {"conv2d": {"filters": 4, "kernel": 3, "padding": 1, "spectral_norm": True}},
     spectral(lambda: torch.nn.Conv2d(3, 4, 3, padding=1))),
    ("spectral_transpose", [3, 3, 3], [4, 6, 6], {"conv2d_transpose": {"filters": 4, "kernel": 4, "stride": 2, "padding": 1, "spectral_norm": True}},
     spectral(lambda: torch.nn.ConvTranspose2d(3, 4, 4, 2, 1))),
]

# --- terms: the word, its arguments of four numbers a sample, parameters, and torch's ----------------------------------------


def divergence(mean, log_var):
    there = torch.distributions.Normal(mean, torch.exp(log_var / 2))
    return torch.distributions.kl_divergence(there, torch.distributions.Normal(0, 1))


def policy_gradient(critic, log_probability):
    return -(F.softmax(critic, 1) * log_probability).sum(1).mean()


TERMS = [
    ("l1", ["x", "y"], F.l1_loss),
    ("mse", ["x", "y"], F.mse_loss),
    ("huber", ["x", "y"], F.huber_loss),
    ("cycle", ["x", "back"], F.l1_loss),
    ("cross_entropy", ["logits", "label"], F.cross_entropy),
    ("mutual_information", ["logits", "label"], lambda q, c: F.cross_entropy(q, c) - math.log(4)),
    ("binary_cross_entropy", ["logits", "target"], F.binary_cross_entropy_with_logits),
    ("kl", ["mean", "log_var"], lambda m, v: divergence(m, v).mean()),
    ("gaussian_nll", ["mean", "x", "log_var"], lambda m, x, v: F.gaussian_nll_loss(m, x, v.exp())),
    ("feature_matching", ["real", "fake"], lambda r, f: F.mse_loss(r.mean(0), f.mean(0))),
    ("policy_gradient", ["critic", "log_probability"], policy_gradient),
]


# --- losses: what both sides minimise, and penalties -------------------------------------------------------------------------

def bce(x, target):
    return F.binary_cross_entropy_with_logits(x, torch.full_like(x, target))


def partition(r, f):
    return torch.logsumexp(torch.cat([r, f]).flatten(), 0)


LOSSES = [
    ("log", "log", lambda r, f: bce(r, 1) + bce(f, 0), lambda r, f: bce(f, 1)),
    ("saturating", {"log": {"saturating": True}}, lambda r, f: bce(r, 1) + bce(f, 0), lambda r, f: -bce(f, 0)),
    ("least_squares", "least_squares", lambda r, f: ((r - 1) ** 2).mean() + (f ** 2).mean(), lambda r, f: ((f - 1) ** 2).mean()),
    ("wasserstein", "wasserstein", lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean()),
    ("hinge", "hinge", lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), lambda r, f: -f.mean()),
    ("boundary_seeking", "boundary_seeking", lambda r, f: bce(r, 1) + bce(f, 0),
     lambda r, f: 0.5 * ((F.logsigmoid(f) - F.logsigmoid(-f)) ** 2).mean()),
    # Jolicoeur-Martineau 2018, algorithms 1 and 2, both sides of each
    ("relativistic", {"relativistic": False}, lambda r, f: bce(r - f, 1), lambda r, f: bce(f - r, 1)),
    ("relativistic_average", "relativistic", lambda r, f: bce(r - f.mean(), 1) + bce(f - r.mean(), 0),
     lambda r, f: bce(f - r.mean(), 1) + bce(r - f.mean(), 0)),
    # RaHingeGAN of the same paper
    ("relativistic_hinge", "relativistic_hinge", lambda r, f: F.relu(1 - r + f.mean()).mean() + F.relu(1 + f - r.mean()).mean(),
     lambda r, f: F.relu(1 - f + r.mean()).mean() + F.relu(1 + r - f.mean()).mean()),
    # Lin 2017, equations 3 and 4, as cross-entropies with targets 1/|real| and 1/|both|
    ("softmax", "softmax", lambda r, f: partition(r, f) - r.mean(), lambda r, f: partition(r, f) - torch.cat([r, f]).mean()),
]


def slope(critic, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0].flatten(1).norm(dim=1)


def gradient_penalty(critic, r, f, draw):
    a = draw("gradient.0").reshape(-1, 1)
    return 10 * ((slope(critic, a * r + (1 - a) * f) - 1) ** 2).mean()


def dragan(critic, r, f, draw):
    u, a = draw("dragan.0"), draw("dragan.1").reshape(-1, 1)
    return 10 * ((slope(critic, r + a * 0.5 * r.std(unbiased=False) * u) - 1) ** 2).mean()


PENALTIES = [
    ("gradient", gradient_penalty),
    ("dragan", dragan),
    ("r1", lambda critic, r, f, draw: 5 * (slope(critic, r) ** 2).mean()),
    ("wgan_div", lambda critic, r, f, draw: (slope(critic, r) ** 6 + slope(critic, f) ** 6).mean()),
]

# --- optimizers, schedules and initialisations -------------------------------------------------------------------------------

OPTIMIZERS = [
    ("adam", torch.optim.Adam),
    ("{adam: {lr: 0.01, beta1: 0.5, beta2: 0.9, epsilon: 1e-3}}", lambda w: torch.optim.Adam(w, 0.01, (0.5, 0.9), 1e-3)),
    ("{adam: {lr: 0.01, weight_decay: 0.1}}", lambda w: torch.optim.Adam(w, 0.01, weight_decay=0.1)),
    ("{adam: {lr: 0.01, epsilon: 1e-3, convention: keras}}", lambda w: KerasAdam(w, 0.01, (0.9, 0.999), 1e-3, 0)),
    ("{adamw: {lr: 0.01, beta1: 0.5, weight_decay: 0.1}}", lambda w: torch.optim.AdamW(w, 0.01, (0.5, 0.999), weight_decay=0.1)),
    ("rmsprop", torch.optim.RMSprop),
    ("{rmsprop: {lr: 0.01, rho: 0.9, epsilon: 1e-3}}", lambda w: torch.optim.RMSprop(w, 0.01, 0.9, 1e-3)),
    ("{rmsprop: {lr: 0.01, rho: 0.9, epsilon: 1e-3, convention: keras}}", lambda w: KerasRMSprop(w, 0.01, 0.9, 1e-3)),
    ("{sgd: 0.001}", lambda w: torch.optim.SGD(w, 0.001)),
    ("{sgd: {lr: 0.001, momentum: 0.9}}", lambda w: torch.optim.SGD(w, 0.001, 0.9)),
    ("{sgd: {lr: 0.001, momentum: 0.9, nesterov: true}}", lambda w: torch.optim.SGD(w, 0.001, 0.9, nesterov=True)),
]

SCHEDULES = [
    ("{linear: {from: 0, to: 10, final: 0.1}}", lambda o: torch.optim.lr_scheduler.LinearLR(o, 1, 0.1, 10)),
    ("{step: {every: 3, factor: 0.5}}", lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.5)),
    ("{cosine: {from: 0, to: 12, final: 0.2}}", lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 12, 0.2 * RATE)),
    ("{warmup: 5}", lambda o: torch.optim.lr_scheduler.LinearLR(o, 1 / 5, 1, 4)),
]

INITS = [
    ("torch", "torch", lambda t: torch.nn.init.kaiming_uniform_(t, a=math.sqrt(5))),
    ("glorot", "glorot", torch.nn.init.xavier_uniform_),
    ("glorot_normal", {"glorot": "normal"}, torch.nn.init.xavier_normal_),
    ("he", "he", lambda t: torch.nn.init.kaiming_normal_(t, nonlinearity="relu")),
    ("he_uniform", {"he": "uniform"}, lambda t: torch.nn.init.kaiming_uniform_(t, nonlinearity="relu")),
    ("normal", {"normal": 0.3}, lambda t: torch.nn.init.normal_(t, 0, 0.3)),
    ("truncated", {"truncated": 0.3}, lambda t: torch.nn.init.trunc_normal_(t, 0, 0.3, -0.6, 0.6)),
    ("uniform", {"uniform": 0.2}, lambda t: torch.nn.init.uniform_(t, -0.2, 0.2)),
    ("orthogonal", {"orthogonal": 2}, lambda t: torch.nn.init.orthogonal_(t, 2)),
]


# --- the config --------------------------------------------------------------------------------------------------------------

def size(shape):
    return math.prod(shape)


def network(shape, layers):
    """A dense layer in front, whose gradient shows the word's in its input; the number of the word's last layer."""
    head = [{"dense": size(shape)}] + ([{"reshape": shape}] if len(shape) > 1 else [])
    layers = layers if isinstance(layers, list) else [layers]
    return {"inputs": {"x": "x"}, "layers": head + layers + ["flatten"]}, len(head) + len(layers) - 1


def dense(*layers):
    return {"inputs": {"x": "x"}, "layers": list(layers)}


def make_config():
    nets, noise, terms, games = {}, {"x": {"normal": 8}, "c": {"label": 4}}, [], []
    for name, shape, out, layers, _ in LAYERS:
        nets[name], _ = network(shape, layers)
        noise[f"t{size(out)}"] = {"normal": size(out)}
        terms.append({"mse": {"x": f"{name}(x)", "y": f"t{size(out)}"}})
    noise["t4"] = {"normal": 4}
    nets["gaussian"] = dense({"dense": 4, "of": "x", "as": "log_var"}, {"dense": 4, "of": "x"}, {"gaussian": "log_var"})
    nets["bernoulli"] = dense({"dense": 4}, {"bernoulli": {"low": -1}}, {"dense": 4})
    nets["one_hot"] = {"inputs": {"y": "label(4)"}, "layers": ["one_hot", {"dense": 4}]}
    nets["embedding"] = {"inputs": {"y": "label(4)"}, "layers": [{"embedding": 4}]}
    nets["by_label"] = {"inputs": {"x": "x", "y": "label(4)"}, "layers": [{"dense": 6, "of": "x"}, {"batch_norm": {"by": "y"}}, {"dense": 4}]}
    nets["by_vector"] = dense({"dense": 3, "as": "style"}, {"dense": 12, "of": "x"}, {"reshape": [2, 2, 3]}, {"instance_norm": {"by": "style"}},
                              "flatten", {"dense": 4})
    terms += [{"mse": {"x": call, "y": "t4"}}
              for call in ("gaussian(x)", "bernoulli(x)", "one_hot(c)", "embedding(c)", "by_label(x, c)", "by_vector(x)")]
    for word, arguments, _ in TERMS:
        for a in arguments:
            if a != "label":
                nets[f"{word}_{a}"] = dense({"dense": 4})
        terms.append({word: {a: "c" if a == "label" else f"{word}_{a}(x)" for a in arguments}})
    rest = list(nets)
    nets["fake"] = dense({"dense": 4})
    for name, loss, *_ in LOSSES:
        nets[f"critic_{name}"] = {"inputs": {"x": 4}, "layers": [{"dense": 1}]}
        games.append({"critic": f"critic_{name}", "real": "t4", "fake": "fake(x)", "loss": loss})
    for name, _ in PENALTIES:
        nets[f"critic_{name}"] = {"inputs": {"x": 4}, "layers": [{"dense": 5}, "tanh", {"dense": 1}]}
        games.append({"critic": f"critic_{name}", "real": "t4", "fake": "fake(x)", "loss": "wasserstein", "penalty": name})
    critics = [g["critic"] for g in games]
    return {"name": "words", "data": {"real": {"dataset": "ring", "n": 4, "batch": BATCH}}, "noise": noise, "networks": nets, "games": games,
            "terms": terms, "train": {"steps": 20, "optimizer": {"sgd": 0.1},
                                      "iteration": [{"update": rest}, {"update": critics}, {"update": "fake"}]},
            "samples": {"of": "fake(x)"}}


def init_config():
    nets = {name: dense({"dense": {"units": 96, "init": init}}, {"dense": 1}) for name, init, _ in INITS}
    return {"name": "inits", "data": {"real": {"dataset": "ring", "batch": 2}}, "noise": {"x": {"normal": 64}}, "networks": nets,
            "terms": [{"mse": {"x": f"{name}(x)", "y": 0}} for name in nets],
            "train": {"steps": 20, "optimizer": {"sgd": RATE}, "iteration": [{"update": list(nets)}]},
            "samples": {"of": "normal(x)"}}


def trace(ganexp, folder, config, steps, *overrides):
    path = f"{folder}/{config['name']}"
    with open(f"{path}.yaml", "w") as f:
        yaml.safe_dump(config, f, sort_keys=False)
    subprocess.run([ganexp, "trace", f"{path}.yaml", *overrides, "--threads", "1", "--steps", str(steps), "-o", f"{path}.trace"],
                   check=True, stdout=subprocess.DEVNULL)
    tensors, _ = safetensors.read(f"{path}.trace")
    return {k: torch.from_numpy(v.copy()) for k, v in tensors.items()}


# --- the comparison ----------------------------------------------------------------------------------------------------------

class Weights:
    """w("weight"): of the network's layer `number`, at the beginning of an iteration; what has been asked for is in `leaves`."""

    def __init__(self, comparison, net, later=0):
        self.of, self.net, self.iteration, self.number = comparison, net, comparison.iteration + later, 0
        self.after = comparison.after

    def full(self, name):
        return f"{self.net}.{self.number}.{name}"

    def __call__(self, name, trained=True):
        leaves, full = self.of.leaves, self.full(name)
        tensor = self.of.tensors[f"param/{full}@{self.iteration}"].double()
        return leaves.setdefault(full, tensor.requires_grad_()) if trained else tensor

    def draw(self):
        return self.of.recorded(f"random/0/{self.full(0)}").double()

    def at(self, number):
        self.number = number
        return self

    def dense(self, x, number):
        return F.linear(x, self.at(number)("weight"), self("bias"))


class Comparison:
    def __init__(self, tensors, iteration):
        self.tensors, self.iteration, self.bad, self.n, self.leaves, self.after = tensors, iteration, 0, 0, {}, {}
        self.x, self.label = self.recorded("noise/x").double(), self.recorded("noise/c").long()

    def recorded(self, name):
        return self.tensors[f"{name}@{self.iteration}.0"]

    def see(self, name, is_, wanted, limit):
        figure = (is_.double() - wanted).norm().item() / max(wanted.norm().item(), LEAST)
        self.n += 1
        if not figure <= limit:
            self.bad += 1
            print(f"FAIL {name}: {figure:.1e} > {limit:.0e}")

    def see_update(self, u, losses):
        """losses: the part's name, and its value."""
        for name, value in losses.items():
            self.see(f"loss {name}", self.recorded(f"loss/{u}/{name}"), value.detach(), 1e-4)
        wanted = {k: v for k, v in self.leaves.items() if f"grad/{u}/{k}@{self.iteration}.0" in self.tensors}
        grads = torch.autograd.grad(sum(losses.values()), list(wanted.values()), allow_unused=True, retain_graph=True)
        for (name, leaf), g in zip(wanted.items(), grads):
            self.see(f"gradient {name}", self.recorded(f"grad/{u}/{name}"), torch.zeros_like(leaf) if g is None else g, 1e-3)

    def layer(self, name, shape, layers, call):
        w = Weights(self, name)
        x = w.dense(self.x, 0).reshape(BATCH, *shape)
        _, w.number = network(shape, layers)
        return call(x, w).flatten(1)

    def gaussian(self):
        w = Weights(self, "gaussian")
        v, m = w.dense(self.x, 0), w.dense(self.x, 1)
        return m + torch.exp(v / 2) * w.at(2).draw()

    def bernoulli(self):
        w = Weights(self, "bernoulli")
        there = torch.sigmoid(w.dense(self.x, 0)) > w.at(1).draw()
        return w.dense(torch.where(there, 1.0, -1.0).double(), 2)

    def one_hot(self):
        return Weights(self, "one_hot").dense(F.one_hot(self.label, 4).double(), 1)

    def embedding(self):
        return F.embedding(self.label, Weights(self, "embedding")("weight"))

    def by_label(self):
        w = Weights(self, "by_label")
        unit = F.batch_norm(w.dense(self.x, 0), None, None, training=True)
        gamma, beta = (F.embedding(self.label, w.at(1)(f"{name}.weight")) for name in ("gamma", "beta"))
        return w.dense(gamma * unit + beta, 2)

    def by_vector(self):
        w = Weights(self, "by_vector")
        style, unit = w.dense(self.x, 0), F.instance_norm(w.dense(self.x, 1).reshape(BATCH, 2, 2, 3))
        gamma, beta = (F.linear(style, w.at(3)(f"{name}.weight"), w(f"{name}.bias"))[:, :, None, None] for name in ("gamma", "beta"))
        return w.dense((gamma * unit + beta).flatten(1), 5)

    def terms(self):
        parts = []
        for name, shape, out, layers, call in LAYERS:
            t = self.recorded(f"noise/t{size(out)}").double()
            parts.append(("mse", name, F.mse_loss(self.layer(name, shape, layers, call), t)))
        t4 = self.recorded("noise/t4").double()
        parts += [("mse", f.__name__, F.mse_loss(f(), t4)) for f in (self.gaussian, self.bernoulli, self.one_hot, self.embedding, self.by_label,
                                                              self.by_vector)]
        for word, arguments, call in TERMS:
            given = [self.label if a == "label" else Weights(self, f"{word}_{a}").dense(self.x, 0)
                     for a in arguments]
            parts.append((word, word, call(*given)))
        losses, count = {}, {}
        for word, _, value in parts:
            count[word] = count.get(word, 0) + 1
            losses[word + (f".{count[word]}" if count[word] > 1 else "")] = value
        return losses

    def critic(self, name, later):
        w = Weights(self, f"critic_{name}", later)
        if name in [n for n, *_ in LOSSES]:
            return lambda x: w.dense(x, 0)
        return lambda x: w.dense(torch.tanh(w.dense(x, 0)), 2)

    def games(self, side):
        """Of critics (0); or of generators (1), when the critics have been trained and are as they begin the next iteration."""
        real, losses = self.recorded("noise/t4").double(), {}
        fake = Weights(self, "fake").dense(self.x, 0)
        sides = {name: both for name, _, *both in LOSSES}
        for name in [*sides, *[n for n, _ in PENALTIES]]:
            critic = self.critic(name, side)
            word = f"critic_{name}.{('critic', 'generator')[side]}"
            losses[word] = sides.get(name, sides["wasserstein"])[side](critic(real), critic(fake))
        for name, penalty in PENALTIES if side == 0 else []:
            losses[f"critic_{name}.{name}"] = penalty(self.critic(name, side), real, fake.detach(),
                                                      lambda what: self.recorded(f"random/1/{what}").double())
        return losses

    def run(self):
        self.see_update(0, self.terms())
        self.see_update(1, self.games(0))
        self.leaves = {}
        self.see_update(2, self.games(1))
        for name, wanted in self.after.items():
            self.see(f"{name} after the step", self.tensors[f"param/{name}@{self.iteration + 1}"], wanted, 1e-4)
        return self.bad


def one_network():
    config = init_config()
    config["networks"] = {"normal": config["networks"]["normal"]}
    config["terms"], config["train"]["iteration"] = [{"mse": {"x": "normal(x)", "y": 1}}], [{"update": "normal"}]
    return config


def compare_optimizers(ganexp, folder):
    bad, steps = 0, 8
    for text, make in OPTIMIZERS:
        t = trace(ganexp, folder, one_network(), steps, f"train.optimizer={text}", "train.lr_schedule={step: {every: 4, factor: 0.5}}")
        names = [key[len("grad/0/"):-len("@0.0")] for key in t if key.startswith("grad/0/") and key.endswith("@0.0")]
        weights = [t[f"param/{name}@0"].double().requires_grad_() for name in names]
        optimizer = make(weights)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 4, 0.5)
        for k in range(steps):
            for name, w in zip(names, weights):
                w.grad = t[f"grad/0/{name}@{k}.0"].double()
            optimizer.step()
            schedule.step()
            for name, w in zip(names, weights):
                off, way = ((x - w).abs().max().item() for x in (t[f"param/{name}@{k + 1}"].double(), t[f"param/{name}@0"].double()))
                if not (off < 1e-4 * way + 1e-6 and way > 1e-4):  # 1e-6: the weights are rounded
                    bad += 1
                    print(f"FAIL {text} step {k}: {name} is {off:.3g} off, it moved {way:.3g}")
    return bad


def compare_schedules(ganexp, folder):
    bad, steps = 0, 13
    config = one_network()
    for text, make in SCHEDULES:
        t = trace(ganexp, folder, config, steps, f"train.lr_schedule={text}")
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], RATE)
        schedule = make(optimizer)
        for k in range(steps):
            g = t[f"grad/0/normal.1.weight@{k}.0"].double()
            moved = t[f"param/normal.1.weight@{k}"].double() - t[f"param/normal.1.weight@{k + 1}"].double()
            is_, wanted = ((moved * g).sum() / (g * g).sum()).item(), optimizer.param_groups[0]["lr"]
            if not abs(is_ - wanted) < 1e-3 * RATE:
                bad += 1
                print(f"FAIL {text} step {k}: rate {is_:.6f}, not {wanted:.6f}")
            if "cosine" in text and k + 1 > 12:
                break  # torch's goes up again
            optimizer.step()
            schedule.step()
    return bad


def apart(a, b):
    """The two-sample Kolmogorov-Smirnov statistic."""
    a, b = a.flatten().double().sort()[0], b.flatten().double().sort()[0]
    every = torch.cat([a, b])
    return (torch.searchsorted(a, every, right=True) / len(a) - torch.searchsorted(b, every, right=True) / len(b)).abs().max().item()


def compare_inits(ganexp, folder):
    bad = 0
    t = trace(ganexp, folder, init_config(), 1)
    for name, _, fill in INITS:
        w = t[f"param/{name}.0.weight@0"]
        limit = 1.95 * math.sqrt(2 / w.numel())  # one in a thousand
        wanted = fill(torch.empty_like(w))
        figure, ends = apart(w, wanted), w.abs().max().item() / wanted.abs().max().item()
        tails = name in ("glorot_normal", "he", "normal", "orthogonal")
        if not (figure < limit and abs(ends - 1) < (0.25 if tails else 0.02)):
            bad += 1
            print(f"FAIL {name}: {figure:.3f} apart, {limit:.3f} are allowed; its largest is {ends:.3f} of torch's")
    w = t["param/orthogonal.0.weight@0"].double()
    if not (w.T @ w - 4 * torch.eye(64)).abs().max() < 1e-5:
        bad += 1
        print("FAIL orthogonal: the columns are not")
    return bad


def word_of(layer):
    return layer if isinstance(layer, str) else next(iter(layer))


def words_without_a_row(ganexp, config):
    used = {word_of(layer) for net in config["networks"].values() for layer in net["layers"]}
    used |= {word_of(g["loss"]) for g in config["games"]} | {name for name, _ in PENALTIES} | {word for word, *_ in TERMS}
    used |= {word_of(yaml.safe_load(text)) for text, _ in OPTIMIZERS + SCHEDULES} | {word_of(init) for _, init, _ in INITS} | {"constant"}
    kind, missing = "", []
    for line in subprocess.run([ganexp, "help"], check=True, capture_output=True, text=True).stdout.splitlines():
        kind = line if line and not line.startswith(" ") else kind
        if line.startswith("  ") and kind in ("layer", "loss", "penalty", "term", "optimizer", "schedule", "initialisation") and line.split()[0] not in used:
            missing.append(line.split()[0])
            print(f"FAIL {kind} {missing[-1]}: no row in words.py")
    return len(missing)


def main(ganexp):
    torch.manual_seed(0)
    config = make_config()
    with tempfile.TemporaryDirectory() as folder:
        tensors = trace(ganexp, folder, config, 2)
        comparisons = [Comparison(tensors, k) for k in (0, 1)]  # what starts at 0, as an attention's gamma, is not 0 the second time
        bad = words_without_a_row(ganexp, config) + sum(c.run() for c in comparisons)
        bad += compare_optimizers(ganexp, folder) + compare_schedules(ganexp, folder) + compare_inits(ganexp, folder)
    print(f"{'FAIL' if bad else 'ok  '} {len(LAYERS) + 4} rows of layers, {len(TERMS)} terms, {len(LOSSES)} losses, {len(PENALTIES)} penalties: "
          f"{sum(c.n for c in comparisons)} values and gradients; {len(OPTIMIZERS)} optimizers; {len(SCHEDULES)} schedules; {len(INITS)} initialisations")
    return 1 if bad else 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main(*sys.argv[1:]))
