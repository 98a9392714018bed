"""Programs that write in place: each is run on plain NumPy arrays and on Variables, and differentiated numerically.

A program may write to its arguments. On plain arrays it gets copies; on Variables it gets the leaves' own handles.
"""

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import dout

X = oracles.array(3, 4)
Y = oracles.array(3, 4, seed=1)
MASK = X > 0.3
PROGRAMS = {}


def program(f):
    PROGRAMS[f.__name__] = f
    return f


def own(x):
    """What a program may write to."""
    return x.copy() if isinstance(x, np.ndarray) else x


# What is written, and where


@program
def one_entry(x, y):
    x[0, 1] = y[1, 2] * y[0, 0]
    return x * x


@program
def one_row(x, y):
    x[1] = y[0] * x[2]
    return x * y


@program
def a_constant(x, y):
    x[1] = 3.0
    x[0, ::2] = [1, 2]
    x[2] = np.arange(4)
    x[0, 3] += 1
    return x * y


@program
def everything(x, y):
    x[...] = y * y
    x[:] *= y
    return x


@program
def a_number_spread(x, y):
    x[:, 1] = y[0, 0] ** 2
    return x * x


@program
def a_row_spread(x, y):
    x[:2] = y[2] * y[1]
    return x * x


@program
def a_column_spread(x, y):
    x[:, 1:] = y[:, :1] * x[:, :1]
    return x * x


@program
def leading_axes_of_one(x, y):
    x[0] = (y[:1] * y[1:2])[None]
    return x * x


@program
def a_list_of_variables(x, y):
    x[0] = [y[0, 0], 2.0, y[1, 1] * x[1, 1], 3]
    return x * x


@program
def mask_number(x, y):
    x[MASK] = y[0, 0] * 2
    return x * x


@program
def mask_values(x, y):
    x[MASK] = (y * y)[MASK]
    return x * x


@program
def mask_of_its_own(x, y):
    x[x < 0] = 0
    x[x > 1] = y[x > 1]
    return x * y


@program
def mask_of_rows(x, y):
    x[np.array([True, False, True])] = y[1]
    return x * x


@program
def mask_in_place(x, y):
    x[MASK] *= y[MASK]
    x[~MASK] += 2
    return x * x


@program
def fancy(x, y):
    x[[2, 0]] = y[:2] * y[1:]
    return x * x


@program
def fancy_pairs(x, y):
    x[[0, 1, 2], [3, 0, 1]] = y[:, 0] * y[:, 1]
    return x * x


@program
def fancy_and_slice(x, y):
    x[[0, 2], 1:3] = y[1:, :2] ** 2
    return x * x


@program
def fancy_ix(x, y):
    x[np.ix_([0, 2], [3, 1])] = y[:2, :2] ** 2
    return x * x


@program
def fancy_with_duplicates(x, y):
    """The last of the values stays; the others have no derivative."""
    x[[0, 0, 1, 0]] = y[[0, 1, 2, 1]] * y[[1, 2, 0, 2]]
    return x * x


@program
def fancy_pairs_with_duplicates(x, y):
    x[[0, 1, 0, 0], [1, 1, 1, 2]] = y[1] * y[2]
    return x * x


@program
def fancy_with_duplicates_one_value(x, y):
    x[[1, 1, 1]] = y[0] * y[0]
    return x * x


@program
def fancy_in_place_with_duplicates(x, y):
    """Read, add, write: an entry that is named twice is added to once."""
    x[[0, 0, 2]] += y * y
    return x * x


@program
def nothing(x, y):
    x[2:2] = y[:0]
    x[[]] = 5.0
    x[np.zeros((3, 4), bool)] = y[0, 0]
    return x * y


@program
def negative_steps(x, y):
    x[::-2, ::-1] = y[:2] * y[1:]
    return x * x


@program
def newaxis(x, y):
    x[:, None, 0] = y[:, :1] ** 2
    return x * x


@program
def ellipsis(x, y):
    x[..., -1] = y[..., 0] ** 2
    return x * x


@program
def overlapping(x, y):
    x[1:] = x[:-1]
    x[:, :-1] = x[:, 1:] * y[:, 1:]
    return x * x


@program
def overlapping_reversed(x, y):
    x[:] = x[::-1]
    x[:, ::-1] += x
    return x * y


@program
def swapped(x, y):
    x[0], x[1] = x[1] * 1.0, x[0] * 1.0
    x[[0, 1]] = x[[1, 0]]
    return x * y


@program
def swapped_views(x, y):
    """As in NumPy, the views are written to while they are swapped."""
    x[0], x[1] = x[1], x[0]
    return x * y


# Where it is written: leaves, copies, new arrays, results


@program
def a_leaf_after_it_was_used(x, y):
    before = x * y
    x[0] = 0
    return before + x * y


@program
def a_copy(x, y):
    z = x.copy()
    z[0] = y[0]
    return z * x


@program
def a_copy_of_a_slice(x, y):
    z = np.copy(x[1:])
    z *= y[1:]
    return z, x * x


@program
def zeros_like(x, y):
    z = np.zeros_like(x)
    z[1:] = x[1:] * y[1:]
    z[0] += y[0] ** 2
    return z


@program
def ones_and_full_and_empty(x, y):
    a, b, c = np.ones_like(x), np.full_like(x, 3), np.empty_like(x)
    a[0] = x[0] * y[0]
    b *= x
    c[...] = a * b
    return c


@program
def a_result(x, y):
    z = x * y
    w = z
    z[0] = 1
    z += x
    return z * w


@program
def a_result_whose_rule_needs_it(x, y):
    z = np.exp(x)
    w = z * 1.0
    z[...] = 0
    return w * y + z


@program
def an_input_whose_rule_needs_it(x, y):
    z = x * x
    x[...] = 1
    return z * y + x


@program
def rows_filled_in_a_loop(x, y):
    z = np.zeros_like(x)
    for i in range(3):
        z[i] = x[i] * y[2 - i]
        if i:
            z[i] += z[i - 1]
    return z


@program
def entries_filled_in_a_loop(x, y):
    z = np.zeros_like(x)
    for i, j in np.ndindex(3, 4):
        z[i, j] = x[i, j] * y[i, j] + (z[i, j - 1] ** 2 if j else 0)
    return z


@program
def rows_of_a_loop(x, y):
    for a, b in zip(x, y, strict=True):
        a *= b
    for row in x:
        row[1:] = row[:-1]
    return x * y


@program
def a_recurrence(x, y):
    state = np.zeros_like(x[0])
    for row in x:
        state += row * y[0]
        state *= 0.5
    return state * state


@program
def an_accumulator_kept_in_a_list(x, y):
    """The list holds one array three times."""
    state, kept = np.zeros_like(x[0]), []
    for row in x * y:
        state += row
        kept.append(state)
    return kept


@program
def an_accumulator_copied_to_a_list(x, y):
    state, kept = np.zeros_like(x[0]), []
    for row in x * y:
        state += row
        kept.append(state.copy())
    return kept


# Operators in place


@program
def every_operator(x, y):
    x += y
    x -= y * y
    x *= y
    x /= y + 5
    x **= 2
    x %= y * y + 2000
    return x


@program
def operators_with_numbers(x, y):
    x += 1
    x -= 0.5
    x *= np.float64(2)
    x /= 4
    x **= 3
    return x * y


@program
def operators_on_slices(x, y):
    x[1:] += y[1:]
    x[:, 0] *= y[:, 1]
    x[0, 1] -= y[2, 2] ** 2
    x[..., 2] /= 3
    x[:2] **= 2
    return x * x


@program
def operators_that_spread(x, y):
    x += y[0]
    x *= y[:, :1]
    x -= y[1, 1]
    return x * x


@program
def an_operator_with_itself(x, y):
    x += x
    x *= x
    x -= x[0]
    return x * y


@program
def an_operator_in_a_function(x, y):
    def scale(a):
        a *= y

    scale(x)
    scale(x)
    return x


@program
def matmul_in_place(x, y):
    z = x[:, :3] * 1.0
    z @= y[:, :3]
    return z


@program
def two_names(x, y):
    z = x
    z *= y
    z[0] = 1
    return x * z


@program
def numbers_are_replaced(x, y):
    """A NumPy scalar isn't written to: the other name keeps the old one."""
    a = x[0, 0]
    b = a
    a += y[0, 0]
    a *= a
    return x * a + b


@program
def arrays_without_axes(x, y):
    a = x[0, 0, ...]  # a view
    b = np.copy(x[0, 1])
    c = b
    a += y[0, 0] ** 2
    b *= y[1, 1]
    c[()] = c * 2
    b[...] = b + 1
    return x * x, a, b, c


# Views


@program
def a_view_is_written_to(x, y):
    v = x[1:]
    v[0] = y[0] * y[0]
    v += 1
    return x * x, v


@program
def the_base_is_written_to(x, y):
    v = x[1:]
    x[1, 2] = y[0, 0] ** 2
    x *= y
    return v * v, x


@program
def a_view_of_a_view(x, y):
    v = x[1:].T[1:]
    w = v[:, 0]
    w[...] = y[0, 1:] ** 2
    v *= y[1:, 1:].T
    x[1, 3] = 7
    return x, v, w


@program
def two_views_overlap(x, y):
    v, w = x[:2], x[1:]
    v *= y[0]
    w += v
    v[1] = w[1]
    return x, v, w


@program
def many_kinds_of_view(x, y):
    x.T[0] = y[:, 0] ** 2
    x.reshape(2, 6)[1, :3] *= 3
    x.ravel()[5] = y[1, 1]
    np.swapaxes(x, 0, 1)[2] += y[:, 2]
    np.moveaxis(x, 0, 1)[3, 1] = y[2, 3] ** 2
    np.flip(x, 1)[0, 0] = y[0, 0]
    np.expand_dims(x, 1)[:, 0, 1] *= y[:, 1]
    np.squeeze(x[None])[2, 2] = y[2, 2]
    np.rot90(x)[0, 0] += y[0, 0] ** 2
    np.atleast_3d(x)[1, 2, 0] = 4
    np.matrix_transpose(x)[1, 1] *= y[1, 1]
    x.mT[0, 0] += 1
    x[:, None][0, 0, 2] -= y[0, 2]
    np.fliplr(x)[1] *= 2
    np.reshape(x, (4, 3), order="C")[0, 0] = y[0, 1]
    return x * x


@program
def pieces_are_views(x, y):
    a, b = np.split(x, 2, axis=1)
    a *= y[:, :2]
    b[0] = a[1]
    for row in np.array_split(x, 3):
        row += y[0]
    np.hsplit(x, 4)[1][...] = y[:, :1]
    np.vsplit(x, 3)[2][0, 0] = 5
    np.unstack(x)[0][1] = y[2, 2]
    np.broadcast_arrays(x, y)[0][0, 3] = 1
    return x * x, a, b


@program
def copies_are_no_views(x, y):
    z = x * 1.0
    for c in (x.flatten(), x.copy(), np.copy(x), x[[0, 1, 2]], x[MASK], np.take(x, 0, axis=0), np.repeat(x, 1),
              np.tile(x, 1), np.roll(x, 0), np.concatenate([x]), x.T.ravel(), x[:, :2].ravel(), x.astype(float),
              np.pad(x, 0), np.take_along_axis(x, np.argsort(x), 1), np.triu(x), np.sort(x), x.T.reshape(-1),
              np.ravel(x, "F"), x[::-1].reshape(-1), np.reshape(x, 12, copy=True), np.stack([x])):  # fmt: skip
        c[...] = 0
    return x * z * y


@program
def a_reshape_of_a_flipped_array(x, y):
    """Such a ravel copies, also after the array was written to."""
    v = x[::-1]
    v[0] = y[0] * y[1]
    v.ravel()[...] = 0
    w = x.T.copy(order="C")[::2]
    w *= 2
    w.reshape(-1)[...] = 0
    u = np.copy(x[:, ::2].T)
    u[0] = y[:, 0]
    u.ravel()[...] = 0
    t = (x * y)[:, :3]
    t[0] = y[0, :3] ** 2
    t.reshape(-1)[...] = 0
    t.T.reshape(-1)[...] = 0
    for part in (x[0, ::2], x[0, ::-1], x[:, :1], x[:, ::2], x[0, :3]):
        part.ravel()[0] += 1  # ravel copies what has gaps, though reshape gives a view
        part.reshape(-1)[0] *= 2
    return x, v, w, u, t


@program
def a_copy_in_c_order(x, y):
    """`x.T.copy()` is in C order, so its ravel is a view; `np.copy(x.T)` keeps the order, and its ravel is a copy."""
    a, b = x.T.copy(), np.copy(x.T)
    a.ravel()[0] = y[0, 0] ** 2
    b.ravel()[0] = y[0, 0] ** 2
    np.ravel(b, "F")[1] = 5
    return a, b


@program
def a_diagonal_follows(x, y):
    d = np.diagonal(x)
    e = np.diag(x, 1)
    before = d * 1.0
    x[0] = y[0] ** 2
    x[1, 1] *= 2
    return d * e, before


@program
def a_spread_view_follows(x, y):
    v = np.broadcast_to(x[0], (2, 4))
    x[0, 1] = y[0, 1] ** 2
    return v * v


@program
def a_view_is_kept_by_a_closure(x, y):
    v = x[0]

    def g():
        return v * v

    before = g()
    x[0] *= y[0]
    return before, g()


@program
def a_view_of_a_new_array(x, y):
    z = np.zeros_like(x)
    v, w = z[:, :2], z.T[2:]
    v[...] = x[:, :2] * y[:, :2]
    w += 1
    w[0] = v[:, 0]
    return z * z


@program
def a_view_of_a_result(x, y):
    z = x * y
    v = z[1]
    z[1, 1] = x[0, 0] ** 2
    v += z[0]
    return z, v


@program
def where_and_out(x, y):
    z = np.zeros_like(x)
    np.multiply(x, y, out=z)
    np.add(z, y, out=z[...], where=MASK)
    np.exp(x[0], out=z[1])
    return z


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    oracles.assert_derivatives(lambda x, y: PROGRAMS[name](own(x), own(y)), X, Y)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_on_results(name: str) -> None:
    """As above, but what is written to is no leaf; and only one of the arguments is differentiated."""
    oracles.assert_derivatives(lambda x: PROGRAMS[name](x * 2, np.copy(Y)), X, order=1)
    oracles.assert_derivatives(
        lambda y: PROGRAMS[name](dout.Variable(X) if isinstance(y, dout.Variable) else X.copy(), y * 2), Y, order=1
    )


COMPLEX = [
    "one_row",
    "fancy_with_duplicates",
    "a_view_of_a_view",
    "two_views_overlap",
    "everything",
    "an_operator_with_itself",
]


@pytest.mark.parametrize("name", COMPLEX)
def test_program_on_complex(name: str) -> None:
    z = oracles.array(3, 4, kind="complex")
    oracles.assert_derivatives(lambda x, y: PROGRAMS[name](own(x), own(y)), z, Y * 1j, order=1)


def test_a_complex_array_holds_real_values() -> None:
    def f(z, y):
        z = own(z)
        z[0] = y[0]
        z.real[1] = y[1] ** 2
        z.imag[2] *= y[2]
        return z * z

    oracles.assert_derivatives(f, oracles.array(3, 4, kind="complex"), Y, order=1)


# Dtypes


def test_float32_stays_float32() -> None:
    """What is written is cast to the array's dtype, and each derivative to its input's."""

    def f(x, y):
        x = own(x)
        x[0] = y[0]
        x += y
        x *= np.float64(1.5)
        x[1, 1] = y[2, 2] * y[2, 2]
        return x

    small = X.astype(np.float32)
    out, pullback = dout.vjp(f, small, Y)
    oracles.assert_same(out, f(small, Y))
    dx, dy = pullback(np.ones_like(out))
    assert (dx.dtype, dy.dtype) == (np.float32, np.float64)
    expected = dout.vjp(f, X, Y)[1](np.ones_like(X))
    np.testing.assert_allclose(dx, expected[0], 1e-6)
    np.testing.assert_allclose(dy, expected[1], 1e-6)


# Numbers


def test_python_numbers_are_replaced() -> None:
    def f(x, y):
        z = x
        x += y
        x *= x
        x -= 1
        x /= y
        x **= 2
        return x * z

    oracles.assert_derivatives(f, 1.5, 0.75)
    oracles.assert_derivatives(f, np.float64(1.5), 0.75)


@pytest.mark.parametrize("x", [1.5, np.float64(1.5)])
def test_numbers_hold_no_entries(x) -> None:
    def f(x):
        x[...] = 1
        return x

    with pytest.raises(TypeError, match="does not support item assignment"):
        f(x)
    with pytest.raises(TypeError, match="does not support item assignment"):
        dout.grad(f)(x)


def test_an_array_without_axes_is_written_to() -> None:
    def f(x, y):
        z = x = own(x)
        x += y
        x[...] = x * x
        z *= 3
        return x * 1.0

    oracles.assert_derivatives(f, np.array(1.5), np.array(0.75))


# Whose array it is


def test_the_callers_arrays_stay_as_they_were() -> None:
    x, kept = X.copy(), X.copy()

    def f(x):
        x[0] = 0
        x *= 2
        x.T[1] = 7
        return np.sum(x * x)

    for run in (dout.grad(f), dout.value_and_grad(f), lambda x: dout.vjp(f, x)[1](1.0), dout.hessian(f),
                lambda x: dout.jvp(f, (x,), (x,)), lambda x: f(dout.Variable(x))):  # fmt: skip
        run(x)
        np.testing.assert_array_equal(x, kept)


def test_a_users_variable_keeps_its_leaf() -> None:
    """Writing points the handle elsewhere; the derivative is still collected where the value was given."""
    x = dout.Variable(X.copy())
    x[0] = 0
    x *= 2
    np.sum(x).backward()
    np.testing.assert_array_equal(x.grad, [[0] * 4, [2] * 4, [2] * 4])


def test_an_index_array_may_change_after_a_write() -> None:
    places = np.array([0, 1])

    def f(x, y):
        x = own(x)
        x[places] = y[:2]
        places[:] = 2
        out = x * 1.0
        places[:] = [0, 1]
        return out

    oracles.assert_derivatives(f, X, Y)


def test_a_value_may_change_after_it_was_written() -> None:
    def f(x, y):
        x, y = own(x), own(y)
        x[0] = y[0]
        y[0] = 0
        constant = np.ones(4)
        x[1] = constant
        constant[:] = 5
        return x * x + y

    oracles.assert_derivatives(f, X, Y)


# What NumPy refuses is refused with the same exception


REFUSED = {
    "shape": lambda x: x.__setitem__(0, np.ones(3)),
    "shape of a Variable": lambda x: x.__setitem__(0, x[:, 0] * 2),
    "shape of a masked write": lambda x: x.__setitem__(MASK, np.ones(2)),
    "too many axes": lambda x: x.__setitem__((0, 0, 0), 1.0),
    "out of range": lambda x: x.__setitem__(9, 1.0),
    "a list of another length": lambda x: x.__setitem__(0, [1.0, 2.0]),
    "an operator that would grow it": lambda x: x.__iadd__(np.ones((2, 3, 4))),
    "an operator that would grow a row": lambda x: x[0].__imul__(x),
    "an operator that doesn't fit": lambda x: x.__iadd__(np.ones(3)),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 4)).__setitem__(0, 1.0),
    "broadcast_to, in place": lambda x: np.broadcast_to(x, (2, 3, 4)).__iadd__(1.0),
    "a slice of broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 4))[0, 1].__setitem__(0, 1.0),
    "diagonal": lambda x: np.diagonal(x).__setitem__(0, 1.0),
    "diagonal, in place": lambda x: np.diagonal(x).__imul__(2.0),
    "x.diagonal": lambda x: x.diagonal(1).__setitem__(Ellipsis, 1.0),
    "diag": lambda x: np.diag(x).__setitem__(0, 1.0),
    "a transposed diagonal": lambda x: np.diagonal(x).T.__setitem__(0, 1.0),
    "linalg.diagonal": lambda x: np.linalg.diagonal(x).__setitem__(0, 1.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_in_numpy(name: str) -> None:
    with pytest.raises((ValueError, IndexError, TypeError)) as theirs:
        REFUSED[name](X.copy())
    with pytest.raises(type(theirs.value)) as ours:
        dout.vjp(lambda x: REFUSED[name](x), X)
    if "operator" not in name and "in place" not in name:
        assert str(ours.value) == str(theirs.value)


def test_refused_casts() -> None:
    """A value that can't be cast without losing a part, and its derivative with it."""
    z = oracles.array(3, 4, kind="complex")
    for write in (lambda x, z: x.__setitem__(0, z[0]), lambda x, z: x.__iadd__(z), lambda x, z: x[0].__imul__(z[0])):
        with pytest.raises(TypeError, match="cast"):
            dout.vjp(lambda x, z, write=write: write(x, z), X, z)


def test_a_plain_array_holds_no_variable() -> None:
    """It would lose the derivative without a word."""

    def one(x):
        z = np.zeros(4)
        z[0] = x[0, 0]
        return z

    def all_of_it(x):
        z = np.zeros((3, 4))
        z[...] = x
        return z

    def in_place(x):
        z = np.zeros((3, 4))
        z += x
        return z

    for f in (one, all_of_it):
        with pytest.raises(TypeError, match="zeros_like"):
            dout.vjp(f, X)
    try:
        out, pullback = dout.vjp(in_place, X)
    except TypeError as error:
        assert "plain" in str(error)  # noqa: PT017
    else:  # the name now stands for a new array, as it does for a number
        np.testing.assert_array_equal(out, X)
        np.testing.assert_array_equal(pullback(np.ones_like(X))[0], np.ones_like(X))


# Random programs


SMALL = settings(derandomize=True, deadline=None, max_examples=120)


@st.composite
def steps(draw):
    """A sequence of views and writes. Each step names one of the arrays so far by a number, taken modulo how many."""
    found = []
    for _ in range(draw(st.integers(1, 7))):
        kind = draw(
            st.sampled_from(
                ["slice", "slice", "turn", "flip", "ravel", "copy", "set", "set", "add", "scale", "mask", "fancy"]
            )
        )
        found.append((kind, draw(st.integers(0, 5)), draw(st.integers(0, 5)), draw(st.integers(0, 2**32))))
    return found


def run_steps(x, y, plan):
    """The same program for arrays and Variables: random choices depend on shapes only."""
    arrays = [x, y, np.zeros_like(x)]
    for kind, i, j, seed in plan:
        random = np.random.default_rng(seed)
        a, b = arrays[i % len(arrays)], arrays[j % len(arrays)]
        shape = np.shape(a)
        if kind == "slice":
            key = tuple(_slice(n, random) for n in shape)
            arrays.append(a[key])
        elif kind == "turn":
            arrays.append(a.T)
        elif kind == "flip":
            arrays.append(np.flip(a, random.integers(a.ndim)) if a.ndim else a)
        elif kind == "ravel":
            arrays.append(a.reshape(-1))
        elif kind == "copy":
            arrays.append(a.copy())
        elif kind == "set":
            a[...] = b.ravel()[0] * 0.5 if np.shape(b) != shape and b.size else b if np.shape(b) == shape else 1.5
        elif kind == "add":
            a += b if np.shape(b) == shape else 0.25
        elif kind == "scale":
            a *= b.ravel()[-1] if b.size else -1.5
        elif kind == "mask":
            a[random.random(shape) < 0.5] = 2.0 if not b.size else b.ravel()[0] + 1
        elif kind == "fancy" and a.size and a.ndim:
            places = random.integers(a.shape[0], size=3)
            a[places] = a[places[::-1]] * 2
    return [a * a for a in arrays]


def _slice(n, random):
    start, stop = sorted(random.integers(n + 1, size=2).tolist())
    if random.random() < 0.3:
        return slice(None, None, -1)
    return slice(start, stop if stop > start else None, int(random.integers(1, 3)))


@SMALL
@given(steps())
def test_any_program(plan) -> None:
    x, y = oracles.array(2, 3), oracles.array(2, 3, seed=1)
    expected = run_steps(x.copy(), y.copy(), plan)
    out, pullback = dout.vjp(lambda x, y: run_steps(x, y, plan), x, y)
    oracles.assert_same(out, expected)
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=np.shape(o)) for o in out]

    def total(x, y):
        return sum(float(np.sum(o * w)) for o, w in zip(run_steps(x.copy(), y.copy(), plan), weights, strict=True))

    for i, d in enumerate(pullback(weights)):
        expected = oracles.numerical(total, (x, y), i)
        np.testing.assert_allclose(d, expected, 1e-7, 1e-7 * max(1.0, float(np.max(np.abs(expected)))))


@st.composite
def shapes_and_keys(draw):
    shape = draw(npst.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    basic, integers = npst.basic_indices(shape, allow_newaxis=True), npst.integer_array_indices(shape)
    return shape, draw(st.one_of(basic, integers, npst.arrays(bool, shape)))


@SMALL
@given(shapes_and_keys())
def test_any_written_key(pair) -> None:
    """Each entry comes from the base, or from that entry of the value which NumPy wrote last."""
    shape, key = pair
    x = oracles.array(*shape)
    value = np.arange(10.0, 10 + np.size(x[key])).reshape(np.shape(x[key]))

    def f(x, value):
        x = own(x)
        x[key] = value
        return x

    out, pullback = dout.vjp(f, x, value)
    expected = f(x, value)
    oracles.assert_same(out, expected)
    douts = np.arange(1.0, x.size + 1).reshape(shape)
    dx, dvalue = pullback(douts)
    np.testing.assert_array_equal(dx, np.where(expected == x, douts, 0))
    for place, entry in np.ndenumerate(value):
        assert dvalue[place] == np.sum(douts[expected == entry])
