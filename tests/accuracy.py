"""How far native functions are from the true value: samples over their whole range, and mpmath's answer."""

from __future__ import annotations

import ctypes
import functools
import math

import mpmath
import numpy as np

from dout.run.native import math as native
from dout.run.native import text as ir
from dout.run.native.engine import Code

#: Each function, as mpmath has it, and intervals of which many points are taken, beside those of any size.
TRUE = {
    "exp": (mpmath.exp, (-745, 710), (-104, 89)),
    "exp2": (lambda x: mpmath.power(2, x), (-1075, 1024), (-150, 128)),
    "exp10": (lambda x: mpmath.power(10, x), (-324, 309), (-46, 39)),
    "expm1": (mpmath.expm1, (-60, 710), (-1, 1)),
    "sinh": (mpmath.sinh, (-711, 711), (-2, 2)),
    "cosh": (mpmath.cosh, (-711, 711), (-2, 2)),
    "tanh": (mpmath.tanh, (-25, 25), (-0.7, 0.7)),
    "expit": (lambda x: 1 / (1 + mpmath.exp(-x)), (-745, 40), (-104, 20)),
    "softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), (-745, 40), (-5, 5)),
    "log_expit": (lambda x: -mpmath.log1p(mpmath.exp(-x)), (-745, 40), (-5, 5)),
    "log": (mpmath.log, (0, 2), (0.5, 1.5)),
    "log2": (lambda x: mpmath.log(x, 2), (0, 2), (0.5, 1.5)),
    "log10": (mpmath.log10, (0, 2), (0.5, 1.5)),
    "log1p": (mpmath.log1p, (-1, 1), (-0.1, 0.1)),
    "arcsinh": (mpmath.asinh, (-3, 3), (-0.6, 0.6)),
    "arccosh": (mpmath.acosh, (1, 3), (1, 1.01)),
    "arctanh": (mpmath.atanh, (-1, 1), (-0.6, 0.6)),
    "sin": (mpmath.sin, (-7, 7), (-1e6, 1e6)),
    "cos": (mpmath.cos, (-7, 7), (-1e6, 1e6)),
    "tan": (mpmath.tan, (-7, 7), (-1e6, 1e6)),
    "arctan": (mpmath.atan, (-3, 3), (-0.6, 0.6)),
    "arcsin": (mpmath.asin, (-1, 1), (-0.6, 0.6)),
    "arccos": (mpmath.acos, (-1, 1), (-0.6, 0.6)),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), (-9, 9), (-1, 1)),
    "erf": (mpmath.erf, (-7, 7), (-1.1, 1.1)),
    "erfc": (mpmath.erfc, (-7, 27.3), (0.3, 1.1)),
    "gammaln": (lambda x: mpmath.re(mpmath.loggamma(x)), (0, 12), (0.4, 2.6), (-3, 0), (-20, 0), (-200, 0)),
    "psi": (mpmath.digamma, (0, 12), (1.4, 1.5), (-3, 0), (-20, 0), (-200, 0), (-1e6, 0)),
    "logaddexp": (lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y)), (0, 40), (0, 3)),
    "arctan2": (mpmath.atan2, (-3, 3), (-1, 1)),
    "hypot": (mpmath.hypot, (-3, 3), (-1, 1)),
    "power": (mpmath.power, (0, 3), (0.9, 1.1)),
}  # fmt: skip
#: Where the error is largest among millions of points, by a search with numbers of 80 bits: for float64, and for float32.
HARDEST: dict[str, tuple[list[float], list[float]]] = {
    "exp": ([-708.6581034788057], [-87.59105682373047]),
    "exp2": ([1.5102187740209154], [0.6131410002708435]),
    "expm1": ([0.35693476267845625], [0.38556650280952454]),
    "sinh": ([1.4378425222161668, -1.421532970208375], [1.4048012495040894]),
    "cosh": ([8.727917732733278], [4.527551651000977]),
    "tanh": ([-0.5766861029792529, -0.561097720640636, 0.56817], [0.552680492401123]),
    "log": ([1.4114907667850367], [1.40623939037323]),
    "log2": ([1.402809783065334], [1.3938301801681519]),
    "log10": ([1.3274252260246948], [1.4047907590866089]),
    "log1p": ([-0.2986490116730047], [0.4070497453212738]),
    "arcsinh": ([1.1689847333359231], [1.1690435409545898]),
    "arccosh": ([1.0569912426425798], [1.0583608150482178]),
    "arctanh": ([-0.6987888035984131], [0.697119414806366]),
    "sin": ([-3.9209616761105863], [-0.7726939916610718]),
    "cos": ([0.7888593346485175], [0.790547788143158]),
    "tan": ([0.7511985373783264, 561.5839598595326], [-62.0599250793457]),
    "exp10": ([1.0583486147356327], [-38.18953323364258]),
    "expit": ([-708.6581034788057], [-87.59105682373047]),
    "softplus": ([-36.74272903197004, 0.3284203015546962], [0.3373320996761322]),
    "log_expit": ([0.9171844242947917, -0.43095429012108927], [-0.4067692458629608]),
    "arctan": ([0.41724180635993435, -0.4472265165376674], [0.41466209292411804]),
    "arcsin": ([-0.4771534118470784], [0.5181960463523865]),
    "arccos": ([0.583346052296937], [0.5928786993026733]),
    "cbrt": ([0.1747374794133787], [-0.3941163420677185]),
    "erf": ([0.9932349955167452], [0.9971583485603333]),
    "erfc": ([0.5094258933207321, 0.5014636343617866], [0.5676273107528687]),
    "psi": ([
        7.087359327759419, 7.196774617181811, -1000000000.9521183, -257.82347360739845, -849207579962.9576, -2977.8808777877402,
        -2.610720868412262,
    ], []),
    "gammaln": ([
        1.4616298730132624, 1.4616321398888705, 1.496479476217699, -2.5543179516460865, -2.550762455378647, -2.500068265310035,
        -2.9999999999999982,
    ], []),
}  # fmt: skip
#: By how many units in the last place a result may be off; two, where nothing is said.
LIMITS = {"gammaln": 4.0, "psi": 4.0, "power": 4.0}
POSITIVE = {"log", "log2", "log10", "arccosh", "logaddexp", "power"}
#: Which zeros of psi are tried: of those between -n - 1 and -n.
ZEROS_OF_PSI = [
    *range(41),
    63,
    64,
    100,
    199,
    200,
    511,
    1000,
    1788,
    2977,
    10**6,
    10**9,
    2**31,
    2**40 + 1,
    10**13,
    2**49 + 3,
]
DTYPES = {"f8": np.dtype(np.float64), "f4": np.dtype(np.float32)}


@functools.cache
def loops() -> Code:
    """For each function and dtype, `name_kind(x, ..., out, n)`: a loop over arrays."""
    module = ir.Module("loops")
    long = ir.IntType(64)
    for name in TRUE:
        for kind, real in (("f8", ir.DoubleType()), ("f4", ir.FloatType())):
            count = native.arity(name)
            takes = [ir.PointerType()] * (count + 1) + [long]
            f = ir.Function(module, ir.FunctionType(ir.VoidType(), takes), f"{name}_{kind}")
            f.args[count].add_attribute("noalias")
            b = ir.IRBuilder(f.append_basic_block())
            before, loop, end = b.block, f.append_basic_block(), f.append_basic_block()
            b.branch(loop)
            b.position_at_end(loop)
            i = b.phi(long)
            i.add_incoming(ir.Constant(long, 0), before)
            args = [b.load(b.gep(p, [i], source_etype=real), typ=real) for p in f.args[:count]]
            b.store(native.call(b, name, kind, args), b.gep(f.args[count], [i], source_etype=real))
            following = b.add(i, ir.Constant(long, 1))
            i.add_incoming(following, loop)
            b.cbranch(b.icmp_signed("<", following, f.args[count + 1]), loop, end)
            b.position_at_end(end)
            b.ret_void()
    return Code(str(module))


def evaluate(name: str, *xs: np.ndarray) -> np.ndarray:
    """A native function of arrays."""
    kind = "f8" if xs[0].dtype == np.float64 else "f4"
    out = np.empty_like(xs[0])
    f = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(xs) + 1), ctypes.c_int64)(loops().address(f"{name}_{kind}"))
    f(*[x.ctypes.data for x in xs], out.ctypes.data, len(out))
    return out


def sample(name: str, kind: str, n: int, seed: int = 0) -> list[np.ndarray]:
    """Arguments: of the intervals, of every exponent, subnormal ones, and next to numbers where much happens."""
    rng = np.random.default_rng(seed)
    dtype = DTYPES[kind]
    least, most = (-1074, 1023) if kind == "f8" else (-149, 127)
    found = []
    for _ in range(native.arity(name)):
        parts = [rng.uniform(low, high, n) for low, high in TRUE[name][1:]]
        parts.append(2.0 ** rng.uniform(least, most, n) * rng.choice([-1.0, 1.0], n))
        parts.append(2.0 ** rng.uniform(-30, 30, n) * rng.choice([-1.0, 1.0], n))
        parts.append(
            rng.choice([0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 8.0], n) + rng.uniform(-1, 1, n) * 2.0 ** rng.uniform(-52, -3, n)
        )
        parts.append(np.array(HARDEST.get(name, ([], []))[kind == "f4"]))
        found.append(rng.permutation(np.concatenate(parts)) if native.arity(name) > 1 else np.concatenate(parts))
    if name == "power":  # exponents for which the result is in range
        top = rng.uniform(least, most, len(found[0]))
        with np.errstate(all="ignore"):
            fitting = top / np.log2(np.abs(found[0]))
        found[1] = np.where(rng.random(len(top)) < 0.7, fitting, found[1])
    with np.errstate(over="ignore"):
        xs = [x.astype(dtype) for x in found]
    fine = np.all([np.isfinite(x) & ((x > 0) if name in POSITIVE else True) for x in xs], axis=0)
    if name == "logaddexp":  # where it isn't the small difference of its terms
        fine &= np.maximum(*xs) >= 0
    low = {"log1p": -1, "arctanh": -1, "arcsin": -1, "arccos": -1, "arccosh": 1}.get(name, -math.inf)
    high = 1 if name in ("arctanh", "arcsin", "arccos") else math.inf
    fine &= (xs[0] >= low) & (xs[0] <= high)
    return [np.ascontiguousarray(x[fine]) for x in xs]


def zero_of_psi(n: float) -> mpmath.mpf:
    """The zero of psi(-y) between n and n + 1."""
    with mpmath.workprec(300):
        start = mpmath.mpf(n) + 1 - mpmath.atan(mpmath.pi / mpmath.log(n + 1.5)) / mpmath.pi
        return mpmath.findroot(lambda y: mpmath.digamma(-y), (start, start + 1e-3))


def zero_of_gammaln(n: int, side: int) -> mpmath.mpf:
    """The zero of log|gamma(-y)| behind or before n, by bisection."""
    with mpmath.workprec(300):
        low, high = mpmath.mpf(10) ** -20, mpmath.mpf(0.5)
        for _ in range(360):
            middle = mpmath.sqrt(low * high)
            beyond = abs(mpmath.gamma(-n - side * middle)) < 1
            low, high = (low, middle) if beyond else (middle, high)
        return n + side * low


@functools.cache
def zeros(name: str) -> list[mpmath.mpf]:
    """Zeros at negative arguments, less their sign. Those of gammaln farther on are nearer to integers than any float64."""
    if name == "psi":
        return [zero_of_psi(n) for n in ZEROS_OF_PSI]
    return [zero_of_gammaln(n, side) for n in range(2, 19) for side in (-1, 1) if n + side > 1]


def beside_zeros(name: str, kind: str, nearest: int, farther: int) -> np.ndarray:
    """Arguments beside the zeros of a gamma function: so many of the nearest to either side, and at growing distances."""
    dtype = DTYPES[kind]
    parts = []
    for zero in zeros(name):
        middle = dtype.type(-float(zero))
        gap = float(np.spacing(abs(middle)))
        if gap > 0.01:
            continue  # float32 has but few numbers there
        steps = np.arange(-nearest, nearest + 1) * gap
        away = 2.0 ** np.linspace(math.log2(gap * nearest), -2, farther)
        parts += [float(middle) + steps, float(middle) + away, float(middle) - away]
    x = np.concatenate(parts).astype(dtype)
    return np.ascontiguousarray(x[x != np.floor(x)])


def numbers_next_to_zeros_of_psi(kind: str, count: int) -> np.ndarray:
    """For each of many zeros of any size, the two numbers that it is between."""
    rng = np.random.default_rng(0)
    found = []
    for n in np.floor(2.0 ** rng.uniform(0, 49 if kind == "f8" else 16, count)):
        y = zero_of_psi(float(n))
        near = DTYPES[kind].type(float(y))
        found += [near, np.nextafter(near, DTYPES[kind].type(math.inf if near < y else 0))]
    return -np.array(found)


def off(name: str, xs: list[np.ndarray], results: np.ndarray) -> tuple[float, tuple[float, ...]]:
    """The largest error, in units in the last place of the true value, and where it is.

    A result that is too large is infinite, from halfway beyond the largest number on.
    """
    limits = np.finfo(results.dtype)
    worst, where = 0.0, ()
    with mpmath.workprec(200):
        for got, *args in zip(results.tolist(), *[x.tolist() for x in xs], strict=True):
            true = answer(name, tuple(args))
            if true is None:
                continue
            size = abs(true)
            exponent = max(mpmath.frexp(size)[1] - 1, int(limits.minexp)) if size else int(limits.minexp)
            unit = mpmath.ldexp(1, int(exponent) - limits.nmant)
            if size >= mpmath.ldexp(1, int(limits.maxexp)) - mpmath.ldexp(1, int(limits.maxexp) - limits.nmant - 2):
                error = 0.0 if math.isinf(got) and (got > 0) == (true > 0) else math.inf
            elif math.isinf(got):  # the next number after the largest
                error = float((mpmath.ldexp(1, int(limits.maxexp)) - size) / unit)
            else:
                error = float(abs(true - mpmath.mpf(got)) / unit)
            if not error <= worst:
                worst, where = error, tuple(args)
    return worst, where


def answer(name: str, args: tuple[float, ...]) -> mpmath.mpf | None:
    """mpmath's answer, None where it is a pole, complex, or too large to be found."""
    function = TRUE[name][0]
    given = [mpmath.mpf(a) for a in args]
    if name == "arctan" and not given[0]:
        return given[0]
    if name in ("gammaln", "psi") and args[0] <= 0 and args[0] == math.floor(args[0]):
        return None
    grows = ("exp", "exp2", "exp10", "expm1", "sinh", "cosh", "erfc", "expit", "softplus", "log_expit", "logaddexp")
    if name in grows and max(abs(a) for a in given) > 4000:
        return None  # tested with the special values
    if name == "erf" and abs(given[0]) > 30:
        return mpmath.sign(given[0])
    if name == "tanh" and abs(given[0]) > 200:
        return mpmath.sign(given[0])
    if name == "power" and abs(given[1] * mpmath.log(given[0])) > 4000:
        return None
    if name in ("log1p", "arctanh") and abs(given[0]) == 1:
        return None
    tiny = max(abs(a) for a in given) if len(given) == 1 else 1
    with mpmath.workprec(
        200 + (2200 if name in ("sin", "cos", "tan", "arccosh", "arcsinh", "arctanh") or tiny < 1e-9 else 0)
    ):
        return +function(*given)


@functools.cache
def worst(name: str, kind: str, n: int) -> tuple[float, tuple[float, ...]]:
    """The largest error in a sample, and where it is."""
    xs = sample(name, kind, n)
    if name in ("gammaln", "psi"):
        xs = [np.concatenate([xs[0], beside_zeros(name, kind, n // 8, n // 8)])]
    return off(name, xs, evaluate(name, *xs))
