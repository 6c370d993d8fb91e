"""The service as a process of its own, for the end-to-end tests."""

import json
import subprocess
import sys
import tempfile
import unittest
from http.client import HTTPConnection
from pathlib import Path
from typing import Dict, Optional, Tuple

ROOT = Path(__file__).resolve().parents[2]


class ServiceTestCase(unittest.TestCase):
    """Runs `python3 -m users_service serve` on a free port, with a database of its own, for all tests of a class."""

    @classmethod
    def setUpClass(cls) -> None:
        """Starts the service and waits for the line that names its port."""
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.database = str(Path(directory.name) / "users.sqlite3")
        command = [sys.executable, "-B", "-m", "users_service", "--database", cls.database, "serve", "--port", "0"]
        cls.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True
        )
        cls.addClassCleanup(cls._stop)
        line = cls.process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError(f"the service did not start: {line!r}")
        cls.port = int(line.rsplit(":", 1)[1])

    @classmethod
    def _stop(cls) -> None:
        cls.process.terminate()
        try:
            cls.process.wait(timeout=10)
        finally:
            cls.process.kill()
            cls.process.wait()
            cls.process.stdout.close()

    def ask(
        self, method: str, path: str, document: object = None, headers: Optional[Dict[str, str]] = None
    ) -> Tuple[int, Dict[str, str], object]:
        """Sends a request with a JSON body; returns status, headers and document of the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            body = None if document is None else json.dumps(document).encode("utf-8")
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), json.loads(answer.read())
        finally:
            connection.close()
