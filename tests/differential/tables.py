"""Tables as common tools write them, read by wowflow: python tables.py [--write FILE] [--refusals].

Frames are made here, so that the right classes and coordinates are known, and written by pandas, numpy, csv, and in the
manner of R and of spreadsheets.
"""
import bz2
import csv
import gzip
import io

import numpy as np
import pandas as pd

from common import Cases, generator

CASES = Cases()
WORDS = ["setosa", "versicolor", "virginica"]


def coordinates(rng, kind, n, d):
    if kind == "floats":
        return rng.normal(size=(n, d)).round(4)
    if kind == "large":
        return rng.normal(1e6, 3e5, (n, d)).round(2)
    if kind == "tiny":
        return rng.normal(size=(n, d)) * 1e-9
    if kind == "counts":
        return rng.poisson(40, (n, d)).astype(float)
    if kind == "mixed":
        x = rng.normal(size=(n, d)).round(3)
        x[:, 0] = rng.poisson(40, n)
        return x
    assert kind == "pixels"
    x = rng.integers(0, 256, (n, d)) * (rng.random((n, d)) < 0.6)
    x[:, :3] = x[:, -3:] = 0
    return x.astype(float)


def labels(rng, kind, n):
    k = rng.permutation(np.arange(n) % 3)
    return {
        "words": lambda: [WORDS[c] for c in k],
        "from 0": lambda: [int(c) for c in k],
        "from 1": lambda: [int(c) + 1 for c in k],
        "signs": lambda: [int(2 * min(c, 1) - 1) for c in k],
        "gaps": lambda: [[3, 7, 40][c] for c in k],
        "codes": lambda: [["01", "007", "1e5x"][c] for c in k],
        "letters": lambda: ["abc"[c] for c in k],
        "awkward": lambda: [["a, b; c|d\te", 'say "x"', "two\nlines"][c] for c in k],
        "accents": lambda: [["café", "naïve", "Ærø"][c] for c in k],
        "truth": lambda: [bool(c) for c in k],
    }[kind]()


def made(about, kind="floats", of="words", n=30, d=4, names=None, label="species", at="last"):
    """A frame, its coordinates and its labels."""
    rng = generator(about)
    x, y = coordinates(rng, kind, n, d), labels(rng, of, n)
    frame = pd.DataFrame(x, columns=names or [f"width {k}" if k == 1 else f"m{chr(97 + k)}" for k in range(d)])
    for name in frame:
        if kind in ("counts", "pixels") or kind == "mixed" and frame[name].iloc[0] % 1 == 0 and (frame[name] % 1 == 0).all():
            frame[name] = frame[name].astype(int)
    frame.insert({"last": d, "first": 0, "middle": d // 2}[at], label, y)
    return frame, (x, y)


def text(frame, **options):
    return frame.to_csv(**{"index": False, **options})


def put(group, about, content, right, ending="t.csv", encoding="utf-8", **how):
    path = CASES.path(ending)
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    CASES.add(group, about, path, right, **how)


# How pandas is told to write.
WAYS = {
    "default": {},
    "semicolons": {"sep": ";"},
    "tabs": {"sep": "\t"},
    "bars": {"sep": "|"},
    "spaces": {"sep": " "},
    "decimal commas": {"sep": ";", "decimal": ","},
    "tabs and decimal commas": {"sep": "\t", "decimal": ","},
    "all quoted": {"quoting": csv.QUOTE_ALL},
    "text quoted": {"quoting": csv.QUOTE_NONNUMERIC},
    "CRLF": {"lineterminator": "\r\n"},
    "CR": {"lineterminator": "\r"},
    "six digits": {"float_format": "%.6f"},
    "exponents": {"float_format": "%.17e"},
    "with index": {"index": True},
    "with an index by name": {"index": True, "index_label": "id"},
}
for way, options in WAYS.items():
    for kind, of in (("floats", "words"), ("mixed", "from 0"), ("large", "awkward"), ("counts", "from 1"), ("tiny", "signs")):
        about = f"{way}, {kind}, {of}"
        if way == "six digits" and kind == "tiny" or way == "CR" and of == "awkward":
            continue
        frame, right = made(about, kind, of)
        put("pandas, ways of writing", about, text(frame, **options), right)
frame, right = made("decimal commas in quotes")
put("pandas, ways of writing", "decimal commas in quotes", text(frame, decimal=","), right)

# Where labels stand and what the column is called.
NAMES = "label labels class Class CLASS target y species Species diagnosis variety cell_type digit category cluster class_label label(s) target_class true_label Outcome type group kind".split()
for name in NAMES:
    for at in ("last", "first", "middle"):
        for of in ("words", "from 0"):
            about = f"`{name}` {at}, {of}"
            frame, right = made(about, "floats" if of == "words" else "mixed", of, label=name, at=at)
            if name == "y" and at != "last":
                continue
            put("named label columns", about, text(frame), right, unclear=name in ("Outcome", "type", "group", "kind", "true_label") and of != "words")
for d in (1, 2, 3):
    for of in ("words", "from 0", "letters"):
        about = f"x, y, z: {d}, {of}"
        frame, right = made(about, "floats", of, names=list("xyz")[:d], d=d, label="cluster")
        put("named label columns", about, text(frame, index=True), right)

# Identifiers, codes, weights, other columns.
for name, values in {
    "id": lambda n: range(100, 100 + n), "ID": lambda n: range(n), "Id": lambda n: range(1, n + 1),
    "sample_id": lambda n: [f"s{k:03}" for k in range(n)], "PassengerId": lambda n: range(1, n + 1),
    "patient_id": lambda n: [f"P{7 * k % 101}" for k in range(n)], "filename": lambda n: [f"{k}.png" for k in range(n)],
    "uuid": lambda n: [f"{k * 977:08x}-4b" for k in range(n)], "Unnamed: 0": lambda n: range(n), "index": lambda n: range(n),
    "row": lambda n: range(1, n + 1), "#": lambda n: range(1, n + 1), "obs": lambda n: range(1, n + 1),
    "name": lambda n: [f"thing {k}" for k in range(n)], "": lambda n: range(n), "rownames": lambda n: range(1, n + 1),
    "level_0": lambda n: range(n), "customerID": lambda n: [f"{7590 + 13 * k}-VH" for k in range(n)],
}.items():
    for of in ("words", "from 0"):
        about = f"`{name}` first, {of}"
        frame, right = made(about, "floats", of)
        frame.insert(0, name, list(values(len(frame))))
        put("identifiers", about, text(frame), right)
for name in ("sample", "time", "nr"):
    frame, right = made(name)
    frame.insert(0, name, range(len(frame)))
    x = np.c_[np.arange(len(frame)), right[0]]
    put("identifiers", f"`{name}` that counts", text(frame), [right, (x, right[1])] if name != "nr" else right, unclear=True, says="[drop=")
frame, right = made("numbers of samples without a name")
put("identifiers", "numbers of samples without a header", text(frame, header=False, index=True), right, unclear=True, says="[drop=1]")
frame, right = made("wdbc", label="b")
frame.insert(0, "a", generator("wdbc ids").choice(900000, 30, replace=False))
put("identifiers", "numbers of patients without a header", text(frame, header=False), right, unclear=True, says="[drop=")
frame, right = made("groups of samples")
frame.insert(0, "patient_id", np.arange(30) // 5)
put("identifiers", "an identifier that repeats", text(frame), right, unclear=True, says="[drop=")
for column, about in (("target", "numbers and words"), ("species_id", "an id"), ("code", "a code"), ("species_code", "a code by name"), ("label_encoded", "unknown")):
    frame, right = made(about)
    frame.insert(int(generator(about).integers(0, 5)), column, [WORDS.index(word) for word in right[1]])
    put("codes beside labels", f"`{column}` {about}", text(frame), right, unclear=column == "label_encoded", says="[drop=")
frame, right = made("words beside numbers", of="from 0", label="label")
frame["label_name"] = [WORDS[k] for k in right[1]]
put("codes beside labels", "words beside numbers", text(frame), [right, (right[0], list(frame["label_name"]))])
frame, right = made("codes that differ")
frame["target"] = np.arange(30) % 4
put("codes beside labels", "a code that says something else", text(frame), None, says="[label=")
frame, right = made("class and target", of="from 0", label="class")
frame["target"] = np.arange(30) % 4
put("codes beside labels", "two columns of numbers", text(frame), None, says="[label=")
frame, right = made("weights")
frame["sample_weight"] = generator("weights").random(30).round(3)
put("codes beside labels", "weights", text(frame), (*right, list(frame["sample_weight"])))
frame, right = made("body weight", names=["weight", "height", "age", "w"])
put("codes beside labels", "a weight of bodies", text(frame), right)

frame, right = made("truth among coordinates")
frame["smoker"] = right[0][:, 0] > 0
put("other columns", "a column of truth values", text(frame), (np.c_[right[0], right[0][:, 0] > 0], right[1]))
frame, right = made("truth as the label", of="truth", label="ill")
put("other columns", "truth values as labels", text(frame), right)
put("other columns", "truth values as labels of R", text(frame).replace("True", "TRUE").replace("False", "FALSE"), (right[0], [str(v).upper() for v in right[1]]))
frame, right = made("categories")
frame.insert(1, "island", [["Biscoe", "Dream"][k % 2] for k in range(30)])
put("other columns", "a column of categories", text(frame), None, says="[drop=")
frame, right = made("one column of categories", of="from 0", label="regime")
frame.insert(0, "city", [["Rome", "Oslo"][k % 2] for k in range(30)])
put("other columns", "a column of categories beside numbers", text(frame), right, unclear=True, says="[label=")
frame, right = made("dates", of="from 0", label="regime")
frame.insert(0, "date", pd.date_range("2024-01-01", periods=30))
put("other columns", "dates beside numbers", text(frame), right, unclear=True, says="[")
frame, right = made("dates and a label")
frame.insert(0, "when", pd.date_range("2024-01-01", periods=30, freq="3h"))
put("other columns", "dates beside a label", text(frame), right, unclear=True, says="[")
frame, right = made("parts", of="from 0", label="kind of it")
frame["split"] = [["train", "test"][k % 2] for k in range(30)]
put("other columns", "a column of parts", text(frame), right, unclear=True, says="split")
frame, right = made("folds")
frame["fold"] = np.arange(30) % 5
put("other columns", "a column of folds", text(frame), right, unclear=True, says="fold")
frame, right = made("constant text", of="from 0", label="grade")
frame["source"] = "web"
put("other columns", "text that never changes", text(frame), right, unclear=True, says="[")
frame, right = made("names twice", names=["a", "a", "b", "b"])
put("other columns", "names that stand twice", text(frame), right)
frame, right = made("label twice", label="label")
frame.insert(0, "label", list(reversed(right[1])), allow_duplicates=True)
put("other columns", "two columns called label", text(frame), None, says="[label=")
frame, right = made("mtcars", "mixed", "from 0", d=6, label="am")
frame["carb"] = np.array([1, 2, 4, 8, 1, 2] * 5)
put("other columns", "two columns of few numbers", text(frame), (np.c_[right[0], frame["carb"]], right[1]), unclear=True, says="[label=")
frame, right = made("regression")
frame["price"] = right[0][:, 0] * 3 + 0.125
put("other columns", "numbers to predict", text(frame.drop(columns="species")), None, says="[label=")
put("other columns", "one column", text(frame[["species"]]), None)
put("other columns", "one column of numbers", text(frame[["price"]]), None)

# Missing and strange values.
for value, words in {"": "nothing", "NA": "NA", "nan": "nan", "NaN": "NaN", "?": "?", "NULL": "NULL", "inf": "inf", "1e400": "1e400", "-": "-", "12%": "12%", "1/2": "1/2", "#N/A": "#", "$5": "$5"}.items():
    frame, right = made(f"missing {value}")
    frame["ma"] = frame["ma"].astype(object)
    frame.loc[3, "ma"] = value
    put("missing and strange values", f"`{value}` as a number", text(frame), None, says=words)
for value in ("", "NA", "nan", "NaN", "N/A", "<NA>", "#N/A"):
    for of in ("words", "from 0"):
        frame, right = made(f"missing label {value}{of}", of=of, label="label")
        frame["label"] = frame["label"].astype(object)
        frame.loc[3, "label"] = value
        put("missing and strange values", f"`{value}` as a label, {of}", text(frame), None, says="label")
frame, right = made("one number of thousands")
right[0][3, 0] = 1234.5
put("missing and strange values", "one number of thousands", text(frame.assign(ma=[f"{v:,}" for v in right[0][:, 0]])), right)
frame, right = made("percent")
out = frame.copy()
out["mc"] = [f"{100 * v:.2f}%" for v in right[0][:, 2]]
put("missing and strange values", "a column of percents", text(out), None, says="%")
frame, right = made("thousands", "large")
put("missing and strange values", "thousands", text(frame.assign(**{c: frame[c].map("{:,.2f}".format) for c in frame if c != "species"})), right)
put("missing and strange values", "thousands of Europe", text(frame.assign(**{c: frame[c].map(lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,"))) for c in frame if c != "species"}), sep=";"), right)
frame, right = made("whole thousands", "counts")
frame[["ma", "mc"]] = (frame[["ma", "mc"]] + 7) * 1000
right[0][:, [0, 2]] = frame[["ma", "mc"]]
put("missing and strange values", "whole thousands", text(frame.assign(ma=frame["ma"].map("{:,}".format))), right, unclear=True, says="thousands")
frame, right = made("dates as numbers")
put("missing and strange values", "fractions as labels", text(frame.assign(species=right[0][:, 0])), None, says="fractions")

# Encodings.
for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"):
    for options in ({}, {"sep": "\t"}, {"sep": ";", "decimal": ","}):
        about = f"{encoding}, {options}"
        frame, right = made(about, of="accents")
        put("encodings", about, text(frame, **options), right, encoding=encoding)
frame, right = made("excel unicode", of="accents")
put("encodings", "Unicode text of Excel", b"\xff\xfe" + text(frame, sep="\t", lineterminator="\r\n").encode("utf-16-le"), right, "t.txt")
frame, right = made("spelled in two ways")
both = ["caf\u00e9" if k % 2 else "cafe\u0301" for k in range(30)]
put("encodings", "one word in two spellings", text(frame.assign(species=both)), (right[0], ["caf\u00e9"] * 30))
for name, pack in (("gz", gzip.compress), ("bz2", bz2.compress)):
    frame, right = made(name)
    put("encodings", name, pack(text(frame).encode()), right, f"t.csv.{name}")

# Without names.
for of in ("words", "from 0", "from 1", "gaps", "signs", "letters", "codes"):
    for at in ("last", "first"):
        for kind in ("floats", "mixed", "large"):
            about = f"{of}, {at}, {kind}"
            frame, right = made(about, kind, of, at=at)
            put("without a header", about, text(frame, header=False), right)
for at in ("first", "last"):
    for n in (20, 200):
        for named in (False, True):
            for of in range(3):
                about = f"images of 784 pixels, {n}, label {at}, named {named}, {of}"
                rng = generator(about)
                x = coordinates(rng, "pixels", n, 784)
                if of == 1:
                    x[:, -1] = rng.integers(0, 60, n)
                y = rng.integers(0, 10, n)
                frame = pd.DataFrame(x.astype(int), columns=[f"pixel{k}" for k in range(784)])
                frame.insert(0 if at == "first" else 784, "label", y)
                right = (x, [int(v) for v in y])
                put("images as tables", about, text(frame, header=named), right)
about = "pixels without labels"
frame = pd.DataFrame(coordinates(generator(about), "pixels", 50, 784).astype(int), columns=[f"pixel{k}" for k in range(784)])
put("images as tables", about, text(frame), None, says="label")
put("images as tables", about + " and names", text(frame, header=False), None, says="label")
put("images as tables", "numbers of images and labels", "ImageId,Label\n" + "".join(f"{k + 1},{k % 10}\n" for k in range(50)), None)

# Headers of numbers.
for head in ([0, 1, 2, 3], [1, 2, 3, 4], [1990, 1991, 1992, 1993], [400, 402, 404, 406], [0.1, 0.2, 0.3, 0.4], [1, 10, 100, 1000]):
    for last in ("label", "kind", 4):
        about = f"{head}, {last}"
        if last == 4 and head != [0, 1, 2, 3]:
            continue
        frame, right = made(about, "mixed", "words" if last == "kind" else "from 0", names=head, label=last)
        strange = last != "label" and head[1] - head[0] != 1
        put("headers of numbers", about, text(frame), right, unclear=strange, says="[header=")
for d in (2, 3, 5, 12):
    for of in ("from 0", "signs"):
        about = f"an array and its labels, {d}, {of}"
        frame, right = made(about, "floats", of, d=d)
        frame.columns = range(d + 1)
        put("headers of numbers", about, text(frame), right)
        put("headers of numbers", about + ", with index", text(frame, index=True), right)

for about, head in {"years": range(1990, 2002), "wavelengths": [400 + 2.5 * k for k in range(12)], "masses": [50.01 + k for k in range(12)], "months": [f"2020-{k:02}" for k in range(1, 13)], "hours": [f"{k}:00" for k in range(12)], "about 0": range(-6, 6), "hundreds": range(100, 1300, 100)}.items():
    for label in ("label", "y", "Class Label"):
        for of in ("words", "from 0"):
            for options in ({}, {"index": True}, {"sep": ";", "decimal": ","}):
                frame, right = made(f"{about} {label} {of}", of=of, names=[str(name) for name in head], d=12, label=label)
                put("headers of numbers", f"{about}, {label}, {of}, {options}", text(frame, **options), right)

# numpy.savetxt.
for about, options in {
    "default": {}, "commas": {"delimiter": ","}, "tabs": {"delimiter": "\t"}, "a header": {"header": "a b c d label"},
    "a header with commas": {"header": "a,b,c,d,label", "delimiter": ","}, "a header without a mark": {"header": "a b c d label", "comments": ""},
    "remarks": {"header": "measured in May\nby hand"}, "three digits": {"fmt": "%.3f"}, "in columns": {"fmt": "%12.4f"},
    "a footer": {"footer": "end of data"}, "percent as a mark": {"header": "a b c d label", "comments": "% "}, "whole labels": {"fmt": ["%.5f"] * 4 + ["%d"]},
    "commas and spaces": {"delimiter": ", "}, "semicolons": {"delimiter": ";"},
}.items():
    for of in ("from 0", "signs", "gaps"):
        frame, (x, y) = made(f"savetxt {about} {of}", of=of)
        out = io.StringIO()
        x = x.round(3) if options.get("fmt") == "%.3f" else x
        np.savetxt(out, np.c_[x, y], **options)
        put("numpy.savetxt", f"{about}, {of}", out.getvalue(), (x, y), "t.txt")

# csv.writer.
for dialect in ("excel", "excel-tab", "unix"):
    for of in ("words", "awkward", "from 0"):
        frame, right = made(f"csv {dialect} {of}", of=of, label="class", at="first")
        out = io.StringIO()
        writer = csv.writer(out, dialect)
        writer.writerow(frame.columns)
        writer.writerows(frame.itertuples(index=False))
        put("csv.writer", f"{dialect}, {of}", out.getvalue(), right)
for about, options in {"single quotes": {"quotechar": "'", "quoting": csv.QUOTE_NONNUMERIC}, "escaped quotes": {"doublequote": False, "escapechar": "\\"}}.items():
    for of in ("words", "awkward"):
        frame, right = made(f"csv {about} {of}", of=of)
        out = io.StringIO()
        writer = csv.writer(out, **options)
        writer.writerow(frame.columns)
        writer.writerows(frame.itertuples(index=False))
        put("csv.writer", f"{about}, {of}", out.getvalue(), right)


# As R writes: names and text in quotes, a name less than columns where rows have names.
def of_r(frame, sep=" ", decimal=".", rows=True, header=True, name=False, quote='"{}"'):
    def cell(value):
        if isinstance(value, str):
            return quote.format(value.replace('"', '""' if name else '\\"'))
        if isinstance(value, (bool, np.bool_)):
            return str(value).upper()
        return f"{value:.15g}".replace(".", decimal)

    lines = []
    if header:
        lines.append(sep.join(([cell("")] if name and rows else []) + [cell(str(c)) for c in frame.columns]))
    for k, row in enumerate(frame.itertuples(index=False)):
        lines.append(sep.join(([cell(str(k + 1))] if rows else []) + [cell(v) for v in row]))
    return "\n".join(lines) + "\n"


for about, options in {
    "write.table": {}, "write.csv": {"sep": ",", "name": True}, "write.csv2": {"sep": ";", "decimal": ",", "name": True},
    "write.csv without row names": {"sep": ",", "rows": False}, "write.table with tabs": {"sep": "\t"},
    "write.table without quotes": {"quote": "{}", "sep": "\t"}, "write.table without names": {"rows": False, "header": False},
}.items():
    for kind, of, label in (("floats", "words", "Species"), ("mixed", "from 1", "class"), ("large", "from 0", "cluster"), ("floats", "truth", "diagnosis")):
        frame, (x, y) = made(f"R {about} {of}", kind, of, label=label)
        y = [str(v).upper() if isinstance(v, bool) else v for v in y]
        put("in the manner of R", f"{about}, {of}", of_r(frame, **options), (x, y))
frame, right = made("R, quotes in text", of="awkward")
frame["species"] = [s.replace("\n", " ") for s in right[1]]
put("in the manner of R", "write.table, quotes in text", of_r(frame), (right[0], list(frame["species"])))
frame, right = made("R, matrix", names=["V1", "V2", "V3", "V4"], label="V5", of="from 1")
put("in the manner of R", "columns without names", of_r(frame), right)
frame, right = made("R, names of rows")
frame.insert(0, "x", [f"Mazda RX{k}" for k in range(30)])
put("in the manner of R", "cars as names of rows", of_r(frame, sep=",", rows=False).replace('"x"', '""', 1), right)

# As spreadsheets write.
for of in ("words", "awkward"):
    frame, right = made(f"excel {of}", of=of)
    put("in the manner of spreadsheets", f"the separator first, {of}", "sep=;\r\n" + text(frame, sep=";", lineterminator="\r\n"), right)
    put("in the manner of spreadsheets", f"empty lines at the end, {of}", text(frame, lineterminator="\r\n") + ",,,,\r\n" * 3, right)
    put("in the manner of spreadsheets", f"empty columns at the end, {of}", "".join(f"{line},,\r\n" for line in text(frame).splitlines()) if of == "words" else text(frame), right)
    put("in the manner of spreadsheets", f"separators at the end of rows, {of}", text(frame) if of != "words" else text(frame).replace("\n", ",\n").replace(",\n", "\n", 1), right)
    put("in the manner of spreadsheets", f"empty lines between, {of}", text(frame) if of != "words" else text(frame).replace("\n", "\n\n"), right)
    put("in the manner of spreadsheets", f"no line break at the end, {of}", text(frame).rstrip("\n"), right)
frame, right = made("a title", of="words")
put("in the manner of spreadsheets", "a title above", "Flowers of 2024,,,,\n\n" + text(frame), right, unclear=True)

# Comments.
for about, change in {
    "above": lambda t: "# made by hand\n# in May\n" + t,
    "between": lambda t: t.replace("\n", "\n# a remark\n", 3),
    "behind": lambda t: t + "# the end\n",
    "names in a comment": lambda t: "# " + t,
}.items():
    for of in ("words", "from 0"):
        frame, right = made(f"comments {about} {of}", of=of)
        put("comments", f"{about}, {of}", change(text(frame)), right)
frame, right = made("colours as labels", label="colour", at="first")
colours = [f"#{WORDS.index(word)}ff0a{WORDS.index(word)}" for word in right[1]]
put("comments", "labels that begin with #", text(frame.assign(colour=colours)), (right[0], colours), unclear=True, says="#")
put("comments", "lines of data that are comments", text(frame, header=False).replace("\nversicolor", "\n#versicolor", 1), None, says="#")

# An index and what else stands before the coordinates.
for of in ("words", "from 0"):
    for about, change in {
        "shuffled": lambda f: f.sample(frac=1, random_state=3),
        "sorted by label": lambda f: f.sort_values("label", kind="stable"),
        "twice the same": lambda f: pd.concat([f, f]),
        "names of rows": lambda f: f.set_axis([f"row{k}" for k in range(30)]),
        "days": lambda f: f.set_axis(pd.date_range("2020-01-01", periods=30)),
        "fractions": lambda f: f.set_axis(np.arange(30) * 0.5),
        "from 1000": lambda f: f.set_axis(range(1000, 1030)),
    }.items():
        for options in ({}, {"sep": ";", "decimal": ","}, {"sep": "\t"}):
            frame, (x, y) = made(f"index {about} {of}", of=of, label="label")
            frame["row"] = range(30)
            out = change(frame)
            at = list(out.pop("row"))
            put("an index and more", f"{about}, {of}, {options}", text(out, index=True, **options), (x[at], [y[k] for k in at]))
    for ahead in (["Unnamed: 0"], ["Unnamed: 0.1", "Unnamed: 0"], ["id"], ["Unnamed: 0", "id"]):
        frame, right = made(f"index, {ahead}, {of}", of=of)
        for name in reversed(ahead):
            frame.insert(0, name, range(30) if name != "id" else generator("ids").permutation(30) + 7)
        put("an index and more", f"index, {ahead}, {of}", text(frame, index=True), right)
frame, right = made("index, id, code, label")
frame.insert(0, "id", generator("ids").permutation(30) + 7)
frame["code"] = [WORDS.index(word) for word in right[1]]
put("an index and more", "index, id, code, label", text(frame, index=True), right)

# Labels in other forms of their names, and beside their codes in all orders.
for name in ("category_id", "cluster_id", "class_id", "label_idx", "Digit Index", "species_code", "target_num", "ground_truth_label"):
    for at in ("first", "middle", "last"):
        for of in ("words", "from 0", "from 1"):
            frame, right = made(f"{name} {at} {of}", "mixed" if of != "words" else "floats", of, label=name, at=at)
            put("forms of names", f"`{name}` {at}, {of}", text(frame), right)
for words, code in (("class_name", "class_id"), ("label_text", "label_id"), ("target_name", "target"), ("category", "category_code"), ("digit_name", "digit_no"), ("species", "code")):
    for order in range(3):
        frame, (x, y) = made(f"{words} and {code}", label=words)
        frame = frame.drop(columns=words)
        frame.insert([4, 0, 0][order], words, y)
        frame.insert([5, 0, 5][order], code, [WORDS.index(word) for word in y])
        right = [(x, y), (x, list(frame[code]))]
        put("forms of names", f"`{words}` and `{code}`, {order}", text(frame), right[:1] if code != "target" else right)

# Columns without anything.
for of in ("words", "from 0"):
    frame, right = made(f"a separator behind the names {of}", of=of, label="diagnosis", at="first")
    frame.insert(0, "id", generator("wdbc ids").choice(10**6, 30, replace=False))
    put("columns of nothing", f"a separator behind the names, {of}", text(frame).replace("\n", ",\n", 1), right)
    put("columns of nothing", f"a separator behind quoted names, {of}", text(frame, quoting=csv.QUOTE_NONNUMERIC).replace("\n", ",\n", 1), right)
    for name in ("Unnamed: 32", "", "remark"):
        put("columns of nothing", f"`{name}`, {of}", text(frame.assign(**{name: np.nan})), right)
frame, right = made("labels to be found", label="label")
put("columns of nothing", "labels that are to be found", text(frame.assign(label="")), None, says="a label")

# Thousands of other countries, numbers in columns, and numbers that are text.
for about, mark, point in (("France", "\u202f", ","), ("France by older programs", "\xa0", ","), ("Switzerland", "'", "."), ("Switzerland in print", "\u2019", ".")):
    for of in ("words", "from 0"):
        for sep in (";", "\t"):
            frame, right = made(f"{about} {of}", "large", of)
            shown = {c: frame[c].map(lambda v: f"{v:,.2f}".replace(",", "g").replace(".", point).replace("g", mark)) for c in frame if c != "species"}
            put("thousands of other countries", f"{about}, {of}, {sep!r}", text(frame.assign(**shown), sep=sep), right)
for kind in ("floats", "mixed", "counts", "tiny", "large"):
    for of in ("words", "from 0", "signs"):
        for options in ({}, {"index": False}, {"index": False, "header": False}):
            frame, right = made(f"print {kind} {of}", kind, of, names=list("abcd"))
            shown = frame.to_string(float_format=lambda v: repr(float(v)), **options)
            put("as pandas prints", f"{kind}, {of}, {options}", shown, right, "t.txt")
for of in ("words", "from 0"):
    for header in (True, False):
        frame, right = made(f"repr {of}", of=of)
        shown = {c: frame[c].map(lambda v: repr(np.float64(v))) for c in frame if c != "species"}
        put("as numpy shows", f"numbers by repr, {of}, {header}", text(frame.assign(**shown), header=header), None, says="text in column")

# Other code pages than 1252: names are other ones, classes are not.
for page, words in {"cp1251": ["кот", "кит", "лиса"], "cp866": ["лис", "лиса", "кот"], "koi8-r": ["кот", "кит", "лиса"], "shift_jis": ["猫", "犬", "鳥"], "gbk": ["猫", "狗", "鸟"], "cp437": ["pap", "papá", "für"], "iso8859-2": ["kočka", "žába", "myš"]}.items():
    for options in ({}, {"sep": ";", "decimal": ","}):
        frame, (x, y) = made(f"{page}, {options}")
        y = [words[WORDS.index(word)] for word in y]
        seen = {word: "".join(chr(b) if b >= 0xA0 or b < 0x80 else bytes([b]).decode("cp1252", "replace").replace("\ufffd", chr(b)) for b in word.encode(page)) for word in words}
        put("other code pages", f"{page}, {options}", text(frame.assign(species=y), **options), (x, [seen[word] for word in y]), encoding=page)
for wide in ("utf-32", "utf-32-be"):
    frame, right = made(wide)
    mark = b"" if wide == "utf-32" else b"\0\0\xfe\xff"
    put("other code pages", wide, mark + text(frame).encode(wide), None, says="UTF-32")

if __name__ == "__main__":
    CASES.report("Tables", ["numpy", "pandas"])
