"""What is compared: the name of each case, and the numbers it runs with on both sides."""

# The convolutions in which attacks on this crate's networks and on ResNets spend their time.
CONVOLUTIONS = [
    # batch, channels, side, padding
    (128, 40, 40, 26, 0),
    (128, 40, 80, 12, 0),
    (128, 80, 80, 10, 0),
    (128, 32, 32, 26, 0),
    (128, 1, 40, 28, 0),
    (64, 64, 64, 32, 1),
    (32, 184, 184, 32, 1),
    (32, 360, 360, 16, 1),
]

GROUP_CONVOLUTIONS = [
    # group, batch, channels before expansion, side, padding
    ("p4", 128, 10, 10, 26, 0),
    ("p4", 128, 10, 20, 12, 0),
    ("p4", 128, 20, 20, 10, 0),
    ("p4m", 32, 23, 23, 32, 1),
    ("p4m", 32, 45, 45, 16, 1),
]

NETWORKS = ["p4-cnn", "small-cnn"]

# Network and batch.
DEEP = [("resnet18", 32), ("vgg16", 32), ("p4m-resnet18", 16), ("wrn-34-10", 16)]

# Kinds without a convolution, in which numerics cannot differ.
WITHOUT_NUMERICS = ("matmul", "warp")

# Kinds that run a whole network.
NETWORK_KINDS = ("pgd", "train", "trades", "search")

# How results are compared, besides by the mean of their absolute values: value by value, not at
# all, or (where a rounding may move single values far) not further.
VALUES, NOTHING, MEAN = "values", "nothing", "mean"


def case(name, kind, **numbers):
    return {"case": name, "kind": kind, "compare": VALUES, **numbers}


def conv_flops(batch, inputs, out, side, padding):
    """Of the direct sum, whatever the algorithm."""
    return 2 * batch * inputs * out * 9 * (side + 2 * padding - 2) ** 2


def convolution(name, batch, inputs, out, side, padding, pass_):
    return case(name, "conv", batch=batch, channels=[inputs, out], side=side, padding=padding,
                flops=conv_flops(batch, inputs, out, side, padding), **{"pass": pass_})


def attack(name, kind, network, batch, steps):
    return case(name, kind, network=network, batch=batch, steps=steps,
                compare=MEAN if kind in ("pgd", "train") else VALUES)


def all_cases():
    cases = [case("matmul/2048", "matmul", side=2048, flops=2 * 2048**3)]
    for batch, inputs, out, side, padding in CONVOLUTIONS:
        for pass_ in ("forward", "input", "weight"):
            name = f"conv/{inputs}-{out}@{side}/{pass_}"
            cases.append(convolution(name, batch, inputs, out, side, padding, pass_))
    for group, batch, inputs, out, side, padding in GROUP_CONVOLUTIONS:
        size = {"p4": 4, "p4m": 8}[group]
        for pass_ in ("forward", "input"):
            for layer in ("group", "plain"):
                cases.append(case(
                    f"group/{group}/{inputs}-{out}@{side}/{pass_}/{layer}", "group_conv",
                    group=group, batch=batch, channels=[inputs, out], side=side, padding=padding,
                    layer=layer, **{"pass": pass_},
                    flops=conv_flops(batch, inputs * size, out * size, side, padding)))
    for network in NETWORKS:
        for batch in (128, 16, 1):
            cases.append(attack(f"pgd/{network}/b{batch}", "pgd", network, batch, 10))
        cases.append(attack(f"train/{network}", "train", network, 128, 10))
        # PyTorch as the published code does, and with what is constant in the attack computed once.
        for once in (False, True):
            name = f"trades/{network}" + "/once" * once
            cases.append({**attack(name, "trades", network, 128, 10), "once": once,
                          # Its noise is drawn: tests/train compares steps by the same noise.
                          "compare": NOTHING})
    for network, batch in DEEP:
        cases.append(attack(f"deep/step/{network}/b{batch}", "pgd", network, batch, 1))
    for network, batch in DEEP[:3]:
        cases.append(attack(f"deep/train/{network}/b{batch}", "train", network, batch, 0))
    for batch in (16, 1):
        cases.append(attack(f"deep/pgd/resnet18/b{batch}", "pgd", "resnet18", batch, 10))
    for batch, channels, side in [(128, 1, 28), (128, 3, 32), (32, 40, 28)]:
        for pass_ in ("forward", "nearest", "image", "pose"):
            # PyTorch with a grid made in every pass, and with a grid given.
            for grid in (False, True):
                name = f"warp/{batch}x{channels}x{side}x{side}/{pass_}" + "/grid" * grid
                cases.append(case(name, "warp", batch=batch, channels=[channels] * 2, side=side,
                                  grid=grid, **{"pass": pass_}, compare={
                                      "nearest": MEAN,
                                      "pose": NOTHING if grid else VALUES,
                                  }.get(pass_, VALUES)))
    for batch in (100, 500):
        cases.append(case(f"search/775/b{batch}", "search", batch=batch, angles=31))
    for batch in (1, 4, 16, 64, 256, 1024):
        cases.append(attack(f"scaling/batch/{batch}", "pgd", "p4-cnn", batch, 10))
    for steps in (1, 5, 10, 20, 50):
        cases.append(attack(f"scaling/steps/{steps}", "pgd", "p4-cnn", 128, steps))
    for channels in (16, 32, 64, 128, 256):
        cases.append(convolution(f"scaling/channels/{channels}", 32, channels, channels, 16, 1,
                                 "forward"))
    for side in (8, 16, 32, 64):
        cases.append(convolution(f"scaling/side/{side}", 32, 64, 64, side, 1, "forward"))
    for network in NETWORKS:
        cases.append(attack(f"faults/{network}", "pgd", network, 128, 100))
        # In a process of its own.
        cases.append({**attack(f"memory/{network}", "pgd", network, 128, 10), "alone": True})
    return cases


def quick(one):
    """The same case in a few seconds, even without optimised kernels."""
    return {
        **one,
        **({"angles": 2} if one["kind"] == "search" else {}),
        **({"steps": min(one["steps"], 2)} if "steps" in one else {}),
    }
