"""Derivatives of functions: grad, value_and_grad, vjp, jvp, hvp; and stop_gradient.

All of them run the function once on fresh leaves (`arguments.py`, `runs.py`) and walk back (`backprop.py`). There is no
other rule table: a product with tangents (`jvp`) is the walk of the walk, since a pullback is linear in its dout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from .arguments import Arguments, checked_argnums, function_name, positions_of, scope
from .backprop import one
from .pooled import pooled
from .runs import Linearized, Pushed, Run
from .tree import flatten, tree_map
from .variable import Variable

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
            with pooled(given.values):
                out = given.run(f, kwargs)
                aux_leaves: list[Any] = []
                if has_aux:
                    if not (isinstance(out, tuple) and len(out) == 2):
                        raise TypeError(
                            f"has_aux=True: {function_name(f)} has to return (number, anything), got {_kind(out)}"
                        )
                    out, aux = out
                    aux_leaves, aux_rebuild = flatten(aux)
                _hold_number(out, f)
                run = Run(given.leaves, given.values, [out], aux_leaves)
                del out, given.args
                result = run.results()[0]
                if has_aux:
                    aux = aux_rebuild(iter([run.settled(a) for a in aux_leaves]))
                found = run.finish(run.pull([one(run.out_values[0])], last=True))
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
        linear = Linearized(f, args, kwargs, here)

    def pullback(dout: Any) -> tuple[Any, ...]:
        return linear.pull(dout)

    return linear.out, pullback


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
    with scope() as here:
        linear = Linearized(f, _as_tuple(args), {}, here)
        directions = linear.directions(_as_tuple(tangents), "tangents")
        found = Pushed(linear.run, here).push(directions)
    return linear.out, linear.like_output(found)


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
    positions = tuple(i for i, a in enumerate(many) if any(map(Arguments.accepts, flatten(a)[0])))
    if not positions:
        raise TypeError(f"hvp of {function_name(f)}: no argument holds a float or complex number or array")
    with scope() as here:  # the matrix is symmetric, so that its pullback multiplies by it too
        gradient = Linearized(grad(f, positions), many, {}, here)
    products = gradient.pull(tuple(directions[i] for i in positions), "vectors: expected the argument's")
    return products if isinstance(args, tuple) else products[0]


def stop_gradient(x: Any) -> Any:
    """The plain value, through which no derivative passes; in containers, of each leaf.

    Example:
        >>> grad(lambda x: x * stop_gradient(x))(3.0)
        3.0
    """
    return tree_map(lambda v: np.copy(v.value)[()] if isinstance(v, Variable) else v, x)


def _hold_number(out: Any, f: Function) -> None:
    """Refuse what `grad` can't start from."""
    value = out._value if isinstance(out, Variable) else out
    if type(value) is float or type(value) is np.float64:
        return
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
    return x if isinstance(x, tuple) else (x,)


def _kind(value: Any) -> str:
    return "None" if value is None else f"{type(value).__name__}"
