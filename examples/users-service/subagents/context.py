"""What a role's script works with."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from contract import Assignment, Limitation
from editing import EditError, Edits

CONTENT = Path(__file__).resolve().parent / "content"
"""Where whole files stand that the scripts add to the repository."""


class Blocked(Exception):
    """The work cannot go on without something that another specialist has to make."""

    def __init__(self, missing: list[Limitation]) -> None:
        """Keeps what is missing, and who could make it."""
        super().__init__("; ".join(limitation.text for limitation in missing))
        self.missing = missing


class Failed(Exception):
    """The work was tried and did not succeed."""


@dataclass(frozen=True)
class Context:
    """The assignment, the work tree and a directory for scratch files."""

    assignment: Assignment
    root: Path
    scratch: Path
    edits: Edits
    make_defect: bool = False

    def content(self, name: str) -> str:
        """Returns a file that is to be added to the repository as it is."""
        return (CONTENT / name).read_text(encoding="utf-8")

    def definitions(self, path: str) -> set[str]:
        """Returns the names that a module defines, methods as `Class.method`; none when it is not there."""
        try:
            tree = ast.parse(self.edits.read(path))
        except (EditError, SyntaxError):
            return set()
        names = set()
        for node in tree.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                names.add(node.name)
            if isinstance(node, ast.ClassDef):
                names.update(f"{node.name}.{child.name}" for child in node.body if isinstance(child, ast.FunctionDef))
        return names
