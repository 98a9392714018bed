"""The lines that random functions are made of: one small function for each kind, which draws one.

Each takes a `Drawing` and gives `Drawing.add`'s result. Arguments of functions with poles and edges are kept away from
them, unless extreme values are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from random_graphs import Drawing, Graph

Kind = Callable[[Drawing], str | None]

ONE = (
    """
-{x} | +{x} | np.abs({x}) | np.fabs({x}) | np.square({x}) | {x} ** 2 | {x} ** 3 | {x} ** 4 | np.tanh({x}) | np.sin({x})
np.cos({x}) | np.arctan({x}) | np.arcsinh({x}) | np.sqrt({x} * {x} + 0.3) | np.cbrt({x} + 4.1) | 1 / ({x} * {x} + 1)
np.reciprocal({x} * {x} + 0.5) | ({x} * {x} + 0.7) ** -1 | ({x} * {x} + 0.7) ** 0.5 | ({x} * {x} + 0.7) ** 1.7
np.exp(np.minimum({x}, 2.0)) | np.exp(-{x} * {x}) | np.expm1(-np.abs({x})) | np.exp2(np.minimum({x}, 2.0))
np.log({x} * {x} + 0.5) | np.log1p({x} * {x}) | np.log2({x} * {x} + 0.5) | np.log10({x} * {x} + 0.5)
np.tan(np.tanh({x})) | np.arcsin(0.9 * np.tanh({x})) | np.arccos(0.9 * np.sin({x})) | np.sinh(np.tanh({x}))
np.cosh(np.sin({x})) | np.arccosh(1.5 + {x} * {x}) | np.arctanh(0.8 * np.tanh({x})) | {x} * np.sign({x} - 0.37)
{x} - np.floor({x}) | {x} * np.ceil({x}) | {x} + np.trunc({x}) | {x} * np.rint({x} * 2) | 1 / (1 + np.exp(-{x}))
np.maximum({x}, 0) | np.minimum(0.5, {x}) | np.clip({x}, -0.5, 0.75) | np.where({x} > 0.3, {x}, 0.1 * {x})
np.logaddexp({x}, 0) | np.deg2rad({x}) | np.where(np.isfinite({x}), {x}, 0) | {x} * 1.0 | np.copysign({x}, -1.0)
{x} / 3 | 3 / ({x} * {x} + 2) | 2 - {x} | {x} * {x} * {x} | np.nan_to_num({x}) | np.hypot({x}, 0.5) | np.radians({x})
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)
SPECIAL = (
    """
special.erf({x}) | special.erfc({x}) | special.expit({x}) | special.gammaln({x} * {x} + 0.4) | special.digamma({x} * {x} + 0.4)
special.log_expit({x}) | special.xlogy({x} * {x} + 0.1, {x} * {x} + 0.2)
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)
RAW = (
    """
np.sqrt({x}) | np.log({x}) | np.exp({x}) | np.expm1({x}) | np.log1p({x}) | np.tanh({x}) | np.sin({x}) | np.cos({x}) | 1 / {x}
np.abs({x}) | {x} ** 2 | {x} ** 3 | {x} ** -1 | {x} ** 0.5 | np.sign({x}) | np.floor({x}) | np.rint({x}) | np.maximum({x}, 0.0)
np.minimum({x}, 0) | np.where({x} > 0, {x}, 0) | np.log2({x}) | np.log10({x}) | np.exp2({x}) | np.arctan({x}) | np.sinh({x})
np.cosh({x}) | np.arcsin({x}) | np.arctanh({x}) | np.cbrt({x}) | np.nan_to_num({x}) | np.clip({x}, -1, 1) | -{x} | {x} * 0
{x} - {x} | np.where(np.isnan({x}), 0.5, {x}) | np.where({x} == 0, 1, {x}) | np.reciprocal({x}) | np.trunc({x}) | np.tan({x})
np.copysign(2.0, np.nan_to_num({x})) | np.where(np.signbit(np.nan_to_num({x})), 1.0, {x})
np.square({x}) | np.ceil({x}) | np.arcsinh({x}) | {x} / {x}
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)
TWO = (
    """
{x} + {y} | {x} - {y} | {x} * {y} | {x} / ({y} * {y} + 1) | np.maximum({x}, {y}) | np.minimum({x}, {y}) | np.fmax({x}, {y})
np.fmin({x}, {y}) | np.where({x} < {y}, {x}, {y}) | np.where({x} >= 0.1, {y}, {x} * 2) | np.arctan2({x}, {y} * {y} + 0.5)
np.hypot({x}, {y} + 3.3) | np.logaddexp({x}, {y}) | np.power({x} * {x} + 0.5, {y}) | {x} * ({y} > 0.2) | np.copysign({x}, {y})
np.remainder({x}, {y} * {y} + 1) | np.fmod({x}, {y} * {y} + 1) | np.logaddexp2({x}, {y}) | ({x} - {y}) ** 2
np.multiply({x}, {y}) | np.subtract({y}, {x}) | {y} - 2 * {x} | np.where({x} + {y} > 0, np.exp(-{x} * {x}), np.cos({y}))
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)
RAW_TWO = (
    """
{x} + {y} | {x} - {y} | {x} * {y} | {x} / {y} | np.maximum({x}, {y}) | np.minimum({x}, {y}) | np.where({x} < {y}, {x}, {y})
np.arctan2({x}, {y}) | np.hypot({x}, {y}) | np.logaddexp({x}, {y}) | np.fmax({x}, {y}) | np.fmin({x}, {y})
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)
BOTH_BITS = ["{a} & {b}", "{a} | {b}", "{a} ^ {b}", "np.logical_and({a}, {b})", "np.logical_or({a}, {b})", "~{a}",
             "np.logical_xor({a}, {b})", "np.logical_not({a})"]  # fmt: skip
COMPARISONS = ["{x} < {y}", "{x} <= {y}", "{x} > {y}", "{x} >= {y}", "{x} == {y}", "{x} != {y}", "np.isfinite({x})",
               "np.isnan({x})", "np.signbit(np.nan_to_num({x}))", "np.isinf({x})"]  # fmt: skip


def one(d: Drawing) -> str | None:
    x = d.pick()
    text = d.chance.one(RAW if d.wild else ONE)
    return d.add(text.format(x=x), uses=[x])


def special(d: Drawing) -> str | None:
    x = d.pick()
    return d.add(d.chance.one(SPECIAL).format(x=x), None, uses=[x])


def two(d: Drawing) -> str | None:
    x = d.pick()
    y = d.fitting(x)
    return d.add(d.chance.one(RAW_TWO if d.wild else TWO).format(x=x, y=y), uses=[x, y])


def comparison(d: Drawing) -> str | None:
    x = d.pick()
    y = d.fitting(x)
    return d.add(d.chance.one(COMPARISONS).format(x=x, y=y), uses=[x, y])


def bits(d: Drawing) -> str | None:
    a, b = d.pick("b"), d.pick("b")
    return d.add(d.chance.one(BOTH_BITS).format(a=a, b=b), uses=[a, b])


def masked(d: Drawing) -> str | None:
    b, x = d.pick("b"), d.pick()
    y = d.fitting(x)
    text = d.chance.one(["np.where({b}, {x}, {y})", "{x} * {b}", "np.where({b}, {x}, 0.5)", "{b} * {x} + {y}",
                         "{b}.astype({x}.dtype) * {x}", "np.where(~{b}, {x} * {x}, {y})"])  # fmt: skip
    return d.add(text.format(b=b, x=x, y=y), uses=[b, x, y])


def reduction(d: Drawing) -> str | None:
    x = d.pick()
    keep = d.chance.one(["", ", keepdims=True"])
    name = d.chance.one(["np.sum", "np.mean", "np.max", "np.min", "np.var", "np.sum", "np.mean", "np.amax", "np.ptp"])
    return d.add(f"{name}({x}, axis={d.axes(x)}{keep})", uses=[x])


def other_reduction(d: Drawing) -> str | None:
    x = d.pick()
    axes = d.axes(x)
    text = d.chance.one([
        "np.prod(0.5 + 0.3 * np.tanh({x}), axis={axes})", "np.sqrt(np.var({x}, axis={axes}) + 0.1)",
        "np.sum({x} > 0.1) * 0.1",
        "np.log(np.sum(np.exp({x}), axis={axes}) + 1)", "{x}.sum()", "{x}.mean(axis={axes}, keepdims=True)",
        "np.count_nonzero({x} > 0) * 0.25",
        "np.sqrt(np.sum({x} * {x}, axis={axes}) + 0.2)", "np.mean({x}, axis={axes}, dtype={x}.dtype)",
        "np.all({x} < 3) * 0.5",
        "np.any({x} > 1.5, axis={axes}) * 1.5", "np.average({x}, axis={axes})", "np.nansum({x}, axis={axes})",
        "np.median({x})",
    ])  # fmt: skip
    return d.add(text.format(x=x, axes=axes), uses=[x])


def softmax(d: Drawing) -> str | None:
    """Reduce, then use: rows."""
    x = d.pick(ndim=1)
    axis = d.chance.integer(-np.ndim(d.values[x]), -1)
    text = d.chance.one([
        "t = np.exp({x} - np.max({x}, axis={a}, keepdims=True))\n{out} = t / np.sum(t, axis={a}, keepdims=True)",
        "t = {x} - np.mean({x}, axis={a}, keepdims=True)\n{out} = t / np.sqrt(np.mean(t * t, axis={a}, keepdims=True) + 0.1)",
        "t = {x} - np.max({x}, axis={a}, keepdims=True)\n{out} = t - np.log(np.sum(np.exp(t), axis={a}, keepdims=True))",
        "{out} = {x} / (np.max(np.abs({x}), axis={a}, keepdims=True) + 0.5)",
        "{out} = {x} * np.sum({x} * {x}, axis={a}, keepdims=True) - np.cumsum({x}, axis={a})",
    ])  # fmt: skip
    return d.add(text.replace("{x}", x).replace("{a}", str(axis)), uses=[x])


def running(d: Drawing) -> str | None:
    x = d.pick()
    axis = d.axes(x, several=False) if np.ndim(d.values[x]) and d.chance.often(80) else "None"
    text = d.chance.one(["np.cumsum({x}, axis={a})", "np.cumsum({x}, axis={a})",
    "np.cumprod(0.6 + 0.3 * np.sin({x}), axis={a})",
                         "np.diff({x}, axis={a})", "np.maximum.accumulate({x}, axis={a})"])  # fmt: skip
    return d.add(text.format(x=x, a=axis), None if "accumulate" in text else "", uses=[x])


def view(d: Drawing) -> str | None:
    x = d.pick(ndim=1)
    value = d.values[x]
    n, c = np.ndim(value), d.chance
    order = list(range(n))
    d.rng.shuffle(order)
    text = c.one([
        f"{x}.T", f"np.transpose({x}, {tuple(order)})", f"{x}.reshape(-1)", f"{x}.ravel()", f"np.flip({x})",
        f"np.flip({x}, {d.axes(x, several=False)})", f"{x}[None]", f"{x}[..., None]",
        f"np.expand_dims({x}, {c.integer(0, n)})",
        f"np.squeeze({x})", f"np.swapaxes({x}, {c.integer(0, n - 1)}, {c.integer(0, n - 1)})", f"{x}[{d.key(x)}]",
        f"{x}[{d.key(x)}]", f"{x}[{d.key(x)}]", f"np.moveaxis({x}, 0, -1)", f"np.broadcast_to({x}, (2, *{x}.shape))",
        f"np.roll({x}, {c.integer(-3, 3)}, axis={d.axes(x, several=False)})", f"np.tile({x}, 2)",
        f"np.repeat({x}, 2, axis={c.integer(0, n - 1)})",
        f"{x}.reshape({_shape(d, np.size(value))})", f"np.broadcast_to({x}[None, :1], (3, *{x}[:1].shape))", f"np.rot90({x})",
        f"np.diagonal({x})", f"np.tril({x})", f"np.triu({x}, 1)", f"np.atleast_2d({x})",
        f"np.array_split({x}, 2)[{c.integer(0, 1)}]",
        f"np.pad({x}, 1)", f"{x}[()]", f"{x}.copy()",
    ])  # fmt: skip
    return d.add(text, uses=[x])


def _shape(d: Drawing, size: int) -> tuple[int, ...]:
    """Some shape of that many entries."""
    shape: list[int] = []
    left = size
    for prime in (2, 3, 5, 7, 11):
        while left and left % prime == 0 and d.chance.often(70):
            shape.append(prime)
            left //= prime
    return tuple([*shape[:3], -1]) if size else (0, 3)


def gather(d: Drawing) -> str | None:
    x = d.pick(ndim=1)
    shape, c = np.shape(d.values[x]), d.chance
    which = c.integer(0, 6)
    if which == 0 and len(shape) > 1:
        many = (c.integer(1, 5),)
        return d.add(f"{x}[{d.index(shape[0], many)}, {d.index(shape[1], many)}]", uses=[x])
    if which == 1 and len(shape) > 1:
        return d.add(f"{x}[:, {d.index(shape[1])}]", uses=[x])
    if which == 2:
        axis = c.integer(0, len(shape) - 1)
        return d.add(f"np.take({x}, {d.index(shape[axis])}, axis={axis})", uses=[x])
    if which == 3:
        axis = c.integer(-len(shape), -1)
        return d.add(f"np.take_along_axis({x}, np.argsort({x}, axis={axis}), axis={axis})", uses=[x])
    if which == 4:
        text = c.one(["{x}[np.argmax({x}, axis=0)]", "np.take_along_axis({x}, np.argmax({x}, axis=0)[None], axis=0)",
                      "{x}[np.argsort({x}.ravel())[:2] % len({x})]"])  # fmt: skip
        return d.add(text.format(x=x), uses=[x])
    if which == 5 and len(shape) > 1:
        return d.add(f"{x}[1:, {d.index(shape[1])}]", uses=[x])
    return d.add(f"{x}[{d.index(shape[0])}]", uses=[x])


def by_mask(d: Drawing) -> str | None:
    """As many entries as the values say."""
    x = d.pick(ndim=1)
    return d.add(
        d.chance.one([f"np.sum({x}[{x} > 0])", f"{x}[{x} < 0.5] * 2", f"{x}[np.nonzero({x} > 0)[0][:1]]"]),
        None,
        uses=[x],
    )


def scatter(d: Drawing) -> str | None:
    x = d.pick(ndim=1)
    shape, c = np.shape(d.values[x]), d.chance
    y = d.pick()
    which = c.integer(0, 5)
    if which == 0:
        places = d.index(shape[0], (len(np.atleast_1d(d.values[x])),))
        text = f"{{out}} = np.zeros_like({x})\nnp.add.at({{out}}, {places}, {x} * 2)"
        jax = f"{{out}} = np.zeros_like({x}).at[{places}].add({x} * 2)"
        return d.add(text, jax, uses=[x])
    if which == 1:
        key = d.key(x)
        text, jax = f"{{out}} = {x}.copy()\n{{out}}[{key}] = {c.one([y, '0.5'])}", None
        return d.add(text, jax, uses=[x, y])
    if which == 2:
        key = d.key(x)
        text = f"{{out}} = {x} * 1.5\n{{out}}[{key}] += {x}[{key}] * 0.5"
        return d.add(text, f"{{out}} = ({x} * 1.5).at[{key}].add({x}[{key}] * 0.5)", uses=[x])
    if which == 3:
        places = d.index(shape[0], (2,))
        return d.add(f"{{out}} = {x} + 0.0\n{{out}}[{places}] *= 2", None, uses=[x])
    if which == 4:
        return d.add(f"{{out}} = {x} * 1\n{{out}}[{x} > 0.4] = {c.one(['0.25', '0'])}",
                     None, uses=[x])  # fmt: skip
    places = d.index(shape[0], (1,))
    return d.add(f"{{out}} = np.zeros_like({x})\n{{out}}[{places}] = {x}[0] * 3\n{{out}}[0] += {x}[-1]", None, uses=[x])


def writes(d: Drawing) -> str | None:
    """Writes into one array, one after another, with reads of what is there in between."""
    x, y, c = d.pick(ndim=1), d.pick(), d.chance
    lines = [f"{{out}} = {c.one([f'{x}.copy()', f'np.zeros_like({x})', f'{x} * 1.5', f'np.sin({x})'])}"]
    read = f"{x}[0]"
    for _ in range(c.integer(2, 6)):
        key, other = d.key(x), d.key(x)
        lines.append(c.one([
            f"{{out}}[{key}] = {c.one([y, '0.5', read, f'{x}[{key}] * 2'])}", f"{{out}}[{key}] += {c.one(['1', read])}",
            f"{{out}}[{key}] = {{out}}[{key}] * {x}[{key}]", "{out}[1:] = {out}[:-1]", "{out}[0] = {out}[-1]",
            f"old = {{out}}[{other}]\n{{out}}[{key}] = 0\n{{out}}[{other}] = old * 2", "{out}[::-1] -= {out}",
            f"{{out}}[{d.index(np.shape(d.values[x])[0], (3,))}] = {read}", "{out}[{out} > 0.6] = 0.3",
        ]))  # fmt: skip
        read = c.one([read, "{out}[-1]", f"np.sum({{out}}[{other}])"])
    return d.add("\n".join(lines), None, uses=[x, y])


def join(d: Drawing) -> str | None:
    x, c = d.pick(ndim=1), d.chance
    same = [k for k, v in d.values.items() if np.shape(v) == np.shape(d.values[x]) and np.asarray(v).dtype.kind == "f"]
    y, n = c.one(same), np.ndim(d.values[x])
    text = c.one([
        f"np.concatenate([{x}, {y}], axis={c.integer(-n, n - 1)})", f"np.stack([{x}, {y}, {x}], axis={c.integer(-n, n)})",
        f"np.concatenate([{x}[:1], {y}, {x}])", f"np.vstack([{x}, {y}])", f"np.hstack([{x}, {y}])",
        f"np.column_stack([{x}, {y}])",
        f"np.append({x}, {y}, axis=0)", f"np.array([{x}, {y}])",
    ])  # fmt: skip
    return d.add(text, uses=[x, y])


def product(d: Drawing) -> str | None:
    x, y, c = d.pick(ndim=1), d.pick(ndim=1), d.chance
    if np.size(d.values[x]) * np.size(d.values[y]) > 1 << 24:
        return None  # an outer product would not fit into memory
    n = np.ndim(d.values[x])
    letters = "abcd"[:n]
    text = c.one([
        "{x} @ {y}", "{x} @ {y}.T", "{x}.T @ {y}", "np.dot({x}, {y})", "np.outer({x}, {y})", "{x} @ np.swapaxes({x}, -1, -2)",
        "np.tensordot({x}, {y}, 1)", "np.inner({x}, {y})", "np.einsum('" + letters + "," + letters + "->', {x}, {y})",
        "np.einsum('" + letters + "->" + letters[::-1] + "', {x})", "np.einsum('ij,kj->ik', {x}, {y})",
        "np.einsum('ij,jk', {x}, {y})",
        "np.einsum('bij,bjk->bik', {x}, {y})", "np.matmul({x}[None], {y})", "np.trace({x})", "{x}.T @ {x}",
        "np.vdot({x}, {y})",
        "np.einsum('...i,i->...', {x}, {y})", "np.tanh({x} @ {y} + 0.5)", "({x} @ {y}.T) * 0.5 + 1",
        "np.maximum({x}.T @ {y} - 1, 0)",
    ])  # fmt: skip
    return d.add("0.3 * (" + text.replace("{x}", x).replace("{y}", y) + ")", uses=[x, y])


def small_algebra(d: Drawing) -> str | None:
    x = d.pick(ndim=2, most=3)
    text = d.chance.one([
        "t = {x} @ np.swapaxes({x}, -1, -2) + 2 * np.eye({x}.shape[-2])\n{out} = np.linalg.solve(t, {x})",
        "t = {x} @ np.swapaxes({x}, -1, -2) + 2 * np.eye({x}.shape[-2])\n{out} = np.linalg.cholesky(t)",
        "t = {x} @ np.swapaxes({x}, -1, -2) + 2 * np.eye({x}.shape[-2])\n{out} = np.linalg.inv(t)",
        "t = {x} @ np.swapaxes({x}, -1, -2) + 2 * np.eye({x}.shape[-2])\n{out} = np.log(np.linalg.det(t))",
    ])  # fmt: skip
    return d.add(text.replace("{x}", x), uses=[x])


def number_of(d: Drawing) -> str | None:
    """What has no axes: a number of NumPy's, an array of none, an argument of Python's."""
    x = d.pick()
    text = d.chance.one(
        ["{x}.sum()", "np.sum({x}).reshape(())", "np.max({x})", "{x}.reshape(-1)[0]", "np.sum({x}) / {x}.size"]
    )
    return d.add("0.5 * " + text.format(x=x) if d.chance.often(50) else text.format(x=x), uses=[x])


def branch(d: Drawing) -> str | None:
    """Python looks at a value."""
    x = d.pick()
    limit = d.chance.one(["0", "0.5", "-0.5"])
    text = d.chance.one([
        f"{{out}} = {x} * 2 if np.sum({x}) > {limit} else {x} - 1", f"{{out}} = {x} + int(np.clip(np.sum({x}), -3, 3))",
        f"t = {x}\nfor _ in range(4):\n    t = t * 0.5\n    if np.sum(t * t) < 0.3:\n        break\n{{out}} = t",
    ])  # fmt: skip
    return d.add(text, None, uses=[x])


def loop(d: Drawing) -> str | None:
    """Many like steps."""
    x, c = d.pick(), d.chance
    y, n = d.fitting(x), c.one([3, 5, 8, 20, 40])
    body = c.one([
        "t = np.tanh(t * 0.9 + {y})", "t = t + 0.05 * (np.sin(t) - {y})", "t = t * 0.95 + 0.1 * i * {y} / {n}",
        "t = t - 0.02 * t * t * {y}",
        "t, s = s * 0.9 + 0.1 * t, t - 0.05 * {y}", "t = np.where(t > 0.5, t * 0.9, t + 0.01 * {y})",
        "s = s + t[i % len(t)]\n    t = t * 0.9",
        "t = t * 0.9 + 0.01 * np.sum(t)", "s = np.maximum(s, t) * 0.97\n    t = np.cos(t) + {y}",
        "t = np.roll(t, 1, axis=0) * 0.9 + {y}",
        "t[i % len(t)] = t[i % len(t)] * 0.5 + 0.1", "t = 0.5 * (t @ m)",
    ])  # fmt: skip
    set_up = f"t = {x} + 0.0\ns = {x} * 0.5\n" + (f"m = np.eye({x}.shape[-1]) * 0.7 + 0.1\n" if "@" in body else "")
    text = f"{set_up}for i in range({n}):\n    {body.replace('{y}', y).replace('{n}', str(n))}\n{{out}} = t + s"
    return d.add(text, None if "t[i % len(t)] =" in body else "", uses=[x, y])


def rows_read(d: Drawing) -> str | None:
    """A loop over rows, kept in a list."""
    x, c = d.pick(ndim=1), d.chance
    text = c.one([
        "rows = []\nh = {x}[0] * 0.0\nfor r in {x}:\n    h = np.tanh(0.7 * h + r)\n    rows.append(h)\n{out} = np.stack(rows)",
        "t = 0.0\nfor row in {x}:\n    t = t * 0.8 + np.sum(row * row)\n{out} = t",
        "{out} = {x} * 1.0\nfor i in range(1, len({x})):\n    {out}[i] = {out}[i - 1] * 0.5 + {x}[i]",
        "rows = [{x}[i] * (i + 1) / len({x}) for i in range(len({x}))]\n{out} = np.array(rows)",
    ])  # fmt: skip
    return d.add(text.replace("{x}", x), None if "[i - 1]" in text else "", uses=[x])


def other_width(d: Drawing) -> str | None:
    x = d.pick()
    return d.add(f"{x}.astype({d.chance.one(['np.float32', 'np.float64', 'float'])})", uses=[x])


def ordered(d: Drawing) -> str | None:
    x = d.pick(ndim=1)
    return d.add(f"np.sort({x}, axis={d.axes(x, several=False)})", uses=[x])


def whole(d: Drawing) -> str | None:
    """Integers made of floats: rounded, or their places."""
    x = d.pick()
    text = d.chance.one([
        "np.floor({x} * 3).astype(int)", "np.trunc({x} * 5).astype('i4')", "np.argmax({x}, axis={a})",
        "np.argmin({x}, axis={a})",
        "({x} > 0.2).astype('i1')", "np.cumsum({x} > 0.1)", "np.sum({x} > 0, axis={a})", "np.argmax({x} * {x} - {x})",
        "np.argmin(np.abs({x}), axis={a}, keepdims=True)",
    ])  # fmt: skip
    return d.add(text.format(x=x, a=d.axes(x, several=False)), None, uses=[x])


def whole_arithmetic(d: Drawing) -> str | None:
    i, c = d.pick("i"), d.chance
    text = c.one([
        "{i} * 3 + 1", "{i} // 2", "{i} % 5", "({i} ^ 3) - {i}", "np.maximum({i}, 1)", "np.where({i} > 1, {i}, -{i})", "{i}.T",
        "np.clip({i}, -1, 2)", "np.sum({i}, axis=0)", "-{i} % 7", "{i} << 1", "abs({i}) - 2", "{i} * {i}", "{i} // ({i} | 1)",
        "{i}.astype('i8') >> 1", "np.max({i}, axis=-1)", "np.concatenate([{i}, {i} + 1])", "{i}[::-1] - {i}", "100 // {i}",
        "np.cumsum({i})", "np.argmax({i}, axis=0)", "{i}.reshape(-1) & 6", "np.prod({i} % 3, axis=0)", "{i}.astype('u1') + 200",
    ])  # fmt: skip
    return d.add(text.replace("{i}", i), None, uses=[i])


def by_whole(d: Drawing) -> str | None:
    i, x = d.pick("i"), d.pick(ndim=1)
    text = d.chance.one([
        "{x}[{i} % len({x})]", "{x}[{i} % len({x})]", "{i} * 0.1 + 0.5", "np.where({i} % 2 == 0, 0.5, {i} * 0.25)", 
        "{i}.astype({x}.dtype) * {x}", "{x} / ({i} * {i} + 2).astype({x}.dtype)", "np.where(np.mean({i} > 1) > 0.4, {x}, 0.5)",
        "{out} = np.zeros_like({x})\nnp.add.at({out}, {i} % len({x}), 0.5)",
    ])  # fmt: skip
    return d.add(text.replace("{i}", i).replace("{x}", x), None, uses=[i, x])


#: How often each kind is drawn.
KINDS: dict[Kind, int] = {
    one: 14, two: 14, special: 2, comparison: 4, bits: 2, masked: 5, reduction: 9, other_reduction: 5, softmax: 5, running: 4,
    view: 14, gather: 7, by_mask: 1, scatter: 6, writes: 3, join: 5, product: 8, small_algebra: 1, number_of: 3, branch: 1,
    loop: 3, rows_read: 2, other_width: 1, ordered: 1, whole: 4, whole_arithmetic: 4, by_whole: 4,
}  # fmt: skip
WILD: dict[Kind, int] = {
    one: 20, two: 14, comparison: 4, bits: 2, masked: 4, reduction: 6, view: 6, gather: 2, join: 2, running: 1,
}  # fmt: skip


def drawn(chance: Any, most: int = 14, wild: bool = False, more: Sequence[str] = (), large: bool = False) -> Graph:
    """A random function of up to so many lines; those of the kinds in `more` are drawn more often."""
    drawing = Drawing(chance, wild, large)
    table = WILD if wild else KINDS
    kinds = [kind for kind, often in table.items() for _ in range(often)]
    kinds += [kind for kind in table if kind.__name__ in more for _ in range(100 // len(more))]
    for _ in range(chance.integer(1, most)):
        for _ in range(4):
            try:
                if chance.one(kinds)(drawing) is not None:
                    break
            except LookupError:
                continue
    graph = drawing.graph
    made = [line.name for line in graph.lines if np.asarray(drawing.values[line.name]).dtype.kind == "f"]
    made = made or [name for name in graph.args if name.startswith("x")]
    count = chance.one([1, 1, 2, 3])
    graph.outputs = [made[-1 - i] for i in range(min(count, len(made)))]
    if wild and graph.lines and chance.often(50):
        graph.outputs.append(graph.lines[-1].name)
    return graph
