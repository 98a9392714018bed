"""`Jitted`: what `jit` gives: a function with its recordings, and how they are found, made and called."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np

from .arguments import function_name
from .given import Given
from .layout import replica
from .passes.program import Program
from .ready import MISS
from .recorder import RECORDER
from .run.interpret import BROKEN
from .standins import StandIns
from .surroundings import Surroundings
from .tree import flatten
from .variants import Variant, missed, record, uncollected
from .within import record_within

#: So many recordings of one form of arguments, then it runs as it is.
MOST_VARIANTS = 8


class Jitted:
    """What `jit` gives: a function that runs by its recordings. `report` and `graph` tell of them."""

    def __init__(self, f: Callable[..., Any], static: tuple[int, ...], backend: str) -> None:
        functools.update_wrapper(self, f)
        self._f = f
        self._static = static
        self._backend = backend
        self._forms: dict[Any, list[Variant]] = {}
        self._counts: dict[Any, int] = {}
        self._ready: Callable[[Any, Any], Any] = missed
        self._recording = threading.RLock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self._ready(args, kwargs)
        return self._call(*args, **kwargs) if result is MISS else result

    def _other(self, *args: Any, **kwargs: Any) -> Any:
        """What a builtin in the place of `__call__` calls for arguments that it is not for."""
        return Jitted.__call__(self, *args, **kwargs)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        """The slow way, which finds out what to do."""
        if RECORDER.get() is not None:
            return self._f(*args, **kwargs)  # part of another recording
        if "out" in kwargs and self._gives_out:
            return _into(kwargs.pop("out"), self(*args, **kwargs), self._f)
        given = Given(args, kwargs, self._static)
        if given.foreign:
            return self._f(*args, **kwargs)  # each operation of it is looked at
        for variant in self._forms.get(given.form, ()):
            if not variant.holds():
                continue
            if variant.runs is None:
                return self._f(*args, **kwargs)
            result = variant.run(given)
            if result is not BROKEN:
                if not given.handles:
                    self._ready = variant.ready(given)
                return result
        return self._fresh(given, args, kwargs)

    @functools.cached_property
    def _gives_out(self) -> bool:
        """Whether `out=` is for this, and not for the function."""
        try:
            parameters = inspect.signature(self._f).parameters.values()
        except (TypeError, ValueError):
            return False
        return not any(p.name == "out" or p.kind is p.VAR_KEYWORD for p in parameters)

    def __get__(self, obj: Any, kind: Any = None) -> Any:
        return self if obj is None else MethodType(self, obj)

    def __repr__(self) -> str:
        return f"<dout.jit of {function_name(self._f)}>"

    def __dout_function__(self) -> Callable[..., Any]:
        """What it is made of, for whoever looks through a function that holds it."""
        return self._f

    def __reduce__(self) -> Any:
        name = getattr(self, "__qualname__", "<")
        found: Any = sys.modules.get(getattr(self, "__module__", ""))
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else (jit_of, (self._f, self._static, self._backend))

    def _fresh(self, given: Given, args: Any, kwargs: Any) -> Any:
        """Record another variant, and give its result."""
        if not self._recording.acquire(blocking=False):
            return self._f(*args, **kwargs)  # another thread is recording, and may be waiting for this one
        try:
            return self._recorded(given, args, kwargs)
        finally:
            self._recording.release()

    def _recorded(self, given: Given, args: Any, kwargs: Any) -> Any:
        kept = [v for v in self._forms.get(given.form, ()) if v.holds()]
        if self._counts.get(given.form, 0) >= MOST_VARIANTS:
            self._forms[given.form] = [Variant(None, f"it took another way at each of {MOST_VARIANTS} calls")]
            return self._f(*args, **kwargs)
        surroundings = Surroundings([self._f, *given.statics])
        if surroundings.problem is not None:
            self._forms[given.form] = [*kept, Variant(surroundings, surroundings.problem)]
            return self._f(*args, **kwargs)
        surroundings.remember()
        statics = [s for s in given.statics if any(s is a for a in (*args, *kwargs.values()))]
        standins = surroundings.standins(self._f, statics)
        variant, result = self._attempt(given, surroundings, standins)
        if variant.program is None and standins.arrays:
            variant, result = self._attempt(given, surroundings, None)
        surroundings.forget()
        if variant.program is not None:
            with uncollected():
                self._compile(variant, given)
            if given.handles:
                result = variant.run(given)
        if result is BROKEN:
            result = self._f(*args, **kwargs)  # raises for the caller what is to be raised
        self._counts[given.form] = self._counts.get(given.form, 0) + 1
        self._forms[given.form] = [*kept, variant]
        return result

    def _attempt(self, given: Given, surroundings: Surroundings, standins: StandIns | None) -> tuple[Variant, Any]:
        """Record a run; gives the variant, and the result or `BROKEN`."""
        variant, result = Variant(None), BROKEN
        try:
            with uncollected():
                if given.handles:
                    variant = record_within(self._f, given, surroundings, standins, self._alike)
                else:
                    variant, result = record(self._f, given, surroundings, standins)
        except Exception as error:
            variant = Variant(surroundings, f"while recording: {type(error).__name__}: {error}")
        finally:
            if variant.program is None:
                surroundings.restore()
                result = BROKEN
        return variant, result

    def _alike(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Another function that is recorded."""
        return jit_of(f, (), self._backend)

    def _compile(self, variant: Variant, given: Given) -> None:
        program, here = variant.program, variant.surroundings
        assert program is not None
        assert here is not None
        alone = given.is_flat() and not here.anything() and not variant.written
        parameters = [i for i, v in enumerate(program.values) if v.input is not None] if alone else None
        variant.compile(self._backend, parameters, self._other)
        if variant.native is not None and variant.native.direct is not None:
            type(self).__call__ = variant.native.direct  # type: ignore[method-assign]

    def _variant(self, args: Any, kwargs: Any) -> Variant:
        """The variant that a call with these arguments runs, recorded if there is none."""
        given = Given(args, kwargs, self._static)
        copies = [replica(v) if isinstance(v, np.ndarray) else v for v in given.leaves]
        self._call(*given.positional(copies), **given.keywords(copies))
        for variant in self._forms.get(given.form, ()):
            if variant.holds() and (variant.runs is None or variant.run(given, False) is not BROKEN):
                return variant
        why = [v.why for v in self._forms.get(given.form, ()) if v.why]
        return Variant(None, why[-1] if why else "it takes another way at each call, or is called within a derivative")

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
        """What a call with these arguments does: what is recorded, what runs it and how long that takes, or why it isn't."""
        leaves = Given(args, kwargs, self._static).leaves
        return self._variant(args, kwargs).report(function_name(self._f), leaves)


def _into(out: Any, result: Any, f: Callable[..., Any]) -> Any:
    """Write a result into the caller's own arrays, and give these."""
    places, results = flatten(out)[0], flatten(result)[0]
    name = function_name(f)
    if len(places) != len(results):
        raise ValueError(f"out: {name} returns {len(results)} results, and out holds {len(places)}")
    for place, value in zip(places, results, strict=True):
        if not isinstance(place, np.ndarray):
            raise TypeError(f"out: expected an array for each result, got {type(place).__name__}")
        if not isinstance(value, np.ndarray | np.generic | int | float | complex):
            raise TypeError(f"out: {name} returns a {type(value).__name__}, which no array can hold")
        if place.shape != np.shape(value):
            raise ValueError(f"out: expected shape {np.shape(value)}, got {place.shape}")
        if place.dtype != np.result_type(value):
            raise TypeError(f"out: expected {np.result_type(value)}, got {place.dtype}")
        if not place.flags.writeable:
            raise ValueError("out: an array is read-only")
    for i, place in enumerate(places):
        if any(np.shares_memory(place, other) for other in places[:i]):
            raise ValueError("out: two arrays share memory")
    for place, value in zip(places, results, strict=True):
        place[...] = value
    return out


def jit_of(f: Callable[..., Any], static: tuple[int, ...], backend: str) -> Jitted:
    """A `Jitted`; by this it is pickled."""
    own = type("Jitted", (Jitted,), {"__doc__": Jitted.__doc__})  # whose __call__ can be native code
    made: Jitted = own(f, static, backend)
    return made
