"""Stands in for the action in workflows under act, which cannot run a container action without a container engine: hands
the inputs over as GitHub's runner does, and runs the program as a step.

act loses all outputs of a matrix but those of its first job; GitHub joins them. So what a job of a matrix says is kept in
a folder here, and given to the job after the matrix.
"""

import json
import os
import pathlib
import subprocess
import sys


def values(text: str) -> dict:
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, delimiter = line.split("<<")
        value = []
        for line in lines:
            if line == delimiter:
                break
            value.append(line)
        found[name] = "\n".join(value)
    return found


def main() -> int:
    inputs = json.loads(os.environ["STEP_INPUTS"])
    kept = pathlib.Path(os.environ["FAKE_BINDINGS"]) / (inputs.get("wave") or "none")
    # Who made a result, and the input that takes it in.
    makers = {"collect": "results", "dispatch": "dispatched"}
    for taken in makers.values():
        bindings = kept / taken
        if inputs.get("command") == "settle" and bindings.is_dir():
            outputs = json.loads(inputs[taken]) or {}
            outputs.update({slot.name: slot.read_text() for slot in bindings.iterdir()})
            inputs[taken] = json.dumps(outputs)
    waves = json.loads(inputs.get("unsettled") or "[]")
    for number, outputs in enumerate(waves, start=1):
        bindings = kept.parent / f"wave-{number}" / "results"
        if outputs is not None and bindings.is_dir():
            outputs.update({slot.name: slot.read_text() for slot in bindings.iterdir()})
    if waves:
        inputs["unsettled"] = json.dumps(waves)
    # What the fakes are instead of GitHub; the rest is as act has it.
    environment = dict(os.environ)
    for name in ["API_URL", "GRAPHQL_URL", "SERVER_URL"]:
        environment[f"GITHUB_{name}"] = os.environ[f"FAKE_{name}"]
    environment.update({f"INPUT_{name.upper()}": value for name, value in inputs.items() if value})
    code = subprocess.run([os.environ["FAKE_PROGRAM"], "action"], env=environment).returncode
    if inputs.get("command") in makers:
        bindings = kept / makers[inputs["command"]]
        for name, value in values(pathlib.Path(os.environ["GITHUB_OUTPUT"]).read_text()).items():
            if name.startswith("slot-"):
                bindings.mkdir(parents=True, exist_ok=True)
                (bindings / name).write_text(value)
    return code


sys.exit(main())
