"""Random programs of views and writes: every array is at every step what NumPy's is, bit for bit, and so is the derivative.

A program is a list of steps that views, copies or writes to the arrays made so far. Its choices depend on shapes only, so
that it does the same with arrays and with Variables. Arrays lie in memory in any order, because NumPy decides by it what is
a view.
"""

import numpy as np
import oracles
from hypothesis import given, settings
from hypothesis import strategies as st

import dout
import dout.numpy

VIEWS, COPIES, WRITES = {}, {}, {}


def view(f):
    VIEWS[f.__name__] = f
    return f


def copying(f):
    COPIES[f.__name__] = f
    return f


def writing(f):
    WRITES[f.__name__] = f
    return f


def basic_key(shape, rng):
    """Integers, slices of any step, new axes and dots."""
    key = []
    for n in shape:
        choice = rng.integers(8)
        if choice == 0 and n:
            key.append(int(rng.integers(-n, n)))
        elif choice < 5:
            start, stop = sorted(rng.integers(-n - 1, n + 2, size=2).tolist())
            key.append(slice(start, stop, int(rng.choice([1, 1, 2]))))
        elif choice == 5:
            key.append(slice(None, None, int(rng.choice([-1, -2]))))
        else:
            key.append(slice(None))
    if rng.random() < 0.2:
        key.insert(int(rng.integers(len(key) + 1)), None)
    if rng.random() < 0.2:
        cut = int(rng.integers(len(key) + 1))
        key = [*key[:cut], Ellipsis] if rng.random() < 0.5 else [Ellipsis, *key[cut:]] if cut == 0 else key
    return key[0] if len(key) == 1 and rng.random() < 0.5 else tuple(key)


def flat_key(n, rng):
    """One place, a slice, places or a mask."""
    choice = rng.integers(4)
    if choice == 0:
        return int(rng.integers(-n, n))
    if choice == 1:
        return slice(int(rng.integers(n)), None, int(rng.choice([1, 2])))
    return rng.integers(n, size=3) if choice == 2 else rng.random(n) < 0.5


def new_shape(size, rng):
    """Any shape of so many entries."""
    shape = []
    while size > 1 and len(shape) < 3:
        n = int(rng.choice([k for k in range(1, size + 1) if size % k == 0]))
        shape.append(n)
        size //= n
    return (*shape, size) if size != 1 or not shape else tuple(shape)


def order(rng):
    return str(rng.choice(["C", "C", "F", "A"]))


@view
def indexed(a, rng):
    return a[basic_key(a.shape, rng)]


@view
def transposed(a, rng):
    return a.T


@view
def reshaped(a, rng):
    return a.reshape(new_shape(a.size, rng), order=order(rng)) if a.size else a.reshape(a.shape)


@view
def raveled(a, rng):
    return a.ravel(str(rng.choice(["C", "F", "A", "K"])))


@view
def swapped(a, rng):
    return a.swapaxes(*rng.integers(a.ndim, size=2).tolist()) if a.ndim else a


@view
def permuted(a, rng):
    return a.transpose(*rng.permutation(a.ndim).tolist())


@view
def moved(a, rng):
    return np.moveaxis(a, 0, int(rng.integers(a.ndim))) if a.ndim else a


@view
def squeezed(a, rng):
    return a.squeeze()


@view
def widened(a, rng):
    return np.expand_dims(a, int(rng.integers(a.ndim + 1)))


@view
def flipped(a, rng):
    return np.flip(a, int(rng.integers(a.ndim))) if a.ndim else a


@view
def turned(a, rng):
    return np.rot90(a, int(rng.integers(4))) if a.ndim >= 2 else a


@view
def real(a, rng):
    return a.real


@view
def imaginary(a, rng):
    return a.imag if np.iscomplexobj(a) else a


@view
def spread(a, rng):
    return np.broadcast_to(a, (2, *a.shape))


@view
def diagonal(a, rng):
    return a.diagonal(int(rng.integers(-1, 2))) if a.ndim >= 2 else a


@view
def split(a, rng):
    return np.array_split(a, 2)[int(rng.integers(2))] if a.ndim else a


@view
def a_row(a, rng):
    rows = list(a) if a.ndim else []
    return rows[int(rng.integers(len(rows)))] if rows and np.ndim(rows[0]) else a


@view
def at_least(a, rng):
    return np.atleast_2d(a) if rng.random() < 0.5 else np.atleast_3d(a)


@view
def same_memory(a, rng):
    return a.view()


@copying
def copied(a, rng):
    return a.copy(order(rng)) if rng.random() < 0.5 else np.copy(a)


@copying
def flattened(a, rng):
    return a.flatten(order(rng))


@copying
def fancy_read(a, rng):
    return a[rng.integers(len(a), size=3)] if a.ndim and len(a) else a * 1.0


@copying
def masked_read(a, rng):
    return a[rng.random(a.shape) < 0.5]


@copying
def flat_read(a, rng):
    return a.flat[flat_key(a.size, rng)] if a.size else a.flat[:]


@copying
def computed(a, rng):
    return a * 0.5 + 0.25


@copying
def new_zeros(a, rng):
    return dout.numpy.zeros(a.shape, a.dtype)


@copying
def empty_alike(a, rng):
    return np.zeros_like(a)


def some(b, a, shape, rng):
    """Something of the array b that fits a part of a: b itself, a row of its entries, or one of them."""
    b = b if np.iscomplexobj(a) else np.real(b)
    if np.shape(b) == shape:
        return b
    if b.size and rng.random() < 0.5:
        return np.resize(b.ravel(), shape)
    return b.ravel()[0] * 0.5 if b.size else 0.75


@writing
def write_all(a, b, rng):
    a[...] = some(b, a, a.shape, rng)


@writing
def write_part(a, b, rng):
    key = basic_key(a.shape, rng)
    a[key] = some(b, a, np.shape(a[key]), rng)


@writing
def write_number(a, b, rng):
    a[basic_key(a.shape, rng)] = 1.5


@writing
def shift_forth(a, b, rng):
    if a.ndim:
        a[1:] = a[:-1]


@writing
def shift_back(a, b, rng):
    if a.ndim:
        a[:-1] = a[1:] * 0.5 if rng.random() < 0.5 else a[1:]


@writing
def reverse(a, b, rng):
    if a.ndim:
        a[...] = a[::-1]


@writing
def reverse_half(a, b, rng):
    if a.ndim:
        a[::-2] = a[: len(a[::-2])]


@writing
def transpose_into_itself(a, b, rng):
    if a.ndim == 2 and a.shape[0] == a.shape[1]:
        a[...] = a.T


@writing
def add_shifted(a, b, rng):
    if a.ndim:
        a[1:] += a[:-1]


@writing
def add(a, b, rng):
    a += some(b, a, a.shape, rng) if a.ndim else 0.25


@writing
def subtract_part(a, b, rng):
    key = basic_key(a.shape, rng)
    a[key] -= some(b, a, np.shape(a[key]), rng)


@writing
def scale(a, b, rng):
    a *= some(b, a, (), rng)


@writing
def divide(a, b, rng):
    a /= 1.5


@writing
def fancy_write(a, b, rng):
    if a.ndim and len(a):
        places = rng.integers(len(a), size=3)
        a[places] = some(b, a, (3, *a.shape[1:]), rng)


@writing
def fancy_add(a, b, rng):
    if a.ndim and len(a):
        a[rng.integers(len(a), size=3)] += 0.5


@writing
def fancy_permute(a, b, rng):
    if a.ndim and len(a):
        a[rng.permutation(len(a))] = a


@writing
def masked_write(a, b, rng):
    mask = rng.random(a.shape) < 0.5  # NumPy doesn't look whether a part of a itself is written by a mask
    a[mask] = some(b, a, (int(mask.sum()),), rng) * 1.0 if a.ndim else 0.5


@writing
def masked_scale(a, b, rng):
    a[rng.random(a.shape) < 0.5] *= -0.5


@writing
def flat_write(a, b, rng):
    if a.size:
        key = flat_key(a.size, rng)
        a.flat[key] = some(b, a, np.shape(np.empty(a.size)[key]), rng) if rng.random() < 0.7 else -0.5


@writing
def flat_all(a, b, rng):
    a.flat = (b if np.iscomplexobj(a) else np.real(b)).ravel() * 1.0 if b.size else 0.5  # likewise


@writing
def fill(a, b, rng):
    a.fill(0.75)


@writing
def write_real(a, b, rng):
    a.real = 0.5 if rng.random() < 0.5 else np.real(some(b, a, a.shape, rng)) * 1.0


@writing
def write_imaginary(a, b, rng):
    if np.iscomplexobj(a):
        a.imag = np.real(some(b, a, a.shape, rng))


@writing
def scale_real(a, b, rng):
    a.real *= 2


@writing
def copy_to(a, b, rng):
    np.copyto(a, some(b, a, a.shape, rng) * 1.0, where=rng.random(a.shape) < 0.6)


@writing
def put(a, b, rng):
    if a.size:
        a.put(rng.integers(a.size, size=2), 0.5)


@writing
def out(a, b, rng):
    np.multiply(a, some(b, a, a.shape, rng), out=a)


@writing
def out_shifted(a, b, rng):
    if a.ndim:
        np.add(a[:-1], 0.5, out=a[1:])


@writing
def fill_diagonal(a, b, rng):
    if a.ndim == 2 and a.size:
        np.fill_diagonal(a, 0.5)


@writing
def add_at(a, b, rng):
    if a.ndim and len(a) and a.flags.writeable:  # NumPy writes into what is read-only here
        np.add.at(a, rng.permutation(len(a))[:3], 0.5)


@writing
def rows_in_a_loop(a, b, rng):
    if a.ndim > 1:
        for k, row in enumerate(a):
            row *= k + 0.5


ALL = {**VIEWS, **COPIES, **WRITES}


def run(plan, *given):
    """The program's arrays after it ran, and the names of the exceptions that NumPy raised on the way."""
    arrays, errors = list(given), []
    for name, i, j, seed in plan:
        rng = np.random.default_rng(seed)
        a, b = arrays[i % len(arrays)], arrays[j % len(arrays)]
        try:
            if name in WRITES:
                WRITES[name](a, b, rng)
            else:
                made = ALL[name](a, rng)
                if np.ndim(made) or not isinstance(plain(made), np.generic | float | complex):
                    arrays.append(made)
        except (ValueError, TypeError) as error:
            # of a read-only view, or of complex numbers in an array of floats
            errors.append(ValueError if isinstance(error, ValueError) else TypeError)
    return arrays, errors


def plain(x):
    return x.value if isinstance(x, dout.Variable) else x


SHAPES = [(5,), (2, 3), (3, 3), (2, 1, 3), (), (4, 0)]
LAYOUTS = ["C", "F", "gaps", "reversed"]


def laid_out(x, layout):
    """The same entries, in another order in memory."""
    x = np.asarray(x)
    if layout == "F":
        return np.array(x, order="F")
    if layout == "gaps" and x.ndim:
        room = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
        room[..., ::2] = x
        return room[..., ::2]
    return x[::-1].copy()[::-1] if layout == "reversed" and x.ndim else x.copy()


@st.composite
def programs(draw):
    kinds = st.one_of(st.sampled_from(sorted(VIEWS)), st.sampled_from(sorted(WRITES)), st.sampled_from(sorted(ALL)))
    step = st.tuples(kinds, st.integers(0, 6), st.integers(0, 6), st.integers(0, 2**20))
    plan = draw(st.lists(step, min_size=1, max_size=9))
    inputs = []
    for k in range(2):
        shape = draw(st.sampled_from(SHAPES))
        x = np.asarray(oracles.array(*shape, kind=draw(st.sampled_from(["float", "complex"])), seed=k))
        x = x.real.astype(np.float32) if draw(st.integers(0, 4)) == 0 else x
        inputs.append((x, draw(st.sampled_from(LAYOUTS))))
    return plan, inputs


def check(plan, inputs):
    values, layouts = [x for x, _ in inputs], [layout for _, layout in inputs]

    def on_arrays(*xs):
        return run(plan, *(laid_out(x, layout) for x, layout in zip(xs, layouts, strict=True)))

    expected, refused = on_arrays(*values)
    seen = []

    def f(*xs):
        arrays, errors = run(plan, *xs)
        seen.append(errors)
        return [a * 1.0 for a in arrays]

    out, pullback = dout.vjp(f, *(laid_out(x, layout) for x, layout in inputs))
    assert seen[0] == refused
    # How NumPy rounds a product of complex numbers depends on where they lie.
    value_rtol = 1e-15 if any(x.dtype.kind == "c" for x in values) else 0.0
    oracles.assert_same(out, [a * 1.0 for a in expected], value_rtol)
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=o.shape) + (1j * rng.normal(size=o.shape) if np.iscomplexobj(o) else 0) for o in out]

    def total(*xs):
        return sum(float(np.real(np.sum(a * w))) for a, w in zip(on_arrays(*xs)[0], weights, strict=True))

    for i, d in enumerate(pullback(weights)):
        assert d.dtype == values[i].dtype
        if any(x.dtype == np.float32 for x in values):
            continue  # too few digits for differences
        found = oracles.numerical(total, values, i)
        np.testing.assert_allclose(d, found, 1e-7, 1e-7 * max(1.0, float(np.max(np.abs(found), initial=0))))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(programs())
def test_any_program_of_views_and_writes(program):
    check(*program)
