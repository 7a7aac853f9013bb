#!/usr/bin/env python3
"""Times AutoAttack of this crate against the published code on PyTorch, on the same networks and images.

    python3 benches/peer/compare_autoattack.py

sets up PyTorch and the published code (requirements.txt; the commit that make_autoattack.py names) as
compare.py does, and runs the standard version in Linf on the first 256 digits of MNIST's test set, in one
batch, on two networks of tests/fixtures: a SmallCnn, trained naturally, and a p4-CNN, trained on attacked
images, each at the radius where about half the images stand. PyTorch computes eagerly, and with its
channels last in memory; this crate with exact and with fast numerics. One after the other, each in a
process of its own, with as many threads on the same processors. Tables in Markdown; everything, with
the verdict on each image, goes to target/peer-autoattack.json.

It takes about half an hour on two cores, most of it PyTorch's; `--images 32` is a try of minutes. The
ratio is this crate's time over the lesser one of PyTorch's. Both codes start at random, by generators
of their own: verdicts of single images may differ, as they do between two seeds of either.
"""

import argparse
import json
import os
import pathlib
import sys

import compare

NETWORKS = ["small_cnn_natural", "p4_cnn_pgd"]
FORMS = ["eager", "channels_last"]
NUMERICS = ["exact", "fast"]


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--images", type=int, default=256, help="at most (and by default) 256")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--networks", nargs="*", default=NETWORKS,
                         help="of tests/fixtures/autoattack.json")
    options.add_argument("--forms", nargs="+", default=FORMS, choices=FORMS,
                         help="of PyTorch: the ratio is to the better one of them")
    options.add_argument("--python", type=pathlib.Path,
                         help="one that has requirements.txt (default: a new environment)")
    options.add_argument("--out", type=pathlib.Path, default=compare.TARGET / "peer-autoattack.json")
    options = options.parse_args()
    if not 1 <= options.images <= 256:
        sys.exit("--images: from 1 to 256 are stored")
    published = json.loads((compare.ROOT / "tests/fixtures/autoattack.json").read_text())["networks"]
    forms = options.forms
    processors = sorted(os.sched_getaffinity(0))
    threads = min(options.threads, len(processors))
    python, worker = options.python or compare.environment(), compare.build()

    def run(case, side):
        command = [worker, "--worker"]
        if side in forms:
            torch = compare.HERE / "torch_worker.py"
            command = [python, torch, "--threads", str(threads), "--form", side]
        child = compare.Child(command, threads, processors)
        answer = child.ask(case, None if side in forms else side)
        about = child.about
        child.close()
        print(f"{case['network']}, {side}: {answer['first']:.1f} s, {fooled(answer)} fooled",
              file=sys.stderr, flush=True)
        return about, {"seconds": answer["first"], "fooled": [int(v) for v in answer["sample"]]}

    def fooled(answer):
        return round(sum(answer["sample"]))

    results, described = [], None
    for network in options.networks:
        case = {"case": f"autoattack/{network}", "kind": "autoattack", "network": network,
                "images": options.images, "epsilon": published[network]["Linf"]["eps"],
                "all": True, "alone": True}
        sides = {}
        for side in forms + NUMERICS:
            about, sides[side] = run(case, side)
            described = described or compare.machine(about)
        results.append({**case, "threads": threads, "sides": sides})
        # What was measured is kept, should the run be cut short.
        options.out.parent.mkdir(parents=True, exist_ok=True)
        everything = {"machine": described, "results": results}
        options.out.write_text(json.dumps(everything, indent=1) + "\n")

    for name, value in described.items():
        print(f"- {name}: {' '.join(value) if isinstance(value, list) else value}")
    rows, verdicts = [], []
    for result in results:
        name = f"{result['network']}, ε {result['epsilon']}, {result['images']} images"
        seconds = {side: answer["seconds"] for side, answer in result["sides"].items()}
        best = min(forms, key=seconds.get)
        rows.append([name] + [f"{seconds[side]:.1f}" for side in forms + NUMERICS]
                    + [f"{seconds[side] / seconds[best]:.2f}" for side in NUMERICS])
        flags = {side: answer["fooled"] for side, answer in result["sides"].items()}

        def apart(one, other):
            """Images that only the first fools, and only the second."""
            pairs = list(zip(flags[one], flags[other]))
            only = [[str(at) for at, pair in enumerate(pairs) if pair == wanted]
                    for wanted in [(1, 0), (0, 1)]]
            return " / ".join(", ".join(images) or "none" for images in only)

        verdicts.append([name] + [str(sum(flags[side])) for side in forms + NUMERICS]
                        + [apart(best, side) for side in NUMERICS])
    print(f"\nSeconds with {threads} thread{'s' * (threads > 1)}; ratios to the lesser of PyTorch's:")
    compare.table(["attack on", *forms, *NUMERICS, "exact ratio", "fast ratio"], rows)
    print("\nImages fooled; those that only PyTorch / only this crate fools:")
    compare.table(["attack on", *forms, *NUMERICS, "exact", "fast"], verdicts)


if __name__ == "__main__":
    main()
