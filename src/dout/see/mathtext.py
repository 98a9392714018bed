"""SymPy's expressions as Unicode text and as LaTeX, in the order in which a textbook writes them.

`y² · exp(−x)`, not `exp(-x)*y**2`: a true minus, powers above the line, a fraction bar only where it helps. A choice between
cases is written with brackets, `[x > 0]`, which are 1 where it holds and 0 elsewhere.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

_ABOVE = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
#: How tightly what is written holds together: sums least.
_SUM, _PRODUCT, _POWER, _ATOM = range(4)
_RELATIONS = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_NAMES = {
    "log": "ln", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "atan2": "arctan2",
}  # fmt: skip
#: Names that differ in text and in LaTeX.
_GREEK = {"Gamma": ("Γ", r"\Gamma"), "digamma": ("ψ", r"\psi"), "zeta": ("ζ", r"\zeta"), "Beta": ("B", "B")}
_BESSEL = {"J", "Y", "I", "K"}
_IN_LATEX = {"ln", "exp", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"}


def text(e: Any, between: str = "·") -> str:
    """An expression as Unicode text; `between` is what stands between factors.

    Example:
        >>> x, y = sp.symbols("x y")
        >>> text(y**2 * sp.exp(-x)), text(-1 / sp.sqrt(1 - x**2)), text(sp.log(2) / 3)
        ('y²·exp(−x)', '−1/√(1 − x²)', 'ln(2)/3')
    """
    return _Text(between).write(e)[0]


def latex(e: Any) -> str:
    r"""An expression as LaTeX.

    Example:
        >>> x, y = sp.symbols("x y")
        >>> print(latex(y * (1 - y) / (2 * x)))
        \frac{y \cdot \left(1 - y\right)}{2 \cdot x}
    """
    return _Latex(r" \cdot ").write(e)[0]


class _Text:
    """Unicode text. `write` gives it with how tightly it holds together."""

    minus, plus, pi = "−", "+", "π"

    def __init__(self, between: str) -> None:
        self.between = between

    def write(self, e: Any) -> tuple[str, int]:
        if e.is_Symbol:
            return self.symbol(e.name), _ATOM
        if e.is_Integer:
            return (str(e), _ATOM) if e >= 0 else (f"{self.minus}{-e}", _SUM)
        if e.is_Rational and _is_decimal(e):
            return format(float(e), ".6f").rstrip("0").replace("-", self.minus), _ATOM if e > 0 else _SUM
        if e.is_Rational:
            return self.fraction(sp.Integer(e.p), sp.Integer(e.q)), _PRODUCT if e > 0 else _SUM
        if e == sp.pi:
            return self.pi, _ATOM
        if e.is_Add:
            return self.sum(e), _SUM
        if e.is_Mul or (e.is_Pow and e.exp.could_extract_minus_sign() and e.exp.is_number):
            return self.product(e)
        if e.is_Pow:
            return self.power(e.base, e.exp)
        if isinstance(e, sp.Piecewise):
            return self.choice(e)
        if isinstance(e, sp.core.relational.Relational):
            return f"{self.write(e.lhs)[0]} {self.relation(e.rel_op)} {self.write(e.rhs)[0]}", _SUM
        if isinstance(e, sp.And):
            return ", ".join(sorted(self.write(a)[0] for a in e.args)), _SUM
        if isinstance(e, sp.Abs):
            return f"|{self.write(e.args[0])[0]}|", _ATOM
        if isinstance(e, sp.floor):
            return self.floor(self.write(e.args[0])[0]), _ATOM
        name = type(e).__name__ if not isinstance(e, sp.core.function.AppliedUndef) else e.func.__name__
        args = e.args
        if name in _BESSEL and args[0].is_Integer:
            name, args = f"{name}_{args[0]}", args[1:]
        return self.call(_NAMES.get(name, name), ", ".join(self.write(a)[0] for a in args)), _ATOM

    def at(self, e: Any, tightness: int) -> str:
        """In parentheses if it would come apart."""
        written, holds = self.write(e)
        return written if holds >= tightness else self.parenthesised(written)

    def sum(self, e: Any) -> str:
        terms = sorted(e.as_ordered_terms(), key=lambda t: (t.could_extract_minus_sign(), not t.is_number))
        written = self.at(terms[0], _PRODUCT) if not terms[0].could_extract_minus_sign() else self.write(terms[0])[0]
        for t in terms[1:]:
            negative = t.could_extract_minus_sign()
            written += f" {self.minus if negative else self.plus} {self.at(-t if negative else t, _PRODUCT)}"
        return written

    def product(self, e: Any) -> tuple[str, int]:
        if e.could_extract_minus_sign():
            return self.minus + self.at(-e, _PRODUCT), _SUM
        number, rest = e.as_coeff_Mul()
        if number.is_Rational and number.q > 8 and _is_decimal(number):  # 0.1 · x, where x/10 isn't what anybody wrote
            return f"{self.write(number)[0]}{self.between}{self.at(rest, _PRODUCT)}", _PRODUCT
        above, below = sp.fraction(e, exact=True)  # exp(−x) stays above
        if below == 1:
            return self.factors(above), _PRODUCT
        return self.fraction(above, below), _PRODUCT

    def factors(self, e: Any) -> str:
        parts = sorted(sp.Mul.make_args(e), key=_place)
        return self.between.join(self.at(p, _POWER) for p in parts)

    def fraction(self, above: Any, below: Any) -> str:
        over = self.factors(above) if above.is_Mul else self.at(above, _PRODUCT)
        under = self.at(below, _POWER)
        return f"{over}/{under}"

    def power(self, base: Any, exponent: Any) -> tuple[str, int]:
        if exponent == sp.S.Half:
            return self.root(base), _POWER
        written = self.at(base, _ATOM)
        if exponent.is_Integer:
            return written + str(exponent).translate(_ABOVE), _POWER
        return f"{written}^{self.at(exponent, _ATOM)}", _POWER

    def choice(self, e: Any) -> tuple[str, int]:
        """Brackets for the pieces that aren't 0. But for the last, they exclude one another in dout's rules."""
        pieces = [(value, c) for value, c in e.args if value != 0]
        if pieces and pieces[-1][1] == sp.true:
            if len(e.args) > 2:
                raise ValueError(f"no brackets for {e}")
            pieces[-1] = (pieces[-1][0], sp.Not(e.args[0][1]))
        written = [
            self.bracket(c) if value == 1 else f"{self.at(value, _PRODUCT)}{self.between}{self.bracket(c)}"
            for value, c in sorted(pieces, key=lambda piece: piece[0] != 1)
        ]
        return f" {self.plus} ".join(written), _PRODUCT if len(written) == 1 else _SUM

    def bracket(self, condition: Any) -> str:
        return f"[{self.write(condition)[0]}]"

    def symbol(self, name: str) -> str:
        if name == "root2pi":
            return "√(2·π)"
        stem, _, number = name.partition("_")
        return stem + number.translate(_BELOW)

    def relation(self, written: str) -> str:
        return _RELATIONS[written]

    def root(self, base: Any) -> str:
        return "√" + self.at(base, _ATOM)

    def floor(self, inside: str) -> str:
        return f"⌊{inside}⌋"

    def call(self, name: str, inside: str) -> str:
        stem, _, number = _GREEK.get(name, (name,))[0].partition("_")
        return f"{stem}{number.translate(_BELOW)}({inside})"

    def parenthesised(self, inside: str) -> str:
        return f"({inside})"


class _Latex(_Text):
    """LaTeX, for MathML."""

    minus, pi = "-", r"\pi"

    def symbol(self, name: str) -> str:
        if name == "root2pi":
            return r"\sqrt{2 \cdot \pi}"
        stem, _, number = name.partition("_")
        stem = rf"\mathrm{{{stem}}}" if len(stem) > 1 else stem
        return f"{stem}_{{{number}}}" if number else stem

    def relation(self, written: str) -> str:
        return {"!=": r"\neq", "<=": r"\leq", ">=": r"\geq"}.get(written) or super().relation(written)

    def fraction(self, above: Any, below: Any) -> str:
        over, under = (self.factors(part) if part.is_Mul else self.write(part)[0] for part in (above, below))
        return rf"\frac{{{over}}}{{{under}}}"

    def power(self, base: Any, exponent: Any) -> tuple[str, int]:
        if exponent == sp.S.Half:
            return self.root(base), _ATOM
        return f"{self.at(base, _ATOM)}^{{{self.write(exponent)[0]}}}", _POWER

    def root(self, base: Any) -> str:
        return rf"\sqrt{{{self.write(base)[0]}}}"

    def floor(self, inside: str) -> str:
        return rf"\left\lfloor {inside} \right\rfloor"

    def call(self, name: str, inside: str) -> str:
        stem, _, number = name.partition("_")
        if name in _IN_LATEX:
            written = rf"\{name}"
        elif name in _GREEK:
            written = _GREEK[name][1]
        else:
            written = f"{stem}_{{{number}}}" if number else stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"
        return written + self.parenthesised(inside)

    def bracket(self, condition: Any) -> str:
        return rf"\left[{self.write(condition)[0]}\right]"

    def parenthesised(self, inside: str) -> str:
        return rf"\left({inside}\right)"


def _is_decimal(number: Any) -> bool:
    """Whether it has at most six digits behind the point."""
    return bool(10**6 % number.q == 0)


def _place(factor: Any) -> tuple[int, str]:
    """Numbers first, then dout, symbols, their powers, and the rest."""
    if factor.is_number:
        return (0 if factor.is_Rational else 4), ""
    if factor.is_Symbol:
        return 1, "" if factor.name == "dout" else factor.name
    if factor.is_Pow and factor.base.is_Symbol and factor.exp.is_Integer:
        return 2, factor.base.name
    return 3, ""
