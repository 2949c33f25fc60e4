# Losses of games, penalties and terms. A loss is a pair of functions, the critic's side and the other's, of what the critic says of real
# and of fake; s is how far the target of real data is lowered.
import math

import torch
from torch import distributions
from torch.nn import functional as F

from config import number, true


def total(*parts):
    """Of (function, x) where x is there."""
    return sum(f(x) for f, x in parts if x is not None)


# --- losses ------------------------------------------------------------------------------------------------------------------

def cross_entropy_of(r, f, s):
    return F.softplus(-r).mean() + F.softplus(f).mean() + s * r.mean()


def log(saturating="false"):
    sign = -1 if true(saturating) else 1
    return cross_entropy_of, lambda r, f: total((lambda x: sign * F.softplus(-sign * x).mean(), f),
                                                (lambda x: sign * F.softplus(sign * x).mean(), r))


def least_squares(real="1", fake="0", generator="1"):
    b, a, c = number(real), number(fake), number(generator)
    return (lambda r, f, s: ((r - b + s) ** 2).mean() + ((f - a) ** 2).mean(),
            lambda r, f: total((lambda x: ((x - c) ** 2).mean(), f), (lambda x: ((x - a) ** 2).mean(), r)))


def wasserstein():
    return (lambda r, f, s: f.mean() - r.mean(),
            lambda r, f: total((lambda x: -x.mean(), f), (lambda x: x.mean(), r)))


def boundary_seeking():
    return cross_entropy_of, lambda r, f: total((lambda x: (x ** 2).mean() / 2, f), (lambda x: (x ** 2).mean() / 2, r))


def hinge():
    return lambda r, f, s: F.relu(1 - r).mean() + F.relu(1 + f).mean(), wasserstein()[1]


def relativistic(average="true"):
    def critic(r, f, s=0):
        if not true(average):
            return F.binary_cross_entropy_with_logits(r - f, torch.ones_like(r))
        return (F.binary_cross_entropy_with_logits(r - f.mean(0), torch.ones_like(r)) +
                F.binary_cross_entropy_with_logits(f - r.mean(0), torch.zeros_like(f)))
    return critic, lambda r, f: critic(f, r)


def softmax():
    def partition(r, f):
        return torch.cat([r.flatten(), f.flatten()]).logsumexp(0)
    return (lambda r, f, s: partition(r, f) - r.mean(),
            lambda r, f: partition(r, f) - torch.cat([r.flatten(), f.flatten()]).mean())


LOSSES = {"log": log, "least_squares": least_squares, "wasserstein": wasserstein, "boundary_seeking": boundary_seeking,
          "hinge": hinge, "relativistic": relativistic, "softmax": softmax}
IN_PAIRS = ("relativistic", "softmax")  # both sides need both
CANCELLING = ("wasserstein", "hinge", "relativistic")  # differences of means

# --- penalties: of a critic, its arguments on both sides, and what is drawn --------------------------------------------------

class Site:
    """Where a penalty is taken. `free` are the arguments that it varies: no labels, nothing that is the same on both sides."""

    def __init__(self, critic, real, fake, draw):
        self.critic, self.real, self.fake, self.draw = critic, real, fake, draw
        self.size = 0.0  # what the penalty is held against when that is more than itself
        self.free = [i for i, (r, f) in enumerate(zip(real, fake)) if r.is_floating_point() and r is not f]

    def slope(self, arguments):
        """The squared norm of the critic's gradient in what is free, a sample at a time; itself differentiable."""
        grads = torch.autograd.grad(self.critic(arguments).sum(), [arguments[i] for i in self.free], create_graph=True)
        return sum(g.flatten(1).square().sum(1) for g in grads)

    def moved(self, how):
        """The real arguments, the free ones of them changed."""
        return [how(i, x) if i in self.free else x for i, x in enumerate(self.real)]


def distance(site, slope, target, weight):
    """Cancels near the target; site.size is what it moves by, the slope being off by a share of itself, for that share."""
    norm = (slope + 1e-12).sqrt()
    site.size = weight * (2 * norm * (norm - target).abs()).mean().item()
    return weight * ((norm - target) ** 2).mean()


def gradient(site, weight="10", target="1"):
    alpha = site.draw()

    def between(i, x):
        a = alpha.reshape(-1, *[1] * (x.dim() - 1))
        return a * x + (1 - a) * site.fake[i]
    return distance(site, site.slope(site.moved(between)), number(target), number(weight))


def dragan(site, weight="10", spread="0.5"):
    def around(i, x):
        u, alpha = site.draw(), site.draw()
        return x + alpha * number(spread) * x.std(unbiased=False) * u
    return distance(site, site.slope(site.moved(around)), 1, number(weight))


def r1(site, weight="10"):
    return number(weight) / 2 * site.slope(site.real).mean()


def wgan_div(site, weight="2", power="6"):
    return number(weight) / 2 * sum((site.slope(x) ** (number(power) / 2)).mean() for x in (site.real, site.fake))


PENALTIES = {"gradient": gradient, "dragan": dragan, "r1": r1, "wgan_div": wgan_div}

# --- terms -------------------------------------------------------------------------------------------------------------------

def kl(mean, log_var, reduce="mean"):
    each = distributions.kl_divergence(distributions.Normal(mean, (log_var / 2).exp()), distributions.Normal(0, 1))
    return each.sum() / len(mean) if reduce == "sum" else each.mean()


def gaussian_nll(mean, x, log_var=None):
    variance = torch.ones_like(mean) if log_var is None else log_var.exp()
    return F.gaussian_nll_loss(mean, x, variance, eps=0)


def policy_gradient(critic, log_probability):
    return -(F.softmax(critic, 1) * log_probability).sum(1).mean()


def class_label(logits, label):
    return F.cross_entropy(logits, label if label.dim() == logits.dim() or not label.is_floating_point() else label.long())


TERMS = {
    "binary_cross_entropy": lambda logits, target: F.binary_cross_entropy_with_logits(logits, target),
    "cross_entropy": class_label,
    "cycle": lambda x, back: (back - x).abs().mean(),
    "feature_matching": lambda real, fake: ((real.mean(0) - fake.mean(0)) ** 2).mean(),
    "gaussian_nll": gaussian_nll,
    "kl": kl,
    "l1": lambda x, y: (x - y).abs().mean(),
    "mse": lambda x, y: ((x - y) ** 2).mean(),
    "mutual_information": lambda logits, label: class_label(logits, label) - math.log(logits.shape[1]),
    "policy_gradient": policy_gradient,
}
OPTIONS = {"reduce"}  # what in a term's braces is no expression


# What is done to the images that a critic is shown: all of a sample by the same draws.

def about(x, axes, by):
    centre = x.mean(axes, keepdim=True)
    return (x - centre) * by + centre


def colour(images, draw):
    brighter, saturation, contrast = draw(), draw(), draw()
    return [about(about(x + brighter, (1,), saturation), (1, 2, 3), contrast) for x in images]


def translation(images, draw, share="0.125"):
    """A canvas of zeros around each image, and another window of it."""
    reach = [int(n * number(share) + 0.5) for n in images[0].shape[2:]]
    down, right = (draw().flatten().long() - r for r in reach)

    def moved(x):
        (h, w), (a, b) = x.shape[2:], reach
        canvas = F.pad(x, (2 * b, 2 * b, 2 * a, 2 * a))
        return torch.stack([c[:, 2 * a - i:2 * a - i + h, 2 * b - j:2 * b - j + w] for c, i, j in zip(canvas, down.tolist(), right.tolist())])
    return [moved(x) for x in images]


def cutout(images, draw, share="0.5"):
    size = images[0].shape[2:]
    hole = [int(n * number(share) + 0.5) for n in size]
    first = [draw().flatten().long() - k // 2 for k in hole]
    keep = torch.ones(len(images[0]), 1, *size, dtype=images[0].dtype)
    for n, (i, j) in enumerate(zip(*(f.tolist() for f in first))):
        keep[n, :, max(i, 0):i + hole[0], max(j, 0):j + hole[1]] = 0
    return [x * keep for x in images]


AUGMENTATIONS = {
    "colour": colour,
    "translation": translation,
    "cutout": cutout,
}
