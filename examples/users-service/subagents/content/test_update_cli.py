"""`update` on the command line, run in this process."""

import json
import unittest

from test_cli import CliTestCase


class UpdateCliTest(CliTestCase):
    """Checks changing users on the command line."""

    def setUp(self) -> None:
        super().setUp()
        self.run_cli("add", "Ada", "ada@example.com", "--phone", "+44 20 7946")

    def test_each_option_changes_its_field_alone(self) -> None:
        before = json.loads(self.run_cli("show", "1")[1])
        for version, (arguments, change) in enumerate(
            [
                (("--name", "Ada L."), {"name": "Ada L."}),
                (("--email", "ada@example.org"), {"email": "ada@example.org"}),
                (("--phone", "+44 20 7947"), {"phone": "+44 20 7947"}),
                (("--no-phone",), {"phone": None}),
            ],
            start=2,
        ):
            with self.subTest(arguments=arguments):
                code, output, _ = self.run_cli("update", "1", *arguments)
                before = {**before, **change, "version": version}
                self.assertEqual((code, json.loads(output)), (0, before))
                self.assertEqual(self.run_cli("show", "1")[1], output)

    def test_the_expected_version_has_to_be_current(self) -> None:
        self.assertEqual(self.run_cli("update", "1", "--name", "Ada L.", "--if-version", "1")[0], 0)
        code, output, errors = self.run_cli("update", "1", "--name", "Augusta", "--if-version", "1")
        self.assertEqual((code, output, errors), (1, "", "error: user 1 is at version 2 by now\n"))
        self.assertEqual(json.loads(self.run_cli("show", "1")[1])["name"], "Ada L.")

    def test_what_fails_says_why_and_exits_with_1(self) -> None:
        for arguments, reason in [
            (("7", "--name", "Nobody"), "there is no user 7"),
            (("1", "--email", "ada"), "email: must be an e-mail address"),
        ]:
            with self.subTest(arguments=arguments):
                code, _, errors = self.run_cli("update", *arguments)
                self.assertEqual((code, errors), (1, f"error: {reason}\n"))

    def test_a_wrong_command_line_exits_with_2(self) -> None:
        for arguments in [
            (),
            ("1",),
            ("1", "--if-version", "1"),
            ("1", "--phone", "+44 20 7946", "--no-phone"),
            ("1", "--name", "Ada L.", "--if-version", "0"),
            ("first", "--name", "Ada L."),
        ]:
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_cli("update", *arguments)[0], 2)

    def test_the_help_explains_every_option(self) -> None:
        code, output, _ = self.run_cli("update", "--help")
        self.assertEqual(code, 0)
        for option in ("--name", "--email", "--phone", "--no-phone", "--if-version"):
            self.assertIn(option, output)


if __name__ == "__main__":
    unittest.main()
