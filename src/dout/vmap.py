"""`vmap`: a function of one example as a function of many.

This file reads `in_axes` and `out_axes`, and brings the batch to the first axis and back. What is done to the batch is in
`batching/`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy

from .arguments import checked_argnums, function_name, parameter_name
from .graph import plain
from .recorder import RECORDER
from .recording import Handle
from .tree import Rebuild, flatten, leaf_paths, parts

if TYPE_CHECKING:
    from .batching.registry import Operand

np: Any = numpy  # NumPy's stubs know arrays only, and arguments may be Variables
Axes = Any


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """The function that does to each example of a batch what `f` does to one.

    `f` runs on one example, and what it does there is done to all examples at once. Where Python goes another way for some of
    them (`if x > 0`), it runs again for those.

    Args:
        f: a function of numbers, arrays, and containers of them. It may take derivatives, call `vmap`, or be jitted.
        in_axes: along which axis each positional argument is mapped. An int for all of them, or a tuple with an entry for each:
            an int, negative ones counted from the end; None for what is the same for all examples; or for an argument that is a
            container, a container of the same form, whose entries hold for all below them. Keyword arguments are mapped
            along their first axis.
        out_axes: where the batch's axis is put in each result; an int, or containers of the results' form. None for what
            is the same for all examples.

    Returns:
        a function of the same arguments, each mapped one with one more axis. Its results have one more axis too.

    Raises:
        TypeError: if an axis is neither an int nor None; when called, if what is mapped is no array of numbers.
        ValueError: when called, naming the argument, if in_axes has another form than the arguments, an axis is out of
            range, or sizes differ; if a result for which out_axes says None depends on the example; if results differ in shape.

    Example:
        >>> import numpy as np
        >>> vmap(np.dot)(np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([1., 4.])
        >>> vmap(np.dot, in_axes=(0, None))(np.eye(2), np.array([5.0, 6.0]))
        array([5., 6.])
    """
    checked_argnums(0, f)
    _hold_axes(in_axes, "in_axes")
    _hold_axes(out_axes, "out_axes")
    if not (in_axes is None or isinstance(in_axes, int | np.integer | tuple | list)):
        raise TypeError(f"in_axes: expected an int, None, or a tuple with an entry for each argument, got {in_axes!r}")
    if hasattr(type(f), "__dout_function__"):  # a jitted one
        from .jitted import Jitted, jit_of  # a large import, which who has a jitted function has done already

        assert isinstance(f, Jitted)
        return jit_of(vmap(f.__dout_function__(), in_axes, out_axes), f._static, f._backend)
    name = function_name(f)

    @wraps(f)
    def batched(*args: Any, **kwargs: Any) -> Any:
        from .batching.mapping import mapped  # a large import, for who maps

        given = _Batch(f, args, kwargs, in_axes)
        results = mapped(lambda values: given.call(values), given.inputs, given.size, name, vmap)
        out = results.rebuild(iter([_Result(v) for v in results.values]))
        leaves: list[Any] = []
        for path, result, axis in _paired(out_axes, out, "out_axes"):
            leaves.append(_placed(result.operand, axis, given, f"{name}{path}"))
        return results.rebuild(iter(leaves))

    return batched


class _Result:
    """A result, as a leaf of the containers."""

    def __init__(self, operand: Operand) -> None:
        self.operand = operand


class _Batch:
    """The arguments of a call, with the batch's axis first.

    Attributes:
        inputs: the mapped arrays and Variables.
        size: how many examples there are.
    """

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], in_axes: Axes) -> None:
        self._f = f
        self._n_positional = len(args)
        self._keys = list(kwargs)
        self.inputs: list[Any] = []
        self._fixed: list[Any] = []
        self._mapped: list[bool] = []
        self._rebuilds: list[Rebuild] = []
        sizes: dict[int, str] = {}
        for said, arg, axes in _arguments(f, args, kwargs, in_axes):
            self._rebuilds.append(flatten(arg)[1])
            for path, leaf, axis in _paired(axes, arg, "in_axes", said):
                self._enter(leaf, axis, said + path, sizes)
        if not sizes:
            raise ValueError(f"vmap of {function_name(f)}: no argument is mapped; give at least one an axis in in_axes")
        if len(sizes) > 1:
            each = ", ".join(f"{said} has {n}" for n, said in sizes.items())
            raise ValueError(f"vmap of {function_name(f)}: mapped axes have different sizes: {each}")
        (self.size,) = sizes

    def _enter(self, leaf: Any, axis: int | None, said: str, sizes: dict[int, str]) -> None:
        value = leaf._value if isinstance(leaf, Handle) else leaf
        numeric = isinstance(value, numpy.ndarray | numpy.generic | int | float | complex)
        if axis is None or not numeric:  # a string, None, a function: the same for all
            self._mapped.append(False)
            self._fixed.append(leaf)
            return
        if isinstance(value, numpy.ndarray):
            _hold_numbers(value, said)
        ndim = np.ndim(value)
        if not ndim:
            raise ValueError(
                f"vmap: {said} is mapped along axis {axis}, but it is a single number; give it None in in_axes"
            )
        if not -ndim <= axis < ndim:
            raise ValueError(f"vmap: {said} is mapped along axis {axis}, but it has shape {np.shape(value)}")
        sizes.setdefault(np.shape(value)[axis], said)
        self._mapped.append(True)
        self.inputs.append(leaf if axis % ndim == 0 else np.moveaxis(leaf, axis, 0))

    def call(self, values: Sequence[Any]) -> Any:
        """Call the function with these values of one example."""
        mine, fixed = iter(values), iter(self._fixed)
        from .mapped import lifted
        from .mapper import Mapper

        noting = isinstance(RECORDER.get(), Mapper)
        leaves = [next(mine) if yes else lifted(next(fixed)) if noting else next(fixed) for yes in self._mapped]
        nodes = [getattr(v, "_node", None) for v in leaves]
        remaining = iter(leaves)
        args = [rebuild(remaining) for rebuild in self._rebuilds]
        out = self._f(*args[: self._n_positional], **dict(zip(self._keys, args[self._n_positional :], strict=True)))
        for v, node, yes in zip(leaves, nodes, self._mapped, strict=True):
            if not yes and getattr(v, "_node", None) is not node:
                raise TypeError(
                    f"vmap of {function_name(self._f)}: it writes into an argument that is the same for all examples; let "
                    "it write into a copy"
                )
        return out


def _hold_numbers(value: numpy.ndarray, said: str) -> None:
    if type(value).__mul__ is not numpy.ndarray.__mul__ or value.dtype.kind not in "fciub":
        raise TypeError(
            f"vmap: {said} is mapped, and has to be an array of numbers, got a {type(value).__name__} of {value.dtype}"
        )


def _arguments(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], in_axes: Axes) -> list[tuple[str, Any, Axes]]:
    """What to call each argument, with its axes."""
    if isinstance(in_axes, tuple | list):
        if len(in_axes) != len(args):
            raise ValueError(
                f"in_axes has {len(in_axes)} entries, and {function_name(f)} got {len(args)} positional arguments; they have "
                "to match (keyword arguments are mapped along their first axis)"
            )
        axes = list(in_axes)
    else:
        axes = [in_axes] * len(args)
    found = []
    for i, (arg, axis) in enumerate(zip(args, axes, strict=True)):
        name = parameter_name(f, i)
        found.append((f"argument {i}" + (f" ({name!r})" if name else ""), arg, axis))
    return found + [(f"argument {name!r}", arg, 0) for name, arg in kwargs.items()]


def _hold_axes(axes: Axes, what: str) -> None:
    """Refuse what can't be axes, before anything is called."""
    for axis in flatten(axes)[0]:
        if axis is not None and (isinstance(axis, bool) or not isinstance(axis, int | np.integer)):
            raise TypeError(f"{what}: an axis is an int or None, got {axis!r}")


def _paired(axes: Axes, tree: Any, what: str, said: str = "", path: str = "") -> list[tuple[str, Any, int | None]]:
    """Each leaf of a tree with its axis; axes may stop above the leaves.

    Raises:
        ValueError: where their containers differ.
    """
    if axes is None or isinstance(axes, int | np.integer):
        axis = None if axes is None else operator.index(axes)
        leaves = flatten(tree)[0]
        paths = [""] if len(leaves) == 1 and leaves[0] is tree else leaf_paths(tree)
        return [(path + p, leaf, axis) for p, leaf in zip(paths, leaves, strict=True)]
    inside, found = parts(axes), parts(tree)
    assert inside is not None
    expected, children = inside[0], found[0] if found is not None else []
    if isinstance(axes, dict):
        same = isinstance(tree, dict) and axes.keys() == tree.keys()
        expected, steps = [axes[key] for key in tree] if same else [], [f"[{key!r}]" for key in tree] if same else []
    else:
        same = found is not None and type(axes) is type(tree) and len(children) == len(expected)
        steps = [f"[{i}]" for i in range(len(expected))]
    if not same:
        where = f" for {said}" if said else ""
        raise ValueError(
            f"{what}{path}{where}: {_form(axes)} doesn't have the form of what it is for, {_form(tree)}; an int or None holds "
            "for everything below it"
        )
    return [
        leaf
        for a, t, step in zip(expected, children, steps, strict=True)
        for leaf in _paired(a, t, what, said, path + step)
    ]


def _form(tree: Any) -> str:
    found = parts(tree)
    if found is None:
        value = plain(tree)
        return f"an array of shape {value.shape}" if isinstance(value, numpy.ndarray) else f"a {type(tree).__name__}"
    if isinstance(tree, dict):
        return "a dict with " + ", ".join(map(repr, tree))
    return f"a {type(tree).__name__} of {len(found[0])}"


def _placed(result: Operand, axis: int | None, given: _Batch, said: str) -> Any:
    """A result with the batch's axis where it should be, in memory of its own."""
    from .batching.mapping import NONE

    if result is NONE:
        return None
    if axis is None:
        if result.batched:
            raise ValueError(
                f"out_axes says None for a result of {said}, which depends on the example; give the axis along which "
                "the results are stacked"
            )
        return _fresh(result.value, given)
    ndim = result.ndim + 1
    if not -ndim <= axis < ndim:
        raise ValueError(f"out_axes says {axis} for a result of {said}, which has {ndim} axes with that of the batch")
    return _fresh(np.moveaxis(result.spread(given.size), 0, axis) if axis % ndim else result.spread(given.size), given)


def _fresh(value: Any, given: _Batch) -> Any:
    """An array that the caller may write to; nobody else holds it."""
    if isinstance(value, numpy.ndarray):
        mine = value.flags.owndata and value.flags.writeable and not any(value is v for v in given.inputs)
        return value if mine else np.array(value)
    return np.copy(value) if isinstance(value, Handle) and np.ndim(value._value) else value
