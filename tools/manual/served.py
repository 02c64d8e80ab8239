"""A server that a page has a reader start: whether it answers, and ends as it should."""

from __future__ import annotations

import re
import signal
import subprocess
import urllib.request

_ADDRESS = re.compile(r"http://\S+")


def served(command: list[str], mark: bytes, stop: signal.Signals = signal.SIGINT) -> tuple[int, list[str]]:
    """Starts a server, asks for its page as a browser does, and ends it; by default as a person does, with Ctrl-C.

    Args:
        command: Which says the address on a line of its own.
        mark: What is in the page.
        stop: What ends it.

    Returns:
        Its exit code, and what it said up to that line.

    Raises:
        ValueError: It ended, or another page came.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        said: list[str] = []
        try:
            for line in server.stdout:
                said.append(line.rstrip())
                if (found := _ADDRESS.search(line)) is not None:
                    break
            else:
                raise ValueError(f"{command[0]} ended: {said[-3:]}")
            with urllib.request.urlopen(found[0], timeout=60) as answer:
                if mark not in answer.read():
                    raise ValueError(f"{found[0]}: another page")
        finally:
            server.send_signal(stop)
            server.stdout.read()
        return server.wait(60), said
