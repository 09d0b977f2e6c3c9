"""The two matrix products of a flow's step in numpy: an outside check of the floor that steps are set against."""

import numpy as np

import common

PARTS = ["classes", "source", "target", "dim", "directions"]
SIZES = [(10, 200, 10, 784, 500), (10, 500, 500, 784, 500), (10, 100, 100, 3072, 500), (3, 80, 80, 2, 500)]
QUICK = [(3, 20, 5, 50, 30)]


def products(size, rounds):
    classes, n, m, dim, count = size
    samples = common.images(1, classes * (n + m), dim)
    theta = common.unit_rows(2, count, dim)
    forces = np.full((count, classes * n), 0.5, np.float32)
    projected = np.empty((count, classes * (n + m)), np.float32)
    velocity = np.empty((classes * n, dim), np.float32)
    project = common.timed(lambda: np.matmul(theta, samples.T, out=projected), rounds)
    back = common.timed(lambda: np.matmul(forces.T, theta, out=velocity), rounds)
    return {"ms": project["ms"] + back["ms"], "project": project, "back": back}


def main():
    args = common.options(__doc__, PARTS, SIZES, QUICK)
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    rows = [dict(zip(PARTS, size)) | common.apart(products, size, args.rounds) for size in args.sizes]
    common.report(args, {"numpy": np.__version__}, rows, blas=f"{blas['name']} {blas['version']}")


if __name__ == "__main__":
    main()
