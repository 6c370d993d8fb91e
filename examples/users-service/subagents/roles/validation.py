"""Validation: the running service, asked over HTTP. Changes nothing; what it needs goes into a scratch directory."""

from __future__ import annotations

import io
import tarfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from context import Context
from contract import Claim, Evidence, Finding, Item, Limitation, Report
from running import find_base, git, run
from service_process import Service, ServiceError, running_service

_CHANGES = 100
_BUDGET_MS = 100
_FINDINGS_MAX = 10
_ADA = {"name": "Ada", "email": "ada@example.com", "phone": "+44 20 7946"}


@dataclass
class Scenario:
    """A series of checks; the first that fails does not stop the others."""

    title: str
    passed: int = 0
    problems: list[str] = field(default_factory=list)

    def check(self, what: str, actual: object, expected: object) -> None:
        """Notes whether something is as expected."""
        if actual == expected:
            self.passed += 1
        else:
            self.problems.append(f"{self.title}: {what}: expected {expected!r}, got {actual!r}")
            print(f"not as planned: {self.problems[-1]}", flush=True)

    @property
    def verdict(self) -> str:
        """Returns the counts in words."""
        return f"{self.passed} of {self.passed + len(self.problems)} checks passed"

    def evidence(self) -> Evidence:
        """Returns the line for the report."""
        return Evidence(self.title, 1 if self.problems else 0, self.verdict)


def work(context: Context) -> Report:
    """Runs the scenarios on the service of the work tree, and measures it."""
    good = Scenario("adding, changing, a conflict, clearing")
    bad = Scenario("bad requests")
    upgrade = Scenario("upgrade from the release before")
    durations: list[float] = []
    try:
        with running_service(context.root, context.scratch / "users.sqlite3") as service:
            _good_requests(service, good)
            _bad_requests(service, bad)
            durations = _measure(service, bad)
        base = find_base(context.root, context.assignment.base)
        was_upgraded = _upgrade(context, base, upgrade)
    except (ServiceError, OSError, ValueError) as error:
        good.problems.append(f"the service cannot be validated: {error}")
        was_upgraded = False
    return _report([good, bad, upgrade], durations, was_upgraded)


def _good_requests(service: Service, scenario: Scenario) -> None:
    status, headers, user = service.ask("POST", "/api/users", _ADA)
    scenario.check("adding", status, 201)
    path = headers.get("Location", "/api/users/1")
    seen = service.ask("GET", path)[1].get("ETag")
    scenario.check("the tag of a new user", seen, '"1"')
    status, headers, user = service.ask("PATCH", path, {"name": "Ada Lovelace"}, {"If-Match": seen or "*"})
    scenario.check("changing the name", status, 200)
    scenario.check("what was not given", _fields(user, "email", "phone"), [_ADA["email"], _ADA["phone"]])
    scenario.check("the tag after a change", headers.get("ETag"), '"2"')
    status, headers, _ = service.ask("PATCH", path, {"name": "Augusta"}, {"If-Match": '"1"'})
    scenario.check("a stale change", (status, headers.get("ETag")), (412, '"2"'))
    scenario.check("the user after a stale change", _fields(service.ask("GET", path)[2], "name"), ["Ada Lovelace"])
    status, _, user = service.ask("PATCH", path, {"phone": None})
    scenario.check("clearing the number", (status, _fields(user, "phone", "version")), (200, [None, 3]))
    status, _, user = service.ask("PATCH", path, {"phone": None})
    scenario.check("a change without effect", (status, _fields(user, "version")), (200, [3]))


def _bad_requests(service: Service, scenario: Scenario) -> None:
    service.ask("POST", "/api/users", {"name": "Charles", "email": "charles@example.com"})
    path = "/api/users/1"
    before = service.ask("GET", path)[2]
    requests: list[tuple[int, str, str, object, dict[str, str]]] = [
        (400, "no JSON", path, b"{", {}),
        (400, "no UTF-8", path, b"\xff", {}),
        (400, "no entity tag", path, {"name": "Augusta"}, {"If-Match": "1"}),
        (404, "a user who is not there", "/api/users/4711", {"name": "Augusta"}, {}),
        (409, "a taken address", path, {"email": "CHARLES@example.com"}, {}),
        (412, "a stale version", path, {"name": "Augusta"}, {"If-Match": '"1"'}),
        (413, "a body that is too large", path, b'{"name": "' + b"A" * 5000 + b'"}', {}),
        (413, "a body that is far too large", path, b" " * 200_000, {}),
        (422, "no field", path, {}, {}),
        (422, "an unknown field", path, {"name": "Augusta", "id": 7}, {}),
        (422, "a name that is no text", path, {"name": None}, {}),
        (422, "an address that is none", path, {"name": "Augusta", "email": "ada"}, {}),
    ]
    for expected, what, target, body, headers in requests:
        status, _, document = service.ask("PATCH", target, body, headers)
        scenario.check(what, (status, isinstance(document, dict) and "error" in document), (expected, True))
    scenario.check("the user after all of them", service.ask("GET", path)[2], before)


def _measure(service: Service, scenario: Scenario) -> list[float]:
    """Returns how long changes take, in milliseconds, in ascending order; nothing when one of them failed."""
    durations = []
    for number in range(_CHANGES):
        started = time.perf_counter()
        status, _, _ = service.ask("PATCH", "/api/users/1", {"name": f"Ada {number}"})
        durations.append((time.perf_counter() - started) * 1000)
        if status != 200:
            scenario.check(f"change {number + 1} of {_CHANGES} in a row", status, 200)
            return []
    return sorted(durations)


def _upgrade(context: Context, base: Optional[str], scenario: Scenario) -> bool:
    """Lets the release before write a database, changes it with this one, and reads it with the other again."""
    archive = git(context.root, "archive", "--format=tar", base, "users_service", "infra") if base else None
    if archive is None:
        return False
    before = context.scratch / "release-before"
    before.mkdir()
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files.getmembers():
            _extract(files, member, before)
    database = context.scratch / "upgraded.sqlite3"
    prefix = ["-m", "users_service", "--database", str(database)]
    added = run(before, [*prefix, "add", "Ada", "ada@example.com"], "release before: users_service add")
    scenario.check("the release before adds a user", added.exit_code, 0)
    with running_service(context.root, database) as service:
        status, _, user = service.ask("PATCH", "/api/users/1", {"name": "Ada Lovelace"}, {"If-Match": '"1"'})
        scenario.check("changing the user", (status, _fields(user, "version")), (200, [2]))
    listed = run(before, [*prefix, "list"], "release before: users_service list")
    scenario.check("the release before reads the new schema", "Ada Lovelace" in listed.output, True)
    added = run(before, [*prefix, "add", "Charles", "charles@example.com"], "release before: users_service add")
    scenario.check("the release before writes on the new schema", added.exit_code, 0)
    return True


def _extract(files: tarfile.TarFile, member: tarfile.TarInfo, directory: Path) -> None:
    content = files.extractfile(member) if member.isfile() else None
    if content is not None and ".." not in Path(member.name).parts and not Path(member.name).is_absolute():
        target = directory / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.read())


def _fields(document: object, *names: str) -> list[object]:
    return [document.get(name) for name in names] if isinstance(document, dict) else []


def _report(scenarios: list[Scenario], durations: list[float], was_upgraded: bool) -> Report:
    good, bad, upgrade = scenarios
    problems = [problem for scenario in scenarios for problem in scenario.problems]
    findings = [Finding("blocking", problem) for problem in problems[:_FINDINGS_MAX]]
    if len(problems) > _FINDINGS_MAX:
        findings.append(Finding("blocking", f"{len(problems) - _FINDINGS_MAX} more checks failed; the log has them all"))
    figures, is_fast = _figures(durations)
    if durations and not is_fast:
        findings.append(Finding("warning", f"changes are slower than planned: {figures}"))
    verdict = f"{sum(scenario.passed for scenario in scenarios)} checks passed, {len(problems)} failed"
    return Report(
        status="completed",
        summary=f"The service was started and asked over HTTP: {verdict}. {figures}.",
        claims=[
            Claim("VALID-1", ("HTTP", "end-to-end", "integration"), f"{good.verdict}; bad requests: {bad.verdict}.", _done(good, bad)),
            Claim("VALID-2", ("upgrade", "release before"), f"{upgrade.verdict}.", _done(upgrade) if was_upgraded else "not-done"),
            Claim("VALID-3", ("measure", "performance"), f"{figures}.", "done" if durations else "not-done"),
        ],
        items=[
            Item("integration-testing", f"Over HTTP against the running service: {good.verdict}; bad requests: {bad.verdict}"),
            Item("performance-validation", figures),
            Item("validation-results", f"Upgrade from the release before and back: {upgrade.verdict}"),
        ],
        evidence=[
            *(scenario.evidence() for scenario in scenarios if scenario is not upgrade or was_upgraded),
            *([Evidence(f"{_CHANGES} changes, one after the other", 0, figures)] if durations else []),
        ],
        limitations=[] if was_upgraded else [Limitation("The release before is not in this history, so no upgrade was tried.")],
        findings=findings,
    )


def _done(*scenarios: Scenario) -> str:
    return "partial" if any(scenario.problems for scenario in scenarios) else "done"


def _figures(durations: list[float]) -> tuple[str, bool]:
    if not durations:
        return "Not measured: changes did not succeed", False
    middle, late = durations[len(durations) // 2], durations[len(durations) * 95 // 100 - 1]
    text = f"{len(durations)} changes one after the other: median {middle:.1f} ms, 95 % within {late:.1f} ms, slowest {durations[-1]:.1f} ms"
    return f"{text} (budget: 95 % within {_BUDGET_MS} ms)", late < _BUDGET_MS
