"""Serves the page on this computer only: no request leaves it, and all files lie in one folder that is deleted."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from amgan.errors import MissingExtraError, RequestError
from amgan.inference.ager import Ager

if TYPE_CHECKING:
    from fastapi import FastAPI

HOST = "127.0.0.1"
MAX_UPLOAD = "200mb"

# Read by Gradio when it is imported.
_SETTINGS = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "GRADIO_HEARTBEAT_INTERVAL": "2",  # seconds until a closed page is noticed
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}

# Gradio's own scripts need the two "unsafe"; what matters is that nothing is fetched from or sent to another host.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; font-src 'self' data:; connect-src 'self' blob: data:; worker-src 'self' blob:; "
    "frame-ancestors 'none'; form-action 'self'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),  # a browser keeps no photo on its disk
]


def check_installed() -> None:
    """Finds out without the seconds that importing it takes whether Gradio is there.

    Raises:
        MissingExtraError: It is not.
    """
    if importlib.util.find_spec("gradio") is None:
        raise MissingExtraError("the page wants the package 'gradio'; pip install 'amgan[ui]'")


def listen(port: int) -> socket.socket:
    """A socket on this computer's own address.

    Args:
        port: 0 takes any free one.

    Raises:
        RequestError: The port cannot be used.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        raise RequestError(f"--port {port}: cannot be used ({error.strerror}); choose another, or 0 for any") from error
    listening.listen()
    return listening


@contextlib.contextmanager
def one_folder() -> Iterator[Path]:
    """A temporary folder for all that this process writes, libraries' caches too; at the end it is deleted."""
    kept = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="amgan-ui-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # MediaPipe imports Matplotlib, which else keeps a list of fonts in the user's home.
        os.environ.update(_SETTINGS, GRADIO_TEMP_DIR=name, MPLCONFIGDIR=str(folder / "matplotlib"))
        # What libraries write without asking where goes there too.
        tempfile.tempdir = name
        _end_in_order()
        try:
            yield folder
        finally:
            tempfile.tempdir = kept


def _end_in_order() -> None:
    """Of a termination and of a terminal that is closed, as of Ctrl-C, the folder's end must still come."""
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is not None and signal.getsignal(hang_up) is signal.SIG_IGN:
        hang_up = None  # as under nohup, which wants the page to stay

    def end(*_: object) -> NoReturn:
        # A terminal may say it twice, and the second must not come between the folder and its end.
        for ended in (signal.SIGTERM, hang_up):
            if ended is not None:
                signal.signal(ended, signal.SIG_IGN)
        sys.exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    if hang_up is not None:
        # uvicorn, which knows no SIGHUP, stops in order of the other.
        signal.signal(hang_up, lambda *_: signal.raise_signal(signal.SIGTERM))


def serve(
    ager: Ager,
    listening: socket.socket,
    folder: Path,
    ready: Callable[[str], None],
    browser: bool,
    model: Sequence[str] = (),
) -> None:
    """Serves the page until Ctrl-C, a termination signal, or the end of its terminal.

    Args:
        ager: The model.
        listening: Of `listen`.
        folder: Of `one_folder`.
        ready: Is told the page's address.
        browser: Whether to open the page in the standard browser.
        model: As for `Studio`.
    """
    app = build_app(ager, folder, model)
    import uvicorn

    address = f"http://{HOST}:{listening.getsockname()[1]}"
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    ready(address)
    if browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    # uvicorn stops in order and then raises Ctrl-C once more; being the way to end a page, it is no failure.
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def build_app(ager: Ager, folder: Path, model: Sequence[str] = ()) -> FastAPI:
    """The page and its downloads as one application.

    Args:
        ager: The model.
        folder: Of all files; Gradio must have been told of it before it is imported.
        model: As for `Studio`.
    """
    import gradio as gr
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from amgan.app.downloads import downloads
    from amgan.app.page import Page
    from amgan.app.studio import Studio
    from amgan.app.theme import page_theme

    studio = Studio(ager, folder, model)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(downloads(studio))
    gr.mount_gradio_app(
        app,
        Page(studio).blocks,
        path="/",
        server_name=HOST,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        max_file_size=MAX_UPLOAD,
        theme=page_theme(),
        head=f"<style>{_beside('page.css')}{_beside('widgets.css')}</style><script>{_beside('drop.js')}</script>",
    )
    # A page of another host that a browser was tricked into taking for this one is refused.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    app.add_middleware(_Headers)
    return app


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


class _Headers:
    """Adds `_HEADERS` to every answer; streams pass as they are."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in _HEADERS}
                message["headers"] = [h for h in message["headers"] if h[0].lower() not in names] + _HEADERS
            await send(message)

        await self.app(scope, receive, with_headers)
