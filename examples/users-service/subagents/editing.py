"""Edits of the files in the work tree: all of them are checked before the first is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable


class EditError(Exception):
    """A file is not what the script was written for."""


class Edits:
    """Changes to files below a root. A change that is there already is left alone, so that a script can run twice."""

    def __init__(self, root: Path) -> None:
        """Starts with no changes."""
        self._root = root
        self._before: dict[str, str] = {}
        self._after: dict[str, str] = {}

    def read(self, path: str) -> str:
        """Returns a file as it will be, or raises EditError when it is not there."""
        if path not in self._after:
            try:
                self._before[path] = (self._root / path).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise EditError(f"{path} cannot be read: {error}") from error
            self._after[path] = self._before[path]
        return self._after[path]

    def create(self, path: str, text: str) -> None:
        """Adds a file; raises EditError when another one is there."""
        if (self._root / path).exists():
            if self.read(path) != text:
                raise EditError(f"{path} is there already, with another content")
        self._after[path] = text

    def replace(self, path: str, old: str, new: str, times: int = 1) -> None:
        """Replaces `old`, which has to be there exactly `times` times."""
        content = self.read(path)
        if new in content and (old in new or old not in content):
            return
        found = content.count(old)
        if found != times:
            raise EditError(f"{path} has {found} times instead of {times} times what is to be replaced: {old.strip()!r}")
        self._after[path] = content.replace(old, new)

    def insert_before(self, path: str, anchor: str, text: str) -> None:
        """Inserts `text` in front of `anchor`, which has to be there exactly once."""
        self.replace(path, anchor, text + anchor)

    def insert_after(self, path: str, anchor: str, text: str) -> None:
        """Inserts `text` behind `anchor`, which has to be there exactly once."""
        self.replace(path, anchor, anchor + text)

    def append(self, path: str, text: str) -> None:
        """Adds `text` at the end of a file."""
        content = self.read(path)
        if text not in content:
            self._after[path] = content + text

    def change_json(self, path: str, change: Callable[[dict[str, object]], None]) -> None:
        """Changes a JSON document in place."""
        try:
            document = json.loads(self.read(path))
            change(document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EditError(f"{path} is not the document that was expected: {error!r}") from error
        self._after[path] = json.dumps(document, indent=2) + "\n"

    def write(self) -> list[str]:
        """Writes what changed; returns the paths."""
        changed = sorted(path for path, text in self._after.items() if self._before.get(path) != text)
        for path in changed:
            target = self._root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._after[path], encoding="utf-8")
            print(f"wrote {path}", flush=True)
        return changed
