"""What an ndarray offers that has to do with its memory: flat, views, partition in place, bytes."""

import io

import numpy as np
import oracles
import pytest

import dout

X = oracles.array(2, 3)


def on_copy(write):
    def f(x):
        x = x.copy()
        write(x)
        return x

    return f


def assign_flat(x):
    x.flat = [1.0, x[0, 0]] if isinstance(x, np.ndarray) else np.stack([1.0 + 0 * x[0, 0], x[0, 0]])


PATTERNS = {
    "flat": lambda x: np.stack([v * v for v in x.flat]),
    "flat item": lambda x: x.flat[4] * x.flat[-1],
    "flat slice": lambda x: x.flat[1:5:2],
    "flat list": lambda x: x.flat[[0, 0, 3]],
    "flat mask": lambda x: x.flat[np.array([True, False, True, False, False, False])],
    "flat copy": lambda x: x.flat.copy(),
    "flat set": on_copy(lambda x: x.flat.__setitem__(2, x[0, 0])),
    "flat set slice": on_copy(lambda x: x.flat.__setitem__(slice(0, 4), np.stack([x[1, 1], x[1, 2]]))),
    "flat set all": on_copy(lambda x: x.flat.__setitem__(slice(None), 2.0)),
    "flat assign": on_copy(assign_flat),
    "flat of a transposed": lambda x: x.T.flat[1:3],
    "partition": on_copy(lambda x: x.partition(1)),
    "partition axis": on_copy(lambda x: x.partition(0, axis=0)),
    "put": on_copy(lambda x: x.put([0, 4], [x[1, 2], 1.0][1])),
    "compress": lambda x: x.compress([True, False, True], axis=1),
    "view": lambda x: x.view() * 2,
    "to_device": lambda x: x.to_device("cpu") * 2,
    "searchsorted": lambda x: x * x.ravel().searchsorted(0.0),
    "windows": lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1) * np.array([1.0, 3.0]),
    "windows of two axes": lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2)).sum(axis=(0, 1)),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns(name):
    oracles.assert_derivatives(PATTERNS[name], X)


def test_a_view_writes_through():
    def f(x):
        y = x * 1.0
        y.view()[0] = 5.0
        return np.sum(y * y)

    oracles.assert_derivatives(f, X)


def test_attributes():
    v = dout.Variable(X)
    assert v.strides == X.strides
    assert v.flags.c_contiguous
    assert v.device == "cpu"
    assert len(v.flat) == 6
    assert v.flat.base is v
    assert v.argpartition(1).shape == (2, 3)


REFUSED = {
    "view of bits": (lambda v: v.view(np.int64), TypeError, "astype"),
    "choose": (lambda v: v.choose([v, v]), TypeError, "integers"),
    "resize": (lambda v: v.resize(3, 2), ValueError, "np.resize"),
    "setflags": (lambda v: v.setflags(write=False), ValueError, "copy"),
    "tobytes": (lambda v: v.tobytes(), TypeError, "stop_gradient"),
    "dumps": (lambda v: v.dumps(), TypeError, "stop_gradient"),
    "dump": (lambda v: v.dump(io.BytesIO()), TypeError, "stop_gradient"),
    "tofile": (lambda v: v.tofile("nowhere"), TypeError, "stop_gradient"),
    "byteswap": (lambda v: v.byteswap(), TypeError, "stop_gradient"),
    "device": (lambda v: v.to_device("gpu"), ValueError, "device"),
    "writeable windows": (
        lambda v: np.lib.stride_tricks.sliding_window_view(v, (1, 1), writeable=True), ValueError, "writeable"),
}  # fmt: skip


@pytest.mark.parametrize(("run", "error", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(run, error, message):
    with pytest.raises(error, match=message):
        run(dout.Variable(X))
