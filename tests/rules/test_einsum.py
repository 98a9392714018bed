"""np.einsum in every form: values as NumPy's, derivatives by differences, JAX as a second opinion."""

import numpy as np
import oracles
import pytest

import dout


def operands(*shapes, kind: str = "float"):
    return [np.asarray(oracles.array(*s, seed=i, kind=kind)) for i, s in enumerate(shapes)]


#: A derivative of one operand is an einsum of the others: each form stands for several.
FORMS = {
    "copy": ("ij->ij", (2, 3)),
    "transpose": ("ij->ji", (2, 3)),
    "implicit transpose": ("ba", (2, 3)),
    "sum": ("ij->", (2, 3)),
    "row sums": ("ij->i", (2, 3)),
    "one axis of three": ("ijk->j", (2, 3, 2)),
    "trace": ("ii", (3, 3)),
    "explicit trace": ("ii->", (3, 3)),
    "diagonal": ("ii->i", (3, 3)),
    "diagonal of three": ("iii->i", (2, 2, 2)),
    "diagonal, another axis": ("iji->ji", (2, 3, 2)),
    "partial trace": ("ijij->", (2, 3, 2, 3)),
    "0-d": ("->", ()),
    "dot": ("i,i", (3,), (3,)),
    "explicit dot": ("i,i->", (3,), (3,)),
    "outer": ("i,j->ij", (2,), (3,)),
    "outer, turned": ("i,j->ji", (2,), (3,)),
    "elementwise": ("ij,ij->ij", (2, 3), (2, 3)),
    "matmul": ("ij,jk->ik", (2, 3), (3, 2)),
    "implicit matmul": ("ij,jk", (2, 3), (3, 2)),
    "implicit, sorted": ("bi,ia", (2, 3), (3, 2)),
    "upper case comes first": ("ai,iB", (2, 3), (3, 2)),
    "spaces": (" i j , j k -> i k ", (2, 3), (3, 2)),
    "with the transposed": ("ij,kj->ik", (2, 3), (2, 3)),
    "batches": ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    "scale": ("i,ij->ij", (2,), (2, 3)),
    "a number": (",ij->ji", (), (2, 3)),
    "summed alone": ("ij,k->i", (2, 3), (3,)),
    "diagonal times": ("ii,i->i", (3, 3), (3,)),
    "trace of a product": ("ij,ji->", (2, 3), (3, 2)),
    "two diagonals": ("ii,jj->ij", (2, 2), (3, 3)),
    "diagonals of one label": ("ii,ii->i", (3, 3), (3, 3)),
    "bilinear": ("ni,ij,nj->n", (2, 3), (3, 2), (2, 2)),
    "three": ("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
    "three, implicit": ("ij,jk,kl", (2, 3), (3, 2), (2, 2)),
    "three, elementwise": ("i,i,i->i", (3,), (3,), (3,)),
    "three, summed alone": ("ij,jk,l->ik", (2, 3), (3, 2), (2,)),
    "ellipsis": ("...ij,...jk->...ik", (2, 2, 3), (2, 3, 2)),
    "ellipsis broadcasts": ("...ij,...jk->...ik", (1, 2, 3), (2, 3, 2)),
    "ellipsis of another length": ("...ij,...jk->...ik", (2, 3), (2, 2, 3, 2)),
    "ellipsis implicit": ("...i,...i", (2, 3), (3,)),
    "ellipsis first": ("...i->i...", (2, 2, 3)),
    "ellipsis in the middle": ("i...j->j...i", (2, 2, 3)),
    "ellipsis of nothing": ("...i,i->...", (3,), (3,)),
    "ellipsis in one": ("...i,ij->...j", (2, 2, 3), (3, 2)),
    "ellipsis and diagonal": ("...ii->...i", (2, 3, 3)),
    "ellipsis only": ("...,...", (2, 3), (3,)),
    "size one broadcasts": ("ij,jk->ik", (2, 1), (3, 2)),
    "size one broadcasts, right": ("ij,jk->ik", (2, 3), (1, 2)),
    "size one stays": ("ij,ij->ij", (1, 3), (2, 1)),
    "size one, elementwise sum": ("i,i->", (1,), (3,)),
    "size one diagonal": ("ii,i->i", (1, 1), (3,)),
    "empty": ("ij,jk->ik", (2, 0), (0, 3)),
    "empty output": ("ij,j->i", (0, 3), (3,)),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_forms(name: str) -> None:
    text, *shapes = FORMS[name]
    xs = operands(*shapes)
    oracles.assert_derivatives(lambda *xs: np.einsum(text, *xs), *xs)
    zs = operands(*shapes, kind="complex")
    oracles.assert_derivatives(lambda *xs: np.einsum(text, *xs), *zs, order=1)
    oracles.assert_derivatives(lambda *xs: np.einsum(text, *xs), *xs[:-1], zs[-1], order=1)
    narrow = [x.astype(np.float32) for x in xs]
    out, pullback = dout.vjp(lambda *xs: np.einsum(text, *xs), *narrow)
    oracles.assert_same(out, np.einsum(text, *narrow))
    assert {d.dtype for d in pullback(np.ones_like(out))} == {np.dtype(np.float32)}


def test_forms_in_jax() -> None:
    """All in one function, which JAX compiles once. It doesn't broadcast labels of size one."""
    jax = pytest.importorskip("jax")
    forms = [(text, shapes) for name, (text, *shapes) in FORMS.items() if "size one" not in name]

    def all_of_them(xp, *xs):
        given = iter(xs)
        return xp.concatenate([xp.ravel(xp.einsum(text, *[next(given) for _ in shapes])) for text, shapes in forms])

    oracles.assert_like_jax(
        lambda xp, *xs: all_of_them(np, *xs) if xp is np else jax.jit(lambda *xs: all_of_them(xp, *xs))(*xs),
        *[x for _, shapes in forms for x in operands(*shapes, kind="complex")],
    )


@pytest.mark.parametrize("name", [n for n in FORMS if "," in FORMS[n][0]])
@pytest.mark.parametrize("optimize", [True, "greedy", "optimal"])
def test_optimize(name: str, optimize) -> None:
    text, *shapes = FORMS[name]
    f = lambda *xs: np.einsum(text, *xs, optimize=optimize)  # noqa: E731
    oracles.assert_derivatives(f, *operands(*shapes), order=1)


def test_a_path_given_by_hand() -> None:
    xs = operands((2, 3), (3, 2), (2, 2))
    path = np.einsum_path("ij,jk,kl->il", *xs)[0]
    oracles.assert_derivatives(lambda *xs: np.einsum("ij,jk,kl->il", *xs, optimize=path), *xs)


INTERLEAVED = {
    "matmul": (lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [0, 2]), (2, 3), (3, 2)),
    "implicit": (lambda x, y: np.einsum(x, [7, 1], y, [1, 2]), (2, 3), (3, 2)),
    "tuples": (lambda x, y: np.einsum(x, (0, 1), y, (1,), ()), (2, 3), (3,)),
    "ellipsis": (lambda x, y: np.einsum(x, [Ellipsis, 0], y, [0], [Ellipsis]), (2, 2, 3), (3,)),
    "ellipsis implicit": (lambda x, y: np.einsum(x, [Ellipsis, 0], y, [Ellipsis, 0]), (2, 2, 3), (3,)),
    "diagonal": (lambda x, y: np.einsum(x, [51, 51], y, [51], [51]), (3, 3), (3,)),
}


@pytest.mark.parametrize("name", INTERLEAVED)
def test_interleaved(name: str) -> None:
    f, *shapes = INTERLEAVED[name]
    oracles.assert_derivatives(f, *operands(*shapes))


def test_constants_among_the_operands() -> None:
    x, y, z = operands((2, 3), (3, 2), (2,))
    oracles.assert_derivatives(lambda x: np.einsum("ij,jk,k->i", x, y, [1, 2]), x)
    oracles.assert_derivatives(lambda y: np.einsum("ij,jk,k->i", x, y, z), y)
    oracles.assert_derivatives(lambda z: np.einsum("ij,jk,k->i", x, y, z), z)
    oracles.assert_derivatives(lambda x: np.einsum("ij,ij->", x, np.arange(6).reshape(2, 3)), x)


def test_one_array_more_than_once() -> None:
    oracles.assert_derivatives(lambda x: np.einsum("ij,kj,ik->", x, x, x @ x.T), oracles.array(2, 3))


def test_layouts() -> None:
    x, y = operands((4, 6), (6, 2))
    oracles.assert_derivatives(lambda x, y: np.einsum("ij,jk->ik", x, y), x[::2, ::-2], y.T[:, ::2].T)


def test_dtype() -> None:
    x, y = operands((2, 3), (3,))
    f = lambda x, y: np.einsum("ij,j->i", x, y, dtype=np.complex128)  # noqa: E731
    oracles.assert_derivatives(f, x, y)
    narrow = lambda x, y: np.einsum("ij,j->i", x, y, dtype=np.float32, casting="same_kind")  # noqa: E731
    oracles.assert_same(dout.vjp(narrow, x, y)[0], narrow(x, y))
    with pytest.raises(TypeError, match="casting='safe'"):
        dout.vjp(lambda x: np.einsum("ij->", x, dtype=np.float32), x)


def test_a_diagonal_is_a_view() -> None:
    """As in NumPy, `np.einsum("ii->i", x)` can be written to, and that sets the diagonal of x."""

    def f(x, y):
        z = x * y
        np.einsum("ii->i", z)[...] = y[0]
        turned = np.einsum("ij->ji", z)
        turned[0] *= 3
        z[1, 1] = 5
        return z, turned, np.einsum("ii->i", z)

    oracles.assert_derivatives(f, *operands((3, 3), (3, 3)))


@pytest.mark.parametrize(
    ("run", "error", "says"),
    [
        (lambda x: np.einsum("ij,jk->ik", x), ValueError, "2 terms in the subscripts, 1 operands"),
        (lambda x: np.einsum("ij,jk->ik", x, x), ValueError, "broadcast"),
        (lambda x: np.einsum("ii->i", x), ValueError, "collapsing|match"),
        (lambda x: np.einsum("i->i", x), ValueError, "subscripts|dimensions"),
        (lambda x: np.einsum("ijk->i", x), ValueError, "subscripts|dimensions"),
        (lambda x: np.einsum("ij->k", x), ValueError, "output"),
        (lambda x: np.einsum("ij->ii", x), ValueError, "output"),
        (lambda x: np.einsum("...j->j", x), ValueError, "ellipsis|'...'"),
        (lambda x: np.einsum("i.j", x), ValueError, "letters"),
        (lambda x: np.einsum("i1", x), ValueError, "letters"),
        (lambda x: np.einsum("......", x), ValueError, "letters"),
        (lambda x: np.einsum("ij->i->j", x), ValueError, "letters"),
        (lambda x: np.einsum(x, [-1, 0]), ValueError, "0 to 51"),
        (lambda x: np.einsum(x, [0, 1], [52]), ValueError, "0 to 51"),
    ],
)  # fmt: skip
def test_refusals(run, error, says) -> None:
    with pytest.raises(error, match=says):
        dout.vjp(run, oracles.array(2, 3))
    with pytest.raises((ValueError, TypeError)):
        run(oracles.array(2, 3))
