"""The potential energy of bodies, all pairs at once, and the largest force."""

import numpy as np


def program(positions, masses):
    apart = positions[:, None] - positions[None]
    squares = np.sum(apart**2, axis=-1)
    np.fill_diagonal(squares, 1.0)
    pairs = np.outer(masses, masses) / np.sqrt(squares)
    np.fill_diagonal(pairs, 0.0)
    forces = np.sum((pairs / squares)[..., None] * apart, axis=1)
    return -0.5 * np.sum(pairs) + 0.1 * np.max(np.linalg.norm(forces, axis=1))


_rng = np.random.default_rng(6)
ARGS = (_rng.normal(size=(5, 3)), _rng.uniform(0.5, 2, size=5))
