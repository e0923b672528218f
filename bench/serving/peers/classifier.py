"""What the peers share: the pipeline, loaded once, answering a list of texts with labels and probabilities."""
import os

import joblib


class Classifier:
    def __init__(self):
        self.pipeline = joblib.load(os.path.join(os.environ["PEER_MODEL"], "model.joblib"))
        self.labels = self.pipeline.classes_.tolist()

    def answer(self, texts):
        probabilities = self.pipeline.predict_proba(texts)
        best = probabilities.argmax(axis=1)
        return [{"label": self.labels[at], "probabilities": row} for at, row in zip(best, probabilities.tolist())]
