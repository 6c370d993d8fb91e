"""Review: rules on the syntax trees and the schema, held against what changed. Changes nothing."""

from __future__ import annotations

import ast
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional, Union

from context import Context
from contract import Claim, Evidence, Finding, Item, Report
from running import find_base, git, run

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
_LINES_MAX = 40
_PERSONAL = {"name", "email", "phone", "value", "old_value", "new_value"}
_HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True)
class Module:
    """A module of the service, and which of its lines are new; None when that is not known."""

    path: str
    tree: ast.Module
    text: str
    new_lines: Optional[set[int]]

    def is_new(self, line: int) -> bool:
        """Tells whether a line was changed, or may have been."""
        return self.new_lines is None or line in self.new_lines

    def finding(self, severity: str, line: int, message: str) -> Finding:
        """Returns a finding at a line of the module."""
        return Finding(severity, message, self.path, line)


def work(context: Context) -> Report:
    """Reviews the modules that changed, the schema, and runs the repository's own rules."""
    base = find_base(context.root, context.assignment.base)
    modules, findings = _modules(context.root, base)
    findings += _review_schema(context.root)
    for module in modules:
        findings += _review(module)
    findings.sort(key=lambda finding: (("blocking", "warning", "note").index(finding.severity), finding.path or ""))
    lint = run(context.root, ["tools/lint.py", "users_service"])
    if lint.exit_code != 0:
        findings.insert(0, Finding("blocking", f"the repository's own rules are broken: {lint.last_line}"))
    lines = sum(len(module.new_lines or ()) for module in modules)
    functions = sum(isinstance(node, _FUNCTIONS) for module in modules for node in ast.walk(module.tree))
    scale = f"{len(modules)} modules, {functions} functions, {lines} changed lines"
    verdict = _verdict(findings)
    return Report(
        status="completed",
        summary=f"Reviewed {scale} against {base[:10] if base else 'nothing: the base is not known'}: {verdict}.",
        claims=[
            Claim("REVIEW-1", ("standard", "quality"), f"{lint.last_line}; longest function allowed: {_LINES_MAX} lines."),
            Claim("REVIEW-2", ("security", "performance"), f"SQL, reading, transactions, user_changes, errors: {verdict}."),
        ],
        items=[Item("code-review", f"{scale}: {verdict}")],
        evidence=[lint.evidence(), Evidence("review of the syntax trees", 0, f"{scale}: {verdict}")],
        findings=findings,
    )


def _verdict(findings: list[Finding]) -> str:
    counts = [
        f"{number} {severity}"
        for severity in ("blocking", "warning", "note")
        if (number := sum(finding.severity == severity for finding in findings))
    ]
    return f"findings: {', '.join(counts)}" if counts else "no findings"


def _modules(root: Path, base: Optional[str]) -> tuple[list[Module], list[Finding]]:
    modules, findings = [], []
    for file in sorted((root / "users_service").glob("*.py")):
        path = file.relative_to(root).as_posix()
        new_lines = _new_lines(root, base, path)
        if new_lines is not None and not new_lines:
            continue
        try:
            text = file.read_text(encoding="utf-8")
            modules.append(Module(path, ast.parse(text, path), text, new_lines))
        except (SyntaxError, UnicodeDecodeError) as error:
            findings.append(Finding("blocking", f"cannot be read: {error}", path, getattr(error, "lineno", None)))
    return modules, findings


def _new_lines(root: Path, base: Optional[str], path: str) -> Optional[set[int]]:
    diff = git(root, "diff", "--no-ext-diff", "--no-color", "-U0", base, "--", path) if base else None
    if diff is None:
        return None
    lines: set[int] = set()
    for match in map(_HUNK.match, diff.decode("utf-8", "replace").splitlines()):
        if match is not None:
            first, count = int(match.group(1)), int(match.group(2) or 1)
            lines.update(range(first, first + count))
    return lines


def _review(module: Module) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        line = getattr(node, "lineno", None)
        if line is not None and module.is_new(line):
            yield from _review_node(module, node)
        if isinstance(node, ast.ClassDef) and any(_name(base) == "BaseHTTPRequestHandler" for base in node.bases):
            yield from _review_handler(module, node)


def _review_node(module: Module, node: ast.AST) -> Iterator[Finding]:
    if isinstance(node, ast.Call):
        yield from _review_call(module, node)
    elif isinstance(node, ast.ExceptHandler):
        if node.type is None:
            yield module.finding("blocking", node.lineno, "a bare `except` also catches the request to stop")
        elif _name(node.type) == "Exception" and not _uses_error(node):
            yield module.finding("warning", node.lineno, "`except Exception` hides the error: neither raised nor used")
    elif isinstance(node, _FUNCTIONS):
        yield from _review_function(module, node)


def _review_call(module: Module, call: ast.Call) -> Iterator[Finding]:
    called = _name(call.func)
    if called in ("eval", "exec"):
        yield module.finding("blocking", call.lineno, f"`{called}` runs text as code")
    if called in ("execute", "executemany") and call.args:
        statement = call.args[0]
        constant = isinstance(statement, ast.Constant) or (isinstance(statement, ast.Name) and statement.id.isupper())
        if not constant:
            yield module.finding("blocking", call.lineno, "SQL that is put together from text; use parameters")
    if called == "read" and isinstance(call.func, ast.Attribute) and _name(call.func.value) == "rfile" and not call.args:
        yield module.finding("blocking", call.lineno, "reads a request without a limit")


def _review_function(module: Module, function: _Function) -> Iterator[Finding]:
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    if length > _LINES_MAX:
        yield module.finding("warning", function.lineno, f"{function.name} has {length} lines; split it")
    if any(isinstance(default, (ast.List, ast.Dict, ast.Set)) for default in function.args.defaults):
        yield module.finding("blocking", function.lineno, f"{function.name}: all calls share a default that can be changed")
    if not function.name.startswith("_"):
        arguments = [argument for argument in function.args.args if argument.arg not in ("self", "cls")]
        if ast.get_docstring(function) is None:
            yield module.finding("warning", function.lineno, f"{function.name} has no docstring")
        if function.returns is None or any(argument.annotation is None for argument in arguments):
            yield module.finding("warning", function.lineno, f"{function.name} is not typed in full")
    if _writes(function) and not _has_transaction(function):
        yield module.finding("blocking", function.lineno, f"{function.name} writes outside a transaction")


def _review_handler(module: Module, handler: ast.ClassDef) -> Iterator[Finding]:
    """Yields what is wrong with a class that answers requests; also where it was so before this change."""
    methods = {node.name: node for node in handler.body if isinstance(node, ast.FunctionDef)}
    guarded = {name for name, method in methods.items() if any(isinstance(node, ast.Try) for node in method.body)}
    for name, method in methods.items():
        called = {_name(node.func) for node in ast.walk(method) if isinstance(node, ast.Call)}
        if name.startswith("do_") and not called & guarded:
            yield module.finding("blocking", method.lineno, f"{name} lets an error end the connection without an answer")
    assigned = {_name(target) for node in handler.body if isinstance(node, ast.Assign) for target in node.targets}
    if "timeout" not in assigned:
        yield module.finding(
            "note",
            handler.lineno,
            f"{handler.name} has no `timeout`: a caller who sends half a request holds a thread for as long as they like. "
            "It was so before this change, and PATCH is now exposed to it too.",
        )
    if "do_PATCH" in methods and "PRECONDITION_REQUIRED" not in module.text:
        yield module.finding(
            "note",
            methods["do_PATCH"].lineno,
            "A change without `If-Match` still overwrites one that its caller has not seen, as the plan allows. Once all "
            "callers send the header, answer 428 when it is missing.",
        )


def _review_schema(root: Path) -> list[Finding]:
    """Applies the migrations to an empty database, and looks for personal data in the log of changes."""
    scripts = sorted((root / "infra" / "migrations").glob("*.sql"))
    connection = sqlite3.connect(":memory:")
    try:
        for script in scripts:
            connection.executescript(script.read_text(encoding="utf-8"))
        columns = {row[1] for row in connection.execute("PRAGMA table_info(user_changes)")}
    except sqlite3.Error as error:
        return [Finding("blocking", f"cannot be applied: {error}", script.relative_to(root).as_posix())]
    finally:
        connection.close()
    personal = sorted(columns & _PERSONAL)
    path = scripts[-1].relative_to(root).as_posix() if scripts else None
    return [Finding("blocking", f"user_changes holds personal data: {', '.join(personal)}", path)] if personal else []


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _uses_error(handler: ast.ExceptHandler) -> bool:
    nodes = [node for statement in handler.body for node in ast.walk(statement)]
    return any(isinstance(node, ast.Raise) or (isinstance(node, ast.Name) and node.id == handler.name) for node in nodes)


def _writes(function: _Function) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and _name(node.func) in ("execute", "executemany") and node.args:
            statement = node.args[0]
            text = statement.value if isinstance(statement, ast.Constant) else getattr(statement, "id", "").lstrip("_")
            if str(text).upper().startswith(("INSERT", "UPDATE", "DELETE")):
                return True
    return False


def _has_transaction(function: _Function) -> bool:
    return any(
        "_connection" in {_name(item.context_expr) for item in node.items}
        for node in ast.walk(function)
        if isinstance(node, ast.With)
    )
