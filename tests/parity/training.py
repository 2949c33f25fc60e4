# The language's update rule in torch: who is trained on what, in which order, on which draws. Written from the words of the language
# ("Games, terms and updates") and not from the program it is compared with.
from types import SimpleNamespace

import torch

from expressions import parse
from losses import AUGMENTATIONS, CANCELLING, IN_PAIRS, LOSSES, OPTIONS, PENALTIES, TERMS, Site
from optimizers import OPTIMIZERS, factor
from values import Values
from config import call, listed, number, one_word


class Target:
    """A network, or a head of it."""

    def __init__(self, text):
        self.net, _, self.head = text.partition(".")

    def covers(self, other):
        return self.net == other.net and self.head in ("", other.head)


class Pool:
    """A history of fakes: of each new one, half the time a stored one is shown instead, which it replaces."""

    def __init__(self, size, like):
        size = size // len(like) * len(like)
        self.stored, self.filled = torch.zeros(size, like[0].numel(), dtype=like.dtype), 0
        self.next = (self.stored, self.filled)

    def show(self, x, start, coin):
        """What the critic sees; the history is changed by commit()."""
        size, fresh = len(self.stored), x.detach().flatten(1)
        full, coin = self.filled >= size, coin.bool()[:, None]
        place = ((int(start) if full else self.filled) + torch.arange(len(x))) % size
        old, stored = self.stored[place], self.stored.clone()
        stored[place] = torch.where(coin, fresh, old) if full else fresh
        self.next = (stored, min(self.filled + len(x), size))
        return (torch.where(coin, old, fresh) if full else fresh).reshape(x.shape)

    def commit(self):
        self.stored, self.filled = self.next


class Experiment(Values):
    """What is trained on what; the steps that training takes."""

    def __init__(self, config, recorded, dtype):
        super().__init__(config, recorded, dtype)
        train = config["train"]
        self.games = [self.read_game(i, g) for i, g in enumerate(config.get("games", []))]
        self.terms = self.read_terms(config.get("terms", []))
        self.updates = []
        self.phases = [self.read_phase({**train, **phase}) for phase in train.get("phases", [train])]
        self.pools, self.ema = {}, self.read_ema(**train["ema"]) if "ema" in train else {}

    # reading

    def read_game(self, i, g):
        loss, params = one_word(g["loss"])
        unknown = set(g) - {"critic", "real", "fake", "mismatched", "loss", "penalty", "clip", "smooth", "weight", "pool", "augment"}
        if unknown:
            raise SystemExit(f"games: {unknown}: not known to this program")
        sides = {side: [parse(text) for text in listed(g.get(side, []))] for side in ("real", "fake", "mismatched")}
        critic, judged = call(LOSSES, loss, params)
        return SimpleNamespace(name=g["critic"], number=i, is_critic=Target(g["critic"]), **sides, word=loss, critic=critic, judged=judged,
                               penalties=[one_word(p) for p in listed(g.get("penalty", []))],
                               augmentations=[one_word(a) for a in listed(g.get("augment", []))], pool=int(g.get("pool", 0)),
                               **{key: number(g.get(key, default)) for key, default in (("clip", "0"), ("smooth", "0"), ("weight", "1"))})

    def read_terms(self, terms):
        read, count = [], {}
        for t in terms:
            word, params = next((k, v) for k, v in t.items() if k not in ("for", "weight"))
            count[word] = count.get(word, 0) + 1
            read.append(SimpleNamespace(name=word + (f".{count[word]}" if count[word] > 1 else ""), word=word,
                                        options={k: v for k, v in params.items() if k in OPTIONS},
                                        arguments={k: parse(v) for k, v in params.items() if k not in OPTIONS},
                                        weight=number(t.get("weight", "1")),
                                        named=[Target(x) for x in listed(t["for"])] if "for" in t else None))
        return read

    def read_phase(self, phase):
        steps = int(number(phase["steps"]))
        turns = [self.read_turn(entry, phase.get("optimizer")) for entry in phase["iteration"]]
        return SimpleNamespace(steps=steps, turns=turns, factor=factor(phase.get("lr_schedule", []), steps))

    def read_turn(self, entry, optimizer):
        """Updates that read the same networks: one, or simultaneous ones."""
        repeat, sources = int(entry.get("repeat", "1")), [*self.config["data"], *self.config.get("noise", {})]
        updates = [self.read_update(len(self.updates) + i, u, entry.get("optimizer", optimizer))
                   for i, u in enumerate(entry.get("simultaneous", [{"update": entry.get("update")}]))]
        self.updates += updates
        return SimpleNamespace(updates=updates, repeat=repeat, fresh=sources if repeat > 1 else listed(entry.get("fresh", [])))

    def read_update(self, i, u, optimizer):
        trains = [Target(x) for x in listed(u["update"])]
        weights = {f"{t.net}.{name}": p for t in trains for name, p in self.nets[t.net].named_parameters()
                   if not t.head or name.startswith(f"{t.head}.")}
        optimizer = call(OPTIMIZERS, *one_word(u.get("optimizer", optimizer)), list(weights.values()))
        return SimpleNamespace(number=i, trains=trains, fresh=listed(u.get("fresh", [])), weights=weights, optimizer=optimizer, lr=[group["lr"] for group in optimizer.param_groups])

    def read_ema(self, decay, networks=None):
        critics = [g.is_critic.net for g in self.games]
        nets = networks and listed(networks) or [name for name, net in self.nets.items() if name not in critics and not net.frozen]
        self.decay = number(decay)
        return {f"{name}.{key}": p for name in nets for key, p in self.nets[name].named_parameters()}

    # state by the names of the trace, which is what a trace begins with and what is compared at its end

    def start(self, given):
        for name, net in self.nets.items():
            net.load_state_dict({key: given(f"param/{name}.{key}") for key in own(net)}, strict=True)
        self.averages = {name: p.detach().clone() for name, p in self.ema.items()}

    def state(self):
        for name, net in self.nets.items():
            yield from ((f"param/{name}.{key}", value) for key, value in own(net).items())
        yield from ((f"ema/{name}", value) for name, value in self.averages.items())
        for name, pool in self.pools.items():
            yield from ((f"param/{name}", pool.stored), (f"param/{name}.filled", torch.tensor([float(pool.filled)]).double()))

    # losses: name, value, and what the value is held against when that is more than itself

    def judge(self, game, arguments):
        def draw():
            return self.random_next(f"{game.name}.augment")
        images = [x for x in arguments if x.dim() == 4]
        for word, params in game.augmentations:
            images = call(AUGMENTATIONS, word, params, images, draw)
        left = iter(images)
        arguments = [next(left) if x.dim() == 4 else x for x in arguments]
        return self.application(self.nets[game.is_critic.net], arguments).head(game.is_critic.head)

    def size(self, game, *said):
        """Differences of means may cancel: of such losses, what the critic says on average."""
        return sum(s.detach().abs().mean().item() for s in said if s is not None) if game.word in CANCELLING else 0.0

    def shown(self, game, x):
        """One draw a sample for all that the critic is shown of it."""
        if not game.pool:
            return x
        rows = torch.cat([a.double().flatten(1) if a.dim() > 1 else a.double()[:, None] for a in x], 1)
        pool = self.pools.setdefault(f"pool.{game.number}.0", Pool(game.pool, rows))
        where = f"{game.name}.pool"
        rows = pool.show(rows, self.random_next(where), self.random_next(where))
        parts = rows.split([a[0].numel() for a in x], 1)
        parts = [part.reshape(a.shape).to(a.dtype) for part, a in zip(parts, x)]
        return [p.requires_grad_() if p.is_floating_point() else p for p in parts]  # a penalty may ask for it

    def critic_side(self, game):
        real = [self.visit(e) for e in game.real]
        r = self.judge(game, real)
        fake = self.shown(game, [self.visit(e) for e in game.fake])
        f = self.judge(game, fake)
        loss = game.critic(r, f, game.smooth)
        if game.mismatched:
            loss = (loss + game.critic(r, self.judge(game, [self.visit(e) for e in game.mismatched]), game.smooth)) / 2
        yield f"{game.name}.critic", loss, self.size(game, r, f)
        for word, params in game.penalties:
            site = Site(lambda x: self.judge(game, x), real, fake, lambda: self.random_next(word))
            yield f"{game.name}.{word}", call(PENALTIES, word, params, site), site.size

    def other_side(self, game, trains):
        on = [any(self.depends(e, t) for e in side for t in trains) for side in (game.real, game.fake)]
        if any(on):
            said = [self.judge(game, [self.visit(e) for e in side]) if is_on or game.word in IN_PAIRS else None
                    for is_on, side in zip(on, (game.real, game.fake))]
            yield f"{game.name}.generator", game.weight * game.judged(*said), self.size(game, *said)

    def belongs(self, term, trains):
        if term.named is not None:
            return any(x.covers(t) for x in term.named for t in trains)
        free = [t for t in trains if not any(t.covers(g.is_critic) for g in self.games)]
        return any(self.depends(e, t) for e in term.arguments.values() for t in free)

    def term(self, term):
        x = {k: self.visit(e) for k, e in term.arguments.items()}
        like = next(v for v in x.values() if torch.is_tensor(v) and v.dim())
        for k, v in x.items():
            if not torch.is_tensor(v) or not v.dim():
                x[k] = torch.as_tensor(v, dtype=like.dtype).expand(like.shape[:1] if k == "label" else like.shape)
        return term.weight * TERMS[term.word](**x, **term.options)

    def losses(self, trains):
        for game in self.games:
            side = self.critic_side(game) if any(t.covers(game.is_critic) for t in trains) else self.other_side(game, trains)
            yield from side
        for term in self.terms:
            if self.belongs(term, trains):
                yield term.name, self.term(term), 0.0

    # steps

    def phase(self, iteration):
        """The phase of an iteration, and which of the phase's it is."""
        for phase in self.phases:
            if iteration < phase.steps:
                return phase, iteration
            iteration -= phase.steps
        raise SystemExit("more steps than there are")

    def gradients(self, update, repetition):
        """Losses and their sizes by name ("" is their sum) and gradients by name, of what the losses depend on."""
        self.take_own_draws(update.fresh)
        self.before = dict(self.memo)
        return self.gradients_again(update, repetition)

    def gradients_again(self, update, repetition):
        self.memo = dict(self.before)
        self.begin_run(update.number, repetition)
        losses = {}
        for name, value, size in self.losses(update.trains):
            same = sum(key == name or key.startswith(f"{name}.") and key[len(name) + 1:].isdigit() for key in losses)
            losses[f"{name}.{same + 1}" if same else name] = (value, size)
        sizes = [max(abs(value.item()), size) for value, size in losses.values()]  # parts may cancel in the sum
        losses[""] = sum(value for value, _ in losses.values()), sum(sizes)
        grads = torch.autograd.grad(losses[""][0], list(update.weights.values()), allow_unused=True, retain_graph=True)
        return losses, {name: g for name, g in zip(update.weights, grads) if g is not None}

    def near(self):
        """Places where a relu gets nothing but rounding, the nearest to zero first."""
        places = {place: distance for app in self.touched for place, distance in app.near.items()}
        return sorted(places, key=places.get)

    def flip(self, place):
        self.flipped ^= {place}
        for app in self.touched:
            if app.name == place[0]:
                app.flip(place)

    def step(self, update, grads, touched):
        phase, k = self.phase(self.iteration)
        for group, lr in zip(update.optimizer.param_groups, update.lr):
            group["lr"] = lr * phase.factor(k)
        for name, p in update.weights.items():
            p.grad = grads.get(name)
        update.optimizer.step()
        with torch.no_grad():
            self.clip(update)
        for pool in self.pools.values():
            pool.commit()
        for app in touched:
            if any(t.net == app.net.label and not t.head for t in update.trains):
                for change in app.changes:
                    change()
        for t in {t.net for t in update.trains}:
            self.changed[t] = self.changed.get(t, 0) + 1

    def clip(self, update):
        for game in self.games:
            if game.clip and any(t.covers(game.is_critic) for t in update.trains):
                for name, p in update.weights.items():
                    if name.startswith(f"{game.is_critic.net}."):
                        p.clamp_(-game.clip, game.clip)

    def finish(self):
        for name, p in self.ema.items():
            self.averages[name].add_(p.detach() - self.averages[name], alpha=1 - self.decay)


def own(net):
    return {key: value for key, value in net.state_dict().items() if not key.endswith("num_batches_tracked")}
