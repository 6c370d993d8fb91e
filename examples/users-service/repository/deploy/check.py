"""Checks the deployment and cloud templates against each other and against what the service reads.

Prints one line per problem and exits with 1 when there is one, with 0 when there is none.
"""

from __future__ import annotations

import configparser
import json
import sys
from pathlib import Path
from typing import Dict, Iterator, List

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from users_service.settings import SettingsError, load, variables  # noqa: E402  (needs the path above)

_UNIT_KEYS = {
    "Unit": ["Description"],
    "Service": ["User", "WorkingDirectory", "EnvironmentFile", "ExecStart", "Restart"],
    "Install": ["WantedBy"],
}


def check_environment(path: Path) -> Iterator[str]:
    """Yields what is wrong with the environment template."""
    values: Dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.isidentifier():
            yield f"{path.name}:{number}: not NAME=VALUE"
        elif name in values:
            yield f"{path.name}:{number}: {name} stands here twice"
        else:
            values[name] = value
    read = variables()
    yield from (f"{path.name}: {name} is missing" for name in read if name not in values)
    yield from (f"{path.name}: {name} is read by nothing" for name in values if name not in read)
    try:
        load(values)
    except SettingsError as error:
        yield f"{path.name}: {error}"


def check_unit(path: Path) -> Iterator[str]:
    """Yields what is wrong with the systemd unit."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        unit.read_string(path.read_text(encoding="utf-8"))
    except configparser.Error as error:
        yield f"{path.name}: {error}"
        return
    for section, keys in _UNIT_KEYS.items():
        yield from (f"{path.name}: {section}.{key} is missing" for key in keys if not unit.has_option(section, key))


def check_cloud_template(path: Path) -> Iterator[str]:
    """Yields what is wrong with the cloud template."""
    try:
        template = json.loads(path.read_text(encoding="utf-8"))
        resources = template["Resources"]
        names = {*template.get("Parameters", {}), *resources}
        for name, resource in resources.items():
            if not isinstance(resource.get("Type"), str):
                yield f"{path.name}: {name} has no Type"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"{path.name}: not a template: {error!r}"
        return
    yield from (f"{path.name}: nothing is called {name}" for name in _references(template) if name not in names)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            if key in ("Ref", "DependsOn") and isinstance(child, str):
                yield child
            else:
                yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)


def main() -> int:
    """Checks everything; returns the exit code."""
    checks = {
        ROOT / "deploy" / "users-service.env.template": check_environment,
        ROOT / "deploy" / "users-service.service": check_unit,
        ROOT / "infra" / "template.json": check_cloud_template,
    }
    problems: List[str] = []
    for path, check in checks.items():
        try:
            problems.extend(check(path))
        except (OSError, UnicodeDecodeError, SettingsError) as error:
            problems.append(f"{path.name}: {error}")
    for problem in problems:
        print(problem)
    print(f"checked {len(checks)} templates: {len(problems)} problem{'' if len(problems) == 1 else 's'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
