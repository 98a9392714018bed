"""What dout does with each public name of NumPy's: from the tables of rules, and from the lists below of what has none.

`python docs/coverage_table.py` writes docs/coverage.md; with `--check` it tells whether the page is up to date.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
from blocks import whole

from dout.rules import FLAT, FUNCTIONS, UFUNCS

PAGE = Path(__file__).parent / "coverage.md"


def words(text: str) -> set[str]:
    return set(text.split())


#: Make a new array, of no array that could have a derivative; in dout.numpy they can hold Variables.
MAKERS = words(
    """arange array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix bartlett blackman bmat
    copy empty eye from_dlpack frombuffer fromfile fromfunction fromiter fromregex fromstring full genfromtxt hamming hanning
    identity indices kaiser load loadtxt ones require tri zeros fft.fftfreq fft.rfftfreq"""
)
#: Take integers, dates, text, types, shapes or settings; or tell something about them.
OTHERS = words(
    """base_repr binary_repr bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor broadcast_shapes busday_count busday_offset datetime_as_string datetime_data diag_indices
    diag_indices_from einsum_path format_float_positional format_float_scientific frompyfunc gcd get_include get_printoptions
    getbufsize geterr geterrcall info invert is_busday isdtype isnat issubdtype iterable isscalar ix_ lcm left_shift
    mask_indices mintypecode nested_iters packbits printoptions promote_types ravel_multi_index right_shift
    set_printoptions setbufsize seterr seterrcall show_config show_runtime test tril_indices tril_indices_from
    triu_indices triu_indices_from typename unpackbits unravel_index linalg.test fft.test"""
)
#: Would lose the derivative, and raise with the way out.
LOSING = {"save", "savez", "savez_compressed", "savetxt"}
#: Aliases that are not the same object as what they stand for.
ALIASES = {"row_stack": "vstack"}

#: Patterns of benchmarks/function_cases.py that raise where their arguments are `np.array([v, w])`. tests/test_objects.py
#: holds that these do, and that all others give the right derivative.
OBJECTS_RAISE = words(
    """i0 angle real imag conj sign logaddexp logaddexp2 copysign nextafter heaviside float_power ldexp divmod modf frexp astype
    mean nanmean var std nanvar nanstd cov corrcoef bincount histogram2d histogramdd sort_complex median percentile quantile
    nanmedian nanpercentile nanquantile linalg.det linalg.inv linalg.pinv linalg.svdvals linalg.cond linalg.cholesky
    linalg.eigvalsh linalg.solve linalg.slogdet linalg.eigh linalg.eig linalg.eigvals linalg.svd linalg.qr linalg.lstsq
    linalg.tensorinv linalg.tensorsolve fft.fft fft.ifft fft.rfft fft.irfft fft.hfft fft.ihfft fft.fft2 fft.ifft2 fft.rfft2
    fft.irfft2 fft.fftn fft.ifftn fft.rfftn fft.irfftn gradient interp polyfit roots polydiv"""
) | {"linalg.norm nuclear", "fft.fft complex", "gradient 2-D"}

METHOD_OTHERS = {"base", "ctypes", "data", "getfield", "setfield", "setflags", "choose", "resize"}
METHOD_LOSING = {"item", "tolist", "tobytes", "tofile", "dump", "dumps", "byteswap"}
METHOD_FLAT = {
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "device", "dtype", "flags", "itemsize", "nbytes", "ndim",
    "nonzero", "round", "searchsorted", "shape", "size", "strides",
}  # fmt: skip

DIFFERENTIABLE, FLAT_SAID = "differentiable", "piecewise constant: zero derivative"
MADE, NONE, LOST = "makes a new array", "not differentiable: no array of floats", "raises: the derivative would be lost"


def names(module: Any, prefix: str = "") -> dict[str, Any]:
    """The public functions of a module."""
    found = {}
    for name in dir(module):
        value = getattr(module, name)
        if name.startswith("_") or inspect.ismodule(value) or isinstance(value, type) or not callable(value):
            continue
        found[prefix + name] = value
    return found


def everything() -> dict[str, Any]:
    return {
        **names(np), **names(np.linalg, "linalg."), **names(np.fft, "fft."), **names(np.emath, "emath."),
        "lib.stride_tricks.sliding_window_view": np.lib.stride_tricks.sliding_window_view,
    }  # fmt: skip


def kind_of(name: str, function: Any) -> str:
    """How dout takes a function.

    Raises:
        LookupError: if neither the rules nor the lists know it.
    """
    if function in FUNCTIONS or function in UFUNCS or name in ALIASES:
        return DIFFERENTIABLE
    if function in FLAT:
        return FLAT_SAID
    for listed, kind in ((MAKERS, MADE), (OTHERS, NONE), (LOSING, LOST)):
        if name in listed:
            return kind
    raise LookupError(f"np.{name} is in no table")


def method_kind(name: str) -> str:
    for listed, kind in ((METHOD_OTHERS, NONE), (METHOD_LOSING, LOST), (METHOD_FLAT, FLAT_SAID)):
        if name in listed:
            return kind
    return DIFFERENTIABLE


def page() -> str:
    rows: dict[str, list[str]] = {}
    found = everything()
    for name, function in found.items():
        rows.setdefault(kind_of(name, function), []).append(name)
    lines = [
        "# What dout does with each of NumPy's names",
        "",
        "Made by `docs/coverage_table.py` from the tables of rules; a test holds that no public name of `np`, `np.linalg`,",
        "`np.fft` and `np.emath` is missing, and that each that is called differentiable is tested.",
        "",
    ]
    for kind in (DIFFERENTIABLE, FLAT_SAID, MADE, NONE, LOST):
        listed = sorted(rows.get(kind, []), key=str.lower)
        lines += [f"## Functions: {kind} ({len(listed)})", "", ", ".join(f"`{n}`" for n in listed), ""]
    methods = [n for n in dir(np.ndarray) if not n.startswith("_")]
    lines += ["## Methods and attributes of arrays", ""]
    for kind in (DIFFERENTIABLE, FLAT_SAID, NONE, LOST):
        listed = [n for n in methods if method_kind(n) == kind]
        lines += [f"{kind} ({len(listed)}): " + ", ".join(f"`.{n}`" for n in listed), ""]
    lines += [
        "## Arrays of objects",
        "",
        "`np.array([v, w])` is NumPy's array of objects, which never asks dout. What is computed with it entry by entry is",
        "right, and so is what a function makes of other functions. What NumPy's compiled code, or a conversion to floats,",
        "refuses, raises an error of NumPy's or of dout's. The way out is the same for all: `np.stack([v, w])`, or",
        "`import dout.numpy as np`. `sort_complex`, `angle`, `real`, `imag`, `conj` and `sign` are listed for complex numbers,",
        "of which dout refuses to be put into such an array.",
        "",
        f"raises ({len(OBJECTS_RAISE)}): " + ", ".join(f"`{n}`" for n in sorted(OBJECTS_RAISE)),
        "",
        "Every other function in the first list gives the right derivative.",
        "",
        "## Methods of ufuncs",
        "",
        "`reduce`, `accumulate`, `reduceat`, `outer` and `at` of every ufunc of two inputs that is differentiable; `at` of",
        "those of one input.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    whole(PAGE, page())
