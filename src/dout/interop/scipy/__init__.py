"""Functions of SciPy that offer no way in for Variables, under SciPy's own names and with its arguments.

The special functions that are ufuncs need nothing: `scipy.special.erf(v)` works as it is. Here is the rest, by SciPy's
modules: `special`, `linalg`, `signal`, `stats`, `integrate`, `optimize`, `sparse`.

    >>> import numpy as np, dout
    >>> from dout.interop.scipy import special
    >>> dout.grad(special.logsumexp)(np.array([0.0, 0.0]))
    array([0.5, 0.5])
"""

from . import integrate, linalg, optimize, signal, sparse, special, stats

__all__ = ["integrate", "linalg", "optimize", "signal", "sparse", "special", "stats"]
