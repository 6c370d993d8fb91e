#!/usr/bin/env python3
"""Stands in for `gh`, as far as examples/workflows/submission.yml calls it. Keeps what it knows in the JSON file that
GH_DOUBLE names: `pulls` by number, `downloads` by name, and `calls`, each with the token that it was made with."""

import json
import os
import pathlib
import shutil
import sys

WITH_VALUE = ["--repo", "--pattern", "--dir", "--json", "--jq", "--head", "--base", "--state", "--title", "--body-file"]


def main() -> int:
    file = pathlib.Path(os.environ["GH_DOUBLE"])
    known = json.loads(file.read_text())
    words, options, arguments = [], {}, iter(sys.argv[1:])
    for word in arguments:
        if word in WITH_VALUE:
            options[word] = next(arguments)
        elif word == "--draft":
            options[word] = True
        elif word.startswith("-"):
            sys.exit(f"gh double: {word} is not known")
        else:
            words.append(word)
    known["calls"].append([" ".join(words[:2]), os.environ.get("GH_TOKEN")])
    pulls = known["pulls"]
    of_branch = [number for number, pull in pulls.items() if pull["head"] == options.get("--head")]
    match words:
        case ["run", "download", run]:
            for name, folder in known["downloads"][run].items():
                shutil.copytree(folder, pathlib.Path(options["--dir"]) / name)
        case ["pr", "view", number]:
            print(pulls[number][options["--json"]])
        case ["pr", "list"]:
            print("\n".join(of_branch))
        case ["pr", "create"]:
            number = str(max(map(int, pulls)) + 1)
            pulls[number] = {"head": options["--head"], "baseRefName": options["--base"], "title": options["--title"],
                             "body": pathlib.Path(options["--body-file"]).read_text(), "draft": "--draft" in options}
        case ["pr", "edit", number]:
            pulls[number]["body"] = pathlib.Path(options["--body-file"]).read_text()
        case ["pr", "ready", number]:
            pulls[number]["draft"] = False
        case _:
            sys.exit(f"gh double: {words} is not known")
    file.write_text(json.dumps(known))
    return 0


sys.exit(main())
