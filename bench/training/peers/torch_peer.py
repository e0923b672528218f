"""Trains one model of bench/training with PyTorch, round by round; see keras_peer.py for what goes in and out."""

import json
import os
import sys
import time

import numpy as np
import torch
from torch import nn

model_name, folder = sys.argv[1], sys.argv[2]
sizes = json.load(open(os.path.join(folder, "sizes.json")))
torch.set_num_threads(sizes["threads"])


def read(name, dtype, shape):
    return torch.from_numpy(np.fromfile(os.path.join(folder, name), dtype=dtype).reshape(shape))


def weight(name):
    shape = next(w["shape"] for w in sizes["weights"] if w["name"] == name)
    return read(f"{name.replace('/', '.')}.weight", np.float32, shape)


def put(parameter, value):
    with torch.no_grad():
        parameter.copy_(value)


labels = read("labels", np.int32, [-1]).long()
width, classes = sizes["width"], sizes["labels"]


def output(inputs):
    layer = nn.Linear(inputs, classes)
    put(layer.weight, weight("output/kernel").T)
    put(layer.bias, weight("output/bias"))
    return layer


def embedding():
    layer = nn.Embedding(sizes["vocabulary"], width)
    put(layer.weight, weight("embeddings/table"))
    return layer


class TextCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = embedding()
        self.kernels = nn.ModuleList()
        for size in sizes["windows"]:
            kernel = nn.Conv1d(width, sizes["filters"], size, bias=False)
            put(kernel.weight, weight(f"kernel.{size}/kernel").permute(2, 1, 0))
            self.kernels.append(kernel)
        self.bias = nn.Parameter(torch.zeros(sizes["filters"] * len(sizes["windows"])))
        self.output = output(sizes["filters"] * len(sizes["windows"]))

    def forward(self, tokens):
        words = self.table(tokens).transpose(1, 2)
        tops = [torch.relu(kernel(words).amax(2)) for kernel in self.kernels]
        return self.output(torch.relu(torch.cat(tops, 1) + self.bias))


class Gru(nn.Module):
    """Its gates come in the order r, z, n; ours and Keras's in the order z, r, n."""

    def __init__(self):
        super().__init__()
        units = sizes["units"]
        self.table = embedding()
        self.gru = nn.GRU(width, units, batch_first=True)

        def gates(value):
            z, r, n = value.split(units, -1)
            return torch.cat([r, z, n], -1)

        put(self.gru.weight_ih_l0, gates(weight("gru/kernel")).T)
        put(self.gru.weight_hh_l0, gates(weight("gru/recurrent")).T)
        bias = gates(weight("gru/bias"))
        put(self.gru.bias_ih_l0, bias[0])
        put(self.gru.bias_hh_l0, bias[1])
        self.output = output(units)

    def forward(self, tokens):
        states, _ = self.gru(self.table(tokens))
        return self.output(states[:, -1])


def mlp():
    parts = []
    inputs = sizes["features"]
    for index, units in enumerate(sizes["hidden"]):
        layer = nn.Linear(inputs, units)
        put(layer.weight, weight(f"hidden{index}/kernel").T)
        put(layer.bias, weight(f"hidden{index}/bias"))
        parts += [layer, nn.ReLU()]
        inputs = units
    return nn.Sequential(*parts, output(inputs))


model = {"textcnn": TextCnn, "gru": Gru, "mlp": mlp}[model_name]()
if model_name == "mlp":
    examples = read("features", np.float32, [-1, sizes["features"]])
else:
    examples = read("tokens", np.int32, [-1, sizes["length"]])
optimizer = torch.optim.Adam(model.parameters(), lr=sizes["rate"], eps=1e-7)
criterion = nn.CrossEntropyLoss()
batch = sizes["batch"]
print(json.dumps({"version": f"PyTorch {torch.__version__}"}), flush=True)
for line in sys.stdin:
    epochs = int(line)
    begun = time.perf_counter()
    used = time.process_time()
    for _ in range(epochs):
        total = 0.0
        for at in range(0, len(labels), batch):
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(examples[at : at + batch]), labels[at : at + batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels[at : at + batch])
    seconds = time.perf_counter() - begun
    processor_seconds = time.process_time() - used
    done = epochs * len(labels)
    print(
        json.dumps({
                "perSecond": done / seconds,
                "perProcessorSecond": done / processor_seconds,
                "loss": total / len(labels),
            }),
        flush=True,
    )
