"""Arithmetic of a model with NumPy: graph.json says what is done, in ONNX's words."""
import json
import os

import numpy as np

TYPES = {"float32": np.float32, "float64": np.float64, "int64": np.int64, "bool": np.bool_}


class Graph:
    def __init__(self, folder, weights):
        with open(os.path.join(folder, "graph.json"), encoding="utf-8") as file:
            self.graph = json.load(file)
        self.values = dict(weights)
        for name, scalar in self.graph["scalars"].items():
            self.values[name] = TYPES[scalar["type"]](scalar["value"])

    def run(self, inputs):
        """inputs: arrays by name. Gives [rows, labels] probabilities or [rows] values."""
        values = {**self.values, **inputs}
        with np.errstate(over="ignore", under="ignore"):
            for node in self.graph["nodes"]:
                values[node["output"]] = compute(node, [values[name] for name in node["inputs"]])
        return values[self.graph["output"]["name"]]


def softmax(x):
    risen = np.exp(x - x.max(axis=-1, keepdims=True))
    return risen / risen.sum(axis=-1, keepdims=True)


def sigmoid(x):
    # Halves of tanh, which overflows nowhere.
    return (np.tanh(x * x.dtype.type(0.5)) + x.dtype.type(1)) * x.dtype.type(0.5)


PLAIN = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Max": np.maximum,
    "Min": np.minimum,
    "Less": np.less,
    "Greater": np.greater,
    "Equal": np.equal,
    "MatMul": np.matmul,
    "Relu": lambda x: np.maximum(x, x.dtype.type(0)),
    "Tanh": np.tanh,
    "Sigmoid": sigmoid,
    "Exp": np.exp,
    "Log": np.log,
    "Sqrt": np.sqrt,
    "Reciprocal": np.reciprocal,
    "Softmax": softmax,
    "Gather": lambda table, rows: table[rows],
}
REDUCE = {"ReduceSum": np.sum, "ReduceMean": np.mean, "ReduceMax": np.max, "ReduceMin": np.min}


def compute(node, given):
    op = node["op"]
    if op in PLAIN:
        return PLAIN[op](*given)
    if op in REDUCE:
        return REDUCE[op](given[0], axis=tuple(node["axes"]), keepdims=node["keepAxes"])
    if op == "CumSum":
        return np.cumsum(given[0], axis=node["axis"], dtype=given[0].dtype)
    if op == "Cast":
        return given[0].astype(TYPES[node["to"]])
    if op == "Transpose":
        return np.transpose(given[0], node["permutation"])
    if op == "Reshape":
        return np.reshape(given[0], node["shape"])
    if op == "Concat":
        return np.concatenate(given, axis=node["axis"])
    if op == "Slice":
        cut = [slice(None)] * given[0].ndim
        for axis, start, end in zip(node["axes"], node["starts"], node["ends"]):
            cut[axis] = slice(start, end)
        return given[0][tuple(cut)]
    raise ValueError(f"graph.json has an operation {op} that this program does not know")
