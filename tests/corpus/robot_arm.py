"""Where the hand of an arm with three joints is; its derivatives are the arm's Jacobian."""

import dout.numpy as np


def turn(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def program(angles, lengths):
    position, direction = np.zeros(2), np.eye(2)
    for angle, length in zip(angles, lengths):
        direction = direction @ turn(angle)
        position = position + direction @ np.array([length, 0.0])
    return np.sum((position - np.array([1.0, 1.5])) ** 2)


ARGS = (np.array([0.3, 0.8, -0.5]), np.array([1.0, 0.8, 0.5]))
