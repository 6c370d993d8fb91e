"""What is a valid user, and what is not."""

import unittest

from users_service.types import NAME_MAX, NewUser, User, ValidationError


class NewUserTest(unittest.TestCase):
    """Checks what a new user may be made of."""

    def test_a_new_user_has_a_name_and_an_address_and_may_have_a_number(self) -> None:
        self.assertEqual(
            NewUser.from_json({"name": " Ada ", "email": "ada@example.com"}), NewUser("Ada", "ada@example.com", None)
        )
        self.assertEqual(
            NewUser.from_json({"name": "Ada", "email": "ada@example.com", "phone": "+44 20 7946"}).phone, "+44 20 7946"
        )

    def test_what_is_not_valid_is_refused_by_field(self) -> None:
        good = {"name": "Ada", "email": "ada@example.com"}
        for field, document in [
            ("body", ["Ada"]),
            ("name", {"email": "ada@example.com"}),
            ("name", {**good, "name": "  "}),
            ("name", {**good, "name": "A" * (NAME_MAX + 1)}),
            ("name", {**good, "name": "A\x1b[31m"}),
            ("email", {**good, "email": "ada"}),
            ("email", {**good, "email": "ada\ud800@example.com"}),
            ("email", {**good, "email": "a" * 250 + "@example.com"}),
            ("phone", {**good, "phone": "call me"}),
            ("role", {**good, "role": "administrator"}),
        ]:
            with self.subTest(document=document):
                with self.assertRaises(ValidationError) as caught:
                    NewUser.from_json(document)
                self.assertEqual(caught.exception.field, field)


class UserTest(unittest.TestCase):
    """Checks how a user is shown."""

    def test_a_user_is_shown_with_all_fields(self) -> None:
        user = User(id=1, name="Ada", email="ada@example.com", phone=None, created_at="2026-01-01T00:00:00Z")
        self.assertEqual(
            {"id": 1, "name": "Ada", "email": "ada@example.com", "phone": None, "created_at": "2026-01-01T00:00:00Z"}.items()
            - user.to_json().items(),
            set(),
        )


if __name__ == "__main__":
    unittest.main()
