"""Make the embedded MNIST subset from the full release.

    python3 -m venv .venv && .venv/bin/pip install numpy==2.4.6 zopfli==0.4.3
    .venv/bin/python data/mnist/make.py DIR      # DIR holds the four files of the release

Draws TRAIN_PER_CLASS and TEST_PER_CLASS digits of each class without replacement, in random
order (the release is sorted by origin: its later test digits are harder), and interleaves the
classes (0, 1, ..., 9, 0, 1, ...), so that the first n images are a balanced sample too. Writes
four gzipped IDX files next to this script.

    .venv/bin/python data/mnist/make.py DIR --check

checks instead that the files next to it unpack to exactly that, image by image.
"""

import argparse
import gzip
import hashlib
import pathlib
import random
import struct

import numpy
import zopfli.gzip

SEED = 2021
TRAIN_PER_CLASS = 700
TEST_PER_CLASS = 200

HERE = pathlib.Path(__file__).parent
# MD5 of the unpacked files of the release.
RELEASE = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def release(directory, name):
    raw = gzip.decompress((directory / f"{name}.gz").read_bytes())
    assert hashlib.md5(raw).hexdigest() == RELEASE[name], f"{name} is not the release's"
    return raw


def read(directory, split):
    images = release(directory, f"{split}-images-idx3-ubyte")
    labels = release(directory, f"{split}-labels-idx1-ubyte")
    images = numpy.frombuffer(images, numpy.uint8, offset=16).reshape(-1, 28, 28)
    return images, numpy.frombuffer(labels, numpy.uint8, offset=8)


def draw(labels, per_class, rng):
    columns = []
    for digit in range(10):
        positions = [int(p) for p in numpy.flatnonzero(labels == digit)]
        columns.append(rng.sample(positions, per_class))
    return [position for row in zip(*columns) for position in row]


def idx(array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def subset(directory):
    """Yields the name and the bytes of each of the four files, unpacked."""
    rng = random.Random(SEED)
    for split, per_class in [("train", TRAIN_PER_CLASS), ("t10k", TEST_PER_CLASS)]:
        images, labels = read(directory, split)
        chosen = draw(labels, per_class, rng)
        assert len(set(chosen)) == 10 * per_class
        yield f"{split}-images-idx3-ubyte", idx(images[chosen])
        yield f"{split}-labels-idx1-ubyte", idx(labels[chosen])


def make(directory):
    for name, raw in subset(directory):
        packed = zopfli.gzip.compress(raw, numiterations=15)
        (HERE / f"{name}.gz").write_bytes(packed)
        print(f"| `{name}.gz` | {len(packed):,} | `{hashlib.md5(raw).hexdigest()}` |", flush=True)


def check(directory):
    for name, raw in subset(directory):
        found = gzip.decompress((HERE / f"{name}.gz").read_bytes())
        assert found == raw, f"{name} differs from the release's images"
    print("the embedded files hold the release's images, as drawn")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    (check if arguments.check else make)(arguments.directory)
