"""Runs the unit tests of the current directory and measures which lines of the service they reach.

    python3 line_coverage.py PACKAGE TESTS OUT.json

Writes `{"MODULE": [reached, lines]}` to OUT.json, and exits as `unittest` does. Not a substitute for a coverage tool:
it counts lines, not branches, and does not follow processes that the tests start.
"""

from __future__ import annotations

import dis
import json
import sys
import threading
import types
import unittest
from pathlib import Path
from typing import Any, Callable, Optional


def lines_of(code: types.CodeType) -> set[int]:
    """Returns the lines that a code object and those inside it can reach."""
    lines = {line for _, line in dis.findlinestarts(code) if line}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            lines |= lines_of(constant)
    return lines


class Recorder:
    """Notes the lines that are reached in the files of a directory."""

    def __init__(self, directory: Path) -> None:
        """Starts with none."""
        self._prefix = f"{directory}/"
        self.reached: dict[str, set[int]] = {}

    def trace(self, frame: types.FrameType, event: str, argument: Any) -> Optional[Callable[..., Any]]:
        """Is called by Python for each function that is entered; follows those of the directory."""
        if not frame.f_code.co_filename.startswith(self._prefix):
            return None
        lines = self.reached.setdefault(frame.f_code.co_filename, set())
        lines.add(frame.f_lineno)

        def follow(inner: types.FrameType, event: str, argument: Any) -> Callable[..., Any]:
            if event == "line":
                lines.add(inner.f_lineno)
            return follow

        return follow


def main(package: str, tests: str, out: str) -> int:
    """Runs the tests; returns the exit code."""
    sys.path.insert(0, str(Path.cwd()))
    directory = (Path.cwd() / package).resolve()
    recorder = Recorder(directory)
    threading.settrace(recorder.trace)
    sys.settrace(recorder.trace)
    try:
        program = unittest.main(module=None, argv=["unittest", "discover", "-s", tests], exit=False)
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
    measured = {}
    for path in sorted(directory.glob("*.py")):
        code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
        lines = lines_of(code)
        measured[f"{package}/{path.name}"] = [len(recorder.reached.get(str(path), set()) & lines), len(lines)]
    Path(out).write_text(json.dumps(measured), encoding="utf-8")
    return 0 if program.result.wasSuccessful() and program.result.testsRun else 1


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
