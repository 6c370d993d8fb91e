"""`PATCH /api/users/:id`, asked over a real socket in this process."""

import json
import unittest
from typing import Dict, Optional, Tuple

from test_api import ADA, ApiTestCase


class PatchApiTest(ApiTestCase):
    """Checks changing users over HTTP."""

    def setUp(self) -> None:
        super().setUp()
        self.ada = self.ask("POST", "/api/users", ADA)[2]

    def patch(self, document: object, if_match: Optional[str] = None) -> Tuple[int, Dict[str, str], object]:
        """Sends a change of user 1."""
        headers = {} if if_match is None else {"If-Match": if_match}
        return self.ask("PATCH", "/api/users/1", json.dumps(document).encode("utf-8"), headers)

    def test_a_change_answers_the_whole_user_and_its_tag(self) -> None:
        status, headers, user = self.patch({"phone": "+44 20 7946"})
        self.assertEqual((status, headers["ETag"]), (200, '"2"'))
        self.assertEqual(user, {**self.ada, "phone": "+44 20 7946", "version": 2})
        self.assertEqual(self.ask("GET", "/api/users/1")[2], user)

    def test_reading_one_user_gives_the_tag(self) -> None:
        self.assertEqual(self.ask("GET", "/api/users/1")[1]["ETag"], '"1"')

    def test_the_current_tag_and_the_star_let_a_change_through(self) -> None:
        self.assertEqual(self.patch({"name": "Ada L."}, '"1"')[0], 200)
        self.assertEqual(self.patch({"name": "Ada Lovelace"}, "*")[0], 200)

    def test_a_stale_tag_is_412_with_the_current_tag_and_changes_nothing(self) -> None:
        _, _, current = self.patch({"name": "Ada L."})
        for tag in ('"1"', '"3"', '"something-else"'):
            with self.subTest(tag=tag):
                status, headers, _ = self.patch({"name": "Augusta"}, tag)
                self.assertEqual((status, headers["ETag"]), (412, '"2"'))
        self.assertEqual(self.ask("GET", "/api/users/1")[2], current)

    def test_values_that_are_there_already_make_no_version(self) -> None:
        status, headers, _ = self.patch({"name": "Ada"})
        self.assertEqual((status, headers["ETag"]), (200, '"1"'))

    def test_each_kind_of_bad_request_has_its_status_and_changes_nothing(self) -> None:
        self.ask("POST", "/api/users", b'{"name": "Charles", "email": "charles@example.com"}')
        for status, path, body, headers in [
            (400, "/api/users/1", b"{", {}),
            (400, "/api/users/1", b'{"name": "Augusta"}', {"If-Match": "1"}),
            (400, "/api/users/1", b'{"name": "Augusta"}', {"If-Match": 'W/"1"'}),
            (404, "/api/users/7", b'{"name": "Augusta"}', {}),
            (404, "/api/users/1/name", b'{"name": "Augusta"}', {}),
            (405, "/api/users", b'{"name": "Augusta"}', {}),
            (409, "/api/users/1", b'{"name": "Augusta", "email": "charles@example.com"}', {}),
            (413, "/api/users/1", b'{"name": "' + b"A" * 4096 + b'"}', {}),
            (422, "/api/users/1", b"{}", {}),
            (422, "/api/users/1", b"[]", {}),
            (422, "/api/users/1", b'{"name": "Augusta", "id": 2}', {}),
            (422, "/api/users/1", b'{"name": "Augusta", "email": "ada"}', {}),
            (422, "/api/users/1", b'{"name": null}', {}),
        ]:
            with self.subTest(status=status, body=body[:40]):
                answer = self.ask("PATCH", path, body, headers)
                self.assertEqual(answer[0], status)
                self.assertIn("error", answer[2])
                self.assertEqual(self.ask("GET", "/api/users/1")[2], self.ada)

    def test_a_body_of_just_the_limit_is_read(self) -> None:
        body = b'{"name": "Ada L."}'
        self.assertEqual(self.ask("PATCH", "/api/users/1", body + b" " * (4096 - len(body)))[0], 200)


if __name__ == "__main__":
    unittest.main()
