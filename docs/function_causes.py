"""Why some functions take longer than with the best peer: causes, and the patterns of function_cases.py that they explain.

Where NumPy's own function alone takes more than half of the peer's time, functions_table.py says so from the figures, and
nothing needs to be written here.
"""

from __future__ import annotations


def words(text: str) -> set[str]:
    return set(text.split())


CAUSES: dict[str, dict[str, set[str]]] = {
    "the peer hands out a view of the derivative that it was given; dout's `.grad` is an array of its own, and to write it is "
    "all that takes time (`np.copy` of 250,000 numbers: 130 µs)": {
        "large": words(
            """positive reshape ravel transpose fliplr flipud flip rot90 squeeze atleast_1d atleast_2d atleast_3d
            matrix_transpose linalg.matrix_transpose swapaxes moveaxis rollaxis expand_dims permute_dims real_if_close real
            copy concatenate stack vstack row_stack hstack dstack column_stack append split array_split hsplit vsplit dsplit
            unstack broadcast_to astype"""
        ),
    },
    "new zeros of the matrix's size, in which the derivative is written on the diagonal, are nearly all of it: some 90 µs": {
        "large": words("trace linalg.trace diagonal linalg.diagonal diag diagflat") | {"diag of a matrix"},
    },
    "it is made of several operations, each recorded and walked back on its own at some 5 µs; the peer has one compiled "
    "operation": {
        "small": words(
            """gradient ediff1d diff trapezoid cov corrcoef convolve correlate meshgrid block kron cross linalg.cross select
            choose put put_along_axis place copyto putmask pad unstack array_split split hsplit vsplit dsplit tensordot
            linalg.tensordot vecdot linalg.vecdot linalg.outer outer vdot tril triu repeat roll tile take take_along_axis
            compress extract insert append stack vstack row_stack hstack dstack column_stack concatenate broadcast_arrays
            full_like var std nanmean nansum nanvar nanstd mean average sort partition sign angle imag trace linalg.trace
            diagflat rollaxis moveaxis rot90 expand_dims clip nan_to_num ptp cumsum histogram2d linalg.norm linalg.vector_norm
            linalg.matrix_norm linalg.multi_dot linalg.matrix_power linalg.cond linalg.tensorinv linalg.tensorsolve polydiv
            lib.stride_tricks.sliding_window_view fft.fftshift fft.ifftshift fft.hfft fft.ihfft modf divmod linspace vander
            logaddexp prod broadcast_to median percentile quantile"""
        )
        | {
            "pad edge",
            "pad reflect",
            "diff axis",
            "trapezoid x",
            "gradient 2-D",
            "var axis",
            "std axis",
            "mean axis",
            "sort axis",
            "linalg.norm 1",
            "linalg.norm 3",
            "linalg.norm inf",
            "linalg.norm axis",
            "linalg.norm nuclear",
            "einsum elementwise",
            "einsum of three",
            "x[places] = y",
            "x[1:4] = y",
            "x[mask] = 0",
            "take axis",
            "matmul vector",
            "x[rows, columns]",
            "cumsum axis",
            "prod axis",
            "linspace of rows",
            "median axis",
            "matmul stacked",
        },
    },
    "the derivative of a decomposition is a formula of several products, each of NumPy's at 1 to 3 µs, with a check of what "
    "repeats or is singular; the peer's is compiled, and mostly without the check": {
        "small": words(
            """linalg.eigh linalg.eigvalsh linalg.eig linalg.eigvals linalg.svd linalg.svdvals linalg.qr linalg.slogdet
            linalg.det linalg.inv linalg.solve linalg.lstsq linalg.pinv linalg.cholesky linalg.cond"""
        )
        | {"linalg.norm nuclear"},
    },
    "NumPy's own cross takes 1.8 ms of it, and runs once forward and once for each derivative, which are crosses too": {
        "large": words("cross linalg.cross"),
    },
    "near 0 the formula cancels, and a series takes its place there, to which half of the time goes; autograd has none, and "
    "gives 0 for the derivative at 1e-9": {"small": {"sinc"}, "large": {"sinc"}},
    "NumPy gives no triangular factors, nor solves with them: an inverse or a general solve takes their place, and factorises "
    "again": {
        "large": words("linalg.det linalg.slogdet linalg.cholesky linalg.qr linalg.solve linalg.lstsq linalg.inv")
    },
    "the vectors are computed only where the derivative needs them, by a second decomposition; the peer always computes them": {
        "large": words("linalg.svdvals linalg.cond linalg.eigvals linalg.eigvalsh") | {"linalg.norm nuclear"},
    },
    "the derivatives are products that are then summed along an axis, two passes over the whole; the peer has products of a "
    "matrix and a vector": {"large": words("outer linalg.outer broadcast_arrays meshgrid")},
    "the matrix's derivative, an outer product that is written once, takes NumPy 78 µs of it": {
        "large": {"matmul vector", "matvec", "vecmat"}
    },
    "not found yet: the products of matrices are 1 ms of it": {"large": {"tensordot", "linalg.tensordot"}},
    "it is small also at this size, and made of several operations at some 5 µs": {
        "large": {"kron", "vander", "polydiv", "polyadd", "polysub", "polymul", "linspace", "convolve"},
    },
    "the lower and the upper bound are two choices, each with its rule for ties; autograd's derivative is one mask": {
        "large": {"clip"},
    },
    "the values are chosen by `np.where`, a pass more, so that what isn't chosen, NaN or infinite, has no "
    "part in any derivative": {
        "large": words("nan_to_num tril triu select choose"),
    },
    "the places of the entries are found by sorting, which takes nearly all of it; the peer selects": {
        "large": words("partition median percentile quantile nanmedian nanpercentile nanquantile sort")
        | {"median axis", "sort axis"},
        "small": words("nanmedian nanpercentile nanquantile median percentile quantile") | {"median axis"},
    },
}
