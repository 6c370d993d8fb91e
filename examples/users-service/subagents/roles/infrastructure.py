"""Infrastructure: the migration, the limit, the alarm."""

from __future__ import annotations

import json
import sqlite3
from typing import Iterator

from context import Context, Failed
from contract import Claim, Evidence, Item, Limitation, Report
from running import run_tests

MIGRATION = "infra/migrations/0002_user_versions.sql"
SETTINGS = "infra/service.json"
TEMPLATE = "infra/template.json"
MAX_PATCH_BYTES = 4096

_STALE_CHANGES = {
    "Type": "AWS::Logs::MetricFilter",
    "Properties": {
        "LogGroupName": {"Ref": "UsersLog"},
        "FilterPattern": '"\\"PATCH /api/users/" "HTTP/1.1\\" 412"',
        "MetricTransformations": [
            {"MetricName": "StaleChanges", "MetricNamespace": "UsersService", "MetricValue": "1"}
        ],
    },
}
_STALE_CHANGES_ALARM = {
    "Type": "AWS::CloudWatch::Alarm",
    "DependsOn": "StaleChanges",
    "Properties": {
        "AlarmDescription": "More than 20 changes of users in five minutes were refused as stale",
        "Namespace": "UsersService",
        "MetricName": "StaleChanges",
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 20,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [{"Ref": "OnCallTopic"}],
    },
}


def work(context: Context) -> Report:
    """Adds the migration, the limit and the alarm, and tries the migration on a database with a user in it."""
    context.edits.create(MIGRATION, context.content("0002_user_versions.sql"))
    context.edits.change_json(SETTINGS, _add_limit)
    context.edits.change_json(TEMPLATE, _add_alarm)
    files = context.edits.write()
    evidence = [_try_migration(context), _check_template(context)]
    suite = run_tests(context.root, "tests")
    if not suite.is_green:
        raise Failed(f"the present code does not pass its tests on the new schema: {suite.counts}")
    return Report(
        status="completed",
        summary="A migration for versions and the log of changes, a limit for the size of a change, and an alarm for "
        f"changes that are refused as stale. The present code passes its {suite.passed} tests on the new schema.",
        claims=[
            Claim(
                "INFRA-1",
                ("migration", "user_changes", "schema"),
                f"{MIGRATION}; tried on a database with a user in it, who kept their data and got version 1.",
            ),
            Claim("INFRA-2", ("max_patch_bytes", "limit"), f"limits.max_patch_bytes is {MAX_PATCH_BYTES}."),
            Claim("INFRA-3", ("alarm", "412", "stale"), "StaleChanges counts the answers; StaleChangesAlarm is raised above 20."),
        ],
        files=files,
        items=[
            Item("cloud-resources", "Metric filter StaleChanges and alarm StaleChangesAlarm in infra/template.json"),
            Item("cloud-resources", "Migration 0002: users.version and the table user_changes, additive only"),
            Item("configuration", f"limits.max_patch_bytes = {MAX_PATCH_BYTES}, overridden by USERS_MAX_PATCH_BYTES"),
        ],
        evidence=[*evidence, suite.evidence()],
        limitations=[
            Limitation(
                "deploy/users-service.env.template does not have USERS_MAX_PATCH_BYTES yet; it is the deployment agent's."
            )
        ],
    )


def _add_limit(document: dict) -> None:
    document["limits"]["max_patch_bytes"] = MAX_PATCH_BYTES


def _add_alarm(document: dict) -> None:
    document["Resources"]["StaleChanges"] = _STALE_CHANGES
    document["Resources"]["StaleChangesAlarm"] = _STALE_CHANGES_ALARM


def _try_migration(context: Context) -> Evidence:
    """Applies the migrations one by one, with a user stored in between."""
    scripts = sorted((context.root / "infra" / "migrations").glob("*.sql"))
    connection = sqlite3.connect(str(context.scratch / "migrated.sqlite3"))
    try:
        for script in scripts[:-1]:
            connection.executescript(script.read_text(encoding="utf-8"))
        connection.execute(
            "INSERT INTO users (name, email, created_at) VALUES ('Ada', 'ada@example.com', '2026-01-01T00:00:00Z')"
        )
        connection.commit()
        connection.executescript(scripts[-1].read_text(encoding="utf-8"))
        row = connection.execute("SELECT name, email, version FROM users").fetchone()
        columns = [column[1] for column in connection.execute("PRAGMA table_info(user_changes)")]
    except sqlite3.Error as error:
        raise Failed(f"{scripts[-1].name} cannot be applied: {error}") from error
    finally:
        connection.close()
    if row != ("Ada", "ada@example.com", 1) or columns != ["user_id", "version", "fields", "changed_at"]:
        raise Failed(f"{scripts[-1].name} did something else: the user is {row}, user_changes has {columns}")
    return Evidence(
        f"{len(scripts)} migrations on a database with a user", 0, f"user kept, version {row[2]}; {', '.join(columns)}"
    )


def _check_template(context: Context) -> Evidence:
    """Checks that everything the cloud template refers to is there."""
    template = json.loads((context.root / TEMPLATE).read_text(encoding="utf-8"))
    names = {*template.get("Parameters", {}), *template["Resources"]}
    references = list(_references(template))
    missing = sorted(set(references) - names)
    if missing:
        raise Failed(f"{TEMPLATE} refers to what is not there: {', '.join(missing)}")
    return Evidence(f"references of {TEMPLATE}", 0, f"{len(references)} references, all of them resolved")


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
