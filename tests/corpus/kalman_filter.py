"""The log likelihood of positions that a Kalman filter saw."""

import numpy as np

SEEN = np.array([0.1, 0.9, 2.2, 2.8, 4.1, 5.3])


def program(process_noise, seen_noise):
    F = np.array([[1.0, 1.0], [0.0, 1.0]])
    H = np.array([[1.0, 0.0]])
    Q = process_noise * np.eye(2)
    x, P = np.zeros(2), np.eye(2)
    total = 0.0
    for z in SEEN:
        x, P = F @ x, F @ P @ F.T + Q
        S = H @ P @ H.T + seen_noise
        K = P @ H.T @ np.linalg.inv(S)
        apart = z - H @ x
        total -= 0.5 * (apart @ np.linalg.solve(S, apart) + np.linalg.slogdet(2 * np.pi * S)[1])
        x = x + K @ apart
        P = (np.eye(2) - K @ H) @ P
    return total


ARGS = (0.1, 0.4)
