"""Entropic transport of equal weights in f64 at 5 % of the mean cost, costs computed in the time that is measured.

Every solver is asked for marginals that are off by 1e-6 in total; what it reached is computed from its plan, apart from
the time. `--data FOLDER` has what `cargo bench -p wowflow --bench transport -- --save FOLDER` wrote; else noise.
`pot_log` and `pot_kernel` are POT's `sinkhorn_log` and `sinkhorn`; `ott_log` and `ott_kernel` ott-jax compiled, in
logarithms or not; `geomloss` anneals by a schedule and has no such limit: the fastest of some schedules that reaches
the accuracy, else the slowest.
"""

import importlib.util

import numpy as np

import common

PARTS = ["n", "m"]
SIZES = [(2000, 2000)]
QUICK = [(200, 200)]
DIM = 784
SHARE = 0.05
TOLERANCE = 1e-6
ITERATIONS = 10_000
NEEDS = {"pot_log": "ot", "pot_kernel": "ot", "ott_log": "ott", "ott_kernel": "ott", "geomloss": "geomloss"}


def costs(x, y):
    return ((x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T).clip(0)


def solve(solver, size, args):
    n, m = size
    if args.data:
        x, y = common.saved(args.data, f"x-{n}"), common.saved(args.data, f"y-{m}")
    else:
        x, y = common.images(1, n, DIM).astype(float), common.images(2, m, DIM).astype(float)
    epsilon = SHARE * float(costs(x, y).mean())
    work = {"pot": pot, "ott": ott, "geo": geomloss}[solver[:3]](solver, x, y, epsilon)
    rounds, more = args.rounds, {}
    if solver == "geomloss":
        scaling, work = slow_enough(work, x, y)
        # A call takes seconds.
        rounds, more = 1, {"scaling": scaling}
    found = []

    def keep():
        found[:] = [work()]

    times = common.timed(keep, rounds)
    return {"epsilon": epsilon, "tolerance": TOLERANCE} | more | reached(found[0](), x, y) | times


def reached(plan, x, y):
    """What the plan costs and how far off its marginals are, both together."""
    error = abs(plan.sum(1) - 1 / len(x)).sum() + abs(plan.sum(0) - 1 / len(y)).sum()
    return {"linear_cost": float((plan * costs(x, y)).sum()), "marginal_error": float(error)}


def pot(solver, x, y, epsilon):
    import ot

    a, b = np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y))
    method = {"pot_log": "sinkhorn_log", "pot_kernel": "sinkhorn"}[solver]
    # POT measures the error by its Euclidean norm, which is at least the total over the root of the number.
    stop = TOLERANCE / len(y) ** 0.5

    def work():
        plan = ot.sinkhorn(a, b, ot.dist(x, y), epsilon, method=method, stopThr=stop, numItermax=ITERATIONS)
        return lambda: plan

    return work


def ott(solver, x, y, epsilon):
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    from ott.geometry import pointcloud
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn

    method = sinkhorn.Sinkhorn(threshold=TOLERANCE, lse_mode=solver == "ott_log", max_iterations=ITERATIONS)
    x, y = jax.numpy.asarray(x), jax.numpy.asarray(y)

    @jax.jit
    def run(x, y):
        found = method(linear_problem.LinearProblem(pointcloud.PointCloud(x, y, epsilon=epsilon)))
        return found.f, found.g

    def work():
        f, g = jax.block_until_ready(run(x, y))
        # ott's potentials are those of P = exp((f + g - c) / eps), without the weights.
        return lambda: np.exp((np.asarray(f)[:, None] + np.asarray(g) - costs(np.asarray(x), np.asarray(y))) / epsilon)

    return work


def geomloss(solver, x, y, epsilon):
    import torch
    from geomloss import SamplesLoss

    def work(scaling):
        # Its cost is half the squared distance, and so is its epsilon, blur^2.
        blur = (epsilon / 2) ** 0.5
        loss = SamplesLoss("sinkhorn", p=2, blur=blur, scaling=scaling, debias=False, potentials=True, backend="tensorized")
        f, g = (v.numpy().ravel() for v in loss(torch.from_numpy(x), torch.from_numpy(y)))
        return lambda: np.exp((2 * f[:, None] + 2 * g - costs(x, y)) / epsilon) / (len(x) * len(y))

    return work


def slow_enough(work, x, y):
    """The first scaling whose plan is accurate, or the slowest."""
    for scaling in [0.5, 0.7, 0.9, 0.95]:
        if reached(work(scaling)(), x, y)["marginal_error"] <= TOLERANCE:
            break
    return scaling, lambda: work(scaling)


def main():
    parser = common.parser(__doc__, PARTS)
    parser.add_argument("--data", metavar="FOLDER", help="points as our bench saved them")
    args = common.parsed(parser, PARTS, SIZES, QUICK)
    rows = []
    for size in args.sizes:
        for solver, module in NEEDS.items():
            head = dict(zip(PARTS, size)) | {"dim": DIM, "solver": solver}
            if importlib.util.find_spec(module) is None:
                rows.append(head | {"missing": module})
            else:
                rows.append(head | common.apart(solve, solver, size, args))
    common.report(args, common.versions("numpy", "pot", "ott-jax", "jax", "geomloss", "torch"), rows)


if __name__ == "__main__":
    main()
