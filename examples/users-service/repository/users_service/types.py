"""The data types of the service, and what makes their values valid.

Everything that comes from outside passes through `from_json` or one of the `check_` functions exactly once; what holds
a `User` or a `NewUser` need not check again.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import AbstractSet, Dict, Optional

NAME_MAX = 100
"""The longest name, in characters."""

EMAIL_MAX = 254
"""The longest e-mail address, in characters (RFC 5321, section 4.5.3.1.3)."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,29}")


class ValidationError(ValueError):
    """A value from outside that is not valid."""

    def __init__(self, field: str, message: str) -> None:
        """Keeps the name of the field and what is wrong with it."""
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def check_name(value: object) -> str:
    """Returns the name without surrounding white space, or raises ValidationError."""
    if not isinstance(value, str) or not value.strip():
        raise ValidationError("name", "must be text that is not empty")
    name = value.strip()
    if len(name) > NAME_MAX:
        raise ValidationError("name", f"must have at most {NAME_MAX} characters")
    if not name.isprintable():
        raise ValidationError("name", "must not hold control characters")
    return name


def check_email(value: object) -> str:
    """Returns the e-mail address, or raises ValidationError."""
    if not isinstance(value, str) or not value.isprintable() or not _EMAIL.fullmatch(value):
        raise ValidationError("email", "must be an e-mail address")
    if len(value) > EMAIL_MAX:
        raise ValidationError("email", f"must have at most {EMAIL_MAX} characters")
    return value


def check_phone(value: object) -> Optional[str]:
    """Returns the telephone number, or None for none, or raises ValidationError."""
    if value is None:
        return None
    if not isinstance(value, str) or not _PHONE.fullmatch(value):
        raise ValidationError("phone", "must be a telephone number or null")
    return value


def check_object(document: object, known: AbstractSet[str]) -> Dict[str, object]:
    """Returns the document if it is a JSON object with no other than the known fields, or raises ValidationError."""
    if not isinstance(document, dict):
        raise ValidationError("body", "must be a JSON object")
    unknown = sorted(set(document) - known)
    if unknown:
        raise ValidationError(unknown[0], "is not a field of a user that can be set")
    return document


@dataclass(frozen=True)
class NewUser:
    """A user who is not stored yet."""

    name: str
    email: str
    phone: Optional[str] = None

    @classmethod
    def from_json(cls, document: object) -> NewUser:
        """Checks a JSON document that describes a new user, or raises ValidationError."""
        fields = check_object(document, {"name", "email", "phone"})
        return cls(
            name=check_name(fields.get("name")),
            email=check_email(fields.get("email")),
            phone=check_phone(fields.get("phone")),
        )


@dataclass(frozen=True)
class User:
    """A user as stored."""

    id: int
    name: str
    email: str
    phone: Optional[str]
    created_at: str

    def to_json(self) -> Dict[str, object]:
        """Returns the user as the API shows it."""
        return dataclasses.asdict(self)
