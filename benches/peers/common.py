"""What the scripts share: options, threads, data, and a fresh process for every measurement."""

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def options(description, parts, sizes, quick_sizes):
    """The command line, with the threads of this process and of its children limited."""
    return parsed(parser(description, parts), parts, sizes, quick_sizes)


def parser(description, parts):
    """What every script takes."""
    names = ",".join(parts)
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, help="timed rounds after one that warms up (7; 2 with --quick)")
    parser.add_argument("--threads", type=int, default=2, help="processors to use (2)")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds: does it run at all?")
    parser.add_argument("--size", action="append", metavar=names, help="a size; may be repeated")
    return parser


def parsed(parser, parts, sizes, quick_sizes):
    """What was typed, checked, with the threads limited."""
    names = ",".join(parts)
    args = parser.parse_args()
    args.rounds = args.rounds or (2 if args.quick else 7)
    try:
        given = [tuple(map(int, size.split(","))) for size in args.size or []]
    except ValueError:
        parser.error(f"--size: expected {names}, found {args.size}")
    args.sizes = given or (quick_sizes if args.quick else sizes)
    if any(len(size) != len(parts) or min(size) < 1 for size in args.sizes):
        parser.error(f"--size: expected {len(parts)} positive numbers {names}, found {args.size}")
    limit_threads(parser, args.threads)
    return args


def limit_threads(parser, threads):
    """JAX has no option for its threads: it starts as many as there are processors it may run on."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        if not 1 <= threads <= len(allowed):
            parser.error(f"--threads: expected 1 to {len(allowed)}, the processors there are, found {threads}")
        os.sched_setaffinity(0, allowed[:threads])
    elif threads != os.cpu_count():
        parser.error(f"--threads: this system cannot limit JAX: expected {os.cpu_count()}, found {threads}")
    for name in ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"]:
        os.environ[name] = str(threads)


def apart(function, *args):
    """The record that `function(*args)` returns, computed in a process of its own, and its peak memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_with_peak, function, args).result()


def _with_peak(function, args):
    start = _peak_mb()
    record = function(*args)
    return record | {"peak_mb": _peak_mb(), "peak_above_start_mb": round(_peak_mb() - start, 1)}


def _peak_mb():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)


def timed(work, rounds):
    """Milliseconds of `work()`: the first call apart, then every round and their median."""
    first, *times = [_clock(work) for _ in range(rounds + 1)]
    return {"ms": statistics.median(times), "times_ms": times, "first_call_ms": first}


def _clock(work):
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def images(seed, *shape):
    """Numbers in [0, 1] like those of the project's own bench, as f32."""
    import numpy as np

    values = 0.3 * np.random.default_rng(seed).standard_normal(shape) + 0.3
    return values.clip(0, 1).astype(np.float32)


def saved(folder, name):
    """An array that our bench saved."""
    import numpy as np

    return np.load(os.path.join(folder, f"{name}.npy"))


def versions(*packages):
    """Versions of the packages that are installed."""
    found = {}
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def unit_rows(seed, count, dim):
    """Independent directions, one unit row each, as f32."""
    import numpy as np

    rows = np.random.default_rng(seed).standard_normal((count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def report(args, versions, rows, **more):
    """One JSON object on standard output."""
    head = {"threads": args.threads, "rounds": args.rounds, "quick": args.quick}
    versions = {"python": platform.python_version()} | versions
    print(json.dumps(head | {"versions": versions} | more | {"rows": rows}))
