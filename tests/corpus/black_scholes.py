"""The value of a book of options; its derivatives are the Greeks."""

import numpy as np
from scipy.special import ndtr

STRIKES = np.array([90.0, 100.0, 110.0])
HELD = np.array([5.0, -8.0, 3.0])


def program(spot, volatility, rate, years):
    d1 = (np.log(spot / STRIKES) + (rate + volatility**2 / 2) * years) / (volatility * np.sqrt(years))
    d2 = d1 - volatility * np.sqrt(years)
    calls = spot * ndtr(d1) - STRIKES * np.exp(-rate * years) * ndtr(d2)
    return np.dot(HELD, calls)


ARGS = (101.0, 0.2, 0.03, 0.7)
