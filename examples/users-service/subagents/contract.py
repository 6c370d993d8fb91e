"""The contract between the Backend Implementer and a `command` subagent, from the subagent's side.

A subagent is told what to do by environment variables and a brief in Markdown, works in its current directory, and says
what it did in a report. `README.md` beside this file has the contract in words.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Mapping, Optional

REPORT_VERSION = 1
"""The version of the report format that is written here."""

ROLES = {
    "backend-cloud-infrastructure-architect": "infrastructure",
    "backend-datatypes": "data-types",
    "backend-feature-implementer": "feature",
    "backend-cli-implementer": "cli",
    "backend-unit-test-generator": "tests",
    "backend-code-quality-reviewer": "review",
    "backend-validation-agent": "validation",
    "backend-deployment-agent": "deployment",
}
"""The roles of the built-in subagents, for a caller that gives only the subagent's name."""

_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_REQUIREMENT = re.compile(r"[-*]\s+(?:\[[ xX]\]\s+)?\**`([A-Za-z0-9][A-Za-z0-9._-]{0,63})`\**:?\s*(.*)")
_REWORK = re.compile(r"\b(rework|findings?|attempt)\b", re.IGNORECASE)


class ContractError(Exception):
    """The caller did not keep to the contract."""


@dataclass(frozen=True)
class Requirement:
    """One item of the brief."""

    id: str
    text: str


@dataclass(frozen=True)
class Assignment:
    """What the subagent was asked to do."""

    task: str
    subagent: str
    role: str
    report: Path
    requirements: list[Requirement]
    is_rework: bool
    base: Optional[str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Assignment:
        """Reads the assignment, or raises ContractError."""
        subagent = _variable(environment, "IMPLEMENTER_SUBAGENT")
        role = environment.get("IMPLEMENTER_ROLE") or ROLES.get(subagent)
        if role is None:
            raise ContractError(f"IMPLEMENTER_ROLE is not set, and {subagent!r} is not a built-in subagent")
        path = Path(_variable(environment, "IMPLEMENTER_BRIEF"))
        try:
            brief = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ContractError(f"the brief cannot be read: {error}") from error
        attempt = environment.get("IMPLEMENTER_ATTEMPT", "1")
        return cls(
            task=_variable(environment, "IMPLEMENTER_TASK"),
            subagent=subagent,
            role=role,
            report=Path(_variable(environment, "IMPLEMENTER_REPORT")),
            requirements=requirements_of(brief),
            is_rework=attempt not in ("", "1") or any(_REWORK.search(title) for title in _headings(brief)),
            base=environment.get("IMPLEMENTER_BASE"),
        )


def requirements_of(brief: str) -> list[Requirement]:
    """Returns the items of the brief's section of requirements, without what is nested below them."""
    found: dict[str, Requirement] = {}
    level = 0
    for line in brief.splitlines():
        heading = _HEADING.match(line)
        if heading is not None:
            if "requirements" in heading.group(2).lower():
                level = len(heading.group(1))
            elif len(heading.group(1)) <= level:
                level = 0
        item = _REQUIREMENT.match(line) if level else None
        if item is not None:
            found.setdefault(item.group(1), Requirement(item.group(1), item.group(2)))
    return list(found.values())


def _headings(brief: str) -> list[str]:
    return [match.group(2) for match in map(_HEADING.match, brief.splitlines()) if match is not None]


def _variable(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ContractError(f"{name} is not set")
    return value


@dataclass(frozen=True)
class Claim:
    """What a script can say about a requirement, found by the requirement's id or else by a word of its text."""

    id: str
    words: tuple[str, ...]
    note: str
    status: str = "done"


@dataclass(frozen=True)
class Item:
    """A line for the Implementation Summary."""

    label: str
    text: str


@dataclass(frozen=True)
class Evidence:
    """Something that was run to check the work."""

    command: str
    exit_code: Optional[int]
    result: str


@dataclass(frozen=True)
class Limitation:
    """Something that could not be done, and the subagent that could."""

    text: str
    needs: Optional[str] = None


@dataclass(frozen=True)
class Finding:
    """Something wrong with the code."""

    severity: str
    message: str
    path: Optional[str] = None
    line: Optional[int] = None


@dataclass
class Report:
    """What a subagent says it did."""

    status: str
    summary: str
    claims: list[Claim] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    limitations: list[Limitation] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def to_json(self, requirements: list[Requirement]) -> dict[str, object]:
        """Returns the document that the schema of reports asks for."""
        document: dict[str, object] = {"version": REPORT_VERSION, "status": self.status, "summary": self.summary}
        if requirements:
            document["requirements"] = [self._answer(requirement) for requirement in requirements]
        for name in ("files", "items", "evidence", "limitations", "findings"):
            values = getattr(self, name)
            if values:
                document[name] = [value if isinstance(value, str) else _kebab(asdict(value)) for value in values]
        return document

    def write(self, path: Path, requirements: list[Requirement]) -> None:
        """Writes the report where the assignment says."""
        text = json.dumps(self.to_json(requirements), ensure_ascii=False, indent=2)
        path.write_text(text + "\n", encoding="utf-8")

    def _answer(self, requirement: Requirement) -> dict[str, str]:
        claim = next((claim for claim in self.claims if claim.id == requirement.id), None)
        if claim is None:
            text = requirement.text.lower()
            claim = next((claim for claim in self.claims if any(word.lower() in text for word in claim.words)), None)
        if claim is None:
            note = "This script knows the example's plan only; nothing it did covers this."
            return {"id": requirement.id, "status": "not-done", "note": note}
        return {"id": requirement.id, "status": claim.status, "note": claim.note}


def _kebab(document: dict[str, object]) -> dict[str, object]:
    return {name.replace("_", "-"): value for name, value in document.items() if value is not None}
