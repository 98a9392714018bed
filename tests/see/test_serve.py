"""`dout see --serve`: who is let in, what is computed, what happens when the file is saved, and how it ends."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from servers import ENV, App, needs

needs("starlette", "uvicorn", "watchfiles")

SHOP = """\
import numpy as np
from helpers import vat


def price(apple, number, tax=1.1):
    cost = apple * number
    return cost * tax * vat


def net(w):
    if w[0] < 0:
        while True:
            pass
    return np.sum(np.tanh(w))
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "helpers.py").write_text("vat = 1.0\n")
    return tmp_path


@pytest.fixture
def app(folder):
    app = App(folder, "shop.py:price", "apple=100", "number=2")
    yield app
    status, _, err = app.stop()
    assert status == 0
    assert err == ""


def output(state):
    return state["description"]["outputs"][0]["value"]["v"]


def test_who_is_let_in(app):
    status, headers, text = app.get()
    assert status == 200
    assert text.startswith("<!doctype html>")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert [name for name in headers if name.lower().startswith("access-control")] == []
    base = f"http://127.0.0.1:{app.port}"
    token = app.url.split("/")[3]
    assert len(token) >= 32
    for path in ("/", "/state", f"/{token}", f"/{token[:-1]}/", f"/{token}x/state", "//", f"/x/../{token}/", "/%FF/"):
        assert app.get(path, base)[0] == 403, path
    assert app.get("nothing")[0] == 404
    assert app.get("../state")[0] in (403, 404)


def test_names_that_point_here(app):
    assert app.get(url=app.url.replace("127.0.0.1", "localhost"))[0] == 200
    for host in ("evil.example", f"evil.example:{app.port}", "127.0.0.1.evil.example", "", "[::1]"):
        assert app.get("state", Host=host)[0] == 400, host
    with socket.socket() as other, pytest.raises(OSError, match="refused"):
        other.connect(("127.0.0.2", app.port))


def test_requests_from_other_sites(app):
    assert app.get("state", Origin=f"http://127.0.0.1:{app.port}")[0] == 200
    assert app.get("state", Sec_Fetch_Site="same-origin")[0] == 200
    assert app.get(Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="document")[0] == 200  # a link that was followed
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
                    {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}):  # fmt: skip
        assert app.get("state", **headers)[0] == 403, headers


def test_numbers_set_in_the_page(app):
    state = app.state()
    assert state["inputs"] == {"apple": 100, "number": 2}
    assert output(state) == 220.00000000000003
    assert state["error"] == ""
    status, state = app.move(apple=150)
    assert status == 200
    assert state["inputs"] == {"apple": 150, "number": 2}
    assert output(state) == output(app.state()) == 330.0


def test_what_is_no_number(app):
    status, answer = app.move(pear=1)
    assert (status, answer["error"]) == (400, "inputs: there is no 'pear'; there are apple, number")
    assert app.move(apple="x")[0] == 400
    for data in (b"[]", b"{", b"\xff", b"1", b"[" * 100_000):
        assert app.get("inputs", data=data, Content_Type="application/json")[0] == 400
    assert app.get("inputs", data=b"{}", Content_Type="text/plain")[0] == 415
    assert app.get("inputs", data=b" " * 1_100_000, Content_Type="application/json")[0] == 413
    assert app.get("inputs")[0] == 405
    assert app.state()["inputs"] == {"apple": 100, "number": 2}


def test_saving_the_file(app, folder):
    shop = folder / "shop.py"
    app.move(apple=150)
    shop.write_text(SHOP.replace("cost * tax", "2 * cost * tax"))
    assert app.until(lambda state: output(state) == 660.0)["inputs"] == {"apple": 150, "number": 2}
    shop.write_text(SHOP.replace("cost * tax", "cots * tax"))
    state = app.until(lambda state: state["error"])
    assert state["error"].startswith("shop.py, line 7: NameError: name 'cots' is not defined")
    assert state["error"].endswith("\n    return cots * tax * vat")
    assert output(state) == 660.0
    assert app.move(number=4)[1]["error"] == state["error"]
    assert app.move(number=3)[1]["inputs"] == {"apple": 150, "number": 3}
    shop.write_text("def price(:\n")
    assert "line 1: SyntaxError" in app.until(lambda state: "NameError" not in state["error"])["error"]
    shop.write_text("raise SystemExit(3)\n")
    assert "line 1: SystemExit: 3" in app.until(lambda state: "SyntaxError" not in state["error"])["error"]
    shop.write_text("def cost(apple):\n    return apple\n")
    assert "has no 'price'; it has cost" in app.until(lambda state: "SystemExit" not in state["error"])["error"]
    shop.write_text("def price(apple, number, pear):\n    return apple\n")
    assert "price needs a value for pear" in app.until(lambda state: "has no" not in state["error"])["error"]
    shop.write_text(SHOP)
    state = app.until(lambda state: not state["error"])
    assert state["inputs"] == {"apple": 150, "number": 3}
    assert output(state) == 495.00000000000006


def test_saving_a_file_that_it_imports(app, folder):
    (folder / "helpers.py").write_text("vat = 2.0\n")
    assert app.until(lambda state: output(state) == 440.00000000000006)["error"] == ""
    (folder / "helpers.py").write_text("vat = = 2.0\n")
    assert app.until(lambda state: state["error"])["error"].startswith("helpers.py, line 1: SyntaxError")


def test_events(app, folder):
    with urllib.request.urlopen(app.url + "events", timeout=20) as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")
        first = int(events.readline().decode().removeprefix("data: "))
        assert events.readline() == b"\n"
        (folder / "shop.py").write_text(SHOP + "\n")
        assert int(events.readline().decode().removeprefix("data: ")) > first


def test_arrays_and_an_error_of_the_function(folder):
    app = App(folder, "shop.py:net", "w=[0.5,2]")
    try:
        _, state = app.move(**{"w[1]": 0})
        assert state["inputs"] == {"w[0]": 0.5, "w[1]": 0}
        assert output(state) == pytest.approx(0.46211715726)
        (folder / "shop.py").write_text(
            SHOP.replace("while True:", "raise ValueError('below 0')").replace("            pass\n", "")
        )
        app.until(lambda state: state["version"] > 2)
        _, state = app.move(**{"w[0]": -1})
        assert "ValueError: below 0" in state["error"]
        assert app.move(**{"w[0]": 1})[1]["error"] == ""
    finally:
        status, _, err = app.stop()
    assert (status, err) == (0, "")


ENDLESS = """\
def price(apple, number):
    while True:
        try:
            apple = apple * 1
        except Exception:
            pass
"""


def test_a_file_that_runs_forever_can_be_mended(app, folder):
    (folder / "shop.py").write_text(ENDLESS)
    time.sleep(4)  # long enough that it runs
    (folder / "shop.py").write_text("def price(apple, number):\n    return apple * number * 3\n")
    assert app.until(lambda state: output(state) == 600)["error"] == ""


def test_it_ends_while_the_function_runs_forever(folder):
    app = App(folder, "shop.py:net", "w=[0.5,2]")
    events = urllib.request.urlopen(app.url + "events")
    with pytest.raises(TimeoutError):
        app.get("inputs", data=b'{"w[0]": -1}', timeout=1, Content_Type="application/json")
    assert app.get()[0] == 200  # it still answers
    started = time.monotonic()
    assert app.stop()[0] == 0
    assert time.monotonic() - started < 8
    events.close()


def test_what_is_wrong_at_the_beginning_ends_it(folder):
    (folder / "shop.py").write_text("def price(x):\n    return y\n")
    app = subprocess.run(
        [sys.executable, "-c", "from dout.cli import main; main()", "see", "shop.py:price", "x=1", "--serve"],
        cwd=folder, env=ENV, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert app.returncode == 1
    assert app.stderr == "Error: shop.py, line 2: NameError: name 'y' is not defined\n"
