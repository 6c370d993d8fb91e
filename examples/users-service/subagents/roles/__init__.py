"""One module for each role; each has a function `work` that does the role's part and reports it."""

from __future__ import annotations

from typing import Callable

from context import Context
from contract import Report
from roles import cli, data_types, deployment, feature, infrastructure, review, tests, validation

SCRIPTS: dict[str, Callable[[Context], Report]] = {
    "infrastructure": infrastructure.work,
    "data-types": data_types.work,
    "feature": feature.work,
    "cli": cli.work,
    "tests": tests.work,
    "review": review.work,
    "validation": validation.work,
    "deployment": deployment.work,
}
"""The scripts, by role."""
