"""The share of variance that two principal components explain."""

import numpy as np


def program(data):
    centered = data - data.mean(axis=0)
    covariance = centered.T @ centered / (len(data) - 1)
    values, vectors = np.linalg.eigh(covariance)
    scores = centered @ vectors[:, -2:]
    return np.sum(values[-2:]) / np.sum(values) + 0.01 * np.mean(scores**4)


ARGS = (np.random.default_rng(1).normal(size=(6, 4)) * np.array([3.0, 2.0, 1.0, 0.5]),)
