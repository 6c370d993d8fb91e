"""Command line: `update`. Works on the interface that the plan fixes, whether or not the feature is there yet."""

from __future__ import annotations

from context import Blocked, Context, Failed
from contract import Claim, Item, Limitation, Report
from running import run, run_tests

CLI = "users_service/cli.py"

_PARSER = '''    update = commands.add_parser(
        "update", help="change a user", description="Changes the given fields of a user and leaves all others alone."
    )
    update.add_argument("id", type=user_id, metavar="ID")
    update.add_argument("--name", metavar="NAME", help="the new name")
    update.add_argument("--email", metavar="EMAIL", help="the new e-mail address")
    phone = update.add_mutually_exclusive_group()
    phone.add_argument("--phone", metavar="NUMBER", help="the new telephone number")
    phone.add_argument("--no-phone", action="store_true", help="clear the telephone number")
    update.add_argument(
        "--if-version", type=version, metavar="N", help="change nothing when the user has another version by now"
    )

'''

_PARSE = '''def version(text: str) -> int:
    """Returns the version of a user as it stands on the command line; raises ArgumentTypeError when it cannot be one."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:20]) <= _ID_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a version: they begin at 1")
    return int(text)


def parse(argv: List[str]) -> argparse.Namespace:
    """Parses the command line; prints what is wrong with it and exits with 2 when something is."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.command == "update" and not _changes(arguments):
        parser.error("update: give at least one of --name, --email, --phone and --no-phone")
    return arguments


'''

_UPDATE = '''def _changes(arguments: argparse.Namespace) -> Dict[str, Optional[str]]:
    changes: Dict[str, Optional[str]] = {}
    for name in ("name", "email", "phone"):
        value = getattr(arguments, name)
        if value is not None:
            changes[name] = value
    if arguments.no_phone:
        changes["phone"] = None
    return changes


def _update(service: UserService, _settings: Settings, arguments: argparse.Namespace) -> int:
    patch = UserPatch.from_json(_changes(arguments))
    _print_user(service.update_user(arguments.id, patch, arguments.if_version))
    return 0


'''

_CHECK = """
import contextlib, io
from users_service import cli
from users_service.types import StaleVersion, User
calls = []
class StandIn:
    def __init__(self, store):
        pass
    def update_user(self, user_id, patch, expected_version=None):
        calls.append((user_id, patch, expected_version))
        if expected_version == 2:
            raise StaleVersion(user_id, 2, 3)
        return patch.apply_to(User(user_id, "Ada", "ada@example.com", "+44 20 7946", "2026-01-01T00:00:00Z"))
cli.UserService = StandIn
def call(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            return cli.main(["--database", ":memory:", "update", *arguments]), out.getvalue(), err.getvalue()
        except SystemExit as ended:
            return ended.code, out.getvalue(), err.getvalue()
assert call("1", "--no-phone")[0] == 0 and calls[-1][1].phone is None
assert call("1", "--name", "Ada L.", "--if-version", "3")[0] == 0 and calls[-1][2] == 3
code, _, err = call("1", "--name", "Ada L.", "--if-version", "2")
assert code == 1 and "version 3" in err, err
assert call("1", "--email", "ada")[0] == 1
for wrong in ([], ["1"], ["1", "--phone", "+44 20 7946", "--no-phone"], ["1", "--name", "A", "--if-version", "0"]):
    assert call(*wrong)[0] == 2, wrong
print("4 good and bad changes and 4 wrong command lines behave")
"""


def work(context: Context) -> Report:
    """Adds `update` to the command line, and tries it."""
    there = context.definitions("users_service/types.py")
    missing = [name for name in ("UserPatch", "StaleVersion") if name not in there]
    if missing:
        text = f"users_service/types.py has no {', '.join(missing)}, which `update` is made of"
        raise Blocked([Limitation(text, "backend-datatypes")])
    _edit(context)
    files = context.edits.write()
    shown = run(context.root, ["-m", "users_service", "update", "--help"], "python3 -m users_service update --help")
    tried = run(context.root, ["-c", _CHECK], "python3 -c (update on a stand-in for the service)")
    lint = run(context.root, ["tools/lint.py", "users_service"])
    suite = run_tests(context.root, "tests", "test_cli.py")
    explained = all(name in shown.output for name in ("--name", "--email", "--phone", "--no-phone", "--if-version"))
    for name, good in [
        ("update --help", shown.exit_code == 0 and explained),
        ("update", tried.exit_code == 0),
        ("lint", lint.exit_code == 0),
        ("tests", suite.is_green),
    ]:
        if not good:
            raise Failed(f"{name}: the check of the command line failed")
    return Report(
        status="completed",
        summary="`update ID` changes the given fields of a user, `--if-version` refuses to overwrite, and every option "
        "is explained by `--help`.",
        claims=[
            Claim("CLI-1", ("`update ID`", "update"), "update with --name, --email, --phone and --no-phone."),
            Claim("CLI-2", ("--if-version", "version"), "--if-version; the message names the current version, exit code 1."),
            Claim("CLI-3", ("help", "wrong command line"), "parse() checks across options; --help explains all five."),
        ],
        files=files,
        items=[
            Item("cli-integration", "update ID with --name, --email, --phone or --no-phone"),
            Item("cli-integration", "--if-version N refuses to overwrite a change that was not seen"),
        ],
        evidence=[shown.evidence("all five options are explained"), tried.evidence(), lint.evidence(), suite.evidence()],
        limitations=_limitations(context),
    )


def _limitations(context: Context) -> list[Limitation]:
    if "UserService.update_user" in context.definitions("users_service/service.py"):
        return []
    text = "UserService.update_user is made side by side with this, so update was tried on a stand-in that keeps to the plan."
    return [Limitation(text)]


def _edit(context: Context) -> None:
    edits = context.edits
    edits.replace(
        CLI,
        "from users_service.types import NewUser, User, ValidationError\n",
        "from users_service.types import NewUser, StaleVersion, User, UserPatch, ValidationError\n",
    )
    edits.replace(
        CLI,
        "_FAILURES = (EmailTaken, SettingsError, UserNotFound, ValidationError, OSError, sqlite3.Error)\n",
        "_FAILURES = (EmailTaken, SettingsError, StaleVersion, UserNotFound, ValidationError, OSError, sqlite3.Error)\n",
    )
    edits.insert_before(CLI, '    serve = commands.add_parser("serve"', _PARSER)
    edits.insert_before(CLI, "def main(argv: List[str]) -> int:\n", _PARSE)
    edits.replace(CLI, "    arguments = build_parser().parse_args(argv)\n", "    arguments = parse(argv)\n")
    edits.insert_before(CLI, "def _serve(service: UserService", _UPDATE)
    edits.insert_after(CLI, '    "add": _add,\n', '    "update": _update,\n')
