"""Heat in a rod, stepped in place."""

import numpy as np


def program(temperature, conductivity):
    u = temperature.copy()
    for _ in range(10):
        u[1:-1] += conductivity * (u[2:] - 2 * u[1:-1] + u[:-2])
        u[0] = u[1]
        u[-1] *= 0.95
    return np.sum(u**2)


ARGS = (np.array([1.0, 3.0, 2.0, 0.5, 0.1, 0.9]), 0.21)
