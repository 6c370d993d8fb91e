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

# Hundreds of runs start this script: what only a few steps need is imported where they need it, and `json` takes as long
# to import as Python takes to start.
import os
import sys


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def from_json(text: str) -> object:
    """Reads JSON of the tests' own: where it is not Python, its three names are."""
    return eval(text, {"__builtins__": {}, "true": True, "false": False, "null": None})


def to_json(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{to_json(key)}:{to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(to_json, value)) + "]"
    if isinstance(value, str):
        plain = "".join(c if " " <= c and c not in '"\\' else f"\\u{ord(c):04x}" for c in value)
        return f'"{plain}"'
    return {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else repr(value)


def default_report(brief: str) -> dict:
    sections = [brief.partition(name)[2].partition("\n## ")[0] for name in ("## Requirements", "## What you answer one by one")]
    lines = [line for section in sections for line in section.splitlines()]
    ids = [line[3:].partition("`")[0] for line in lines if line.startswith("- `")]
    return {
        "version": 1,
        "status": "completed",
        "summary": f"{os.environ['IMPLEMENTER_TASK']} is done",
        "requirements": [{"id": id_, "status": "done"} for id_ in ids],
    }


def main() -> int:
    script = from_json(read(sys.argv[1]))
    task, attempt = os.environ["IMPLEMENTER_TASK"], os.environ["IMPLEMENTER_ATTEMPT"]
    steps = script.get(f"{task}#{attempt}") or script.get(task) or script.get("*") or {}
    brief = read(os.environ["IMPLEMENTER_BRIEF"])
    print(f"working on {task}", flush=True)

    for path, text in steps.get("write", {}).items():
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        write(path, text)
    for path in steps.get("delete", []):
        os.unlink(path)
    if "run" in steps:
        import subprocess

        subprocess.run(steps["run"], check=True)
    if "dump_environment" in steps:
        write(steps["dump_environment"], to_json(dict(os.environ)))
    if "raw_report" in steps:
        write(os.environ["IMPLEMENTER_REPORT"], steps["raw_report"])
    elif not steps.get("no_report"):
        report = default_report(brief) | steps.get("report", {})
        write(os.environ["IMPLEMENTER_REPORT"], to_json(report))
    if steps.get("hang"):
        import signal
        import subprocess
        import time

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        if "announce" in steps:
            write(steps["announce"], f"{os.getpid()} {child.pid}\n")
        while True:
            time.sleep(1000)
    if "announce" in steps:
        write(steps["announce"], f"{os.getpid()}\n")
    if "wait_for" in steps:
        read(steps["wait_for"])
    return steps.get("exit", 0)


sys.exit(main())
