"""train.py TREC_FOLDER OUT: the peers' classifier, TF-IDF over words and word pairs with logistic regression, and MLServer's settings."""
import json
import pathlib
import sys

import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
pairs = [line.split(" ", 1) for line in (folder / "train.txt").read_text("latin-1").splitlines() if line]
pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=30, max_iter=1000))
pipeline.fit([text for _, text in pairs], [label for label, _ in pairs])
joblib.dump(pipeline, out / "model.joblib")

settings = out / "mlserver"
settings.mkdir(exist_ok=True)
(settings / "model-settings.json").write_text(
    json.dumps(
        {
            "name": "trec",
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": str((out / "model.joblib").resolve()), "version": "v1"},
        }
    )
)
