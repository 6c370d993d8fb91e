"""Runs unittest as `python -m unittest` does, and writes the result of each test into the file that is named first."""
import json
import os
import sys
import unittest

path = sys.argv[1]
sys.argv = ["python -m unittest"] + sys.argv[2:]
sys.path[0] = os.getcwd()
output = open(path, "w", encoding="utf-8")


def write(**event):
    output.write(json.dumps(event) + "\n")
    output.flush()


def text_of(error):
    return "".join(str(part) for part in (getattr(error[0], "__name__", error[0]), ": ", error[1]))[:2000]


class Result(unittest.TextTestResult):
    def startTest(self, test):
        super().startTest(test)
        self.state, self.words = "ok", ""

    def note(self, test, state, words=""):
        if getattr(self, "state", None) in (None, "ok"):
            self.state, self.words = state, words

    def addError(self, test, err):
        super().addError(test, err)
        broken = "_FailedTest" in type(test).__name__
        if hasattr(self, "state") and self.state is not None and not broken:
            self.note(test, "failed", text_of(err))
        else:
            # What could not be loaded or set up is no test that ran.
            self.state = None
            write(type="test", event="broken", name=test.id(), stdout=text_of(err))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "failed", text_of(err))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note(test, "failed", text_of(err))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "ignored", reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.note(test, "expected-failure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "failed", "it passed, although it is marked as failing")

    def stopTest(self, test):
        super().stopTest(test)
        if getattr(self, "state", None) is not None:
            write(type="test", event=self.state, name=test.id(), stdout=self.words)
        self.state = None


class Runner(unittest.TextTestRunner):
    resultclass = Result

    def run(self, test):
        write(type="suite", event="started", test_count=0)
        result = super().run(test)
        write(type="suite", event="ok" if result.wasSuccessful() else "failed")
        return result


unittest.main(module=None, testRunner=Runner)
