"""Tests: unit, integration and end-to-end tests for what is there, run and measured."""

from __future__ import annotations

import json
from pathlib import Path

from context import Context
from contract import Claim, Evidence, Item, Report
from running import TestRun, read_test_run, run, run_tests

_COVERAGE = Path(__file__).resolve().parent.parent / "line_coverage.py"

# Each file of tests, where it goes, and the definition without which there is nothing for it to test.
_SUITES = [
    ("test_user_patch.py", "tests/test_user_patch.py", "users_service/types.py", "UserPatch"),
    ("test_update_user.py", "tests/test_update_user.py", "users_service/service.py", "UserService.update_user"),
    ("test_patch_api.py", "tests/test_patch_api.py", "users_service/api.py", "UsersHandler.do_PATCH"),
    ("test_update_cli.py", "tests/test_update_cli.py", "users_service/cli.py", "_update"),
    ("test_patch_over_http.py", "tests/e2e/test_patch_over_http.py", "users_service/api.py", "UsersHandler.do_PATCH"),
]


def work(context: Context) -> Report:
    """Writes the tests of what is there, runs all tests, and reports what fails as blocking findings."""
    for name, path, module, definition in _SUITES:
        if definition in context.definitions(module):
            context.edits.create(path, context.content(name))
    files = context.edits.write()
    out = context.scratch / "coverage.json"
    measured = run(
        context.root,
        [str(_COVERAGE), "users_service", "tests", str(out)],
        "python3 line_coverage.py users_service tests",
    )
    unit = read_test_run(measured)
    end_to_end = run_tests(context.root, "tests/e2e")
    coverage = _coverage(out)
    green = unit.is_green and end_to_end.is_green
    return Report(
        status="completed",
        summary=f"{len(files)} files of tests. Unit and integration tests: {unit.counts}; end to end: {end_to_end.counts}; "
        f"{coverage}." + ("" if green else " What fails stands in the findings."),
        claims=_claims(files, unit, end_to_end),
        files=files,
        items=[
            Item("unit-tests", f"{unit.ran} unit and integration tests ({unit.counts}), {coverage}"),
            Item("integration-testing", f"{end_to_end.ran} end-to-end tests against the running service ({end_to_end.counts})"),
        ],
        evidence=[
            Evidence(measured.command, measured.exit_code, f"{unit.counts}; {coverage}"),
            end_to_end.evidence(),
        ],
        findings=[*unit.findings(), *end_to_end.findings()],
    )


def _coverage(path: Path) -> str:
    if not path.exists():
        return "coverage not measured"
    modules: dict[str, list[int]] = json.loads(path.read_text(encoding="utf-8"))
    reached = sum(counts[0] for counts in modules.values())
    lines = sum(counts[1] for counts in modules.values())
    return f"{reached} of {lines} lines of users_service reached ({100 * reached // max(lines, 1)} %)"


def _claims(files: list[str], unit: TestRun, end_to_end: TestRun) -> list[Claim]:
    names = " and ".join(f"`{path}`" for path in files if "e2e" not in path) or "no new file: nothing new to test"
    return [
        Claim("TEST-1", ("unit",), f"{names}; {unit.counts}."),
        Claim("TEST-2", ("integration",), f"Every status of API-2 and every option of `update`; {unit.counts}."),
        Claim("TEST-3", ("end-to-end", "e2e"), f"tests/e2e/test_patch_over_http.py; {end_to_end.counts}."),
    ]
