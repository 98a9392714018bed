"""`jit`: record a function's run once, and run the recording.

A run is recorded for each form of the arguments: containers, shapes, dtypes, static values. The recording is of the whole
run: a derivative inside is recorded as it is computed, backward and forward alike. It holds as long as Python would see
the same on the way: the values that it looked at, and what the function holds besides its arguments. That is compared at
every call. Where it doesn't hold, another variant is recorded; past a few, and where a run can't be recorded,
the function runs as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .arguments import checked_argnums


def jit(
    f: Callable[..., Any] | None = None, *, static_argnums: int | Sequence[int] = (), backend: str = "native"
) -> Callable[..., Any]:
    """The same function, run by a recording of itself.

    Args:
        f: a function of numbers, arrays and containers of them; it may take derivatives itself. Without it, a decorator.
        static_argnums: positions of arguments that are no data: a recording is made for each of their values.
        backend: "native" for machine code where there is some, "numpy" for none.

    Returns:
        a function with the same results as `f`, which are fresh arrays, or the arrays of `out=` of the result's
        containers, shapes and dtypes. `.report(*args)` says what runs and why, `.graph(*args)` gives the program.

    Example:
        >>> import numpy as np
        >>> from dout import grad
        >>> fast = jit(grad(lambda x: np.sum(x**2)))
        >>> fast(np.array([1.0, 2.0]))
        array([2., 4.])
        >>> @jit(static_argnums=1)
        ... def power(x, n):
        ...     return x**n
        >>> power(3.0, 2)
        9.0
    """
    if backend not in ("native", "numpy"):
        raise ValueError(f"backend: expected 'native' or 'numpy', got {backend!r}")
    static = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    if any(isinstance(n, bool) or not isinstance(n, int) for n in static):
        raise TypeError(f"static_argnums: expected an int or ints, got {static_argnums!r}")
    if f is None:
        return functools.partial(jit, static_argnums=static, backend=backend)
    checked_argnums(0, f)
    from .jitted import jit_of  # a large import, for who compiles

    return jit_of(f, static, backend)
