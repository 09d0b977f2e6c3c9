"""POT's exact `ot.emd2` at squared Euclidean cost, the cost matrix computed in the time that is measured.

`--images SOURCE TARGET` are uncompressed IDX files of 28 x 28 images; without them, noise. The same
problems as those of `cargo bench -p wowflow --bench transport`.
"""

import argparse

import numpy as np
import ot

import common

PARTS = ["n", "m"]
SIZES = [(500, 500), (2000, 2000), (5000, 5000)]
QUICK = [(100, 100)]
DIM = 784


def read(path, count):
    return (np.fromfile(path, np.uint8, count * DIM, offset=16).reshape(count, DIM).astype(np.float32) / 255).astype(float)


def weights(count, step):
    values = 0.1 + (np.arange(count) * step % 1000) / 1000
    return values / values.sum()


def emd(size, rounds, files, weighted):
    n, m = size
    x = read(files[0], n) if files else common.images(1, n, DIM).astype(float)
    y = read(files[1], m) if files else common.images(2, m, DIM).astype(float)
    # POT takes empty lists for uniform weights.
    a, b = (weights(n, 7919), weights(m, 7907)) if weighted else ([], [])

    def value():
        return ot.emd2(a, b, ot.dist(x, y), numItermax=10**9)

    costs = common.timed(lambda: ot.dist(x, y), rounds)["ms"]
    return {"value": float(value()), "costs_ms": costs} | common.timed(value, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, help="timed rounds after one that warms up (5; 2 with --quick)")
    parser.add_argument("--threads", type=int, default=2, help="processors to use (2)")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds: does it run at all?")
    parser.add_argument("--size", action="append", metavar="n,m", help="a size; may be repeated")
    parser.add_argument("--images", nargs=2, metavar=("SOURCE", "TARGET"), help="uncompressed IDX files")
    parser.add_argument("--weighted", action="store_true", help="unequal weights")
    args = parser.parse_args()
    args.rounds = args.rounds or (2 if args.quick else 5)
    sizes = [tuple(map(int, size.split(","))) for size in args.size or []] or (QUICK if args.quick else SIZES)
    common.limit_threads(parser, args.threads)
    rows = [
        dict(zip(PARTS, size)) | {"dim": DIM, "weighted": args.weighted}
        | common.apart(emd, size, args.rounds, args.images, args.weighted)
        for size in sizes
    ]
    common.report(args, {"numpy": np.__version__, "pot": ot.__version__}, rows, images=bool(args.images))


if __name__ == "__main__":
    main()
