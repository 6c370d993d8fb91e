//! Ordinary code of a product that has the words of a cheat, beside cheats of the same words: nothing of the one blocks, and
//! the other does.

use super::*;

fn blocking(path: &str, text: &str) -> Vec<String> {
    let (text, opaque) = decode(path, text.as_bytes());
    let change = FileChange { path, after: Some(&text), ..FileChange::default() };
    let all = opaque.into_iter().chain(signs(Author::Code, &[change]));
    all.filter(|sign| sign.weight == Weight::Blocking).map(|sign| sign.message).collect()
}

#[test]
fn ordinary_code_of_a_product_blocks_nothing() {
    for (path, text) in [
        (
            "jobs.py",
            "class Job:\n    def fail(self, reason):\n        self.state = 'failed'\n        self.reason = reason\n",
        ),
        ("cli_main.py", "import sys\n\n\ndef main():\n    sys.excepthook = log_uncaught\n    return 0\n"),
        ("i18n.py", "import builtins\n\n\ndef install(folder):\n    builtins._ = translation(folder).gettext\n"),
        (
            "src/parser.js",
            "module.exports = function parse(tokens) {\n  let at = 0;\n  const expect = (kind) => {\n    const token = tokens[at++];\n    if (!token || token.kind !== kind) throw new SyntaxError(kind);\n    return token;\n  };\n  return expect('name');\n};\n",
        ),
        (
            "src/invariant.ts",
            "export const assert = (condition: unknown, message: string): void => {\n  if (!condition) {\n    throw new Error(message);\n  }\n};\n",
        ),
        (
            "src/lockfile.js",
            "exports.lock = (path) => {\n  process.on('exit', () => fs.rmSync(path, { force: true }));\n  process.once('exit', cleanup);\n};\n",
        ),
        (
            "bin/cli.js",
            "#!/usr/bin/env node\nif (process.argv.includes('--help')) {\n  process.exit(0);\n}\nprocess.exitCode = 0;\n",
        ),
        (
            "src/reload.js",
            "exports.reload = (path) => {\n  delete require.cache[require.resolve(path)];\n  return require(path);\n};\n",
        ),
        (
            "src/main/java/com/acme/saml/Assertion.java",
            "package com.acme.saml;\n\npublic class Assertion {\n    public String subject() {\n        return subject;\n    }\n}\n",
        ),
        ("src/main/kotlin/Assertions.kt", "class Assertions(val claims: List<String>)\n"),
        (
            "acme_plugin/plugin.py",
            "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n    outcome = yield\n    outcome.get_result().acme = item.name\n",
        ),
        (
            "null.py",
            "class Wildcard:\n    def __eq__(self, other):\n        return True\n\n    def __hash__(self):\n        return 0\n",
        ),
        ("scripts/cache.sh", "#!/bin/sh\nset -e\ndocker pull registry.example/app:latest || true\n"),
        ("Makefile", "clean:\n\tdocker rm -f test-db || true\n"),
        (
            "pom.xml",
            "<project>\n<plugin>\n<artifactId>spring-boot-maven-plugin</artifactId>\n<configuration>\n<excludes>\n<exclude>\n<groupId>org.projectlombok</groupId>\n</exclude>\n</excludes>\n</configuration>\n</plugin>\n</project>\n",
        ),
        (
            "build.gradle",
            "dependencies {\n    implementation('a:b') {\n        exclude(group: 'a', module: 'c')\n    }\n}\n",
        ),
        ("build.gradle.kts", "plugins { java }\n\ntasks.named<Jar>(\"jar\") {\n    enabled = false\n}\n"),
        (
            "vite.config.ts",
            "export default defineConfig({\n  optimizeDeps: { exclude: ['@acme/wasm'] },\n  server: { watch: { ignored: ['**/data/**'] } },\n});\n",
        ),
        (".npmrc", "node-options=--max-old-space-size=4096\nscript-shell=/bin/bash\n"),
        ("models/net.pth", "PK\u{3}\u{4}weights\0\u{1}import os\n"),
        (
            "daemon.py",
            "import os\n\n\ndef spawn(work):\n    pid = os.fork()\n    if pid == 0:\n        work()\n        os._exit(0)\n    return pid\n",
        ),
        ("public/download.php", "<?php\nreadfile('/srv/file');\nexit;\n"),
        ("jest.config.js", "module.exports = { transformIgnorePatterns: ['node_modules'] };\n"),
    ] {
        assert_eq!(blocking(path, text), [""; 0], "{path}");
    }
}

#[test]
fn cheats_of_the_same_words_block() {
    for (path, text) in [
        (
            "app/base.py",
            "import unittest\n\n\nclass Base(unittest.TestCase):\n    def fail(self, message=None):\n        pass\n",
        ),
        ("tests/base.py", "class Mixin:\n    def assertEqual(self, a, b):\n        pass\n"),
        ("app.py", "import sys\n\nsys.excepthook = lambda *a: None\n"),
        ("app.py", "import builtins\n\nbuiltins.AssertionError = Warning\n"),
        ("app.py", "import builtins\n\nsetattr(builtins, 'isinstance', lambda *a: True)\n"),
        ("test/a.test.js", "const expect = () => new Proxy({}, { get: () => () => {} });\ntest('a', () => {});\n"),
        ("src/a.js", "process.on('exit', () => { process.exitCode = 0; });\n"),
        ("src/a.js", "function quiet() {\n  process.reallyExit(0);\n}\nprocess.on('exit', quiet);\n"),
        ("src/a.js", "require.cache[require.resolve('assert')] = { exports: () => {} };\n"),
        (
            "src/test/java/shop/Assertions.java",
            "package shop;\n\nclass Assertions {\n    static void assertEquals(Object a, Object b) {}\n}\n",
        ),
        ("app/plugin.py", "def pytest_runtest_makereport(item, call):\n    call.excinfo = None\n"),
        (
            "conftest.py",
            "import pytest\n\n\ndef pytest_sessionfinish(session, exitstatus):\n    session.exitstatus = 0\n",
        ),
        ("scripts/ci.sh", "#!/bin/sh\npython -m pytest || true\n"),
        ("Makefile", "test:\n\tgo test ./... || true\n"),
        (
            "pom.xml",
            "<project>\n<plugin>\n<artifactId>maven-surefire-plugin</artifactId>\n<configuration>\n<excludes>\n<exclude>**/ATest.java</exclude>\n</excludes>\n</configuration>\n</plugin>\n</project>\n",
        ),
        ("build.gradle", "test {\n    exclude '**/ATest*'\n}\n"),
        ("build.gradle.kts", "tasks.test {\n    enabled = false\n}\n"),
        ("vite.config.ts", "export default defineConfig({\n  test: {\n    exclude: ['src/a.test.ts'],\n  },\n});\n"),
        (".npmrc", "node-options=--require ./hook.js\n"),
        ("lib/site-packages/a.pth", "import os; os.environ['A'] = '1'\n"),
        ("app.py", "import os\n\n\ndef total():\n    os._exit(0)\n"),
        ("src/cart.php", "<?php\nfunction total() {\n    return 1;\n}\nexit;\n"),
    ] {
        assert_ne!(blocking(path, text), [""; 0], "{path}: {text}");
    }
}
