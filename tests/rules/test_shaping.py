"""Functions that move entries: values as NumPy's, derivatives by differences, JAX as a second opinion."""

import numpy as np
import oracles
import pytest

import dout

A = oracles.array(2, 3)
B = oracles.array(2, 3, seed=1)
C = oracles.array(2, 3, 4)
ROW = oracles.array(4)
EMPTY = np.zeros((0, 3))
ZERO_D = np.array(1.25)
COMPLEX = oracles.array(2, 3, kind="complex")
CONSTANT = np.arange(6.0).reshape(2, 3)
STRIDED = oracles.array(4, 6)[::2, ::-2]
TURNED = oracles.array(4, 2, 3).transpose(1, 2, 0)

ONE = {
    "reshape": lambda xp, x: xp.reshape(x, (3, 2)),
    "reshape int": lambda xp, x: xp.reshape(x, 6),
    "reshape -1": lambda xp, x: xp.reshape(x, (3, -1)),
    "reshape list": lambda xp, x: xp.reshape(x, [6, 1]),
    "reshape F": lambda xp, x: xp.reshape(x, (3, 2), order="F"),
    "reshape copy": lambda xp, x: xp.reshape(x, (3, 2), copy=True),
    "x.reshape": lambda xp, x: x.reshape(3, 2),
    "x.reshape tuple": lambda xp, x: x.reshape((1, -1), order="F"),
    "ravel": lambda xp, x: xp.ravel(x),
    "ravel F": lambda xp, x: xp.ravel(x, "F"),
    "x.flatten": lambda xp, x: x.flatten(),
    "x.flatten F": lambda xp, x: x.flatten("F"),
    "transpose": lambda xp, x: xp.transpose(x),
    "transpose axes": lambda xp, x: xp.transpose(x, (1, 0)),
    "transpose negative axes": lambda xp, x: xp.transpose(x, [-1, 0]),
    "permute_dims": lambda xp, x: xp.permute_dims(x, (1, 0)),
    "x.transpose": lambda xp, x: x.transpose(1, 0),
    "x.T": lambda xp, x: x.T,
    "x.mT": lambda xp, x: x.mT,
    "matrix_transpose": lambda xp, x: xp.matrix_transpose(x),
    "linalg.matrix_transpose": lambda xp, x: xp.linalg.matrix_transpose(x),
    "swapaxes": lambda xp, x: xp.swapaxes(x, 0, -1),
    "moveaxis": lambda xp, x: xp.moveaxis(x, 0, -1),
    "expand_dims": lambda xp, x: xp.expand_dims(x, 1),
    "expand_dims axes": lambda xp, x: xp.expand_dims(x, (0, -1)),
    "squeeze": lambda xp, x: xp.squeeze(x[:, None]),
    "squeeze axis": lambda xp, x: xp.squeeze(x[:, None, :, None], axis=-1),
    "squeeze axes": lambda xp, x: xp.squeeze(x[None, :, :, None], axis=(0, 3)),
    "squeeze to 0-d": lambda xp, x: xp.squeeze(x[:1, :1]),
    "broadcast_to": lambda xp, x: xp.broadcast_to(x, (4, 2, 3)),
    "broadcast_to int": lambda xp, x: xp.broadcast_to(x[0, 0], 3),
    "broadcast_to list": lambda xp, x: xp.broadcast_to(x[:, :1], [2, 5]),
    "broadcast_to 0-d": lambda xp, x: xp.broadcast_to(x[0, 0], ()),
    "concatenate with itself": lambda xp, x: xp.concatenate([x, x]),
    "concatenate one": lambda xp, x: xp.concatenate([x]),
    "concatenate constant": lambda xp, x: xp.concatenate([CONSTANT, x, [[7.0, 8.0, 9.0]]]),
    "concatenate flat": lambda xp, x: xp.concatenate([x, CONSTANT, 3.0], axis=None),
    "concat": lambda xp, x: xp.concat([x, x], axis=-1),
    "stack constant": lambda xp, x: xp.stack([x, CONSTANT]),
    "split": lambda xp, x: xp.split(x, 3, axis=1),
    "split places": lambda xp, x: xp.split(x, [1, 1, 2], axis=-1),
    "split negative place": lambda xp, x: xp.split(x, [-1], axis=1),
    "split past the end": lambda xp, x: xp.split(x, [1, 9], axis=1),
    "array_split": lambda xp, x: xp.array_split(x, 2, axis=1),
    "array_split more than there are": lambda xp, x: xp.array_split(x, 4, axis=1),
    "hsplit": lambda xp, x: xp.hsplit(x, 3),
    "hsplit 1-d": lambda xp, x: xp.hsplit(x[0], [1]),
    "vsplit": lambda xp, x: xp.vsplit(x, [1]),
    "dsplit": lambda xp, x: xp.dsplit(x[None], 3),
    "unstack": lambda xp, x: xp.unstack(x),
    "unstack axis": lambda xp, x: xp.unstack(x, axis=-1),
    "tile": lambda xp, x: xp.tile(x, 2),
    "tile axes": lambda xp, x: xp.tile(x, (3, 1, 2)),
    "tile fewer": lambda xp, x: xp.tile(x[None], (2, 1)),
    "tile zero": lambda xp, x: xp.tile(x, (0, 2)),
    "tile none": lambda xp, x: xp.tile(x, ()),
    "repeat": lambda xp, x: xp.repeat(x, 2),
    "repeat axis": lambda xp, x: xp.repeat(x, 2, axis=1),
    "repeat counts": lambda xp, x: xp.repeat(x, [1, 0, 3], axis=1),
    "repeat counts, negative axis": lambda xp, x: xp.repeat(x, np.array([2, 1, 1]), axis=-1),
    "repeat zero": lambda xp, x: xp.repeat(x, 0, axis=1),
    "repeat one count": lambda xp, x: xp.repeat(x, [2], axis=0),
    "x.repeat": lambda xp, x: x.repeat(2, axis=0),
    "pad": lambda xp, x: xp.pad(x, 1),
    "pad pair": lambda xp, x: xp.pad(x, (1, 2)),
    "pad pairs": lambda xp, x: xp.pad(x, ((0, 1), (2, 0))),
    "pad column of widths": lambda xp, x: xp.pad(x, ((1,), (2,))),
    "pad dict": lambda xp, x: xp.pad(x, {-1: (1, 2)}),
    "pad zero": lambda xp, x: xp.pad(x, 0),
    "pad with constant": lambda xp, x: xp.pad(x, 1, constant_values=5),
    "pad with two constants": lambda xp, x: xp.pad(x, 1, constant_values=(5, 6.5)),
    "pad with constants": lambda xp, x: xp.pad(x, ((1, 2), (2, 1)), constant_values=((1, 2), (3, 4))),
    "pad with a column of constants": lambda xp, x: xp.pad(x, 1, constant_values=((1,), (3,))),
    "pad edge": lambda xp, x: xp.pad(x, 2, mode="edge"),
    "pad reflect": lambda xp, x: xp.pad(x, ((1, 1), (2, 2)), mode="reflect"),
    "pad reflect often": lambda xp, x: xp.pad(x, 5, mode="reflect"),
    "pad symmetric": lambda xp, x: xp.pad(x, 4, mode="symmetric", reflect_type="even"),
    "pad wrap": lambda xp, x: xp.pad(x, ((1, 3), (2, 4)), mode="wrap"),
    "roll": lambda xp, x: xp.roll(x, 2),
    "roll axis": lambda xp, x: xp.roll(x, -1, axis=1),
    "roll tuples": lambda xp, x: xp.roll(x, (1, 2), axis=(0, 1)),
    "roll one by tuple": lambda xp, x: xp.roll(x, 1, axis=(0, 1)),
    "roll the same axis twice": lambda xp, x: xp.roll(x, (1, 1), axis=(1, 1)),
    "roll far": lambda xp, x: xp.roll(x, 100, axis=-1),
    "flip": lambda xp, x: xp.flip(x),
    "flip axis": lambda xp, x: xp.flip(x, -1),
    "flip axes": lambda xp, x: xp.flip(x, (0, 1)),
    "flip no axes": lambda xp, x: xp.flip(x, ()),
    "flipud": lambda xp, x: xp.flipud(x),
    "fliplr": lambda xp, x: xp.fliplr(x),
    "rot90": lambda xp, x: xp.rot90(x),
    "rot90 0": lambda xp, x: xp.rot90(x, 0),
    "rot90 2": lambda xp, x: xp.rot90(x, 2),
    "rot90 3": lambda xp, x: xp.rot90(x, 3),
    "rot90 -1, other axes": lambda xp, x: xp.rot90(x[:, None], -1, axes=(2, 0)),
    "atleast_1d": lambda xp, x: xp.atleast_1d(x[0, 0]),
    "atleast_2d": lambda xp, x: xp.atleast_2d(x[0]),
    "atleast_3d of 1-d": lambda xp, x: xp.atleast_3d(x[0]),
    "atleast_3d of 2-d": lambda xp, x: xp.atleast_3d(x),
    "atleast_2d of several": lambda xp, x: xp.atleast_2d(x, x[0], [1.0, 2.0], 3.0),
    "copy": lambda xp, x: xp.copy(x),
    "x.copy": lambda xp, x: x.copy(),
    "full_like": lambda xp, x: xp.full_like(x, 3) * x,
    "full_like Variable": lambda xp, x: xp.full_like(x, x[0, 1]),
    "full_like row": lambda xp, x: xp.full_like(x, x[1]),
    "full_like shape": lambda xp, x: xp.full_like(x, x[0, 0], shape=(2,)),
    "zeros_like": lambda xp, x: xp.zeros_like(x) + x,
    "ones_like": lambda xp, x: xp.ones_like(x) * x,
}

# What jax.numpy doesn't have, or not with these arguments.
NOT_IN_JAX = {
    "x.flatten", "x.flatten F", "concatenate constant", "concatenate flat", "atleast_2d of several", "pad dict",
    "pad column of widths", "tile none", "repeat counts", "repeat one count", "split past the end",
    "split negative place",
}  # fmt: skip
INPUTS = {"C order": A, "F order": np.asfortranarray(A), "strided": STRIDED, "complex": COMPLEX}


@pytest.mark.parametrize("name", ONE)
def test_of_one_array(name: str) -> None:
    for x in INPUTS.values():
        oracles.assert_derivatives(lambda x: ONE[name](np, x), x, order=1)
    oracles.assert_derivatives(lambda x: ONE[name](np, x * x), A)  # squares, so that there is a second derivative


LAYOUTS = {
    "C": lambda x: x,
    "F": lambda x: x.T,
    "turned": lambda x: x.transpose(1, 2, 0),
    "turned and flipped": lambda x: x.transpose(1, 2, 0)[:, ::-1, ::2],
    "2-d flipped F": lambda x: x[0].T[::-1],
    "1-d": lambda x: x[0, 0, ::-1],
}
BY_MEMORY = {
    "ravel K": lambda x: np.ravel(x, "K"),
    "ravel A": lambda x: np.ravel(x, "A"),
    "x.ravel": lambda x: x.ravel("A"),
    "x.flatten": lambda x: x.flatten("K"),
    "reshape A": lambda x: np.reshape(x, (x.size // 2, 2), order="A"),
    "copy": lambda x: np.ravel(np.copy(x), "K"),
    "copy F": lambda x: np.ravel(np.copy(x, order="F"), "K"),
    "x.copy": lambda x: np.ravel(x.copy(), "K"),
    "copy A": lambda x: np.ravel(np.copy(x), "A"),
    "written": lambda x: np.ravel(_written(x), "K"),
}


def _written(x):
    x[...] = x * x
    return x


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", BY_MEMORY)
def test_orders_that_go_by_memory(layout: str, name: str) -> None:
    oracles.assert_derivatives(lambda x: BY_MEMORY[name](LAYOUTS[layout](x * x)), oracles.array(2, 3, 2))


@pytest.mark.parametrize("layout", ["F", "turned", "turned and flipped", "gaps"])
def test_layout_of_arguments(layout: str) -> None:
    """A Fortran-ordered argument is ravelled by memory as NumPy would, and ravel() of it is no view."""
    x = C[:, ::2] if layout == "gaps" else LAYOUTS[layout](C)
    oracles.assert_same(dout.Variable(x).ravel("K").value, x.ravel("K"))
    oracles.assert_same(dout.vjp(lambda x: x.ravel("K"), x)[0], x.ravel("K"))
    found = dout.grad(lambda x: np.sum(x.ravel("K") * np.arange(x.size)))(x)
    assert found[x == x.ravel("K")[2]] == 2

    def write_through_ravel(x):
        x.ravel()[...] = 0
        return x

    oracles.assert_same(dout.vjp(write_through_ravel, x)[0], x)


@pytest.mark.parametrize("name", ONE)
def test_float32_is_kept(name: str) -> None:
    oracles.assert_narrow(lambda x: _joined(np, ONE[name](np, x)), A)


def test_as_in_jax() -> None:
    """All in one function, which JAX compiles once: one at a time they take twenty seconds."""
    jax = pytest.importorskip("jax")

    def all_of_them(xp, x):
        return xp.concatenate(
            [xp.ravel(_joined(xp, f(xp, x * x))) for name, f in ONE.items() if name not in NOT_IN_JAX]
        )

    oracles.assert_like_jax(
        lambda xp, x: all_of_them(np, x) if xp is np else jax.jit(lambda x: all_of_them(xp, x))(x), A
    )


def _joined(xp, out):
    """Several outputs as one."""
    return xp.concatenate([xp.ravel(o) for o in out]) if isinstance(out, list | tuple) else out


OTHERS = {
    "3-d transpose": (lambda x: np.transpose(x, (2, 0, 1)), C),
    "3-d x.T": (lambda x: x.T, C),
    "3-d x.mT": (lambda x: x.mT, C),
    "3-d x.swapaxes": (lambda x: x.swapaxes(0, 2), C),
    "3-d moveaxis several": (lambda x: np.moveaxis(x, (0, 1), (-1, 0)), C),
    "3-d repeat": (lambda x: np.repeat(x, [1, 2, 0], axis=1), C),
    "3-d pad": (lambda x: np.pad(x, ((0, 0), (1, 2), (1, 0)), mode="reflect"), C),
    "3-d rot90": (lambda x: np.rot90(x, 1, (1, 2)), C),
    "3-d dsplit": (lambda x: np.dsplit(x, [1, 3]), C),
    "1-d transpose": (lambda x: np.transpose(x), ROW),
    "1-d tile": (lambda x: np.tile(x, (2, 3)), ROW),
    "1-d pad": (lambda x: np.pad(x, (3, 5), mode="symmetric"), ROW),
    "0-d reshape": (lambda x: np.reshape(x, (1, 1)), ZERO_D),
    "0-d ravel": (lambda x: np.ravel(x), ZERO_D),
    "0-d transpose": (lambda x: np.transpose(x), ZERO_D),
    "0-d expand_dims": (lambda x: np.expand_dims(x, 0), ZERO_D),
    "0-d squeeze": (lambda x: np.squeeze(x), ZERO_D),
    "0-d broadcast_to": (lambda x: np.broadcast_to(x, (2, 3)), ZERO_D),
    "0-d stack": (lambda x: np.stack([x, x * x, 2.0]), ZERO_D),
    "0-d hstack": (lambda x: np.hstack([x, x]), ZERO_D),
    "0-d vstack": (lambda x: np.vstack([x, x]), ZERO_D),
    "0-d tile": (lambda x: np.tile(x, 3), ZERO_D),
    "0-d repeat": (lambda x: np.repeat(x, 3), ZERO_D),
    "0-d roll": (lambda x: np.roll(x, 1), ZERO_D),
    "0-d flip": (lambda x: np.flip(x), ZERO_D),
    "0-d copy": (lambda x: np.copy(x), ZERO_D),
    "0-d atleast_3d": (lambda x: np.atleast_3d(x), ZERO_D),
    "number stack": (lambda x: np.stack([x, x * x]), 1.25),
    "number reshape": (lambda x: np.reshape(x, (1, 1)), 1.25),
    "number broadcast_to": (lambda x: np.broadcast_to(x, 2), 1.25),
    "number full_like": (lambda x: np.full_like(A, 1.0) * x, 1.25),
    "empty reshape": (lambda x: np.reshape(x, (3, 0)), EMPTY),
    "empty ravel": (lambda x: np.ravel(x), EMPTY),
    "empty transpose": (lambda x: x.T, EMPTY),
    "empty broadcast_to": (lambda x: np.broadcast_to(x, (2, 0, 3)), EMPTY),
    "empty concatenate": (lambda x: np.concatenate([x, CONSTANT, x]), EMPTY),
    "empty stack": (lambda x: np.stack([x, x], axis=1), EMPTY),
    "empty split": (lambda x: np.split(x, 3, axis=1), EMPTY),
    "empty array_split": (lambda x: np.array_split(x, 2), EMPTY),
    "empty unstack": (lambda x: np.unstack(x), EMPTY),
    "empty tile": (lambda x: np.tile(x, (2, 2)), EMPTY),
    "empty repeat": (lambda x: np.repeat(x, 2, axis=0), EMPTY),
    "empty repeat flat": (lambda x: np.repeat(x, 2), EMPTY),
    "empty repeat counts": (lambda x: np.repeat(x, [1, 2, 0], axis=1), EMPTY),
    "empty pad": (lambda x: np.pad(x, 1), EMPTY),
    "empty roll": (lambda x: np.roll(x, 1, axis=1), EMPTY),
    "empty flip": (lambda x: np.flip(x), EMPTY),
    "empty rot90": (lambda x: np.rot90(x), EMPTY),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_of_another_shape(name: str) -> None:
    f, x = OTHERS[name]
    oracles.assert_derivatives(f, x)


TWO = {
    "broadcast_arrays": (lambda x, y: np.broadcast_arrays(x, y, 2.0), A, ROW[:3]),
    "broadcast_arrays same": (lambda x, y: np.broadcast_arrays(x, y), A, B),
    "concatenate": (lambda x, y: np.concatenate([x, y]), A, B),
    "concatenate 1": (lambda x, y: np.concatenate((x, y[:, :1]), axis=1), A, B),
    "concatenate None": (lambda x, y: np.concatenate([x, y], axis=None), A, ROW),
    "concatenate turned": (lambda x, y: np.concatenate([x, y.T], axis=-1), A, oracles.array(4, 2)),
    "concatenate real and complex": (lambda x, y: np.concatenate([x, y]), A, COMPLEX),
    "stack": (lambda x, y: np.stack([x, y]), A, B),
    "stack last": (lambda x, y: np.stack([x, CONSTANT, y], axis=-1), A, B),
    "vstack": (lambda x, y: np.vstack([x, y]), A, ROW[:3]),
    "vstack 1-d": (lambda x, y: np.vstack((x, y)), ROW, ROW * 2),
    "hstack": (lambda x, y: np.hstack([x, y, CONSTANT]), A, B),
    "hstack 1-d": (lambda x, y: np.hstack([x, y]), ROW, A[0]),
    "dstack": (lambda x, y: np.dstack([x, y]), A, B),
    "dstack 1-d": (lambda x, y: np.dstack([x, y]), ROW, ROW * 2),
    "column_stack": (lambda x, y: np.column_stack([x, y]), A, ROW[:2]),
    "column_stack 1-d": (lambda x, y: np.column_stack([x, y, np.ones(4)]), ROW, ROW * 2),
    "pad with a Variable": (lambda x, y: np.pad(x, 1, constant_values=y), A, 0.75),
    "pad with Variables": (lambda x, y: np.pad(x, 1, constant_values=y), A, ROW.reshape(2, 2)),
}


@pytest.mark.parametrize("name", TWO)
def test_of_two_arrays(name: str) -> None:
    f, x, y = TWO[name]
    if isinstance(y, float):  # plain NumPy takes no Variable there; its own value is of the same arguments
        oracles.assert_derivatives(f, x, y, order=1)
    oracles.assert_derivatives(lambda x, y: f(x * x, y * x.ravel()[0]), x, y)


def test_joining_dtypes() -> None:
    """float32 and float64 join to float64, and each gets a derivative of its own dtype."""
    out, pullback = dout.vjp(lambda x, y: np.concatenate([x, y]), A.astype(np.float32), B)
    assert out.dtype == np.float64
    assert [d.dtype for d in pullback(np.ones_like(out))] == [np.float32, np.float64]
    for join in (np.concatenate, np.stack, np.vstack, np.hstack):
        out = dout.vjp(lambda x, join=join: join([x, x], dtype=np.float32), A)[0]
        oracles.assert_same(out, join([A, A], dtype=np.float32))
        with pytest.raises(TypeError, match="casting='safe'"):
            dout.vjp(lambda x, join=join: join([x, x], dtype=np.float32, casting="safe"), A)
        with pytest.raises(TypeError, match="casting='same_kind'"):
            dout.vjp(lambda x, join=join: join([x, x], dtype=np.float64), COMPLEX)


def test_like_with_dtype() -> None:
    x = dout.Variable(A)
    assert np.full_like(x, 2, dtype=np.float32).dtype == np.float32
    assert np.zeros_like(x, dtype=int).dtype == int
    assert np.ones_like(x, shape=(5,)).shape == (5,)
    assert np.empty_like(x).shape == x.shape


def test_a_repeated_infinity_stays_with_its_own_entry() -> None:
    """A sum written as a product with zeros would make NaN of the neighbours."""
    _, pullback = dout.vjp(lambda x: np.repeat(x, [2, 1]), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(pullback(np.array([np.inf, 1.0, 3.0]))[0], [np.inf, 3.0])


@pytest.mark.parametrize(
    ("run", "error", "says"),
    [
        (lambda x: np.reshape(x, (4, 2)), ValueError, "reshape"),
        (lambda x: np.reshape(x.T, 6, copy=False), ValueError, "copy"),
        (lambda x: np.transpose(x, (0, 1, 2)), ValueError, "axis 2"),
        (lambda x: np.transpose(x, (0, 0)), ValueError, "repeated axis"),
        (lambda x: np.swapaxes(x, 0, 2), np.exceptions.AxisError, "axis 2"),
        (lambda x: np.moveaxis(x, 0, (0, 1)), ValueError, "same number"),
        (lambda x: np.expand_dims(x, 4), np.exceptions.AxisError, "axis 4"),
        (lambda x: np.squeeze(x, 0), ValueError, "not equal to one"),
        (lambda x: np.broadcast_to(x, (3, 2)), ValueError, "broadcast"),
        (lambda x: np.broadcast_arrays(x, np.ones(2)), ValueError, "mismatch"),
        (lambda x: np.concatenate([x, np.ones(3)]), ValueError, "dimension"),
        (lambda x: np.concatenate([x, np.ones((2, 4))]), ValueError, "match"),
        (lambda x: np.concatenate([x[0, 0], x]), ValueError, "zero-dimensional"),
        (lambda x: np.stack([x, x[0]]), ValueError, "same shape"),
        (lambda x: np.split(x, 2, axis=1), ValueError, "equal division"),
        (lambda x: np.array_split(x, 0), ValueError, "larger than 0"),
        (lambda x: np.vsplit(x[0], 1), ValueError, "vsplit"),
        (lambda x: np.dsplit(x, 1), ValueError, "dsplit"),
        (lambda x: np.repeat(x, [1, 2, 3], axis=0), ValueError, "broadcast"),
        (lambda x: np.repeat(x, -1), ValueError, "negative"),
        (lambda x: np.repeat(x, 1.5), TypeError, "repeats"),
        (lambda x: np.flip(x, 2), np.exceptions.AxisError, "axis 2"),
        (lambda x: np.rot90(x, 1, (0, 0)), ValueError, "axes|repeated"),
        (lambda x: np.rot90(x, 1, (0, 5)), ValueError, "axis|axes"),
        (lambda x: np.pad(x, -1), ValueError, "pad_width"),
        (lambda x: np.pad(x, 1.5), ValueError, "pad_width"),
        (lambda x: np.pad(x[:0], 1, mode="edge"), ValueError, "empty"),
        (lambda x: np.full_like(x, np.ones((5, 2, 3))), ValueError, "broadcast"),
    ],
)  # fmt: skip
def test_refusals(run, error, says) -> None:
    with pytest.raises(error, match=says):
        dout.vjp(run, A)
