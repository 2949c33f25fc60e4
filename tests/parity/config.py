# What a resolved config says, as text, and the ways in which the language abbreviates it. A word is looked up in a table of Python
# functions whose parameters are called as the word's are: {adam: {lr: 1e-4}} is OPTIMIZERS["adam"](…, lr="1e-4").
import yaml


def load_config(text):
    return yaml.load(text, Loader=yaml.BaseLoader)  # all scalars are text: what they mean is up to what reads them


def number(text):
    factor = {"k": 1e3, "m": 1e6, "%": 0.01}.get(text[-1:])
    return float(text[:-1]) * factor if factor else float(text)


def true(text):
    return text == "true"


def listed(x):
    return x if isinstance(x, list) else [x]


def pair(x):
    """One number for height and width, or both."""
    x = [int(n) for n in listed(x)]
    return (x[0], x[-1])


def one_word(node):
    """{log: {saturating: true}}, {log: x}, log → (word, parameters)"""
    return next(iter(node.items())) if isinstance(node, dict) else (node, "")


def call(table, word, params, *first):
    """table[word], called with what comes first and then the word's parameters; one that is no map goes to the first of these."""
    if word not in table:
        raise SystemExit(f"'{word}': not known to this program")
    if isinstance(params, dict):
        return table[word](*first, **params)
    return table[word](*first, *([] if params in ("", "null") else [params]))


def substitute(node, given):
    if isinstance(node, dict):
        return {k: substitute(v, given) for k, v in node.items()}
    if isinstance(node, list):
        return [substitute(v, given) for v in node]
    return given[node[1:]] if node.startswith("$") else node


def expand(use, templates):
    """The template that `use:` names, with its parameters put in."""
    is_ = templates[use["use"]]
    while isinstance(is_, str):
        is_ = templates[is_]
    given = {**is_.get("with", {}), **{k: v for k, v in use.items() if k in is_.get("with", {})}}
    return substitute({k: v for k, v in is_.items() if k != "with"}, given)


def network(node, config):
    """A network's node with `use:` and `like:` worked in."""
    if "like" in node:
        base = network(config["networks"][node["like"]], config)
        base = {k: v for k, v in base.items() if k not in ("load", "frozen")}
    elif "use" in node:
        base = network(expand(node, config["templates"]), config)
    else:
        return node
    return {**base, **{k: v for k, v in node.items() if k in ("inputs", "layers", "outputs", "init", "load", "frozen")}}
