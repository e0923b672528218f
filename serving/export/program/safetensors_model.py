"""The model with NumPy: graph.json says what is done with the weights of model.safetensors."""
import os

from predict_graph import Graph
from safetensors.numpy import load_file


class Model(Graph):
    def __init__(self, folder):
        super().__init__(folder, load_file(os.path.join(folder, "model.safetensors")))
