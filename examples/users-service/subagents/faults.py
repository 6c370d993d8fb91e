"""Faults on demand, for tests of the coordinator: `SCRIPTED_FAULTS` names a JSON file `{"TASK OR SUBAGENT": "FAULT"}`."""

from __future__ import annotations

import enum
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Mapping, Optional

from contract import Assignment, ContractError, Item, Limitation, Report

_FOR_EVER = 3600

_SLEEPER = f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep({_FOR_EVER})"


class Fault(enum.Enum):
    """What a subagent does wrong."""

    FAIL = "fail"
    """Writes something half done, says that it failed, and exits with 1."""
    HANG = "hang"
    """Never ends, ignores TERM, and starts a process in a session of its own that does the same."""
    LIE = "lie"
    """Says that everything is done, and changes nothing."""
    OUT_OF_SCOPE = "out-of-scope"
    """Does its work, and changes a file that is not its own besides."""
    NO_REPORT = "no-report"
    """Does its work, and writes no report."""
    BAD_REPORT = "bad-report"
    """Does its work, and writes a report that does not keep to the schema."""
    BLOCKED = "blocked"
    """Says that it needs another specialist."""
    DEFECT = "defect"
    """Writes code with a bug that passes its own checks; the feature only, and only until it is asked for rework."""


def fault_for(assignment: Assignment, environment: Mapping[str, str]) -> Optional[Fault]:
    """Returns the fault that is asked of a task or its subagent, or raises ContractError."""
    path = environment.get("SCRIPTED_FAULTS")
    if not path:
        return None
    try:
        faults = json.loads(Path(path).read_text(encoding="utf-8"))
        name = faults.get(assignment.task, faults.get(assignment.subagent))
        return None if name is None else Fault(name)
    except (OSError, ValueError, AttributeError) as error:
        raise ContractError(f"SCRIPTED_FAULTS: {error}") from error


def before_work(fault: Fault, assignment: Assignment, root: Path, faults_path: Path) -> Optional[Report]:
    """Does the faults that replace the work; returns their report, or None for a fault that comes with the work."""
    if fault is Fault.HANG:
        hang(faults_path)
    if fault is Fault.FAIL:
        (root / "half-done.tmp").write_text("half done\n", encoding="utf-8")
        return Report("failed", "The work was begun and could not be finished.")
    if fault is Fault.LIE:
        report = Report("completed", "Everything that was asked for is done.")
        report.files = ["users_service/service.py"]
        report.items = [Item("core-functionality", "Everything that was asked for")]
        return report
    if fault is Fault.BLOCKED:
        needs = "backend-datatypes" if assignment.role != "data-types" else "backend-cloud-infrastructure-architect"
        report = Report("blocked", "Something is missing that is not this subagent's to make.")
        report.limitations = [Limitation("a type that is not there yet", needs)]
        return report
    return None


def hang(faults_path: Path) -> None:
    """Never returns, and leaves a process behind in a session of its own; its id goes into `FAULTS_PATH.pids`."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", _SLEEPER], start_new_session=True)
    with open(f"{faults_path}.pids", "a", encoding="utf-8") as pids:
        pids.write(f"{os.getpid()}\n{child.pid}\n")
    print("hanging", flush=True)
    time.sleep(_FOR_EVER)


def break_scope(assignment: Assignment, root: Path) -> None:
    """Changes a file that belongs to another subagent, and does not say so."""
    path = root / "users_service" / ("service.py" if assignment.role == "data-types" else "types.py")
    with path.open("a", encoding="utf-8") as file:
        file.write("\n# Changed by a subagent whose file this is not.\n")
