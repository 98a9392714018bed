"""A smooth count of the steps until a complex iteration escapes."""

import numpy as np


def program(re, im):
    c = re + 1j * im
    z, n = 0j, 0
    while abs(z) < 50 and n < 40:
        z = z * z + c
        n += 1
    return n - np.log2(np.log(np.abs(z)) / np.log(50.0))


ARGS = (0.5, 0.6)
