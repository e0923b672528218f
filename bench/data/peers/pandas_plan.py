"""The bench's plan with pandas: read, map the class, join and clean the texts, drop repeats, split by hash, write
Parquet, and the same statistics. Prints one line of JSON. Usage: pandas_plan.py CSV OUT."""

import json
import re
import resource
import sys
import time

import numpy as np
import pandas as pd

CLASSES = {1: "World", 2: "Sports", 3: "Business", 4: "Sci/Tech"}
QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
SCANNED_ROWS = 20_000
ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": "\u00a0", "&amp;": "&"}
EMAIL = re.compile(r"[\w.+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,24}", re.IGNORECASE)
PHONE = re.compile(r"(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[ .-]\d{4}")


def clean(text):
    for entity, character in ENTITIES.items():
        text = text.str.replace(entity, character, regex=False)
    text = text.str.replace(r"<!--[\s\S]*?-->|</?[A-Za-z][^<>]*>", " ", regex=True)
    text = text.str.replace("\\", " ", regex=False)
    text = text.str.replace(r"\s+", " ", regex=True).str.strip()
    return text.str.normalize("NFC")


def normalise(text):
    text = text.str.normalize("NFKC").str.lower()
    return text.str.replace(r"\d", "0", regex=True).str.replace(r"\s+", " ", regex=True).str.strip()


def distribution(values):
    counts, edges = np.histogram(values, bins=20)
    return {
        "count": int(values.size),
        "min": float(values.min()),
        "max": float(values.max()),
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)),
        "quantiles": [float(value) for value in np.quantile(values, QUANTILES)],
        "histogram": [counts.tolist(), edges.tolist()],
    }


def main(source, target):
    began = time.perf_counter()
    rows = pd.read_csv(source)
    read = len(rows)
    rows["label"] = rows["class"].map(CLASSES)
    rows["text"] = clean(rows["title"] + ". " + rows["description"])
    key = pd.util.hash_pandas_object(normalise(rows["text"]), index=False)
    rows = rows[["text", "label"]].assign(key=key)
    labels_of_key = rows.groupby("key")["label"].nunique()
    conflicts = int((labels_of_key > 1).sum())
    rows = rows.drop_duplicates("key", keep="first")
    draw = rows["key"].to_numpy() % 10
    rows["split"] = np.where(draw < 8, "train", np.where(draw == 8, "validation", "test"))
    rows[["split", "text", "label"]].to_parquet(target, compression="zstd", index=False)
    built = time.perf_counter()

    text = rows["text"]
    sample = text.sample(min(SCANNED_ROWS, len(text)), random_state=1)
    repeats = rows.groupby("key").agg(rows=("text", "size"), labels=("label", "nunique"), splits=("split", "nunique"))
    statistics = {
        "missing": int(text.isna().sum()),
        "distinct": int(text.nunique()),
        "frequent": text.value_counts().head(10).to_dict(),
        "characters": distribution(text.str.len().to_numpy()),
        "words": distribution(text.str.count(" ").to_numpy() + 1),
        "labels": rows.groupby(["split", "label"]).size().unstack().to_dict(),
        "repeats": int((repeats["rows"] > 1).sum()),
        "conflicting": int((repeats["labels"] > 1).sum()),
        "leaking": int((repeats["splits"] > 1).sum()),
        "email": int(sample.map(lambda each: EMAIL.search(each) is not None).sum()),
        "phone": int(sample.map(lambda each: PHONE.search(each) is not None).sum()),
        "replacement": int(sample.str.contains("\ufffd", regex=False).sum()),
    }
    ended = time.perf_counter()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "rows": read,
                "kept": len(rows),
                "conflicts": conflicts,
                "buildSeconds": built - began,
                "profileSeconds": ended - built,
                "processorSeconds": usage.ru_utime + usage.ru_stime,
                "peakMiB": usage.ru_maxrss / 1024,
                "meanCharacters": statistics["characters"]["mean"],
                "meanWords": statistics["words"]["mean"],
            }
        )
    )


main(sys.argv[1], sys.argv[2])
