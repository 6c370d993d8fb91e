"""Python imports this by itself in every process that has its folder on PYTHONPATH, however deep below `make` or a script.
Where unittest runs tests, the result of each is written into a file below the folder that IMPLEMENTER_RESULTS names.

Nothing here may change what a suite sees or what it comes to. The run that is recorded finds its environment and its path
as they are without this file, and whatever goes wrong here is written down beside the results while the suite goes on."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = "IMPLEMENTER_RESULTS"

# Variables of other runners: below them, unittest is what a test looks at, and no suite of the repository's.
OTHERS = ("PYTEST_CURRENT_TEST", "NODE_TEST_CONTEXT", "JEST_WORKER_ID", "VITEST", "CARGO_MANIFEST_DIR", "NEXTEST")


def is_here(folder):
    return bool(folder) and os.path.abspath(folder) == HERE


def text_of(error):
    try:
        return "".join((getattr(error[0], "__name__", str(error[0])), ": ", str(error[1])))[:2000]
    except Exception:
        return "an error that has no text"


def name_of(test):
    """The name that unittest itself gives a test, whatever attributes the test has."""
    from unittest import TestCase
    for kind in (type(test), TestCase):
        try:
            name = kind.id(test)
            if isinstance(name, str):
                return name
        except Exception:
            pass
    return type(test).__name__


class Recorder(object):
    active = False
    runs = 0

    def __init__(self):
        from json import JSONEncoder
        self.encode = JSONEncoder().encode
        self.process = os.getpid()
        self.folder = os.environ[FOLDER]
        self.state, self.words = None, ""
        Recorder.runs += 1
        self.path = os.path.join(self.folder, "unittest-%d-%d.json" % (self.process, Recorder.runs))
        self.output = open(self.path, "w")
        self.hidden = {}
        for name in (FOLDER, "PYTHONPATH"):
            self.hidden[name] = os.environ.get(name)
        others = [part for part in (self.hidden["PYTHONPATH"] or "").split(os.pathsep) if not is_here(part)]
        os.environ.pop(FOLDER, None)
        os.environ.pop("PYTHONPATH", None)
        if any(others):
            os.environ["PYTHONPATH"] = os.pathsep.join(others)
        self.write(type="suite", event="started", test_count=0)

    def write(self, **event):
        if self.output is not None:
            self.output.write(self.encode(event) + "\n")
            self.output.flush()

    def safely(self, note, *arguments):
        """Notes something. A test that forks has two processes, of which one is recorded."""
        try:
            if os.getpid() == self.process:
                note(*arguments)
        except Exception as error:
            self.give_up(error)

    def give_up(self, error):
        """Takes the half results away, and says why there are none."""
        try:
            output, self.output = self.output, None
            if output is not None:
                os.remove(self.path)
                with open(os.path.join(self.folder, "recorder.note"), "w") as note:
                    note.write("unittest: " + text_of((type(error), error)))
                output.close()
        except Exception:
            pass

    def watch_the_result_of(self, runner):
        make = runner._makeResult

        def watched():
            result = make()
            self.safely(self.watch, result)
            return result
        runner._makeResult = watched

    def watch(self, result):
        for name in ("startTest", "addError", "addFailure", "addSubTest", "addSkip", "addExpectedFailure",
                     "addUnexpectedSuccess", "stopTest"):
            theirs = getattr(result, name, None)
            if callable(theirs):
                setattr(result, name, self.both(theirs, getattr(self, name)))

    def both(self, theirs, ours):
        def call(*arguments, **named):
            value = theirs(*arguments, **named)
            self.safely(ours, *(list(arguments) + list(named.values())))
            return value
        return call

    def note(self, state, words=""):
        if self.state == "ok":
            self.state, self.words = state, words

    def startTest(self, test):
        self.state, self.words = "ok", ""

    def addError(self, test, error):
        if self.state is not None and "_FailedTest" not in type(test).__name__:
            self.note("failed", text_of(error))
        else:
            # What could not be loaded or set up is no test that ran.
            self.state = None
            self.write(type="test", event="broken", name=name_of(test), stdout=text_of(error))

    def addFailure(self, test, error):
        self.note("failed", text_of(error))

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.note("failed", text_of(error))

    def addSkip(self, test, reason):
        self.note("ignored", str(reason))

    def addExpectedFailure(self, test, error):
        self.note("expected-failure")

    def addUnexpectedSuccess(self, test):
        self.note("failed", "it passed, although it is marked as failing")

    def stopTest(self, test):
        if self.state is not None:
            self.write(type="test", event=self.state, name=name_of(test), stdout=self.words)
        self.state = None

    def end(self, result):
        self.write(type="suite", event="ok" if result.wasSuccessful() else "failed")
        if self.output is not None:
            self.output.close()
        self.show()

    def show(self):
        for name, value in self.hidden.items():
            if value is not None:
                os.environ[name] = value


def begin():
    """A run inside a run is what a test looks at, and is not recorded."""
    try:
        if Recorder.active or not os.environ.get(FOLDER) or "_pytest" in sys.modules:
            return None
        if any(name in os.environ for name in OTHERS):
            return None
        return Recorder()
    except Exception:
        return None


def record(kind):
    """Has a class of runners record what it runs."""
    run = kind.run

    def recorded(self, test):
        recorder = begin()
        if recorder is None:
            return run(self, test)
        recorder.safely(recorder.watch_the_result_of, self)
        Recorder.active = True
        try:
            result = run(self, test)
        finally:
            Recorder.active = False
        recorder.safely(recorder.end, result)
        return result
    kind.run = recorded


class WhenImported(object):
    """Waits for somebody to import the runner of unittest."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "unittest.runner":
            return None
        sys.meta_path.remove(cls)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                cls.follow(spec)
                return spec
        return None

    @staticmethod
    def follow(spec):
        try:
            load = spec.loader.exec_module

            def exec_module(module):
                load(module)
                record(module.TextTestRunner)
            spec.loader.exec_module = exec_module
        except Exception:
            pass


sys.path[:] = [folder for folder in sys.path if not is_here(folder)]
if os.environ.get(FOLDER) and sys.version_info >= (3, 4):
    sys.meta_path.insert(0, WhenImported)

# The sitecustomize that is hidden by this one, where there is another.
own = sys.modules.pop("sitecustomize", None)
try:
    import sitecustomize
except ImportError as error:
    if own is not None:
        sys.modules["sitecustomize"] = own
    if getattr(error, "name", "sitecustomize") != "sitecustomize":
        raise
