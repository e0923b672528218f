"""BentoML, one worker, without batching."""
import bentoml
from classifier import Classifier


@bentoml.service(workers=1, traffic={"timeout": 60, "max_concurrency": 1000})
class Trec:
    def __init__(self):
        self.classifier = Classifier()

    @bentoml.api
    def predict(self, texts: list[str]) -> list[dict]:
        return self.classifier.answer(texts)
