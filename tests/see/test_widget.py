"""The widget's Python side: traits that follow one another. What it shows is seen in tests/browser."""

import sys

import numpy as np
import pytest

import dout


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.delitem(sys.modules, "dout.see.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=r"widget\(\) needs anywidget: pip install 'dout\[notebook\]'"):
        dout.see(lambda x: x * x, 3.0).widget()


class TestWidget:
    @pytest.fixture(autouse=True)
    def needs_anywidget(self):
        pytest.importorskip("anywidget", reason="needs anywidget: pip install 'dout[notebook]'")

    def test_setting_inputs(self):
        def scaled(x, w):
            return x * np.sort(w)[0]

        w = dout.see(scaled, 2.0, np.array([3.0, 4.0])).widget()
        assert w.inputs == {"x": 2.0, "w[0]": 3.0, "w[1]": 4.0}
        assert w.description == dout.see(scaled, 2.0, np.array([3.0, 4.0])).describe()
        w.inputs = {"w[1]": 1}
        assert w.inputs == {"x": 2.0, "w[0]": 3.0, "w[1]": 1}
        assert w.description == dout.see(scaled, 2.0, np.array([3.0, 1.0])).describe()
        assert w.picture.totals[w.picture.graph.inputs[0]] == 1.0
        assert w.error == ""

    def test_as_the_page_sends_it(self):
        w = dout.see(lambda x, y: x * y, 2.0, 3.0).widget()
        seen = []
        w.observe(lambda change: seen.append((change["name"], w.inputs["x"])), ["description", "inputs"])
        w.set_state({"inputs": {"x": 5, "y": 3.0}})
        assert w.description["outputs"][0]["value"]["v"] == 15.0
        assert {name for name, _ in seen} == {"inputs", "description"}
        assert {x for _, x in seen} == {5}

    def test_errors(self):
        def root(x):
            if x < 0:
                raise ValueError("negative")
            return np.sqrt(x)

        w = dout.see(root, 4.0).widget()
        w.inputs = {"x": -1.0}
        assert "ValueError: negative" in w.error
        assert w.inputs == {"x": -1.0}
        w.inputs = {"x": 9.0}
        assert w.error == ""
        assert w.description["outputs"][0]["value"]["v"] == 3.0

    @pytest.mark.parametrize("inputs", [{"y": 1.0}, {"x": "a"}, {"x": None}])
    def test_what_is_refused(self, inputs):
        w = dout.see(lambda x: x * x, 3.0).widget()
        with pytest.raises(ValueError, match="inputs: "):
            w.inputs = inputs
        assert w.inputs == {"x": 3.0}
        assert w.description["outputs"][0]["value"]["v"] == 9.0

    def test_options(self):
        w = dout.see(lambda x: x * x, 3.0).widget(lang="zh")
        assert w.description["lang"] == "zh"
        w.inputs = {"x": 4.0}
        assert w.description["lang"] == "zh"

    def test_of_a_graph(self):
        w = dout.see(dout.Variable(2.0) * 3.0).widget()
        assert w.inputs is None
        with pytest.raises(ValueError, match="made from a graph"):
            w.inputs = {"x": 1.0}

    def test_it_holds_nothing_that_json_does_not(self):
        w = dout.see(lambda x, y: x / y, np.inf, 1.0).widget()
        assert w.inputs == {"x": "Infinity", "y": 1.0}
        w.inputs = {"y": np.float32(2)}
        assert type(w.inputs["y"]) is float
