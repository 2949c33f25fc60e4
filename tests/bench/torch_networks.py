# Networks of a config as one would write them in torch: its own modules, in an nn.Sequential where they are a chain. Only the words of
# the configs that are compared are known here; tests/parity knows all, in modules made to be looked into rather than to be fast.
import os
import sys

import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "parity"))
from config import call, expand, listed, one_word  # noqa: E402


# --- words: the example x above the layer, then the parameters ---------------------------------------------------------------

def dense(x, units):
    return nn.Linear(x.shape[1], int(units))


def conv2d(x, filters, kernel="3", stride="1", padding="same", bias="true"):
    """`same` is TensorFlow's: one more at the bottom and right where the padding is odd. torch has that for stride 1 only."""
    k, s = int(kernel), int(stride)
    total = max((-(-x.shape[2] // s) - 1) * s + k - x.shape[2], 0)
    within = 0 if padding == "valid" else "same" if s == 1 else total // 2 if total % 2 == 0 else 0
    conv = nn.Conv2d(x.shape[1], int(filters), k, s, within, bias=bias == "true")
    if padding == "valid" or s == 1 or total % 2 == 0:
        return conv
    pads = (total // 2, total - total // 2)
    return nn.Sequential(nn.ZeroPad2d(pads + pads), conv)


def conv2d_transpose(x, filters, kernel="3", stride="1", padding="same", bias="true"):
    k, s = int(kernel), int(stride)
    return nn.ConvTranspose2d(x.shape[1], int(filters), k, s, (k - s) // 2 if padding == "same" else 0, bias=bias == "true")


def batch_norm(x, momentum="0.9", epsilon="1e-5"):
    kind = nn.BatchNorm1d if x.dim() == 2 else nn.BatchNorm2d
    return kind(x.shape[1], eps=float(epsilon), momentum=1 - float(momentum))


def zero_pad(x, sizes):
    top, bottom, left, right = [int(n) for n in sizes]
    return nn.ZeroPad2d((left, right, top, bottom))


class Multiply(nn.Module):
    def forward(self, x, y):
        return x * y


LAYERS = {
    "dense": dense,
    "conv2d": conv2d,
    "conv2d_transpose": conv2d_transpose,
    "batch_norm": batch_norm,
    "zero_pad": zero_pad,
    "embedding": lambda x, size: nn.Embedding(x.classes, int(size)),
    "upsample": lambda x, factor: nn.Upsample(scale_factor=int(factor)),
    "reshape": lambda x, shape: nn.Unflatten(1, [int(n) for n in shape]),
    "flatten": lambda x: nn.Flatten(),
    "relu": lambda x: nn.ReLU(inplace=True),
    "leaky_relu": lambda x, slope: nn.LeakyReLU(float(slope), inplace=True),
    "tanh": lambda x: nn.Tanh(),
    "dropout": lambda x, rate: nn.Dropout(float(rate)),
    "multiply": lambda x, other: Multiply(),
}


# --- networks ----------------------------------------------------------------------------------------------------------------

def flat(layers, templates):
    """With templates written out."""
    for layer in layers:
        if isinstance(layer, dict) and "use" in layer:
            yield from flat(expand(layer, templates)["layers"], templates)
        else:
            yield one_word(layer)


def example(is_):
    if isinstance(is_, str) and is_.startswith("label("):
        x = torch.zeros(2, dtype=torch.long)
        x.classes = int(is_[6:-1])
        return x
    return torch.zeros(2, *[int(n) for n in listed(is_)])


class Network(nn.Module):
    """Stages in order, each reading the one before or what it names; then a head or several."""

    def __init__(self, node, templates):
        super().__init__()
        self.inputs = list(node["inputs"])
        self.stages, self.heads, self.sources = nn.ModuleList(), nn.ModuleList(), []
        values = {name: example(is_) for name, is_ in node["inputs"].items()}
        above = values[self.inputs[0]]
        for word, params in flat(node["layers"], templates):
            params = dict(params) if isinstance(params, dict) else params
            of = params.pop("of", None) if isinstance(params, dict) else None
            other = params if word == "multiply" else None
            stage = call(LAYERS, word, params, values[of] if of else above)
            above = self.call(stage, of, other, values, above).detach()
            self.stages.append(stage)
            self.sources.append((of, other))
        for layers in node.get("outputs", {}).values():
            self.heads.append(nn.Sequential(*[call(LAYERS, word, params, above) for word, params in flat(layers, templates)]))

    @staticmethod
    def call(stage, of, other, values, above):
        x = values[of] if of else above
        return stage(x, values[other]) if other else stage(x)

    def chain(self):
        return nn.Sequential(*self.stages) if not self.heads and not any(map(any, self.sources)) else self

    def forward(self, *arguments):
        values = dict(zip(self.inputs, arguments))
        above = arguments[0]
        for stage, (of, other) in zip(self.stages, self.sources):
            above = self.call(stage, of, other, values, above)
        return tuple(head(above) for head in self.heads) if self.heads else above


def initialise(net, init):
    word, params = one_word(init)
    for m in net.modules():
        if isinstance(m, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            if word == "glorot":
                nn.init.xavier_uniform_(m.weight)
            else:
                nn.init.normal_(m.weight, 0, float(params))
            if m.bias is not None:
                nn.init.zeros_(m.bias)


def network(config, name):
    node = config["networks"][name]
    net = Network(node, config.get("templates", {})).chain()
    initialise(net, node["init"])
    return net
