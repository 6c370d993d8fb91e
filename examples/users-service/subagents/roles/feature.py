"""Feature: the change in the store, in the service and over HTTP. Uses the types and the schema that are there."""

from __future__ import annotations

from context import Blocked, Context, Failed
from contract import Claim, Item, Limitation, Report
from running import run, run_tests

STORE = "users_service/store.py"
SERVICE = "users_service/service.py"
API = "users_service/api.py"
DOCS = "docs/api.md"

_TYPES_NEEDED = ("UserPatch", "UserPatch.apply_to", "StaleVersion", "entity_tag", "parse_if_match")

_CHECK_VERSION = "if expected_version is not None and expected_version != user.version:"
_CHECK_VERSION_WRONGLY = "if expected_version is not None and expected_version > user.version:"

_STORE_UPDATE = '''    def update(self, user_id: int, patch: UserPatch, expected_version: Optional[int], changed_at: str) -> User:
        """Changes a user; raises UserNotFound, StaleVersion or EmailTaken.

        A patch that gives the user the values they already have makes no new version.
        """
        with self._lock, self._connection:
            # Takes the write lock before reading: another process must not write between the two.
            self._connection.execute("BEGIN IMMEDIATE")
            user = self.get(user_id)
            {check}
                raise StaleVersion(user_id, expected_version, user.version)
            changed = patch.apply_to(user)
            fields = [field for field in ("name", "email", "phone") if getattr(changed, field) != getattr(user, field)]
            if not fields:
                return user
            version = user.version + 1
            try:
                self._connection.execute(_UPDATE, (changed.name, changed.email, changed.phone, version, user_id))
            except sqlite3.IntegrityError:
                raise EmailTaken(changed.email) from None
            self._connection.execute(_INSERT_CHANGE, (user_id, version, ",".join(fields), changed_at))
            return self.get(user_id)

'''

_STORE_SQL = '''_UPDATE = "UPDATE users SET name = ?, email = ?, phone = ?, version = ? WHERE id = ?"
_INSERT_CHANGE = "INSERT INTO user_changes (user_id, version, fields, changed_at) VALUES (?, ?, ?, ?)"
'''

_SERVICE_UPDATE = '''
    def update_user(self, user_id: int, patch: UserPatch, expected_version: Optional[int] = None) -> User:
        """Changes a user, if they are at the expected version; raises UserNotFound, StaleVersion or EmailTaken."""
        return self._store.update(user_id, patch, expected_version, self._clock())
'''

_API_DO_PATCH = '''    def do_PATCH(self) -> None:
        """Answers PATCH."""
        self._respond(self._patch)

'''

_API_GET = "        return Response(HTTPStatus.OK, self.server.service.get_user(self._user_id()).to_json())\n"
_API_GET_WITH_TAG = "        return one_user(self.server.service.get_user(self._user_id()))\n"

_API_PATCH = '''    def _patch(self) -> Response:
        if self.path == _USERS:
            raise RequestError(HTTPStatus.METHOD_NOT_ALLOWED, f"PATCH goes to {_USERS}/:id")
        user_id = self._user_id()
        try:
            expected_version = parse_if_match(self.headers.get("If-Match"))
        except ValueError as error:
            raise RequestError(HTTPStatus.BAD_REQUEST, str(error)) from None
        document = self._read_json(self.server.settings.limit("max_patch_bytes"))
        patch = UserPatch.from_json(document)
        return one_user(self.server.service.update_user(user_id, patch, expected_version))

'''

_API_STALE = '''    if isinstance(error, StaleVersion):
        return Response(HTTPStatus.PRECONDITION_FAILED, {"error": str(error)}, {"ETag": entity_tag(error.current)})
'''

_API_ONE_USER = '''def one_user(user: User) -> Response:
    """Returns the answer that shows one user, with the version as `ETag`."""
    return Response(HTTPStatus.OK, user.to_json(), {"ETag": entity_tag(user.version)})


'''

_DOCS_PATCH = '''
## `PATCH /api/users/:id`
Changes a user. The body holds only the fields that are to change: `name`, `email`, `phone`. `"phone": null` clears the
number; a field that is not there is left alone. Answers 200 with the whole user and the new `ETag`. A body has at most
`limits.max_patch_bytes` bytes. Values that the user already has make no new version.

To change only what you have seen, send the `ETag` back:

```
PATCH /api/users/1
If-Match: "3"

{"email": "ada@example.org", "phone": null}
```

When somebody else changed the user in between, the answer is 412 with the current `ETag`, and nothing is changed. Read
the user again, look at what is different, and decide. `If-Match: *`, or none, changes whichever version there is. A weak
tag or a list of tags is answered with 400.

Each change leaves a line in `user_changes`: user, version, the names of the fields, the time; never the values.
'''

_CHECK = """
import json, threading
from http.client import HTTPConnection
from users_service.api import UsersServer
from users_service.service import UserService
from users_service.settings import load
from users_service.store import UserStore
from users_service.types import NewUser
store = UserStore(":memory:")
service = UserService(store)
service.create_user(NewUser("Ada", "ada@example.com", "+44 20 7946"))
with UsersServer(load({"USERS_PORT": "0"}), service) as server:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    connection = HTTPConnection(*server.server_address, timeout=10)
    connection.request("PATCH", "/api/users/1", b'{"phone": null}', {"If-Match": '"1"'})
    answer = connection.getresponse()
    user = json.loads(answer.read())
    connection.close()
    server.shutdown()
    thread.join()
store.close()
assert (answer.status, user["phone"], user["name"]) == (200, None, "Ada"), (answer.status, user)
print(f"PATCH answered {answer.status}, version {user['version']}, ETag {answer.headers['ETag']}")
"""


def work(context: Context) -> Report:
    """Writes the change in store, service and API, describes it, and tries it."""
    _require(context)
    _edit_store(context)
    _edit_service(context)
    _edit_api(context)
    _edit_docs(context)
    files = context.edits.write()
    tried = run(context.root, ["-c", _CHECK], "python3 -c (one PATCH against a server in this process)")
    lint = run(context.root, ["tools/lint.py", "users_service"])
    suite = run_tests(context.root, "tests")
    for name, good in [("one PATCH", tried.exit_code == 0), ("lint", lint.exit_code == 0), ("tests", suite.is_green)]:
        if not good:
            raise Failed(f"{name}: the check of the feature failed")
    return Report(
        status="completed",
        summary="PATCH /api/users/:id changes single fields of a user in one transaction, refuses changes of versions "
        "that are no longer current, and says so in the API's description. It uses UserPatch and the schema as they are.",
        claims=[
            Claim("API-1", ("PATCH", "endpoint"), "do_PATCH and one_user in users_service/api.py; tried over a socket."),
            Claim("API-2", ("bad request", "status"), "error_response maps each error; the body is bounded before it is read."),
            Claim("API-3", ("transaction",), "UserStore.update reads and writes under BEGIN IMMEDIATE."),
            Claim("API-4", ("no new version", "already have"), "UserStore.update returns early when no field differs."),
            Claim("API-5", ("docs", "document"), "docs/api.md has the endpoint, If-Match and the new status."),
        ],
        files=files,
        items=[
            Item("core-functionality", "UserService.update_user changes single fields of a user"),
            Item("api-endpoints", "PATCH /api/users/:id with If-Match; GET /api/users/:id gives the ETag"),
            Item("business-logic", "Stale changes are refused, unchanged values make no version, each change is logged"),
            Item("documentation", "docs/api.md describes PATCH, its statuses and how to avoid overwriting"),
        ],
        evidence=[tried.evidence(), lint.evidence(), suite.evidence()],
    )


def _require(context: Context) -> None:
    """Raises Blocked for types and infrastructure that are not there: they are for other specialists to make."""
    missing = []
    there = context.definitions("users_service/types.py")
    types = [name for name in _TYPES_NEEDED if name not in there]
    if types:
        text = f"users_service/types.py has no {', '.join(types)}, which the feature is made of"
        missing.append(Limitation(text, "backend-datatypes"))
    if "max_patch_bytes" not in context.edits.read("infra/service.json"):
        text = "infra/service.json has no limits.max_patch_bytes, which bounds the body of a change"
        missing.append(Limitation(text, "backend-cloud-infrastructure-architect"))
    migrations = (context.root / "infra" / "migrations").glob("*.sql")
    if not any("user_changes" in path.read_text(encoding="utf-8") for path in migrations):
        text = "no migration in infra/migrations gives users a version and makes user_changes"
        missing.append(Limitation(text, "backend-cloud-infrastructure-architect"))
    if missing:
        raise Blocked(missing)


def _edit_store(context: Context) -> None:
    edits = context.edits
    edits.replace(STORE, "from typing import List, Tuple\n", "from typing import List, Optional, Tuple\n")
    edits.replace(
        STORE,
        "from users_service.types import NewUser, User\n",
        "from users_service.types import NewUser, StaleVersion, User, UserPatch\n",
    )
    edits.replace(STORE, "phone, created_at FROM users", "phone, created_at, version FROM users", times=2)
    edits.insert_before(STORE, "\n\nclass UserNotFound(LookupError):\n", _STORE_SQL)
    if _CHECK_VERSION_WRONGLY in edits.read(STORE) and context.assignment.is_rework:
        edits.replace(STORE, _CHECK_VERSION_WRONGLY, _CHECK_VERSION)
    elif _CHECK_VERSION not in edits.read(STORE):
        check = _CHECK_VERSION_WRONGLY if context.make_defect and not context.assignment.is_rework else _CHECK_VERSION
        edits.insert_before(STORE, "    def get(self, user_id: int) -> User:\n", _STORE_UPDATE.format(check=check))


def _edit_service(context: Context) -> None:
    edits = context.edits
    edits.replace(SERVICE, "from typing import Callable, List\n", "from typing import Callable, List, Optional\n")
    edits.replace(
        SERVICE,
        "from users_service.types import NewUser, User\n",
        "from users_service.types import NewUser, User, UserPatch\n",
    )
    edits.append(SERVICE, _SERVICE_UPDATE)


def _edit_api(context: Context) -> None:
    edits = context.edits
    edits.replace(
        API,
        "from users_service.types import NewUser, ValidationError\n",
        "from users_service.types import (\n    NewUser,\n    StaleVersion,\n    User,\n    UserPatch,\n"
        "    ValidationError,\n    entity_tag,\n    parse_if_match,\n)\n",
    )
    edits.insert_before(API, "class UsersServer(ThreadingHTTPServer):\n", _API_ONE_USER)
    edits.insert_before(API, '    _LOG.error("request failed"', _API_STALE)
    edits.insert_before(API, "    def log_message(self", _API_DO_PATCH)
    edits.replace(API, _API_GET, _API_GET_WITH_TAG)
    edits.insert_before(API, "    def _user_id(self) -> int:\n", _API_PATCH)


def _edit_docs(context: Context) -> None:
    edits = context.edits
    row = "| 409 | the e-mail address belongs to another user |\n"
    edits.insert_after(DOCS, row, "| 412 | the user is at another version than `If-Match` expects |\n")
    edits.replace(
        DOCS,
        "`phone` (or `null`), `created_at`.\n",
        "`phone` (or `null`), `created_at`,\n`version` (begins at 1 and goes up by one with each change).\n",
    )
    edits.replace(DOCS, "One user.\n", "One user. The `ETag` is the version that was read.\n")
    edits.append(DOCS, _DOCS_PATCH)
