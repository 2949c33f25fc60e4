# Optimizers and schedules of the learning rate.
import math

import torch

from config import call, listed, number, one_word, true


class KerasAdam(torch.optim.Adam):
    """Epsilon outside the bias correction: as if it were larger in the first steps."""

    def __init__(self, weights, lr, betas, epsilon, decay):
        super().__init__(weights, lr, betas, epsilon, decay)
        self.t, self.epsilon = 0, epsilon

    def step(self):
        self.t += 1
        for group in self.param_groups:
            group["eps"] = self.epsilon / math.sqrt(1 - group["betas"][1] ** self.t)
        super().step()


class KerasRMSprop(torch.optim.Optimizer):
    """Epsilon under the root."""

    def __init__(self, weights, lr, rho, epsilon):
        super().__init__(weights, {"lr": lr})
        self.rho, self.epsilon = rho, epsilon
        self.square = [torch.zeros_like(p) for p in weights]

    @torch.no_grad()
    def step(self):
        for p, v in zip(self.param_groups[0]["params"], self.square):
            if p.grad is not None:
                v.mul_(self.rho).addcmul_(p.grad, p.grad, value=1 - self.rho)
                p.sub_(self.param_groups[0]["lr"] * p.grad / (v + self.epsilon).sqrt())


def adam(weights, lr="1e-3", beta1="0.9", beta2="0.999", epsilon="1e-8", convention="pytorch", weight_decay="0"):
    kind = KerasAdam if convention == "keras" else torch.optim.Adam
    return kind(weights, number(lr), (number(beta1), number(beta2)), number(epsilon), number(weight_decay))


def rmsprop(weights, lr="1e-2", rho="0.99", epsilon="1e-8", convention="pytorch"):
    kind = KerasRMSprop if convention == "keras" else torch.optim.RMSprop
    return kind(weights, number(lr), number(rho), number(epsilon))


def sgd(weights, lr, momentum="0", nesterov="false"):
    return torch.optim.SGD(weights, number(lr), number(momentum), nesterov=true(nesterov))


OPTIMIZERS = {"adam": adam, "rmsprop": rmsprop, "sgd": sgd}


# --- schedules: a function from the step to a factor, given the steps there are in all ---------------------------------------

def span(text):
    count, _, unit = text.partition(" ")
    if unit.startswith("epoch"):
        raise SystemExit("a stretch of epochs: not known to this program")
    return number(count)


def ramp(shape):
    def schedule(steps, final="0", **ends):
        start, end = span(ends.get("from", "0")), span(ends.get("to", str(steps)))
        return lambda k: shape(min(max((k - start) / (end - start), 0), 1), number(final))
    return schedule


SCHEDULES = {
    "constant": lambda steps: lambda k: 1,
    "linear": ramp(lambda t, final: 1 + (final - 1) * t),
    "cosine": ramp(lambda t, final: final + (1 - final) * (1 + math.cos(math.pi * t)) / 2),
    "step": lambda total, every, factor="0.5": lambda k: number(factor) ** (k // span(every)),
    "warmup": lambda total, steps: lambda k: min((k + 1) / span(steps), 1),
}


def factor(schedules, steps):
    each = [call(SCHEDULES, *one_word(s), steps) for s in listed(schedules)]
    return lambda k: math.prod(f(k) for f in each)
