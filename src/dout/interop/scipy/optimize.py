"""Roots and fixed points, differentiated by the implicit function theorem: not through the solver's steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import scipy.optimize

from ...graph import Primitive
from ...jacobians import jacobian
from ...recorder import RECORDER
from ...recording import Handle, record
from ...transforms import vjp
from ...tree import flatten, tree_map

np: Any = numpy  # NumPy's type stubs don't know Variables
Array = Any


def root(fun: Callable[..., Array], x0: Array, args: tuple[Any, ...] = (), method: str = "hybr", **options: Any) -> Any:
    """x with fun(x, *args) = 0, as `scipy.optimize.root` finds it.

    Args:
        fun: takes x, shape (n,), and the args; gives shape (n,). What it depends on, it has to be given in args.
        x0: where to start, shape (n,); the root doesn't depend on it, and it has no derivative.
        args: parameters; Variables among them (in containers too) have derivatives.
        method: SciPy's method.
        **options: SciPy's others, such as tol.

    Returns:
        SciPy's result, with x a Variable.

    Raises:
        RuntimeError: if SciPy doesn't find a root.
        TypeError: if fun depends on a Variable that is not among its args.

    Example:
        >>> import dout
        >>> def side(area):
        ...     return root(lambda x, a: x * x - a, numpy.array([1.0]), (area,)).x[0]
        >>> round(float(dout.grad(side)(9.0)), 9)
        0.166666667
    """
    flat, rebuild = flatten(args)
    plain_args = tree_map(_value, args)
    start = np.asarray(_value(x0), float)
    _hold_closed(fun, start, plain_args, "root(fun, x0, args)")
    found = scipy.optimize.root(fun, start, plain_args, method, **options)
    if not found.success:
        raise RuntimeError(f"root: {found.message.strip()}")
    found.x = _implicit(fun, found.x, flat, rebuild)
    return found


def fixed_point(
    func: Callable[..., Array], x0: Array, args: tuple[Any, ...] = (), xtol: float = 1e-12, maxiter: int = 500,
    method: str = "del2",
) -> Array:  # fmt: skip
    """x with func(x, *args) = x, as `scipy.optimize.fixed_point` finds it; see `root` for the arguments.

    Example:
        >>> import dout
        >>> round(float(dout.grad(lambda a: fixed_point(lambda x, a: a * numpy.cos(x), 0.7, (a,)))(1.0)), 6)
        0.441611
    """
    flat, rebuild = flatten(args)
    plain_args = tree_map(_value, args)
    start = np.asarray(_value(x0), float)
    _hold_closed(func, start, plain_args, "fixed_point(func, x0, args)")
    found = scipy.optimize.fixed_point(func, start, plain_args, xtol, maxiter, method)
    shape = np.shape(found)

    def residual(x: Array, *given: Any) -> Array:
        return np.reshape(func(np.reshape(x, shape), *given), (-1,)) - x

    x = _implicit(residual, np.reshape(found, (-1,)), flat, rebuild)
    return np.reshape(x, shape)[()] if shape else x[0]


def _value(x: Any) -> Any:
    """The plain value, for SciPy's solver, whose steps can't be part of a recording."""
    if not isinstance(x, Handle):
        return x
    recorder = RECORDER.get()
    if recorder is not None:
        recorder.fail("it calls a solver of SciPy's")
    return x._value


def _hold_closed(fun: Callable[..., Array], x: Any, args: Any, what: str) -> None:
    """Refuse a function whose result depends on a Variable that it wasn't given: its derivative would be lost."""
    leaves, _ = flatten(fun(x, *args))
    if any(isinstance(leaf, Handle) and leaf._node is not None for leaf in leaves):
        raise TypeError(
            f"{what}: the function uses a Variable that is not among its args, whose derivative would be lost"
        )


def _implicit(fun: Callable[..., Array], x: Any, flat: list[Any], rebuild: Any) -> Array:
    """The root as an operation on the args: dx = -(∂fun/∂x)⁻¹ ∂fun/∂args."""
    places = [i for i, a in enumerate(flat) if isinstance(a, Handle)]
    if not places:
        return x

    def with_args(values: tuple[Any, ...]) -> Any:
        given = list(flat)
        for i, value in zip(places, values, strict=True):
            given[i] = value
        return rebuild(iter([_value(g) if i not in places else g for i, g in enumerate(given)]))

    def pullback(dout: Array, out: Array, *values: Array) -> tuple[Array, ...]:
        slopes = jacobian(lambda x: fun(x, *with_args(values)))(out)
        weights = np.linalg.solve(slopes.T, np.reshape(dout, (-1, 1)))[:, 0]
        pulled: tuple[Array, ...] = vjp(lambda *vs: fun(out, *with_args(vs)), *values)[1](-weights)
        return pulled

    op = Primitive("root", lambda *_values: x, joint=pullback)
    return record(op, tuple(flat[i] for i in places), {})
