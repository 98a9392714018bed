"""The demo does what it says."""

import sys

import pytest
from click.testing import CliRunner

from dout.cli import main


def test_it_sees_checks_and_learns():
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    from dout import demo

    assert demo.run() >= 0.96


def test_it_says_what_it_did():
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 0, result.output
    for said in (
        "715.0000000000001",
        "<- 110.00000000000001",
        "loss: right in all",
        "1,438 images",
        "97.",
        "dout check",
    ):
        assert said in result.output


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 1
    assert 'pip install "dout[demo]"' in result.output
    assert "Traceback" not in result.output
