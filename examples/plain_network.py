"""A folded network of the example `export` in PyTorch, of plain layers alone.

    pip install torch safetensors
    python3 plain_network.py plain.safetensors        # and compares with plain.check.safetensors

`PlainNetwork(file)` is an ordinary module for other programs.
"""

import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file


class PlainNetwork(torch.nn.Module):
    def __init__(self, file):
        super().__init__()
        with safe_open(file, framework="pt") as opened:
            texts = opened.metadata()
        self.image, self.steps = json.loads(texts["image"]), json.loads(texts["steps"])
        for name, tensor in load_file(file).items():
            # Dots are not allowed in names of parameters.
            self.register_parameter(name.replace(".", "_"), torch.nn.Parameter(tensor))

    def weights(self, name):
        name = name.replace(".", "_")
        return getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias")

    def forward(self, x):
        return self.run(self.steps, x)

    def run(self, steps, x):
        for step in steps:
            x = self.step(step, x)
        return x

    def step(self, step, x):
        op = step["op"]
        if op == "normalize":
            mean, std = (x.new_tensor(step[name]).view(-1, 1, 1) for name in ("mean", "std"))
            x = (x - mean) / std
        elif op == "conv":
            x = F.conv2d(x, *self.weights(step["name"]), step["stride"], step["padding"])
        elif op == "scale":
            scale, shift = (tensor.view(-1, 1, 1) for tensor in self.weights(step["name"]))
            x = x * scale + shift
        elif op == "max_pool":
            x = F.max_pool2d(x, step["side"])
        elif op == "avg_pool":
            x = F.avg_pool2d(x, step["side"])
        elif op == "residual":
            x = self.run(step["body"], x) + self.run(step["shortcut"], x)
        elif op == "channel_max":
            x = x.unflatten(1, (-1, step["size"])).amax(2)
        elif op == "mean":
            x = x.mean((2, 3))
        elif op == "flatten":
            x = x.flatten(1)
        elif op == "linear":
            x = F.linear(x, *self.weights(step["name"]))
        elif op != "relu":
            raise ValueError(f"no such step: {op}")
        return F.relu(x) if op == "relu" or step.get("relu") else x


def main():
    file = pathlib.Path(sys.argv[1])
    network = PlainNetwork(file).eval()
    print(f"{sum(p.numel() for p in network.parameters())} parameters, {len(network.steps)} steps")
    check = file.with_suffix(".check.safetensors")
    if check.exists():
        check = load_file(check)
        with torch.no_grad():
            logits = network(check["images"])
        apart = (logits - check["logits"]).abs().max() / check["logits"].abs().max()
        print(f"logits of {len(logits)} images: apart by {apart.item():.1e} of the largest")
        assert apart < 1e-4


if __name__ == "__main__":
    main()
