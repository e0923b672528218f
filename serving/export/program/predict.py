"""Answers rows with the model in this folder.

    python predict.py --text "some text"          (models of texts)
    python predict.py rows.csv                    (or rows.jsonl, or - for JSON lines on standard input)
    python predict.py --check                     (are the answers those of the model that was exported?)

Prints one JSON object for each row. README.md says which packages it needs.
"""
import argparse
import csv
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# What it reads lies beside it, or around it where MLflow wants code in a folder of its own.
FOLDER = HERE if os.path.exists(os.path.join(HERE, "transform.json")) else os.path.dirname(HERE)
sys.path.insert(0, HERE)

try:
    import numpy as np

    from predict_model import Model
    from predict_transform import RowError, Transform
except ModuleNotFoundError as error:
    if __name__ != "__main__":
        raise
    sys.exit(f"predict.py: the package {error.name} is missing; `pip install {error.name}` brings it in (README.md names all)")

BATCH_ROWS = 256
# Of the longest row of a batch times its rows: a long text is answered with few beside it.
BATCH_CHARACTERS = 1 << 16


class Predictor:
    def __init__(self, folder=FOLDER):
        self.transform = Transform(folder)
        self.model = Model(folder)

    def answer(self, rows):
        """rows: dictionaries by column. Gives [rows, labels] probabilities, or [rows] values."""
        parts = [self.model.run(self.transform.inputs(batch)) for batch in batches(rows)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)

    def named(self, rows):
        """The same as one dictionary for each row."""
        answers = self.answer(rows)
        labels = self.transform.labels
        if labels is None:
            return [{"prediction": float(value)} for value in answers]
        return [
            {
                "prediction": labels[int(np.argmax(one))],
                "probabilities": {label: float(share) for label, share in zip(labels, one)},
            }
            for one in answers
        ]

    def predict(self, frame, params=None):
        """For MLflow: a DataFrame with the columns of transform.json, another back with the answers."""
        import pandas as pd

        columns = [column for column in frame.columns]
        records = frame.astype(object).where(frame.notna(), None).values.tolist()
        rows = [{name: plain(value) for name, value in zip(columns, record)} for record in records]
        answers, labels = self.answer(rows), self.transform.labels
        if labels is None:
            return pd.DataFrame({"prediction": answers.astype(np.float64)}, index=frame.index)
        answers = answers.reshape(len(rows), len(labels)).astype(np.float64)
        best = np.array(labels, dtype=object)[answers.argmax(axis=1)]
        shares = {f"probability.{label}": answers[:, at] for at, label in enumerate(labels)}
        return pd.DataFrame({"prediction": best, **shares}, index=frame.index)


def _load_pyfunc(path):
    """What MLflow calls to load the model."""
    return Predictor(path)


def plain(value):
    """A value as JSON has it: NumPy's own numbers and pandas' moments are told by what they hold."""
    if isinstance(value, np.generic):
        return value.item()
    return value.isoformat() if hasattr(value, "isoformat") else value


def batches(rows):
    batch, longest = [], 0
    for row in rows:
        length = sum(len(value) for value in row.values() if isinstance(value, str))
        if batch and (len(batch) == BATCH_ROWS or max(longest, length) * (len(batch) + 1) > BATCH_CHARACTERS):
            yield batch
            batch, longest = [], 0
        batch.append(row)
        longest = max(longest, length)
    if batch:
        yield batch


def read_rows(path, columns):
    file = sys.stdin if path == "-" else open(path, encoding="utf-8-sig", errors="replace", newline="")
    with file:
        if not path.lower().endswith(".csv"):
            return [json.loads(line) for line in file.read().split("\n") if line.strip() != ""]
        csv.field_size_limit(sys.maxsize)
        reader = csv.DictReader(file)
        absent = [column for column in columns if column not in (reader.fieldnames or [])]
        if absent:
            raise RowError(f'{path} has no column "{absent[0]}"; it has {", ".join(reader.fieldnames or [])}')
        return list(reader)


def check(predictor):
    with open(os.path.join(FOLDER, "example.json"), encoding="utf-8") as file:
        example = json.load(file)
    expected = np.array(example["expected"], dtype=np.float64)
    found = predictor.answer(example["inputs"]).astype(np.float64).reshape(expected.shape)
    off = np.abs(found - expected) / np.maximum(example["scale"], np.abs(expected))
    most = float(off.max())
    holds = most <= example["tolerance"]
    print(json.dumps({"rows": len(example["inputs"]), "largestDifference": most, "equal": holds}))
    return 0 if holds else 1


def main():
    parser = argparse.ArgumentParser(description="Answers rows with the model in this folder.")
    parser.add_argument("file", nargs="?", help="rows.csv, rows.jsonl, or - for JSON lines")
    parser.add_argument("--text", action="append", default=[], help="a text; may be given again")
    parser.add_argument("--check", action="store_true", help="compare with example.json")
    given = parser.parse_args()
    predictor = Predictor()
    if given.check:
        return check(predictor)
    columns = predictor.transform.columns
    rows = [{columns[0]: text} for text in given.text]
    if given.file is not None:
        rows += read_rows(given.file, columns)
    if not rows and given.file is None:
        parser.error("give --text, a file, or --check")
    for batch in batches(rows):
        for answer in predictor.named(batch):
            print(json.dumps(answer, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RowError, OSError, json.JSONDecodeError) as error:
        sys.exit(f"predict.py: {error}")
