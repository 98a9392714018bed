"""The length of a natural cubic spline through points."""

import numpy as np

X = np.array([0.0, 0.7, 1.5, 2.1, 3.0])


def program(y):
    n = len(X)
    h = np.diff(X)
    A = np.eye(n)
    b = np.zeros_like(y)
    for i in range(1, n - 1):
        A[i, i - 1], A[i, i], A[i, i + 1] = h[i - 1], 2 * (h[i - 1] + h[i]), h[i]
        b[i] = 3 * ((y[i + 1] - y[i]) / h[i] - (y[i] - y[i - 1]) / h[i - 1])
    c = np.linalg.solve(A, b)
    slopes = (y[1:] - y[:-1]) / h - h * (2 * c[:-1] + c[1:]) / 3
    d = (c[1:] - c[:-1]) / (3 * h)
    t = np.linspace(0.01, 0.99, 9)[:, None] * h
    steep = slopes + 2 * c[:-1] * t + 3 * d * t**2
    return np.sum(np.sqrt(1 + steep**2) * h) / 9


ARGS = (np.array([0.0, 1.0, 0.5, -0.4, 0.3]),)
