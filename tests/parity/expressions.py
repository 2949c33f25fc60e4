# Expressions: Python's own, but for heads that are keywords there, so x.class becomes x.head_class.
import ast
import operator
import re

import torch
from torch.nn import functional as F

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def parse(text):
    return ast.parse(re.sub(r"\.([A-Za-z_])", r".head_\1", text), mode="eval").body


def field(e):
    return e.attr[len("head_"):]


def chosen(condition, a, b):
    like = a if torch.is_tensor(a) else b
    return torch.where(condition != 0, *[torch.as_tensor(x, dtype=like.dtype) for x in (a, b)])


def log_bernoulli(x, logits):
    each = F.binary_cross_entropy_with_logits(logits, (x > 0).to(logits.dtype), reduction="none")
    return -each.flatten(1).sum(1, keepdim=True)


METHODS = ("nearest", "area", "bilinear", "bicubic", "bilinear_antialias", "bicubic_antialias")


def resize(x, *how):
    """Unless a method is named, an axis that grows repeats pixels and one that shrinks takes means."""
    size = [int(n) for n in how if not isinstance(n, str)]
    h, w = size[0], size[-1]
    if isinstance(how[-1], str):
        mode, *antialias = how[-1].split("_")
        return F.interpolate(x, (h, w), mode="nearest-exact" if mode == "nearest" else mode, antialias=bool(antialias))
    for axis, n in ((2, h), (3, w)):
        to = [n if i == axis else x.shape[i] for i in (2, 3)]
        x = F.interpolate(x, to, mode="nearest-exact" if n > x.shape[axis] else "area")
    return x


FUNCTIONS = {
    "concat": lambda *x: torch.cat(x, 1),
    "where": chosen,
    "detach": lambda x: x.detach(),
    "mean": lambda x: x.mean(),
    "resize": resize,
    "rotate90": lambda x: torch.rot90(x, 1, (2, 3)),
    "sign": lambda x: torch.where(x > 0, 1.0, -1.0).to(x.dtype),
    "repeat": lambda x, n: x.repeat_interleave(int(n), 0),
    "fold": lambda x, n: x.reshape(len(x) // int(n), -1),
    "log_bernoulli": log_bernoulli,
}
