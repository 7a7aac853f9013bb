#!/usr/bin/env python3
"""Compares this crate with itself: two workers, built from two commits by
`cargo bench --bench peer --no-run`, run the same cases in turns.

    python3 benches/peer/before.py OLD NEW --only '^(conv|group|pgd|train)/'

Prints medians in milliseconds, the ratio of new to old, and the geometric mean of all ratios.
"""

import argparse
import json
import math
import os
import re
import statistics
import subprocess

import cases

# What only PyTorch's side or the comparison reads.
OTHERS = ("compare", "flops", "once", "grid", "alone")


class Worker:
    def __init__(self, path, threads):
        env = {**os.environ, "RAYON_NUM_THREADS": str(threads), "BURN_DEVICE": "flex"}
        self.process = subprocess.Popen([path, "--worker"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=env)
        self.process.stdout.readline()

    def ask(self, case, repeats):
        request = {key: value for key, value in case.items() if key not in OTHERS}
        self.process.stdin.write(json.dumps({**request, "repeats": repeats}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"a worker ended at {case['case']}: does its commit know the case?")
        return json.loads(answer)["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workers", nargs=2, metavar=("OLD", "NEW"))
    parser.add_argument("--only", default="", help="cases whose name this expression finds")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--visit", type=float, default=0.15, help="seconds, about, of each turn")
    options = parser.parse_args()
    workers = [Worker(path, options.threads) for path in options.workers]

    ratios = []
    for case in cases.all_cases():
        if not re.search(options.only, case["case"]) or case.get("once") or case.get("grid"):
            continue
        without = case["kind"] in cases.WITHOUT_NUMERICS
        for numerics in ["exact"] + ["fast"] * (not without):
            asked = {**case, "numerics": numerics}
            once = min(worker.ask(asked, 1)[0] for worker in workers)
            repeats = max(1, min(200, int(options.visit / max(once, 1e-6))))
            seconds = ([], [])
            for round_ in range(options.rounds):
                # Whoever is first in one round is second in the next.
                for at in (0, 1) if round_ % 2 else (1, 0):
                    seconds[at].append(statistics.median(workers[at].ask(asked, repeats)))
            old, new = map(statistics.median, seconds)
            ratios.append(new / old)
            print(f"{case['case']:36} {numerics:5} {1e3 * old:9.3f} {1e3 * new:9.3f} {new / old:6.3f}",
                  flush=True)
    if not ratios:
        raise SystemExit(f"no case is called so: {options.only}")
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    print(f"{len(ratios)} cases, geometric mean {mean:.3f}, largest {max(ratios):.3f}")


if __name__ == "__main__":
    main()
