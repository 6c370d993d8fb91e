"""What the scripts run: commands, test suites, and the service itself."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Iterator, Mapping, Optional

from contract import Evidence, Finding

PYTHON = [sys.executable, "-B", "-S"]
"""How Python is run: without writing caches, and without site packages, since the service needs none and must not."""

_SECONDS = 60
_RAN = re.compile(r"^Ran (\d+) tests? in", re.MULTILINE)
_SKIPPED = re.compile(r"skipped=(\d+)")
_BROKEN = re.compile(r"^(?:FAIL|ERROR): (.+)$", re.MULTILINE)
_FRAME = re.compile(r'File "[^"]*?(tests/[^"]+)", line (\d+)')


@dataclass(frozen=True)
class Completed:
    """A command that has ended."""

    command: str
    exit_code: int
    output: str

    @property
    def last_line(self) -> str:
        """Returns the last line of the output that is not empty."""
        lines = [line for line in self.output.splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def evidence(self, result: Optional[str] = None) -> Evidence:
        """Returns the line for the report; what it showed is the last line of its output unless something is given."""
        return Evidence(self.command, self.exit_code, self.last_line if result is None else result)


@dataclass(frozen=True)
class TestRun:
    """A test suite that has run."""

    completed: Completed
    ran: int
    skipped: int
    broken: list[str]

    @property
    def passed(self) -> int:
        """Returns how many tests passed."""
        return self.ran - self.skipped - len(self.broken)

    @property
    def is_green(self) -> bool:
        """Tells whether tests ran and all was well."""
        return self.completed.exit_code == 0 and self.ran > 0

    @property
    def counts(self) -> str:
        """Returns the counts in words."""
        return f"{self.passed} passed, {len(self.broken)} failed, {self.skipped} skipped"

    def evidence(self) -> Evidence:
        """Returns the line for the report."""
        return self.completed.evidence(self.counts)

    def findings(self) -> list[Finding]:
        """Returns a blocking finding for each broken test, with its place."""
        if not self.broken and not self.is_green:
            return [Finding("blocking", f"`{self.completed.command}` failed: {self.completed.last_line}")]
        found = []
        for block in self.completed.output.split("=" * 70)[1:]:
            title, frame = _BROKEN.search(block), _FRAME.search(block)
            lines = [line for line in block.split("-" * 70)[1].splitlines() if line.strip()] if "-" * 70 in block else []
            message = f"{title.group(1) if title else 'a test'}: {lines[-1] if lines else 'failed'}"
            path, line = (frame.group(1), int(frame.group(2))) if frame else (None, None)
            found.append(Finding("blocking", message, path, line))
        return found


def run(root: Path, arguments: list[str], shown: Optional[str] = None) -> Completed:
    """Runs Python with the arguments in `root`; `shown` replaces the command in print and report where it is long."""
    command = shown or " ".join(["python3", *arguments])
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            [*PYTHON, *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            encoding="utf-8",
            errors="replace",
        )
        completed = Completed(command, ended.returncode, ended.stdout)
    except subprocess.TimeoutExpired:
        completed = Completed(command, 124, f"did not end within {_SECONDS} s")
    print(f"$ {command}  (exit code {completed.exit_code})", flush=True)
    if completed.exit_code != 0:
        print(completed.output, flush=True)
    return completed


def run_tests(root: Path, directory: str) -> TestRun:
    """Runs the test suite in a directory of the repository."""
    completed = run(root, ["-m", "unittest", "discover", "-s", directory])
    return read_test_run(completed)


def read_test_run(completed: Completed) -> TestRun:
    """Reads the counts out of what `unittest` printed."""
    ran, skipped = _RAN.search(completed.output), _SKIPPED.search(completed.output)
    return TestRun(
        completed,
        int(ran.group(1)) if ran else 0,
        int(skipped.group(1)) if skipped else 0,
        _BROKEN.findall(completed.output),
    )


def git(root: Path, *arguments: str) -> Optional[bytes]:
    """Returns what a git command printed, or None when it failed or git is not there."""
    try:
        ended = subprocess.run(
            ["git", *arguments], cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return None
    return ended.stdout if ended.returncode == 0 else None


def find_base(root: Path, declared: Optional[str]) -> Optional[str]:
    """Returns the commit that the implementation starts from: the declared one, else the first of the history."""
    if declared:
        return declared
    roots = git(root, "rev-list", "--max-parents=0", "HEAD")
    head = git(root, "rev-parse", "HEAD")
    first = roots.decode("ascii").split()[:1] if roots else []
    return first[0] if first and head is not None and head.decode("ascii").strip() != first[0] else None


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
        """Sends a request, with bytes as they are and anything else as JSON; returns status, headers and document."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode("utf-8")
            connection.request(method, path, content, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), json.loads(answer.read() or b"null")
        finally:
            connection.close()


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
