"""One module for each role; each has a function `work` that does the role's part and reports it."""

from __future__ import annotations

import importlib
from typing import Callable, Optional

from context import Context
from contract import Report

_MODULES = {
    "infrastructure": "infrastructure",
    "data-types": "data_types",
    "feature": "feature",
    "cli": "cli",
    "tests": "tests",
    "review": "review",
    "validation": "validation",
    "deployment": "deployment",
}


def script_of(role: str) -> Optional[Callable[[Context], Report]]:
    """Returns the script of a role, None when there is none. Only its module is loaded: each run plays one role."""
    if role not in _MODULES:
        return None
    work: Callable[[Context], Report] = importlib.import_module(f"roles.{_MODULES[role]}").work
    return work
