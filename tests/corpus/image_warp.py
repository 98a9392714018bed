"""A row of an image, stretched and shifted, read by linear interpolation."""

import numpy as np

ROW = np.array([0.0, 0.2, 0.9, 1.0, 0.4, 0.1, 0.05, 0.0])
TARGET = np.array([0.1, 0.5, 0.95, 0.7, 0.2, 0.1, 0.0, 0.0])


def program(shift, stretch, row):
    places = np.arange(8.0)
    warped = np.interp((places - 3.5) * stretch + 3.5 + shift, places, row)
    return np.mean((warped - TARGET) ** 2)


ARGS = (0.31, 0.93, ROW)
