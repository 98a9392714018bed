"""A polynomial trend taken out of a series, and how rough the rest is."""

import numpy as np

T = np.linspace(-1, 1, 9)


def program(series):
    rest = series - np.polyval(np.polyfit(T, series, 2), T)
    return np.sum(np.diff(rest, 2) ** 2) + np.ptp(rest)


ARGS = (np.random.default_rng(9).normal(size=9) + 2 * T**2,)
