"""The marginal likelihood of a Gaussian process with a squared-exponential kernel."""

import numpy as np

X = np.linspace(0, 3, 7)
Y = np.sin(2 * X)


def program(log_length, log_size, log_noise):
    length, size, noise = np.exp(log_length), np.exp(log_size), np.exp(log_noise)
    apart = (X[:, None] - X[None, :]) / length
    K = size**2 * np.exp(-0.5 * apart**2) + noise**2 * np.eye(len(X))
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, Y))
    return -0.5 * Y @ alpha - np.sum(np.log(np.diag(L))) - 0.5 * len(X) * np.log(2 * np.pi)


ARGS = (-0.3, 0.1, -1.0)
