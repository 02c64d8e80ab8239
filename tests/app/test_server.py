import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from amgan.app.server import HOST, listen
from amgan.cli import app
from amgan.errors import MissingExtraError, RequestError


def test_it_listens_on_this_computer_only() -> None:
    with listen(0) as listening:
        host, port = listening.getsockname()
        assert host == HOST and port > 0
        with pytest.raises(RequestError, match=f"--port {port}: cannot be used"):
            listen(port)
        with socket.create_connection((HOST, port), timeout=5):
            pass


def test_a_missing_gradio_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gradio" else found(name))
    result = CliRunner().invoke(app, ["ui", "--no-browser", "--port", "0"])
    assert isinstance(result.exception, MissingExtraError) and "amgan[ui]" in str(result.exception)


# The folder's part of `amgan ui` alone, before the page is served and while it is.
WAITING = """
import time
from amgan.app import server
with server.one_folder() as folder:
    (folder / "face.jpg").touch()
    print("there", flush=True)
    time.sleep(60)
"""
SERVING = """
from fastapi import FastAPI
from amgan.app import server
server.build_app = lambda *_: FastAPI()
with server.listen(0) as listening, server.one_folder() as folder:
    (folder / "face.jpg").touch()
    server.serve(None, listening, folder, lambda address: print(address.rpartition(":")[2], flush=True), False)
"""
ENDS = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def started(program: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process of Python, which ends with the block however that does."""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment) as run:
        try:
            yield run
        finally:
            run.kill()


@pytest.mark.skipif(os.name == "nt", reason="no process is sent a signal there")
@pytest.mark.parametrize("program", [WAITING, SERVING])
@pytest.mark.parametrize("name", ENDS)
def test_a_closed_terminal_leaves_no_folder(tmp_path: Path, program: str, name: str) -> None:
    if program is SERVING:
        pytest.importorskip("uvicorn")
        pytest.importorskip("fastapi")
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    # Whoever runs the tests under nohup has them ignore the end of a terminal.
    heeding = f"import signal\nsignal.signal(signal.{name}, signal.SIG_DFL)\n{program}"
    with started(heeding, environment) as run:
        assert run.stdout is not None
        said = run.stdout.readline().strip()
        if program is SERVING:
            with socket.create_connection((HOST, int(said)), timeout=30) as asking:
                asking.settimeout(30)
                asking.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert asking.recv(4)  # an answer: it is served
        assert [path.name for path in tmp_path.glob("amgan-ui-*/face.jpg")]
        # As a shell and then the terminal itself say it.
        for _ in range(2):
            run.send_signal(getattr(signal, name))
        assert run.wait(60) == 128 + signal.SIGTERM
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif("SIGHUP" not in ENDS, reason="no such signal there")
def test_under_nohup_the_page_outlives_its_terminal(tmp_path: Path) -> None:
    ignoring = f"import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n{WAITING}"
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with started(ignoring, environment) as run:
        assert run.stdout is not None and run.stdout.readline() == "there\n"
        run.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(1)
        run.send_signal(signal.SIGTERM)
        assert run.wait(60) == 128 + signal.SIGTERM
    assert not list(tmp_path.iterdir())
