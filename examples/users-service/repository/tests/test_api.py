"""The HTTP API, asked over a real socket in this process."""

import json
import threading
import unittest
from http.client import HTTPConnection
from typing import Dict, Optional, Tuple

from users_service.api import UsersServer
from users_service.service import UserService
from users_service.settings import load
from users_service.store import UserStore

ADA = b'{"name": "Ada", "email": "ada@example.com"}'


class ApiTestCase(unittest.TestCase):
    """Starts a server on a free port for each test."""

    def setUp(self) -> None:
        store = UserStore(":memory:")
        self.addCleanup(store.close)
        self.server = UsersServer(load({"USERS_PORT": "0"}), UserService(store))
        self.addCleanup(self.server.server_close)
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)

    def ask(
        self, method: str, path: str, body: Optional[bytes] = None, headers: Optional[Dict[str, str]] = None
    ) -> Tuple[int, Dict[str, str], object]:
        """Sends a request; returns status, headers and document of the answer."""
        connection = HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), json.loads(answer.read())
        finally:
            connection.close()


class UsersApiTest(ApiTestCase):
    """Checks adding and reading users."""

    def test_a_user_is_added_and_read_back(self) -> None:
        status, headers, user = self.ask("POST", "/api/users", ADA)
        self.assertEqual((status, headers["Location"]), (201, "/api/users/1"))
        self.assertEqual(self.ask("GET", "/api/users/1")[2], user)
        self.assertEqual(self.ask("GET", "/api/users")[2], [user])

    def test_each_kind_of_bad_request_has_its_status(self) -> None:
        self.ask("POST", "/api/users", ADA)
        for status, method, path, body in [
            (400, "POST", "/api/users", b"{"),
            (400, "POST", "/api/users", b"\xff"),
            (400, "POST", "/api/users", b"[" * 50_000),
            (404, "GET", "/api/users/2", None),
            (404, "GET", "/api/users/0", None),
            (404, "GET", "/api/users/../1", None),
            (404, "POST", "/", ADA),
            (405, "POST", "/api/users/1", ADA),
            (409, "POST", "/api/users", ADA),
            (413, "POST", "/api/users", b" " * 65_537),
            (422, "POST", "/api/users", b'{"name": "Ada"}'),
        ]:
            with self.subTest(status=status, method=method, path=path):
                answer = self.ask(method, path, body)
                self.assertEqual(answer[0], status)
                self.assertIn("error", answer[2])

    def test_a_body_without_its_length_is_refused(self) -> None:
        self.assertEqual(self.ask("POST", "/api/users", None, {"Transfer-Encoding": "chunked"})[0], 411)
        self.assertEqual(self.ask("POST", "/api/users", None, {"Content-Length": "-1"})[0], 400)


if __name__ == "__main__":
    unittest.main()
