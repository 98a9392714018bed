"""How often a random walker visits pages, by a matrix power."""

import numpy as np


def program(links, damping):
    weights = np.exp(links)
    moves = weights / weights.sum(axis=1, keepdims=True)
    moves = damping * moves + (1 - damping) / len(moves)
    visits = np.linalg.matrix_power(moves, 20)[0]
    return -np.sum(visits * np.log(visits))


ARGS = (np.random.default_rng(7).normal(size=(4, 4)), 0.85)
