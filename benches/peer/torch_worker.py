"""The PyTorch side of the comparison; `compare.py` beside this file starts it.

It answers the requests that worker.rs answers, with the same numbers made by the same formulas.
What PyTorch need not do again it does not: filter banks are expanded once for an attack. A worker
computes in one form: `--form channels_last` keeps images and filters in that memory format,
`compile` runs what `torch.compile` makes of the same functions, and a `+` joins the two.
"""

import argparse
import contextlib
import gzip
import json
import math
import pathlib
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

import deep

ROOT = pathlib.Path(__file__).parents[2]
FIXTURES = ROOT / "tests/fixtures"
TABLES = json.loads((FIXTURES / "groupy_indices.json").read_text())

OPTIONS = argparse.ArgumentParser()
OPTIONS.add_argument("--threads", type=int, required=True)
OPTIONS.add_argument("--form", default="eager", help="eager, channels_last, compile, or joined by +")
OPTIONS = OPTIONS.parse_args()
CHANNELS_LAST, COMPILE = (form in OPTIONS.form.split("+") for form in ("channels_last", "compile"))


# --- Forms -------------------------------------------------------------------------------------


def laid(tensor):
    """In this worker's memory format, if it holds images or filters."""
    if CHANNELS_LAST and tensor.dim() == 4:
        # Unlike `contiguous`, `to` sets the strides of a single channel too, from which
        # convolutions tell the format.
        return tensor.to(memory_format=torch.channels_last)
    return tensor.contiguous()


def compiled(function):
    """The whole function as one graph with these very shapes, or an error that says why not."""
    return torch.compile(function, dynamic=False, fullgraph=True) if COMPILE else function


class Formats(TorchDispatchMode):
    """Makes sure that convolutions compute with their channels last."""

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        results = function(*arguments, **(named or {}))
        if "conv" in function.name():
            for result in results if isinstance(results, tuple) else [results]:
                assert result is None or result.dim() < 4 or result.is_contiguous(
                    memory_format=torch.channels_last), f"{function} was not in channels_last"
        return results


# --- Numbers: data.rs has the same -------------------------------------------------------------


def numbers(count, salt, low, high):
    at = np.arange(count, dtype=np.uint32)
    x = at + np.uint32(salt * 0x9E3779B9 & 0xFFFFFFFF)
    x = (x ^ (x >> 16)) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * np.uint32(0xC2B2AE35)
    uniform = ((x ^ (x >> 16)) >> 8).astype(np.float64) / (1 << 24)
    return (low + (high - low) * uniform).astype(np.float32)


def fill(shape, salt, low, high):
    return laid(torch.from_numpy(numbers(math.prod(shape), salt, low, high).reshape(shape)))


def weight(shape, salt, fan_in):
    bound = math.sqrt(6 / fan_in)
    return fill(shape, salt, -bound, bound)


def digits(count):
    return fill([count, 1, 28, 28], 1, 0.0, 1.0), torch.arange(count) % 10


def poses(count):
    return fill([count, 3], 2, -1.0, 1.0) * torch.tensor([30.0, 3.0, 3.0])


# --- Networks ----------------------------------------------------------------------------------


def expand(filters, table):
    """[out, in, |H|, k, k] to [out·|G|, in·|H|, k, k]."""
    size, components = table.shape[:2]
    out, inputs = filters.shape[:2]
    moved = filters[:, :, table[..., 0], table[..., 1], table[..., 2]]
    side = filters.shape[-1]
    return laid(moved.transpose(1, 2).reshape(out * size, inputs * components, side, side))


class P4Cnn:
    """`CnnConfig::new(Group::P4, [channels, side, side], 10)`."""

    def __init__(self, channels=1, side=28):
        widths = [channels, 10, 10, 20, 20]
        features = (((side - 4) // 2 - 4) // 2) ** 2
        shapes = []
        for at, (inputs, out) in enumerate(zip(widths, widths[1:])):
            shapes += [(out, inputs, 4, 3, 3) if at else (out, inputs, 3, 3), (out,)]
        shapes += [(20 * 4 * features, 50), (50,), (50, 10), (10,)]
        self.parameters = parameters(shapes)
        self.tables = [torch.tensor(TABLES[f"c4_{kind}_k3"]) for kind in ["z2", "p4", "p4", "p4"]]

    def bank(self):
        """Weights as ordinary layers take them."""
        layers = []
        for at, table in enumerate(self.tables):
            filters, bias = self.parameters[2 * at : 2 * at + 2]
            filters = filters if at else filters.unsqueeze(2)
            layers += [expand(filters, table), bias.repeat_interleave(4)]
        return layers + self.parameters[8:]


class SmallCnn:
    """`SmallCnnConfig::new([1, 28, 28], 10)`."""

    def __init__(self):
        shapes = []
        for inputs, out in [(1, 32), (32, 32), (32, 64), (64, 64)]:
            shapes += [(out, inputs, 3, 3), (out,)]
        shapes += [(64 * 16, 200), (200,), (200, 200), (200,), (200, 10), (10,)]
        self.parameters = parameters(shapes)

    def bank(self):
        return self.parameters


def parameters(shapes):
    """Linear layers are [in, out] in Burn, and numbered so, but [out, in] in PyTorch."""
    made = []
    for salt, shape in enumerate(shapes, 101):
        if len(shape) == 1:
            made.append(fill(shape, salt, -0.05, 0.05))
        elif len(shape) == 2:
            made.append(weight(shape, salt, shape[0]).t().contiguous())
        else:
            made.append(weight(shape, salt, math.prod(shape[1:])))
    return made


def digits_network(bank, x):
    for at in range(0, 8, 2):
        x = F.relu(F.conv2d(x, bank[at], bank[at + 1]))
        if at in (2, 6):
            x = F.max_pool2d(x, 2)
    x = x.flatten(1)
    for at in range(8, len(bank) - 2, 2):
        x = F.relu(F.linear(x, bank[at], bank[at + 1]))
    return F.linear(x, bank[-2], bank[-1])


NETWORKS = {"p4-cnn": P4Cnn, "small-cnn": SmallCnn}


def network_of(name):
    if name in deep.NETWORKS:
        return deep.Deep(name, fill, expand, TABLES)
    return NETWORKS[name]()


def forward(bank, x):
    """A bank is a list of tensors, or such a list and what runs it."""
    return bank[0].forward(bank[1], x) if isinstance(bank, tuple) else digits_network(bank, x)


def frozen(network):
    """Its bank, for attacks."""
    with torch.no_grad():
        bank = [layer.detach() for layer in network.bank()]
    return (network, bank) if isinstance(network, deep.Deep) else bank


def images_for(network, count):
    if isinstance(network, deep.Deep):
        return fill([count, 3, 32, 32], 1, 0.0, 1.0), torch.arange(count) % 10
    return digits(count)


# --- Cases: each gives a function that runs once, and tells the seconds and the result ------------


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def matmul(case):
    a, b = (fill([case["side"]] * 2, salt, -1.0, 1.0) for salt in (3, 4))
    product = compiled(lambda: torch.mm(a, b))
    return lambda check: timed(product)


def convolution(case, x, filters):
    padding, pass_ = [case["padding"]] * 2, case["pass"]
    if pass_ == "forward":
        apply = compiled(lambda: F.conv2d(x, filters, padding=padding))
        return lambda check: timed(apply)
    incoming = fill(F.conv2d(x, filters, padding=padding).shape, 4, -1.0, 1.0)
    mask = [pass_ == "input", pass_ == "weight", False]

    @compiled
    def gradient():
        gradients = torch.ops.aten.convolution_backward(
            incoming, x, filters, None, [1, 1], padding, [1, 1], False, [0, 0], 1, mask
        )
        return gradients[mask.index(True)]

    return lambda check: timed(gradient)


def conv(case):
    (inputs, out), side = case["channels"], case["side"]
    filters = weight([out, inputs, 3, 3], 5, 9 * inputs)
    return convolution(case, fill([case["batch"], inputs, side, side], 3, -1.0, 1.0), filters)


def group_conv(case):
    (inputs, out), side = case["channels"], case["side"]
    table = torch.tensor(TABLES[{"p4": "c4_p4_k3", "p4m": "d4_p4m_k3"}[case["group"]]])
    size = table.shape[0]
    filters = expand(weight([out, inputs, size, 3, 3], 5, 9 * inputs * size), table)
    x = fill([case["batch"], inputs * size, side, side], 3, -1.0, 1.0)
    return convolution(case, x, filters)


def affine(rows, side):
    """The poses as `affine_grid` takes them."""
    angle = rows[:, 0] * (math.pi / 180)
    cos, sin = angle.cos(), angle.sin()
    right, down = rows[:, 1] / ((side - 1) / 2), rows[:, 2] / ((side - 1) / 2)
    across = torch.stack([cos, -sin, sin * down - cos * right], 1)
    along = torch.stack([sin, cos, -sin * right - cos * down], 1)
    return torch.stack([across, along], 1)


def sample(images, rows, mode="bilinear", grid=None):
    if grid is None:
        grid = F.affine_grid(affine(rows, images.shape[-1]), images.shape, align_corners=True)
    return F.grid_sample(images, grid, mode, "zeros", align_corners=True)


def warp(case):
    count, channels, side = case["batch"], case["channels"][0], case["side"]
    images, rows = fill([count, channels, side, side], 1, 0.0, 1.0), poses(count)
    grid = None
    if case["grid"]:
        grid = F.affine_grid(affine(rows, side), images.shape, align_corners=True)
    mode = "nearest" if case["pass"] == "nearest" else "bilinear"
    warped = compiled(lambda: sample(images, rows, mode, grid))
    if case["pass"] in ("forward", "nearest"):

        def apply():
            with torch.inference_mode():
                return warped()

        return lambda check: timed(apply)
    images.requires_grad_()
    wanted = [images]
    if case["pass"] == "pose":
        # With a given grid, its gradient stands for that of the poses.
        wanted = [images, (rows if grid is None else grid).requires_grad_()]
    incoming = fill(images.shape, 4, -1.0, 1.0)

    def run(check):
        output = warped()
        seconds, gradients = timed(lambda: torch.autograd.grad(output, wanted, incoming))
        return seconds, gradients[-1]

    return run


def loss(bank, x, labels):
    return F.cross_entropy(forward(bank, x), labels, reduction="sum")


def advance(bank, x, labels, low, high, step):
    """One step of an attack."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(bank, x, labels), x)
    with torch.no_grad():
        x = gradient.sign_().mul_(step).add_(x)
        return torch.minimum(torch.maximum(x, low, out=x), high, out=x)


@compiled
def advance_compiled(bank, x, labels, low, high, step):
    """The same as a function without side effects, all of which becomes one graph."""
    gradient = torch.func.grad(lambda x: loss(bank, x, labels))(x)
    return torch.minimum(torch.maximum(x + step * gradient.sign(), low), high)


def attack(bank, images, labels, steps, epsilon=0.1, step=0.025):
    low, high = (images - epsilon).clamp_(min=0), (images + epsilon).clamp_(max=1)
    x = images
    for _ in range(steps):
        x = (advance_compiled if COMPILE else advance)(bank, x, labels, low, high, step)
    return x


def pgd(case):
    network = network_of(case["network"])
    bank = frozen(network)
    images, labels = images_for(network, case["batch"])

    def run(check):
        seconds, found = timed(lambda: attack(bank, images, labels, case["steps"]))
        return seconds, found - images

    return run


def train(case):
    network = network_of(case["network"])
    for p in network.parameters:
        p.requires_grad_()
    images, labels = images_for(network, case["batch"])
    training = isinstance(network, deep.Deep)
    if training:
        for p in network.statistics:
            p.requires_grad_(False)
    optimizer = torch.optim.SGD([p for p in network.parameters if p.requires_grad], lr=0.01, momentum=0.9)

    @compiled
    def losses_at(x):
        logits = network.forward(network.bank(True), x, True) if training else forward(network.bank(), x)
        return F.cross_entropy(logits, labels, reduction="none")

    def step():
        attacked = images
        if case["steps"]:
            attacked = attack(frozen(network), images, labels, case["steps"])
        losses = losses_at(attacked)
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
        return losses.detach()

    def run(check):
        if check:
            step()
        return timed(step)

    return run


def trades(case):
    """A step of TRADES with beta = 6. The published code computes what the network says of the images anew
    in every step of the attack, and once more before it learns: so here too, unless `once`."""
    network = network_of(case["network"])
    for p in network.parameters:
        p.requires_grad_()
    images, labels = images_for(network, case["batch"])
    optimizer = torch.optim.SGD(network.parameters, lr=0.01, momentum=0.9)
    noise = torch.Generator().manual_seed(1)
    low, high = (images - 0.1).clamp_(min=0), (images + 0.1).clamp_(max=1)
    start = torch.randn(images.shape, generator=noise).to(memory_format=torch.preserve_format)

    def divergence(bank, x, clean, reduction):
        return F.kl_div(F.log_softmax(forward(bank, x), 1), clean, reduction=reduction)

    @compiled
    def gradient(bank, x, clean):
        x = x.detach().requires_grad_()
        clean = F.softmax(forward(bank, images), 1) if clean is None else clean
        return torch.autograd.grad(divergence(bank, x, clean, "sum"), x)[0]

    @compiled
    def losses(x):
        bank = network.bank()
        logits = forward(bank, images)
        natural = F.cross_entropy(logits, labels, reduction="none")
        logits = logits if case["once"] else forward(bank, images)
        robust = divergence(bank, x, F.softmax(logits, 1), "none").sum(1)
        return natural + 6 * robust

    def step():
        bank = frozen(network)
        with torch.no_grad():
            clean = F.softmax(forward(bank, images), 1) if case["once"] else None
        x = laid(images + 0.001 * start)
        for _ in range(case["steps"]):
            found = gradient(bank, x, clean)
            with torch.no_grad():
                x = torch.minimum(torch.maximum(x + 0.025 * found.sign(), low), high)
        found = losses(x)
        optimizer.zero_grad()
        found.mean().backward()
        optimizer.step()
        return found.detach()

    def run(check):
        if check:
            step()
        return timed(step)

    return run


def weighed(network, values):
    """The network with these weights, in the order in which it has them."""
    values = torch.from_numpy(values.astype(np.float32))
    parts = values.split([p.numel() for p in network.parameters])
    # Linear layers are [in, out] there.
    network.parameters = [
        laid(v.reshape(p.t().shape).t() if p.dim() == 2 else v.reshape(p.shape))
        for v, p in zip(parts, network.parameters)
    ]


def stored(network, name):
    """The network with the weights of tests/fixtures/make_autoattack.py, and its first images."""
    weighed(network, np.fromfile(FIXTURES / f"autoattack_{name}.f16", "<f2"))
    pixels = np.frombuffer(gzip.decompress((FIXTURES / "autoattack_images.bin.gz").read_bytes()), np.uint8)
    return torch.from_numpy(pixels.reshape(-1, 1, 28, 28).astype(np.float32)) / 255


def victim(case):
    """A stored network as a function, with its first images and their labels."""
    name, count = case["network"], case["images"]
    network = NETWORKS["p4-cnn" if name.startswith("p4") else "small-cnn"]()
    images = laid(stored(network, name)[:count])
    published = json.loads((FIXTURES / "autoattack.json").read_text())
    labels = torch.tensor([int(digit) for digit in published["labels"][:count]])
    bank = [layer.detach() for layer in network.bank()]

    def classify(x):
        return forward(bank, laid(x))

    assert (classify(images).argmax(1) == torch.tensor(
        [int(digit) for digit in published["networks"][name]["predictions"][:count]])).all()
    return classify, images, labels


def autoattack(case):
    """The published code as it is, on all images in one batch."""
    from autoattack import AutoAttack

    classify, images, labels = victim(case)
    with Formats() if CHANNELS_LAST else contextlib.nullcontext():
        classify(images[:2].requires_grad_()).sum().backward()
    images = images.detach()

    def evaluate():
        adversary = AutoAttack(classify, norm="Linf", eps=case["epsilon"], seed=0, verbose=False,
                               device="cpu")
        # The answers of this worker go to the standard output.
        with contextlib.redirect_stdout(sys.stderr):
            _, predicted = adversary.run_standard_evaluation(
                images, labels, bs=len(images), return_labels=True)
        return (predicted != labels).float()

    return lambda check: timed(evaluate)


def search(case):
    bank = P4Cnn().bank()
    images, labels = digits(100)
    together = case["batch"] // 100
    angles = np.linspace(-30, 30, case["angles"])
    shifts = np.linspace(-3, 3, 5)
    grid = [(angle, right, down) for angle in angles for right in shifts for down in shifts]
    grid = torch.tensor(grid, dtype=torch.float32)
    images, labels = laid(images.repeat(together, 1, 1, 1)), labels.repeat(together)

    @compiled
    def worst_of(rows):
        count = len(rows) * 100
        warped = sample(images[:count], rows.repeat_interleave(100, 0))
        losses = F.cross_entropy(forward(bank, warped), labels[:count], reduction="none")
        return losses.reshape(len(rows), 100).amax(0)

    def worst():
        with torch.inference_mode():
            found = None
            for rows in grid.split(together):
                losses = worst_of(rows)
                found = losses if found is None else torch.maximum(found, losses)
            return found

    return lambda check: timed(worst)


def grid(case):
    import pose_peers

    classify, images, labels = victim(case)
    search = pose_peers.grid(case, classify, sample, images, labels, compiled)
    return lambda check: timed(search)


def nobody(case):
    import pose_peers

    bank, (images, _) = P4Cnn().bank(), digits(case["images"])
    images = laid(images)
    search = pose_peers.nobody(case, lambda x: forward(bank, x), sample, images, compiled)
    return lambda check: timed(search)


def foolbox(case):
    import pose_peers

    search = pose_peers.foolbox(case, *victim(case))
    return lambda check: timed(search)


def tinted(images):
    """Digits with a margin, each in one of three tints: poses.rs has the same."""
    bytes_ = F.pad((images * 255).round().double(), (2, 2, 2, 2))
    tints = torch.tensor([1.0, 0.8, 0.6], dtype=torch.float64)
    places = (torch.arange(len(images))[:, None] + torch.arange(3)) % 3
    return (bytes_ * tints[places][:, :, None, None]).round().float() / 255


def composite(case):
    import pose_peers

    network = P4Cnn(3, 32)
    weighed(network, np.fromfile(case["file"], "<f4"))
    bank = [layer.detach() for layer in network.bank()]
    _, images, labels = victim({**case, "network": "small_cnn_natural"})
    search = pose_peers.composite(case, lambda x: forward(bank, x), tinted(images), labels)
    return lambda check: timed(search)


KINDS = {
    "grid": grid,
    "nobody": nobody,
    "foolbox": foolbox,
    "composite": composite,
    "matmul": matmul,
    "conv": conv,
    "group_conv": group_conv,
    "warp": warp,
    "search": search,
    "pgd": pgd,
    "autoattack": autoattack,
    "train": train,
    "trades": trades,
}


# --- The loop: worker.rs has the same ---------------------------------------------------------------


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1])


def summary(value, every):
    values = value.detach().reshape(-1).numpy()
    places = np.arange(16) * (len(values) - 1) // 15
    told = values if every else values[places]
    return float(np.abs(values, dtype=np.float64).mean()), told.tolist()


def first(case):
    """What runs the case, and what its first run, which is not timed, has to tell."""
    if COMPILE:
        # Nothing that other cases compiled; else their shapes would make these ones variable.
        torch._dynamo.reset()
    run = KINDS[case["kind"]](case)
    before = peak()
    # The check needs memory; cases alone in their process are measured by theirs. What compiled code
    # does with its formats is its own affair.
    checked = CHANNELS_LAST and not COMPILE and not case.get("alone")
    with Formats() if checked else contextlib.nullcontext():
        seconds, (_, value) = timed(lambda: run(True))
    checksum, sample = summary(value, case.get("all"))
    return run, {"peak_kib": [before, peak()], "first": seconds, "checksum": checksum,
                 "sample": sample}


def main():
    torch.set_num_threads(OPTIONS.threads)
    print(json.dumps({"ready": True, "threads": torch.get_num_threads(),
                      "torch": torch.__version__}), flush=True)
    kept, run = None, None
    for line in sys.stdin:
        case = json.loads(line)
        answer = {"case": case["case"], "seconds": [], "faults": []}
        if case["case"] != kept:
            kept, run = case["case"], None
            try:
                run, found = first(case)
                answer.update(found)
            except Exception as error:
                if not COMPILE:
                    raise
                # No compiler, or nothing that it can compile.
                reason = str(error).strip().split("\n")[0]
                answer["failed"] = f"{type(error).__name__}: {reason}"
        for _ in range(case["repeats"]):
            before = faults()
            answer["seconds"].append(run(False)[0])
            answer["faults"].append(faults() - before)
        print(json.dumps(answer), flush=True)


main()
