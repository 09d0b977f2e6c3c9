"""POT's sliced Wasserstein distance of two uniform clouds in f32, numpy backend, its own directions drawn in each call."""

import numpy as np
import ot

import common

PARTS = ["n", "m", "dim", "directions"]
SIZES = [(20000, 20000, 100, 200), (500, 500, 784, 500)]
QUICK = [(300, 200, 20, 30)]


def distance(size, rounds):
    n, m, dim, count = size
    x, y = common.images(1, n, dim), common.images(2, m, dim)
    check(x, y)
    value = lambda: ot.sliced_wasserstein_distance(x, y, n_projections=count, seed=1)
    return {"value": float(value())} | common.timed(value, rounds)


def check(x, y):
    """POT computes the mean of `W_2^2` over directions, and the root: for equal sizes, of sorted rows."""
    x, y = x[:40].astype(float), y[:40].astype(float)
    theta = ot.sliced.get_random_projections(x.shape[1], 5, seed=1)
    along = np.sort(x @ theta, axis=0) - np.sort(y @ theta, axis=0)
    found = ot.sliced_wasserstein_distance(x, y, projections=theta)
    expected = np.sqrt((along**2).mean())
    assert abs(found - expected) < 1e-9, f"POT's distance: expected {expected}, found {found}"


def main():
    args = common.options(__doc__, PARTS, SIZES, QUICK)
    backend = ot.backend.get_backend(np.zeros(1, np.float32)).__name__
    rows = [dict(zip(PARTS, size)) | common.apart(distance, size, args.rounds) for size in args.sizes]
    common.report(args, {"numpy": np.__version__, "pot": ot.__version__}, rows, backend=backend)


if __name__ == "__main__":
    main()
