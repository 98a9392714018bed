"""SciPy's special functions, over the ranges where people use them."""

import numpy as np
import oracles
import pytest

import dout

sp = pytest.importorskip("scipy.special")

WIDE = oracles.array(7, low=-3, high=3)
POSITIVE = oracles.array(7, low=0.3, high=6)
UNIT = oracles.array(5, low=0.05, high=0.95)
OTHER = oracles.array(7, low=0.5, high=4, seed=3)

UNARY = {
    "erf": WIDE, "erfc": WIDE, "erfcx": oracles.array(7, low=-1, high=3), "erfinv": UNIT * 1.8 - 0.9, "erfcinv": UNIT * 1.8,
    "dawsn": WIDE, "ndtr": WIDE, "log_ndtr": WIDE * 3, "ndtri": UNIT, "expit": WIDE, "logit": UNIT, "log_expit": WIDE,
    "exp10": UNIT, "cosm1": WIDE, "exprel": WIDE, "expi": POSITIVE, "exp1": POSITIVE, "entr": POSITIVE,
    "gamma": POSITIVE, "gammaln": POSITIVE, "loggamma": POSITIVE, "rgamma": POSITIVE, "psi": POSITIVE, "digamma": POSITIVE,
    "j0": WIDE * 3, "j1": WIDE * 3, "y0": POSITIVE, "y1": POSITIVE, "i0": WIDE, "i1": WIDE, "i0e": WIDE, "i1e": WIDE,
    "k0": POSITIVE, "k1": POSITIVE, "k0e": POSITIVE, "k1e": POSITIVE, "ellipk": UNIT, "ellipe": UNIT,
    "spence": oracles.array(7, low=1.2, high=4),
}  # fmt: skip

# By the name: the arguments, and which of them have derivatives.
SEVERAL = {
    "rel_entr": (POSITIVE, OTHER), "kl_div": (POSITIVE, OTHER), "xlogy": (POSITIVE, OTHER), "xlog1py": (WIDE, OTHER),
    "huber": (np.full(7, 1.1), WIDE), "pseudo_huber": (OTHER, WIDE), "beta": (POSITIVE, OTHER), "betaln": (POSITIVE, OTHER),
}  # fmt: skip
LAST = {
    "zeta": (2.5, POSITIVE), "gammainc": (1.7, POSITIVE), "gammaincc": (1.7, POSITIVE), "gammaincinv": (1.7, UNIT),
    "betainc": (1.5, 2.5, UNIT), "betaincc": (1.5, 2.5, UNIT), "betaincinv": (1.5, 2.5, UNIT), "jv": (1.5, POSITIVE),
    "yv": (1.5, POSITIVE), "iv": (0.5, POSITIVE), "ive": (0.5, POSITIVE), "kv": (1.3, POSITIVE), "kve": (1.3, POSITIVE),
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_one_input(name):
    # SciPy's own values are good to some 1e-14, which the differences multiply by a thousand
    oracles.assert_derivatives(getattr(sp, name), UNARY[name], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", SEVERAL)
def test_several_inputs(name):
    oracles.assert_derivatives(getattr(sp, name), *SEVERAL[name], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", LAST)
def test_the_last_input(name):
    *fixed, x = LAST[name]
    oracles.assert_derivatives(lambda x: getattr(sp, name)(*fixed, x), x, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", [n for n in LAST if n != "zeta"])
def test_an_order_has_no_derivative(name):
    *fixed, x = LAST[name]
    with pytest.raises(NotImplementedError, match="no closed form"):
        dout.grad(lambda a: np.sum(getattr(sp, name)(a, *fixed[1:], x)))(fixed[0])


def test_digamma_of_negative_numbers():
    oracles.assert_derivatives(sp.psi, np.array([-0.4, -1.7, 2.5]))


def test_series_at_zero():
    assert dout.grad(sp.exprel)(0.0) == pytest.approx(0.5, rel=1e-15)
    assert dout.grad(dout.grad(sp.exprel))(0.0) == pytest.approx(1 / 3, rel=1e-15)


def test_xlogy_at_zero():
    assert dout.grad(sp.xlogy, 1)(0.0, 0.0) == 0.0


def test_complex():
    z = oracles.array(3, kind="complex")
    oracles.assert_derivatives(sp.erf, z, order=1)
    oracles.assert_derivatives(sp.loggamma, z + 3, order=1)


@pytest.mark.parametrize("f", [sp.erf, sp.expit, sp.gammaln, sp.j0], ids=lambda f: f.__name__)
def test_float32_stays(f):
    x = POSITIVE.astype(np.float32)
    assert dout.grad(lambda x: np.sum(f(x)))(x).dtype == np.float32


def test_one_without_a_rule_says_so():
    with pytest.raises(NotImplementedError, match="hyp2f1"):
        dout.grad(lambda x: sp.hyp2f1(1.0, 2.0, 3.0, x))(0.5)


#: Where a formula as it stands in the books would cancel, or be 0/0; the numbers are mpmath's.
EXACT = [
    ("dawsn", 50.0, -0.00020012012016830307),
    ("dawsn", -30.0, -0.000556484063550548),
    ("dawsn", 12.1, -0.003450667501261437),
    ("erfcx", 50.0, -0.00022554056313532387),
    ("erfcx", 12.1, -0.003814669471505324),
    ("log_ndtr", -50.0, 50.019984031905636),
    ("log_ndtr", 8.0, 5.052271083536895e-15),
    ("rgamma", -3.0, -6.0),
    ("rgamma", 0.0, 1.0),
    ("rgamma", -2.5, 1.1669802856379654),
    ("i0e", 1000.0, -6.310198962627116e-06),
    ("i0e", -37.0, 0.0008955131242815657),
    ("i1e", 1000.0, -6.300731294301514e-06),
    ("i1e", -37.0, -0.0008589526758368808),
    ("ellipk", 0.0, 0.39269908169872414),
    ("ellipk", 0.01, 0.39716344037807566),
    ("ellipk", -0.05, 0.3717043513764264),
    ("ellipe", 0.0, -0.39269908169872414),
    ("ellipe", 0.01, -0.3941809747843831),
    ("ellipe", -0.05, -0.3855579993230426),
]


@pytest.mark.parametrize(("name", "x", "derivative"), EXACT)
def test_where_formulas_cancel(name, x, derivative):
    f = getattr(sp, name)
    assert dout.grad(f)(x) == pytest.approx(derivative, rel=1e-11)
    both = dout.grad(lambda v: np.sum(f(v)))(np.array([x, 0.4]))  # with another, to which the usual formula applies
    assert both == pytest.approx([derivative, dout.grad(f)(0.4)], rel=1e-11)
    h = 1e-4
    slope = (dout.grad(f)(x + h) - dout.grad(f)(x - h)) / (2 * h)
    assert dout.grad(dout.grad(f))(x) == pytest.approx(slope, rel=1e-4, abs=1e-9)


def test_pseudo_huber_keeps_its_digits():
    slope = dout.grad(sp.pseudo_huber)
    assert slope(1.0, 1e-6) == pytest.approx(1e-24 / 4, rel=1e-11)
    assert slope(1.5, 1e200) == pytest.approx(1e200, rel=1e-15)


def test_the_name_is_the_public_one():
    assert dout.trace(lambda q: sp.zeta(2.5, q), 1.5).outputs[0].op.name == "zeta"


def test_beta_where_gammas_have_poles():
    assert dout.grad(lambda b: sp.betaln(1.0, b))(-2.0) == pytest.approx(0.5)  # B(1, b) is 1/b
    both = dout.grad(lambda b: np.sum(sp.betaln(1.0, b)))(np.array([-2.0, 1.5]))
    assert both == pytest.approx([0.5, -1 / 1.5])
