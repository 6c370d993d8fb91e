"""Adding and reading users, end to end."""

import subprocess
import sys
import unittest

from service_process import ROOT, ServiceTestCase


class UsersOverHttpTest(ServiceTestCase):
    """Checks the API against the running service."""

    def test_a_user_who_was_added_over_http_is_seen_on_the_command_line(self) -> None:
        status, headers, user = self.ask("POST", "/api/users", {"name": "Ada", "email": "ada@example.com"})
        self.assertEqual(status, 201)
        self.assertEqual(self.ask("GET", headers["Location"])[2], user)
        command = [sys.executable, "-B", "-m", "users_service", "--database", self.database, "list"]
        listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, universal_newlines=True)
        self.assertIn("ada@example.com", listed.stdout)

    def test_a_user_who_is_not_there_is_404(self) -> None:
        self.assertEqual(self.ask("GET", "/api/users/4711")[0], 404)


if __name__ == "__main__":
    unittest.main()
