"""Two clients who change the same user, end to end."""

import unittest

from service_process import ServiceTestCase


class PatchOverHttpTest(ServiceTestCase):
    """Checks `PATCH` against the running service."""

    def test_of_two_clients_who_saw_the_same_version_one_is_told(self) -> None:
        _, added, _ = self.ask("POST", "/api/users", {"name": "Ada", "email": "ada@example.com", "phone": "+44 20 7946"})
        path = added["Location"]
        seen = self.ask("GET", path)[1]["ETag"]

        status, first, _ = self.ask("PATCH", path, {"phone": None}, {"If-Match": seen})
        self.assertEqual(status, 200)
        status, headers, _ = self.ask("PATCH", path, {"name": "Augusta"}, {"If-Match": seen})
        self.assertEqual((status, headers["ETag"]), (412, first["ETag"]))
        _, _, user = self.ask("GET", path)
        self.assertEqual((user["name"], user["phone"]), ("Ada", None))

        status, _, user = self.ask("PATCH", path, {"name": "Augusta"}, {"If-Match": first["ETag"]})
        self.assertEqual((status, user["name"], user["phone"]), (200, "Augusta", None))

    def test_a_bad_request_leaves_the_service_running(self) -> None:
        self.assertEqual(self.ask("PATCH", "/api/users/4711", {"name": "Nobody"})[0], 404)
        self.assertEqual(self.ask("PATCH", "/api/users/4711", {"name": "N" * 5000})[0], 413)
        self.assertEqual(self.ask("GET", "/api/users")[0], 200)


if __name__ == "__main__":
    unittest.main()
