"""Fourier transforms, with every option."""

import numpy as np
import oracles
import pytest

import dout

ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
MANY = ["fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2"]
REAL = ("rfft", "ihfft", "rfftn", "rfft2")  # of real numbers only
KINDS = ["float", "complex"]


def skip_complex(name: str, kind: str) -> None:
    if kind == "complex" and name in REAL:
        pytest.skip("of real numbers only")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ONE)
def test_one_axis(name: str, kind: str) -> None:
    """Cropped and padded to even and odd lengths, along each axis, scaled in each way."""
    skip_complex(name, kind)
    transform = getattr(np.fft, name)
    for shape, axis in (((5,), -1), ((4,), 0), ((3, 4), 1), ((4, 3), 0), ((2, 3, 2), -2)):
        x = oracles.array(*shape, kind=kind)
        for n in (None, 1, 2, 3, 4, 7):
            oracles.assert_derivatives(lambda x, n=n, axis=axis: transform(x, n, axis), x, order=1)
    for norm in (None, "backward", "ortho", "forward"):
        for n in (None, 3, 6):
            oracles.assert_derivatives(
                lambda x, n=n, norm=norm: transform(x, n, norm=norm), oracles.array(5, kind=kind), order=1
            )
    if name not in ("irfft", "hfft"):
        oracles.assert_derivatives(transform, oracles.array(1, kind=kind))
    oracles.assert_derivatives(
        lambda x: np.abs(transform(x.T[::-1], axis=0)) ** 3, oracles.array(2, 4, kind=kind), rtol=1e-7
    )
    oracles.assert_derivatives(transform, np.zeros((0, 3), complex if kind == "complex" else float))


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft"])
def test_one_axis_as_jax(name: str) -> None:
    kind = "float" if name in REAL else "complex"
    for n, norm in ((None, None), (4, "ortho"), (7, "forward"), (3, "backward")):
        oracles.assert_like_jax(
            lambda xp, x, n=n, norm=norm: getattr(xp.fft, name)(x, n, 0, norm), oracles.array(5, 2, kind=kind)
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MANY)
def test_many_axes(name: str, kind: str) -> None:
    skip_complex(name, kind)
    x = oracles.array(2, 3, 4, kind=kind)
    for s, axes in ((None, (0, 1)), ((3, 2), (2, 0)), ((4, 4), (0, -1)), ((-1, 5), (0, 1)), ((3,), (1,)), (None, [2])):
        oracles.assert_derivatives(
            lambda x, s=s, axes=axes: getattr(np.fft, name)(x, s, axes, "ortho"), x, order=1, rtol=1e-7
        )
    oracles.assert_derivatives(lambda x: getattr(np.fft, name)(x), x)
    oracles.assert_derivatives(lambda x: getattr(np.fft, name)(x, norm="forward"), x, order=1)
    if name in ("rfftn", "irfftn", "fft2", "ifft2"):
        oracles.assert_like_jax(lambda xp, x: getattr(xp.fft, name)(x), x)


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts(name: str) -> None:
    for axes in (None, 0, -1, (0, 2), [1]):
        oracles.assert_derivatives(lambda x, axes=axes: getattr(np.fft, name)(x, axes), oracles.array(2, 3, 4))
    oracles.assert_like_jax(lambda xp, x: getattr(xp.fft, name)(x), oracles.array(5, 4, kind="complex"))


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies_of_a_differentiated_spacing(name: str) -> None:
    for n in (4, 5):
        oracles.assert_derivatives(lambda d, n=n: getattr(np.fft, name)(n, d) * d**2, 2.0)


@pytest.mark.parametrize("name", ONE)
def test_single_precision(name: str) -> None:
    x = oracles.array(5).astype(np.float32)
    out, pullback = dout.vjp(getattr(np.fft, name), x)
    oracles.assert_same(out, getattr(np.fft, name)(x))
    (d,) = pullback(np.ones_like(out))
    assert d.dtype == np.float32
    np.testing.assert_allclose(
        d,
        dout.vjp(getattr(np.fft, name), x.astype(float))[1](
            np.ones(out.shape, complex if out.dtype.kind == "c" else float)
        )[0],
        1e-4,
        1e-5,
    )


def test_out() -> None:
    def f(x):
        target = np.zeros_like(x, dtype=complex)
        np.fft.fft(x, out=target)
        return target

    oracles.assert_derivatives(f, oracles.array(4))


@pytest.mark.filterwarnings("ignore:`axes` should not be:DeprecationWarning")
def test_sizes_without_axes() -> None:
    oracles.assert_derivatives(lambda x: np.fft.fftn(x, (2, 5)), oracles.array(2, 3, 4), order=1)


#: What NumPy rejects, and what it says.
REJECTED = {
    "no points": (lambda x: np.fft.fft(x, 0), "Invalid number of FFT data points"),
    "norm": (lambda x: np.fft.fft(x, norm="x"), "Invalid norm value x"),
    "norm of hfft": (lambda x: np.fft.hfft(x, norm="x"), "Invalid norm value x"),
    "axis": (lambda x: np.fft.fft(x, axis=3), "out of"),
    "lengths and axes": (lambda x: np.fft.fftn(x, (1, 2), (0,)), "different lengths"),
    "complex": (lambda x: np.fft.rfft(x * 1j), "not supported for the input types"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_what_numpy_rejects(name: str) -> None:
    run, says = REJECTED[name]
    with pytest.raises(Exception, match=says) as numpys:
        run(oracles.array(3))
    with pytest.raises(numpys.type, match=says):
        dout.vjp(run, oracles.array(3))
