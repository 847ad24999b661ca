"""One fold by Weka, with the standard library alone: ``python weka_fold.py CLASSPATH CLASSIFIER [OPTION ...]``."""

import csv
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

WRITER = "weka.classifiers.evaluation.output.prediction.CSV -distribution -decimals 12 -file {}"


def read(path: str) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a CSV file."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return header, rows


def is_number(text: str) -> bool:
    """Whether a cell holds a number, or nothing."""
    if not text:
        return True
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def quote(text: str) -> str:
    """Write a name or a label as ARFF has it; nothing is a missing value."""
    return "'" + re.sub(r"([\\'%])", r"\\\1", text).replace("\n", "\\n") + "'" if text else "?"


def write_arff(
    path: str, names: list[str], kinds: list[list[str] | None], rows: Iterable[list[str]], weights: Iterable[str] = ()
) -> None:
    """Write a file of Weka's; the weight of a row ends its line, where there are weights."""
    ends = (f",{{{weight}}}" for weight in weights)
    with Path(path).open("w", encoding="utf-8") as file:
        file.write("@relation fold\n")
        for name, labels in zip(names, kinds, strict=True):
            kind = "numeric" if labels is None else "{" + ",".join(map(quote, labels)) + "}"
            file.write(f"@attribute {quote(name)} {kind}\n")
        file.write("@data\n")
        for row in rows:
            cells = ((cell or "?") if labels is None else quote(cell) for cell, labels in zip(row, kinds, strict=True))
            file.write(",".join(cells) + next(ends, "") + "\n")


def require_weights(classpath: str, classifier: str) -> None:
    """Refuse a classifier that would pass weights over in silence: those that use them say so by an interface."""
    command = ["java", "-cp", classpath, "weka.core.ClassDiscovery", "weka.core.WeightedInstancesHandler"]
    found = subprocess.run([*command, classifier.rpartition(".")[0]], capture_output=True, text=True, check=False)  # noqa: S603
    if classifier not in found.stdout.split():
        sys.exit(f"Weka's {classifier} takes no weights: leave sample_weight= out, or use another one")


def main(classpath: str, classifier: str, *options: str) -> None:
    """Fit, predict, and write the output."""
    request = json.load(sys.stdin)
    header, train = read(request["train"])
    test_header, test = read(request["test"])
    target = header.index(request["target"])
    weight = header.index(request["sample_weight"]) if request["sample_weight"] else None
    if weight is not None:
        require_weights(classpath, classifier)
    features = [i for i in range(len(header)) if i not in (target, weight)]
    order = [test_header.index(header[i]) for i in features]
    row_id = test_header.index("row_id")
    kinds: list[list[str] | None] = []
    for i, j in zip(features, order, strict=True):
        values = [row[i] for row in train] + [row[j] for row in test]
        kinds.append(None if all(map(is_number, values)) else sorted(set(values) - {""}))
    labels = None if request["classes"] is None else list(dict.fromkeys(row[target] for row in train))
    names = [header[i] for i in features] + [request["target"]]
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, name)) for name in ("train.arff", "test.arff", "answers.csv")]
        rows = ([*(row[i] for i in features), row[target]] for row in train)
        write_arff(paths[0], names, [*kinds, labels], rows, () if weight is None else (row[weight] for row in train))
        write_arff(paths[1], names, [*kinds, labels], ([*(row[j] for j in order), ""] for row in test))
        command = ["java", "--add-opens", "java.base/java.lang=ALL-UNNAMED", "-cp", classpath, classifier]
        command += ["-t", paths[0], "-T", paths[1], "-c", "last", "-classifications", WRITER.format(paths[2])]
        command += [option.replace("{seed}", str(request["seed"])) for option in options]
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, env=os.environ | {"WEKA_HOME": folder}
        )
        # Weka ends with 0 where it fails: what it wrote has to tell
        if done.returncode or not Path(paths[2]).exists():
            said = (done.stderr + done.stdout).strip() or f"exit code {done.returncode}"
            lines = [line for line in said.splitlines() if line.strip()]  # its usage, at length, comes last
            sys.exit("\n".join(["Weka wrote no predictions.", *lines[:5]]))
        _, answers = read(paths[2])
    answers = [answer for answer in answers if answer]
    if len(answers) != len(test):
        sys.exit(f"Weka wrote {len(answers)} predictions for {len(test)} rows")
    with Path(request["output"]).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row_id", "prediction", *(f"probability_{label}" for label in labels or ())])
        for row, answer in zip(test, answers, strict=True):
            if labels is None:
                writer.writerow([row[row_id], answer[2]])
            else:  # 1:label, counted from 1; the distribution ends the line, a star before the largest
                place = int(answer[2].partition(":")[0]) - 1
                shares = [float(share.lstrip("*")) for share in answer[-len(labels) :]]
                writer.writerow([row[row_id], labels[place], *(share / sum(shares) for share in shares)])


if __name__ == "__main__":
    main(*sys.argv[1:])
