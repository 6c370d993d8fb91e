"""The scripted subagent of the tests: does what a JSON file says, and keeps to the contract of the `command` agent.

Called as `agent.py SCRIPT`, where SCRIPT maps task ids (or `*`, or `TASK#ATTEMPT`) to steps:

  write   {path: text}      write files
  delete  [path]            delete files
  run     [argv]            run a command in the work tree; its exit code must be 0
  report  {...}             what the report says, over a default of "completed, everything done"
  no_report true            write no report
  raw_report "text"         write this as the report
  announce  path            write our process id into this file, then go on
  hang      true            block for ever, deaf to TERM, with a child in a session of its own
  wait_for  path            wait until somebody opens this FIFO for writing
  exit      N               exit code
  dump_environment path     write the environment as JSON
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time


def default_report(brief: str) -> dict:
    ids = re.findall(r"^- `([^`]+)`", brief.partition("## Requirements")[2].partition("\n## ")[0], re.MULTILINE)
    return {
        "version": 1,
        "status": "completed",
        "summary": f"{os.environ['IMPLEMENTER_TASK']} is done",
        "requirements": [{"id": id_, "status": "done"} for id_ in ids],
    }


def main() -> int:
    script = json.loads(pathlib.Path(sys.argv[1]).read_text())
    task, attempt = os.environ["IMPLEMENTER_TASK"], os.environ["IMPLEMENTER_ATTEMPT"]
    steps = script.get(f"{task}#{attempt}") or script.get(task) or script.get("*") or {}
    brief = pathlib.Path(os.environ["IMPLEMENTER_BRIEF"]).read_text()
    print(f"working on {task}", flush=True)

    for path, text in steps.get("write", {}).items():
        target = pathlib.Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    for path in steps.get("delete", []):
        pathlib.Path(path).unlink()
    if "run" in steps:
        subprocess.run(steps["run"], check=True)
    if "dump_environment" in steps:
        pathlib.Path(steps["dump_environment"]).write_text(json.dumps(dict(os.environ)))
    if "raw_report" in steps:
        pathlib.Path(os.environ["IMPLEMENTER_REPORT"]).write_text(steps["raw_report"])
    elif not steps.get("no_report"):
        report = default_report(brief) | steps.get("report", {})
        pathlib.Path(os.environ["IMPLEMENTER_REPORT"]).write_text(json.dumps(report))
    if steps.get("hang"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        if "announce" in steps:
            pathlib.Path(steps["announce"]).write_text(f"{os.getpid()} {child.pid}\n")
        while True:
            time.sleep(1000)
    if "announce" in steps:
        pathlib.Path(steps["announce"]).write_text(f"{os.getpid()}\n")
    if "wait_for" in steps:
        pathlib.Path(steps["wait_for"]).read_text()
    return steps.get("exit", 0)


sys.exit(main())
