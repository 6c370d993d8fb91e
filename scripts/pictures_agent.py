"""The scripted agent of scripts/pictures: it writes the file that its brief names.

In the run with rework its first attempt has two bugs, and the second has one left. In the run of 43 tasks one agent breaks off and
one leaves its scope.
"""

import json
import os
import pathlib
import re
import sys
import time

TESTS = '''import unittest

from shop.{module} import discounted, total


class Prices(unittest.TestCase):
    def test_total_counts_quantities(self):
        self.assertEqual(total([(2, 3), (4, 1)]), 10)

    def test_discount_is_a_percentage(self):
        self.assertEqual(discounted([(10, 2)], 10), 18)
'''
FEATURE = '''"""Prices."""


def total(items):
    return {total}


def discounted(items, percent):
    return {discounted}
'''
kind = sys.argv[1]
task, attempt = os.environ["IMPLEMENTER_TASK"], int(os.environ.get("IMPLEMENTER_ATTEMPT", "1"))
pause = 0 if kind == "large" else 0.3

print("reading the brief", flush=True)
time.sleep(pause)
if os.environ["IMPLEMENTER_SUBAGENT"] == "backend-feature-implementer":
    brief = pathlib.Path(os.environ["IMPLEMENTER_BRIEF"]).read_text()
    path = pathlib.Path(re.search(r"shop/\w+\.py", brief).group())
    if kind == "many" and path.stem == "feature_7":
        sys.exit("error: the model answered 529 (overloaded) three times")
    if kind == "many" and path.stem == "feature_23":
        pathlib.Path("README.md").write_text("Feature 23 is there.\n")
    counts_once = kind == "rework" and attempt == 1
    path.write_text(FEATURE.format(
        total=f"sum({'price' if counts_once else 'price * quantity'} for price, quantity in items)",
        discounted="total(items) - percent" if kind == "rework" else "total(items) * (100 - percent) // 100",
    ))
    print("write", path, flush=True)
if task == "tests":
    pathlib.Path("tests/test_prices.py").write_text(TESTS.format(module="cart" if kind == "rework" else "feature_1"))
time.sleep(pause)
report = {"version": 1, "status": "completed", "summary": f"Did what the plan asks of {task}."}
pathlib.Path(os.environ["IMPLEMENTER_REPORT"]).write_text(json.dumps(report))
