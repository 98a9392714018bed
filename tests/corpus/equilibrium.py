"""A chemical equilibrium by a damped fixed point, until it stands."""

import numpy as np


def program(constant, total):
    bound = 0.0
    for _ in range(500):
        free = total - bound
        new = constant * free**2 / (1 + constant * free)
        if abs(new - bound) < 1e-14:
            break
        bound = bound + 0.5 * (new - bound)
    return np.sqrt(bound) * total


ARGS = (2.3, 1.7)
