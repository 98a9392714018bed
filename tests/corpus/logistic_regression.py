"""A regularised logistic regression after five steps of Newton's method."""

import numpy as np

_rng = np.random.default_rng(5)
X = np.c_[np.ones(12), _rng.normal(size=(12, 2))]
Y = (X @ np.array([0.2, 1.0, -1.5]) + _rng.normal(size=12) > 0).astype(float)


def program(penalty, weights):
    w = weights
    for _ in range(5):
        p = 1 / (1 + np.exp(-X @ w))
        gradient = X.T @ (p - Y) + penalty * w
        curvature = X.T @ (X * (p * (1 - p))[:, None]) + penalty * np.eye(3)
        w = w - np.linalg.solve(curvature, gradient)
    return np.sum(w**2)


ARGS = (0.7, np.array([0.1, -0.1, 0.2]))
