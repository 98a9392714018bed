"""Random functions in plain NumPy, as source text: what native code is compared with eager runs on.

A function is drawn line by line. Each line is run at once, so that shapes are known and values stay of order one; a line
that raises, or gives what is too large, is drawn again. `Graph.source()` is a function that can be pasted anywhere,
`Graph.source("jnp")` the same in JAX, where it can be said.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.special

#: So large may an entry be.
LARGEST = 30.0
#: How many entries a value may have, and of which extents: of most functions, and of those whose loops are long.
SMALL = 6000, (1, 2, 3, 4, 5, 7, 3, 4, 5, 0, 17, 33)
LARGE = 300_000, (1, 2, 3, 31, 64, 100, 257, 600, 2050)


class Chance:
    """Draws by Python's generator; a test draws by Hypothesis in its place."""

    def __init__(self, seed: Any) -> None:
        self._random = random.Random(str(seed))

    def integer(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def one(self, of: Sequence[Any]) -> Any:
        return of[self.integer(0, len(of) - 1)]

    def often(self, percent: int) -> bool:
        return self.integer(1, 100) > 100 - percent


@dataclass
class Line:
    """One line of a function: what it names, in NumPy, and in JAX unless it can't be said there."""

    name: str
    text: str
    jax: str | None
    uses: tuple[str, ...]


@dataclass
class Graph:
    """A function, its arguments, and other values for the second call."""

    dtype: str
    args: dict[str, Any]
    others: dict[str, Any]
    lines: list[Line] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    def needed(self) -> list[Line]:
        """The lines that the outputs are made of."""
        wanted, kept = set(self.outputs), []
        for line in reversed(self.lines):
            if line.name in wanted:
                kept.append(line)
                wanted.update(line.uses)
        return kept[::-1]

    def source(self, namespace: str = "np", noise: bool = False) -> str:
        """`f` of all arguments; with `noise`, each value goes through a function of that name."""
        text = [f"def f({', '.join(self.args)}):"]
        for line in self.needed():
            said = line.text if namespace == "np" else line.jax
            assert said is not None
            text += [f"    {part}" for part in said.splitlines()]
            if noise:
                text.append(f"    {line.name} = noise({line.name})")
        return "\n".join([*text, f"    return ({', '.join(self.outputs)},)", ""])

    @property
    def narrowest(self) -> str:
        """The dtype to whose rounding results hold: the narrower, where there are both."""
        here = any(np.result_type(a) == np.float32 for a in self.args.values())
        return "float32" if here or any("float32" in line.text for line in self.needed()) else "float64"

    def in_jax(self) -> bool:
        return all(line.jax is not None for line in self.needed())


class Drawing:
    """A graph that is being drawn."""

    def __init__(self, chance: Any, wild: bool = False, large: bool = False) -> None:
        self.chance = c = chance
        self.most, some = LARGE if large else SMALL
        self.dtype = c.one(["float64", "float64", "float32"])
        self.wild = wild
        self.values: dict[str, Any] = {}
        self.rng = np.random.default_rng(c.integer(0, 2**31))
        extents = [c.one(some) for _ in range(3)]
        self.extents = [n if n or c.often(10) else 3 for n in extents]
        if c.often(4):
            self.extents[0] = c.one([1025, 2048])
        self.graph = Graph(self.dtype, {}, {})
        for i in range(c.integer(1, 3)):
            self._argument(f"x{i}")
        self.graph.args = {k: self.values[k] for k in self.values}

    def _argument(self, name: str) -> None:
        c = self.chance
        shape = self.shape()
        kind = c.integer(1, 12)
        dtype = self.dtype
        if kind == 1:
            self.values[name], self.graph.others[name] = (float(v) for v in self.rng.uniform(-2, 2, 2))
            return
        if kind == 2 and self.dtype == "float64":
            dtype = "float32"  # of two widths in one graph
        if self.wild:
            values = [self._extremes(shape, dtype) for _ in range(2)]
        else:
            values = [self.rng.uniform(-2, 2, shape).astype(dtype) for _ in range(2)]
        if kind == 3:
            values = [np.asfortranarray(v) for v in values]
        if kind == 4 and shape:
            values = [np.repeat(v, 2, axis=-1)[..., ::2] for v in values]
        if kind == 5 and shape:
            values = [v[::-1] for v in values]
        if kind == 6:
            for v in values:
                v.flags.writeable = False
        self.values[name], self.graph.others[name] = values if kind != 7 or shape else [v[()] for v in values]

    def _extremes(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        tiny = np.finfo(dtype)
        pool = [0.0, -0.0, np.nan, np.inf, -np.inf, tiny.max, -tiny.max, tiny.tiny, tiny.smallest_subnormal, 1.0, -1.0]
        found = np.where(self.rng.random(shape) < 0.3, self.rng.choice(pool, shape), self.rng.uniform(-3, 3, shape))
        return np.asarray(found).astype(dtype)

    def shape(self) -> tuple[int, ...]:
        c = self.chance
        sizes = [n if c.often(80) else 1 for n in self.extents]
        shape = tuple(sizes[3 - c.one([0, 1, 1, 2, 2, 2, 3]) :])
        return shape if math.prod(shape) <= self.most else shape[-1:]

    def pick(self, kind: str = "f", ndim: int = 0, most: int = 9) -> str:
        """A name of a value of this kind (f, b or i), the newer the more likely.

        Raises:
            LookupError: if there is none.
        """
        found = [k for k, v in self.values.items() if np.asarray(v).dtype.kind == kind and ndim <= np.ndim(v) <= most]
        if not found:
            raise LookupError(kind)
        place = min(self.chance.integer(0, len(found) - 1), self.chance.integer(0, len(found) - 1))
        return found[len(found) - 1 - place]

    def fitting(self, x: str) -> str:
        """A value that broadcasts with this one, or a number."""
        shape, found = np.shape(self.values[x]), []
        for name, value in self.values.items():
            if np.asarray(value).dtype.kind == "f":
                try:
                    np.broadcast_shapes(np.shape(value), shape)
                except ValueError:
                    continue
                found.append(name)
        if self.chance.often(12):
            return self.number()
        return str(self.chance.one(found))

    def number(self) -> str:
        return str(self.chance.one(["0.5", "-1.25", "2", "0.75", "3.0", "-1", "1e-3"]))

    def axes(self, x: str, several: bool = True) -> str:
        """None, an axis, or axes."""
        n = np.ndim(self.values[x])
        c = self.chance
        which = c.integer(0, 3)
        if not n or which == 0:
            return "None" if several else "0"
        axis = c.integer(0, n - 1)
        if which == 1 and several and n > 1:
            chosen = [a for a in range(n) if c.often(60)] or [axis]
            return f"({', '.join(map(str, chosen))},)"
        return str(axis - n if c.often(40) else axis)

    def index(self, extent: int, shape: tuple[int, ...] | None = None) -> str:
        """Places along an axis, some of them twice and some counted from the end."""
        if not extent:
            raise LookupError("nothing to index")
        c = self.chance
        if shape is None:
            shape = (c.integer(0, 6),) if c.often(75) else (2, 2)
        if c.often(30):  # an argument
            name = f"i{len(self.graph.args)}"
            both = [self.rng.integers(-extent, extent, shape).astype(c.one(["i8", "i8", "i4"])) for _ in range(2)]
            self.values[name], self.graph.others[name] = both[0], both[1].astype(both[0].dtype)
            self.graph.args[name] = self.values[name]
            return name
        places = self.rng.integers(-extent, extent, shape)
        return f"np.array({places.tolist()}, dtype={c.one(['int', 'int', 'np.int32'])})".replace(
            "dtype=np.int32", "dtype='i4'"
        )

    def part(self, extent: int) -> str:
        """A slice."""
        c = self.chance
        step = c.one(["", "", "1", "2", "-1", "-2", "3"])
        ends = [c.one(["", "", str(c.integer(-extent - 1, extent + 1))]) for _ in range(2)]
        return f"{ends[0]}:{ends[1]}" + (f":{step}" if step else "")

    def key(self, x: str) -> str:
        """Any basic index."""
        c = self.chance
        parts = []
        for extent in np.shape(self.values[x]):
            if c.often(10):
                parts.append("...")
                break
            if c.often(15):
                parts.append("None")
            parts.append(str(c.integer(-extent, extent - 1)) if extent and c.often(25) else self.part(extent))
            if c.often(15):
                break
        return ", ".join(parts) or "..."

    def add(self, text: str, jax: str | None = "", *, uses: Sequence[str] = ()) -> str | None:
        """Enter a line; `{out}` is what it names. None if it can't be run, or gives what is too large.

        Args:
            text: an expression, or statements that set `{out}`.
            jax: the same in JAX; empty for the same words, None if it can't be said.
            uses: the names in it.
        """
        name = f"v{len(self.graph.lines)}"
        said = jax if jax != "" else text
        here, there = (self._whole(t, name) if t is not None else None for t in (text, said))
        line = Line(name, str(here), None if there is None else there.replace("np.", "jnp."), tuple(uses))
        names = {"np": np, "special": scipy.special, **self.values}
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                exec(line.text, names)
        except (ValueError, IndexError, TypeError, AttributeError, np.linalg.LinAlgError, ArithmeticError):
            return None
        value = names[name]
        if not self._is_fine(value):
            return None
        self.values[name] = value
        self.graph.lines.append(line)
        return name

    def _whole(self, text: str, name: str) -> str:
        return text.replace("{out}", name) if "{out}" in text else f"{name} = {text}"

    def _is_fine(self, value: Any) -> bool:
        if not isinstance(value, np.ndarray | np.generic | float | int) or np.size(value) > self.most:
            return False
        value = np.asarray(value)
        if value.dtype.kind not in "fbi" or value.ndim > 5:
            return False
        if self.wild or value.dtype.kind != "f":
            return True
        return bool(np.all(np.abs(value) < LARGEST))
