"""The bench's file answered with scikit-learn: TF-IDF of words and word pairs and a logistic regression, learned from the
questions of TRAIN, then every row of CSV in blocks, written to OUT with its probabilities. Prints one line of JSON.
Usage: sklearn_rows.py TRAIN CSV OUT (TRAIN: lines of a label, a space, a question)."""

import csv
import json
import resource
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

BLOCK = 10_000


def main():
    train, source, out = sys.argv[1:]
    with open(train, encoding="latin-1") as lines:
        rows = [line.rstrip("\n").split(" ", 1) for line in lines if line.strip()]
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=30, max_iter=1000))
    model.fit([text for _, text in rows], [label for label, _ in rows])
    labels = list(model.classes_)
    before = time.process_time()
    began = time.perf_counter()
    count = right = 0
    with open(source, newline="", encoding="utf-8") as given, open(out, "w", newline="", encoding="utf-8") as made:
        reader, writer = csv.reader(given), csv.writer(made)
        header = next(reader)
        text_at, label_at = header.index("text"), header.index("label")
        writer.writerow([*header, "prediction", *(f"probability.{label}" for label in labels)])
        block = []

        def answer():
            nonlocal count, right
            probabilities = model.predict_proba([row[text_at] for row in block])
            for row, own in zip(block, probabilities.tolist()):
                best = labels[own.index(max(own))]
                right += best == row[label_at]
                writer.writerow([*row, best, *(f"{one:.6f}" for one in own)])
            count += len(block)
            block.clear()

        for row in reader:
            block.append(row)
            if len(block) == BLOCK:
                answer()
        if block:
            answer()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({
        "rows": count,
        "seconds": seconds,
        "processorSeconds": time.process_time() - before,
        "rssMiB": peak,
        "accuracy": right / count,
    }))


main()
