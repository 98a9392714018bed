"""A function seen again with other numbers: their names, their types, and what its errors say."""

import numpy as np
import pytest

import dout
from dout.see.again import Again, said
from dout.see.live import Live


def f(x, w, n: int = 2, *, scale=1.0):
    return np.sum(w * x) ** n * scale


class TestInputs:
    def test_numbers_and_entries_by_name(self):
        again = Again(f, (2.0, np.array([[1.0, np.nan]])), {"scale": 3})
        assert again.inputs == {"x": 2.0, "w[0, 0]": 1.0, "w[0, 1]": "NaN", "scale": 3}

    def test_containers(self):
        again = Again(lambda p, q: p, ({"a": 1.5, "b": np.array([2.0])}, [3, "text", True]))
        assert again.inputs == {"p['a']": 1.5, "p['b'][0]": 2.0, "q[0]": 3}
        args, _ = again.arguments({"p['b'][0]": 7, "q[0]": 4})
        assert args == ({"a": 1.5, "b": np.array([7.0])}, [4, "text", True])

    def test_what_has_no_slider(self):
        again = Again(lambda *a: a, (1j, np.array([1j]), 2**60, np.zeros(65), "text", np.arange(3)))
        assert again.inputs == {}

    def test_entries_of_a_large_array_go_by_name_all_the_same(self):
        again = Again(lambda w: w, (np.zeros(100),))
        (w,), _ = again.arguments({"w[99]": 1})
        assert w[99] == 1
        assert w.sum() == 1

    def test_types_stay(self):
        values = (np.float32(1), np.array(2.0), 3, 4.0, np.array([5.0], np.float32))
        again = Again(lambda a, b, c, d, e: a, values)
        args, _ = again.arguments({"a": 10, "b": 20, "c": 30, "d": 40, "e[0]": 50})
        assert [type(v) for v in args] == [np.float32, np.ndarray, int, float, np.ndarray]
        assert [v.dtype for v in (args[0], args[1], args[4])] == [np.float32, np.float64, np.float32]
        assert args == (10, 20, 30, 40, 50)
        assert Again(lambda c: c, (3,)).arguments({"c": 3.5}) == ((3.5,), {})

    def test_infinities(self):
        assert Again(f, (np.inf, -np.inf)).inputs == {"x": "Infinity", "w": "-Infinity"}
        ((x, _), _) = Again(f, (1.0, 1.0)).arguments({"x": "-Infinity"})
        assert x == -np.inf

    def test_the_caller_s_arrays_are_left_alone(self):
        w = np.ones(2)
        again = Again(f, (1.0, w))
        w[:] = 9
        assert again.inputs["w[0]"] == 1.0
        again.arguments({"w[0]": 5})
        assert again.inputs["w[0]"] == 1.0

    def test_variables_count_by_their_values(self):
        assert Again(lambda v: v, (dout.Variable(2.0),)).inputs == {"v": 2.0}

    @pytest.mark.parametrize(
        ("inputs", "message"),
        [
            ({"y": 1}, "there is no 'y'; there are x, w\\[0\\], w\\[1\\]"),
            ({"w[2]": 1}, "there is no"),
            ({"w[0, 0]": 1}, "there is no"),
            ({"w[-1]": 1}, "there is no"),
            ({"w[a]": 1}, "there is no"),
            ({"x": "5"}, "x: expected a number, got '5'"),
            ({"x": True}, "expected a number"),
            ({"x": None}, "expected a number"),
            ({"x": [1]}, "expected a number"),
        ],
    )
    def test_what_is_refused(self, inputs, message):
        with pytest.raises(ValueError, match=message):
            Again(f, (1.0, np.ones(2))).checked(inputs)


class TestLive:
    def test_it_is_what_see_gives(self):
        def price(apple, number, tax):
            return apple * number * tax

        live = Live(dout.see(price, 100, 2, 1.1))
        live.move({"apple": 150, "tax": 1.2})
        assert live.description == dout.see(price, 150, 2, 1.2).describe()
        assert live.inputs == {"apple": 150, "number": 2, "tax": 1.2}

    def test_numerical_derivatives_are_compared_again(self):
        def square(x):
            return x * x

        live = Live(dout.see(square, 3.0, numerical=True))
        live.move({"x": 5.0})
        assert live.picture.numerical
        assert live.description == dout.see(square, 5.0, numerical=True).describe()

    def test_python_decides_anew(self):
        live = Live(dout.see(lambda x: x * x if x > 0 else -x, 3.0))
        live.move({"x": -2.0})
        assert [node["op"] for node in live.description["nodes"]] == ["", "negative"]

    def test_layers_and_arrays(self):
        relu = dout.Relu()
        live = Live(dout.see(relu, np.array([1.0, -1.0])))
        live.move({"x[1]": 5.0})
        assert live.description["outputs"][0]["value"]["data"] == [1.0, 5.0]

    def test_an_error_is_kept_and_passes(self):
        def root(x):
            if x < 0:
                raise ValueError("too small")
            return x * x

        live = Live(dout.see(root, 2.0))
        before = live.description
        live.move({"x": -1.0})
        line = root.__code__.co_firstlineno + 2
        assert live.error == f'test_again.py, line {line}: ValueError: too small\n    raise ValueError("too small")'
        assert live.description == before
        assert live.inputs == {"x": -1.0}
        live.move({"x": 3.0})
        assert live.error == ""
        assert live.description["outputs"][0]["value"]["v"] == 9.0

    def test_a_function_that_ends_the_program(self):
        def leave(x):
            if x < 0:
                raise SystemExit(3)
            return x * x

        live = Live(dout.see(leave, 2.0))
        live.move({"x": -1.0})
        assert "SystemExit: 3" in live.error

    def test_a_wrong_name_changes_nothing(self):
        live = Live(dout.see(lambda x: x * x, 2.0))
        with pytest.raises(ValueError, match="there is no 'y'"):
            live.move({"x": 1.0, "y": 1.0})
        assert live.inputs == {"x": 2.0}

    def test_a_graph_can_t_be_computed_again(self):
        live = Live(dout.see(dout.Variable(2.0) * 3.0))
        assert live.inputs == {}
        with pytest.raises(ValueError, match="made from a graph"):
            live.move({"x": 1.0})


class TestErrors:
    def test_of_syntax(self):
        with pytest.raises(SyntaxError) as caught:
            compile("x = 1\nf((", "shop.py", "exec")
        assert said(caught.value) == "line 2: SyntaxError: '(' was never closed\n    f(("

    def test_below_the_user_s_code(self):
        def f():
            np.linalg.inv(np.zeros((2, 2)))

        with pytest.raises(np.linalg.LinAlgError) as caught:
            f()
        text = said(caught.value)
        assert text.startswith(f"test_again.py, line {f.__code__.co_firstlineno + 1}: LinAlgError: Singular matrix")

    def test_notes_and_empty_messages(self):
        error = KeyError()
        error.add_note("look here")
        assert said(error) == "KeyError; look here"
