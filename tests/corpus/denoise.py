"""Richardson and Lucy's way of taking a blur out of a signal."""

import numpy as np


def program(seen, blur):
    blur = blur / blur.sum()
    estimate = np.full(len(seen), 0.5)
    for _ in range(4):
        ratio = seen / np.convolve(estimate, blur, mode="same")
        estimate = estimate * np.convolve(ratio, blur[::-1], mode="same")
    return np.sum(estimate**2)


ARGS = (np.array([0.2, 0.3, 1.0, 2.0, 1.2, 0.4, 0.2]), np.array([0.2, 0.5, 0.25]))
