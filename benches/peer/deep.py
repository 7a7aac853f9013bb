"""The networks for colour images, written with torch.nn.functional.

Layers are listed once, by a function that is given a walk. The first walk makes parameters, by the
formulas and in the order of worker.rs; later ones read what they need from a list, in the same order:
filters expanded over the group, normalisations with a number for each plane.
"""

import math

import torch
import torch.nn.functional as F

EPSILON, MOMENTUM = 1e-5, 0.1


class Making:
    """Makes parameters as they are met."""

    def __init__(self, size, fill):
        self.size, self.fill, self.parameters = size, fill, []

        self.statistics = []

    def __call__(self, shape, low, high):
        self.parameters.append(self.fill(shape, 101 + len(self.parameters), low, high))
        return self.parameters[-1]

    def conv(self, x, outputs, side, stride=1, padding=0, bias=False, lift=False):
        inputs = x.shape[1] if lift else x.shape[1] // self.size
        # As an ordinary layer's where there is no group, in its memory format.
        shape = (outputs, inputs) + (() if lift or self.size == 1 else (self.size,)) + (side, side)
        bound = math.sqrt(6 / math.prod(shape[1:]))
        self(shape, -bound, bound)
        if bias:
            self((outputs,), -0.05, 0.05)
        high, wide = ((s + 2 * padding - side) // stride + 1 for s in x.shape[2:])
        return x.new_zeros(x.shape[0], outputs * self.size, high, wide)

    def norm(self, x):
        for low, high in [(0.5, 1.5), (-0.05, 0.05), (-0.05, 0.05), (0.5, 1.5)]:
            self((x.shape[1] // self.size,), low, high)
        self.statistics += self.parameters[-2:]
        return x

    def linear(self, x, outputs):
        bound = math.sqrt(6 / x.shape[1])
        # Burn's is [in, out].
        self((x.shape[1], outputs), -bound, bound)
        self.parameters[-1] = self.parameters[-1].t().contiguous()
        self((outputs,), -0.05, 0.05)
        return x.new_zeros(x.shape[0], outputs)


class Reading:
    """Takes a bank's tensors as they are met."""

    def __init__(self, bank, training, size):
        self.bank, self.training, self.size = iter(bank), training, size

    def conv(self, x, outputs, side, stride=1, padding=0, bias=False, lift=False):
        return F.conv2d(x, next(self.bank), next(self.bank) if bias else None, stride, padding)

    def norm(self, x):
        gamma, beta, mean, variance = (next(self.bank) for _ in range(4))
        if not self.training:
            return F.batch_norm(x, mean, variance, gamma, beta, False, MOMENTUM, EPSILON)
        # Statistics are those of all components of a channel.
        y = x if self.size == 1 else x.unflatten(1, (-1, self.size))
        y = F.batch_norm(y, mean, variance, gamma, beta, True, MOMENTUM, EPSILON)
        return y.view_as(x)

    def linear(self, x, outputs):
        return F.linear(x, next(self.bank), next(self.bank))


def head(walk, x):
    return walk.linear(x.mean((2, 3)), 10)


def resnet18(widths):
    def network(walk, x):
        x = F.relu(walk.norm(walk.conv(x, widths[0], 3, padding=1, lift=True)))
        before = widths[0]
        for stage, width in enumerate(widths):
            for block in range(2):
                stride = 2 if stage > 0 and block == 0 else 1
                y = F.relu(walk.norm(walk.conv(x, width, 3, stride, 1)))
                y = walk.norm(walk.conv(y, width, 3, padding=1))
                if stride != 1 or before != width:
                    x = walk.norm(walk.conv(x, width, 1, stride))
                x, before = F.relu(y + x), width
        return head(walk, x)

    return network


def wide_resnet(widths, blocks):
    def network(walk, x):
        x, before = walk.conv(x, widths[0], 3, padding=1, lift=True), widths[0]
        for stage, width in enumerate(widths[1:]):
            for block in range(blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                active = F.relu(walk.norm(x))
                y = walk.conv(active, width, 3, stride, 1)
                y = walk.conv(F.relu(walk.norm(y)), width, 3, padding=1)
                if stride != 1 or before != width:
                    x = walk.conv(active, width, 1, stride)
                x, before = x + y, width
        return head(walk, F.relu(walk.norm(x)))

    return network


def vgg16(walk, x):
    lift = True
    for width, depth in zip([64, 128, 256, 512, 512], [2, 2, 3, 3, 3]):
        for _ in range(depth):
            x = F.relu(walk.norm(walk.conv(x, width, 3, padding=1, bias=True, lift=lift)))
            lift = False
        x = F.max_pool2d(x, 2)
    return walk.linear(x.flatten(1), 10)


# Group, and layers.
NETWORKS = {
    "resnet18": ("p1", resnet18([64, 128, 256, 512])),
    "p4m-resnet18": ("p4m", resnet18([23, 45, 91, 181])),
    "vgg16": ("p1", vgg16),
    "wrn-34-10": ("p1", wide_resnet([16, 160, 320, 640], 5)),
}


class Deep:
    """A network with the weights that worker.rs gives it."""

    def __init__(self, name, fill, expand, tables):
        self.group, self.layers = NETWORKS[name]
        self.size = {"p1": 1, "p4m": 8}[self.group]
        self.expand, self.tables = expand, tables
        making = Making(self.size, fill)
        # The walk that makes parameters looks at shapes alone.
        self.layers(making, torch.zeros(1, 3, 32, 32))
        self.parameters, self.statistics = making.parameters, making.statistics

    def filters(self, weight):
        if self.size == 1:
            return weight
        kind = self.group if weight.dim() == 5 else "z2"
        table = torch.tensor(self.tables[f"d4_{kind}_k{weight.shape[-1]}"])
        return self.expand(weight if weight.dim() == 5 else weight.unsqueeze(2), table)

    def bank(self, training=False):
        """What layers take: numbers of a channel repeated for its planes, but where the batch is
        normalised by itself."""
        *parameters, last = self.parameters
        made = []
        for parameter in parameters:
            if parameter.dim() > 2:
                made.append(self.filters(parameter))
            elif parameter.dim() == 1 and not training:
                made.append(parameter.repeat_interleave(self.size))
            else:
                made.append(parameter)
        return [*made, last]

    def forward(self, bank, x, training=False):
        return self.layers(Reading(bank, training, self.size), x)
