"""The command line, for the people on call."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sqlite3
import sys
from typing import Callable, Dict, List, Optional

from users_service.api import UsersServer
from users_service.service import UserService
from users_service.settings import Settings, SettingsError, load
from users_service.store import EmailTaken, UserNotFound, UserStore
from users_service.types import NewUser, User, ValidationError

_FAILURES = (EmailTaken, SettingsError, UserNotFound, ValidationError, OSError, sqlite3.Error)
_ID_MAX = 2**63 - 1


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(prog="users_service", description="Looks after the users of the service.")
    parser.add_argument("--database", metavar="FILE", help="the SQLite file (default: from the settings)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    commands.add_parser("list", help="list the users")

    show = commands.add_parser("show", help="show one user as JSON")
    show.add_argument("id", type=user_id, metavar="ID")

    add = commands.add_parser("add", help="add a user")
    add.add_argument("name", metavar="NAME")
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("--phone", metavar="NUMBER")

    serve = commands.add_parser("serve", help="serve the HTTP API")
    serve.add_argument("--port", type=int, metavar="PORT", help="0 takes a free port (default: from the settings)")
    return parser


def user_id(text: str) -> int:
    """Returns the id of a user as it stands on the command line; raises ArgumentTypeError when it cannot be one."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:20]) <= _ID_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not the id of a user")
    return int(text)


def main(argv: List[str]) -> int:
    """Runs one command; returns 0, or 1 when it failed."""
    arguments = build_parser().parse_args(argv)
    try:
        settings = _settings(arguments)
        store = UserStore(settings.database)
        try:
            return _COMMANDS[arguments.command](UserService(store), settings, arguments)
        finally:
            store.close()
    except _FAILURES as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _settings(arguments: argparse.Namespace) -> Settings:
    environment = dict(os.environ)
    if arguments.database is not None:
        environment["USERS_DATABASE"] = arguments.database
    if getattr(arguments, "port", None) is not None:
        environment["USERS_PORT"] = str(arguments.port)
    return load(environment)


def _print_user(user: User) -> None:
    print(json.dumps(user.to_json(), ensure_ascii=False, indent=2))


def _list(service: UserService, settings: Settings, _arguments: argparse.Namespace) -> int:
    for user in service.list_users(settings.limit("max_page_size")):
        print(f"{user.id}\t{user.email}\t{user.name}")
    return 0


def _show(service: UserService, _settings: Settings, arguments: argparse.Namespace) -> int:
    _print_user(service.get_user(arguments.id))
    return 0


def _add(service: UserService, _settings: Settings, arguments: argparse.Namespace) -> int:
    fields: Dict[str, Optional[str]] = {"name": arguments.name, "email": arguments.email, "phone": arguments.phone}
    _print_user(service.create_user(NewUser.from_json(fields)))
    return 0


def _serve(service: UserService, settings: Settings, _arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with UsersServer(settings, service) as server:
        try:
            print(f"listening on {server.url}", flush=True)
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


_COMMANDS: Dict[str, Callable[[UserService, Settings, argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "add": _add,
    "serve": _serve,
}
