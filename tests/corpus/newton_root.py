"""A root by Newton's method, until it stands."""

import numpy as np


def program(a, b):
    x = 1.0
    while abs(x * np.exp(a * x) - b) > 1e-13:
        x = x - (x * np.exp(a * x) - b) / (np.exp(a * x) * (1 + a * x))
    return x**2


ARGS = (0.7, 3.0)
