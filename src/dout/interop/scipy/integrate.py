"""`scipy.integrate.solve_ivp`, differentiated by the adjoint equation: not through the solver's steps.

Source: Chen, Rubanova, Bettencourt and Duvenaud, Neural Ordinary Differential Equations (2018), section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import scipy.integrate

from ...graph import Primitive
from ...recording import Handle, record
from ...transforms import vjp
from ...tree import flatten, tree_map
from .optimize import _hold_closed, _value

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def solve_ivp(
    fun: Callable[..., Array], t_span: tuple[float, float], y0: Array, method: str = "RK45", t_eval: Any = None,
    args: tuple[Any, ...] = (), **options: Any,
) -> Any:  # fmt: skip
    """y(t) with dy/dt = fun(t, y, *args) and y(t_span[0]) = y0.

    Args:
        fun: takes a time, y of shape (n,) and the args, and gives shape (n,). What it depends on, it has to be given in args.
        t_span: from when to when; plain numbers.
        y0: the start, shape (n,).
        method: SciPy's method.
        t_eval: the times that are wanted; by default only the two ends, because the solver's own steps have no derivative.
        args: parameters; Variables among them (in containers too) have derivatives.
        **options: SciPy's others, such as rtol and atol. The derivatives are as accurate as they ask for.

    Returns:
        SciPy's result; its y, shape (n, times), is a Variable.

    Raises:
        RuntimeError: if SciPy can't integrate.
        NotImplementedError: for events and dense output, and for times that are Variables.
        TypeError: if fun depends on a Variable that is not among its args.

    Example:
        >>> import dout
        >>> def last(rate):
        ...     decay = solve_ivp(lambda t, y, k: -k * y, (0, 1), numpy.ones(1), args=(rate,), rtol=1e-9, atol=1e-9)
        ...     return decay.y[0, -1]
        >>> bool(abs(dout.grad(last)(2.0) + numpy.exp(-2.0)) < 1e-6)
        True
    """
    for name in ("events", "dense_output"):
        if options.get(name):
            raise NotImplementedError(f"solve_ivp: {name}= has no derivative; leave it away")
    if any(isinstance(t, Handle) for t in (*t_span, t_eval)):
        raise NotImplementedError("solve_ivp: times have no derivative here; give plain numbers")
    flat, rebuild = flatten((y0, *args))
    plain_y0, *plain_args = tree_map(_value, (y0, *args))
    start = np.asarray(plain_y0, float)
    _hold_closed(lambda y, *a: fun(t_span[0], y, *a), start, plain_args, "solve_ivp(fun, ..., args)")
    times = np.asarray(t_span, float) if t_eval is None else np.asarray(t_eval, float)
    found = scipy.integrate.solve_ivp(fun, t_span, start, method, times, args=tuple(plain_args), **options)
    if not found.success:
        raise RuntimeError(f"solve_ivp: {found.message}")
    places = [i for i, a in enumerate(flat) if isinstance(a, Handle)]
    if places:
        adjoint = _Adjoint(fun, (t_span[0], *times), rebuild, tuple(map(_value, flat)), places, method, options)
        op = Primitive("solve_ivp", lambda *_values: found.y, joint=adjoint.pullback)
        found.y = record(op, tuple(flat[i] for i in places), {})
    return found


class _Adjoint:
    """The equation of the derivatives, solved from the end to the beginning by `solve_ivp` itself, to any order."""

    def __init__(
        self, fun: Any, times: tuple[float, ...], rebuild: Any, flat: tuple[Any, ...], places: list[int], method: str,
        options: dict[str, Any],
    ) -> None:  # fmt: skip
        self.fun = fun
        self.times = times
        self.rebuild = rebuild
        self.flat = flat
        self.inner = [i for i in places if i != 0]  # of the parameters; 0 is y0
        self.of_start = 0 in places
        self.method = method
        self.options = options

    def pullback(self, dout: Array, out: Array, *values: Array) -> tuple[Array, ...]:
        n = len(out)
        values = values[1:] if self.of_start else values
        sizes = [np.size(self.flat[i]) for i in self.inner]
        a, g = np.zeros(n), np.zeros(sum(sizes))
        for k in range(len(self.times) - 1, 0, -1):
            a = a + dout[:, k - 1]
            begin, end = float(self.times[k]), float(self.times[k - 1])
            if begin == end:
                continue
            state = np.concatenate([out[:, k - 1], a, g])
            state = solve_ivp(self._slope, (begin, end), state, self.method, args=values, **self.options).y[:, -1]
            a, g = state[n : 2 * n], state[2 * n :]
        found, start = [a] if self.of_start else [], 0
        for i, size in zip(self.inner, sizes, strict=True):
            found.append(np.reshape(g[start : start + size], np.shape(self.flat[i]))[()])
            start += size
        return tuple(found)

    def _slope(self, t: float, state: Array, *values: Array) -> Array:
        """dy/dt = f; of its derivative a, da/dt = -a · ∂f/∂y; of the parameters, dg/dt = -a · ∂f/∂p."""
        n = (np.size(state) - sum(np.size(self.flat[i]) for i in self.inner)) // 2

        def slope(y: Array, *given: Array) -> Array:
            leaves = list(self.flat)
            for i, value in zip(self.inner, given, strict=True):
                leaves[i] = value
            f = self.fun(t, y, *self.rebuild(iter(leaves))[1:])
            return np.stack(f) if isinstance(f, list | tuple) else f

        f, pull = vjp(slope, state[:n], *values)
        return np.concatenate([f, *(np.reshape(d, (-1,)) for d in pull(-state[n : 2 * n]))])
