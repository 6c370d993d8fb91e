"""The HTTP API. `docs/api.md` is its description for callers."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Dict, Optional

from users_service.service import UserService
from users_service.settings import Settings
from users_service.store import EmailTaken, UserNotFound
from users_service.types import NewUser, ValidationError

_LOG = logging.getLogger(__name__)
_USERS = "/api/users"
_ONE_USER = re.compile(r"/api/users/([1-9][0-9]{0,17})")
_LENGTH = re.compile(r"[0-9]{1,18}")
_DISCARD_MAX = 1024 * 1024
_DISCARD_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Response:
    """An answer that is ready to be sent."""

    status: HTTPStatus
    document: object
    headers: Dict[str, str] = field(default_factory=dict)


class RequestError(Exception):
    """A request that cannot be served, and the status that says so."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        """Keeps the status and what the caller is told."""
        super().__init__(message)
        self.status = status


def error_response(error: Exception) -> Response:
    """Returns the answer to a request that ended in an error; anything unforeseen is logged and answered with 500."""
    if isinstance(error, RequestError):
        return Response(error.status, {"error": str(error)})
    if isinstance(error, ValidationError):
        return Response(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": error.message, "field": error.field})
    if isinstance(error, UserNotFound):
        return Response(HTTPStatus.NOT_FOUND, {"error": str(error)})
    if isinstance(error, EmailTaken):
        return Response(HTTPStatus.CONFLICT, {"error": str(error), "field": "email"})
    _LOG.error("request failed", exc_info=error)
    return Response(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "internal error"})


class UsersServer(ThreadingHTTPServer):
    """The HTTP server: one thread per request, one service for all of them."""

    daemon_threads = True

    def __init__(self, settings: Settings, service: UserService) -> None:
        """Binds the address of the settings; port 0 takes a free one."""
        self.settings = settings
        self.service = service
        super().__init__((settings.host, settings.port), UsersHandler)

    @property
    def url(self) -> str:
        """Returns the address at which the server listens."""
        return f"http://{self.server_address[0]}:{self.server_address[1]}"


class UsersHandler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: UsersServer
    server_version = "users-service"
    _body_is_read = False

    def do_GET(self) -> None:
        """Answers GET."""
        self._respond(self._get)

    def do_POST(self) -> None:
        """Answers POST."""
        self._respond(self._post)

    def log_message(self, format: str, *args: object) -> None:
        """Sends the access log to `logging`, with control characters escaped."""
        _LOG.info("%s", (format % args).encode("unicode_escape").decode("ascii"))

    def _get(self) -> Response:
        if self.path == _USERS:
            users = self.server.service.list_users(self.server.settings.limit("max_page_size"))
            return Response(HTTPStatus.OK, [user.to_json() for user in users])
        return Response(HTTPStatus.OK, self.server.service.get_user(self._user_id()).to_json())

    def _post(self) -> Response:
        if self.path != _USERS:
            self._user_id()
            raise RequestError(HTTPStatus.METHOD_NOT_ALLOWED, f"POST goes to {_USERS}")
        document = self._read_json(self.server.settings.limit("max_body_bytes"))
        user = self.server.service.create_user(NewUser.from_json(document))
        return Response(HTTPStatus.CREATED, user.to_json(), {"Location": f"{_USERS}/{user.id}"})

    def _user_id(self) -> int:
        match = _ONE_USER.fullmatch(self.path)
        if match is None:
            raise RequestError(HTTPStatus.NOT_FOUND, "there is nothing at this path")
        return int(match.group(1))

    def _read_json(self, limit: int) -> object:
        length = self._content_length()
        if length > limit:
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body may have at most {limit} bytes")
        self._body_is_read = True
        try:
            return json.loads(self.rfile.read(length).decode("utf-8"))
        except (ValueError, RecursionError):
            raise RequestError(HTTPStatus.BAD_REQUEST, "the body is not JSON in UTF-8") from None

    def _content_length(self) -> int:
        header: Optional[str] = self.headers.get("Content-Length")
        if header is None:
            raise RequestError(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing")
        if not _LENGTH.fullmatch(header):
            raise RequestError(HTTPStatus.BAD_REQUEST, "Content-Length is not a number of bytes")
        return int(header)

    def _discard_body(self) -> None:
        # A connection that is closed over unread bytes is reset, and the caller might never see the answer.
        header = self.headers.get("Content-Length", "")
        remaining = min(int(header), _DISCARD_MAX) if _LENGTH.fullmatch(header) and not self._body_is_read else 0
        while remaining > 0:
            chunk = self.rfile.read(min(remaining, _DISCARD_CHUNK))
            if not chunk:
                return
            remaining -= len(chunk)

    def _respond(self, answer: Callable[[], Response]) -> None:
        try:
            response = answer()
        except Exception as error:
            response = error_response(error)
            self._discard_body()
        body = json.dumps(response.document).encode("ascii") + b"\n"
        self.send_response(response.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
