"""Arrays as numpy writes them, read by wowflow: python arrays.py [--write FILE] [--refusals]."""
import gzip
import io
import itertools
import zipfile

import numpy as np
import scipy.io
import scipy.sparse

from common import Cases, generator

CASES = Cases()


def made(about, n=12, d=5):
    rng = generator(about)
    return rng.normal(size=(n, d)).round(4), rng.permutation(np.arange(n) % 3)


def put(group, about, arrays, right, options="", ending="d.npz", compressed=False, **how):
    path = CASES.path(ending)
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    CASES.add(group, about, path, right, options=options, **how)


def ints(y):
    return [int(v) for v in y]


# Names of arrays.
POINTS = "X x data images image features points samples inputs".split()
LABELS = "y Y labels label target targets classes".split()
for k, (a, b) in enumerate(itertools.product(POINTS, LABELS)):
    x, y = made(f"{a} {b}")
    put("names", f"{a} and {b}", {a: x, b: y} if k % 2 else {b: y, a: x}, (x, ints(y)), compressed=k % 3 == 0)
for a, b in (("X", "y"), ("x", "y"), ("images", "labels"), ("data", "labels"), ("features", "targets")):
    for form in ("{0}_{1}", "{1}_{0}", "{1}{0}"):
        x, y = made(f"{a} {b} {form}")
        arrays, parts = {}, {}
        for k, part in enumerate(("train", "val", "test")):
            parts[part] = (x[4 * k : 4 * k + 4], ints(y[4 * k : 4 * k + 4]))
            arrays[form.format(a, part)], arrays[form.format(b, part)] = parts[part]
        for options, part in (("", "train"), ("[train]", "train"), ("[test]", "test"), ("[val]", "val")):
            put("names", f"{form.format(a, 'PART')}, {options}", arrays, parts[part], options)
x, y = made("weights")
for name in ("sample_weight", "sample_weights", "weights", "weight", "w"):
    put("names", name, {"X": x, "y": y, name: np.arange(12) + 0.5}, (x, ints(y), list(np.arange(12) + 0.5)))
put("names", "two arrays without names", dict(zip(("arr_0", "arr_1"), (x, y))), (x, ints(y)), unclear=True, says="arr_0")
put("names", "points alone", {"X": x}, None, says="labels")
put("names", "an array without a name", {"arr_0": x}, None, says="arr_0")
put("names", "words that nobody knows", {"a": x, "b": y}, None, says="X and y")
put("names", "names of classes beside", {"X": x, "y": y, "target_names": np.array(["a", "b", "c"])}, (x, ints(y)))
put("names", "names of features beside", {"data": x, "target": y, "feature_names": np.array(list("abcde"))}, (x, ints(y)))

# Types of numbers.
for kind in ("f2", "f4", "f8", ">f2", ">f4", ">f8", "i1", "i2", "i4", "i8", ">i2", ">i4", ">i8", "u2", "u4", "u8", ">u2", ">u4", ">u8", "?"):
    x, y = made(kind)
    x = (x if "f" in kind else np.rint(abs(50 * x)) % 120).astype(kind)
    put("types", f"points of {kind}", {"X": x, "y": y}, (x.astype(float), ints(y)))
    put("types", f"points of {kind} in Fortran order", {"X": np.asfortranarray(x), "y": y}, (x.astype(float), ints(y)))
    labels = (y % 2 if kind == "?" else y).astype(kind)
    put("types", f"labels of {kind}", {"X": x, "y": labels}, (x.astype(float), ints(labels)))
x, y = made("bytes")
x = np.rint(abs(50 * x)) % 256
put("types", "bytes", {"X": x.astype("u1"), "y": y.astype("u1")}, ((x.astype("f4") / np.float32(255)).astype(float), ints(y)))
for kind, words in {"S": [b"cat", b"dog", b"eel"], "U": ["cat", "dög", "eel"], ">U4": ["cat", "dog", "eel"]}.items():
    labels = np.array(words)[y] if kind != ">U4" else np.array(words, ">U4")[y]
    put("types", f"labels of {kind}", {"X": x, "y": labels}, (x, [words[k].decode() if kind == "S" else words[k] for k in y]))
put("types", "labels as objects", {"X": x, "y": np.array(["a", "b", "c"], object)[y]}, None, says="astype")
put("types", "points as objects", {"X": x.astype(object), "y": y}, None, says="astype")
put("types", "fractions as labels", {"X": x, "y": y + 0.5}, None, says="fractions")
put("types", "nan as a label", {"X": x, "y": np.where(y == 1, np.nan, y)}, None, says="NaN")
for word in ("nan", "", "NA"):
    put("types", f"`{word}` as a label", {"X": x, "y": np.where(y == 1, word, "a")}, None, says="label")
put("types", "complex points", {"X": x + 0j, "y": y}, None, says="<c16")
put("types", "points of 16 bytes", {"X": x.astype("g"), "y": y}, None, says="astype")
put("types", "dates as labels", {"X": x, "y": np.array("2024-01-01", "M8[D]") + y}, None, says="astype")
put("types", "text as points", {"X": x.astype(str), "y": y}, None, says="astype")
fields = np.zeros(12, [("a", "f4"), ("b", "f8"), ("label", "i4")])
put("types", "fields", {"X": fields, "y": y}, None, says="field")
big = np.array([2**63 + 5] * 12, "u8")
put("types", "labels beyond whole numbers", {"X": x, "y": big}, None)

# Shapes.
for about, of in (("column", y[:, None]), ("numbers that are whole", y.astype(float)), ("a column of doubles", y[:, None] * 1.0)):
    put("shapes", f"labels as {about}", {"X": x, "y": of}, (x, ints(y)))
put("shapes", "labels as a row", {"X": x, "y": y[None]}, (x, ints(y)), unclear=True, says="reshape")
put("shapes", "truth values as labels", {"X": x, "y": y > 0}, (x, ints(y > 0)))
for kind in ("f4", "i8", "?", "u1"):
    put("shapes", f"one-hot labels of {kind}", {"X": x, "y": np.eye(3, dtype=kind)[y]}, None, says="argmax")
put("shapes", "probabilities as labels", {"X": x, "y": np.full((12, 3), 1 / 3)}, None, says="label")
put("shapes", "several labels a sample", {"X": x, "y": np.array([[1, 1, 0], [0, 1, 0]] * 6)}, None, says="label")
put("shapes", "no samples", {"X": x[:0], "y": y[:0]}, None, says="sample")
put("shapes", "no coordinates", {"X": x[:, :0], "y": y}, None, says="coordinate")
put("shapes", "one number", {"X": np.float64(3), "y": np.int64(1)}, None)
put("shapes", "one coordinate", {"X": x[:, 0], "y": y}, (x[:, 0], ints(y)))
put("shapes", "fewer labels", {"X": x, "y": y[:-1]}, None, says="11")
put("shapes", "samples as columns", {"X": x.T, "y": y}, (x, ints(y)), unclear=True, says="X.T")
put("shapes", "one sample", {"X": x[:1], "y": y[:1]}, (x[:1], ints(y[:1])))
put("shapes", "nan among the points", {"X": np.where(x == x[3, 2], np.nan, x), "y": y}, None, says="NaN")
rng = generator("images")
for shape in ((12, 6, 7), (12, 6, 7, 1), (12, 1, 6, 7)):
    image = rng.integers(0, 256, shape, np.uint8)
    put("shapes", f"grey images {shape}", {"X": image, "y": y}, ((image.reshape(12, -1).astype("f4") / np.float32(255)).astype(float), ints(y)))
for order in ("C", "F"):
    image = rng.normal(size=(12, 6, 7, 3)).astype(order == "C" and "f4" or "f8")
    planes = image.transpose(0, 3, 1, 2).reshape(12, -1).astype(float)
    put("shapes", f"colours last, {order}", {"X": np.asarray(image, order=order), "y": y}, (planes, ints(y)))
    put("shapes", f"colours first, {order}", {"X": np.asarray(image.transpose(0, 3, 1, 2), order=order), "y": y}, (planes, ints(y)))
put("shapes", "images with transparency", {"X": rng.random((12, 6, 7, 4)), "y": y}, None, says="[..., :3]")
put("shapes", "films", {"X": rng.random((12, 5, 6, 7, 3)), "y": y}, None, says="n x")
image = rng.random((12, 3, 9, 3))
put("shapes", "three rows and three colours", {"X": image, "y": y}, [(image.transpose(0, 3, 1, 2).reshape(12, -1), ints(y)), (image.reshape(12, -1), ints(y))], unclear=True)

# Pairs of .npy files, and IDX.
for name, points, labels in (("pair", "X.npy", "y.npy"), ("pair by name", "small_X.npy", "small_y.npy")):
    x, y = made(name)
    path = CASES.path(points)
    np.save(path, x)
    np.save(path.with_name(labels), y)
    CASES.add("pairs of files", name, path, (x, ints(y)))


def idx(array):
    code = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}[array.dtype.str[1:]]
    head = bytes([0, 0, code, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


for kind, axes, pack in itertools.product(("u1", "i1", "i2", "i4", "f4", "f8"), (2, 3), (None, gzip.compress)):
    about = f"IDX of {kind}, {axes} axes, {'gz' if pack else 'plain'}"
    rng = generator(about)
    x = (rng.normal(size=(12, 5, 4)[:axes]) * 40).astype("f8" if kind == "u1" else kind)
    x = abs(x).astype("u1") if kind == "u1" else x
    y = rng.integers(0, 3, 12).astype("u1" if kind in ("u1", "f4", "f8") else kind)
    ending = ".gz" if pack else ""
    path = CASES.path(f"train-images-idx{axes}-ubyte{ending}")
    path.write_bytes((pack or bytes)(idx(x)))
    path.with_name(f"train-labels-idx1-ubyte{ending}").write_bytes((pack or bytes)(idx(y)))
    rows = x.reshape(12, -1).astype(float)
    rows = (x.reshape(12, -1).astype("f4") / np.float32(255)).astype(float) if kind == "u1" else rows
    CASES.add("pairs of files", about, path, (rows, ints(y)))

# Labels of text of every kind: told apart as they are written, but for the spellings of Unicode.
x, y = made("words")
for about, words in {
    "case": ["a", "A", "b"], "codes": ["1", "01", "001"], "exponents": ["1e3", "1000", "10e2"], "zeros": ["0e12", "0e99", "00e5"],
    "pictures": ["\U0001f600", "\U0001f601", "\U0001f44d\U0001f3fd"], "bases": ["0x10", "16", "0b1"], "length": ["x" * 300 + c for c in "abc"],
    "digits of China": ["\uff11", "1", "\u2460"], "ligatures": ["\ufb01", "fi", "f"], "no width": ["a", "a\u200b", "b"], "Turkish": ["I", "\u0131", "i"],
    "sharp": ["\xdf", "ss", "SS"], "directions": ["\u202ea", "a", "b"], "lines": ["a\nb", "a", "b"], "tabs": ["a\tb", "a b", "b"], "underscores": ["1_000", "1000", "1"],
    "a space that does not break": ["a", "a\xa0", "b"], "quotes": ['"a"', "a", "'a'"], "signs": ["+", "-", "*"], "infinite": ["inf", "-inf", "Infinity"],
}.items():
    right = [words[k] for k in y % 3]
    put("labels of text", about, {"X": x, "y": np.array(right)}, (x, right))
    put("labels of text", f"{about}, bytes", {"X": x, "y": np.array([word.encode() for word in right])}, (x, right))
right = ["\xe9", "e\u0301", "e"]
put("labels of text", "two spellings", {"X": x, "y": np.array([right[k] for k in y % 3])}, (x, [["\xe9", "\xe9", "e"][k] for k in y % 3]))
for words in (["1", "+1", "2"], ["1.0", "1", "2"], ["a ", "a", "b"], ["\ta", "a", "b"]):
    put("labels of text", f"one label, {words}", {"X": x, "y": np.array([words[k] for k in y % 3])}, None, says="one spelling of a label")
for words in (["", "a", "b"], ["nan", "a", "b"], ["NA", "a", "b"], ["?", "a", "b"]):
    put("labels of text", f"no label, {words}", {"X": x, "y": np.array([words[k] for k in y % 3])}, None, says="labels")

# Weights.
w = generator("weights").random(12)
for about, some in {"plain": w, "not normalised": w * 1e6, "whole": np.arange(1, 13), "one of zero": w * (np.arange(12) != 3), "tiny": w * 1e-300, "huge": w * 1e300, "single": w.astype("f4")}.items():
    put("weights", about, {"X": x, "y": y, "sample_weight": some}, (x, ints(y), some.astype(float)))
for about, some, says in (
    ("all zero", w * 0, "positive total"), ("negative", -w, "at least 0"), ("one negative", np.where(np.arange(12) == 3, -1e-9, w), "at least 0"), ("nan", np.where(np.arange(12) == 3, np.nan, w), "NaN"),
    ("inf", np.where(np.arange(12) == 3, np.inf, w), "inf"), ("one too few", w[1:], "11"), ("one too many", np.r_[w, 1], "13"), ("text", np.array(["a"] * 12), "numbers"), ("two columns", np.c_[w, w], "24"), ("a class of zeros", w * (y != y[0]), "over class"),
):
    put("weights", about, {"X": x, "y": y, "sample_weight": some}, None, says=says)


# Archives as zipfile writes them.
def zipped(about, right, method=zipfile.ZIP_STORED, wide=False, comment=b"", version=None, change=bytes, **how):
    path = CASES.path("a.npz")
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.comment = comment
        for name, array in (("X", x), ("y", y)):
            out = io.BytesIO()
            np.lib.format.write_array(out, array, version=version)
            with archive.open(f"{name}.npy", "w", force_zip64=wide) as entry:
                entry.write(out.getvalue())
    path.write_bytes(change(path.read_bytes()))
    CASES.add("archives", about, path, right, **how)


for about, options in {
    "large sizes": {"wide": True}, "large sizes, deflated": {"wide": True, "method": zipfile.ZIP_DEFLATED}, "a comment": {"comment": b"by hand"},
    "version 2": {"version": (2, 0)}, "version 3": {"version": (3, 0)}, "bytes behind": {"change": lambda data: data + b"more" * 9},
}.items():
    zipped(about, (x, ints(y)), **options)
zipped("bzip2", None, zipfile.ZIP_BZIP2, says="savez_compressed")
zipped("LZMA", None, zipfile.ZIP_LZMA, says="savez_compressed")
zipped("cut short", None, change=lambda data: data[:-30], says="whole zip archive")
for at in (60, 100, 150, 200, 300):
    zipped(f"a bit of byte {at}", None, change=lambda data: data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])

# MATLAB: as SVHN has it is read, the rest is named.
svhn = {"X": rng.integers(0, 256, (4, 5, 3, 12), np.uint8), "y": y[:, None] % 3 + 1}
for kind in ("u1", "i2", "i4", "i8", "u8", "f4", "f8"):
    for packed in (False, True):
        path = CASES.path("a.mat")
        scipy.io.savemat(path, {**svhn, "y": svhn["y"].astype(kind)}, do_compression=packed)
        rows = (svhn["X"].transpose(3, 2, 0, 1).reshape(12, -1).astype("f4") / np.float32(255)).astype(float)
        CASES.add("MATLAB", f"SVHN, {kind}, packed {packed}", path, (rows, ints(svhn["y"].ravel())))
for about, some in {"points": {"X": x, "y": y}, "points by other names": {"fea": x, "gnd": y}, "words": {"X": x, "y": np.array(["ab", "cd"])}, "sparse": {"X": scipy.sparse.csc_matrix(x), "y": y * 1.0}}.items():
    for version in "45":
        path = CASES.path("a.mat")
        scipy.io.savemat(path, some, format=version)
        CASES.add("MATLAB", f"{about}, version {version}", path, says="loadmat")

if __name__ == "__main__":
    CASES.report("Arrays", ["numpy"])
