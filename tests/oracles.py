"""What results are compared with: NumPy's own values, differences of values, and JAX.

In a test file, `import oracles` (pytest puts this folder on the path), then one line for each pattern:

    x = oracles.array(3, 4)                                   # float64, distinct entries in (-2, 2), none near 0
    oracles.assert_derivatives(np.tanh, x)                    # value, dtype, shape, first and second derivatives
    oracles.assert_derivatives(lambda x, y: np.dot(x, y), x, x.T, order=1)
    oracles.assert_derivatives(np.exp, oracles.array(3, kind="complex"))
    oracles.assert_like_jax(lambda xp, z: xp.abs(z), oracles.array(3, kind="complex"))
    oracles.assert_narrow(np.tanh, x)                         # in float16 and float32 as in float64

Functions take numbers and arrays, and give a number, an array, or a tuple or list of them. To put arrays into a
container or to name an option, wrap them: `lambda x, y: np.concatenate([x, y], axis=1)`. Ints, bools and integer arrays
among the arguments are passed through. Points must be at least 0.01 from kinks, poles and ends of domains.

Complex derivatives follow JAX: of a real L at z = x + iy, dL/dx - i dL/dy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import dout

Function = Callable[..., Any]

#: The largest step of the differences. Steps are powers of two, so that x + h and x - h are hardly rounded.
STEP = 2.0**-8
#: Three steps, extrapolated twice, are off by about f'(7) h^6 / 1e6, less than 1e-16, and by the rounding of L over the
#: smallest step, 1e-16 * 1024 = 1e-13 of L. A sum over some entries, and derivatives up to 100 times L, leave 1e-10.
#: A wrong rule is off by far more than the hundred times that we allow.
RTOL = 1e-8
ATOL = 1e-8


def array(*shape: int, low: float = -2.0, high: float = 2.0, kind: str = "float", seed: int = 0) -> Any:
    """An array of distinct entries in (low, high), in random order, none within 0.02 of zero or of another.

    `kind="complex"` draws the imaginary parts likewise. More than about 50 entries in (-2, 2) come closer together.
    """
    rng = np.random.default_rng([seed, *shape])

    def draw() -> Any:
        n = int(np.prod(shape, dtype=int))
        spacing = (high - low) / max(n, 1)
        entries = low + spacing * (np.arange(n) + 0.5 + rng.uniform(-0.25, 0.25, n))
        entries = np.where(np.abs(entries) < 0.02, 0.03, entries)
        return rng.permutation(entries).reshape(shape)

    return draw() + 1j * draw() if kind == "complex" else draw()


def numerical(f: Function, args: Sequence[Any], argnum: int = 0) -> Any:
    """The derivative of a function that gives one real number, by differences of its values.

    Central differences over three steps, extrapolated to zero (Richardson; Press et al., Numerical Recipes, 5.7).

    Returns:
        an array (or number) of the shape of `args[argnum]`; complex, dL/dx - i dL/dy, for a complex one.
    """
    point = np.asarray(args[argnum])
    is_complex = point.dtype.kind == "c"
    point = point.astype(complex if is_complex else float)

    def value(moved: Any) -> float:
        given = moved if isinstance(args[argnum], np.ndarray) else moved[()].item()
        return float(f(*args[:argnum], given, *args[argnum + 1 :]))

    def along(place: Any, direction: Any) -> float:
        table = []
        for step in (STEP, STEP / 2, STEP / 4):
            ends = []
            for sign in (1, -1):
                moved = point.copy(order="K")
                moved[place] += sign * step * direction
                ends.append(value(moved))
            table.append((ends[0] - ends[1]) / (2 * step))
        once = [(4 * table[1] - table[0]) / 3, (4 * table[2] - table[1]) / 3]
        return (16 * once[1] - once[0]) / 15

    found = np.empty_like(point, order="C")
    for place in np.ndindex(point.shape):
        found[place] = along(place, 1)
        if is_complex:
            found[place] -= 1j * along(place, 1j)
    return found[()]


def assert_derivatives(
    f: Function,
    *args: Any,
    order: int = 2,
    value_rtol: float = 0.0,
    rtol: float = RTOL,
    atol: float = ATOL,
    seed: int = 0,
) -> None:
    """Hold a function's value on Variables to NumPy's own, and its derivatives to differences.

    Args:
        f: a function of float64 and complex128 arrays and numbers, written in NumPy.
        *args: where; all that are floating are differentiated at once.
        order: how many orders of derivatives to hold. Each is a contraction of the one before with random numbers.
        value_rtol: 0 asks for NumPy's value bit for bit; say why where you allow more.
        rtol: of derivatives, against differences; the default is explained at RTOL.
        atol: likewise.
        seed: of the random numbers.

    Checked are: type, shape, dtype and value of the output; that the arguments aren't changed; for each order, kind,
    shape, dtype and value of the derivatives by `dout.vjp`; and that `dout.jvp` is its transpose.
    """
    before = [np.copy(a) for a in args]
    rng = np.random.default_rng(seed)
    assert_same(dout.vjp(f, *args)[0], f(*args), value_rtol)
    level = f
    for n in range(1, order + 1):
        level = _checked_order(level, args, n, rng, rtol, atol)
    for a, b in zip(args, before, strict=True):
        np.testing.assert_array_equal(a, b, "the function's argument was written to")


def _checked_order(f: Function, args: Sequence[Any], n: int, rng: Any, rtol: float, atol: float) -> Function:
    """Hold the first derivatives of f; returns the function that gives them."""
    out, pullback = dout.vjp(f, *args)
    weights = _random_like(out, rng)
    found = pullback(weights)
    smooth = [i for i, a in enumerate(args) if _is_smooth(a)]
    assert len(found) == len(args)
    for i in smooth:
        _hold_form(found[i], args[i])
        expected = numerical(lambda *xs: _contract(f(*xs), weights), args, i)
        np.testing.assert_allclose(found[i], expected, rtol, atol, err_msg=f"derivative {n}, argument {i}")
    directions = tuple(_random_like(a, rng) if i in smooth else None for i, a in enumerate(args))
    same, pushed = dout.jvp(f, tuple(args), directions)
    assert_same(same, out)
    _hold_forms(pushed, out)
    forward = _contract(pushed, weights)
    backward = sum(_contract(found[i], directions[i]) for i in smooth)
    np.testing.assert_allclose(forward, backward, rtol, atol, err_msg=f"jvp is not the transpose of vjp, order {n}")
    return lambda *xs: tuple(d for d in dout.vjp(f, *xs)[1](weights) if d is not None)


def assert_same(found: Any, expected: Any, rtol: float = 0.0) -> None:
    """Hold a result to NumPy's: type, shape, dtype, values; bit for bit, signs of zeros too, unless rtol is given."""
    if isinstance(expected, tuple | list):
        assert isinstance(found, tuple | list)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other, rtol)
        return
    assert type(found) is type(expected), f"got {found!r}, a {type(found)}; NumPy gives a {type(expected)}"
    assert np.shape(found) == np.shape(expected)
    assert np.result_type(found) == np.result_type(expected)
    if rtol:
        np.testing.assert_allclose(found, expected, rtol)
        return
    np.testing.assert_array_equal(found, expected, strict=True)
    for part in (np.real, np.imag):
        zeros = np.asarray(part(expected) == 0)
        np.testing.assert_array_equal(
            np.signbit(np.asarray(part(found))[zeros]), np.signbit(np.asarray(part(expected))[zeros]), "signs of zeros"
        )


def assert_narrow(f: Function, *args: Any, factor: float = 16.0) -> None:
    """Hold a function in float16 and float32: value and dtype are NumPy's, the derivative has the input's dtype.

    The derivative is compared with that in float64 to within `factor` roundings (eps of the dtype) of its largest entry:
    a rule does a few operations with half an eps each, and sums over a few broadcast entries.
    """
    for dtype in (np.float16, np.float32):
        narrow = [a.astype(dtype) if _is_smooth(a) and isinstance(a, np.ndarray) else a for a in args]
        wide = [a.astype(float) if _is_smooth(a) and isinstance(a, np.ndarray) else a for a in narrow]
        out, pullback = dout.vjp(f, *narrow)
        assert_same(out, f(*narrow))
        wide_out, wide_pullback = dout.vjp(f, *wide)
        found, expected = pullback(np.ones_like(out)), wide_pullback(np.ones_like(wide_out))
        for a, d, e in zip(narrow, found, expected, strict=True):
            if e is None:
                continue
            _hold_form(d, a)
            scale = float(np.max(np.abs(e), initial=1.0))
            np.testing.assert_allclose(d, e, 0, factor * float(np.finfo(dtype).eps) * scale)


def jax_vjp(f: Function, args: Sequence[Any], douts: Any) -> tuple[Any, tuple[Any, ...]]:
    """JAX's value and derivatives of a function of JAX arrays, as NumPy arrays in 64 bits; skips without JAX."""
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        out, pullback = jax.vjp(f, *[jax.numpy.asarray(a) for a in args])
        found = pullback(jax.tree.map(jax.numpy.asarray, douts))
        return jax.tree.map(np.asarray, out), tuple(np.asarray(d) for d in found)


def assert_like_jax(f: Function, *args: Any, rtol: float = 1e-12, seed: int = 0) -> None:
    """Hold the value and first derivatives of `f(xp, *args)` to JAX's; `xp` is numpy for dout, jax.numpy for JAX.

    Both are in double precision and differ in how they round; 1e-12 leaves a few thousand roundings.
    """
    jax = pytest.importorskip("jax")
    out, pullback = dout.vjp(lambda *xs: f(np, *xs), *args)
    weights = _random_like(out, np.random.default_rng(seed))
    found = pullback(weights)
    jax_out, expected = jax_vjp(lambda *xs: f(jax.numpy, *xs), args, weights)
    np.testing.assert_allclose(out, jax_out, rtol, rtol)
    for i, (d, e) in enumerate(zip(found, expected, strict=True)):
        np.testing.assert_allclose(d, e, rtol, rtol, err_msg=f"argument {i}: JAX differs")


def _hold_form(derivative: Any, a: Any) -> None:
    """A derivative has its input's kind, shape and dtype."""
    assert type(derivative) is type(a), f"the derivative of a {type(a)} is a {type(derivative)}"
    assert np.shape(derivative) == np.shape(a)
    assert np.result_type(derivative) == np.result_type(a)


def _hold_forms(tangents: Any, outs: Any) -> None:
    if isinstance(outs, tuple | list):
        for tangent, out in zip(tangents, outs, strict=True):
            _hold_form(tangent, out)
    else:
        _hold_form(tangents, outs)


def _is_smooth(a: Any) -> bool:
    return isinstance(a, float | complex | np.inexact) or (isinstance(a, np.ndarray) and a.dtype.kind in "fc")


def _random_like(value: Any, rng: Any) -> Any:
    """Numbers of order one in the form of a value; complex for complex."""
    if isinstance(value, tuple | list):
        return type(value)([_random_like(v, rng) for v in value])
    drawn = rng.uniform(0.5, 1.5, np.shape(value)) * rng.choice([-1.0, 1.0], np.shape(value))
    if np.iscomplexobj(value):
        drawn = drawn + 1j * rng.uniform(0.5, 1.5, np.shape(value))
    return drawn if isinstance(value, np.ndarray) else np.asarray(drawn)[()]


def _contract(value: Any, weights: Any) -> Any:
    """The real number whose derivative, by the convention, is the pullback of the weights."""
    if isinstance(value, tuple | list):
        return sum(_contract(v, w) for v, w in zip(value, weights, strict=True))
    return np.real(np.sum(np.asarray(value) * weights))
