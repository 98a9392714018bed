"""Functions of one and two real numbers as arithmetic on vectors.

Each reduces its argument to a small interval and evaluates a polynomial there, without branches but for what few arguments
need. docs/jit.md has the errors measured against mpmath. Coefficients are in `coefficients.py`, which docs/make_polynomials.py
makes, and in `gammaln_zeros.py` and `psi_zeros.py`, which docs/make_zeros.py makes.
"""

from .functions import FUNCTIONS, REDUCED
from .library import arity, call

NAMES = {*FUNCTIONS, *REDUCED}

__all__ = ["NAMES", "arity", "call"]
