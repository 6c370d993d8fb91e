"""The settings: `infra/service.json`, overridden by environment variables.

A limit that is added to the file can be overridden at once: `limits.max_body_bytes` is `USERS_MAX_BODY_BYTES`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping

ROOT = Path(__file__).resolve().parent.parent
"""The directory that holds `infra/` and `users_service/`."""

SETTINGS_PATH = ROOT / "infra" / "service.json"
"""Where the settings stand."""

_PORT_MAX = 65535
_LIMIT_MAX = 2**31 - 1


class SettingsError(ValueError):
    """A setting that is missing or not valid."""


@dataclass(frozen=True)
class Settings:
    """How the service is to run."""

    database: str
    host: str
    port: int
    limits: Mapping[str, int]

    def limit(self, name: str) -> int:
        """Returns a limit, or raises SettingsError for one that `infra/service.json` does not have."""
        if name not in self.limits:
            raise SettingsError(f"limits.{name} is missing in {SETTINGS_PATH.name}")
        return self.limits[name]


def variable(setting: str) -> str:
    """Returns the name of the environment variable that overrides a setting."""
    return f"USERS_{setting.upper()}"


def variables(path: Path = SETTINGS_PATH) -> List[str]:
    """Returns the names of all environment variables that the service reads, in the order of the file."""
    document = _read(path)
    plain = [name for name in document if name != "limits"]
    return [variable(name) for name in [*plain, *_limits(document)]]


def load(environment: Mapping[str, str], path: Path = SETTINGS_PATH) -> Settings:
    """Reads the settings, or raises SettingsError."""
    document = _read(path)
    limits = {
        name: _whole_number(variable(name), environment.get(variable(name), value), 1, _LIMIT_MAX)
        for name, value in _limits(document).items()
    }
    plain = {
        name: environment.get(variable(name), document.get(name, "")) for name in ("database", "host", "port")
    }
    return Settings(
        database=str(plain["database"]),
        host=str(plain["host"]),
        port=_whole_number(variable("port"), plain["port"], 0, _PORT_MAX),
        limits=limits,
    )


def _read(path: Path) -> Dict[str, object]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise SettingsError(f"{path}: must hold a JSON object")
    return document


def _limits(document: Mapping[str, object]) -> Dict[str, object]:
    limits = document.get("limits", {})
    if not isinstance(limits, dict):
        raise SettingsError("limits must be a JSON object")
    return limits


def _whole_number(name: str, value: object, least: int, most: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise SettingsError(f"{name} must be a whole number, not {value!r}") from None
    if not least <= number <= most:
        raise SettingsError(f"{name} must be between {least} and {most}, not {number}")
    return number
