# The layers as torch modules. A module that in training does something else than outside (draws, batch statistics) has a method
# in_training(site, *x); the site gives what was drawn there and is told what becomes of its state.
import operator
from functools import reduce

import torch
from torch import nn
from torch.nn import functional as F

from config import listed, number, pair, true


class Function(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.forward = f


class Drawing(nn.Module):
    """f of the inputs and of what is drawn, which comes from outside."""

    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, *x):
        return x[0]

    def in_training(self, site, *x):
        return self.f(*x, site.draw())


class Kinked(nn.LeakyReLU):
    def in_training(self, site, x):
        return site.kink(x, self.negative_slope)


class Statistical:
    """Batch norm: the batch's statistics, which the running ones follow when the pass has trained the network."""

    def in_training(self, site, x):
        seen = x.detach()
        site.track(lambda: F.batch_norm(seen, self.running_mean, self.running_var, None, None, True, self.momentum, self.eps))
        return F.batch_norm(x, None, None, self.weight, self.bias, True, eps=self.eps)


class BatchNorm1d(Statistical, nn.BatchNorm1d):
    pass


class BatchNorm2d(Statistical, nn.BatchNorm2d):
    pass


class Spectral:
    """Under torch's spectral_norm: in training a step of power iteration from the state before, which the step's result then follows."""

    def in_training(self, site, x):
        if not hasattr(self, "weight_u"):
            return self(x)
        state = (self.weight_u, self.weight_v)
        before = [s.clone() for s in state]
        y = self.train()(x)
        after = [s.clone() for s in state]
        self.eval().become(before)
        site.track(lambda: self.become(after))
        return y

    def become(self, state):
        with torch.no_grad():
            self.weight_u.copy_(state[0])
            self.weight_v.copy_(state[1])


class Dense(Spectral, nn.Linear):
    pass


class Conv(Spectral, nn.Conv2d):
    def forward(self, x):
        return F.conv2d(F.pad(x, self.pads), self.weight, self.bias, self.stride)


class ConvTranspose(Spectral, nn.ConvTranspose2d):
    """The whole result, cut to size; the bias comes last, since it is also where no weight reaches."""

    def forward(self, x):
        y = F.pad(F.conv_transpose2d(x, self.weight, None, self.stride), self.pads)
        return y if self.bias is None else y + self.bias[:, None, None]


class ScalarNorm(nn.Module):
    """Layer norm with one scale and shift for all."""

    def __init__(self, shape, epsilon):
        super().__init__()
        self.shape, self.epsilon = shape, epsilon
        self.weight, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return F.layer_norm(x, self.shape, eps=self.epsilon) * self.weight + self.bias


class SelfAttention(nn.Module):
    def __init__(self, channels, few, make):
        super().__init__()
        self.query, self.key, self.value = make(channels, few), make(channels, few), make(channels, channels)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.attend(x, *[project(x) for project in (self.query, self.key, self.value)])

    def in_training(self, site, x):
        return self.attend(x, *[project.in_training(site, x) for project in (self.query, self.key, self.value)])

    def attend(self, x, *projected):
        q, k, v = [p.flatten(2) for p in projected]
        seen = v @ torch.softmax(q.transpose(1, 2) @ k, 2).transpose(1, 2)
        return x + self.gamma * seen.reshape(x.shape)


class MinibatchDiscrimination(nn.Module):
    def __init__(self, features, kernels, dim):
        super().__init__()
        self.shape = (kernels, dim)
        self.weight = nn.Parameter(torch.empty(kernels * dim, features))

    def forward(self, x):
        m = F.linear(x, self.weight).reshape(len(x), *self.shape).transpose(0, 1)  # (kernels, N, dim)
        return torch.cat([x, torch.exp(-torch.cdist(m, m, p=1)).sum(2).t()], 1)


# --- paddings, in F.pad's order: left, right, top, bottom --------------------------------------------------------------------

def borders(x):
    top, bottom, left, right = [int(n) for n in x] if isinstance(x, list) else 4 * [int(x)]
    return left, right, top, bottom


def same(size, kernel, stride):
    """TensorFlow's: one more at the bottom and right where the padding is odd."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def paddings(padding, size, kernel, stride):
    if padding != "same":
        return borders("0" if padding == "valid" else padding)
    return sum((same(*axis) for axis in zip(size[::-1], kernel[::-1], stride[::-1])), ())


# --- words: the example x above the layer, then the parameters ---------------------------------------------------------------

def spectral(module, wanted):
    return nn.utils.spectral_norm(module) if true(wanted) else module


def dense(x, units, bias="true", spectral_norm="false"):
    return spectral(Dense(x.shape[1], int(units), true(bias)), spectral_norm)


def conv2d(x, filters, kernel="3", stride="1", padding="same", bias="true", spectral_norm="false"):
    kernel, stride = pair(kernel), pair(stride)
    module = Conv(x.shape[1], int(filters), kernel, stride, bias=true(bias))
    module.pads = paddings(padding, x.shape[2:], kernel, stride)
    return spectral(module, spectral_norm)


def conv2d_transpose(x, filters, kernel="3", stride="1", padding="same", output_padding="0", bias="true", spectral_norm="false"):
    kernel, stride, more = pair(kernel), pair(stride), pair(output_padding)
    module = ConvTranspose(x.shape[1], int(filters), kernel, stride, bias=true(bias))
    left, right, top, bottom = paddings(padding, [n * s for n, s in zip(x.shape[2:], stride)], kernel, stride)
    if padding == "same":  # a kernel shorter than the stride leaves room at the end
        more = [max(s - k, 0) for s, k in zip(stride, kernel)]
    module.pads = (-left, more[1] - right, -top, more[0] - bottom)
    return spectral(module, spectral_norm)


def pool(make):
    def layer(x, kernel="2", stride="", padding="0", **options):
        kernel = pair(kernel)
        stride = pair(stride) if stride not in ("", "null") else kernel
        pads = paddings(padding, x.shape[2:], kernel, stride)
        return Function(lambda x: make(x, pads, kernel, stride, **options))
    return layer


def max_pool(x, pads, kernel, stride):
    return F.max_pool2d(F.pad(x, pads, value=-torch.inf), kernel, stride)


def avg_pool(x, pads, kernel, stride, count_padding="false"):
    there = F.pad(torch.ones_like(x), pads, value=float(true(count_padding)))
    return F.avg_pool2d(F.pad(x, pads), kernel, stride) / F.avg_pool2d(there, kernel, stride)


def self_attention(x, reduction="8", spectral_norm="false"):
    def make(channels, filters):
        return conv2d(torch.zeros(1, channels, 1, 1), filters, kernel="1", spectral_norm=spectral_norm)
    return SelfAttention(x.shape[1], max(x.shape[1] // int(reduction), 1), make)


def batch_norm(x, momentum="0.9", epsilon="1e-5"):
    kind = BatchNorm1d if x.dim() == 2 else BatchNorm2d
    return kind(x.shape[1], eps=number(epsilon), momentum=1 - number(momentum))


def layer_norm(x, epsilon="1e-5", affine="element"):
    if affine == "channel":
        return nn.GroupNorm(1, x.shape[1], number(epsilon))
    if affine == "scalar":
        return ScalarNorm(x.shape[1:], number(epsilon))
    return nn.LayerNorm(x.shape[1:], number(epsilon), affine == "element")


def instance_norm(x, affine="false", epsilon="1e-5"):
    return nn.InstanceNorm2d(x.shape[1], number(epsilon), affine=true(affine))


def one_hot(classes):
    return Function(lambda x: F.one_hot(x, classes).double())


def dropout(x, rate="0.5", channels="false", always="false"):
    return Drawing(lambda x, mask: x * mask / (1 - number(rate)))


def bernoulli(x, low="0"):
    return Drawing(lambda x, u: torch.where(torch.sigmoid(x) > u, 1.0, number(low)).to(x.dtype))


LAYERS = {
    "dense": dense,
    "conv2d": conv2d,
    "conv2d_transpose": conv2d_transpose,
    "embedding": lambda x, size: nn.Embedding(x.classes, int(size)),
    "one_hot": lambda x: one_hot(x.classes),
    "self_attention": self_attention,
    "log_sum_exp": lambda x: Function(lambda x: x.logsumexp(1, keepdim=True)),
    "upsample": lambda x, factor="2", method="nearest": nn.Upsample(scale_factor=pair(factor), mode=method),
    "slice": lambda x, channels: Function(lambda x: x[:, int(listed(channels)[0]):int(listed(channels)[1])]),
    "scale": lambda x, factor: Function(lambda x: number(factor) * x),
    "covariance": lambda x: Function(lambda x: torch.stack([torch.cov(i.flatten(1), correction=0) for i in x])),
    "pixel_shuffle": lambda x, factor="2": nn.PixelShuffle(int(factor)),
    "avg_pool": pool(avg_pool),
    "max_pool": pool(max_pool),
    "global_avg_pool": lambda x: Function(lambda x: x.mean((2, 3))),
    "flatten": lambda x: nn.Flatten(),
    "reshape": lambda x, shape: Function(lambda x: x.reshape(len(x), *[int(n) for n in listed(shape)])),
    "tile": lambda x, size: Function(lambda x: x[:, :, None, None].expand(-1, -1, *pair(size))),
    "zero_pad": lambda x, padding: nn.ZeroPad2d(borders(padding)),
    "reflection_pad": lambda x, padding: nn.ReflectionPad2d(borders(padding)),
    "crop": lambda x, border: nn.ZeroPad2d([-n for n in borders(border)]),
    "relu": lambda x: Kinked(0),
    "leaky_relu": lambda x, slope="0.2": Kinked(number(slope)),
    "prelu": lambda x, channels="false", slope="0.25": nn.PReLU(x.shape[1] if true(channels) else 1),
    "elu": lambda x, alpha="1": nn.ELU(number(alpha)),
    "tanh": lambda x: nn.Tanh(),
    "sigmoid": lambda x: nn.Sigmoid(),
    "softmax": lambda x: nn.Softmax(1),
    "glu": lambda x: nn.GLU(1),
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "instance_norm": instance_norm,
    "minibatch_discrimination": lambda x, kernels="64", dim="32": MinibatchDiscrimination(x.shape[1], int(kernels), int(dim)),
    "dropout": dropout,
    "gaussian_noise": lambda x, std="0.1": Drawing(lambda x, noise: x + noise),
    "bernoulli": bernoulli,
}
JOINS = {  # of several values, the first from above; their parameter is names
    "concat": lambda x: Function(lambda *x: torch.cat(x, 1)),
    "add": lambda x: Function(lambda *x: sum(x)),
    "dot": lambda x: Function(lambda x, y: (x * y).flatten(1).sum(1, keepdim=True)),
    "multiply": lambda x: Function(lambda *x: reduce(operator.mul, x)),
    "gaussian": lambda x: Drawing(lambda mean, log_var, noise: mean + torch.exp(log_var / 2) * noise),
}
