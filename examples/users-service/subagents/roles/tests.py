"""Tests: unit, integration and end-to-end tests for what is there, run and measured."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from context import Context
from contract import Claim, Evidence, Item, Limitation, Report
from running import TestRun, read_test_run, run, run_tests

_COVERAGE = Path(__file__).resolve().parent.parent / "line_coverage.py"
_UPDATE_USER = ("users_service/service.py", "UserService.update_user")
_DO_PATCH = ("users_service/api.py", "UsersHandler.do_PATCH")


@dataclass(frozen=True)
class Suite:
    """A file of tests, and the definitions without which there is nothing for it to test."""

    path: str
    requirement: str
    tests: tuple[tuple[str, str], ...]

    def missing(self, context: Context) -> list[str]:
        """Returns the definitions that are not there."""
        return [name for module, name in self.tests if name not in context.definitions(module)]


_SUITES = [
    Suite("tests/test_user_patch.py", "TEST-1", (("users_service/types.py", "UserPatch"),)),
    Suite("tests/test_update_user.py", "TEST-1", (_UPDATE_USER,)),
    Suite("tests/test_patch_api.py", "TEST-2", (_DO_PATCH,)),
    Suite("tests/test_update_cli.py", "TEST-2", (("users_service/cli.py", "_update"), _UPDATE_USER)),
    Suite("tests/e2e/test_patch_over_http.py", "TEST-3", (_DO_PATCH,)),
]


def work(context: Context) -> Report:
    """Writes the tests of what is there, runs all tests, and reports what fails as blocking findings."""
    written, limitations = _write(context)
    files = context.edits.write()
    out = context.scratch / "coverage.json"
    command = [str(_COVERAGE), "users_service", "tests", str(out)]
    with ThreadPoolExecutor(max_workers=1) as other:
        beside = other.submit(run_tests, context.root, "tests/e2e")
        measured = run(context.root, command, "python3 line_coverage.py users_service tests")
        end_to_end = beside.result()
    unit = read_test_run(measured)
    coverage = _coverage(out)
    return Report(
        status="completed",
        summary=f"{len(written)} files of tests. Unit and integration tests: {unit.counts}; end to end: {end_to_end.counts}; "
        f"{coverage}." + ("" if unit.is_green and end_to_end.is_green else " What fails stands in the findings."),
        claims=_claims(written, unit, end_to_end),
        files=files,
        items=[
            Item("unit-tests", f"{unit.ran} unit and integration tests: {unit.counts}; {coverage}"),
            Item("integration-testing", f"{end_to_end.ran} end-to-end tests against the running service: {end_to_end.counts}"),
        ],
        evidence=[Evidence(measured.command, measured.exit_code, f"{unit.counts}; {coverage}"), end_to_end.evidence()],
        limitations=limitations,
        findings=[*unit.findings(), *end_to_end.findings()],
    )


def _write(context: Context) -> tuple[list[Suite], list[Limitation]]:
    written, limitations = [], []
    for suite in _SUITES:
        missing = suite.missing(context)
        if missing:
            limitations.append(Limitation(f"{suite.path} is not written: there is no {' and no '.join(missing)} to test"))
        else:
            context.edits.create(suite.path, context.content(Path(suite.path).name))
            written.append(suite)
    if (context.root / "deploy" / "release.json").is_file():
        # Called again after deployment, because no test noticed what that made.
        context.edits.create("tests/test_release.py", context.content("test_release.py"))
    return written, limitations


def _coverage(path: Path) -> str:
    if not path.exists():
        return "coverage not measured"
    modules: dict[str, list[int]] = json.loads(path.read_text(encoding="utf-8"))
    reached = sum(counts[0] for counts in modules.values())
    lines = sum(counts[1] for counts in modules.values())
    return f"{reached} of {lines} lines of users_service reached ({100 * reached // max(lines, 1)} %)"


def _claims(written: list[Suite], unit: TestRun, end_to_end: TestRun) -> list[Claim]:
    words = {"TEST-1": ("unit",), "TEST-2": ("integration",), "TEST-3": ("end-to-end", "e2e")}
    claims = []
    for requirement, found_by in words.items():
        asked = [suite.path for suite in _SUITES if suite.requirement == requirement]
        there = [suite.path for suite in written if suite.requirement == requirement]
        status = "done" if there == asked else "partial" if there else "not-done"
        counts = (end_to_end if requirement == "TEST-3" else unit).counts
        note = f"{' and '.join(there)}; {counts}." if there else "There is nothing to test yet."
        claims.append(Claim(requirement, found_by, note, status))
    return claims
