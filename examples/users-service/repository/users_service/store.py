"""The store: users in one SQLite file, brought up to date by the migrations in `infra/migrations/`."""

from __future__ import annotations

import re
import sqlite3
import threading
from pathlib import Path
from typing import List, Tuple

from users_service.settings import ROOT
from users_service.types import NewUser, User

MIGRATIONS = ROOT / "infra" / "migrations"
"""Where the migrations stand: `NNNN_what.sql`, applied in the order of their numbers, each once."""

_MIGRATION_NAME = re.compile(r"(\d{4})_\w+\.sql")
_SELECT_ONE = "SELECT id, name, email, phone, created_at FROM users WHERE id = ?"
_SELECT_PAGE = "SELECT id, name, email, phone, created_at FROM users ORDER BY id LIMIT ?"


class UserNotFound(LookupError):
    """There is no user with this id."""

    def __init__(self, user_id: int) -> None:
        """Keeps the id."""
        super().__init__(f"there is no user {user_id}")
        self.user_id = user_id


class EmailTaken(ValueError):
    """Another user has this e-mail address."""

    def __init__(self, email: str) -> None:
        """Keeps the address."""
        super().__init__(f"{email} belongs to another user")
        self.email = email


class UserStore:
    """The stored users. Safe to use from several threads: one statement or transaction runs at a time."""

    def __init__(self, path: str, migrations: Path = MIGRATIONS) -> None:
        """Opens or makes the database, and applies the migrations that it has not seen."""
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA foreign_keys = ON")
        self.migrate(migrations)

    def close(self) -> None:
        """Closes the database."""
        with self._lock:
            self._connection.close()

    def schema_version(self) -> int:
        """Returns the number of the last migration that was applied, 0 for none."""
        with self._lock:
            return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def migrate(self, directory: Path) -> None:
        """Applies the migrations that are newer than the database, each in a transaction of its own."""
        with self._lock:
            current = self.schema_version()
            for number, path in find_migrations(directory):
                if number > current:
                    script = path.read_text(encoding="utf-8")
                    self._connection.executescript(f"BEGIN;\n{script}\nPRAGMA user_version = {number:d};\nCOMMIT;")

    def insert(self, new: NewUser, created_at: str) -> User:
        """Stores a user, or raises EmailTaken."""
        with self._lock, self._connection:
            try:
                cursor = self._connection.execute(
                    "INSERT INTO users (name, email, phone, created_at) VALUES (?, ?, ?, ?)",
                    (new.name, new.email, new.phone, created_at),
                )
            except sqlite3.IntegrityError:
                raise EmailTaken(new.email) from None
            return self.get(int(cursor.lastrowid or 0))

    def get(self, user_id: int) -> User:
        """Returns one user, or raises UserNotFound."""
        with self._lock:
            row = self._connection.execute(_SELECT_ONE, (user_id,)).fetchone()
        if row is None:
            raise UserNotFound(user_id)
        return User(**dict(row))

    def list(self, limit: int) -> List[User]:
        """Returns the first users in the order of their ids."""
        with self._lock:
            rows = self._connection.execute(_SELECT_PAGE, (limit,)).fetchall()
        return [User(**dict(row)) for row in rows]


def find_migrations(directory: Path) -> List[Tuple[int, Path]]:
    """Returns the numbers and paths of the migrations, in order, or raises ValueError for two with one number."""
    found = sorted(
        (int(match.group(1)), path)
        for path in directory.iterdir()
        if (match := _MIGRATION_NAME.fullmatch(path.name)) is not None
    )
    for (first, path), (second, other) in zip(found, found[1:]):
        if first == second:
            raise ValueError(f"{path.name} and {other.name} have the same number")
    return found
