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

AGENT = Path(__file__).parent / "pictures_agent.py"


def parts(count: int) -> list:
    return [f"Feature {number}" for number in range(1, count + 1)]


def repository(kind: str, folder: Path) -> None:
    """Writes a repository with a plan of one kind, and commits it."""
    features = {"rework": ["Cart"], "many": parts(40), "large": parts(253)}[kind]
    plan = f"# {'A cart that adds up' if kind == 'rework' else f'A shop in {len(features)} parts'}\n\n"
    for name in features:
        module = name.lower().replace(" ", "_")
        plan += (
            f"## Feature: {name}\nSubagent: backend-feature-implementer\n"
            f"Touches: shop/{module}.py\n- Add up the prices of {name.lower()}, each times its quantity\n- Take a discount off in percent\n\n"
        )
    plan += "## Verification\n- tests: `python3 -m unittest discover -s tests -t .`\n"
    plan += "- review: `python3 -m compileall -q shop`\n- validation: `python3 -c \"import shop\"`\n"
    files = {
        ".backend-implementer/plan.md": plan,
        ".github/backend-implementer.yml": f"agent:\n  kind: command\n  command: [python3, {json.dumps(str(folder) + '-agent.py')}, {kind}]\n",
        "README.md": "# A shop\n",
        "shop/__init__.py": "",
        "tests/__init__.py": "",
        "tests/test_base.py": "import unittest\n\n\nclass Base(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue(True)\n",
        ".gitignore": "__pycache__/\n",
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    Path(str(folder) + "-agent.py").write_text(AGENT.read_text())
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
