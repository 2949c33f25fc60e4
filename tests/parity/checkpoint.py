#!/usr/bin/env python3
"""Does a checkpoint of ganexp run in PyTorch?

checkpoint.py CHECKPOINT SAMPLES

SAMPLES was written by `ganexp sample --save`. The generator that `samples:` shows is built from the config in the checkpoint, takes its
weights by load_state_dict(strict=True), gets the noise that ganexp drew, and must give the same images to 1e-5. Exit codes as parity.py's.
"""
import ast
import sys

try:
    import torch
    import yaml  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import safetensors
from networks import Application, build
from config import listed, load_config

LIMIT = 1e-5


def shown(config):
    """The call that samples are drawn with: the fake of the first game unless `samples: of` says otherwise."""
    text = listed(config.get("samples", {}).get("of", config["games"][0]["fake"]))[0]
    return ast.parse(config.get("values", {}).get(text, text), mode="eval").body


def main(checkpoint, samples):
    weights, metadata = safetensors.read(checkpoint)
    drawn, _ = safetensors.read(samples)
    config = load_config(metadata["config"])
    call = shown(config)
    name = call.func.id
    net = build(config)[name]
    own = {k[len(name) + 1:]: torch.from_numpy(v.copy()) for k, v in weights.items() if k.startswith(f"{name}.")}
    net.load_state_dict(own, strict=True)
    net.eval()
    with torch.no_grad():
        images = Application(net, [torch.from_numpy(drawn[f"noise/{a.id}"].copy()) for a in call.args]).head()
    difference = (images - torch.from_numpy(drawn["sample"].copy())).abs().max().item()
    bad = not difference <= LIMIT
    print(f"{'FAIL' if bad else 'ok  '} {config['name']}: {len(own)} tensors loaded; {len(images)} images of {name}, {difference:.1e} apart")
    return 1 if bad else 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main(*sys.argv[1:]))
