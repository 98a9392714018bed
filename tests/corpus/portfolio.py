"""The Sharpe ratio of a portfolio with weights on a simplex."""

import numpy as np


def program(logits, returns):
    weights = np.exp(logits) / np.sum(np.exp(logits))
    mean = np.average(returns, axis=0)
    risk = np.sqrt(weights @ np.cov(returns, rowvar=False) @ weights)
    worst = np.min(np.cumsum(returns @ weights))
    return (weights @ mean) / risk + 0.1 * worst


ARGS = (np.array([0.1, -0.4, 0.3]), np.random.default_rng(10).normal(0.05, 0.2, size=(8, 3)))
