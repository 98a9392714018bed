"""A damped pendulum by Runge and Kutta's method, filled into np.zeros row by row."""

import dout.numpy as np


def slope(state, damping, length):
    angle, speed = state
    return np.array([speed, -damping * speed - 9.81 / length * np.sin(angle)])


def program(start, damping, length):
    steps, h = 12, 0.05
    path = np.zeros((steps + 1, 2))
    path[0] = start
    for i in range(steps):
        y = path[i]
        k1 = slope(y, damping, length)
        k2 = slope(y + h / 2 * k1, damping, length)
        k3 = slope(y + h / 2 * k2, damping, length)
        k4 = slope(y + h * k3, damping, length)
        path[i + 1] = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.sum(path[:, 0] ** 2) + path[-1, 1]


ARGS = (np.array([0.8, -0.3]), 0.2, 1.3)
