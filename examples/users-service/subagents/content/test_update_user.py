"""Changing a user, on a database in a file, so that other connections can look at it."""

import sqlite3
import tempfile
import threading
import unittest
from pathlib import Path
from typing import List, Tuple

from users_service.service import UserService
from users_service.store import EmailTaken, UserNotFound, UserStore
from users_service.types import NewUser, StaleVersion, UserPatch

CREATED = "2026-01-01T00:00:00Z"


class UpdateUserTest(unittest.TestCase):
    """Checks `update_user`."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.database = str(Path(directory.name) / "users.sqlite3")
        self.store = UserStore(self.database)
        self.addCleanup(self.store.close)
        self.service = UserService(self.store, clock=lambda: CREATED)
        self.ada = self.service.create_user(NewUser("Ada", "ada@example.com", "+44 20 7946"))

    def changes(self) -> List[Tuple[int, int, str, str]]:
        """Returns the lines of user_changes, as another connection sees them."""
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute("SELECT user_id, version, fields, changed_at FROM user_changes").fetchall()
        finally:
            connection.close()

    def test_a_change_is_stored_with_a_new_version(self) -> None:
        changed = self.service.update_user(1, UserPatch(name="Ada Lovelace"))
        self.assertEqual((changed.name, changed.phone, changed.version), ("Ada Lovelace", "+44 20 7946", 2))
        self.assertEqual(self.service.get_user(1), changed)
        self.assertEqual(self.service.list_users(10), [changed])

    def test_the_number_can_be_cleared(self) -> None:
        self.assertIsNone(self.service.update_user(1, UserPatch(phone=None)).phone)

    def test_a_stale_version_is_refused_and_nothing_changes(self) -> None:
        current = self.service.update_user(1, UserPatch(name="Ada L."), expected_version=1)
        for expected in (0, 1, 3):
            with self.subTest(expected=expected):
                with self.assertRaises(StaleVersion) as caught:
                    self.service.update_user(1, UserPatch(name="Augusta"), expected_version=expected)
                self.assertEqual((caught.exception.expected, caught.exception.current), (expected, 2))
        self.assertEqual(self.service.get_user(1), current)
        self.assertEqual(len(self.changes()), 1)

    def test_an_address_of_another_user_is_refused_and_nothing_changes(self) -> None:
        self.service.create_user(NewUser("Charles", "charles@example.com"))
        with self.assertRaises(EmailTaken):
            self.service.update_user(1, UserPatch(name="C.", email="CHARLES@example.com"))
        self.assertEqual(self.service.get_user(1), self.ada)
        self.assertEqual(self.changes(), [])

    def test_the_case_of_the_own_address_can_be_changed(self) -> None:
        self.assertEqual(self.service.update_user(1, UserPatch(email="Ada@example.com")).version, 2)

    def test_a_change_without_effect_makes_no_version(self) -> None:
        self.assertEqual(self.service.update_user(1, UserPatch(name="Ada", phone="+44 20 7946")), self.ada)
        self.assertEqual(self.changes(), [])

    def test_a_user_who_is_not_there_is_not_found(self) -> None:
        with self.assertRaises(UserNotFound):
            self.service.update_user(2, UserPatch(name="Nobody"))

    def test_each_change_leaves_a_line_that_holds_no_values(self) -> None:
        self.service.update_user(1, UserPatch(email="ada@example.org", phone=None))
        self.service.update_user(1, UserPatch(name="Ada L."))
        self.assertEqual(self.changes(), [(1, 2, "email,phone", CREATED), (1, 3, "name", CREATED)])

    def test_of_two_who_expect_the_same_version_one_wins(self) -> None:
        barrier = threading.Barrier(2)
        outcomes: List[str] = []

        def change(name: str) -> None:
            store = UserStore(self.database)
            try:
                barrier.wait()
                UserService(store).update_user(1, UserPatch(name=name), expected_version=1)
                outcomes.append("changed")
            except StaleVersion:
                outcomes.append("stale")
            finally:
                store.close()

        threads = [threading.Thread(target=change, args=(name,)) for name in ("One", "Two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(outcomes), ["changed", "stale"])
        self.assertEqual(self.service.get_user(1).version, 2)


if __name__ == "__main__":
    unittest.main()
