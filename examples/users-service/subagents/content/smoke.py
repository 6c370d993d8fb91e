"""Tells whether a running service changes users as it should.

    python3 deploy/smoke.py URL [USER_ID]

Changes the telephone number of a user (the first one, unless an id is given), checks that a stale change is refused, and
puts the number back. Exits with 0 when that worked, with 1 when it did not, with 2 when the arguments are wrong.
"""

from __future__ import annotations

import json
import sys
from http.client import HTTPException
from typing import Dict, List, Optional, Tuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

_SECONDS = 10
_NUMBERS = ("+44-20-7946-0000", "+44-20-7946-0001")


class SmokeError(Exception):
    """The service did something else than expected."""


def ask(url: str, change: Optional[Dict[str, object]] = None, tag: Optional[str] = None) -> Tuple[int, str, object]:
    """Reads, or changes when a change is given; returns status, entity tag and document."""
    body = None if change is None else json.dumps(change).encode("utf-8")
    request = Request(url, body, method="GET" if change is None else "PATCH")
    if tag is not None:
        request.add_header("If-Match", tag)
    try:
        with urlopen(request, timeout=_SECONDS) as answer:
            return answer.status, answer.headers.get("ETag", ""), json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, error.headers.get("ETag", ""), None


def expect(what: str, actual: object, expected: object) -> None:
    """Prints that something is as expected, or raises SmokeError."""
    if actual != expected:
        raise SmokeError(f"{what}: expected {expected!r}, got {actual!r}")
    print(f"ok: {what}")


def find_user(base: str, user_id: Optional[str]) -> Dict[str, object]:
    """Returns the user to try things on, or raises SmokeError when there is none."""
    status, _, document = ask(f"{base}/api/users/{user_id}" if user_id else f"{base}/api/users")
    expect("the service answers", status, 200)
    found = document if isinstance(document, list) else [document]
    if not found or not isinstance(found[0], dict):
        raise SmokeError("there is no user to try it on")
    return found[0]


def smoke(base: str, user_id: Optional[str]) -> None:
    """Tries a change on a running service, or raises SmokeError."""
    user = find_user(base, user_id)
    url = f"{base}/api/users/{user['id']}"
    _, seen, _ = ask(url)
    number = next(number for number in _NUMBERS if number != user["phone"])
    status, changed, _ = ask(url, {"phone": number}, seen)
    expect("a change is made", status, 200)
    try:
        expect("a change of the version before is refused", ask(url, {"phone": number}, seen)[0], 412)
    finally:
        expect("the number is put back", ask(url, {"phone": user["phone"]}, changed)[0], 200)


def main(arguments: List[str]) -> int:
    """Runs the smoke test; returns the exit code."""
    if len(arguments) not in (1, 2) or not arguments[0].startswith(("http://", "https://")):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        smoke(arguments[0].rstrip("/"), arguments[1] if len(arguments) == 2 else None)
    except (SmokeError, OSError, HTTPException, ValueError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
