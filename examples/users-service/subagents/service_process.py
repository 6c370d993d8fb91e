"""The users service as a process of its own, for the scripts that ask it over HTTP."""

from __future__ import annotations

import contextlib
import json
import subprocess
from http.client import HTTPConnection
from pathlib import Path
from typing import Iterator, Mapping, Optional

from running import PYTHON


class Service:
    """A running users service."""

    def __init__(self, port: int) -> None:
        """Keeps the port."""
        self.port = port

    @property
    def url(self) -> str:
        """Returns the address of the service."""
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, method: str, path: str, body: object = None, headers: Optional[Mapping[str, str]] = None
    ) -> tuple[int, dict[str, str], object]:
        """Sends a request, with bytes as they are and anything else as JSON; returns status, headers and document of the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode("utf-8")
            connection.request(method, path, content, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), _document(answer.read())
        finally:
            connection.close()


def _document(body: bytes) -> object:
    """Returns the JSON document of an answer, or None when it is none: then the service did not write it."""
    try:
        return json.loads(body)
    except ValueError:
        return None


class ServiceError(Exception):
    """The service did not start."""


@contextlib.contextmanager
def running_service(root: Path, database: Path) -> Iterator[Service]:
    """Runs the service of a tree as a process of its own, on a free port; stops it in the end."""
    command = [*PYTHON, "-m", "users_service", "--database", str(database), "serve", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("listening on "):
            raise ServiceError(f"the service did not start: {line.strip() or 'it said nothing'}")
        print(f"started the service: {line.strip()}", flush=True)
        yield Service(int(line.rsplit(":", 1)[1]))
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
        print(f"stopped the service (exit code {process.returncode})", flush=True)
