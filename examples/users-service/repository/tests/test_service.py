"""What can be done with users, on a database in memory."""

import tempfile
import unittest
from pathlib import Path

from users_service.service import UserService
from users_service.store import MIGRATIONS, EmailTaken, UserNotFound, UserStore, find_migrations
from users_service.types import NewUser

NOW = "2026-01-01T00:00:00Z"
ADA = NewUser("Ada", "ada@example.com")


class UserServiceTest(unittest.TestCase):
    """Checks the operations of the service."""

    def setUp(self) -> None:
        store = UserStore(":memory:")
        self.addCleanup(store.close)
        self.service = UserService(store, clock=lambda: NOW)

    def test_a_created_user_is_found_again(self) -> None:
        created = self.service.create_user(ADA)
        self.assertEqual((created.id, created.created_at), (1, NOW))
        self.assertEqual(self.service.get_user(1), created)

    def test_an_address_belongs_to_one_user_whatever_its_case(self) -> None:
        self.service.create_user(ADA)
        with self.assertRaises(EmailTaken):
            self.service.create_user(NewUser("Another Ada", "ADA@example.com"))
        self.assertEqual(len(self.service.list_users(10)), 1)

    def test_users_are_listed_in_order_and_not_more_than_asked_for(self) -> None:
        for number in range(3):
            self.service.create_user(NewUser(f"User {number}", f"user{number}@example.com"))
        self.assertEqual([user.id for user in self.service.list_users(2)], [1, 2])

    def test_a_user_who_is_not_there_is_not_found(self) -> None:
        with self.assertRaises(UserNotFound):
            self.service.get_user(7)


class MigrationTest(unittest.TestCase):
    """Checks how the database is brought up to date."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def test_each_migration_is_applied_once(self) -> None:
        database = str(self.directory / "users.sqlite3")
        for _ in range(2):
            store = UserStore(database)
            self.addCleanup(store.close)
            self.assertEqual(store.schema_version(), find_migrations(MIGRATIONS)[-1][0])

    def test_two_migrations_with_one_number_are_refused(self) -> None:
        for name in ("0001_a.sql", "0001_b.sql"):
            (self.directory / name).touch()
        with self.assertRaisesRegex(ValueError, "same number"):
            find_migrations(self.directory)


if __name__ == "__main__":
    unittest.main()
