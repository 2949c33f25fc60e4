# The language's update rule in torch: who is trained on what, in which order, on which draws. Written from the words of the language
# ("Games, terms and updates") and not from the program it is compared with. What is drawn comes from outside, by name.
import ast
import operator
import re

import torch
from torch.nn import functional as F

from networks import Application, Dropout, build, listed, number, one_word, options

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def parse(text):
    """Expressions are Python's, but for heads that are keywords there: x.class becomes x.head_class."""
    return ast.parse(re.sub(r"\.([A-Za-z_])", r".head_\1", text), mode="eval").body


def field(e):
    return e.attr[len("head_"):]


# --- losses: r and f are what the critic says of real and fake ---------------------------------------------------------------

def log_loss(params):
    saturating, = options(params, "saturating", saturating="false")

    def generator(x, sign):
        wants = F.softplus(-sign * x) if saturating != "true" else -F.softplus(sign * x)
        return wants.mean()
    return (lambda r, f, s: F.softplus(-r).mean() + F.softplus(f).mean() + s * r.mean(),
            lambda r, f: sum(generator(x, sign) for x, sign in ((f, 1), (r, -1)) if x is not None))


def least_squares(params):
    b, a, c = [number(x) for x in options(params, "real", "fake", "generator", real="1", fake="0", generator="1")]
    return (lambda r, f, s: ((r - b + s) ** 2).mean() + ((f - a) ** 2).mean(),
            lambda r, f: sum(((x - t) ** 2).mean() for x, t in ((f, c), (r, a)) if x is not None))


def wasserstein(params):
    return (lambda r, f, s: f.mean() - r.mean(),
            lambda r, f: sum(sign * x.mean() for x, sign in ((f, -1), (r, 1)) if x is not None))


def boundary_seeking(params):
    return (log_loss("")[0],
            lambda r, f: sum(0.5 * (x ** 2).mean() for x in (f, r) if x is not None))


def hinge(params):
    return lambda r, f, s: F.relu(1 - r).mean() + F.relu(1 + f).mean(), wasserstein("")[1]


LOSSES = {"log": log_loss, "least_squares": least_squares, "wasserstein": wasserstein, "boundary_seeking": boundary_seeking,
          "hinge": hinge}
TERMS = {
    "cross_entropy": lambda logits, label: F.cross_entropy(logits, label),
    "l1": lambda x, y: (x - y).abs().mean(),
    "mse": lambda x, y: ((x - y) ** 2).mean(),
}


def slopes(critic, arguments, free):
    """The norm of the critic's gradient in what is free, a sample at a time; itself differentiable."""
    grads = torch.autograd.grad(critic(arguments).sum(), [arguments[i] for i in free], create_graph=True)
    return sum(g.flatten(1).square().sum(1) for g in grads).add(1e-12).sqrt()


def penalty_gradient(params, critic, real, fake, draw):
    weight, target = [number(x) for x in options(params, "weight", "target", weight="10", target="1")]
    free = [i for i, (r, f) in enumerate(zip(real, fake)) if r.is_floating_point() and r is not f]
    alpha = draw("gradient").reshape(-1)
    between = list(real)
    for i in free:
        a = alpha.reshape(-1, *[1] * (real[i].dim() - 1))
        between[i] = a * real[i] + (1 - a) * fake[i]
        if not between[i].requires_grad:
            between[i].requires_grad_()
    return weight * ((slopes(critic, between, free) - target) ** 2).mean()


def penalty_r1(params, critic, real, fake, draw):
    weight, = [number(x) for x in options(params, "weight", weight="10")]
    free = [i for i, r in enumerate(real) if r.is_floating_point()]
    at = [r.detach().requires_grad_() if i in free else r for i, r in enumerate(real)]
    return weight / 2 * (slopes(critic, at, free) ** 2).mean()


PENALTIES = {"gradient": penalty_gradient, "r1": penalty_r1}


# --- optimizers --------------------------------------------------------------------------------------------------------------

def adam(params, weights):
    lr, b1, b2, eps, decay = [number(x) for x in options(params, "lr", "beta1", "beta2", "epsilon", "weight_decay", lr="1e-3",
                                                         beta1="0.9", beta2="0.999", epsilon="1e-8", weight_decay="0")]
    return torch.optim.Adam(weights, lr, (b1, b2), eps, decay)


def rmsprop(params, weights):
    lr, rho, eps = [number(x) for x in options(params, "lr", "rho", "epsilon", lr="1e-2", rho="0.99", epsilon="1e-8")]
    return torch.optim.RMSprop(weights, lr, rho, eps)


def sgd(params, weights):
    lr, momentum, nesterov = options(params, "lr", "momentum", "nesterov", momentum="0", nesterov="false")
    return torch.optim.SGD(weights, number(lr), number(momentum), nesterov=nesterov == "true")


OPTIMIZERS = {"adam": adam, "rmsprop": rmsprop, "sgd": sgd}


# --- the iteration -----------------------------------------------------------------------------------------------------------

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
    """One use of a network in training: masks come from outside, batch norms take the batch's statistics and are remembered.

    Where what a relu gets is zero but for rounding, two programs may come down on different sides, and their gradients differ by what
    that one number is worth. Such places (an exact zero, as padding leaves, is none) are noted in `near`, and `flipped` ones take the other side.
    """

    NEAR = 1e-5  # of what is usual in that tensor

    def __init__(self, name, net, arguments, draw, flipped):
        super().__init__(arguments)
        self.name, self.net, self.draw, self.flipped = name, net, draw, flipped
        self.seen, self.said, self.near, self.slopes = [], {}, {}, {}

    def head(self, name):
        if name not in self.said:
            self.said[name] = self.net(self, name)
        return self.said[name]

    def apply(self, number_, module, x):
        if isinstance(module, Dropout):
            return module(x[0], self.draw(f"{self.net.label}.{number_}"))
        if isinstance(module, (torch.nn.ReLU, torch.nn.LeakyReLU)):
            return self.kink(number_, x[0], getattr(module, "negative_slope", 0.0))
        if not isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            return module(*x)
        if not any(m is module for m, _ in self.seen):
            self.seen.append((module, x[0].detach()))
        return F.batch_norm(x[0], None, None, module.weight, module.bias, True, eps=module.eps)

    def kink(self, number_, x, slope):
        flat = x.detach().flatten()
        distance = flat.abs() / flat.square().mean().sqrt()
        slopes = torch.where(flat > 0, 1.0, slope).to(x.dtype)
        for i in ((distance < self.NEAR) & (flat != 0)).nonzero().flatten().tolist():
            place = (self.name, number_, i)
            self.near[place] = distance[i].item()
            if place in self.flipped:
                slopes[i] = 1 + slope - slopes[i]
        self.slopes[number_] = (slopes, slope)
        return Kink.apply(x, slopes.reshape(x.shape))

    def flip(self, place):
        slopes, slope = self.slopes[place[1]]
        slopes.data[place[2]] = 1 + slope - slopes[place[2]]  # .data: autograd may hold it, and need not know

    def track(self):
        for m, x in self.seen:
            F.batch_norm(x, m.running_mean, m.running_var, None, None, True, m.momentum, m.eps)


class Target:
    def __init__(self, text):
        self.net, _, self.head = text.partition(".")

    def covers(self, net, head):
        return self.net == net and self.head in ("", head)


class Experiment:
    """`recorded(name)` is a tensor of the trace; the rest is found here."""

    def __init__(self, config, recorded, dtype):
        for key in ("lr_schedule", "phases", "ema"):
            if key in config["train"]:
                raise SystemExit(f"train.{key}: not known to this program")
        self.config, self.recorded = config, recorded
        self.nets = {name: net.to(dtype) for name, net in build(config).items()}
        self.values = {k: parse(v) for k, v in config.get("values", {}).items()}
        self.games = [self.read_game(g) for g in config.get("games", [])]
        self.terms = self.read_terms(config.get("terms", []))
        self.updates = [self.read_update(i, u) for i, u in enumerate(config["train"]["iteration"])]

    # reading

    def parse_all(self, x):
        return [parse(text) for text in listed(x)]

    def read_game(self, g):
        loss, params = one_word(g["loss"])
        for key in set(g) - {"critic", "real", "fake", "loss", "penalty", "clip", "smooth", "weight"}:
            raise SystemExit(f"games: {key}: not known to this program")
        penalties = [one_word(p) for p in listed(g["penalty"])] if "penalty" in g else []
        return {"name": g["critic"], "critic": Target(g["critic"]), "real": self.parse_all(g["real"]), "penalties": penalties,
                "fake": self.parse_all(g["fake"]), "word": loss, "loss": LOSSES[loss](params), "clip": number(g.get("clip", "0")),
                "smooth": number(g.get("smooth", "0")), "weight": number(g.get("weight", "1"))}

    def read_terms(self, terms):
        read, count = [], {}
        for t in terms:
            word = next(k for k in t if k not in ("for", "weight"))
            count[word] = count.get(word, 0) + 1
            read.append({"name": word + (f".{count[word]}" if count[word] > 1 else ""), "is": TERMS[word],
                         "arguments": {k: parse(v) for k, v in t[word].items()},
                         "weight": number(t.get("weight", "1")),
                         "for": [Target(x) for x in listed(t["for"])] if "for" in t else None})
        return read

    def read_update(self, i, u):
        trains = [Target(x) for x in listed(u["update"])]
        kind, params = one_word(u.get("optimizer", self.config["train"].get("optimizer")))
        weights = {f"{t.net}.{name}": p for t in trains for name, p in self.nets[t.net].named_parameters()
                   if not t.head or name.startswith(f"{t.head}.")}
        return {"number": i, "trains": trains, "repeat": int(u.get("repeat", "1")), "fresh": listed(u.get("fresh", [])),
                "weights": weights, "optimizer": OPTIMIZERS[kind](params, list(weights.values()))}

    # values: the same expression is the same value until an update changes a network in it

    def value(self, e):
        if isinstance(e, ast.Constant):
            return float(e.value)
        if isinstance(e, ast.Name):
            return self.value(self.values[e.id]) if e.id in self.values else self.drawn("noise", e.id, e.id)
        if isinstance(e, ast.Attribute):
            if isinstance(e.value, ast.Name) and e.value.id in self.config["data"]:
                return self.drawn("data", f"{e.value.id}.{field(e)}", e.value.id)
            return self.call(self.behind(e.value), field(e))
        if isinstance(e, ast.Call) and e.func.id in self.nets:
            return self.call(e, next(iter(self.nets[e.func.id].ends)))
        if isinstance(e, ast.Call):
            x = [self.value(a) for a in e.args]
            return self.once((e.func.id, *map(id, x)), x, lambda: self.function(e.func.id, x))
        x = [self.value(e.left), self.value(e.right)]
        return self.once((type(e.op), *map(id, x)), x, lambda: OPERATORS[type(e.op)](*x))

    def function(self, name, x):
        if name == "concat":
            return torch.cat(x, 1)
        if name == "detach":
            return x[0].detach()
        if name == "mean":
            return x[0].mean()
        raise SystemExit(f"function '{name}': not known to this program")

    def once(self, key, parts, make):
        if key not in self.memo:
            self.memo[key] = (make(), parts)  # the parts are kept so that no other value gets their id
        return self.memo[key][0]

    def drawn(self, kind, name, source):
        draw = self.draw.get(source, 0)
        return self.once((kind, name, draw), [], lambda: self.recorded(f"{kind}/{name}@{self.iteration}.{draw}"))

    def behind(self, e):
        return self.behind(self.values[e.id]) if isinstance(e, ast.Name) else e

    def call(self, e, head):
        net = self.nets[e.func.id]
        x = dict(zip(net.inputs, [self.value(a) for a in e.args]))
        x.update({k.arg: self.value(k.value) for k in e.keywords})
        return self.application(net, [x[name] for name in net.inputs]).head(head)

    def application(self, net, arguments):
        key = (net.label, self.changed.get(net.label, 0), *map(id, arguments))
        new = key not in self.memo
        i = self.asked.get(net.label, 0)
        app = self.once(key, arguments, lambda: Training(f"{net.label} {self.run} {i}", net, arguments, self.draws_of(i), self.flipped))
        self.asked[net.label] = i + new
        if not any(a is app for a in self.touched):
            self.touched.append(app)
        return app

    def draws_of(self, i):
        run = self.run
        return lambda where: self.recorded(f"random/{run[0]}/{where}.{i}@{self.iteration}.{run[1]}")

    def judge(self, game, arguments):
        net = self.nets[game["critic"].net]
        return self.application(net, arguments).head(game["critic"].head or next(iter(net.ends)))

    def depends(self, e, targets):
        if isinstance(e, ast.Name):
            return e.id in self.values and self.depends(self.values[e.id], targets)
        if isinstance(e, ast.Call):
            if e.func.id == "detach":
                return False
            inside = [*e.args, *[k.value for k in e.keywords]]
            return any(t.net == e.func.id for t in targets) or any(self.depends(a, targets) for a in inside)
        if isinstance(e, ast.BinOp):
            return self.depends(e.left, targets) or self.depends(e.right, targets)
        if isinstance(e, ast.Attribute) and not (isinstance(e.value, ast.Name) and e.value.id in self.config["data"]):
            call = self.behind(e.value)
            heads = [t for t in targets if t.net == call.func.id and t.head]
            others = [t for t in targets if t not in heads]
            return any(t.head == field(e) for t in heads) or self.depends(call, others)
        return False

    # losses: name, value, and what the value is held against when that is more than itself

    def size(self, game, *said):
        """Differences of means may cancel: of such losses, what the critic says on average."""
        return sum(s.detach().abs().mean().item() for s in said if s is not None) if game["word"] in ("wasserstein", "hinge") else 0.0

    def critic_side(self, game):
        real = [self.value(e) for e in game["real"]]
        r = self.judge(game, real)
        fake = [self.value(e) for e in game["fake"]]
        f = self.judge(game, fake)
        yield f"{game['name']}.critic", game["loss"][0](r, f, game["smooth"]), self.size(game, r, f)
        for word, params in game["penalties"]:
            penalty = PENALTIES[word](params, lambda x: self.judge(game, x), real, fake, self.draws_of(0))
            yield f"{game['name']}.{word}", penalty, 0.0

    def generator_side(self, game, trains):
        said = [self.judge(game, [self.value(e) for e in game[side]])
                if any(self.depends(e, trains) for e in game[side]) else None for side in ("real", "fake")]
        if any(s is not None for s in said):
            yield f"{game['name']}.generator", game["weight"] * game["loss"][1](*said), self.size(game, *said)

    def losses(self, trains):
        for game in self.games:
            if any(t.covers(game["critic"].net, game["critic"].head) for t in trains):
                yield from self.critic_side(game)
            else:
                yield from self.generator_side(game, trains)
        critics = [g["critic"].net for g in self.games]
        for t in self.terms:
            named = [x for x in t["for"] or [] if any(y.covers(x.net, x.head) for y in trains)]
            free = [x for x in trains if x.net not in critics] if t["for"] is None else []
            if named or any(self.depends(e, free) for e in t["arguments"].values()):
                arguments = {k: self.value(e) for k, e in t["arguments"].items()}
                yield t["name"], t["weight"] * t["is"](**arguments), 0.0

    # steps

    def begin(self, iteration):
        self.iteration, self.memo, self.changed, self.next_draw, self.flipped = iteration, {}, {}, 1, set()

    def take_draws(self, update):
        sources = [*self.config["data"], *self.config.get("noise", {})]
        afresh = sources if update["repeat"] > 1 else update["fresh"]
        self.draw = {name: self.next_draw for name in afresh}
        self.next_draw += bool(afresh)

    def gradients(self, update, repetition):
        """Losses and their sizes by name ("" is their sum) and gradients by name, of what the losses depend on."""
        self.take_draws(update)
        self.before = dict(self.memo)
        return self.gradients_again(update, repetition)

    def gradients_again(self, update, repetition):
        self.memo = dict(self.before)
        self.run, self.touched, self.asked = (update["number"], repetition), [], {}
        losses = {name: (value, size) for name, value, size in self.losses(update["trains"])}
        losses[""] = tuple(map(sum, zip(*losses.values())))
        weights = update["weights"]
        grads = torch.autograd.grad(losses[""][0], list(weights.values()), allow_unused=True, retain_graph=True)
        return losses, {name: g for name, g in zip(weights, grads) if g is not None}

    def near(self):
        """Places where a relu gets nothing but rounding, the nearest to zero first."""
        places = {place: distance for app in self.touched for place, distance in app.near.items()}
        return sorted(places, key=places.get)

    def flip(self, place):
        self.flipped ^= {place}
        for app in self.touched:
            if app.name == place[0]:
                app.flip(place)

    def step(self, update, grads):
        for name, p in update["weights"].items():
            p.grad = grads.get(name)
        update["optimizer"].step()
        with torch.no_grad():
            for game in self.games:
                if game["clip"] and any(t.covers(game["critic"].net, game["critic"].head) for t in update["trains"]):
                    for name, p in update["weights"].items():
                        if name.startswith(f"{game['critic'].net}."):
                            p.clamp_(-game["clip"], game["clip"])
            for app in self.touched:
                if any(t.net == app.net.label and not t.head for t in update["trains"]):
                    app.track()
        for t in update["trains"]:
            self.changed[t.net] = self.changed.get(t.net, 0) + 1
