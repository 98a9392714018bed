"""Log densities of common distributions, each a namespace with `logpdf` (or `logpmf`), in `scipy.stats`' parameters.

Outside of its support a log density is minus infinity, with a derivative of 0. Formulas: SciPy's documentation of each
distribution.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import scipy.special

from ...graph import plain, shape_of

np: Any = numpy  # NumPy's type stubs don't know Variables
sp: Any = scipy.special
Array = Any

LOG_2_PI = float(np.log(2 * np.pi))


class Density:
    """A distribution on the real line, from its standard log density: `logpdf(x, *shapes, loc=0, scale=1)`.

    Attributes:
        shapes: the names of its shape parameters, in order.
    """

    def __init__(
        self,
        name: str,
        shapes: tuple[str, ...],
        standard: Callable[..., Array],
        support: Callable[..., Any] | None = None,
    ) -> None:
        self.name = name
        self.shapes = shapes
        self._standard = standard
        self._support = support

    def logpdf(self, x: Array, *args: Array, loc: Array = 0.0, scale: Array = 1.0, **named: Array) -> Array:
        """The log density at x; parameters and x are broadcast against one another.

        Args:
            x: where.
            *args: the shape parameters, then loc and scale, as in SciPy.
            loc: where the distribution begins, or its middle.
            scale: its width, positive.
            **named: shape parameters by name.
        """
        shapes = list(args[: len(self.shapes)])
        for name in self.shapes[len(shapes) :]:
            if name not in named:
                raise TypeError(f"{self.name}.logpdf() is missing its parameter {name!r}")
            shapes.append(named.pop(name))
        if named:
            raise TypeError(f"{self.name}.logpdf() got an unexpected keyword argument {next(iter(named))!r}")
        rest = args[len(self.shapes) :]
        loc = rest[0] if rest else loc
        scale = rest[1] if len(rest) > 1 else scale
        y = (x - loc) / scale
        if self._support is None:
            return self._standard(y, *shapes) - np.log(scale)
        inside = self._support(plain(y), *map(plain, shapes))
        # computed inside only, so that nothing outside gets into the derivative
        middle = self._inner(inside, y, shapes)
        return np.where(inside, self._standard(middle, *shapes) - np.log(scale), -np.inf)[()]

    def pdf(self, x: Array, *args: Array, **named: Array) -> Array:
        """The density."""
        return np.exp(self.logpdf(x, *args, **named))

    @staticmethod
    def _inner(inside: Any, y: Array, shapes: list[Array]) -> Array:
        return np.where(inside, y, 0.5)


def _between(low: float, high: float) -> Callable[..., Any]:
    return lambda y, *_shapes: (y >= low) & (y <= high)


def _log_beta_density(y: Array, a: Array, b: Array) -> Array:
    return sp.xlogy(a - 1, y) + sp.xlog1py(b - 1, -y) - sp.betaln(a, b)


def _log_t(y: Array, df: Array) -> Array:
    norm = sp.gammaln((df + 1) / 2) - sp.gammaln(df / 2) - 0.5 * np.log(df * np.pi)
    return norm - (df + 1) / 2 * np.log1p(y * y / df)


norm = Density("norm", (), lambda y: -0.5 * y * y - 0.5 * LOG_2_PI)
cauchy = Density("cauchy", (), lambda y: -np.log1p(y * y) - float(np.log(np.pi)))
laplace = Density("laplace", (), lambda y: -np.abs(y) - float(np.log(2.0)))
logistic = Density("logistic", (), lambda y: -y - 2 * np.logaddexp(0, -y))
t = Density("t", ("df",), _log_t)
expon = Density("expon", (), lambda y: -y, _between(0, np.inf))
uniform = Density("uniform", (), lambda y: 0.0 * y, _between(0, 1))
gamma = Density("gamma", ("a",), lambda y, a: sp.xlogy(a - 1, y) - y - sp.gammaln(a), _between(0, np.inf))
chi2 = Density(
    "chi2",
    ("df",),
    lambda y, df: sp.xlogy(df / 2 - 1, y) - y / 2 - sp.gammaln(df / 2) - df / 2 * float(np.log(2.0)),
    _between(0, np.inf),
)
beta = Density("beta", ("a", "b"), _log_beta_density, _between(0, 1))
lognorm = Density("lognorm", ("s",), lambda y, s: -0.5 * (np.log(y) / s) ** 2 - 0.5 * LOG_2_PI - np.log(s * y),
                  lambda y, _s: y > 0)  # fmt: skip
pareto = Density("pareto", ("b",), lambda y, b: np.log(b) - (b + 1) * np.log(y), lambda y, _b: y >= 1)
weibull_min = Density("weibull_min", ("c",), lambda y, c: np.log(c) + sp.xlogy(c - 1, y) - y**c, _between(0, np.inf))
gumbel_r = Density("gumbel_r", (), lambda y: -y - np.exp(-y))


class _Counts:
    """A distribution of whole numbers: `logpmf(k, *parameters)`; k has no derivative."""

    def __init__(self, name: str, standard: Callable[..., Array], support: Callable[..., Any]) -> None:
        self.name = name
        self._standard = standard
        self._support = support

    def logpmf(self, k: Any, *parameters: Array) -> Array:
        """The log probability of k."""
        k = np.asarray(plain(k))
        inside = self._support(k, *map(plain, parameters)) & (np.floor(k) == k)
        return np.where(inside, self._standard(np.where(inside, k, 0), *parameters), -np.inf)[()]

    def pmf(self, k: Any, *parameters: Array) -> Array:
        """The probability of k."""
        return np.exp(self.logpmf(k, *parameters))


def _log_binomial(k: Any, n: Any, p: Array) -> Array:
    n = plain(n)
    ways = sp.gammaln(n + 1.0) - sp.gammaln(k + 1.0) - sp.gammaln(n - k + 1.0)
    return ways + sp.xlogy(k, p) + sp.xlog1py(n - k, -p)


poisson = _Counts("poisson", lambda k, mu: sp.xlogy(k, mu) - mu - sp.gammaln(k + 1.0), lambda k, _mu: k >= 0)
binom = _Counts("binom", _log_binomial, lambda k, n, _p: (k >= 0) & (k <= n))
bernoulli = _Counts("bernoulli", lambda k, p: sp.xlogy(k, p) + sp.xlog1py(1 - k, -p), lambda k, _p: (k == 0) | (k == 1))
geom = _Counts("geom", lambda k, p: sp.xlog1py(np.maximum(k - 1, 0), -p) + np.log(p), lambda k, _p: k >= 1)


class multivariate_normal:
    """The normal distribution of vectors."""

    @staticmethod
    def logpdf(x: Array, mean: Array = 0.0, cov: Array = 1.0) -> Array:
        """The log density.

        Args:
            x: vectors, along the last axis: shape (..., n).
            mean: shape (n,).
            cov: shape (n, n), positive definite.

        Example:
            >>> float(multivariate_normal.logpdf(numpy.zeros(2), numpy.zeros(2), numpy.eye(2)))
            -1.8378770664093453
        """
        n = shape_of(x)[-1]
        cov = cov if shape_of(cov) else cov * np.eye(n)
        factor = np.linalg.cholesky(cov)
        apart = x - mean
        z = np.linalg.solve(factor, apart[..., None])[..., 0]
        return -0.5 * (n * LOG_2_PI + np.sum(z * z, -1)) - np.sum(np.log(np.diagonal(factor)))


class dirichlet:
    """The distribution of shares that sum to 1."""

    @staticmethod
    def logpdf(x: Array, alpha: Array) -> Array:
        """The log density at shares x, shape (n,), for concentrations alpha, shape (n,).

        Example:
            >>> float(dirichlet.logpdf(numpy.array([0.5, 0.5]), numpy.array([1.0, 1.0])))
            0.0
        """
        return np.sum(sp.xlogy(alpha - 1, x), 0) - (np.sum(sp.gammaln(alpha)) - sp.gammaln(np.sum(alpha)))
