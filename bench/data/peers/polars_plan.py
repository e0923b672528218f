"""The bench's plan with polars: read, map the class, join and clean the texts, drop repeats, split by hash, write
Parquet, and the same statistics. Prints one line of JSON. Usage: polars_plan.py CSV OUT."""

import json
import resource
import sys
import time

import polars as pl

CLASSES = {1: "World", 2: "Sports", 3: "Business", 4: "Sci/Tech"}
QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
SCANNED_ROWS = 20_000
ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": "\u00a0", "&amp;": "&"}
EMAIL = r"(?i)[\w.+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,24}"
PHONE = r"(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[ .-]\d{4}"


def clean(text):
    text = text.str.replace_many(list(ENTITIES), list(ENTITIES.values()))
    text = text.str.replace_all(r"<!--[\s\S]*?-->|</?[A-Za-z][^<>]*>", " ")
    text = text.str.replace_all("\\", " ", literal=True)
    return text.str.replace_all(r"\s+", " ").str.strip_chars().str.normalize("NFC")


def normalise(text):
    text = text.str.normalize("NFKC").str.to_lowercase()
    return text.str.replace_all(r"\d", "0").str.replace_all(r"\s+", " ").str.strip_chars()


def distribution(values):
    return {
        "count": len(values),
        "min": values.min(),
        "max": values.max(),
        "mean": values.mean(),
        "sd": values.std(),
        "quantiles": [values.quantile(share) for share in QUANTILES],
        "histogram": values.hist(bin_count=20).to_dict(as_series=False),
    }


def main(source, target):
    began = time.perf_counter()
    rows = pl.read_csv(source)
    read = rows.height
    rows = rows.lazy().select(
        text=clean(pl.col("title") + ". " + pl.col("description")),
        label=pl.col("class").replace_strict(CLASSES, return_dtype=pl.String),
    )
    rows = rows.with_columns(key=normalise(pl.col("text")).hash(seed=1)).collect()
    conflicts = rows.group_by("key").agg(pl.col("label").n_unique()).filter(pl.col("label") > 1).height
    rows = rows.unique("key", keep="first", maintain_order=True)
    draw = pl.col("key") % 10
    rows = rows.with_columns(split=pl.when(draw < 8).then(pl.lit("train")).when(draw == 8).then(pl.lit("validation")).otherwise(pl.lit("test")))
    rows.select("split", "text", "label").write_parquet(target, compression="zstd")
    built = time.perf_counter()

    text = rows["text"]
    sample = text.sample(min(SCANNED_ROWS, len(text)), seed=1)
    repeats = rows.group_by("key").agg(
        rows=pl.len(), labels=pl.col("label").n_unique(), splits=pl.col("split").n_unique()
    )
    statistics = {
        "missing": text.null_count(),
        "distinct": text.n_unique(),
        "frequent": text.value_counts(sort=True).head(10).to_dicts(),
        "characters": distribution(text.str.len_chars()),
        "words": distribution(text.str.count_matches(" ", literal=True) + 1),
        "labels": rows.group_by("split", "label").len().to_dicts(),
        "repeats": repeats.filter(pl.col("rows") > 1).height,
        "conflicting": repeats.filter(pl.col("labels") > 1).height,
        "leaking": repeats.filter(pl.col("splits") > 1).height,
        "email": int(sample.str.contains(EMAIL).sum()),
        "phone": int(sample.str.contains(PHONE).sum()),
        "replacement": int(sample.str.contains("\ufffd", literal=True).sum()),
    }
    ended = time.perf_counter()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "rows": read,
                "kept": rows.height,
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
