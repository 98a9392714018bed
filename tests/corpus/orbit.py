"""A planet by leapfrog steps; where it is in the end."""

import numpy as np


def program(position, velocity, mass):
    def pull(x):
        return -mass * x / np.linalg.norm(x) ** 3

    h = 0.03
    path = []
    for _ in range(20):
        velocity = velocity + h / 2 * pull(position)
        position = position + h * velocity
        velocity = velocity + h / 2 * pull(position)
        path.append(position)
    return np.sum(np.stack(path)[::5] ** 2) + np.arctan2(position[1], position[0])


ARGS = (np.array([1.0, 0.1]), np.array([-0.2, 1.1]), 1.2)
