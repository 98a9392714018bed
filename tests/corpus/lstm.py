"""A recurrent cell with gates, over a short series."""

import numpy as np


def sigmoid(x):
    return 0.5 * (np.tanh(x / 2) + 1)


def program(parameters, series):
    h, c = np.zeros(3), np.zeros(3)
    for x in series:
        gates = parameters["W"] @ np.append(h, x) + parameters["b"]
        forget, enter, out, new = np.split(gates, 4)
        c = sigmoid(forget) * c + sigmoid(enter) * np.tanh(new)
        h = sigmoid(out) * np.tanh(c)
    return np.sum(h * parameters["v"])


_rng = np.random.default_rng(8)
ARGS = (
    {"W": _rng.normal(size=(12, 4)), "b": _rng.normal(size=12), "v": _rng.normal(size=3)},
    np.array([0.3, -0.8, 1.2, 0.1]),
)
