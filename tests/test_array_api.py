"""The Python array API standard, 2024.12, held by hand: dout.numpy's names, and its functions with the standard's options.

The standard's own suite, array-api-tests, is not on the package index, so it has not been run.
"""

import numpy
import oracles
import pytest

import dout
import dout.numpy as xp

X, M, B = oracles.array(4), oracles.array(3, 3), oracles.array(2, 3, 3)
P = oracles.array(4, low=0.3, high=2.0)
U = oracles.array(4, low=-0.9, high=0.9)
PLACES = numpy.array([2, 0, 1])
PD = M @ M.T + numpy.eye(3)


def words(text):
    return text.split()


NAMES = words(
    """
    abs acos acosh add all any arange argmax argmin argsort asarray asin asinh astype atan atan2 atanh bitwise_and
    bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor broadcast_arrays broadcast_to can_cast ceil
    clip concat conj copysign cos cosh count_nonzero cumulative_prod cumulative_sum diff divide e empty empty_like equal exp
    expand_dims expm1 eye finfo flip floor floor_divide from_dlpack full full_like greater greater_equal hypot iinfo imag
    inf isdtype isfinite isinf isnan less less_equal linspace log log10 log1p log2 logaddexp logical_and logical_not
    logical_or logical_xor matmul matrix_transpose max maximum mean meshgrid min minimum moveaxis multiply nan negative
    newaxis nextafter nonzero not_equal ones ones_like permute_dims pi positive pow prod real reciprocal remainder repeat
    reshape result_type roll round searchsorted sign signbit sin sinh sort sqrt square squeeze stack std subtract sum take
    take_along_axis tan tanh tensordot tile tril triu trunc unique_all unique_counts unique_inverse unique_values unstack
    var vecdot where zeros zeros_like bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64
    complex128 __array_api_version__ __array_namespace_info__ linalg.cholesky linalg.cross linalg.det linalg.diagonal
    linalg.eigh linalg.eigvalsh linalg.inv linalg.matmul linalg.matrix_norm linalg.matrix_power linalg.matrix_rank
    linalg.matrix_transpose linalg.outer linalg.pinv linalg.qr linalg.slogdet linalg.solve linalg.svd linalg.svdvals
    linalg.tensordot linalg.trace linalg.vecdot linalg.vector_norm fft.fft fft.ifft fft.fftn fft.ifftn fft.rfft fft.irfft
    fft.rfftn fft.irfftn fft.hfft fft.ihfft fft.fftfreq fft.rfftfreq fft.fftshift fft.ifftshift
    """
)

#: Functions with the options that the standard gives them, by the standard's names.
CALLS = {
    "asarray": (lambda x: xp.asarray(x, dtype=xp.float64, device="cpu", copy=True), X),
    "asarray of a list": (lambda x: xp.asarray([x[0], [x[1], 2.0][0]]), X),
    "astype": (lambda x: xp.astype(x, xp.float64, copy=True, device="cpu"), X),
    "empty_like": (lambda x: xp.empty_like(x, dtype=xp.float64, device="cpu") * 0 + x, X),
    "full": (lambda x: xp.full((2, 2), x[0], dtype=xp.float64), X),
    "full_like": (lambda x: xp.full_like(x, fill_value=2.0, dtype=xp.float64, device="cpu") * x, X),
    "linspace": (lambda x: xp.linspace(x[0], x[1], num=3, endpoint=False), X),
    "meshgrid": (lambda x: tuple(xp.meshgrid(x, x[:2], indexing="ij")), X),
    "tril": (lambda x: xp.tril(x, k=1), M),
    "triu": (lambda x: xp.triu(x, k=-1), B),
    "concat": (lambda x: xp.concat((x, x), axis=None), M),
    "expand_dims": (lambda x: xp.expand_dims(x, axis=-1), M),
    "flip": (lambda x: xp.flip(x, axis=1), M),
    "moveaxis": (lambda x: xp.moveaxis(x, (0, 1), (1, 2)), B),
    "permute_dims": (lambda x: xp.permute_dims(x, axes=(2, 0, 1)), B),
    "repeat": (lambda x: xp.repeat(x, 2, axis=1), M),
    "reshape": (lambda x: xp.reshape(x, (9,), copy=True), M),
    "roll": (lambda x: xp.roll(x, shift=(1, -1), axis=(0, 1)), M),
    "squeeze": (lambda x: xp.squeeze(x[:, None], axis=1), M),
    "stack": (lambda x: xp.stack([x, x], axis=-1), M),
    "tile": (lambda x: xp.tile(x, (2, 1)), M),
    "unstack": (lambda x: tuple(xp.unstack(x, axis=1)), M),
    "broadcast_to": (lambda x: xp.broadcast_to(x, shape=(2, 3, 3)), M),
    "clip": (lambda x: xp.clip(x, min=-1.01, max=1.02), X),
    "cumulative_sum": (lambda x: xp.cumulative_sum(x, axis=1, dtype=xp.float64, include_initial=True), M),
    "cumulative_prod": (lambda x: xp.cumulative_prod(x, axis=0, include_initial=True), M),
    "diff": (lambda x: xp.diff(x, axis=0, n=1, prepend=x[:1], append=x[:1]), M),
    "max": (lambda x: xp.max(x, axis=1, keepdims=True), M),
    "min": (lambda x: xp.min(x, axis=(0, 1), keepdims=False), M),
    "mean": (lambda x: xp.mean(x, axis=0, keepdims=True), M),
    "prod": (lambda x: xp.prod(x, axis=0, dtype=xp.float64, keepdims=True), M),
    "sum": (lambda x: xp.sum(x, axis=(0, 1), dtype=xp.float64, keepdims=True), M),
    "std": (lambda x: xp.std(x, axis=0, correction=1.0, keepdims=True), M),
    "var": (lambda x: xp.var(x, axis=0, correction=1, keepdims=False), M),
    "searchsorted": (lambda x: x * xp.searchsorted(xp.sort(x), 0.1, side="right"), X),
    "sort": (lambda x: xp.sort(x, axis=0, stable=True), M),
    "argsort": (lambda x: x[xp.argsort(x, axis=0, stable=True)], X),
    "take": (lambda x: xp.take(x, PLACES, axis=1), M),
    "take_along_axis": (lambda x: xp.take_along_axis(x, PLACES[None], axis=0), M),
    "where": (lambda x: xp.where(x > 0, x * x, x), X),
    "nonzero": (lambda x: x[xp.nonzero(x > 0)], X),
    "unique_values": (lambda x: xp.unique_values(x), X),
    "unique_inverse": (lambda x: xp.unique_inverse(x).values, X),
    "matmul": (lambda x: xp.matmul(x, x), M),
    "matrix_transpose": (lambda x: xp.matrix_transpose(x), B),
    "tensordot": (lambda x: xp.tensordot(x, x, axes=((0,), (1,))), M),
    "vecdot": (lambda x: xp.vecdot(x, x * x, axis=0), M),
    "linalg.cholesky": (lambda x: xp.linalg.cholesky((x + x.mT) / 2, upper=True), PD),
    "linalg.cross": (lambda x: xp.linalg.cross(x, x[::-1], axis=0), M),
    "linalg.diagonal": (lambda x: xp.linalg.diagonal(x, offset=1), M),
    "linalg.matrix_norm": (lambda x: xp.linalg.matrix_norm(x, keepdims=True, ord="fro"), M),
    "linalg.matrix_power": (lambda x: xp.linalg.matrix_power(x, 2), M),
    "linalg.outer": (lambda x: xp.linalg.outer(x, x), X),
    "linalg.pinv": (lambda x: xp.linalg.pinv(x, rtol=1e-12), M),
    "linalg.qr": (lambda x: xp.linalg.qr(x, mode="reduced").R, M),
    "linalg.slogdet": (lambda x: xp.linalg.slogdet(x).logabsdet, M),
    "linalg.svd": (lambda x: xp.linalg.svd(x, full_matrices=False).S, M),
    "linalg.trace": (lambda x: xp.linalg.trace(x, offset=1, dtype=xp.float64), B),
    "linalg.vector_norm": (lambda x: xp.linalg.vector_norm(x, axis=(0, 1), keepdims=True, ord=3), M),
    "linalg.eigh": (lambda x: xp.linalg.eigh((x + x.mT) / 2).eigenvalues, PD),
    "fft.fft": (lambda x: xp.abs(xp.fft.fft(x, n=5, axis=0, norm="ortho")), M),
    "fft.irfftn": (lambda x: xp.fft.irfftn(x, s=(4,), axes=(0,), norm="forward"), M),
    "fft.fftshift": (lambda x: xp.fft.fftshift(x, axes=1), M),
    "operators": (lambda x: (-x + 2.0 * x / 3.0 - x**2) * abs(x) + (x % 0.7), X),
    "attributes": (lambda x: x.T @ x.mT + x.size * x.ndim + x.shape[0], M),
    "to_device": (lambda x: x.to_device("cpu") * 2, X),
    **{name: (lambda x, name=name: getattr(xp, name)(x), U) for name in words(
        "abs acos asin asinh atan atanh cos cosh exp expm1 negative positive sin sinh square tan tanh real conj")},
    **{name: (lambda x, name=name: getattr(xp, name)(x), P) for name in words(
        "log log10 log1p log2 reciprocal sqrt")},
    **{name: (lambda x, name=name: getattr(xp, name)(x, x[::-1] * 1.1), P) for name in words(
        "add atan2 copysign divide hypot logaddexp maximum minimum multiply pow remainder subtract")},
    **{name: (lambda x, name=name: getattr(xp, name)(x) * x, X) for name in words(
        "ceil floor round sign trunc")},
}  # fmt: skip


def found(name):
    value = xp
    for part in name.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_the_standard_is_there(name):
    assert found(name) is not None or name == "newaxis"


@pytest.mark.parametrize("name", CALLS)
def test_called_as_the_standard_calls_it(name):
    f, x = CALLS[name]
    # decompositions are good to some 1e-14 themselves
    oracles.assert_derivatives(f, x, order=1, value_rtol=1e-12 if name.startswith(("linalg", "fft")) else 0, rtol=1e-6)


def test_a_variable_knows_its_namespace():
    def f(v):
        assert v.__array_namespace__() is xp
        assert v.__array_namespace__(api_version="2022.12") is xp
        with pytest.raises(ValueError, match="1900"):
            v.__array_namespace__(api_version="1900.01")
        assert v.device == "cpu"
        assert v.dtype == xp.float64
        assert v.__dlpack_device__() == numpy.empty(0).__dlpack_device__()
        space = v.__array_namespace__()
        return space.sum(space.exp(v))

    numpy.testing.assert_allclose(dout.grad(f)(X), numpy.exp(X))


def test_what_the_namespace_says_of_itself():
    info = xp.__array_namespace_info__()
    assert info.default_device() == "cpu"
    assert info.devices() == ["cpu"]
    assert info.capabilities()["boolean indexing"]
    assert info.default_dtypes()["real floating"] == xp.float64
    assert info.dtypes(kind="complex floating").keys() == {"complex64", "complex128"}
    assert xp.__array_api_version__ >= "2022.12"


def test_exchange_would_lose_the_derivative():
    with pytest.raises(TypeError, match="DLPack would lose its derivative"):
        dout.grad(lambda x: xp.sum(xp.from_dlpack(x)))(X)
    assert numpy.array_equal(numpy.from_dlpack(dout.stop_gradient(dout.Variable(X))), X)


def test_what_numpy_itself_lacks():
    """NumPy's sort and argsort can't descend, as the standard's can."""
    for function in (xp.sort, xp.argsort):
        with pytest.raises(TypeError, match="descending"):
            function(X, descending=True)
