# Networks of a resolved config as torch modules. One builder for all of them: a list of layers, numbered as nn.Sequential would number
# it, so that parameters have the names that ganexp writes and load_state_dict(strict=True) accepts its checkpoints.
import torch
import yaml
from torch import nn
from torch.nn import functional as F


def load_config(text):
    return yaml.load(text, Loader=yaml.BaseLoader)  # all scalars are text: what they mean is up to who reads them


def number(text):
    factor = {"k": 1e3, "m": 1e6, "%": 0.01}.get(text[-1:])
    return float(text[:-1]) * factor if factor else float(text)


def listed(x):
    return x if isinstance(x, list) else [x]


def one_word(node):
    """{log: {saturating: true}}, {log: x}, log → (word, parameters)"""
    return next(iter(node.items())) if isinstance(node, dict) else (node, "")


def options(params, *names, **defaults):
    """The parameters in the order of names; one that is no map goes to the first name."""
    if not isinstance(params, dict):
        params = {} if params == "" else {names[0]: params}
    unknown = set(params) - set(names)
    if unknown:
        raise SystemExit(f"{unknown}: not known to this program")
    return [params.get(n, defaults.get(n)) for n in names]


# --- layers that torch has not -----------------------------------------------------------------------------------------------

class Conv(nn.Conv2d):
    """With TensorFlow's `same`: one more at the bottom and right where the padding is odd."""

    def forward(self, x):
        pads = []
        for size, k, s in zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1]):
            total = max((-(-size // s) - 1) * s + k - size, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, self.stride)


class Reshape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(len(x), *self.shape)


class Dropout(nn.Module):
    """The mask comes from outside."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x, mask):
        return x * mask / (1 - self.rate)


class Join(nn.Module):
    def __init__(self, join):
        super().__init__()
        self.join = join

    def forward(self, *x):
        return self.join(x)


def product(x):
    y = x[0]
    for z in x[1:]:
        y = y * z
    return y


JOINS = {"concat": lambda x: torch.cat(x, 1), "multiply": product, "add": sum}


def make_layer(word, params, x, classes):
    """The module that the word means above an example x; `classes` where x is a label."""
    def dense():
        units, = options(params, "units")
        return nn.Linear(x.shape[1], int(units))

    def conv2d():
        filters, kernel, stride = options(params, "filters", "kernel", "stride", kernel="3", stride="1")
        return Conv(x.shape[1], int(filters), int(kernel), int(stride))

    def batch_norm():
        momentum, epsilon = options(params, "momentum", "epsilon", momentum="0.9", epsilon="1e-5")
        kind = nn.BatchNorm1d if x.dim() == 2 else nn.BatchNorm2d
        return kind(x.shape[1], eps=number(epsilon), momentum=1 - number(momentum))

    def zero_pad():
        top, bottom, left, right = [int(n) for n in params] if isinstance(params, list) else 4 * [int(params)]
        return nn.ZeroPad2d((left, right, top, bottom))

    makers = {
        "dense": dense,
        "conv2d": conv2d,
        "batch_norm": batch_norm,
        "zero_pad": zero_pad,
        "embedding": lambda: nn.Embedding(classes, int(options(params, "size")[0])),
        "upsample": lambda: nn.Upsample(scale_factor=int(params or 2)),
        "reshape": lambda: Reshape(*[int(n) for n in listed(params)]),
        "flatten": nn.Flatten,
        "relu": nn.ReLU,
        "leaky_relu": lambda: nn.LeakyReLU(number(params or "0.2")),
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
        "dropout": lambda: Dropout(number(params or "0.5")),
    }
    if word in JOINS:
        return Join(JOINS[word])
    if word not in makers:
        raise SystemExit(f"layer '{word}': not known to this program")
    return makers[word]()


# --- templates ---------------------------------------------------------------------------------------------------------------

def substitute(node, given):
    if isinstance(node, dict):
        return {k: substitute(v, given) for k, v in node.items()}
    if isinstance(node, list):
        return [substitute(v, given) for v in node]
    return given[node[1:]] if node.startswith("$") else node


def expand(call, templates):
    is_ = templates[call["use"]]
    while isinstance(is_, str):
        is_ = templates[is_]
    given = {**is_.get("with", {}), **{k: v for k, v in call.items() if k != "use"}}
    return substitute({k: v for k, v in is_.items() if k != "with"}, given)


# --- networks ----------------------------------------------------------------------------------------------------------------

class Network(nn.Module):
    """forward(application, head): the application has the arguments, and is asked for masks and told what batch norms saw."""

    def __init__(self, name, config):
        super().__init__()
        node, self.templates = config["networks"][name], config.get("templates", {})
        self.label, self.stages, self.ends = name, [], {}
        self.inputs = list(node["inputs"])
        self.example = {}  # by source: a number of a stage, or an input's name
        self.classes = {}
        for key, is_ in node["inputs"].items():
            if isinstance(is_, str) and is_.startswith("label("):
                self.classes[key] = int(is_[6:-1])
                self.example[key] = torch.zeros(2, dtype=torch.long)
            else:
                self.example[key] = torch.zeros(2, *[int(n) for n in listed(is_)])
        scope = {key: key for key in self.inputs}
        end = self.read(self, "", node["layers"], scope, self.inputs[0])
        for head, layers in node.get("outputs", {"": []}).items():
            into = nn.Module() if head else self
            if head:
                self.add_module(head, into)
            self.ends[head] = self.read(into, f"{head}.", layers, dict(scope), end) if layers else end

    def read(self, into, prefix, layers, scope, above):
        for layer in layers:
            call = {layer: ""} if isinstance(layer, str) else dict(layer)
            name = call.pop("as", None)
            if "use" in call:
                above = self.read(into, prefix, expand(call, self.templates)["layers"], {**scope, "input": above}, above)
            else:
                above = self.add(into, prefix, *one_word(call), scope, above)
            if name:
                scope[name] = above
        return above

    def add(self, into, prefix, word, params, scope, above):
        if isinstance(params, dict):
            params = dict(params)
            above = scope[params.pop("of")] if "of" in params else above
            params.pop("init", None)
        sources = [above] + ([scope[n] for n in listed(params)] if word in JOINS else [])
        module = make_layer(word, params, self.example[above], self.classes.get(above))
        number_ = f"{prefix}{len(into._modules)}"
        into.add_module(str(len(into._modules)), module)
        self.stages.append((number_, module, sources))
        x = [self.example[s] for s in sources]
        self.example[number_] = x[0] if isinstance(module, Dropout) else module.eval()(*x).detach()
        return number_

    def forward(self, application, head=""):
        value = dict(zip(self.inputs, application.arguments))
        for number_, module, sources in self.stages:
            if "." in number_ and not number_.startswith(f"{head}."):
                continue
            value[number_] = application.apply(number_, module, [value[s] for s in sources])
        return value[self.ends[head]]


class Application:
    """One use of a network on arguments, outside training."""

    def __init__(self, arguments):
        self.arguments = arguments

    def apply(self, number_, module, x):
        return x[0] if isinstance(module, Dropout) else module(*x)


def build(config):
    return {name: Network(name, config) for name in config["networks"]}
