"""What the scripts run: commands, test suites, git."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from contract import Evidence, Finding

PYTHON = [sys.executable, "-B", "-S"]
"""How Python is run: without writing caches, and without site packages, since the service needs none and must not."""

_SECONDS = 60
_RAN = re.compile(r"^Ran (\d+) tests? in", re.MULTILINE)
_SKIPPED = re.compile(r"skipped=(\d+)")
_DOUBLE_RULE = f"\n{'=' * 70}\n"
_BROKEN = re.compile(r"^(?:FAIL|ERROR): (\w+)", re.MULTILINE)
_ERROR = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Version|Taken|NotFound)\b.*", re.MULTILINE)
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
class BrokenTest:
    """A test that failed or ended in an error, with the first of its cases that did."""

    name: str
    cases: int
    message: str
    path: Optional[str]
    line: Optional[int]

    def finding(self) -> Finding:
        """Returns the finding for the report."""
        more = f" (and {self.cases - 1} more cases)" if self.cases > 1 else ""
        return Finding("blocking", f"{self.name}: {self.message}{more}", self.path, self.line)


@dataclass(frozen=True)
class TestRun:
    """A test suite that has run."""

    completed: Completed
    ran: int
    skipped: int
    broken: list[BrokenTest]

    @property
    def is_green(self) -> bool:
        """Tells whether tests ran and all was well."""
        return self.completed.exit_code == 0 and self.ran > 0

    @property
    def passed(self) -> int:
        """Returns how many tests passed."""
        return max(self.ran - self.skipped - len(self.broken), 0)

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
        return [broken.finding() for broken in self.broken]


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


def run_tests(root: Path, directory: str, pattern: Optional[str] = None) -> TestRun:
    """Runs the tests in a directory of the repository, all of them or those of some files."""
    selected = ["-p", pattern] if pattern else []
    return read_test_run(run(root, ["-m", "unittest", "discover", "-s", directory, *selected]))


def read_test_run(completed: Completed) -> TestRun:
    """Reads the counts and the broken tests out of what `unittest` printed."""
    ran, skipped = _RAN.search(completed.output), _SKIPPED.search(completed.output)
    return TestRun(
        completed, int(ran.group(1)) if ran else 0, int(skipped.group(1)) if skipped else 0, _broken(completed.output)
    )


def _broken(output: str) -> list[BrokenTest]:
    """Reads the blocks that `unittest` prints for what is broken; the cases of one test become one."""
    cases: dict[str, list[str]] = {}
    for block in output.split(_DOUBLE_RULE)[1:]:
        title = _BROKEN.search(block)
        if title is not None:
            cases.setdefault(title.group(1), []).append(block)
    broken = []
    for name, blocks in cases.items():
        frame = _FRAME.search(blocks[0])
        error = _ERROR.search(blocks[0])
        path, line = (frame.group(1), int(frame.group(2))) if frame else (None, None)
        broken.append(BrokenTest(name, len(blocks), error.group(0) if error else "failed", path, line))
    return broken


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
