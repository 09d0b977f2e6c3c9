"""A step of the flow in JAX: value and velocity of half the squared MMD with the kernel -SW_2, f32, uniform weights.

`exact` is what a good JAX user would write: one jitted gradient, directions shared by all classes, one sort a class.
`percentile` follows the description of the authors' published code: quantiles on 100 percentiles, interpolated at 100
random levels, written pair by pair. Both are written from scratch.
"""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np

import common

jax.config.update("jax_platforms", "cpu")

PARTS = ["classes", "source", "target", "dim", "directions"]
SIZES = [(10, 200, 10, 784, 500), (10, 500, 500, 784, 500), (10, 100, 100, 3072, 500), (3, 80, 80, 2, 500)]
QUICK = [(3, 20, 5, 50, 30), (3, 20, 20, 50, 30)]


def root(squared):
    """A square root whose derivative at 0 is 0."""
    positive = squared > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1.0)), 0.0)


def draw(key, count, dim):
    normals = jax.random.normal(key, (count, dim), jnp.float32)
    return normals / jnp.linalg.norm(normals, axis=1, keepdims=True)


# One sort a class, exact for any two sizes.


def merged_ranks(n, m):
    """Ranks of both sides on the common refinement of their quantile grids, and the length of each piece."""
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    starts = np.concatenate([[0], ends[:-1]])
    return starts // m, starts // n, ((ends - starts) / (n * m)).astype(np.float32)


def exact_loss(x, y, theta):
    n, m = x.shape[1], y.shape[1]
    s, t = (jnp.sort(jnp.einsum("cnd,ld->cln", points, theta), stable=False) for points in (x, y))
    i, j, length = merged_ranks(n, m)
    s_merged = s if len(i) == n else s[..., i]
    t_merged = t if len(j) == m else t[..., j]
    # The diagonals are exactly 0; a Gram matrix would leave rounding there, and the root would enlarge it.
    within_x = root(squared_distances(s, s, 1 / n) * (1 - jnp.eye(len(x))))
    within_y = root(squared_distances(t, t, 1 / m) * (1 - jnp.eye(len(y))))
    between = root(squared_distances(s_merged, t_merged, length))
    return between.mean() - within_x.mean() / 2 - within_y.mean() / 2


def squared_distances(s, t, length):
    """`SW_2^2` of all pairs from one matrix product: faster here than from differences, with fewer digits."""
    count = s.shape[1]
    s, t = (jnp.reshape(rows * jnp.sqrt(length), (len(rows), -1)) for rows in (s, t))
    return (jnp.sum(s**2, 1)[:, None] + jnp.sum(t**2, 1) - 2 * s @ t.T) / count


# Percentiles, pair by pair.

GRID = np.linspace(0, 1, 100)


def percentile_loss(x, y, theta, levels):
    within_x = pairwise(x, x, theta, levels)
    within_y = pairwise(y, y, theta, levels)
    return pairwise(x, y, theta, levels).mean() - within_x.mean() / 2 - within_y.mean() / 2


def pairwise(x, y, theta, levels):
    """The distance of all pairs, written pair by pair; JAX itself hoists out what does not depend on the other class."""
    along_y = jax.vmap(percentile_distance, in_axes=(None, 0, None, None))
    return jax.vmap(along_y, in_axes=(0, None, None, None))(x, y, theta, levels)


def percentile_distance(a, b, theta, levels):
    difference = quantiles(theta @ a.T, levels) - quantiles(theta @ b.T, levels)
    return root(jnp.mean(difference**2))


def quantiles(projected, levels):
    on_grid = jnp.quantile(projected, GRID, axis=-1)
    position = levels * (len(GRID) - 1)
    below = jnp.clip(position.astype(int), 0, len(GRID) - 2)
    share = jnp.expand_dims(position - below, 1)
    return (1 - share) * on_grid[below] + share * on_grid[below + 1]


# Measuring.


def step(loss):
    """Value and velocity, the gradient divided by the weight `1 / (classes * samples)` of a sample."""

    def value_and_velocity(x, *others):
        value, gradient = jax.value_and_grad(loss)(x, *others)
        return value, gradient * (x.shape[0] * x.shape[1])

    return jax.jit(value_and_velocity)


def measure(variant, size, rounds):
    classes, n, m, dim, count = size
    x = jnp.asarray(common.images(1, classes, n, dim))
    y = jnp.asarray(common.images(2, classes, m, dim))
    keys = iter(jax.random.split(jax.random.key(3), rounds + 1))
    if variant == "exact_given":
        run, theta = step(exact_loss), jnp.asarray(common.unit_rows(4, count, dim))
        work = lambda: run(x, y, theta)
    elif variant == "exact_drawn":
        run = step(lambda x, y, key: exact_loss(x, y, draw(key, count, dim)))
        work = lambda: run(x, y, next(keys))
    else:
        # The published code draws levels and directions with one key.
        run = step(lambda x, y, key: percentile_loss(x, y, draw(key, count, dim), jax.random.uniform(key, (100,))))
        work = lambda: run(x, y, next(keys))
    return common.timed(lambda: jax.block_until_ready(work()), rounds)


def check():
    """The exact step against the project's reference values, which were computed in f64."""
    folder = pathlib.Path(__file__).parents[2] / "tests" / "golden"
    for case in ["mmdsw_13", "mmdsw_14", "mmdsw_19"]:
        arrays = np.load(folder / f"{case}.npz")
        x, y = (arrays[side].reshape(len(arrays[f"{side}_sizes"]), -1, arrays[side].shape[1]) for side in "xy")
        inputs = (jnp.asarray(array, jnp.float32) for array in (x, y, arrays["directions"]))
        value, velocity = step(exact_loss)(*inputs)
        compare(f"{case}: loss", value, arrays["loss"])
        compare(f"{case}: velocity", velocity, arrays["grad_wow"])
    return {}


def compare(name, found, expected):
    error = np.abs(np.ravel(found) - np.ravel(expected)).max() / np.abs(expected).max()
    assert error < 1e-4, f"{name}: expected a relative error below 1e-4, found {error:.1e}"


def main():
    args = common.options(__doc__, PARTS, SIZES, QUICK)
    common.apart(check)
    rows = []
    for size in args.sizes:
        variants = ["exact_given", "exact_drawn", "percentile"]
        found = {name: common.apart(measure, name, size, args.rounds) for name in variants}
        rows.append(dict(zip(PARTS, size)) | {"steps": found})
    common.report(args, {"numpy": np.__version__, "jax": jax.__version__}, rows)


if __name__ == "__main__":
    main()
