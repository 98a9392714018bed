"""Derivatives of functions: grad, value_and_grad, vjp, jvp, jacobian, hessian, hvp; and stop_gradient.

All of them run the function once on fresh leaves (`linearize.py`) and walk back (`backprop.py`). There is no other rule
table: a product with tangents (`jvp`) is the walk of the walk, since a pullback is linear in its dout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from .backprop import checked_dout, one
from .graph import Leaf
from .guards import locked
from .linearize import Arguments, Run, call, checked_argnums, function_name, positions_of, scope
from .tree import Rebuild, flatten, tree_map
from .variable import Variable, make

Function = Callable[..., Any]


def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The function that gives the derivative of `f`.

    Args:
        f: a function of numbers, arrays, and containers of them, that returns one real number.
        argnums: which positional argument to differentiate with respect to; a tuple of them gives a tuple.
        has_aux: whether `f` returns (number, anything); then the result is (derivative, anything).

    Returns:
        a function of the same arguments. Its result has the form of the argument: shape, dtype and containers.
        Ints, bools and strings inside a container pass through, and have None in their place.

    Raises:
        TypeError: when called, if the argument holds nothing to differentiate, or `f` doesn't return a real number.

    Example:
        >>> import numpy as np
        >>> grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0, 3.0]))
        array([2., 4., 6.])
        >>> grad(grad(lambda x: x**3))(2.0)
        12.0
    """
    both = value_and_grad(f, argnums, has_aux)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return derivative


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """As `grad`, giving (value, derivative) from one run; with `has_aux`, ((value, aux), derivative).

    Example:
        >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 5.0)
        (10.0, (5.0, 2.0))
    """
    checked_argnums(argnums, f)

    @wraps(f)
    def value_and_derivative(*args: Any, **kwargs: Any) -> Any:
        with scope() as here:
            given = Arguments(args, positions_of(argnums, args, f), f, here)
            with locked(given.values):
                out = call(f, given.args, kwargs)
            aux: Any = None
            if has_aux:
                if not (isinstance(out, tuple) and len(out) == 2):
                    raise TypeError(
                        f"has_aux=True: {function_name(f)} has to return (number, anything), got {_kind(out)}"
                    )
                out, aux = out
            _hold_number(out, f)
            aux_leaves, aux_rebuild = flatten(aux)
            run = Run(given.leaves, given.values, [out], aux_leaves)
            del out, given.args
            value = run.out_values[0]
            keep = run.foreign
            result = make(value, run.ends[0]) if keep and run.ends[0] is not None else value
            aux = aux_rebuild(iter([a._value if isinstance(a, Variable) and not keep else a for a in aux_leaves]))
            found = run.finish(run.pull([one(value)], last=True))
        derivatives = given.restore(found)
        wanted = derivatives[0] if isinstance(argnums, int | np.integer) else tuple(derivatives)
        return ((result, aux) if has_aux else result), wanted

    return value_and_derivative


def vjp(f: Function, *args: Any, **kwargs: Any) -> tuple[Any, Function]:
    """The value of `f`, and the function that pulls a derivative of it back to the arguments.

    Args:
        f: any function of numbers, arrays and containers of them.
        *args: where; ints, bools and strings pass through.

    Returns:
        `(out, pullback)`. `pullback(dout)` takes what has the form of `out` and returns a tuple with one entry for each
        argument, as JAX's does (the vector-Jacobian product dout · J); None for arguments with nothing to differentiate.
        It can be called as often as wanted.

    Example:
        >>> out, pullback = vjp(lambda x, y: x * y, 2.0, 5.0)
        >>> out, pullback(1.0)
        (10.0, (5.0, 2.0))
    """
    checked_argnums(0, f)
    with scope() as here:
        positions, given, run, rebuild = _linearized(f, args, kwargs, here)
        out = rebuild(iter(_given_out(run)))

    def pullback(dout: Any) -> tuple[Any, ...]:
        douts = _douts_like(dout, run, rebuild)
        restored = given.restore(run.finish(run.pull(douts), douts))
        return tuple(restored[positions.index(i)] if i in positions else None for i in range(len(args)))

    return out, pullback


def jvp(f: Function, args: Any, tangents: Any) -> tuple[Any, Any]:
    """The value of `f`, and its derivative along a direction (the Jacobian-vector product J · tangents).

    Args:
        f: any function of numbers, arrays and containers of them.
        args: its arguments, a tuple.
        tangents: the direction, a tuple of the same form; None for arguments with nothing to differentiate.

    Returns:
        `(out, tangent)`, both of the form of f's output.

    Example:
        >>> jvp(lambda x: x**3, (2.0,), (1.0,))
        (8.0, 12.0)
    """
    checked_argnums(0, f)
    args, tangents = _as_tuple(args), _as_tuple(tangents)
    if len(args) != len(tangents):
        raise ValueError(f"tangents: expected one for each of the {len(args)} arguments, got {len(tangents)}")
    with scope() as here:
        positions, given, run, rebuild = _linearized(f, args, {}, here)
        directions = _like([tangents[i] for i in positions], given, "tangents")
        out = rebuild(iter(_given_out(run)))
        found = _Pushed(run, here).push(directions)
    return out, rebuild(iter(found))


class _Pushed:
    """The walk of the walk: derivatives of a run along directions of its leaves.

    The pullback is linear in its dout. Recorded with a leaf for each dout, it is itself a run, and the pullback of
    that run takes directions of the inputs to directions of the outputs.
    """

    def __init__(self, run: Run, here: Any) -> None:
        self.run = run
        douts = [
            None if end is None else Leaf(one_like(v), None, here)
            for end, v in zip(run.ends, run.out_values, strict=True)
        ]
        handles = [None if d is None else make(d.value, d) for d in douts]
        self.douts = [d for d in douts if d is not None]
        pulled = run.pull(handles, recorded=True)
        self.pulled = Run(self.douts, [d.value for d in self.douts], pulled)
        self.pulled.foreign = run.foreign

    def push(self, directions: Sequence[Any]) -> list[Any]:
        """The direction of each output; None in `directions` stands for zeros."""
        found = iter(self.pulled.finish(self.pulled.pull(directions), directions))
        return [
            zeros_like(v) if end is None else next(found)
            for end, v in zip(self.run.ends, self.run.out_values, strict=True)
        ]


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
            with locked(given.values):
                outs, rebuild = _outputs(call(f, given.args, kwargs), f)
            run = Run(given.leaves, given.values, outs)
            blocks = _jacobian_blocks(run, here)

        def of_output(row: list[Any]) -> Any:
            restored = given.restore(row)
            return restored[0] if isinstance(argnums, int | np.integer) else tuple(restored)

        return rebuild(iter([of_output(row) for row in blocks]))

    return matrix


def _jacobian_blocks(run: Run, here: Any) -> list[list[Any]]:
    """For each output and each leaf, the array of derivatives, of shape output + leaf."""
    n_in = sum(int(np.size(v)) for v in run.values)
    n_out = sum(int(np.size(v)) for v in run.out_values)
    complex_out = any(np.iscomplexobj(v) for v in run.out_values)
    real_in = not any(np.iscomplexobj(v) for v in run.values)
    if (complex_out and real_in) or 2 * n_in < n_out:
        return _by_columns(run, _Pushed(run, here))
    return _by_rows(run)


def _by_rows(run: Run) -> list[list[Any]]:
    blocks = []
    for k, value in enumerate(run.out_values):
        rows: list[list[Any]] = []
        for basis in _basis(value):
            rows.append(run.finish(run.pull([basis if i == k else None for i in range(len(run.ends))])))
        blocks.append([_assemble([r[j] for r in rows], np.shape(value), v, True) for j, v in enumerate(run.values)])
    return blocks


def _by_columns(run: Run, pushed: _Pushed) -> list[list[Any]]:
    blocks: list[list[Any]] = [[] for _ in run.out_values]
    for j, value in enumerate(run.values):
        columns = []
        for basis in _basis(value):
            columns.append(pushed.push([basis if i == j else None for i in range(len(run.values))]))
        for k, out in enumerate(run.out_values):
            blocks[k].append(_assemble([c[k] for c in columns], np.shape(value), out, False))
    return blocks


def _basis(value: Any) -> Any:
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


def hvp(f: Function, args: Any, vectors: Any) -> Any:
    """The second derivatives of `f` times a direction, without the matrix.

    Args:
        f: a function that returns one real number.
        args: its arguments, a tuple, or the only one.
        vectors: the direction, of the same form.

    Returns:
        what has the form of `args`.

    Example:
        >>> import numpy as np
        >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
        array([6., 0.])
    """
    many, directions = _as_tuple(args), _as_tuple(vectors)
    if len(many) != len(directions):
        raise ValueError(f"vectors: expected one for each of the {len(many)} arguments, got {len(directions)}")
    _, pullback = vjp(grad(f, tuple(range(len(many)))), *many)
    products = pullback(directions)
    return products if isinstance(args, tuple) else products[0]


def stop_gradient(x: Any) -> Any:
    """The plain value, through which no derivative passes; in containers, of each leaf.

    Example:
        >>> grad(lambda x: x * stop_gradient(x))(3.0)
        3.0
    """
    return tree_map(lambda v: np.copy(v._value)[()] if isinstance(v, Variable) else v, x)


def one_like(value: Any) -> Any:
    """Ones of a value's shape and dtype; a number for a number."""
    return np.ones_like(value) if isinstance(value, np.ndarray) else one(value)


def zeros_like(value: Any) -> Any:
    """Zeros of a value's shape and dtype; a number for a number."""
    return np.zeros_like(value) if isinstance(value, np.ndarray) else one(value) * 0


def _linearized(f: Function, args: Sequence[Any], kwargs: Any, here: Any) -> tuple[list[int], Arguments, Run, Rebuild]:
    """Run `f` with leaves for every argument that has something to differentiate."""
    positions = [i for i, a in enumerate(args) if any(Arguments.accepts(v) for v in flatten(a)[0])]
    args = tree_map(lambda v: v.copy() if isinstance(v, np.ndarray) else v, list(args))  # the caller may write to his
    given = Arguments(args, positions, f, here)
    outs, rebuild = _outputs(call(f, given.args, kwargs), f)
    run = Run(given.leaves, given.values, outs)
    given.args.clear()
    return positions, given, run, rebuild


def _outputs(out: Any, f: Function) -> tuple[list[Any], Rebuild]:
    outs, rebuild = flatten(out)
    for o in outs:
        if not isinstance(o, Variable | np.ndarray | np.generic | int | float | complex):
            raise TypeError(
                f"{function_name(f)} has to return numbers, arrays, or containers of them; it returned {_kind(o)}"
            )
    return outs, rebuild


def _given_out(run: Run) -> list[Any]:
    """The outputs for the caller, who may write to them."""
    return [
        make(v, end) if run.foreign and end is not None else (v.copy() if isinstance(v, np.ndarray) else v)
        for v, end in zip(run.out_values, run.ends, strict=True)
    ]


def _douts_like(dout: Any, run: Run, rebuild: Rebuild) -> list[Any]:
    """A pullback's argument, checked leaf by leaf against the outputs."""
    douts, _ = flatten(dout)
    if len(douts) != len(run.ends):
        form = rebuild(iter([_kind(v) for v in run.out_values]))
        raise ValueError(
            f"pullback(dout): expected the form of the output, {form}, got {_kind(dout)} with {len(douts)} leaves"
        )
    return [
        None if end is None else checked_dout(d, end, "pullback(dout)") for d, end in zip(douts, run.ends, strict=True)
    ]


def _like(parts: list[Any], given: Arguments, what: str) -> list[Any]:
    """Directions, one for each leaf of the arguments, checked against their shapes."""
    flat = [v for part in parts for v in flatten(part)[0] if v is not None and not isinstance(v, str | bool)]
    if len(flat) != len(given.leaves):
        raise ValueError(
            f"{what}: expected {len(given.leaves)} numbers or arrays, of the form of the arguments, got {len(flat)}"
        )
    return [checked_dout(v, leaf, what) for v, leaf in zip(flat, given.leaves, strict=True)]


def _hold_number(out: Any, f: Function) -> None:
    """Refuse what `grad` can't start from."""
    value = out._value if isinstance(out, Variable) else out
    if not isinstance(value, np.ndarray | np.generic | int | float | complex):
        hint = "; did it forget its return?" if value is None else ""
        raise TypeError(f"{function_name(f)} has to return one real number for grad, got {_kind(out)}{hint}")
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{function_name(f)} has to return one real number for grad, got the bool {value}")
    if np.shape(value) != ():
        raise TypeError(
            f"{function_name(f)} has to return one real number for grad, got an array of shape {np.shape(value)}: "
            "sum it, or use dout.jacobian for all its derivatives, or dout.vjp for a product with them"
        )
    if np.iscomplexobj(value):
        raise TypeError(
            f"{function_name(f)} has to return one real number for grad, got the complex {value}: take np.real or "
            "np.abs of it, or use dout.vjp or dout.jacobian"
        )


def _as_tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else tuple(x) if isinstance(x, list) else (x,)


def _kind(value: Any) -> str:
    return "None" if value is None else f"{type(value).__name__}"
