"""Data types: what a change is, and the version of a user."""

from __future__ import annotations

from context import Context, Failed
from contract import Claim, Item, Report
from running import run, run_tests

TYPES = "users_service/types.py"

_SENTINEL = '''class Absent(enum.Enum):
    """The value of a field that a change does not mention, as opposed to one that it clears."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
"""The field is to be left alone."""


'''

_VERSION_ERROR = '''class StaleVersion(Exception):
    """A change expected a version of a user that is no longer current."""

    def __init__(self, user_id: int, expected: int, current: int) -> None:
        """Keeps the user, the version that was expected and the one that is current."""
        super().__init__(f"user {user_id} is at version {current} by now")
        self.user_id = user_id
        self.expected = expected
        self.current = current


'''

_PATCH = '''

@dataclass(frozen=True)
class UserPatch:
    """A change of a user: the fields that are to change, and ABSENT for those that are to be left alone."""

    name: Union[str, Absent] = ABSENT
    email: Union[str, Absent] = ABSENT
    phone: Union[str, None, Absent] = ABSENT

    @classmethod
    def from_json(cls, document: object) -> UserPatch:
        """Checks a JSON document that describes a change, or raises ValidationError."""
        fields = check_object(document, {"name", "email", "phone"})
        if not fields:
            raise ValidationError("body", "must change at least one field")
        return cls(
            name=check_name(fields["name"]) if "name" in fields else ABSENT,
            email=check_email(fields["email"]) if "email" in fields else ABSENT,
            phone=check_phone(fields["phone"]) if "phone" in fields else ABSENT,
        )

    def apply_to(self, user: User) -> User:
        """Returns the user with the change made; the version is left to the store."""
        return dataclasses.replace(
            user,
            name=user.name if isinstance(self.name, Absent) else self.name,
            email=user.email if isinstance(self.email, Absent) else self.email,
            phone=user.phone if isinstance(self.phone, Absent) else self.phone,
        )


def entity_tag(version: int) -> str:
    """Returns the `ETag` of a version."""
    return f'"{version}"'


def parse_if_match(header: Optional[str]) -> Optional[int]:
    """Returns the version that an `If-Match` header expects, None when any will do, or raises ValueError.

    A tag that is well formed but never was one of ours gives 0, which is no user's version.
    """
    if header is None or header.strip() == "*":
        return None
    match = _ENTITY_TAG.fullmatch(header.strip())
    if match is None:
        raise ValueError("If-Match must be one strong entity tag or *")
    return int(match.group(1)) if _VERSION.fullmatch(match.group(1)) else 0
'''

_PATTERNS = '''_ENTITY_TAG = re.compile(r'"([\\x21\\x23-\\x7e]*)"')
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
'''

_CHECK = """
from users_service.types import ABSENT, User, UserPatch, ValidationError, entity_tag, parse_if_match
user = User(1, "Ada", "ada@example.com", "+44 20 7946", "2026-01-01T00:00:00Z")
assert user.version == 1 and user.to_json()["version"] == 1
assert UserPatch.from_json({"name": "Ada L."}).phone is ABSENT
assert UserPatch.from_json({"phone": None}).apply_to(user).phone is None
assert UserPatch.from_json({"name": "Ada L."}).apply_to(user).phone == "+44 20 7946"
assert parse_if_match(entity_tag(3)) == 3 and parse_if_match("*") is None and parse_if_match('"x"') == 0
refused = 0
for document in ({}, [], {"id": 2}, {"version": 2}, {"name": ""}, {"name": None}, {"email": None}, {"phone": 1}):
    try:
        UserPatch.from_json(document)
    except ValidationError:
        refused += 1
assert refused == 8, refused
print(f"{refused} of 8 bad documents refused")
"""


def work(context: Context) -> Report:
    """Adds the types to `users_service/types.py`, and tries them."""
    _edit(context)
    files = context.edits.write()
    tried = run(context.root, ["-c", _CHECK], "python3 -c (the new types on good and bad documents)")
    lint = run(context.root, ["tools/lint.py", "users_service"])
    suite = run_tests(context.root, "tests")
    for name, good in [("the new types", tried.exit_code == 0), ("lint", lint.exit_code == 0), ("tests", suite.is_green)]:
        if not good:
            raise Failed(f"{name}: the check of {TYPES} failed")
    return Report(
        status="completed",
        summary="UserPatch tells a field that is left alone from one that is cleared; User has a version; entity tags "
        "are written and read in one place.",
        claims=[
            Claim("TYPES-1", ("UserPatch",), "UserPatch with ABSENT and from_json; 8 of 8 bad documents were refused."),
            Claim("TYPES-2", ("`User`", "its `version`"), "User.version, 1 by default and part of to_json."),
            Claim("TYPES-3", ("StaleVersion",), "StaleVersion names the user, the expected and the current version."),
            Claim("TYPES-4", ("entity_tag", "If-Match", "ETag"), "entity_tag and parse_if_match."),
        ],
        files=files,
        items=[
            Item("data-types", "UserPatch: the fields to change; ABSENT leaves alone, None clears the number"),
            Item("data-types", "User.version, StaleVersion, entity_tag and parse_if_match"),
        ],
        evidence=[tried.evidence(), lint.evidence(), suite.evidence()],
    )


def _edit(context: Context) -> None:
    edits = context.edits
    edits.replace(TYPES, "import dataclasses\nimport re\n", "import dataclasses\nimport enum\nimport re\n")
    edits.replace(
        TYPES,
        "from typing import AbstractSet, Dict, Optional\n",
        "from typing import AbstractSet, Dict, Optional, Union\n",
    )
    edits.insert_before(TYPES, '\n\nclass ValidationError(ValueError):\n', _PATTERNS)
    edits.insert_before(TYPES, "class ValidationError(ValueError):\n", _SENTINEL)
    edits.insert_before(TYPES, "def check_name(value: object) -> str:\n", _VERSION_ERROR)
    edits.insert_after(TYPES, "    phone: Optional[str]\n    created_at: str\n", "    version: int = 1\n")
    edits.append(TYPES, _PATCH)
