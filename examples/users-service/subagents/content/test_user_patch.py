"""What a change of a user may be made of, and how versions become entity tags."""

import unittest

from users_service.types import (
    ABSENT,
    EMAIL_MAX,
    NAME_MAX,
    StaleVersion,
    User,
    UserPatch,
    ValidationError,
    entity_tag,
    parse_if_match,
)

ADA = User(1, "Ada", "ada@example.com", "+44 20 7946", "2026-01-01T00:00:00Z", version=3)


class UserPatchTest(unittest.TestCase):
    """Checks the type of a change."""

    def test_a_field_that_is_not_given_is_left_alone(self) -> None:
        patch = UserPatch.from_json({"name": "Ada Lovelace"})
        self.assertEqual(patch, UserPatch(name="Ada Lovelace", email=ABSENT, phone=ABSENT))
        self.assertEqual(
            patch.apply_to(ADA),
            User(1, "Ada Lovelace", "ada@example.com", "+44 20 7946", "2026-01-01T00:00:00Z", version=3),
        )

    def test_null_clears_the_number_and_nothing_else(self) -> None:
        self.assertIsNone(UserPatch.from_json({"phone": None}).apply_to(ADA).phone)
        for field in ("name", "email"):
            with self.subTest(field=field), self.assertRaises(ValidationError):
                UserPatch.from_json({field: None})

    def test_fields_keep_the_rules_for_new_users(self) -> None:
        self.assertEqual(UserPatch.from_json({"name": "  Ada  "}).name, "Ada")
        for field, value in [
            ("name", ""),
            ("name", "A" * (NAME_MAX + 1)),
            ("name", 7),
            ("email", "ada"),
            ("email", "a" * EMAIL_MAX + "@example.com"),
            ("phone", "call me"),
            ("phone", ""),
        ]:
            with self.subTest(field=field, value=value):
                with self.assertRaises(ValidationError) as caught:
                    UserPatch.from_json({field: value})
                self.assertEqual(caught.exception.field, field)

    def test_a_patch_names_known_fields_and_at_least_one(self) -> None:
        for field, document in [
            ("body", {}),
            ("body", []),
            ("body", None),
            ("id", {"id": 2}),
            ("version", {"version": 9}),
            ("created_at", {"name": "Ada", "created_at": "yesterday"}),
        ]:
            with self.subTest(document=document):
                with self.assertRaises(ValidationError) as caught:
                    UserPatch.from_json(document)
                self.assertEqual(caught.exception.field, field)


class VersionTest(unittest.TestCase):
    """Checks versions, entity tags and the error of a stale change."""

    def test_a_new_user_is_at_version_1_and_shows_it(self) -> None:
        user = User(1, "Ada", "ada@example.com", None, "2026-01-01T00:00:00Z")
        self.assertEqual((user.version, user.to_json()["version"]), (1, 1))

    def test_an_entity_tag_is_read_back(self) -> None:
        for number in (1, 3, 10**17):
            self.assertEqual(parse_if_match(entity_tag(number)), number)

    def test_no_tag_and_the_star_expect_no_version(self) -> None:
        self.assertIsNone(parse_if_match(None))
        self.assertIsNone(parse_if_match(" * "))

    def test_a_tag_that_never_was_ours_is_no_version(self) -> None:
        for header in ('"x"', '""', '"01"', '"-1"', '"' + "9" * 40 + '"'):
            with self.subTest(header=header):
                self.assertEqual(parse_if_match(header), 0)

    def test_what_is_no_single_strong_tag_is_refused(self) -> None:
        for header in ("3", 'W/"3"', '"1", "2"', '"', "", '"a"b"'):
            with self.subTest(header=header), self.assertRaises(ValueError):
                parse_if_match(header)

    def test_a_stale_change_says_which_version_is_current(self) -> None:
        self.assertEqual(str(StaleVersion(7, 2, 3)), "user 7 is at version 3 by now")


if __name__ == "__main__":
    unittest.main()
