"""Handwritten digits with scikit-learn: prints accuracy=NUMBER after each pass, which is all a sweep needs."""

import argparse
import warnings

from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float, default=0.001)
parser.add_argument("--hidden", type=int, default=32)
parser.add_argument("--activation", default="relu")
parser.add_argument("--alpha", type=float, default=0.0001)
parser.add_argument("--epochs", type=int, default=10)
options = parser.parse_args()

warnings.filterwarnings("ignore", category=ConvergenceWarning)
images, labels = load_digits(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(
    images / 16, labels, test_size=0.3, random_state=0, stratify=labels
)
network = MLPClassifier(
    hidden_layer_sizes=(options.hidden,),
    activation=options.activation,
    learning_rate_init=options.learning_rate,
    alpha=options.alpha,
    max_iter=1,
    warm_start=True,
    random_state=0,
)
for epoch in range(options.epochs):
    network.fit(train_x, train_y)
    print(f"epoch={epoch + 1} accuracy={network.score(test_x, test_y):.4f}", flush=True)
