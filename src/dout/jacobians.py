"""All derivatives of all outputs: jacobian and hessian."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import numpy as np

from .arguments import Arguments, checked_argnums, positions_of, scope
from .graph import Scope
from .runs import Pushed, Run, outputs
from .transforms import grad

Function = Callable[..., Any]


def jacobian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The function that gives all derivatives of all outputs of `f`.

    Returns:
        a function of f's arguments. For an output of shape O and an input of shape I it gives an array of shape O + I; where
        they are containers, one such array for each pair, the output's containers outside. It walks back once for each
        entry of the output, or forward once for each entry of the input, whichever is less work.

    Example:
        >>> import numpy as np
        >>> jacobian(lambda x: x * np.array([1.0, 2.0]))(np.array([3.0, 4.0]))
        array([[1., 0.],
               [0., 2.]])
    """
    checked_argnums(argnums, f)

    @wraps(f)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        with scope() as here:
            given = Arguments(args, positions_of(argnums, args, f), f, here)
            outs, rebuild = outputs(given.run(f, kwargs), f)
            run = Run(given.leaves, given.values, outs)
            blocks = _jacobian_blocks(run, here)

        def of_output(row: list[Any]) -> Any:
            restored = given.restore(row)
            return restored[0] if isinstance(argnums, int | np.integer) else tuple(restored)

        return rebuild(iter([of_output(row) for row in blocks]))

    return matrix


def _jacobian_blocks(run: Run, here: Scope) -> list[list[Any]]:
    """For each output and each leaf, the array of derivatives, of shape output + leaf."""
    n_in = sum(int(np.size(v)) for v in run.values)
    n_out = sum(int(np.size(v)) for v in run.out_values if v is not None)
    complex_out = any(np.iscomplexobj(v) for v in run.out_values)
    real_in = not any(np.iscomplexobj(v) for v in run.values)
    if (complex_out and real_in) or 2 * n_in < n_out:
        return _by_columns(run, Pushed(run, here))
    return _by_rows(run)


def _by_rows(run: Run) -> list[list[Any]]:
    blocks = []
    for k, value in enumerate(run.out_values):
        if value is None:
            blocks.append([None] * len(run.values))
            continue
        rows: list[list[Any]] = []
        for basis in _basis(value):
            rows.append(run.finish(run.pull([basis if i == k else None for i in range(len(run.ends))])))
        blocks.append([_assemble([r[j] for r in rows], np.shape(value), v, True) for j, v in enumerate(run.values)])
    return blocks


def _by_columns(run: Run, pushed: Pushed) -> list[list[Any]]:
    blocks: list[list[Any]] = [[] for _ in run.out_values]
    for j, value in enumerate(run.values):
        columns = []
        for basis in _basis(value):
            columns.append(pushed.push([basis if i == j else None for i in range(len(run.values))]))
        for k, out in enumerate(run.out_values):
            blocks[k].append(None if out is None else _assemble([c[k] for c in columns], np.shape(value), out, False))
    return blocks


def _basis(value: Any) -> Iterator[Any]:
    """The unit arrays of a value's shape and dtype, one after another."""
    dtype = np.result_type(value) if np.result_type(value).kind in "fc" else np.dtype(float)
    for i in range(int(np.size(value))):
        unit = np.zeros(np.size(value), dtype)
        unit[i] = 1
        yield unit.reshape(np.shape(value))[()]


def _assemble(pieces: list[Any], outer: tuple[int, ...], like: Any, rows: bool) -> Any:
    """Stack pieces of like's shape, one for each entry of `outer`: in front (rows) or behind (columns)."""
    inner = np.shape(like)
    if outer == ():
        return pieces[0]
    if not pieces:
        return np.zeros((*outer, *inner) if rows else (*inner, *outer), np.result_type(like))
    stacked = np.stack(pieces, axis=0 if rows else -1)
    return np.reshape(stacked, (*outer, *inner) if rows else (*inner, *outer))


def hessian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The function that gives the second derivatives of `f`: the jacobian of its grad.

    Example:
        >>> import numpy as np
        >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
        array([[10.,  6.],
               [ 6.,  0.]])
    """
    return jacobian(grad(f, argnums), argnums)
