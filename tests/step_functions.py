"""Functions of many like steps, and how to have their programs written out."""

from __future__ import annotations

import numpy as np
import pytest

import dout
from dout.jit import jit
from dout.passes.roll_loops import LOOP


def recorded_whole(f, *args):
    """The program of a run, as it was recorded."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("dout.jit", "dout.variants"):
            patch.setattr(f"{module}.rolled", lambda program: program, raising=False)
        return jit(f, backend="numpy").graph(*args)


def loops(program):
    """The loops of a program."""
    return [v.params["loop"] for v in program.values if v.op is LOOP]


# Functions


def euler(x, v, k):
    for _ in range(60):
        x, v = x + 0.01 * v, v - 0.01 * k * x
    return x * x + v


def euler_arrays(x, v, k):
    for _ in range(60):
        x, v = x + 0.01 * v, v - 0.01 * k * np.sin(x)
    return np.sum(x * x + v)


def runge_kutta(x, y, z, s, r, b):
    def slope(x, y, z):
        return s * (y - x), x * (r - z) - y, x * y - b * z

    h = 0.01
    for _ in range(30):
        a1, b1, c1 = slope(x, y, z)
        a2, b2, c2 = slope(x + h / 2 * a1, y + h / 2 * b1, z + h / 2 * c1)
        a3, b3, c3 = slope(x + h / 2 * a2, y + h / 2 * b2, z + h / 2 * c2)
        a4, b4, c4 = slope(x + h * a3, y + h * b3, z + h * c3)
        x = x + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        y = y + h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
        z = z + h / 6 * (c1 + 2 * c2 + 2 * c3 + c4)
    return x * x + y * z


def leapfrog(q, p):
    a = -q
    for _ in range(60):
        p = p + 0.05 * a
        q = q + 0.1 * p
        a = -q * (1 + 0.1 * np.sum(q * q))
        p = p + 0.05 * a
    return np.sum(q * p)


def recurrent(w, u, b, xs):
    h = np.zeros_like(b)
    for t in range(40):
        h = np.tanh(w @ h + u @ xs[t] + b)
    return np.sum(h * h)


def backwards(w, xs):
    h = w * 0
    for t in range(40):
        h = np.tanh(w * h + xs[39 - t] + xs[-1 - t])
    return h


def descent(x, w):
    step = dout.grad(lambda x: np.sum((w * x - 1) ** 2) + 0.1 * np.sum(x**4))
    for _ in range(40):
        x = x - 0.01 * step(x)
    return np.sum(x * x)


def momentum(x, w):
    m = x * 0
    for i in range(40):
        g = 2 * w * (w * x - 1)
        m = 0.9 * m + 0.1 * g
        x = x - 0.1 * m / (1 - 0.9 ** (i + 1))
    return np.sum(x * w)


def collected(x, k):
    xs = []
    for _ in range(50):
        x = x - 0.1 * k * np.sin(x)
        xs.append(x)
    return np.sum(np.stack(xs) ** 2)


def branches(x, k):
    total = 0.0
    for _ in range(50):
        x = x + 0.1 * k
        if x > 100.0:
            x = x - 100.0
        total = total + x * x
    return total


def driven(x, k):
    dt = 0.1
    for t in range(50):
        x = x + dt * (np.cos(dt * t) - k * x)
    return x * x


def heat(u, k):
    u = u * 1.0
    for _ in range(40):
        u[1:-1] = u[1:-1] + k * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(u * u)


def two_steps(x, k):
    before = k * x
    for _ in range(60):
        now = k * np.sin(x)
        x = x + 0.1 * (1.5 * now - 0.5 * before)
        before = now
    return x * x


def delayed(x, k):
    xs = [x, x * k, x + k, x - k, x * 2]
    for t in range(60):
        xs.append(xs[-1] + 0.1 * k * xs[t])
    return xs[-1] * xs[-2]


def written(x, k):
    y = np.zeros_like(x)
    y[0] = k
    for t in range(1, 40):
        y[t] = 0.5 * y[t - 1] + x[t]
    return np.sum(y * y)


def nested(x, k):
    for _ in range(20):
        for _ in range(20):
            x = x + 0.001 * k * np.sin(x)
        x = x - k * 0.001
        x = x * np.cos(x)
    return x * x


def layers(x, ws):
    for w in ws:
        x = np.tanh(w @ x)
    return np.sum(x)


def trajectory(x, k):
    xs = []
    for _ in range(300):
        x = x + 0.01 * k * np.sin(x)
        xs.append(x)
    return np.sum(np.stack(xs) ** 2) + np.sum(np.concatenate(xs[3:290]))


def columns(x, k):
    h = 0 * x[:, 0]
    for t in range(x.shape[1]):
        h = h * k + x[:, t] * x[0, t] + np.sum(x[1:, -1 - t])
    return np.sum(h)


def each_column(x, k):
    h = 0 * x[:, 0]
    for t in range(x.shape[1] - 1):
        h = h * k + x[:, t] * x[0, t + 1] + x[1:2, t]
    return np.sum(h)


def counted(x, k):
    for t in range(60):
        x = 0.9 * x + k * t / (t + 1) - np.maximum(x, t) * 0.001
    return x * x


vector = np.linspace(0.3, 1.1, 4)
sequence = np.sin(np.arange(160.0)).reshape(40, 4)
matrix = np.cos(np.arange(16.0)).reshape(4, 4) / 2
CASES = {
    "euler": (euler, (1.0, 0.5, 2.0)),
    "euler of arrays": (euler_arrays, (vector, vector[::-1].copy(), 2.0)),
    "Runge-Kutta": (runge_kutta, (1.0, 2.0, 3.0, 10.0, 28.0, 8 / 3)),
    "leapfrog": (leapfrog, (vector, vector * 0.5)),
    "recurrent": (recurrent, (matrix, matrix.T.copy(), vector, sequence)),
    "backwards": (backwards, (0.7, np.sin(np.arange(40.0)))),
    "descent": (descent, (vector, vector + 0.5)),
    "momentum": (momentum, (vector, vector + 0.5)),
    "collected": (collected, (vector, 0.7)),
    "branches": (branches, (1.5, 3.0)),
    "driven": (driven, (1.5, 3.0)),
    "heat": (heat, (np.sin(np.arange(12.0)), 0.2)),
    "trajectory": (trajectory, (np.linspace(0.3, 1.1, 4), 0.7)),
    "columns": (columns, (np.sin(np.arange(180.0)).reshape(3, 60), 0.7)),
    "each column": (each_column, (np.sin(np.arange(180.0)).reshape(3, 60), 0.7)),
    "counted": (counted, (1.5, 0.3)),
    "two steps": (two_steps, (1.5, 0.3)),
    "delayed": (delayed, (1.5, 0.3)),
    "written": (written, (np.sin(np.arange(40.0)), 0.3)),
    "nested": (nested, (1.5, 0.3)),
}
