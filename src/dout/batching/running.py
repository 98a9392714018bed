"""Running a tape for a whole batch: step by step, each operation by its rule, or on one example after another.

Where Python looked at a value while the tape was made, only those examples go on for which it would have seen the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from ..graph import NO_PARAMS, PICK, Custom, Primitive, form, plain
from ..mapper import Look, Mapper, Outside, Source, Step
from ..recorded_ops import CALL, INT, TRUTH
from ..recording import Handle, differentiated, make, record
from ..rules.elementwise import astype
from . import algebra, arrays, calls, indexing  # noqa: F401  they fill the tables
from .registry import CALLS, ELEMENTWISE, RULES, Batch, NoRule, Operand, Rule, elementwise

np: Any = numpy  # NumPy's stubs know arrays only, and operations run on Variables too


class NobodyLeft(Exception):
    """Raised where no example goes the way of the tape, because of rounding not even the one that made it."""


class Running:
    """One run of a tape.

    Attributes:
        n: how many examples are left.
        kept: which of the examples these are.
    """

    def __init__(self, mapper: Mapper, inputs: Sequence[Any], n: int, again: Callable[..., Any]) -> None:
        """`inputs` have the batch's axis first; `again` is vmap, for the backward of layers."""
        self.steps = mapper.steps
        self.n = n
        self.kept = np.arange(n)
        self._again = again
        self._inputs = inputs
        self._values: list[Operand | None] = [None] * len(self.steps)
        self._looks: dict[int, list[Look]] = {}
        for look in mapper.looks:
            self._looks.setdefault(look.place, []).append(look)

    def run(self, ends: Sequence[Source]) -> list[Operand]:
        """The values at the ends."""
        uses = self._uses(ends)
        for i, step in enumerate(self.steps):
            if not uses[i]:
                continue
            self._values[i] = Operand(self._inputs[i], True) if step.op is None else self._done(step)
            for look in self._looks.get(i, ()):
                self._hold(self._operand(i), look.value)
            for source in step.sources:
                if isinstance(source, int):
                    uses[source] -= 1
                    if not uses[source]:
                        self._values[source] = None
        return [self._operand(end) for end in ends]

    def _uses(self, ends: Sequence[Source]) -> list[int]:
        """How often each value is used; 0 for what nobody needs."""
        uses = [0] * len(self.steps)
        for i in [*self._looks, *[e for e in ends if isinstance(e, int)]]:
            uses[i] += 1
        for i in range(len(self.steps) - 1, -1, -1):
            if uses[i]:
                for source in self.steps[i].sources:
                    if isinstance(source, int):
                        uses[source] += 1
        return uses

    def _operand(self, source: Source) -> Operand:
        if isinstance(source, Outside):
            return Operand(source.value if source.node is None else make(source.value, source.node), False)
        found = self._values[source]
        assert found is not None
        return found

    # Operations

    def _done(self, step: Step) -> Operand:
        op = step.op
        assert op is not None
        operands = [self._operand(s) for s in step.sources]
        if op.flat:
            operands = [Operand(_plain(x.value), x.batched) for x in operands]
        if not any(x.batched for x in operands):
            return Operand(op(*[x.value for x in operands], **step.params), False)
        if isinstance(op, Custom):
            return self._custom(op, operands)
        if op is PICK and isinstance(operands[0].value, tuple):
            return Operand(operands[0].value[step.params["i"]], True)
        rule = None if self._is_of_python(op, step) else rule_of(step)
        if rule is not None:
            try:
                return Operand(_in_dtype(rule(op, Batch(self.n, step.shape), step.params, *operands), step.dtype), True)
            except NoRule:
                pass
        return self._one_by_one(op, step, operands)

    def _is_of_python(self, op: Primitive, step: Step) -> bool:
        """Whether it computes with Python's numbers otherwise than NumPy does: ints without limit, complex roots."""
        kinds = [self.steps[s].dtype for s in step.sources if isinstance(s, int)]
        if op in (TRUTH, INT) or op is PICK:
            return False
        if op.name == "power" and all(isinstance(k, type) for k in kinds):
            return True
        return step.dtype is int or any(k in (int, bool) for k in kinds if isinstance(k, type))

    def _one_by_one(self, op: Primitive, step: Step, operands: Sequence[Operand]) -> Operand:
        """One example after another. Those that give another form than the one that made the tape leave."""
        kinds = [self.steps[s].dtype if isinstance(s, int) else None for s in step.sources]
        found, same = [], []
        for i in range(self.n):
            out = op(*[_example(x, i, kind) for x, kind in zip(operands, kinds, strict=True)], **step.params)
            value = out._value if isinstance(out, Handle) else out
            shape, dtype = form(value)
            dtype = tuple([form(v)[1] for v in value]) if isinstance(value, tuple) else dtype
            same.append(shape == step.shape and dtype == step.dtype)
            found.append(out)
        if not self.n:
            return Operand(_none(step.shape, step.dtype), True)
        self._keep(np.array(same))
        found = [v for v, yes in zip(found, same, strict=True) if yes]
        if not isinstance(step.shape, list):
            return Operand(_stacked(found), True)
        parts = [_stacked([PICK(v, i=k) for v in found]) for k in range(len(step.shape))]
        return Operand(tuple(parts), True)

    def _custom(self, op: Custom, operands: Sequence[Operand]) -> Operand:
        """A layer with a backward of its own: its value is computed already, its backward is mapped when it is called."""
        outs = [x.spread(self.n) for x in operands[op.n :]]
        given = operands[: op.n]
        if not any(differentiated(x.value) for x in given):
            return Operand(tuple(outs) if op.several else outs[0], True)
        axes = (0, 0, *[0 if x.batched else None for x in given], *[0] * len(outs))

        def joint(dout: Any, out: Any, *values: Any) -> Any:
            return self._again(op.joint, axes)(dout, out, *values)

        whole = Custom(op.name, op.n, op.several, joint)
        return Operand(record(whole, (*[x.value for x in given], *outs), NO_PARAMS), True)

    # Who goes on

    def _hold(self, x: Operand, expected: Any) -> None:
        """Let go on for whom Python would have seen the same."""
        value = x.value
        if isinstance(value, Handle):
            value = value._told("a value in a batch") if hasattr(value, "_told") else value._value
        if x.batched and self.n:
            self._keep(_alike(value, expected, self.n))

    def _keep(self, mask: Any) -> None:
        if mask.all():
            return
        if not mask.any():
            raise NobodyLeft
        here = np.flatnonzero(mask)
        self.kept, self.n = self.kept[here], len(here)
        for i, x in enumerate(self._values):
            if x is not None and x.batched:
                value = tuple([v[here] for v in x.value]) if isinstance(x.value, tuple) else x.value[here]
                self._values[i] = Operand(value, True)
        self._inputs = [v[here] for v in self._inputs]


def rule_of(step: Step) -> Rule | None:
    """The rule of a step, if there is one."""
    op = step.op
    assert op is not None
    found = RULES.get(op)
    if found is not None:
        return found
    if op is CALL:
        function = step.params["function"]
        if function in CALLS:
            return _called
        return _called_elementwise if _is_elementwise(function) else None
    if op.elementwise or (op.flat and _is_elementwise(op.forward)):
        return elementwise
    return None


def _is_elementwise(function: Any) -> bool:
    return function in ELEMENTWISE or (isinstance(function, numpy.ufunc) and function.signature is None)


def _arguments(params: Any, operands: Sequence[Any]) -> tuple[Any, Any]:
    """The arguments of a call, with operands where they depend on the example."""
    remaining = iter(operands)
    given = [next(remaining) if p is None else p[0] for p in params["places"]]
    found: tuple[Any, Any] = params["rebuild"](iter(given))
    return found


def _called(op: Primitive, batch: Batch, params: Any, *operands: Operand) -> Any:
    args, kwargs = _arguments(params, [x if x.batched else x.value for x in operands])
    return CALLS[params["function"]](batch, *args, **kwargs)


def _called_elementwise(op: Primitive, batch: Batch, params: Any, *operands: Operand) -> Any:
    shape = batch.shape[0] if isinstance(batch.shape, list) else batch.shape
    args, kwargs = _arguments(params, [x.lined(len(shape)) for x in operands])
    return params["function"](*args, **kwargs)


# Values


def _plain(value: Any) -> Any:
    return tuple([plain(v) for v in value]) if isinstance(value, tuple) else plain(value)


def _in_dtype(value: Any, dtype: Any) -> Any:
    """A result in the dtype that it has for one example: a Python number among the inputs may have widened it."""
    if isinstance(dtype, tuple):
        return value
    want = np.dtype(dtype)
    have = value.dtype
    if have == want:
        return value
    if have.kind == "c" and want.kind != "c":
        raise NoRule
    return astype(value, dtype=want) if have.kind in "fc" and want.kind in "fc" else value.astype(want)


def _example(x: Operand, i: int, kind: Any) -> Any:
    """An operand's value for one example, of the kind that it has there."""
    if not x.batched:
        return x.value
    if isinstance(x.value, tuple):
        return tuple([v[i] for v in x.value])
    value = x.value[i]
    return kind(value) if isinstance(kind, type) and not isinstance(value, Handle) else value


def _stacked(values: Sequence[Any]) -> Any:
    whole = np.stack(values)
    if whole.dtype.kind not in "fciub" or (type(values[0]) is int and whole.dtype.kind != "i"):
        raise OverflowError("ints that are too large for NumPy's")
    return whole


def _none(shape: Any, dtype: Any) -> Any:
    """What there is for no examples."""
    if isinstance(shape, list):
        return tuple([np.zeros((0, *s), d) for s, d in zip(shape, dtype, strict=True)])
    return np.zeros((0, *shape), dtype)


def _alike(values: Any, expected: Any, n: int) -> Any:
    """For which examples a value is bit for bit the expected one."""
    expected = np.asarray(expected)
    values = np.ascontiguousarray(np.asarray(values), dtype=expected.dtype)
    if not expected.size:
        return np.ones(n, bool)
    bits = values.reshape(n, -1).view(np.uint8)
    return (bits == np.frombuffer(expected.tobytes(), np.uint8)).all(axis=1)
