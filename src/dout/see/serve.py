"""`dout see --serve`: starts the app on this computer alone, watches the file, and ends with Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from .picture import Picture

try:
    import uvicorn
    from watchfiles import PythonFilter, awatch

    from .app import Session, app_of
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"--serve needs {error.name}: pip install 'dout[viewer]'", name=error.name) from error

#: After so many seconds of running the file, it is looked at again: it may run forever, and be mended.
ENOUGH = 1.0
#: When a file was last written, and how long it is.
Stamps = dict[Path, tuple[int, int]]


def serve(
    run: Callable[[], Picture],
    folders: Callable[[], set[Path]],
    *,
    told: Callable[[BaseException], str],
    options: Mapping[str, Any],
    say: Callable[[str], None],
    browser: bool = True,
) -> None:
    """Show what `run` gives, and compute it again for every slider that is moved and every time the file is saved.

    Args:
        run: runs the user's file anew and looks at the function.
        folders: where the files are that it depends on.
        told: what to say of an error in them.
        options: those of `Picture.describe`.
        say: prints a line.
        browser: whether to open a browser.
    """
    before = _stamps(folders())
    session = Session(run, told, options)
    seen = {**_stamps(folders()), **before}
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.bind(("127.0.0.1", 0))  # this computer only, any free port
        listening.listen(100)
        token = secrets.token_urlsafe(24)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/{token}/"
        say(f"{address}\nCtrl-C ends it.")
        if browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(session, folders, seen, token, listening))


async def _run(
    session: Session, folders: Callable[[], set[Path]], seen: Stamps, token: str, listening: socket.socket
) -> None:
    def stopping() -> bool:
        return bool(server.should_exit)

    app = app_of(session, token, _files(), stopping)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
    )
    watching = asyncio.create_task(_watch(session, folders, seen))
    try:
        await server.serve(sockets=[listening])
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):  # the folder may be gone
            await watching


async def _watch(session: Session, folders: Callable[[], set[Path]], seen: Stamps) -> None:
    """Run the file again after each time that it, or one that it depends on, is saved.

    What tells of changes may be slow to start, or say nothing at all on some disks, so the files are looked at too.
    """
    reloading: asyncio.Task[bytes] | None = None
    while True:
        watched = folders()
        changes = awatch(
            *watched,
            watch_filter=PythonFilter(),
            recursive=False,
            debounce=200,
            yield_on_timeout=True,
            rust_timeout=1000,
        )
        async for _ in changes:
            now = _stamps(watched)
            if now != seen:
                seen = now
                session.stop()  # of the file as it was, which may run forever
                reloading = asyncio.create_task(session.do(session.reload))
                await asyncio.wait([reloading], timeout=ENOUGH)
            if folders() != watched:
                seen = {**_stamps(folders()), **seen}
                break


def _stamps(folders: set[Path]) -> Stamps:
    """When each Python file was last written, and how long it is."""
    stamps: Stamps = {}
    for path in (path for folder in folders for path in folder.glob("*.py")):
        with contextlib.suppress(OSError):  # gone meanwhile
            stat = path.stat()
            stamps[path] = (stat.st_mtime_ns, stat.st_size)
    return stamps


def _files() -> dict[str, tuple[str, str]]:
    """What the app's page is made of, by name."""
    from .bundle import css, module

    page = files(__package__) / "page"
    shell = (page / "app.html").read_text(encoding="utf-8")
    return {
        "": ("text/html", shell),
        "app.js": ("text/javascript", (page / "app.js").read_text(encoding="utf-8")),
        "module.js": ("text/javascript", module()),
        "style.css": ("text/css", css()),
    }
