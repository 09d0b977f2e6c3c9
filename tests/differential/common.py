"""Files whose content is known, read by wowflow and compared coordinate by coordinate."""
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import zlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]


def generator(name):
    """Random numbers that depend on the name of a case alone."""
    return np.random.default_rng(zlib.crc32(name.encode()))


class Cases:
    """Cases in groups, each a dataset's name and what is right, up to `slack`.

    `right` is (rows, labels), or several such pairs of which each is right. `unclear`: a person could not know either, a
    refusal is right, too. Without `right` there is nothing to read: a refusal is the one right answer. `says` stands in
    a refusal.
    """

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.cases = []

    def path(self, ending):
        folder = self.folder / str(len(self.cases))
        folder.mkdir()
        return folder / ending

    def add(self, group, about, path, right=None, options="", unclear=False, says="", slack=0):
        right = [] if right is None else right if isinstance(right, list) else [right]
        self.cases.append((group, about, f"{path}{options}", right, unclear or not right, says, slack))

    def read(self):
        """What wowflow says to every case."""
        reader = os.environ.get("READ_DATASETS") or ROOT / "target/release/examples/read_datasets"
        names = self.folder / "names.txt"
        names.write_text("".join(f"{case[2]}\n" for case in self.cases))
        out = subprocess.run([reader, "-f", names], capture_output=True, check=True, timeout=600).stdout
        return [json.loads(line) for line in out.decode().splitlines()]

    def faults(self):
        """Counts of every group, and a line for each fault."""
        counts, faults, refused = {}, [], []
        found = self.read()
        assert len(found) == len(self.cases)
        for (group, about, name, right, may_refuse, says, slack), found in zip(self.cases, found):
            row = counts.setdefault(group, {"files": 0, "read": 0, "refused": 0, "wrong": 0, "refused wrongly": 0})
            row["files"] += 1
            error = found.get("error")
            if error is None:
                why = [differs(found, slack, *pair) for pair in right] or ["read, where there is nothing to read"]
                wrong = None if None in why else why[0]
                row["wrong" if wrong else "read"] += 1
                if wrong:
                    faults.append(f"{group}, {about}: {wrong} [{found['description']}] {name}")
            else:
                good = may_refuse and says in error and "\n" not in error
                row["refused" if good else "refused wrongly"] += 1
                (refused if good else faults).append(f"{group}, {about}: {error}")
        return counts, faults, refused

    def report(self, title, packages):
        """Prints what was found; with `--write FILE` puts it there. Ends with 1 where there are faults."""
        counts, faults, refused = self.faults()
        if "--refusals" in sys.argv:
            print("\n".join(f"refused: {line}" for line in refused))
        print("\n".join(f"FAULT: {line}" for line in faults))
        total = {key: sum(row[key] for row in counts.values()) for key in next(iter(counts.values()))}
        print(f"{title}: {json.dumps(total)}")
        if "--write" in sys.argv:
            place = pathlib.Path(sys.argv[sys.argv.index("--write") + 1])
            versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
            lines = [
                f"# {title}",
                "",
                f"By `tests/differential/{pathlib.Path(sys.argv[0]).name}`, {datetime.date.today()}, "
                f"Python {platform.python_version()}, {versions}.",
                "",
                "Files of known content. Refused: there is nothing to read, or a person could not know either how.",
                "",
                "| files | written | read right | refused rightly | read wrong | refused wrongly |",
                "| --- | --- | --- | --- | --- | --- |",
            ]
            for name, row in [*counts.items(), ("all", total)]:
                lines.append("| " + " | ".join([name, *(str(value) for value in row.values())]) + " |")
            place.write_text("\n".join(lines) + "\n")
        sys.exit(bool(faults))


def differs(found, slack, rows, labels, weights=None):
    """What is other than it should be; `None` if nothing is."""
    rows = np.asarray(rows, float)
    if rows.ndim == 1:
        rows = rows[:, None]
    if [str(label) for label in found["labels"]] != [str(label) for label in labels]:
        pairs = ((a, b) for a, b in zip(found["labels"], labels) if str(a) != str(b))
        return f"labels {next(pairs, (len(found['labels']), len(labels)))}"
    read = np.asarray(found["rows"], float)
    if read.shape != rows.shape:
        return f"shape {read.shape} for {rows.shape}"
    if not np.all(np.abs(read - rows) <= slack):
        at = tuple(np.argwhere(~(np.abs(read - rows) <= slack))[0])
        return f"{read[at]!r} for {rows[at]!r} at {tuple(int(k) for k in at)}"
    if weights is not None and not np.array_equal(found["weights"], weights):
        return f"weights {found['weights']}"
    return None
