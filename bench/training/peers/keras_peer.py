"""Trains one model of bench/training with Keras on TensorFlow, round by round.

keras_peer.py MODEL FOLDER: FOLDER has sizes.json, the examples, and the weights to begin with. Each line
"N" on standard input asks for N epochs over the examples; the answer is one line of JSON.
"""

import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import numpy as np
import tensorflow as tf
import keras
from keras import layers

model_name, folder = sys.argv[1], sys.argv[2]
sizes = json.load(open(os.path.join(folder, "sizes.json")))
tf.config.threading.set_intra_op_parallelism_threads(sizes["threads"])
tf.config.threading.set_inter_op_parallelism_threads(sizes["threads"])


def read(name, dtype, shape):
    return np.fromfile(os.path.join(folder, name), dtype=dtype).reshape(shape)


def weight(name, shape):
    return read(f"{name}.weight", np.float32, shape)


labels = read("labels", np.int32, [-1])
width, classes = sizes["width"], sizes["labels"]


def textcnn():
    tokens = keras.Input([sizes["length"]], dtype="int32")
    words = layers.Embedding(sizes["vocabulary"], width, name="embeddings")(tokens)
    tops = []
    for size in sizes["windows"]:
        # Bias and relu commute with the maximum; behind it they are fewer, and Keras gains from it as we do.
        tops.append(
            layers.Activation("relu")(layers.GlobalMaxPooling1D()(
                layers.Conv1D(sizes["filters"], size, use_bias=False, name=f"kernel.{size}")(words))
            )
        )
    features = layers.Activation("relu")(Bias(name="bias")(layers.Concatenate()(tops)))
    return keras.Model(tokens, layers.Dense(classes, name="output")(features))


class Bias(layers.Layer):
    def build(self, shape):
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros", name="bias")

    def call(self, x):
        return x + self.bias


def gru():
    tokens = keras.Input([sizes["length"]], dtype="int32")
    words = layers.Embedding(sizes["vocabulary"], width, name="embeddings")(tokens)
    last = layers.GRU(sizes["units"], name="gru")(words)
    return keras.Model(tokens, layers.Dense(classes, name="output")(last))


def mlp():
    features = keras.Input([sizes["features"]])
    x = features
    for index, units in enumerate(sizes["hidden"]):
        x = layers.Dense(units, activation="relu", name=f"hidden{index}")(x)
    return keras.Model(features, layers.Dense(classes, name="output")(x))


model = {"textcnn": textcnn, "gru": gru, "mlp": mlp}[model_name]()
for layer in model.layers:
    found = [w for w in sizes["weights"] if w["name"].rsplit("/", 1)[0] == layer.name]
    if found:
        layer.set_weights([weight(w["name"].replace("/", "."), w["shape"]) for w in found])
if model_name == "mlp":
    examples = read("features", np.float32, [-1, sizes["features"]])
else:
    examples = read("tokens", np.int32, [-1, sizes["length"]])
model.compile(
    optimizer=keras.optimizers.Adam(sizes["rate"], epsilon=1e-7),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    steps_per_execution=sizes["stepsPerExecution"],
)
print(json.dumps({"version": f"Keras {keras.__version__}, TensorFlow {tf.__version__}"}), flush=True)
for line in sys.stdin:
    epochs = int(line)
    begun = time.perf_counter()
    used = time.process_time()
    history = model.fit(
        examples, labels, batch_size=sizes["batch"], epochs=epochs, shuffle=False, verbose=0
    )
    seconds = time.perf_counter() - begun
    processor_seconds = time.process_time() - used
    done = epochs * len(labels)
    print(
        json.dumps(
            {
                "perSecond": done / seconds,
                "perProcessorSecond": done / processor_seconds,
                "loss": history.history["loss"][-1],
            }
        ),
        flush=True,
    )
