"""Exact transport at squared Euclidean cost in f64, the cost matrix computed (by POT) in the time that is measured.

POT's network simplex with equal and unequal weights; the linear assignments of SciPy and of lapx where weights are
equal and the problem is square. `--data FOLDER` has the points and weights that `cargo bench -p wowflow --bench
transport -- --save FOLDER` wrote; `--images SOURCE TARGET` are uncompressed IDX files of 28 x 28 images; else noise.
"""

import numpy as np

import common

PARTS = ["n", "m"]
SIZES = [(500, 500), (2000, 2000), (5000, 5000)]
QUICK = [(100, 100)]
DIM = 784
# From here on a call takes seconds, and one round does.
LARGE = 5000 * 5000


def points(args, size):
    n, m = size
    if args.data:
        return common.saved(args.data, f"x-{n}"), common.saved(args.data, f"y-{m}")
    if args.images:
        return read(args.images[0], n), read(args.images[1], m)
    return common.images(1, n, DIM).astype(float), common.images(2, m, DIM).astype(float)


def read(path, count):
    return (np.fromfile(path, np.uint8, count * DIM, offset=16).reshape(count, DIM).astype(np.float32) / 255).astype(float)


def weights(args, size):
    lists = [0.1 + (np.arange(count) * step % 1000) / 1000 for count, step in zip(size, (7919, 7907))]
    if args.data:
        lists = [common.saved(args.data, f"{name}-{count}") for name, count in zip("ab", size)]
    return [values / values.sum() for values in lists]


def solve(solver, size, args, weighted):
    import ot

    x, y = points(args, size)
    # POT takes empty lists for uniform weights.
    a, b = weights(args, size) if weighted else ([], [])
    found = []

    def pot():
        found[:] = [float(ot.emd2(a, b, ot.dist(x, y), numItermax=10**9))]

    def scipy():
        from scipy.optimize import linear_sum_assignment

        costs = ot.dist(x, y)
        found[:] = [float(costs[linear_sum_assignment(costs)].mean())]

    def lapx():
        import lap

        costs = ot.dist(x, y)
        found[:] = [float(lap.lapjv(costs)[0]) / len(costs)]

    rounds = args.rounds if size[0] * size[1] < LARGE else 1
    costs = common.timed(lambda: ot.dist(x, y), rounds)["ms"]
    times = common.timed({"pot": pot, "scipy": scipy, "lapx": lapx}[solver], rounds)
    return {"costs_ms": costs, "value": found[0]} | times


def main():
    parser = common.parser(__doc__, PARTS)
    parser.add_argument("--data", metavar="FOLDER", help="points and weights as our bench saved them")
    parser.add_argument("--images", nargs=2, metavar=("SOURCE", "TARGET"), help="uncompressed IDX files")
    args = common.parsed(parser, PARTS, SIZES, QUICK)
    rows = []
    for size in args.sizes:
        jobs = [("pot", False), ("pot", True)]
        if size[0] == size[1]:
            jobs += [("scipy", False), ("lapx", False)]
        for solver, weighted in jobs:
            head = dict(zip(PARTS, size)) | {"dim": DIM, "solver": solver, "weighted": weighted}
            rows.append(head | common.apart(solve, solver, size, args, weighted))
    common.report(args, common.versions("numpy", "pot", "scipy", "lapx"), rows, images=bool(args.images))


if __name__ == "__main__":
    main()
