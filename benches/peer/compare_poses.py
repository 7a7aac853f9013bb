#!/usr/bin/env python3
"""Compares searches over poses with those of PyTorch's users, on the same networks and images.

    python3 benches/peer/compare_poses.py

sets up PyTorch, foolbox and ART (requirements.txt, requirements_poses.txt) as compare.py does. Four parts,
each side in a process of its own, one after the other, with as many threads on the same processors:

- `grid`: who is fooled by one of 775 poses (31 angles and 5 × 5 shifts, within ±30° and ±3 pixels, and within
  ±10° and ±1 pixel), on the first stored digits, all in one batch: PyTorch as its users write it (eager, and channels last), foolbox's
  SpatialAttack and this crate's GridSearch. foolbox shifts before it rotates; its own poses, one by one,
  are shown to the network by this crate as well.
- `nobody`: the same work with a budget so small that everybody stands: 775 poses of all digits.
- `composite`: ART's composite attack, rotation and then pixels in L∞, and this crate's JointPgd and its grid
  of angles followed by PGD at as many passes, on a p4 network over 3×32×32 (ART wants such images) that is trained on tinted digits first.

Tables in Markdown; everything, with the verdict on each image, goes to target/peer-poses.json. Times are
medians of `--rounds` runs after a first one, or that one's. About twenty minutes on two cores.
"""

import argparse
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys

import compare

NETWORKS = ["small_cnn_natural", "p4_cnn_pgd"]
PARTS = ["grid", "nobody", "composite"]
# The published budget, at which these networks lose every image, and one at which some stand.
BUDGETS = [(30.0, 3.0), (10.0, 1.0)]


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--images", type=int, default=256, help="stored digits (at most 256)")
    options.add_argument("--nobody", type=int, default=500, help="images of the part `nobody`")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--rounds", type=int, default=1, help="runs after the first one")
    options.add_argument("--parts", nargs="*", default=PARTS, choices=PARTS)
    options.add_argument("--networks", nargs="*", default=NETWORKS, choices=NETWORKS)
    options.add_argument("--forms", nargs="*", default=["eager", "channels_last"])
    options.add_argument("--steps", type=int, default=10, help="of each of ART's two attacks")
    options.add_argument("--python", type=pathlib.Path, help="one that has both requirements files")
    options.add_argument("--out", type=pathlib.Path, default=compare.TARGET / "peer-poses.json")
    options = options.parse_args()
    processors = sorted(os.sched_getaffinity(0))
    threads = min(options.threads, len(processors))
    python, worker = options.python, compare.build()
    if python is None:
        python = compare.environment()
        listed = compare.HERE / "requirements_poses.txt"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", listed], check=True)
    everything = {"machine": None, "threads": threads, "results": []}

    def run(case, side, form=None):
        command = [worker, "--worker"]
        if form:
            torch = compare.HERE / "torch_worker.py"
            command = [python, torch, "--threads", str(threads), "--form", form]
        child = compare.Child(command, threads, processors)
        case = {**case, "case": f"{case['kind']}/{side}", "all": True}
        answer = child.ask(case, None if form else "exact", options.rounds)
        if form and not everything["machine"]:
            everything["machine"] = compare.machine(child.about)
        child.close()
        times = answer["seconds"] or [answer["first"]]
        found = {"side": side, "seconds": statistics.median(times), "times": times,
                 "values": answer["sample"], "failed": answer.get("failed")}
        everything["results"].append({**case, **found})
        print(f"{case['kind']}, {case.get('network', '')}, {side}: {found['seconds']:.2f} s",
              file=sys.stderr, flush=True)
        # What was measured is kept, should the run be cut short.
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(everything, indent=1) + "\n")
        return found

    def apart(one, other):
        """Images that only the first fools, and only the second."""
        pairs = list(zip(one["values"], other["values"]))
        return [sum(pair == wanted for pair in pairs) for wanted in [(1, 0), (0, 1)]]

    tables = []
    if "grid" in options.parts:
        rows = []
        for network, (angle, shift) in itertools.product(options.networks, BUDGETS):
            case = {"angles": 31, "angle": angle, "shift": shift, "network": network,
                    "images": options.images, "batch": options.images}
            ours = run({**case, "kind": "grid"}, "this crate")
            forms = [run({**case, "kind": "grid"}, form, form) for form in options.forms]
            peer = run({**case, "kind": "foolbox"}, "foolbox", "eager")
            same = run({**case, "kind": "same_poses"}, "foolbox's poses, by this crate")
            best = min(forms, key=lambda found: found["seconds"])
            for found in [best, peer, ours, same]:
                fooled = sum(found["values"])
                only = apart({"foolbox's poses, by this crate": peer}.get(found["side"], best), found)
                rows.append([f"{network}, ±{angle:g}° ±{shift:g} px", found["side"], f"{found['seconds']:.2f}",
                             f"{ours['seconds'] / found['seconds']:.2f}", f"{fooled:.0f}",
                             f"{100 * (1 - fooled / options.images):.1f}", " / ".join(map(str, only))])
        tables.append(("Grid search", ["network", "by", "seconds", "this crate's over it", "fooled",
                                       "robust accuracy, %", "only PyTorch / only it"], rows))
    if "nobody" in options.parts:
        case = {"kind": "nobody", "angles": 31, "angle": 1e-3, "shift": 1e-4, "images": options.nobody}
        ours = run(case, "this crate")
        rows = []
        for form in options.forms:
            found = run(case, form, form)
            worst = max(abs(a - b) for a, b in zip(found["values"], ours["values"]))
            rows.append([form, f"{found['seconds']:.2f}", f"{ours['seconds']:.2f}",
                         f"{ours['seconds'] / found['seconds']:.2f}", f"{worst:.1e}"])
        tables.append((f"775 poses of {options.nobody} digits, of which everybody stands",
                       ["PyTorch", "seconds", "this crate, s", "ratio", "losses apart by"], rows))
    if "composite" in options.parts:
        file = compare.TARGET / "peer-poses.f32"
        run({"kind": "trained", "file": str(file)}, "training")
        rows = []
        for angle, epsilon in [(30.0, 0.02), (30.0, 0.05), (10.0, 0.05)]:
            case = {"kind": "composite", "file": str(file), "images": options.images, "shift": 0.0,
                    "batch": options.images, "angle": angle, "epsilon": epsilon}
            peer = run({**case, "steps": options.steps}, "ART", "eager")
            # As many passes, forward and backward, as ART's two attacks by `steps` make: three parts by
            # two thirds of them; or a pass for each angle, and two runs of pixels by steps of two.
            ways = {"joint": {"steps": 2 * options.steps // 3},
                    "grid, then PGD": {"steps": 3 * options.steps // 4, "angles": options.steps}}
            for way, numbers in ways.items():
                ours = run({**case, **numbers}, f"this crate, {way}")
                both = sum(a * b for a, b in zip(peer["values"], ours["values"]))
                only = apart(peer, ours)
                rows.append([f"±{angle:g}°, ε = {epsilon}", way, f"{both:.0f}", *map(str, only),
                             f"{options.images - both - sum(only):.0f}", f"{peer['seconds']:.2f}",
                             f"{ours['seconds']:.2f}"])
        tables.append((f"Rotation and pixels together, {4 * options.steps} passes an image",
                       ["budget", "this crate's attack", "fooled by both", "only by ART",
                        "only by this crate", "by neither", "ART, s", "this crate, s"], rows))

    for name, value in (everything["machine"] or {}).items():
        print(f"- {name}: {' '.join(value) if isinstance(value, list) else value}")
    for title, header, rows in tables:
        print(f"\n{title}, {threads} thread{'s' * (threads > 1)}:")
        compare.table(header, rows)


if __name__ == "__main__":
    main()
