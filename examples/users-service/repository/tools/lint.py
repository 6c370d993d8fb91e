"""Checks the rules that every module keeps: documented, typed, and free of a few known traps.

    python3 tools/lint.py DIRECTORY…

Prints `PATH:LINE: problem` for each problem; exits with 1 when there is one, with 0 when there is none.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Iterator, List, Tuple, Union

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
_MUTABLE = (ast.List, ast.Dict, ast.Set)


def check_module(tree: ast.Module) -> Iterator[Tuple[int, str]]:
    """Yields the line and the description of each problem of a module."""
    if ast.get_docstring(tree) is None:
        yield 1, "the module has no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and ast.get_docstring(node) is None:
            yield node.lineno, f"class {node.name} has no docstring"
        elif isinstance(node, _FUNCTIONS):
            yield from _check_function(node)
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, "a bare `except` also catches the request to stop"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FORBIDDEN_CALLS:
            yield node.lineno, f"`{node.func.id}` runs text as code"


def _check_function(function: Function) -> Iterator[Tuple[int, str]]:
    public = not function.name.startswith("_") or function.name == "__init__"
    if public and ast.get_docstring(function) is None:
        yield function.lineno, f"{function.name} has no docstring"
    if function.returns is None:
        yield function.lineno, f"{function.name} does not say what it returns"
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    for argument in arguments:
        if argument.annotation is None and argument.arg not in ("self", "cls"):
            yield function.lineno, f"{function.name}: {argument.arg} has no type"
    for default in [*function.args.defaults, *function.args.kw_defaults]:
        if isinstance(default, _MUTABLE):
            yield function.lineno, f"{function.name}: a default that can be changed is shared by all calls"


def main(directories: List[str]) -> int:
    """Checks all modules below the directories; returns the exit code."""
    paths = sorted(path for directory in directories for path in Path(directory).rglob("*.py"))
    problems = 0
    for path in paths:
        try:
            found = list(check_module(ast.parse(path.read_text(encoding="utf-8"), str(path))))
        except (SyntaxError, UnicodeDecodeError) as error:
            found = [(getattr(error, "lineno", None) or 1, f"cannot be read: {error}")]
        for line, problem in sorted(found):
            print(f"{path}:{line}: {problem}")
        problems += len(found)
    print(f"checked {len(paths)} modules: {problems} problem{'' if problems == 1 else 's'}")
    return 1 if problems or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
