"""Repositories and terminals for scripts/pictures."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

AGENT = '''
import json, os, pathlib, re, time
task, attempt = os.environ["IMPLEMENTER_TASK"], os.environ.get("IMPLEMENTER_ATTEMPT", "1")
print("reading the brief", flush=True)
time.sleep(0.3)
limits, wrote = [], []
if os.environ["IMPLEMENTER_SUBAGENT"] == "backend-feature-implementer":
    path = pathlib.Path(re.search(r"shop/\\w+\\.py", pathlib.Path(os.environ["IMPLEMENTER_BRIEF"]).read_text()).group())
    path.parent.mkdir(exist_ok=True)
    body = "def total(prices):\\n    return sum(prices)" if path.stem != "cart" else "def total(prices):\\n    return sum(prices[1:])"
    path.write_text('"""%s, attempt %s."""\\n\\n\\n%s\\n' % (task, attempt, body))
    wrote.append(str(path))
    print("write", path, flush=True)
if task == "tests":
    path = pathlib.Path("tests/test_added.py")
    path.parent.mkdir(exist_ok=True)
    name = "cart" if pathlib.Path("shop/cart.py").exists() else sorted(p.stem for p in pathlib.Path("shop").glob("*.py"))[0]
    path.write_text("import unittest\\n\\nfrom shop.%s import total\\n\\n\\nclass Total(unittest.TestCase):\\n    def test_total_of_two_prices(self):\\n        self.assertEqual(total([2, 3]), 5)\\n" % name)
    wrote.append(str(path))
time.sleep(0.3)
report = {"version": 1, "status": "completed", "summary": "Did what the plan asks of %s." % task}
pathlib.Path(os.environ["IMPLEMENTER_REPORT"]).write_text(json.dumps(report))
'''


def repository(kind: str, folder: Path) -> None:
    """Writes a repository with a plan of one kind, and commits it."""
    features = ["Cart"] if kind == "rework" else [f"Feature {number}" for number in range(1, 41)]
    plan = f"# {'A cart that adds up' if kind == 'rework' else 'A shop in forty parts'}\n\n"
    for name in features:
        module = name.lower().replace(" ", "_")
        plan += (
            f"## Feature: {name}\nSubagent: backend-feature-implementer\n"
            f"Touches: shop/{module}.py\n- add up the prices of {name.lower()}\n\n"
        )
    plan += "## Verification\n- tests: `python3 -m unittest discover -s tests -t .`\n"
    plan += "- review: `python3 -m compileall -q shop`\n- validation: `python3 -c \"import shop\"`\n"
    files = {
        ".backend-implementer/plan.md": plan,
        ".github/backend-implementer.yml": f"agent:\n  kind: command\n  command: [python3, {json.dumps(str(folder) + '-agent.py')}]\n",
        "shop/__init__.py": "",
        "tests/__init__.py": "",
        "tests/test_base.py": "import unittest\n\n\nclass Base(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue(True)\n",
        ".gitignore": "__pycache__/\n",
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    Path(str(folder) + "-agent.py").write_text(AGENT)
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "base"]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)


def terminal(columns: int, out: Path, argv: list) -> int:
    """Runs a program on a terminal and keeps what it printed."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        os.environ["TERM"] = "xterm-256color"
        os.execv(argv[0], argv)
    seen = b""
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    _, status = os.waitpid(pid, 0)
    out.write_bytes(seen)
    return os.waitstatus_to_exitcode(status)


if sys.argv[1] == "repository":
    repository(sys.argv[2], Path(sys.argv[3]))
else:
    sys.exit(terminal(int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]))
