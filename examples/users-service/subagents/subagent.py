"""The scripted subagents: a `command` agent that needs no key and no network.

    python3 subagent.py

Reads its assignment from the environment, does the role's part in the current directory, and writes the report. Exits
with 0 when the report says everything, with 1 when the work failed, with 2 when the caller did not keep to the contract.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Callable, Optional

# The scripts may stand in a directory that is not theirs to write to.
sys.dont_write_bytecode = True

import faults  # noqa: E402
from context import Blocked, Context, Failed  # noqa: E402
from contract import Assignment, Claim, ContractError, Report  # noqa: E402
from editing import EditError, Edits  # noqa: E402
from faults import Fault  # noqa: E402
from roles import script_of  # noqa: E402


def main() -> int:
    """Does the assignment; returns the exit code."""
    try:
        assignment = Assignment.from_environment(os.environ)
        script = script_of(assignment.role)
        if script is None:
            raise ContractError(f"there is no script for the role {assignment.role!r}")
        fault = faults.fault_for(assignment, os.environ)
    except ContractError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{assignment.subagent}: {len(assignment.requirements)} requirements", flush=True)
    report = do(assignment, script, fault)
    print(f"{report.status}: {report.summary}", flush=True)
    if fault is Fault.BAD_REPORT:
        assignment.report.write_text('{"version": 1, "status": "finished", "confidence": 0.99}\n', encoding="utf-8")
    elif fault is not Fault.NO_REPORT:
        report.write(assignment.report, assignment.requirements)
    return 1 if report.status == "failed" else 0


def do(assignment: Assignment, script: Callable[[Context], Report], fault: Optional[Fault]) -> Report:
    """Does the work, with the fault if one is asked for; returns the report."""
    root = Path.cwd()
    if fault is not None:
        report = faults.before_work(fault, assignment, root, Path(os.environ["SCRIPTED_FAULTS"]))
        if report is not None:
            return with_claims_of_everything(report, assignment) if fault is Fault.LIE else report
    with tempfile.TemporaryDirectory(prefix="scripted-") as scratch:
        context = Context(assignment, root, Path(scratch), Edits(root), make_defect=fault is Fault.DEFECT)
        report = work(script, context)
    if fault is Fault.OUT_OF_SCOPE:
        faults.break_scope(assignment, root)
    return report


def work(script: Callable[[Context], Report], context: Context) -> Report:
    """Runs the role's script; what stops it becomes a report that says so."""
    try:
        return script(context)
    except Blocked as blocked:
        return Report("blocked", f"Not begun: {blocked}.", limitations=blocked.missing)
    except (EditError, Failed, OSError) as error:
        return Report("failed", f"Not done: {error}.")


def with_claims_of_everything(report: Report, assignment: Assignment) -> Report:
    """Returns the report with a claim that each requirement is done."""
    report.claims = [Claim(requirement.id, (), "Done.") for requirement in assignment.requirements]
    return report


if __name__ == "__main__":
    sys.exit(main())
