"""The app of `dout see --serve`: what it shows, what may ask for it, and its few addresses.

It is started by `serve.py`. All of the user's code runs on one thread, so that the app answers while it computes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import hmac
import json
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .live import Live
from .picture import Picture
from .words import say, words

#: A request with more than this in it is refused.
LARGEST = 1_000_000
#: How long an event stream waits before it looks whether the app is to stop.
TICK = 0.25
#: After how many of these in which nothing happened it says so.
QUIET = 60

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Gate:
    """Lets in only what was sent to this computer by name, with the token, and from the app's own page.

    A page of another site can send requests here too. It doesn't know the token; if it makes its own name point here, the
    Host header tells; and what changes something must come from the same origin.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        refused = self._refused(Headers(scope=scope), scope)
        if refused is not None:
            await refused(scope, receive, answer)
            return
        await self._app({**scope, "root_path": f"/{self._token.decode()}"}, receive, answer)

    def _refused(self, headers: Headers, scope: Scope) -> Response | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].partition(":")[0] not in ("127.0.0.1", "localhost"):
            return PlainTextResponse("Not for this host.", 400)
        first, slash, _ = scope["path"].removeprefix("/").partition("/")
        if not (hmac.compare_digest(first.encode("utf-8", "replace"), self._token) and slash):
            return PlainTextResponse("The address has to be the whole one that dout see printed.", 403)
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{hosts[0]}":
            return PlainTextResponse("Not from another site.", 403)
        followed = scope["method"] == "GET" and headers.get("sec-fetch-dest") == "document"  # a link, in a web terminal
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not followed:
            return PlainTextResponse("Not from another site.", 403)
        return None


class Stopped(BaseException):
    """Raised in the user's code when it is broken off. Not an Exception, which that code may catch."""


class Worker:
    """Runs one job after another on a thread that doesn't keep the program from ending."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._busy = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while True:
            with contextlib.suppress(Stopped):  # it came when the job was done
                self._jobs.get()()

    def stop(self) -> None:
        """Break off the job that runs now, if there is one. Python does so between two of its instructions."""
        with self._lock:
            if self._busy and self._thread.ident is not None:
                ident = ctypes.c_ulong(self._thread.ident)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Stopped))

    def _done(self, job: Callable[[], bytes]) -> tuple[bytes, BaseException | None]:
        try:
            try:
                self._busy = True
                return job(), None
            finally:
                with self._lock:
                    self._busy = False
        except BaseException as error:  # the thread must live on
            return b"", error

    async def run(self, job: Callable[[], bytes]) -> bytes:
        """What a job gives, once its turn has come."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[bytes] = loop.create_future()

        def settle(result: bytes, error: BaseException | None) -> None:
            if done.cancelled():
                return
            if error is None:
                done.set_result(result)
            else:
                done.set_exception(error)

        def work() -> None:
            result, failed = self._done(job)
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, result, failed)

        self._jobs.put(work)
        return await done


class Session:
    """What the app shows: a picture, the numbers set in the page, and what went wrong.

    Attributes:
        version: grows with every change.
        changed: set, and made new, at each change.
    """

    def __init__(
        self, run: Callable[[], Picture], told: Callable[[BaseException], str], options: Mapping[str, Any]
    ) -> None:
        self._run, self._told, self._options = run, told, dict(options)
        self._live = Live(run(), **self._options)
        self._moved: dict[str, Any] = {}
        self._broken = ""  # what is wrong with the file
        self._worker = Worker()
        self.version = 1
        self.changed = asyncio.Event()

    async def do(self, job: Callable[[], bytes]) -> bytes:
        """Run one of the methods below on the thread of the user's code; tell the open pages if something is new."""
        before = self.version
        try:
            answer = await self._worker.run(job)
        except Stopped:
            answer = self.state()
        if self.version != before:
            self.changed.set()
            self.changed = asyncio.Event()
        return answer

    def stop(self) -> None:
        """Break off what runs now: it may never end."""
        self._worker.stop()

    def reload(self) -> bytes:
        """Run the file again, and keep the numbers that were set in the page, where they still are."""
        try:
            live = Live(self._run(), **self._options)
            self._moved = {name: value for name, value in self._moved.items() if name in live.inputs}
            if self._moved:
                live.move(self._moved)
            self._live, self._broken = live, ""
        except (Exception, SystemExit) as error:
            self._broken = self._told(error)
        self.version += 1
        return self.state()

    def move(self, inputs: Mapping[str, Any]) -> bytes:
        """Compute with other numbers."""
        all_inputs = self._live.checked(inputs)
        shown = {**self._live.inputs, **self._moved}
        self._moved |= {name: all_inputs[name] for name in inputs if all_inputs[name] != shown.get(name)}
        if not self._broken:
            self._live.move(inputs)
        self.version += 1
        return self.state()

    def state(self) -> bytes:
        """All that the page shows, as JSON."""
        live = self._live
        error = self._broken or live.error
        inputs = {**live.inputs, **self._moved}
        state = {
            "version": self.version,
            "description": live.description,
            "inputs": inputs,
            "error": error,
            "words": {lang: say("serve.gone", lang) for lang in words()},
        }
        return json.dumps(state, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def app_of(session: Session, token: str, files: Mapping[str, tuple[str, str]], stopping: Callable[[], bool]) -> Gate:
    """The app.

    Args:
        session: what it shows.
        token: what every address begins with.
        files: for each file's name its media type and its text; "" is the page itself.
        stopping: whether the app is to end, and with it the event streams.
    """

    async def state(request: Request) -> Response:
        return Response(await session.do(session.state), media_type="application/json")

    async def move(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return PlainTextResponse("expected application/json", 415)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                return PlainTextResponse("too long", 413)
        try:
            inputs = json.loads(body)
            if not isinstance(inputs, dict):
                raise ValueError("expected names and numbers")
            answer = await session.do(lambda: session.move(inputs))
        except (ValueError, RecursionError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return Response(answer, media_type="application/json")

    async def events(request: Request) -> Response:
        return StreamingResponse(_events(session, stopping), media_type="text/event-stream")

    named = [Route(f"/{name}", _file(media, text)) for name, (media, text) in files.items()]
    others = [Route("/state", state), Route("/inputs", move, methods=["POST"]), Route("/events", events)]
    return Gate(Starlette(routes=[*named, *others]), token)


def _file(media: str, text: str) -> Callable[[Request], Awaitable[Response]]:
    async def file(request: Request) -> Response:
        return Response(text, media_type=media)

    return file


async def _events(session: Session, stopping: Callable[[], bool]) -> AsyncIterator[str]:
    """The number of each new version, as server-sent events; now and then an empty one, which finds out who has gone."""
    seen = quiet = 0
    while not stopping():
        if session.version != seen:
            seen = session.version
            yield f"data: {seen}\n\n"
        try:
            await asyncio.wait_for(session.changed.wait(), TICK)
        except TimeoutError:
            quiet += 1
            if quiet % QUIET == 0:
                yield ":\n\n"
