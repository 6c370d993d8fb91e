"""What can be done with users, whichever way the request came in."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Callable, List

from users_service.store import UserStore
from users_service.types import NewUser, User


def utc_now() -> str:
    """Returns the present time in UTC, to the second, in the form of RFC 3339."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class UserService:
    """The operations of the service, on a store."""

    def __init__(self, store: UserStore, clock: Callable[[], str] = utc_now) -> None:
        """Takes the store, and the clock that stamps what is written."""
        self._store = store
        self._clock = clock

    def create_user(self, new: NewUser) -> User:
        """Stores a new user, or raises EmailTaken."""
        return self._store.insert(new, self._clock())

    def get_user(self, user_id: int) -> User:
        """Returns one user, or raises UserNotFound."""
        return self._store.get(user_id)

    def list_users(self, limit: int) -> List[User]:
        """Returns the first users in the order of their ids."""
        return self._store.list(limit)
