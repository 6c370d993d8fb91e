"""The command line, run in this process."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from typing import Tuple

from users_service.cli import main


class CliTestCase(unittest.TestCase):
    """Gives each test a database of its own."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.database = str(Path(directory.name) / "users.sqlite3")

    def run_cli(self, *arguments: str) -> Tuple[int, str, str]:
        """Runs one command; returns exit code, output and error output."""
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            try:
                code = main(["--database", self.database, *arguments])
            except SystemExit as exit_request:
                code = int(exit_request.code or 0)
        return code, output.getvalue(), errors.getvalue()


class UsersCliTest(CliTestCase):
    """Checks adding and showing users."""

    def test_a_user_is_added_listed_and_shown(self) -> None:
        code, output, _ = self.run_cli("add", "Ada", "ada@example.com", "--phone", "+44 20 7946")
        self.assertEqual((code, json.loads(output)["phone"]), (0, "+44 20 7946"))
        self.assertEqual(self.run_cli("list")[1], "1\tada@example.com\tAda\n")
        self.assertEqual(self.run_cli("show", "1")[1], output)

    def test_what_fails_says_why_and_exits_with_1(self) -> None:
        for arguments, reason in [
            (("show", "7"), "there is no user 7"),
            (("add", "Ada", "ada"), "email: must be an e-mail address"),
        ]:
            with self.subTest(arguments=arguments):
                code, _, errors = self.run_cli(*arguments)
                self.assertEqual((code, errors), (1, f"error: {reason}\n"))

    def test_a_wrong_command_line_exits_with_2(self) -> None:
        for arguments in [(), ("show", "first"), ("show", "9" * 30), ("remove", "1")]:
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_cli(*arguments)[0], 2)


if __name__ == "__main__":
    unittest.main()
