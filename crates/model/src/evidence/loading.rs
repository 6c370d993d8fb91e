//! Whether something could be loaded at all. What could not be compiled, imported or found ran nothing, so that it says
//! nothing about what the product does: neither that a test notices something, nor that a patch broke it.

use super::results::{TestResult, TestState};

/// What errors and messages of failed tests say where a test could not be loaded.
const OF_ERRORS: [&str; 14] = [
    "collection failure",
    "ImportError",
    "ModuleNotFoundError",
    "Failed to import test module",
    "SyntaxError",
    "NoClassDefFoundError",
    "ClassNotFoundException",
    "NoSuchMethodError",
    "Cannot find module",
    "ERR_MODULE_NOT_FOUND",
    "Failed to resolve import",
    "does not provide an export named",
    "Test suite failed to run",
    "failed on setup with",
];

/// What messages of failed tests say where a name or a member is missing that the test needs.
const OF_NAMES: [&str; 9] = [
    "has no attribute",
    "is not a function",
    "is not a constructor",
    "is not defined",
    "cannot import name",
    "NameError",
    "undefined method",
    // Perl.
    "Undefined subroutine",
    "Can't locate ",
];

/// What compilers and runners print where something could not be built.
const OF_BUILDS: [&str; 20] = [
    // Go, whose `go vet` before the tests counts as part of the build.
    "[build failed]",
    "[setup failed]",
    "cannot find module providing package",
    "no required module provides package",
    "is not in GOROOT",
    "is not in std",
    // cargo.
    "error: could not compile",
    // Maven, Gradle, javac, sbt.
    "COMPILATION ERROR",
    "Compilation failure",
    "Compilation failed",
    "Compilation error",
    "error: cannot find symbol",
    // tsc and dotnet.
    "error TS",
    "error CS",
    // pytest leaves out all tests after that.
    "error during collection",
    "errors during collection",
    // Ruby, PHP, and C.
    "cannot load such file",
    "PHP Parse error",
    "Failed opening required",
    "undefined reference to",
];

/// Tells whether an error of this kind with this message says that a test could not be loaded.
pub(super) fn error_says_not_loaded(kind: &str, message: &str) -> bool {
    OF_ERRORS.iter().any(|sign| kind.contains(sign) || message.contains(sign))
}

/// Tells whether the message of a failed test says that something is not there: a module, a name, a member. That is no
/// behaviour that was tested.
#[must_use]
pub fn message_says_not_loaded(message: &str) -> bool {
    error_says_not_loaded("", message) || OF_NAMES.iter().any(|sign| message.contains(sign))
}

/// Tells whether what a command printed says that something could not be compiled or loaded.
#[must_use]
pub fn output_says_not_loaded(output: &str) -> bool {
    OF_BUILDS.iter().any(|sign| output.contains(sign)) || error_says_not_loaded("", output)
}

/// Tells whether a runner says that it ran no test at all because one file could not be loaded.
pub(super) fn collection_stopped(output: &str) -> bool {
    ["error during collection", "errors during collection"].iter().any(|sign| output.contains(sign))
}

/// Tells whether a red test did not fail by itself, but could not be loaded.
#[must_use]
pub fn is_not_loaded(test: &TestResult) -> bool {
    test.state == TestState::Broken || message_says_not_loaded(&test.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_compiler_and_runner_prints_where_nothing_could_be_loaded_is_known() {
        for output in [
            "# example.com/a [example.com/a.test]\na/a_test.go:5:28: undefined: C\nFAIL\texample.com/a [build failed]\n",
            "# example.com/a\na/a_test.go:8:28: fmt.Printf format %d has arg \"x\" of wrong type\nFAIL\texample.com/a [build failed]",
            "FAIL\texample.com/a [setup failed]\n",
            "a.go:3:8: package example.com/a/nope is not in GOROOT (/usr/lib/go/src/example.com/a/nope)",
            "error[E0425]: cannot find function `x`\nerror: could not compile `shop` (lib test) due to 1 previous error\n",
            "[ERROR] COMPILATION ERROR : \n[ERROR] Failed to execute goal: Compilation failure\n",
            "* What went wrong:\nExecution failed for task ':compileJava'.\n> Compilation failed; see the compiler output\n",
            "src/a.ts(3,5): error TS2304: Cannot find name 'x'.\n",
            "Cart.cs(3,5): error CS0103: The name 'X' does not exist in the current context\n",
            "E   ModuleNotFoundError: No module named 'shop'\n",
            "ImportError: cannot import name 'Cart' from 'shop'\n",
            "!!!!!!! Interrupted: 1 error during collection !!!!!!!\n",
            "SyntaxError: Unexpected token\n",
            "Error: Cannot find module './cart'\n",
            "cannot load such file -- ./cart (LoadError)\n",
        ] {
            assert!(output_says_not_loaded(output), "{output}");
        }
        for output in [
            "    ttl_test.go:50: ttl of more than a year: 201\n--- FAIL: TestTTLTooLarge (0.00s)\n",
            "AssertionError: 2 != 3\n",
            "test tests::bad ... FAILED\nerror: test failed, to rerun pass `--lib`\n",
        ] {
            assert!(!output_says_not_loaded(output), "{output}");
        }
    }
}
