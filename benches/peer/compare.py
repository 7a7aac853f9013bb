#!/usr/bin/env python3
"""Times this crate against PyTorch on the same processor, with the same numbers.

    python3 benches/peer/compare.py

makes a virtual environment with PyTorch (target/peer-venv; needs a few GB), builds the worker
written in Rust, and prints tables in Markdown; all times go to target/peer.json and target/peer.csv.
`--quick` does little of everything, `--only conv/` some of the cases, `--help` tells the rest.
An index with smaller, CPU-only builds of PyTorch can be named by PIP_EXTRA_INDEX_URL.

The peer is the best that PyTorch does: eager, with its channels last in memory, compiled by
`torch.compile` (its default inductor, which needs a C++ compiler), or both of the latter. Three short
turns of each form, one after the other, tell for each case and number of threads which form has the
least median; that one alone goes on to the rounds that are timed, and is named beside its time. What the
short turns measured is printed last. `--forms eager` or `--forms eager,channels_last` tries fewer.

How it measures. For each number of threads there live side by side worker.rs and a torch_worker.py for
each form, on the same processors (`sched_setaffinity`), with as many threads (RAYON_NUM_THREADS,
`torch.set_num_threads`), each with its default allocator. They take turns, round after round, so that
all meet the same noise; while one works, the others sleep. Cases of whole networks get processes of
their own, since how often an allocator returns memory to the system depends on what it met before. All
make their inputs and weights by one formula. The first runs of each case, in which code is compiled,
are not timed; the results of every form are compared, and a case where they differ is marked. What is
timed:

- conv, group: a layer with constant weights (`input`: the gradient in its input, the forward pass
  not timed; `weight`: that in its weights). PyTorch convolves with filters expanded beforehand.
  Burn starts its backward pass by filling a tensor with ones; the shortest time for that is taken off.
- pgd, faults, memory, scaling: PGD from the image itself, epsilon 0.1, step 0.025, 10 steps and 128
  digits unless the name says otherwise; networks frozen, filter banks expanded once.
- train: freeze the network, PGD-10 on 128 digits, and a step of SGD on the attacked images.
- trades: a step of TRADES with 10 steps of its attack on 128 digits. PyTorch computes what the published code
  computes; `/once`: no logits of the same images by the same weights twice.
- deep: the same with the networks for colour images, by random weights; a step of PGD, PGD-10, and a
  step of SGD without an attack.
- warp: bilinear (`nearest`: not), a pose for each image; `image`, `pose`: the backward pass for the
  images, for images and poses. `/grid`: PyTorch is given the sampling grid and need not make it.
- search: the worst of 775 poses for each of 100 digits, by the p4 network.

Exact and fast are this crate's numerics. A ratio is this crate's time over PyTorch's, each at the
number of threads that suits it best: below 1 this crate is faster.
"""

import argparse
import csv
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from cases import MEAN, NETWORK_KINDS, NOTHING, VALUES, WITHOUT_NUMERICS, all_cases, quick

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
TOLERANCE = {VALUES: 1e-3, MEAN: 2e-3}
# Of PyTorch; torch_worker.py knows what the names mean.
FORMS = ["eager", "channels_last", "compile", "compile+channels_last"]


def environment():
    """The Python with PyTorch."""
    folder = TARGET / "peer-venv"
    python, stamp = folder / "bin/python", folder / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-r", HERE / "requirements.txt"], check=True)
        stamp.write_text(wanted)
    return python


def build():
    """The worker written in Rust."""
    command = ["cargo", "bench", "--bench", "peer", "--no-run", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    for message in map(json.loads, done.stdout.splitlines()):
        if message.get("executable") and message["target"]["name"] == "peer":
            return message["executable"]
    sys.exit("cargo built no worker")


class Child:
    """A worker, which answers each request before it gets another."""

    def __init__(self, command, threads, processors):
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads), "BURN_DEVICE": "flex"}
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            environment[name] = str(threads)
        # PyTorch compiles by itself, and leaves no processes that could disturb others.
        environment["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, processors[:threads]))
        self.about = self.answer()
        assert self.about["threads"] == threads, self.about

    def ask(self, case, numerics=None, repeats=0):
        request = {**case, "repeats": repeats, **({"numerics": numerics} if numerics else {})}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.answer()
        assert answer["case"] == case["case"], answer
        # Threads that still spin for work go to sleep.
        time.sleep(0.005)
        return answer

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args[0]} died, with status {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def in_turns(case, sides, rounds, visit):
    """What each side answered: sides are pairs of a child and its numerics."""
    results, repeats = {}, {}
    for name, (child, numerics) in sides.items():
        results[name] = child.ask(case, numerics)
        if "failed" in results[name]:
            continue
        once = child.ask(case, numerics, 1)["seconds"][0]
        repeats[name] = max(1, min(50, int(visit / max(once, 1e-9))))
        rounds = min(rounds, 2) if once > 5 else rounds
    names = list(repeats)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            child, numerics = sides[name]
            answer = child.ask(case, numerics, repeats[name])
            for field in ("seconds", "faults"):
                results[name][field] += answer[field]
    return results


def least(forms, cost):
    """The form of PyTorch that costs least, of those that work."""
    working = [form for form in forms if "failed" not in forms[form]]
    if not working:
        sys.exit(f"no form of PyTorch works: {[answer['failed'] for answer in forms.values()]}")
    return min(working, key=lambda form: cost(forms[form]))


def measure(case, children, rounds, visit):
    """What each side answered: torch, exact and fast."""
    forms = {form: (child, None) for form, child in children.items() if form != "rust"}
    tried = in_turns(case, forms, min(rounds, 3), visit / 2)
    best = least(tried, median)
    numerics = ["exact"] + ["fast"] * (case["kind"] not in WITHOUT_NUMERICS)
    sides = {"torch": forms[best]} | {name: (children["rust"], name) for name in numerics}
    results = in_turns(case, sides, rounds, visit)
    # The form's first run was in its first turns.
    results["torch"] = {**tried[best], **results["torch"], "form": best, "forms": tried}
    return results


def measure_alone(case, start, forms):
    """The first run of each side in a process that has done nothing else."""

    def run(side, numerics=None):
        child = start(side)
        answer = child.ask(case, numerics)
        child.close()
        return answer

    tried = {form: run(form) for form in forms}
    best = least(tried, growth)
    return {"torch": {**tried[best], "form": best, "forms": tried},
            "exact": run("rust", "exact"), "fast": run("rust", "fast")}


def difference(case, torch, ours):
    """How far the results are apart, in units of their mean absolute value."""
    scale = abs(torch["checksum"]) or 1.0
    apart = abs(torch["checksum"] - ours["checksum"])
    if case["compare"] == VALUES:
        apart = max([apart, *(abs(a - b) for a, b in zip(torch["sample"], ours["sample"]))])
    return apart / scale


def verdict(case, results):
    """Of every form of PyTorch with every numerics."""
    if case["compare"] == NOTHING:
        return ""
    apart = {form: max(difference(case, torch, ours)
                       for name, ours in results.items() if name != "torch")
             for form, torch in results["torch"]["forms"].items() if "failed" not in torch}
    tolerance = TOLERANCE[case["compare"]]
    wrong = [f"{by:.2g} ({form})" for form, by in apart.items() if not by <= tolerance]
    return "DIFFERENT by " + ", ".join(wrong) if wrong else "same"


def median(result):
    return statistics.median(result["seconds"])


def growth(result):
    """KiB by which the peak of memory grew in the first run."""
    before, after = result["peak_kib"]
    return after - before


def quartiles(result):
    times = result["seconds"]
    return statistics.quantiles(times, n=4) if len(times) > 1 else times * 3


def milliseconds(result):
    if not result:
        return ""
    low, middle, high = (f"{1e3 * value:.3g}" for value in quartiles(result))
    return f"{middle} [{low}–{high}]" + named(result)


def named(result):
    """The form, where the result is PyTorch's."""
    return f" ({result['form']})" if "form" in result else ""


def title(side):
    return {"torch": "PyTorch"}.get(side, side)


def table(header, rows):
    print("\n| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def print_times(cases, results, threads):
    def best(name, side):
        """Seconds at the best number of threads."""
        times = [median(results[name, n][side]) for n in threads if side in results[name, n]]
        return min(times) if times else None

    peak = {}
    if ("matmul/2048", threads[0]) in results:
        flops = next(case["flops"] for case in cases if case["case"] == "matmul/2048")
        peak = {side: flops / best("matmul/2048", side) for side in ("torch", "exact")}
        print("\nMatrix product 2048×2048, GFLOP/s: "
              + ", ".join(f"{title(side)} {value / 1e9:.0f}" for side, value in peak.items())
              + "; shares of the larger one are given in brackets.")

    def speed(case, side):
        seconds = best(case["case"], side)
        if "flops" not in case or seconds is None:
            return "–"
        share = f" ({case['flops'] / seconds / max(peak.values()):.0%})" if peak else ""
        return f"{case['flops'] / seconds / 1e9:.0f}{share}"

    sides = ("torch", "exact", "fast")
    header = ["case", "results"]
    header += [f"{title(side)}, {n} thread{'s' * (n > 1)}, ms" for n in threads for side in sides]
    header += ["exact ratio", "fast ratio", "GFLOP/s " + " / ".join(map(title, sides))]
    rows = []
    for case in cases:
        name = case["case"]
        if case.get("alone"):
            continue
        row = [name, verdict(case, results[name, threads[-1]])]
        row += [milliseconds(results[name, n].get(side)) for n in threads for side in sides]
        for side in ("exact", "fast"):
            ours = best(name, side)
            row.append(f"{ours / best(name, 'torch'):.2f}" if ours else "")
        has_flops = "flops" in case
        row.append(" / ".join(speed(case, side) for side in sides) if has_flops else "")
        rows.append(row)
    table(header, rows)

    rows = []
    for case in cases:
        name = case["case"]
        plain = name.removesuffix("group") + "plain"
        if case.get("layer") == "group" and (plain, threads[0]) in results:
            rows.append([name.removesuffix("/group")] + [
                f"{best(name, side) / best(plain, side):.2f}" for side in ("exact", "fast")])
    if rows:
        print("\nGroup convolution over a plain one of its expanded size, in time:")
        table(["case", "exact", "fast"], rows)


def print_memory(cases, results, threads):
    rows = []
    for case in cases:
        for n in threads:
            answers = results[case["case"], n]
            if case["case"].startswith("faults/"):
                rows.append([case["case"], str(n), "page faults per step"] + [
                    f"{statistics.median(answers[side]['faults']) / case['steps']:.1f}"
                    + named(answers[side]) for side in ("torch", "exact", "fast")])
            if case.get("alone"):
                rows.append([case["case"], str(n), "peak of memory grows by, MiB"] + [
                    f"{growth(answer) / 1024:.0f}" + named(answer) for answer in answers.values()])
    if rows:
        table(["case", "threads", "what", "PyTorch", "exact", "fast"], rows)


def print_forms(cases, results, threads, forms):
    """What chose PyTorch's form."""
    rows, failures = [], []
    for case in cases:
        for n in threads:
            torch = results[case["case"], n]["torch"]
            row = [case["case"], str(n)]
            for form in forms:
                answer = torch["forms"][form]
                if "failed" in answer:
                    failures.append(f"{case['case']}, {n} thread{'s' * (n > 1)}, {form}: "
                                    + answer["failed"])
                    row.append("failed")
                elif case.get("alone"):
                    row.append(f"{growth(answer) / 1024:.0f} MiB")
                else:
                    row.append(f"{1e3 * median(answer):.3g}")
            rows.append([*row, torch["form"]])
    print("\nForms of PyTorch: medians of the short turns, ms"
          + " (memory: growth of the peak, compiling included):")
    table(["case", "threads", *forms, "best"], rows)
    if failures:
        print("\nForms that failed:\n")
        print("\n".join(f"- {failure}" for failure in failures))


def machine(about):
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    flags = set(re.search(r"flags\s*: (.*)", info + "\nflags : ").group(1).split())
    rustc = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return {
        "processor": model.group(1) if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "vectors": [flag for flag in ("avx2", "fma", "avx512f") if flag in flags],
        "torch": about["torch"],
        "rustc": rustc.stdout.strip(),
        "rustflags": os.environ.get("RUSTFLAGS", ""),
        "system": platform.platform(),
    }


def write(out, described, cases, results):
    by_name = {case["case"]: case for case in cases}
    entries = [{**by_name[name], "threads": n, "side": side, **answer}
               for (name, n), answers in results.items() for side, answer in answers.items()]
    out.parent.mkdir(parents=True, exist_ok=True)
    everything = {"machine": described, "results": entries}
    out.with_suffix(".json").write_text(json.dumps(everything, indent=1) + "\n")
    with open(out.with_suffix(".csv"), "w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["case", "threads", "side", "form", "runs", "q1_s", "median_s", "q3_s",
                        "checksum", "faults", "peak_before_kib", "peak_after_kib"])
        for entry in entries:
            times = quartiles(entry) if entry["seconds"] else [""] * 3
            faults = statistics.median(entry["faults"]) if entry["faults"] else ""
            lines.writerow([entry["case"], entry["threads"], entry["side"], entry.get("form", ""),
                            len(entry["seconds"]), *times, entry["checksum"], faults,
                            *entry["peak_kib"]])


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--threads", default="1,2", help="numbers of threads (default 1,2)")
    options.add_argument("--only", default="", help="cases whose name this pattern is found in")
    options.add_argument("--forms", default=",".join(FORMS),
                         help=f"what PyTorch may try (default {','.join(FORMS)})")
    options.add_argument("--rounds", type=int, default=5, help="turns of each side (default 5)")
    options.add_argument("--visit", type=float, default=0.2, help="seconds per turn (default 0.2)")
    options.add_argument("--quick", action="store_true", help="one short round of smaller cases")
    options.add_argument("--out", type=pathlib.Path, default=TARGET / "peer",
                         help="where the .json and .csv go (default target/peer)")
    options = options.parse_args()
    processors = sorted(os.sched_getaffinity(0))
    threads = sorted({min(int(n), len(processors)) for n in options.threads.split(",")})
    cases = [case for case in all_cases() if re.search(options.only, case["case"])]
    if options.quick:
        cases = [quick(case) for case in cases]
        options.rounds, options.visit = 1, 0.0
    if not cases:
        sys.exit("no case of that name")
    forms = options.forms.split(",")
    if unknown := set(forms) - set(FORMS):
        sys.exit(f"unknown forms: {', '.join(sorted(unknown))}")

    python, worker = environment(), build()

    def start(side, n):
        command = [worker, "--worker"]
        if side != "rust":
            command = [python, HERE / "torch_worker.py", "--threads", str(n), "--form", side]
        return Child(command, n, processors)

    results, described = {}, None
    for n in threads:
        children = {side: start(side, n) for side in ["rust", *forms]}
        described = described or machine(children[forms[0]].about)
        for case in cases:
            print(f"{n} thread{'s' * (n > 1)}: {case['case']}", file=sys.stderr)
            if case.get("alone"):
                done = measure_alone(case, lambda side: start(side, n), forms)
            elif case["kind"] in NETWORK_KINDS:
                own = {side: start(side, n) for side in children}
                done = measure(case, own, options.rounds, options.visit)
                for child in own.values():
                    child.close()
            else:
                done = measure(case, children, options.rounds, options.visit)
            results[case["case"], n] = done
            print("  " + ", ".join(f"{side} {milliseconds(result)} ms" for side, result in
                                   done.items() if result["seconds"]), file=sys.stderr, flush=True)
            # What was measured is kept, should the run be cut short.
            write(options.out, described, cases, results)
        for child in children.values():
            child.close()

    for name, value in described.items():
        print(f"- {name}: {' '.join(value) if isinstance(value, list) else value}")
    print_times(cases, results, threads)
    print_memory(cases, results, threads)
    print_forms(cases, results, threads, forms)
    return any("DIFFERENT" in verdict(case, results[case["case"], n])
               for case in cases for n in threads)


if __name__ == "__main__":
    sys.exit(main())
