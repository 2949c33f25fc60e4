# From expressions to tensors, in training. The same expression is the same value until an update changes a network in it or a draw is
# taken anew: all is remembered under what it is made of. What is drawn comes from outside, by name.
import ast

import torch

from expressions import FUNCTIONS, METHODS, OPERATORS, field, parse
from networks import Application, build


class Kink(torch.autograd.Function):
    """x times slopes that may be changed until the gradient is asked for."""

    @staticmethod
    def forward(ctx, x, slopes):
        ctx.slopes = slopes
        return x * slopes

    @staticmethod
    def backward(ctx, dy):
        return dy * ctx.slopes, None


class Training(Application):
    """One use of a network in training: what is drawn comes from outside, and what becomes of the network's state is kept in `changes`.

    Where what a relu gets is zero but for rounding, two programs may come down on different sides, and their gradients differ by what
    that one number is worth. Such places (an exact zero, as padding leaves, is none) are noted in `near`, and `flipped` ones take the other side.
    """

    NEAR = 1e-5  # of what is usual in that tensor

    def __init__(self, name, net, arguments, draw, flipped):
        super().__init__(net, arguments)
        self.name, self.draw, self.flipped = name, draw, flipped
        self.changes, self.near, self.slopes = [], {}, {}

    def apply(self, number, module, x):
        if self.net.frozen or not hasattr(module, "in_training"):
            return module(*x)
        return module.in_training(Place(self, number), *x)

    def kink(self, number, x, slope):
        flat = x.detach().flatten()
        distance = flat.abs() / flat.square().mean().sqrt()
        slopes = torch.where(flat > 0, 1.0, slope).to(x.dtype)
        for i in ((distance < self.NEAR) & (flat != 0)).nonzero().flatten().tolist():
            place = (self.name, number, i)
            self.near[place] = distance[i].item()
            if place in self.flipped:
                slopes[i] = 1 + slope - slopes[i]
        self.slopes[number] = (slopes, slope)
        return Kink.apply(x, slopes.reshape(x.shape))

    def flip(self, place):
        slopes, slope = self.slopes[place[1]]
        slopes.data[place[2]] = 1 + slope - slopes[place[2]]  # .data: autograd may hold it, and need not know


class Place:
    """A layer in one application of its network, for its module."""

    def __init__(self, application, number):
        self.application, self.number = application, number

    def draw(self):
        return self.application.draw(f"{self.application.net.label}.{self.number}")

    def track(self, change):
        self.application.changes.append(change)

    def kink(self, x, slope):
        return self.application.kink(self.number, x, slope)


class Values(ast.NodeVisitor):
    """visit(expression) is its tensor, or a number; `recorded(name)` is a tensor of the trace."""

    def __init__(self, config, recorded, dtype):
        self.config, self.recorded = config, recorded
        self.nets = {name: net.to(dtype) for name, net in build(config).items()}
        self.named = {k: parse(v) for k, v in config.get("values", {}).items()}

    def begin(self, iteration):
        self.iteration, self.memo, self.changed, self.next_draw, self.flipped = iteration, {}, {}, 1, set()

    def begin_run(self, number, repetition):
        self.run, self.touched, self.asked, self.drawn_at = (number, repetition), [], {}, {}

    def once(self, key, parts, make):
        if key not in self.memo:
            self.memo[key] = (make(), parts)  # the parts are kept so that no other value gets their id
        return self.memo[key][0]

    # draws

    def take_draws(self, sources):
        """These are drawn anew for the updates that follow; the others are the iteration's own."""
        self.turn_draw = {name: self.next_draw for name in sources}
        self.next_draw += bool(sources)

    def take_own_draws(self, sources):
        """These are drawn anew for one update."""
        self.draw = {**self.turn_draw, **{name: self.next_draw for name in sources}}
        self.next_draw += bool(sources)

    def source(self, kind, name, source):
        draw = self.draw.get(source, 0)
        x = self.once((kind, name, draw), [], lambda: self.recorded(f"{kind}/{name}@{self.iteration}.{draw}"))
        return x.requires_grad_() if x.is_floating_point() else x  # a penalty may ask for it

    def random(self, run, where, i):
        return self.recorded(f"random/{run[0]}/{where}.{i}@{self.iteration}.{run[1]}")

    def random_next(self, where):
        self.drawn_at[where] = self.drawn_at.get(where, -1) + 1
        return self.random(self.run, where, self.drawn_at[where])

    # expressions

    def visit_Constant(self, e):
        return float(e.value)

    def visit_Name(self, e):
        if e.id in METHODS:
            return e.id
        return self.visit(self.named[e.id]) if e.id in self.named else self.source("noise", e.id, e.id)

    def visit_Attribute(self, e):
        if isinstance(e.value, ast.Name) and e.value.id in self.config.get("data", {}):
            what = field(e).replace("point", "image")
            return self.source("data", f"{e.value.id}.{what}", e.value.id)
        return self.head(self.behind(e.value), field(e))

    def visit_Call(self, e):
        return self.head(e) if e.func.id in self.nets else self.function(FUNCTIONS[e.func.id], e.args)

    def visit_BinOp(self, e):
        return self.function(OPERATORS[type(e.op)], [e.left, e.right])

    def function(self, f, arguments):
        x = [self.visit(a) for a in arguments]
        return self.once((f, *map(identity, x)), x, lambda: f(*x))

    def behind(self, e):
        return self.behind(self.named[e.id]) if isinstance(e, ast.Name) else e

    def head(self, call, head=""):
        net = self.nets[call.func.id]
        x = dict(zip(net.inputs, [self.visit(a) for a in call.args]))
        x.update({k.arg: self.visit(k.value) for k in call.keywords})
        return self.application(net, [self.argument(net, name, x[name]) for name in net.inputs]).head(head)

    def argument(self, net, name, x):
        """A number is that number for each sample."""
        if torch.is_tensor(x):
            return x
        like, batch = net.examples[name], int(next(iter(self.config["data"].values()))["batch"])
        kind = torch.float64 if like.is_floating_point() else torch.long
        return self.once((net.label, name, x), [], lambda: torch.full((batch, *like.shape[1:]), x, dtype=kind))

    def application(self, net, arguments):
        key = (net.label, self.changed.get(net.label, 0), *map(id, arguments))
        new = key not in self.memo
        run, i = self.run, self.asked.get(net.label, 0)
        app = self.once(key, arguments, lambda: Training(f"{net.label} {run} {i}", net, arguments, lambda where: self.random(run, where, i),
                                                         self.flipped))
        self.asked[net.label] = i + new
        if not any(a is app for a in self.touched):
            self.touched.append(app)
        return app

    def depends(self, e, target, head=None):
        """Whether the gradient of the expression, or of that head of it, reaches what is trained."""
        if isinstance(e, ast.Name):
            return e.id in self.named and self.depends(self.named[e.id], target, head)
        if isinstance(e, ast.Attribute):
            return self.depends(e.value, target, field(e))
        if isinstance(e, ast.BinOp):
            return self.depends(e.left, target) or self.depends(e.right, target)
        if not isinstance(e, ast.Call) or e.func.id == "detach":
            return False
        if e.func.id == target.net and target.head in ("", head or self.nets[target.net].first):
            return True
        return any(self.depends(a, target) for a in [*e.args, *[k.value for k in e.keywords]])


def identity(x):
    return id(x) if torch.is_tensor(x) else x
