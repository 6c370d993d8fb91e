"""Deployment: the environment template, the release's needs, the smoke test and the instructions, all of them tried."""

from __future__ import annotations

import json
import re
from pathlib import Path

from context import Blocked, Context, Failed
from contract import Claim, Item, Limitation, Report
from running import Completed, run
from service_process import ServiceError, running_service

ENVIRONMENT = "deploy/users-service.env.template"
SETTING = "USERS_MAX_PATCH_BYTES"
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


def work(context: Context) -> Report:
    """Writes the deployment files, checks the templates, and runs the smoke test on the real service."""
    limit = _limit(context)
    schema = max(int(match.group(1)) for match in map(_MIGRATION.match, _migrations(context.root)) if match)
    context.edits.insert_after(ENVIRONMENT, "USERS_MAX_PAGE_SIZE=200\n", f"{SETTING}={limit}\n")
    context.edits.create("deploy/release.json", _release(schema, limit))
    context.edits.create("deploy/smoke.py", context.content("smoke.py"))
    context.edits.create("deploy/README.md", context.content("deploy_README.md"))
    files = context.edits.write()
    templates = run(context.root, ["deploy/check.py"])
    lint = run(context.root, ["tools/lint.py", "deploy"])
    smoked, refused = _smoke(context)
    for name, good in [
        ("the templates", templates.exit_code == 0),
        ("lint", lint.exit_code == 0),
        ("the smoke test on the running service", smoked.exit_code == 0),
        ("the smoke test without a service has to fail, and", refused.exit_code == 1),
    ]:
        if not good:
            raise Failed(f"{name}: the check of the deployment failed")
    passed = smoked.output.count("ok: ")
    return Report(
        status="completed",
        summary=f"The environment template has {SETTING}, release.json names schema {schema}, and the smoke test passed "
        f"all of its {passed} checks on the running service and failed without one.",
        claims=[
            Claim("DEPLOY-1", ("environment", "deploy/check.py"), f"{SETTING}={limit}; {templates.last_line}."),
            Claim("DEPLOY-2", ("smoke",), f"deploy/smoke.py: {passed} checks on the running service; exit code 1 without one."),
            Claim("DEPLOY-3", ("release.json",), f"deploy/release.json: schema {schema}, {SETTING}."),
            Claim("DEPLOY-4", ("README", "roll"), "deploy/README.md: roll out, check, roll back."),
        ],
        files=files,
        items=[
            Item("deployment-configuration", f"deploy/release.json: schema {schema}, setting {SETTING}"),
            Item("environment-preparation", f"{ENVIRONMENT} has {SETTING}={limit}"),
            Item("validation-results", f"deploy/check.py: {templates.last_line}; smoke test: {passed} of {passed} checks"),
            Item("deployment-instructions", "deploy/README.md: copy the database, add the setting, restart, run deploy/smoke.py"),
            Item("deployment-instructions", "Roll back by restarting the release before: it works on the new schema"),
            Item("documentation", "deploy/README.md says how to roll out, check and roll back"),
        ],
        evidence=[
            templates.evidence(),
            lint.evidence(),
            smoked.evidence(f"{passed} checks passed"),
            refused.evidence("fails without a service, as it has to"),
        ],
    )


def _limit(context: Context) -> int:
    """Returns the new limit of the service configuration, or raises Blocked."""
    try:
        return int(json.loads(context.edits.read("infra/service.json"))["limits"]["max_patch_bytes"])
    except (ValueError, KeyError, TypeError):
        text = "infra/service.json has no limits.max_patch_bytes to deploy"
        raise Blocked([Limitation(text, "backend-cloud-infrastructure-architect")]) from None


def _migrations(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "infra" / "migrations").iterdir())


def _release(schema: int, limit: int) -> str:
    document = {
        "schema": schema,
        "schema-is-compatible-with-release-before": True,
        "new-settings": {SETTING: str(limit)},
        "smoke-test": ["python3", "deploy/smoke.py", "URL"],
    }
    return json.dumps(document, indent=2) + "\n"


def _smoke(context: Context) -> tuple[Completed, Completed]:
    """Runs the smoke test on the running service, and once more when it is gone."""
    database = context.scratch / "smoke.sqlite3"
    added = run(
        context.root,
        ["-m", "users_service", "--database", str(database), "add", "Ada", "ada@example.com"],
        "python3 -m users_service add",
    )
    if added.exit_code != 0:
        raise Failed("no user can be added to try the smoke test on")
    try:
        with running_service(context.root, database) as service:
            url = service.url
            smoked = run(context.root, ["deploy/smoke.py", url], "python3 deploy/smoke.py URL")
    except ServiceError as error:
        raise Failed(str(error)) from error
    return smoked, run(context.root, ["deploy/smoke.py", url], "python3 deploy/smoke.py URL (no service there)")
