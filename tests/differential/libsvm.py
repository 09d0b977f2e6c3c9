"""LIBSVM files as scikit-learn writes them, read by wowflow and by scikit-learn: python libsvm.py [--write FILE]."""
import bz2
import gzip
import io

import numpy as np
from scipy import sparse
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from common import Cases, generator

CASES = Cases()


def made(about, n=25, d=6, density=0.5, full=False):
    rng = generator(about)
    x = rng.normal(size=(n, d)).round(5) * (rng.random((n, d)) < density)
    x[3] = 0
    # Some features of the ends stand somewhere, so that the width is known.
    if full:
        x[:, 0] = x[:, -1] = 1.5
    x[1, -1] = 0.25
    x[2, 0] = 0.5
    return x


def written(x, y, **options):
    out = io.BytesIO()
    dump_svmlight_file(x, y, out, **options)
    return out.getvalue()


def put(group, about, content, right, ending="t.svm", **how):
    path = CASES.path(ending)
    path.write_bytes(content)
    CASES.add(group, about, path, right, **how)


LABELS = {
    "from 0": lambda k: k, "from 1": lambda k: k + 1, "signs": lambda k: 2 * np.minimum(k, 1) - 1, "gaps": lambda k: np.array([3, 7, 40])[k],
    "doubles": lambda k: k.astype(float), "large": lambda k: k + 10**9,
}
for based in (True, False):
    for of, make in LABELS.items():
        for about, options in {
            "plain": {}, "a comment": {"comment": "measured in May"}, "two lines of comment": {"comment": "measured: 1:2\nby hand"},
            "queries": {"query_id": np.arange(25) // 5}, "a comment and queries": {"comment": "x", "query_id": np.arange(25)},
        }.items():
            for density in (0.5, 0.05, 1.0):
                name = f"{about}, {of}, counted from {int(not based)}, {density}"
                x, y = made(name, density=density), make(generator(name).permutation(np.arange(25) % 3))
                content = written(x, y, zero_based=based, **options)
                # What scikit-learn reads in it is what was written.
                again, labels = load_svmlight_file(io.BytesIO(content), n_features=6, zero_based=based)[:2]
                assert np.array_equal(again.toarray(), x) and np.array_equal(labels, y)
                put(f"counted from {int(not based)}", name, content, (x, [int(v) for v in y]))
for name, kind in (("csr", sparse.csr_matrix), ("csc", sparse.csc_matrix), ("single", lambda x: x.astype(np.float32))):
    x, y = made(name), np.arange(25) % 3
    content = written(kind(x), y)
    put("kinds of matrices", name, content, (load_svmlight_file(io.BytesIO(content), zero_based=True)[0].toarray(), list(y)))
for name, x in (("one feature", made("a", d=1, full=True)), ("wide", made("b", d=3000, density=0.01)), ("all full", made("c", density=2))):
    content = written(x, np.arange(25) % 3)
    put("kinds of matrices", name, content, (load_svmlight_file(io.BytesIO(content), zero_based=True)[0].toarray(), list(np.arange(25) % 3)))
for name, scale in (("tiny", 1e-300), ("large", 1e300), ("whole", 1)):
    x = made(name) * scale if name != "whole" else np.rint(10 * made(name))
    x[1, -1] = x[2, 0] = scale
    content = written(x, np.arange(25) % 3)
    put("kinds of matrices", name, content, (load_svmlight_file(io.BytesIO(content), zero_based=True)[0].toarray(), list(np.arange(25) % 3)))
x, y = made("packed"), np.arange(25) % 3
put("kinds of files", "gz", gzip.compress(written(x, y)), (x, list(y)), "t.svm.gz")
put("kinds of files", "bz2", bz2.compress(written(x, y)), (x, list(y)), "t.svm.bz2")
put("kinds of files", "CRLF", written(x, y).replace(b"\n", b"\r\n"), (x, list(y)))
put("kinds of files", "no line break at the end", written(x, y).rstrip(), (x, list(y)))
put("kinds of files", "spaces at the end of lines", written(x, y).replace(b"\n", b" \n"), (x, list(y)))
put("kinds of files", "tabs", written(x, y).replace(b" ", b"\t"), (x, list(y)))
put("kinds of files", "plus signs", written(x, np.where(y > 0, 1, -1)).replace(b"\n1 ", b"\n+1 "), (x, [1 if v else -1 for v in y]))
put("kinds of files", "comments behind values", written(x, y).replace(b"\n", b" # sample\n"), (x, list(y)))
put("kinds of files", "text as labels", b"".join(b"%s %s\n" % ([b"cat", b"dog", b"eel"][k], line.split(b" ", 1)[1] if b" " in line else b"") for k, line in zip(y, written(x, y).splitlines())), (x, [["cat", "dog", "eel"][k] for k in y]))
# What has no one right reading.
many = [[0, 2], [1], [0, 1, 2], []] * 6 + [[1]]
hot = np.array([[int(k in row) for k in range(3)] for row in many])
put("nothing to read", "several labels a sample", written(x, hot, multilabel=True), None, says="label")
put("nothing to read", "numbers to predict", written(x, x[:, 0] + 0.125), None, says="fractions")
put("nothing to read", "an index twice", written(x, y) + b"1 2:1 2:3\n", None, says="increasing")
put("nothing to read", "an index that falls", written(x, y) + b"1 3:1 2:3\n", None, says="increasing")
put("nothing to read", "nan", written(x, y) + b"1 2:nan\n", None, says="nan")
put("nothing to read", "inf", written(x, y) + b"1 2:inf\n", None, says="inf")
put("nothing to read", "1e400", written(x, y) + b"1 2:1e400\n", None, says="1e400")
put("nothing to read", "a negative index", written(x, y) + b"1 -2:1\n", None, says="index")
put("nothing to read", "no value", written(x, y) + b"1 2:\n", None, says="index:value")
put("nothing to read", "no label", written(x, y) + b"2:5 3:1\n", None, says="label")

if __name__ == "__main__":
    CASES.report("LIBSVM files", ["numpy", "scipy", "scikit-learn"])
