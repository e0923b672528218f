"""litserve_app.py PORT: LitServe, one process that listens and one worker."""
import sys

import litserve
from classifier import Classifier


class Trec(litserve.LitAPI):
    def setup(self, device):
        self.classifier = Classifier()

    def decode_request(self, request):
        return request["texts"]

    def predict(self, texts):
        return self.classifier.answer(texts)

    def encode_response(self, answers):
        return answers


if __name__ == "__main__":
    server = litserve.LitServer(Trec(), accelerator="cpu", devices=1, workers_per_device=1, timeout=60)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False, log_level="warning")
