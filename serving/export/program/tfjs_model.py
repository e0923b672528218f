"""The model with NumPy: graph.json says what is done with the weights that model.json lists."""
import json
import os

import numpy as np
from predict_graph import Graph


class Model(Graph):
    def __init__(self, folder):
        super().__init__(folder, read_weights(folder))


def read_weights(folder):
    with open(os.path.join(folder, "model.json"), encoding="utf-8") as file:
        (group,) = json.load(file)["weightsManifest"]
    raw = b"".join(open(os.path.join(folder, path), "rb").read() for path in group["paths"])
    weights, at = {}, 0
    for entry in group["weights"]:
        kind = np.dtype("<f4" if entry["dtype"] == "float32" else "<i4")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        weights[entry["name"]] = np.frombuffer(raw, kind, count, at).reshape(entry["shape"])
        at += count * kind.itemsize
    return weights
