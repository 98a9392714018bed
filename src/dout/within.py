"""A recorded function called within a derivative: one operation of the computation around it.

Its program is recorded together with that of its derivative, and split in two: the first runs at the call, and keeps what the
second needs, which runs when the walk comes back. A derivative of that derivative is recorded in the same way, when it is
asked for: the function that pulls back is itself one that is recorded.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .arguments import call, function_name, scope
from .given import Given
from .graph import NO_PARAMS, PICK, Primitive
from .guards import fingerprint
from .passes.program import Program
from .passes.roll import rolled
from .passes.split import split
from .recorded import HANDLES
from .recorder import RECORDER
from .recording import Handle, make, record
from .run.interpret import BROKEN
from .runs import one_like
from .standins import StandIns
from .surroundings import Surroundings
from .transforms import vjp
from .tree import flatten
from .variants import COMPUTED, Recording, Runs, Variant, owned, running

#: Makes of a function one that is recorded.
Records = Callable[[Callable[..., Any]], Callable[..., Any]]


class Broken(Exception):
    """The recording doesn't hold for these values."""


class Within(Variant):
    """One recording of a function and of its derivative.

    Attributes:
        linked: for each result, whether a derivative passes through it.
        places: which arguments are Variables.
    """

    def __init__(self, surroundings: Surroundings, f: Callable[..., Any], given: Given, records: Records) -> None:
        super().__init__(surroundings)
        self.linked: list[bool] = []
        self.places = sorted(given.handles)
        self._pulls_back = records(_pulling(f, given, self.places))
        self._name = f"jit {function_name(f)}"
        self._first: Program | None = None
        self._second: Program | None = None
        self._runs_second: Runs | None = None
        self._held: list[np.ndarray] = []
        self._captured: list[np.ndarray] = []

    def take(self, program: Program, n_inputs: int, n_results: int) -> None:
        """A program of results and derivatives."""
        parts = split(program, n_inputs, n_results)
        self.program = self._first = rolled(parts.first).verify()
        self._second = rolled(parts.second).verify()
        self._held = [v.constant for v in parts.second.values if v.captured]
        self._captured = [v.constant for v in program.values if v.captured]

    def compile(self, backend: str, parameters: list[int] | None, slow: Callable[..., Any]) -> None:
        """Let both parts run as native code as far as there is some."""
        assert self._first is not None
        assert self._second is not None
        found: list[Runs] = []
        for program in (self._first, self._second):
            _, self.by, runs = running(program, backend, None, None, slow)
            found.append(runs)
        self.runs, self._runs_second = found

    def run(self, given: Given, write: bool = True) -> Any:
        """Run as one operation on the Variables among these arguments, or give `BROKEN`."""
        op = Primitive(self._name, self._forward, joint=self._joint)
        args = tuple([given.handles.get(i, v) for i, v in enumerate(given.leaves)])
        try:
            whole = record(op, args, NO_PARAMS)
        except Broken:
            return BROKEN
        found = [PICK(whole, i=k) if linked else whole._value[k] for k, linked in enumerate(self.linked)]
        found = [v if p is COMPUTED else p for v, p in zip(found, self.plain, strict=True)]
        return self._rebuild(iter(found))

    def _forward(self, *values: Any) -> tuple[Any, ...]:
        """The results, then what is kept for the derivative, last the state of captured arrays."""
        assert self.runs is not None
        try:
            with np.errstate(all="ignore"):
                found = self.runs(values)
        except Exception as error:  # where this way fails, another may be the right one
            raise Broken from error
        if found is BROKEN:
            raise Broken
        n = len(self.plain)
        results = [v if p is COMPUTED else 0 for v, p in zip(found[:n], self.plain, strict=True)]
        kept = owned(found[n:], [COMPUTED] * (len(found) - n), [*values, *self._captured])
        state = np.array([fingerprint(a) for a in self._held], np.uint64)
        return *owned(results, [COMPUTED] * n, [*values, *self._captured]), *kept, state

    def _joint(self, dout: Any, out: Any, *values: Any) -> tuple[Any, ...]:
        n = len(self.plain)
        douts = [d for d, linked in zip(dout, self.linked, strict=False) if linked]
        found = None
        if not any(isinstance(v, Handle) for v in itertools.chain(douts, out, values)):
            found = self._pulled(douts, out[n:], values)
        if found is None:
            found = self._pulls_back(tuple(douts), values)
        derivatives = dict(zip(self.places, found, strict=True))
        return tuple([derivatives.get(i) for i in range(len(values))])

    def _pulled(self, douts: Sequence[Any], kept: Sequence[Any], values: Sequence[Any]) -> list[Any] | None:
        """The derivatives by the recording; None if it doesn't hold."""
        if [fingerprint(a) for a in self._held] != kept[-1].tolist():
            raise RuntimeError(
                f"an array that {self._name.removeprefix('jit ')} holds was written to after it was used, so the derivative "
                "would be wrong. Use a copy of it in the computation (a.copy()), or write to a new array."
            )
        assert self._runs_second is not None
        given = [*values, *[written(d) for written, d in zip(self._makers, douts, strict=True)], *kept[:-1]]
        try:
            with np.errstate(all="ignore"):
                found = self._runs_second(given)
        except Exception:
            return None
        return None if found is BROKEN else owned(found, [COMPUTED] * len(found), given)

    def expects(self, values: Sequence[Any]) -> None:
        """The results were of these forms."""
        self.linked = [_carries(v) for v in values]
        self._makers = [_maker(v) for v in values if _carries(v)]


def _maker(like: Any) -> Callable[[Any], Any]:
    """What makes of a derivative one of its result's kind, written out, as the recording takes it."""
    if not isinstance(like, np.ndarray):
        return like.dtype.type if isinstance(like, np.generic) else type(like)
    shape, dtype = like.shape, like.dtype

    def written_out(d: Any) -> np.ndarray:
        whole = np.empty(shape, dtype)
        whole[...] = d
        return whole

    return written_out


def _pulling(f: Callable[..., Any], given: Given, places: Sequence[int]) -> Callable[..., Any]:
    """The function that runs `f` and pulls derivatives of its results back."""
    zeros = [0.0] * len(given.leaves)  # so that nothing of this call is kept
    form = Given(tuple(given.positional(zeros)), given.keywords(zeros), tuple(sorted(given.fixed)))

    def pull_back(douts: tuple[Any, ...], values: tuple[Any, ...]) -> tuple[Any, ...]:
        _, pull = vjp(OnPlaces(f, form, values, places), *[values[i] for i in places])
        found: tuple[Any, ...] = pull(douts)
        return found

    return pull_back


class OnPlaces:
    """A function as one of the values at some places, which gives those results that can carry a derivative.

    Attributes:
        out: all that it returned.
        writes: whether it writes into those values.
    """

    def __init__(self, f: Callable[..., Any], given: Given, values: Sequence[Any], places: Sequence[int]) -> None:
        self._f = f
        self._given = given
        self._values = values
        self._places = places
        self.out: Any = None
        self.writes = False

    def __call__(self, *xs: Any) -> tuple[Any, ...]:
        flat = list(self._values)
        for i, x in zip(self._places, xs, strict=True):
            flat[i] = x
        nodes = [getattr(x, "_node", None) for x in xs]
        self.out = call(self._f, self._given.positional(flat), self._given.keywords(flat))
        self.writes = any(getattr(x, "_node", None) is not node for x, node in zip(xs, nodes, strict=True))
        return tuple([v for v in flatten(self.out)[0] if _carries(v)])


def _carries(value: Any) -> bool:
    """Whether a result can carry a derivative: it is a floating or complex number, or an array of them."""
    plain = value._value if isinstance(value, Handle) else value
    if isinstance(plain, np.ndarray | np.generic):
        return plain.dtype.kind in "fc"
    return isinstance(plain, float | complex)


def record_within(
    f: Callable[..., Any], given: Given, surroundings: Surroundings, standins: StandIns | None, records: Records
) -> Variant:
    """Run a function and its derivative on fresh leaves, and make two programs of what happened."""
    recording = Recording(surroundings, standins)
    recorder = recording.recorder
    variant = Within(surroundings, f, given, records)
    n = len(given.leaves)
    token = RECORDER.set(recorder)
    try:
        with scope() as here:
            leaves = [recording.leaf(i, v, here) for i, v in enumerate(given.leaves)]
            handles: list[HANDLES] = [make(leaf.value, leaf) for leaf in leaves]
            run = OnPlaces(recording.function(f, here), given, handles, variant.places)
            carrying, pull = vjp(run, *[handles[i] for i in variant.places])
            starts = [one_like(v._value if isinstance(v, Handle) else v) for v in carrying]
            more = [recording.leaf(n + k, v, here) for k, v in enumerate(starts)]
            found = pull(tuple([make(leaf.value, leaf) for leaf in more]))
        outs, rebuild = flatten(run.out)
        settled = iter(carrying)
        outs = [next(settled) if _carries(v) else v for v in outs]
        values = [o._value if isinstance(o, Handle) else o for o in outs]
        ends = [recording.end(o) for o in (*outs, *found)]
        if run.writes or any(h._node is not leaf for h, leaf in zip(handles, leaves, strict=True)):
            recorder.fail("it writes into an argument")
        why = recording.refuse()
        if why is not None:
            return Variant(surroundings, why)
    finally:
        RECORDER.reset(token)
    variant.take(recording.finish(variant, ends), n, len(outs))
    variant.returns(run.out, outs, rebuild)
    variant.expects(values)
    return variant
