"""What the tests in a browser start: a Chromium, and servers that end with the test."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import dout

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ENV = {**os.environ, "PYTHONPATH": str(Path(dout.__file__).parent.parent), "PYTHONDONTWRITEBYTECODE": "1"}


def needs(*modules: str) -> None:
    """Skip the file of tests that calls this, if something is missing, and say what."""
    tests = Path(sys._getframe(1).f_globals["__file__"]).name
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        extras = "pip install -e '.[browser,notebook,viewer]'"
        pytest.skip(f"{tests} needs {', '.join(missing)}: {extras}", allow_module_level=True)
    if "playwright" in modules and CHROMIUM is None:
        pytest.skip(f"{tests} needs a Chromium: apt-get install chromium", allow_module_level=True)


@contextmanager
def browser() -> Iterator[object]:
    """A Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield chromium
        finally:
            chromium.close()


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def started(
    command: list[str], url: str, folder: Path, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen]:
    """A server of this Python's, once it answers at an address; it ends with the test, and so does what it started."""
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env={**ENV, **(env or {})}, stdout=out, stderr=out
        )
        try:
            until = time.monotonic() + 120
            while not answers(url):
                if process.poll() is not None or time.monotonic() > until:
                    pytest.fail(f"{command[0]} did not start:\n{log.read_text()}")
                time.sleep(0.1)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def keep(page: object, name: str) -> None:
    """Keep a screenshot, for people to look at."""
    page.screenshot(path=Path(__file__).parent / "browser" / "artefacts" / f"{name}.png")


def watched(page: object) -> list[str]:
    """A list that fills with what goes wrong in a page."""
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    return wrong


class App:
    """The app of `dout see --serve` in a process of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        code = "from dout.cli import main; main(prog_name='dout')"
        command = [sys.executable, "-c", code, "see", *words, "--serve", "--no-browser"]
        self.process = subprocess.Popen(
            command, cwd=folder, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.split(":")[2].partition("/")[0])

    def get(self, path="", url=None, data=None, timeout=20, **headers):
        """The status, the headers and the text of an answer."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request((self.url if url is None else url) + path, data=data, headers=given)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def state(self):
        return json.loads(self.get("state")[2])

    def move(self, **inputs):
        status, _, text = self.get("inputs", data=json.dumps(inputs).encode(), Content_Type="application/json")
        return status, json.loads(text)

    def until(self, fits):
        """The state, once it is as it should be."""
        end = time.monotonic() + 20
        while not fits(state := self.state()):
            assert time.monotonic() < end, state["error"]
            time.sleep(0.05)
        return state

    def stop(self):
        """End it as Ctrl-C does; the exit status and what it said besides the address."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            out, err = self.process.communicate(timeout=10)
        finally:
            self.process.kill()
        return self.process.returncode, out, err
