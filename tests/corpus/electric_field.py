"""A potential between plates by Jacobi's iteration with np.roll, and its energy."""

import numpy as np


def program(charge, left, right):
    v = np.zeros_like(charge)
    for _ in range(15):
        v = 0.25 * (np.roll(v, 1, 0) + np.roll(v, -1, 0) + np.roll(v, 1, 1) + np.roll(v, -1, 1) + charge)
        v[:, 0] = left
        v[:, -1] = right
    ey, ex = np.gradient(v)
    return np.sum(ex**2 + ey**2)


ARGS = (np.random.default_rng(4).normal(size=(5, 5)), 1.0, -0.5)
