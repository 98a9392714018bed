"""The patterns that functions.py times: one line each, for every differentiable function of NumPy's.

A line has the kinds of the arguments (function_inputs.py) and the function, `f(m, *arguments)` with m a library's
namespace; then PyTorch's and JAX's own forms where theirs are called otherwise, or None where they have none. Another function
that a library doesn't know is found by running it, and one with another derivative by comparing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from operator import attrgetter, mul
from typing import Any, NamedTuple

F = Callable[..., Any]


class Case(NamedTuple):
    """One pattern."""

    f: F
    kinds: str
    torch: F | None
    jax: F | None


SAME: Any = object()
CASES: dict[str, Case] = {}


def case(name: str, kinds: str, f: F, torch: Any = SAME, jax: Any = SAME) -> None:
    assert name not in CASES, name
    CASES[name] = Case(f, kinds, f if torch is SAME else torch, f if jax is SAME else jax)


def alike(kinds: str, names: str) -> None:
    """Functions of these arguments alone, called alike everywhere; `numpy=torch` where PyTorch has another name."""

    def calls(name: str) -> F:
        function = attrgetter(name)
        return lambda m, *xs: function(m)(*xs)

    for entry in names.split():
        name, _, other = entry.partition("=")
        case(name, kinds, calls(name), calls(other or name))


def numpy_only(kinds: str, names: str) -> None:
    """Those that PyTorch hasn't."""
    for name in names.split():
        alike(kinds, name)
        CASES[name] = CASES[name]._replace(torch=None)


def wrote(m: Any, function: F, x: Any, *args: Any) -> Any:
    """A copy of x, after NumPy's function has written into it."""
    x = m.copy(x)
    function(x, *args)
    return x


def put(x: Any, key: Any, value: Any) -> Any:
    """A copy of an array or tensor with some entries replaced."""
    x = x.clone() if hasattr(x, "clone") else x.copy()
    x[key] = value
    return x


def times(parts: Any) -> Any:
    """All of a function's results in one."""
    return reduce(mul, parts)


def scaled(values: Any, vectors: Any) -> Any:
    """Vectors without their signs, which differ between libraries, and values."""
    return values * abs(vectors)


# fmt: off
# Ufuncs and what is like them
alike("v", "abs fabs=abs negative positive square exp exp2 expm1 sin cos tan sinh cosh tanh arctan arcsinh cbrt sinc")
alike("v", "deg2rad rad2deg degrees=rad2deg radians=deg2rad nan_to_num")
alike("p", "sqrt log log2 log10 log1p reciprocal i0")
alike("u", "arcsin arccos arctanh")
alike("o", "arccosh")
alike("z", "angle real imag conj=conj_physical sign=sgn")
alike("vv", "add subtract multiply maximum minimum fmax fmin hypot logaddexp logaddexp2 arctan2 copysign nextafter heaviside")
alike("vp", "divide remainder fmod")
alike("pv", "power=pow float_power=pow")
case("ldexp", "vi", lambda m, x, i: m.ldexp(x, i % 4))
case("divmod", "vp", lambda m, x, y: m.divmod(x, y)[1], None)
case("modf", "v", lambda m, x: m.modf(x)[0], lambda m, x: m.frac(x))
case("frexp", "v", lambda m, x: m.frexp(x)[0])
case("x ** 2", "v", lambda m, x: x**2)
case("x ** 2.5", "p", lambda m, x: x**2.5)
case("2.0 * x", "v", lambda m, x: 2.0 * x)
case("matrix + row", "ml", lambda m, x, y: x + y[:1])
case("where", "bvv", lambda m, b, x, y: m.where(b, x, y))
case("clip", "v", lambda m, x: m.clip(x, -1.0, 1.0))
case("astype", "v", lambda m, x: x.astype("float32"), lambda m, x: x.to(m.float32))
case("real_if_close", "v", lambda m, x: m.real_if_close(x), None)
numpy_only("p", "emath.sqrt emath.log emath.log2 emath.log10")
numpy_only("u", "emath.arccos emath.arcsin emath.arctanh")
case("emath.logn", "p", lambda m, x: m.emath.logn(2.0, x), None)
case("emath.power", "p", lambda m, x: m.emath.power(x, 2.5), None)

# Reductions and running sums
alike("v", "sum max min mean nansum nanmean")
alike("e", "prod")
case("var", "v", lambda m, x: m.var(x), lambda m, x: m.var(x, correction=0))
case("std", "v", lambda m, x: m.std(x), lambda m, x: m.std(x, correction=0))
case("ptp", "v", lambda m, x: m.ptp(x), lambda m, x: m.max(x) - m.min(x))
numpy_only("v", "cumulative_sum")
numpy_only("e", "cumulative_prod nanprod nancumprod")
numpy_only("n", "nanmax nanmin nanvar nanstd nancumsum")
case("amax", "m", lambda m, x: m.amax(x, axis=0), lambda m, x: m.amax(x, 0))
case("amin", "m", lambda m, x: m.amin(x, axis=1), lambda m, x: m.amin(x, 1))
case("sum axis", "m", lambda m, x: m.sum(x, axis=0), lambda m, x: m.sum(x, 0))
case("mean axis", "m", lambda m, x: m.mean(x, axis=-1), lambda m, x: m.mean(x, -1))
case("prod axis", "r", lambda m, x: m.prod(x, axis=-1), lambda m, x: m.prod(x, -1))
case("var axis", "m", lambda m, x: m.var(x, axis=0), lambda m, x: m.var(x, 0, correction=0))
case("std axis", "m", lambda m, x: m.std(x, axis=-1), lambda m, x: m.std(x, -1, correction=0))
case("cumsum", "v", lambda m, x: m.cumsum(x), lambda m, x: m.cumsum(x, 0))
case("cumsum axis", "m", lambda m, x: m.cumsum(x, axis=0), lambda m, x: m.cumsum(x, 0))
case("cumprod", "e", lambda m, x: m.cumprod(x, axis=0), lambda m, x: m.cumprod(x, 0))
case("trace", "q", lambda m, x: m.trace(x))
case("average", "vp", lambda m, x, w: m.average(x, weights=w), None)
alike("m", "cov corrcoef")
case("bincount", "iv", lambda m, i, w: m.bincount(i // 2, w),
     lambda m, i, w: m.zeros((len(w) + 1) // 2, dtype=w.dtype).index_add(0, i // 2, w),
     lambda m, i, w: m.bincount(i // 2, w, length=(len(w) + 1) // 2))
case("histogram", "iv", lambda m, i, w: m.histogram(i, 5, weights=w)[0], None)
case("histogram2d", "iv", lambda m, i, w: m.histogram2d(i, i, 5, weights=w)[0], None)
case("histogramdd", "iv", lambda m, i, w: m.histogramdd(i[:, None], 5, weights=w)[0], None)

# Sorting, medians, quantiles
case("sort", "v", lambda m, x: m.sort(x), lambda m, x: m.sort(x)[0])
case("sort axis", "m", lambda m, x: m.sort(x, axis=0), lambda m, x: m.sort(x, 0)[0])
case("sort_complex", "v", lambda m, x: m.sort_complex(x), None)
case("partition", "v", lambda m, x: m.partition(x, len(x) // 2)[len(x) // 2], lambda m, x: m.kthvalue(x, len(x) // 2 + 1)[0])
case("median", "v", lambda m, x: m.median(x), lambda m, x: m.quantile(x, 0.5))
case("median axis", "m", lambda m, x: m.median(x, axis=0), lambda m, x: m.quantile(x, 0.5, 0))
case("percentile", "v", lambda m, x: m.percentile(x, 30.0), lambda m, x: m.quantile(x, 0.3))
case("quantile", "v", lambda m, x: m.quantile(x, 0.3))
case("nanmedian", "n", lambda m, x: m.nanmedian(x), lambda m, x: m.nanquantile(x, 0.5))
case("nanpercentile", "n", lambda m, x: m.nanpercentile(x, 30.0), lambda m, x: m.nanquantile(x, 0.3))
case("nanquantile", "n", lambda m, x: m.nanquantile(x, 0.3))

# Shapes, joining, splitting, repeating
case("reshape", "m", lambda m, x: m.reshape(x, (-1, 2)))
alike("m", "ravel transpose=t fliplr flipud rot90 squeeze atleast_1d atleast_2d atleast_3d matrix_transpose=t")
alike("m", "linalg.matrix_transpose=t")
case("flip", "m", lambda m, x: m.flip(x), lambda m, x: m.flip(x, (0, 1)))
case("swapaxes", "t", lambda m, x: m.swapaxes(x, 0, 2))
case("moveaxis", "t", lambda m, x: m.moveaxis(x, 0, 2))
case("rollaxis", "t", lambda m, x: m.rollaxis(x, 2), lambda m, x: m.moveaxis(x, 2, 0))
case("expand_dims", "v", lambda m, x: m.expand_dims(x, 0), lambda m, x: m.unsqueeze(x, 0))
case("broadcast_to", "g", lambda m, x: m.broadcast_to(x, (len(x), len(x))))
case("broadcast_arrays", "gg", lambda m, x, y: times(m.broadcast_arrays(x, y[:, None])),
     lambda m, x, y: times(m.broadcast_tensors(x, y[:, None])))
case("concatenate", "vv", lambda m, x, y: m.concatenate([x, y]))
for _name in ("stack", "vstack", "row_stack", "hstack", "dstack", "column_stack"):
    case(_name, "vv", lambda m, x, y, n=_name: getattr(m, n)([x, y]),
         jax=lambda m, x, y, n="vstack" if _name == "row_stack" else _name: getattr(m, n)([x, y]))
case("append", "vv", lambda m, x, y: m.append(x, y), lambda m, x, y: m.cat([x, y]))
case("block", "mm", lambda m, x, y: m.block([[x, y], [y, x]]), lambda m, x, y: m.cat([m.cat([x, y], 1), m.cat([y, x], 1)]))
case("split", "m", lambda m, x: times(m.split(x, 2, axis=1)), lambda m, x: times(m.tensor_split(x, 2, 1)))
case("array_split", "v", lambda m, x: times(m.array_split(x, 2)), lambda m, x: times(m.tensor_split(x, 2)))
case("hsplit", "m", lambda m, x: times(m.hsplit(x, 2)))
case("vsplit", "m", lambda m, x: times(m.vsplit(x[:4], 2)))
case("dsplit", "t", lambda m, x: times(m.dsplit(x, 2)))
case("unstack", "m", lambda m, x: times(m.unstack(x[:4])), lambda m, x: times(m.unbind(x[:4])))
case("repeat", "v", lambda m, x: m.repeat(x, 3), lambda m, x: m.repeat_interleave(x, 3))
case("tile", "v", lambda m, x: m.tile(x, 3), lambda m, x: m.tile(x, (3,)))
case("roll", "v", lambda m, x: m.roll(x, 3))
case("pad", "v", lambda m, x: m.pad(x, 3), lambda m, x: m.nn.functional.pad(x, (3, 3)))
case("pad edge", "m", lambda m, x: m.pad(x, 3, mode="edge"),
     lambda m, x: m.nn.functional.pad(x[None], (3, 3, 3, 3), mode="replicate")[0])
case("pad reflect", "m", lambda m, x: m.pad(x, 3, mode="reflect"),
     lambda m, x: m.nn.functional.pad(x[None], (3, 3, 3, 3), mode="reflect")[0])
case("copy", "v", lambda m, x: m.copy(x), lambda m, x: m.clone(x))
case("full_like", "vv", lambda m, x, y: m.full_like(x, y[0]) * x, lambda m, x, y: y[0].expand(x.shape) * x)
case("permute_dims", "t", lambda m, x: m.permute_dims(x, (1, 2, 0)), lambda m, x: m.permute(x, (1, 2, 0)))

# Reading by index, choosing, inserting
case("x[3]", "v", lambda m, x: x[3])
case("x[1:-1]", "v", lambda m, x: x[1:-1])
case("x[::2]", "v", lambda m, x: x[::2])
case("x[::-1]", "v", lambda m, x: x[::-1], lambda m, x: m.flip(x, (0,)))
case("x[places]", "vi", lambda m, x, i: x[i])
case("x[rows, columns]", "mB", lambda m, x, b: x[b.nonzero()], lambda m, x, b: x[b.nonzero(as_tuple=True)])
case("x[mask]", "vb", lambda m, x, b: x[b])
case("take", "vi", lambda m, x, i: m.take(x, i))
case("take axis", "mi", lambda m, x, i: m.take(x, i[: len(x)] % 4, axis=1),
     lambda m, x, i: m.index_select(x, 1, i[: len(x)] % 4))
case("take_along_axis", "mB", lambda m, x, b: m.take_along_axis(x, b.astype(int), 0),
     lambda m, x, b: m.take_along_dim(x, b.long(), 0))
alike("m", "diagonal tril triu linalg.diagonal")
alike("g", "diag diagflat")
case("diag of a matrix", "m", lambda m, x: m.diag(x))
case("compress", "bv", lambda m, b, x: m.compress(b, x), lambda m, b, x: m.masked_select(x, b))
case("extract", "bv", lambda m, b, x: m.extract(b, x), lambda m, b, x: m.masked_select(x, b))
case("insert", "vs", lambda m, x, y: m.insert(x, 3, y), None)
case("delete", "v", lambda m, x: m.delete(x, 3), None)
case("resize", "v", lambda m, x: m.resize(x, (2, len(x))), None)
case("choose", "bvv", lambda m, b, x, y: m.choose(b.astype(int), [x, y]), lambda m, b, x, y: m.where(b, y, x))
case("select", "bvv", lambda m, b, x, y: m.select([b, ~b], [x, y]), lambda m, b, x, y: m.where(b, x, m.where(~b, y, 0.0)))
case("piecewise", "vb", lambda m, x, b: m.piecewise(x, [b], [lambda x: -x, lambda x: x * x]), None)
case("meshgrid", "gg", lambda m, x, y: times(m.meshgrid(x, y)), lambda m, x, y: times(m.meshgrid(x, y, indexing="xy")))
case("apply_along_axis", "g", lambda m, x: m.apply_along_axis(lambda r: r * r, 0, x[:, None]), None)
case("apply_over_axes", "t", lambda m, x: m.apply_over_axes(m.sum, x, [0, 2]), None)
case("trim_zeros", "v", lambda m, x: m.trim_zeros(x), None)
case("lib.stride_tricks.sliding_window_view", "v", lambda m, x: m.lib.stride_tricks.sliding_window_view(x, 3),
     lambda m, x: x.unfold(0, 3, 1))
case("unique", "v", lambda m, x: m.unique(x), None)
for _name in ("unique_all", "unique_counts", "unique_inverse"):
    case(_name, "v", lambda m, x, n=_name: getattr(m, n)(x)[0], None)
case("unique_values", "v", lambda m, x: m.sum(m.unique_values(x)), None)
for _name in ("union1d", "intersect1d", "setdiff1d", "setxor1d"):
    case(_name, "vv", lambda m, x, y, n=_name: getattr(m, n)(x, m.concatenate([x[4:], y[:4]])), None)

# Writing into an array
case("x[1:4] = y", "vv", lambda m, x, y: put(x, slice(1, 4), y[1:4]), jax=lambda m, x, y: x.at[1:4].set(y[1:4]))
case("x[places] = y", "viv", lambda m, x, i, y: put(x, i, y), jax=lambda m, x, i, y: x.at[i].set(y))
case("x[mask] = 0", "vb", lambda m, x, b: put(x, b, 0.0), jax=lambda m, x, b: x.at[b].set(0.0))
for _name in ("copyto", "putmask"):
    case(_name, "vvb", lambda m, x, y, b: wrote(m, partial(m.copyto, where=b), x, y), lambda m, x, y, b: m.where(b, y, x),
         lambda m, x, y, b: m.where(b, y, x))
CASES["putmask"] = CASES["putmask"]._replace(f=lambda m, x, y, b: wrote(m, m.putmask, x, b, y))
case("fill_diagonal", "ms", lambda m, x, y: wrote(m, m.fill_diagonal, x, y), None,
     lambda m, x, y: m.fill_diagonal(x, y, inplace=False))
case("put", "viv", lambda m, x, i, y: wrote(m, m.put, x, i[:5], y[:5]), lambda m, x, i, y: put(x, i[:5], y[:5]),
     lambda m, x, i, y: x.at[i[:5]].set(y[:5]))
case("put_along_axis", "mBm", lambda m, x, b, y: wrote(m, m.put_along_axis, x, b[:1].astype(int), y[:1], 0),
     lambda m, x, b, y: m.scatter(x, 0, b[:1].long(), y[:1]),
     lambda m, x, b, y: m.put_along_axis(x, b[:1].astype(int), y[:1], 0, inplace=False))
case("place", "vbv", lambda m, x, b, y: wrote(m, m.place, x, b, y), lambda m, x, b, y: m.masked_scatter(x, b, y), None)

# Products and linear algebra
alike("vv", "dot inner vdot")
alike("gg", "outer linalg.outer=outer")
alike("qq", "matmul linalg.matmul")
alike("mm", "linalg.vecdot vecdot=linalg.vecdot")
case("dot matrices", "qq", lambda m, x, y: m.dot(x, y), lambda m, x, y: m.mm(x, y))
case("matmul vector", "ql", lambda m, x, y: m.matmul(x, y))
case("matmul stacked", "tt", lambda m, x, y: m.matmul(x, m.swapaxes(y, 1, 2)))
case("matvec", "ql", lambda m, x, y: m.matvec(x, y), lambda m, x, y: m.mv(x, y))
case("vecmat", "lq", lambda m, x, y: m.vecmat(x, y), lambda m, x, y: m.matmul(x, y))
case("tensordot", "tt", lambda m, x, y: m.tensordot(x, y, ([1, 2], [1, 2])))
case("linalg.tensordot", "tt", lambda m, x, y: m.linalg.tensordot(x, y, axes=([1, 2], [1, 2])), None)
case("einsum", "qq", lambda m, x, y: m.einsum("ij,kj->ik", x, y))
case("einsum elementwise", "mm", lambda m, x, y: m.einsum("ij,ij->ij", x, y))
case("einsum of three", "qql", lambda m, x, y, z: m.einsum("ij,jk,k->i", x, y, z))
case("kron", "kk", lambda m, x, y: m.kron(x, y))
case("cross", "cc", lambda m, x, y: m.cross(x, y))
case("linalg.cross", "cc", lambda m, x, y: m.linalg.cross(x, y))
alike("q", "linalg.det linalg.inv linalg.pinv linalg.svdvals linalg.cond linalg.trace=trace")
alike("d", "linalg.cholesky linalg.eigvalsh")
alike("m", "linalg.norm linalg.matrix_norm linalg.vector_norm")
alike("ql", "linalg.solve")
case("linalg.slogdet", "q", lambda m, x: m.linalg.slogdet(x)[1])
case("linalg.eigh", "d", lambda m, x: scaled(*m.linalg.eigh(x)))
case("linalg.eig", "q", lambda m, x: m.sum(m.linalg.eig(x)[0] ** 2))
case("linalg.eigvals", "q", lambda m, x: m.sum(m.linalg.eigvals(x) ** 2))
case("linalg.svd", "q", lambda m, x: abs(m.linalg.svd(x)[0]))
case("linalg.qr", "q", lambda m, x: abs(m.linalg.qr(x)[1]))
case("linalg.lstsq", "ql", lambda m, x, y: m.linalg.lstsq(x, y)[0], lambda m, x, y: m.linalg.lstsq(x, y[:, None])[0][:, 0])
case("linalg.matrix_power", "q", lambda m, x: m.linalg.matrix_power(x, 3))
case("linalg.multi_dot", "qqq", lambda m, x, y, z: m.linalg.multi_dot([x, y, z]))
case("linalg.norm 1", "q", lambda m, x: m.linalg.norm(x, 1))
case("linalg.norm inf", "v", lambda m, x: m.linalg.norm(x, float("inf")))
case("linalg.norm 3", "v", lambda m, x: m.linalg.norm(x, 3))
case("linalg.norm nuclear", "q", lambda m, x: m.linalg.norm(x, "nuc"))
case("linalg.norm axis", "m", lambda m, x: m.linalg.norm(x, axis=1), lambda m, x: m.linalg.norm(x, dim=1))
case("linalg.tensorinv", "q", lambda m, x: m.linalg.tensorinv(x, ind=1))
case("linalg.tensorsolve", "ql", lambda m, x, y: m.linalg.tensorsolve(x, y))

# Fourier transforms
alike("v", "fft.fft fft.ifft fft.rfft fft.irfft fft.hfft fft.ihfft fft.fftshift fft.ifftshift")
alike("m", "fft.fft2 fft.ifft2 fft.rfft2 fft.irfft2 fft.fftn fft.ifftn fft.rfftn fft.irfftn")
case("fft.fft complex", "z", lambda m, x: m.fft.fft(x))

# Differences, integrals, interpolation, convolution
alike("v", "diff trapezoid")
case("ediff1d", "v", lambda m, x: m.ediff1d(x), lambda m, x: m.diff(x))
case("diff axis", "m", lambda m, x: m.diff(x, axis=0), lambda m, x: m.diff(x, dim=0))
case("trapezoid x", "va", lambda m, y, x: m.trapezoid(y, x))
case("gradient", "v", lambda m, x: m.gradient(x), lambda m, x: m.gradient(x)[0])
case("gradient 2-D", "m", lambda m, x: times(m.gradient(x)))
case("interp", "vjk", lambda m, x, xp, fp: m.interp(x, xp, fp), None)
case("unwrap", "v", lambda m, x: m.unwrap(x), None)
case("convolve", "vk", lambda m, x, y: m.convolve(x, y),
     lambda m, x, y: m.nn.functional.conv1d(x[None], m.flip(y, (0,))[None, None], padding=len(y) - 1)[0])
case("correlate", "vk", lambda m, x, y: m.correlate(x, y), lambda m, x, y: m.nn.functional.conv1d(x[None], y[None, None])[0])

# Rows between ends
case("linspace", "ss", lambda m, x, y: m.linspace(x, y, 50))
case("linspace of rows", "vv", lambda m, x, y: m.linspace(x, y, 5), None)
case("logspace", "ss", lambda m, x, y: m.logspace(x, y, 50))
case("geomspace", "ss", lambda m, x, y: m.geomspace(x, y, 50), None)

# Polynomials
case("polyval", "kv", lambda m, p, x: m.polyval(p, x), None)
case("vander", "k", lambda m, x: m.vander(x))
case("polyfit", "jk", lambda m, x, y: m.polyfit(x, y, 2), None)
case("poly", "k", lambda m, x: m.poly(x), None)
case("roots", "k", lambda m, x: abs(m.sum(m.roots(x) ** 2)), None)
case("polyder", "k", lambda m, x: m.polyder(x), None)
case("polyint", "k", lambda m, x: m.polyint(x), None)
case("polydiv", "kk", lambda m, x, y: m.polydiv(x, y[:2])[0], None)
numpy_only("kk", "polyadd polysub polymul")
