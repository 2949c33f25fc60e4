# Networks of a resolved config as torch modules. One builder for all of them: a list of layers, numbered as nn.Sequential would number
# it, so that parameters have the names that ganexp writes and load_state_dict(strict=True) accepts its checkpoints.
import torch
from torch import nn

from layers import JOINS, LAYERS
from config import call, expand, listed, network, one_word

BESIDE = ("of", "as", "init")


def example(is_, noise):
    """Two samples of what `inputs:` says of one: a size, a shape, label(10), or the name of a noise."""
    if not isinstance(is_, list) and is_ in noise:
        kind, params = one_word(noise[is_])
        is_ = f"label({params})" if kind == "label" else listed(params)
    if isinstance(is_, str) and is_.startswith("label("):
        x = torch.zeros(2, dtype=torch.long)
        x.classes = int(is_[6:-1])
        return x
    return torch.zeros(2, *[int(n) for n in listed(is_)])


def split(is_):
    """A layer's word, its parameters, and what stands beside the word or in its braces without being one."""
    beside = {key: is_[key] for key in BESIDE if key in is_}
    word, params = next((key, value) for key, value in is_.items() if key not in BESIDE)
    if isinstance(params, dict):
        beside.update({key: params[key] for key in BESIDE if key in params})
        params = {key: value for key, value in params.items() if key not in BESIDE}
    return word, params, beside


class Network(nn.Module):
    """Its stages by number, each a module and the sources it reads, which are numbers of stages or names of inputs."""

    def __init__(self, name, config):
        super().__init__()
        node, self.templates = network(config["networks"][name], config), config.get("templates", {})
        self.label, self.stages, self.ends = name, {}, {}
        self.frozen = node.get("frozen") == "true"
        self.examples = {key: example(is_, config.get("noise", {})) for key, is_ in node["inputs"].items()}
        self.inputs = list(self.examples)
        scope = {key: key for key in self.inputs}
        end = self.read(self, "", node.get("layers", []), scope, self.inputs[0])
        for head, layers in node.get("outputs", {"": []}).items():
            self.ends[head] = scope[layers] if isinstance(layers, str) else self.read_head(head, layers, scope, end)
        self.first = next(iter(self.ends))

    def read_head(self, head, layers, scope, end):
        if layers:
            self.add_module(head, nn.Module())
        return self.read(self._modules.get(head), f"{head}.", layers, dict(scope), end)

    def read(self, into, prefix, layers, scope, above):
        for layer in layers:
            is_ = {layer: ""} if isinstance(layer, str) else layer
            word, params, beside = split(is_)
            above = scope[beside["of"]] if "of" in beside else above
            for block in self.blocks(is_):
                above = self.read(into, prefix, block, {**scope, "input": above}, above)
            if not self.blocks(is_):
                above = self.add(into, prefix, word, params, scope, above)
            if "as" in beside:
                scope[beside["as"]] = above
        return above

    def blocks(self, is_):
        """The lists of layers that this stands for; none where it is a layer itself."""
        if "repeat" in is_:
            return int(is_["repeat"]["times"]) * [is_["repeat"]["layers"]]
        if "use" in is_:
            body = expand(is_, self.templates)
            return [body["layers"] if "layers" in body else [body]]
        return []

    def add(self, into, prefix, word, params, scope, above):
        sources = [above]
        if word in JOINS:
            names = next(iter(params.values())) if isinstance(params, dict) else params
            sources += [scope[n] for n in listed(names)]
            params = ""
        module = call({**LAYERS, **JOINS}, word, params, self.examples[above])
        number = str(len(into._modules))
        into.add_module(number, module)
        self.stages[prefix + number] = (module, sources)
        self.examples[prefix + number] = module.eval()(*[self.examples[s] for s in sources]).detach()
        return prefix + number


class Application:
    """One use of a network on arguments, outside training."""

    def __init__(self, net, arguments):
        self.net, self.values = net, dict(zip(net.inputs, arguments))

    def head(self, name=""):
        return self.value(self.net.ends[name or self.net.first])

    def value(self, source):
        if source not in self.values:
            module, sources = self.net.stages[source]
            self.values[source] = self.apply(source, module, [self.value(s) for s in sources])
        return self.values[source]

    def apply(self, number, module, x):
        return module(*x)


def build(config):
    return {name: Network(name, config) for name in config["networks"]}
