"""One recording of a function, for one form of arguments: how it is made, whether it holds, and how it runs."""

from __future__ import annotations

import contextlib
import gc
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .arguments import call, scope
from .given import Given
from .graph import RecordedLeaf
from .passes.building import Building
from .passes.program import Check, Program
from .passes.roll import rolled
from .passes.summed import summed
from .ready import MISS, Code, taking, together
from .recorded import HANDLES
from .recorder import RECORDER, Recorder
from .recording import Handle, make
from .run.interpret import BROKEN, interpreter
from .standins import Copies, StandIns
from .surroundings import Surroundings
from .tree import Rebuild, flatten, parts

#: Runs a program: a list of inputs to a list of results, or `BROKEN`.
Runs = Callable[[Sequence[Any]], Any]
#: Stands in `Variant.plain` for a result that the program computes.
COMPUTED: Any = type("Computed", (), {"__repr__": lambda self: "COMPUTED"})()
_PLAIN = (str, bytes, type(None), bool)


class Variant:
    """One recording, or why there is none.

    Attributes:
        surroundings: what the function depends on besides its arguments; None if that doesn't matter.
        program: what was recorded.
        runs: runs it; None if the function runs as it is.
        why: why it does.
        by: what runs it.
        native: its native code, if it has some.
        contents: fingerprints of arrays that the function holds: plain code may have looked at them, unseen.
        without: the ids of the other arrays that it holds, which are read at each call.
        written: the places of the arguments that are written to.
        plain: for each result what it is, or `COMPUTED`.
    """

    def __init__(self, surroundings: Surroundings | None, why: str = "") -> None:
        self.surroundings = surroundings
        self.why = why
        self.program: Program | None = None
        self.runs: Runs | None = None
        self.by = ""
        self.native: Any = None
        self.contents: list[int] | None = None
        self.without: frozenset[int] = frozenset()
        self.written: list[int] = []
        self.plain: list[Any] = []
        self.template: Any = None
        self._rebuild: Rebuild = next
        self._constants: list[np.ndarray] = []  # arrays of the program's among the results
        self._ready: Callable[[Any, Any], Any] | None = None

    def holds(self) -> bool:
        """Whether what the function holds is what it was."""
        here = self.surroundings
        if here is None:
            return True
        return here.same() and (self.contents is None or self.contents == here.contents(self.without))

    def run(self, given: Given, write: bool = True) -> Any:
        """Run on these arguments, or give `BROKEN`."""
        assert self.runs is not None
        try:
            with np.errstate(all="ignore"):
                found = self.runs(given.leaves)
        except Exception:  # where this way fails, another may be the right one; if not, the function itself will say it
            return BROKEN
        return found if found is BROKEN else self.results(found, given.leaves, write)

    def results(self, found: Sequence[Any], leaves: Sequence[Any], write: bool = True) -> Any:
        """What the function returns, of what the program gave."""
        n = len(self.plain)
        results = owned(found[:n], self.plain, [*leaves, *self._constants])
        if write:
            for place, value in zip(self.written, found[n:], strict=True):
                np.copyto(leaves[place], value)
        return self._rebuild(iter(results))

    def compile(self, backend: str, parameters: list[int] | None, slow: Callable[..., Any]) -> None:
        """Let it run as native code as far as there is some, and else by NumPy.

        Args:
            backend: "native" or "numpy".
            parameters: the numbers of the inputs, if they are the arguments as they come and nothing else matters.
            slow: what a builtin calls for arguments of another form.
        """
        assert self.program is not None
        template = self.template if parameters else None
        self.native, self.by, self.runs = running(self.program, backend, parameters, template, slow)

    def ready(self, given: Given) -> Callable[[Any, Any], Any]:
        """The quick way of a call with arguments of this form: a function of `args` and `kwargs`, that may give `MISS`."""
        if self._ready is None:
            self._ready = self._made_ready(given)
        return self._ready

    def _made_ready(self, given: Given) -> Callable[[Any, Any], Any]:
        code = Code()
        leaves = taking(code, given)
        if self.surroundings is not None:
            self.surroundings.written(code)
        if self.contents is not None:
            assert self.surroundings is not None
            contents, without = code.name(self.surroundings.contents), code.name(self.without)
            code.hold(f"{contents}({without}) == {code.name(self.contents)}")
        native = self._is_native()
        run = f"{code.name(self.runs)}([{', '.join(leaves)}])"
        if native:
            code.lines.append(f"  found = {run}")
        else:
            code.names["errstate"] = np.errstate
            code.lines.append(f"  with errstate(all='ignore'): found = {run}")
        code.lines.append("  if found is BROKEN: return MISS")
        results = [code.fresh() for _ in self.plain]
        put = together(code, self._skeleton(), results) if native and not self.written else None
        if put is None:
            code.lines.append(f"  return {code.name(self.results)}(found, [{', '.join(leaves)}])")
        else:
            code.lines += [f"  {', '.join(results)}, = found"] if results else []
            code.lines += self._others(code, results)
            code.lines.append(f"  return {put}")
        return code.function()

    def _skeleton(self) -> Any:
        return self._rebuild(iter([None] * len(self.plain)))

    def _is_native(self) -> bool:
        """Whether NumPy computes nothing of it, so that there are no warnings to be silenced."""
        parts = getattr(self.native, "parts", None)
        return parts is not None and len(parts) == len(self.native.segments)

    def _others(self, code: Code, results: Sequence[str]) -> list[str]:
        """Lines for what native code didn't make as the caller gets it: constants, and arrays that others hold too."""
        assert self.program is not None
        code.names["array"] = np.array
        lines, seen = [], set()
        for name, plain, number in zip(results, self.plain, self.program.outputs, strict=True):
            value = self.program.values[number]
            if plain is not COMPUTED:
                lines.append(f"  {name} = {code.name(plain)}")
            elif value.array and (value.op is None or number in seen):
                lines.append(f"  {name} = array({name})")
            seen.add(number)
        return lines

    def returns(self, out: Any, outs: list[Any], rebuild: Rebuild) -> None:
        """The function returned this."""
        self.plain = [o if isinstance(o, _PLAIN) else COMPUTED for o in outs]
        # containers without the values of this run, which they would keep alive
        alone = next is rebuild
        self._rebuild = next if alone else flatten(rebuild(iter([None] * len(outs))))[1]
        assert self.program is not None
        ends = [self.program.values[i] for i in self.program.outputs]
        self._constants = [v.constant for v in ends if v.op is None and isinstance(v.constant, np.ndarray)]
        self.template = _template(out, iter(self.program.outputs)) if not self.written else None

    def report(self, name: str, leaves: Sequence[Any] | None = None) -> str:
        """In words; with the numbers and arrays of a call, also how long its steps take."""
        if self.program is None:
            return f"{name} runs as it is: {self.why}."
        lines = [f"{name}: recorded, {len(self.program)} values, {len(self.program.checks)} checks; run by {self.by}."]
        if self.contents is not None:
            lines.append("Plain code may look at arrays that the function holds: they are compared before each call.")
        if self.native is not None:
            lines.append(self.native.report(leaves))
        return "\n".join([*lines, "", str(self.program if self.native is None else self.native.program)])


def running(
    program: Program, backend: str, parameters: list[int] | None, template: Any, slow: Callable[..., Any] | None
) -> tuple[Any, str, Runs]:
    """The native code of a program, or None; what runs it, in words; and that itself.

    Native code takes sums early; where these aren't finite, or a guard doesn't hold, NumPy runs the program as it is, which has
    the guards too.
    """
    if backend != "native":
        return None, "NumPy", interpreter(program)
    early = summed(program)
    if early is not program:
        parameters = parameters and [i for i, v in enumerate(early.values) if v.input is not None]
        template = _renumbered(template, dict(zip(program.outputs, early.outputs, strict=True)))
    native, by = native_of(early, parameters, template, slow)
    if native is None:
        return None, by, interpreter(program)
    return native, by, native.run if early is program else _else_exactly(native.run, program)


def _else_exactly(quick: Runs, program: Program) -> Runs:
    exact: Runs | None = None

    def run(leaves: Any) -> Any:
        nonlocal exact
        found = quick(leaves)
        if found is BROKEN:
            exact = exact or interpreter(program)
            with np.errstate(all="ignore"):
                found = exact(leaves)
        return found

    return run


def _renumbered(template: Any, numbers: dict[int, int]) -> Any:
    if isinstance(template, tuple):
        return template[0], [_renumbered(t, numbers) for t in template[1]]
    return numbers.get(template, template)


def native_of(
    program: Program, parameters: list[int] | None, template: Any, slow: Callable[..., Any] | None
) -> tuple[Any, str]:
    """The native code of a program, or None; and what runs it."""
    from .run.native.engine import available

    if not available():
        return None, "NumPy, because llvmlite is not installed (pip install 'dout[native]')"
    from .run.native.backend import Native

    try:
        return Native(program, parameters, template, slow), "native code"
    except LookupError as none:
        return None, f"NumPy: {none}"
    except Exception as error:  # a fault of the compiler's must not be the caller's, nor stay unseen
        why = f"native code could not be made ({type(error).__name__}: {error})"
        warnings.warn(f"dout.jit: {why}; NumPy runs it. This is a fault of dout's: please report it.", stacklevel=2)
        return None, f"NumPy, because {why}"


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


class Recording:
    """A run of a function that is being recorded, with something in the place of the arrays that it holds.

    Attributes:
        building: the program.
        recorder: what else is noted.
        contents: fingerprints of the arrays for which nothing stands in.
        without: the ids of the others.
    """

    def __init__(self, surroundings: Surroundings, standins: StandIns | None) -> None:
        self.building = Building()
        self.recorder = Recorder(surroundings.arrays, self.building)
        self._surroundings = surroundings
        self._standins = standins
        self.without = frozenset(standins.arrays if standins else ())
        self.contents = surroundings.contents(self.without)
        self._handles: list[tuple[Handle, RecordedLeaf]] = []
        self._copies: Copies | None = None

    def function(self, f: Callable[..., Any], here: Any) -> Callable[..., Any]:
        """The function to be run."""
        if self._standins is None or not self.without:
            return f
        handles = {}
        for i, array in self._standins.arrays.items():
            leaf = RecordedLeaf(array, None, here)
            leaf.live = frozenset()
            leaf.number = self.building.constant(array, captured=True)
            handles[i] = make(array, leaf)
            self._handles.append((handles[i], leaf))
        self._copies = self._standins.copied(handles)
        return self._copies.run

    def leaf(self, i: int, value: Any, here: Any) -> RecordedLeaf:
        """The leaf of the input at place `i`."""
        leaf = RecordedLeaf(value, None, here)
        leaf.live = frozenset()
        self.recorder.input(i, leaf)
        return leaf

    def end(self, out: Any) -> int:
        """The number of a result."""
        if isinstance(out, Handle) and out._node is not None:
            number: int = self.recorder.number(out._node)
            return number
        value = out._value if isinstance(out, Handle) else out
        if not isinstance(value, np.ndarray | np.generic | int | float | complex | str | bytes | type(None)):
            self.recorder.fail(f"it returns a {type(out).__name__}")
            return 0
        return self.recorder.plain(value)

    def refuse(self) -> str | None:
        """Why the run can't be one for all."""
        changed = any(h._node is not leaf for h, leaf in self._handles)
        changed = changed or (self._copies is not None and self._copies.changed())
        here = self._surroundings
        if changed or not here.same() or self.contents != here.contents(self.without):
            self.recorder.fail("it changes what it holds")
        if here.drew():
            self.recorder.fail("it draws random numbers")
        return self.recorder.failed

    def finish(self, variant: Variant, ends: list[int]) -> Program:
        """The program, as it was recorded."""
        variant.contents, variant.without = self.contents or None, self.without
        return self.building.finish(ends, [Check(*g) for g in self.recorder.guards])


def record(
    f: Callable[..., Any], given: Given, surroundings: Surroundings, standins: StandIns | None
) -> tuple[Variant, Any]:
    """Run a function on fresh leaves, and make a program of what happened.

    Returns:
        the variant and the function's result; a variant that says why not, and None.
    """
    recording = Recording(surroundings, standins)
    recorder = recording.recorder
    arrays = [v for v in given.leaves if isinstance(v, np.ndarray)]
    token = RECORDER.set(recorder)
    try:
        with scope() as here:
            leaves = [recording.leaf(i, v, here) for i, v in enumerate(given.leaves)]
            handles: list[HANDLES] = [make(leaf.value, leaf) for leaf in leaves]
            args, kwargs = given.positional(handles), given.keywords(handles)
            out = call(recording.function(f, here), args, kwargs)
        outs, rebuild = flatten(out)
        ends = [recording.end(o) for o in outs]
        now = flatten((args, kwargs))[0]
        expected = flatten((given.positional(handles), given.keywords(handles)))[0]
        if len(now) != len(expected) or any(a is not b for a, b in zip(now, expected, strict=True)):
            recorder.fail("it changes a container among its arguments")
        written = [i for i, (h, leaf) in enumerate(zip(handles, leaves, strict=True)) if h._node is not leaf]
        if written and _overlap(arrays, surroundings.arrays.values()):
            recorder.fail("it writes into an argument that overlaps another")
        why = recording.refuse()
        if why is not None:
            return Variant(surroundings, why), None
        ends += [recorder.number(handles[i]._node) for i in written]
        written_values = [np.array(handles[i]._value) for i in written]
    finally:
        RECORDER.reset(token)
    variant = Variant(surroundings)
    variant.program = rolled(recording.finish(variant, ends)).verify()
    variant.written = written
    values = [o._value if isinstance(o, Handle) else o for o in outs]
    variant.returns(out, outs, rebuild)
    held = [*given.leaves, *surroundings.arrays.values()]
    result = rebuild(iter(owned(values, variant.plain, held)))
    for i, value in zip(written, written_values, strict=True):
        np.copyto(given.leaves[i], value)
    return variant, result


def _overlap(arrays: Sequence[np.ndarray], held: Iterable[np.ndarray]) -> bool:
    """Whether an argument may share memory with another one, or with what the function holds."""
    return any(np.may_share_memory(a, b) for i, a in enumerate(arrays) for b in (*arrays[:i], *held))


def _template(out: Any, numbers: Iterator[int]) -> Any:
    """How the results are put together, if of tuples and lists only; else None."""
    if type(out) in (tuple, list):
        inner = [_template(o, numbers) for o in out]
        return None if None in inner else (type(out), inner)
    return next(numbers) if isinstance(out, Handle) or parts(out) is None else None


def missed(_args: Any, _kwargs: Any) -> Any:
    """The quick way of a call before there is one."""
    return MISS
