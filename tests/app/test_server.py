import importlib.util
import socket

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
