"""`jit`: record a function's run once, and run the recording.

A run is recorded for each form of the arguments: containers, shapes, dtypes, static values. The recording is of the whole
run: a derivative inside is recorded as it is computed, backward and forward alike. It holds as long as Python would see
the same on the way: the values that it looked at, and what the function holds besides its arguments. That is compared at
every call. Where it doesn't hold, another variant is recorded; past a few, and where a run can't be recorded,
the function runs as it is.
"""

from __future__ import annotations

import contextlib
import functools
import gc
from collections.abc import Callable, Iterator, Sequence
from types import MethodType
from typing import Any

import numpy as np

from .arguments import call, checked_argnums, function_name, scope
from .graph import RecordedLeaf
from .layout import replica
from .passes.building import Building
from .passes.program import Check, Program
from .recorded import HANDLES
from .recorder import RECORDER, Recorder
from .recording import Handle, make
from .run.interpret import BROKEN, interpreter
from .surroundings import Surroundings
from .tree import Rebuild, flatten, parts

#: So many recordings of one form of arguments, then it runs as it is.
MOST_VARIANTS = 8
_SIMPLE = (str, bytes, bool, type(None), np.dtype, type(Ellipsis))


class Jitted:
    """What `jit` gives: a function that runs by its recordings. `report` and `graph` tell of them."""

    def __init__(self, f: Callable[..., Any], static: tuple[int, ...], backend: str) -> None:
        functools.update_wrapper(self, f)
        self._f = f
        self._static = static
        self._backend = backend
        self._forms: dict[Any, list[Variant]] = {}
        self._counts: dict[Any, int] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        if RECORDER.get() is not None:
            return self._f(*args, **kwargs)  # part of another recording
        given = Given(args, kwargs, self._static)
        if given.variables:
            return self._f(*args, **kwargs)
        for variant in self._forms.get(given.form, ()):
            if variant.holds():
                result = variant.run(given) if variant.runs is not None else BROKEN
                if variant.runs is None:
                    return self._f(*args, **kwargs)
                if result is not BROKEN:
                    return result
        return self._fresh(given, args, kwargs)

    def __get__(self, obj: Any, kind: Any = None) -> Any:
        return self if obj is None else MethodType(self, obj)

    def __repr__(self) -> str:
        return f"<dout.jit of {function_name(self._f)}>"

    def __dout_function__(self) -> Callable[..., Any]:
        """What it is made of, for whoever looks through a function that holds it."""
        return self._f

    def __reduce__(self) -> Any:
        return jit_of, (self._f, self._static, self._backend)

    def _fresh(self, given: Given, args: Any, kwargs: Any) -> Any:
        """Record another variant, and give its result."""
        variants = self._forms.setdefault(given.form, [])
        variants[:] = [v for v in variants if v.holds()]
        if self._counts.get(given.form, 0) >= MOST_VARIANTS:
            variants[:] = [Variant(None, f"it took another way at each of {MOST_VARIANTS} calls")]
            return self._f(*args, **kwargs)
        surroundings = Surroundings([self._f, *given.statics])
        if surroundings.problem is not None:
            variants.append(Variant(surroundings, surroundings.problem))
            return self._f(*args, **kwargs)
        surroundings.remember()
        try:
            with uncollected():
                variant, result = record(self._f, given, surroundings)
        except Exception as error:
            surroundings.restore()
            result = self._f(*args, **kwargs)  # raises for the caller what is to be raised
            variant = Variant(surroundings, f"while recording: {type(error).__name__}: {error}")
        except BaseException:
            surroundings.restore()
            raise
        else:
            if variant.program is None:
                surroundings.restore()
                result = self._f(*args, **kwargs)
        surroundings.forget()
        if variant.program is not None:
            with uncollected():
                variant.by = self._compile(variant, given) if self._backend == "native" else "NumPy"
            if variant.runs is None:
                variant.runs = interpreter(variant.program)
        variants.append(variant)
        self._counts[given.form] = self._counts.get(given.form, 0) + 1
        return result

    def _compile(self, variant: Variant, given: Given) -> str:
        """Let a variant run as native code as far as there is some; says what runs it."""
        from .run.native.engine import available

        if not available():
            return "NumPy, because llvmlite is not installed (pip install 'dout[native]')"
        from .run.native.compiled import Native

        program = variant.program
        assert program is not None
        assert variant.surroundings is not None
        simple = given.is_flat() and not variant.surroundings.anything() and variant.contents is None
        parameters = [i for i, v in enumerate(program.values) if v.input is not None] if simple else None
        try:
            native = Native(program, parameters, variant.template, self._call)
        except LookupError as none:
            return f"NumPy: {none}"
        except Exception as error:  # a fault of the compiler's must not be the caller's
            return f"NumPy, because native code could not be made ({type(error).__name__}: {error})"
        variant.runs, variant.native = native.run, native
        if native.direct is not None:
            type(self).__call__ = native.direct  # type: ignore[method-assign]
        return "native code"

    def _variant(self, args: Any, kwargs: Any) -> Variant:
        """The variant that a call with these arguments runs, recorded if there is none."""
        given = Given(args, kwargs, self._static)
        copies = [replica(v) if isinstance(v, np.ndarray) else v for v in given.leaves]
        self._call(*given.positional(copies), **given.keywords(copies))
        for variant in self._forms.get(given.form, ()):
            if variant.holds() and (variant.runs is None or variant.run(given, False) is not BROKEN):
                return variant
        return Variant(None, "it takes another way at each call, or is called within a derivative")

    def graph(self, *args: Any, **kwargs: Any) -> Program:
        """The program that a call with these arguments runs.

        Raises:
            RuntimeError: if it runs as it is, saying why.
        """
        variant = self._variant(args, kwargs)
        if variant.program is None:
            raise RuntimeError(f"{function_name(self._f)} is not recorded: {variant.why}")
        return variant.program

    def report(self, *args: Any, **kwargs: Any) -> str:
        """What a call with these arguments does: what is recorded, what runs it, or why it runs as it is."""
        return self._variant(args, kwargs).report(function_name(self._f))


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Meanwhile Python doesn't look for cyclic garbage: in a long recording it would spend most of the time on that."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Given:
    """The arguments of a call, taken apart.

    Attributes:
        leaves: the numbers and arrays.
        form: what a recording is specialised on.
        statics: everything else.
        variables: whether there are Variables among them.
    """

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], static: tuple[int, ...]) -> None:
        self.args = args
        self.kwargs = kwargs
        self.leaves: list[Any] = []
        self.statics: list[Any] = []
        self.variables = False
        self._rebuilds: list[Callable[[Any], Any]] = []
        n = len(args)
        fixed = {i % n for i in static if -n <= i < n} if static else ()
        form = [self._enter(a, i in fixed) for i, a in enumerate(args)]
        form += [(k, self._enter(v, False)) for k, v in kwargs.items()]
        self.form = tuple(form)

    def _enter(self, value: Any, fixed: bool) -> Any:
        if fixed:
            self._rebuilds.append(lambda values: value)
            return self._fixed(value)
        form, rebuild = self._taken(value)
        self._rebuilds.append(rebuild)
        return form

    def _taken(self, value: Any) -> tuple[Any, Callable[[Any], Any]]:
        kind = type(value)
        if kind is float or kind is int or kind is complex:
            self.leaves.append(value)
            return kind, next
        if kind is np.ndarray and value.dtype.kind in "fciub":
            self.leaves.append(value)
            return (value.dtype.str, value.shape, value.flags.c_contiguous or value.strides), next
        if isinstance(value, np.generic) and value.dtype.kind in "fciub":
            self.leaves.append(value)
            return kind, next
        if isinstance(value, Handle):
            self.variables = True
            return None, lambda values: value
        found = None if isinstance(value, _SIMPLE) else parts(value)
        if found is None:
            return self._fixed(value), lambda values: value
        children, remake = found
        forms, rebuilds = [], []
        for child in children:
            form, rebuild = self._taken(child)
            forms.append(form)
            rebuilds.append(rebuild)
        keys = tuple(value) if isinstance(value, dict) else ()
        return (kind, keys, tuple(forms)), lambda values: remake([r(values) for r in rebuilds])

    def _fixed(self, value: Any) -> Any:
        if isinstance(value, _SIMPLE):
            return type(value), value
        if type(value) in (int, float, complex):
            return type(value), repr(value)
        self.statics.append(value)
        if type(value) is tuple:
            return tuple, tuple([self._fixed(v) for v in value])
        return type(value), id(value)

    def is_flat(self) -> bool:
        """Whether the arguments are the leaves, by position."""
        return not self.kwargs and not self.statics and len(self.leaves) == len(self.args) == len(self.form)

    def positional(self, leaves: Sequence[Any]) -> list[Any]:
        """The positional arguments, with these leaves."""
        return self._rebuilt(leaves)[: len(self.args)]

    def keywords(self, leaves: Sequence[Any]) -> dict[str, Any]:
        """The others."""
        return dict(zip(self.kwargs, self._rebuilt(leaves)[len(self.args) :], strict=True))

    def _rebuilt(self, leaves: Sequence[Any]) -> list[Any]:
        remaining = iter(leaves)
        return [rebuild(remaining) for rebuild in self._rebuilds]


class Variant:
    """One recording, or why there is none.

    Attributes:
        program: what was recorded, simplified.
        runs: runs it; None if the function runs as it is.
        why: why it does.
        contents: fingerprints of the arrays that the function holds: plain code may have looked at them, unseen.
    """

    def __init__(self, surroundings: Surroundings | None, why: str = "") -> None:
        self.surroundings = surroundings
        self.why = why
        self.program: Program | None = None
        self.runs: Callable[[Sequence[Any]], Any] | None = None
        self.by = ""
        self.contents: list[int] | None = None
        self.written: list[int] = []
        self.rebuild: Rebuild = next
        self.template: Any = None
        self.native: Any = None
        self.plain: list[Any] = []

    def holds(self) -> bool:
        """Whether what the function holds is what it was."""
        here = self.surroundings
        if here is None:
            return True
        return here.same() and (self.contents is None or self.contents == here.contents())

    def run(self, given: Given, write: bool = True) -> Any:
        """Run on these arguments, or give `BROKEN`."""
        assert self.runs is not None
        try:
            with np.errstate(all="ignore"):
                found = self.runs(given.leaves)
        except Exception:  # where this way fails, another may be the right one; if not, the function itself will say it
            return BROKEN
        if found is BROKEN:
            return BROKEN
        n = len(self.plain)
        results = owned(found[:n], self.plain, given.leaves)
        if write:
            for place, value in zip(self.written, found[n:], strict=True):
                np.copyto(given.leaves[place], value)
        return self.rebuild(iter(results))

    def report(self, name: str) -> str:
        """In words."""
        if self.program is None:
            return f"{name} runs as it is: {self.why}."
        lines = [f"{name}: recorded, {len(self.program)} values, {len(self.program.checks)} checks; run by {self.by}."]
        if self.contents is not None:
            lines.append(
                "Plain code made arrays of what the function holds: those arrays are compared before each call."
            )
        if self.native is not None:
            lines.append(self.native.report())
        return "\n".join([*lines, "", str(self.program)])


#: Stands in `Variant.plain` for a result that the program computes.
COMPUTED: Any = object()


def owned(found: Sequence[Any], plain: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """Results as the caller gets them: arrays that nobody else holds."""
    results: list[Any] = []
    for value, constant in zip(found, plain, strict=True):
        if constant is not COMPUTED:
            results.append(constant)
        elif isinstance(value, np.ndarray):
            mine = value.flags.owndata and value.flags.writeable and not any(value is g for g in given)
            results.append(value if mine and not any(value is r for r in results) else np.array(value))
        else:
            results.append(value)
    return results


def record(f: Callable[..., Any], given: Given, surroundings: Surroundings) -> tuple[Variant, Any]:
    """Run a function on fresh leaves, and make a program of what happened."""
    building = Building()
    recorder = Recorder(surroundings.arrays, building)
    contents = surroundings.contents()
    arrays = [v for v in given.leaves if isinstance(v, np.ndarray)]
    token = RECORDER.set(recorder)
    try:
        with scope() as here:
            leaves = [_leaf(v, here) for v in given.leaves]
            for i, leaf in enumerate(leaves):
                recorder.input(i, leaf)
            handles: list[HANDLES] = [make(leaf.value, leaf) for leaf in leaves]
            args, kwargs = given.positional(handles), given.keywords(handles)
            out = call(f, args, kwargs)
        outs, rebuild = flatten(out)
        ends: list[int] = []
        for o in outs:
            if isinstance(o, Handle) and o._node is not None:
                ends.append(recorder.number(o._node))
            elif isinstance(o, Handle | np.ndarray | np.generic | int | float | complex | str | bytes | type(None)):
                ends.append(recorder.plain(o._value if isinstance(o, Handle) else o))
            else:
                recorder.fail(f"it returns a {type(o).__name__}")
        now = flatten((args, kwargs))[0]
        expected = flatten((given.positional(handles), given.keywords(handles)))[0]
        if len(now) != len(expected) or any(a is not b for a, b in zip(now, expected, strict=True)):
            recorder.fail("it changes a container among its arguments")
        written = [i for i, (h, leaf) in enumerate(zip(handles, leaves, strict=True)) if h._node is not leaf]
        if written and _overlap(arrays):
            recorder.fail("it writes into an argument that overlaps another")
        if not surroundings.same() or contents != surroundings.contents():
            recorder.fail("it changes what it holds")
        if surroundings.drew():
            recorder.fail("it draws random numbers")
        if recorder.failed is not None:
            return Variant(surroundings, recorder.failed), None
        results = [*ends, *[recorder.number(handles[i]._node) for i in written]]
        program = building.finish(results, [Check(*g) for g in recorder.guards]).verify()
        written_values = [np.array(handles[i]._value) for i in written]
    finally:
        RECORDER.reset(token)
    variant = Variant(surroundings)
    variant.program = program
    variant.template = _template(out, iter(variant.program.outputs)) if not written else None
    variant.contents = contents or None
    variant.written, variant.rebuild = written, rebuild
    variant.plain = [o if isinstance(o, str | bytes | type(None) | bool) else COMPUTED for o in outs]
    values = [o._value if isinstance(o, Handle) else o for o in outs]
    held = [*given.leaves, *surroundings.arrays.values()]
    result = rebuild(iter(owned(values, variant.plain, held)))
    for i, value in zip(written, written_values, strict=True):
        np.copyto(given.leaves[i], value)
    return variant, result


def _leaf(value: Any, here: Any) -> RecordedLeaf:
    leaf = RecordedLeaf(value, None, here)
    leaf.live = frozenset()
    return leaf


def _overlap(arrays: Sequence[np.ndarray]) -> bool:
    return any(np.may_share_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


def jit(
    f: Callable[..., Any], *, static_argnums: int | Sequence[int] = (), backend: str = "native"
) -> Callable[..., Any]:
    """The same function, run by a recording of itself.

    Args:
        f: a function of numbers, arrays and containers of them; it may take derivatives itself.
        static_argnums: positions of arguments that are no data: a recording is made for each of their values.
        backend: "native" for machine code where there is some, "numpy" for none.

    Returns:
        a function with the same results as `f`, which are fresh arrays. `.report(*args)` says what runs and why,
        `.graph(*args)` gives the program.

    Example:
        >>> import numpy as np
        >>> from dout import grad
        >>> fast = jit(grad(lambda x: np.sum(x**2)))
        >>> fast(np.array([1.0, 2.0]))
        array([2., 4.])
    """
    checked_argnums(0, f)
    if backend not in ("native", "numpy"):
        raise ValueError(f"backend: expected 'native' or 'numpy', got {backend!r}")
    static = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    if any(isinstance(n, bool) or not isinstance(n, int) for n in static):
        raise TypeError(f"static_argnums: expected an int or ints, got {static_argnums!r}")
    return jit_of(f, static, backend)


def jit_of(f: Callable[..., Any], static: tuple[int, ...], backend: str) -> Jitted:
    """A `Jitted`; by this it is pickled."""
    own = type("Jitted", (Jitted,), {"__doc__": Jitted.__doc__})  # whose __call__ can be native code
    made: Jitted = own(f, static, backend)
    return made


def _template(out: Any, numbers: Iterator[int]) -> Any:
    """How the results are put together, if of tuples and lists only; else None."""
    if type(out) in (tuple, list):
        parts = [_template(o, numbers) for o in out]
        return None if None in parts else (type(out), parts)
    return next(numbers) if isinstance(out, Handle) else None
