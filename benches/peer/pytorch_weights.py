"""What PyTorch says of the files that the example `pytorch_weights` measures, and how the two compare.

The MNIST network of uiuc-arc/CGT, here from its description; PGD in L-inf without a random start, steps of
2.5 ε / steps, an image counting as fooled if it is misclassified at any point visited, its own included.

    git clone https://github.com/uiuc-arc/CGT
    cargo run --release --example pytorch_weights -- CGT/networks/mnist/*.pt --data MNIST --out ours.json
    python3 benches/peer/pytorch_weights.py ours.json --data MNIST --weights CGT/networks/mnist
"""

import argparse
import gzip
import json
import math
import pathlib
import time

import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.normalize = nn.Module()
        self.normalize.register_buffer("mean", torch.tensor(0.0))
        self.normalize.register_buffer("std", torch.tensor(1.0))
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 4, 2, 1), nn.Conv2d(32, 64, 4, 2, 1)
        self.fc1, self.fc2 = nn.Linear(3136, 200), nn.Linear(200, 10)

    def forward(self, x):
        x = (x - self.normalize.mean) / self.normalize.std
        x = F.relu(self.conv2(F.relu(self.conv1(x)))).flatten(1)
        return self.fc2(F.relu(self.fc1(x)))


def digits(folder, count):
    def read(name, header):
        data = gzip.decompress((folder / name).read_bytes())
        return torch.frombuffer(bytearray(data), dtype=torch.uint8)[header:]

    images = read("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)[:count]
    return images.float() / 255, read("t10k-labels-idx1-ubyte.gz", 8)[:count].long()


def cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels, reduction="sum")


def unsaturated(logits, labels):
    """Rises and falls as cross-entropy does, of which it is the inverse softplus, but does not round to 0."""
    own = F.one_hot(labels, logits.shape[1]).bool()
    return (logits.masked_fill(own, -math.inf).logsumexp(1) - logits[own]).sum()


def pgd(net, images, labels, epsilon, steps, loss):
    length = 2.5 * epsilon / steps
    x, fooled = images.clone(), torch.zeros(len(images), dtype=torch.bool)
    for step in range(steps + 1):
        x.requires_grad_(True)
        logits = net(x)
        fooled |= logits.argmax(1) != labels
        if step == steps:
            break
        (gradient,) = torch.autograd.grad(loss(logits, labels), x)
        x = x.detach() + length * gradient.sign()
        x = (images + (x - images).clamp(-epsilon, epsilon)).clamp(0, 1)
    return fooled


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours", type=pathlib.Path, help="what the example wrote with --out")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with MNIST's files")
    parser.add_argument("--weights", type=pathlib.Path, required=True, help="folder with the .pt files")
    options = parser.parse_args()
    ours = json.loads(options.ours.read_text())
    dtype = torch.float64 if ours["double"] else torch.float32
    print(f"torch {torch.__version__}, {dtype}; PGD-{ours['steps']}, ε = {ours['epsilon']}")
    for result in ours["results"]:
        net = Net()
        net.load_state_dict(torch.load(options.weights / result["file"], map_location="cpu", weights_only=True))
        net = net.eval().to(dtype)
        images, labels = digits(options.data, len(result["labels"]))
        images = images.to(dtype)
        assert labels.tolist() == result["labels"], "the same images"
        with torch.no_grad():
            logits = net(images)
        found = torch.tensor(result["logits"], dtype=dtype).reshape(logits.shape)
        apart = (found - logits).abs().max().item()
        right = (logits.argmax(1) == labels).sum().item()
        print(f"{result['file']}\n  {right} of {len(labels)} right; logits up to {logits.abs().max().item():.1f}, "
              f"apart by at most {apart:.1e}")
        ours_fooled = torch.tensor(result["fooled"])
        for loss in (cross_entropy, unsaturated):
            began = time.time()
            fooled = pgd(net, images, labels, ours["epsilon"], ours["steps"], loss)
            took = time.time() - began
            differ = (ours_fooled != fooled).sum().item()
            print(f"  climbing {loss.__name__}: {(~fooled).sum().item()} stand, {(~ours_fooled).sum().item()} here; "
                  f"verdicts that differ: {differ} ({took:.1f} s)")


if __name__ == "__main__":
    main()
