//! What looking at a patch costs grows with its length, and not with the square of it: counted in steps, so that no clock
//! and no other work of the machine decides.

use super::*;

/// The steps that looking at one file takes, from one text to another.
fn steps(path: &str, before: Option<&str>, after: Option<&str>) -> u64 {
    let change = FileChange { path, before, after, moved_from: None };
    let (signs, left) = signs_within(&Stop::default(), STEPS_MAX, Author::Code, &[change]);
    assert!(signs.iter().all(|sign| sign.code != FindingCode::NotLookedAt), "{path}: it took too much");
    STEPS_MAX - left
}

fn minified(times: usize) -> String {
    let part = "var a=f(\"b\",g(h(1))),c=/d/.test(a);if(a){a+=2}process.exit(1);it.x=function(){return a/2};";
    format!("!function(){{{}}}();\n", part.repeat(times))
}

fn python(times: usize) -> String {
    let tests = (0..times).map(|at| {
        format!(
            "    def test_{at}(self):\n        expected = {at}\n        app.total = Mock()\n        self.assertEqual(f({at}), expected)\n\n"
        )
    });
    format!("import unittest\n\n\nclass T(unittest.TestCase):\n{}", tests.collect::<String>())
}

fn javascript(times: usize) -> String {
    let tests = (0..times).map(|at| format!("test('t{at}', async () => {{\n  expect(f({at})).toBe({at});\n}});\n"));
    tests.collect()
}

fn go(times: usize) -> String {
    let tests = (0..times).map(|at| {
        format!("func Test{at}(t *testing.T) {{\n\tif got := F({at}); got != {at} {{\n\t\tt.Errorf(\"no\")\n\t}}\n}}\n")
    });
    format!("package a\n\n{}", tests.collect::<String>())
}

fn rust(times: usize) -> String {
    (0..times).map(|at| format!("#[test]\nfn t{at}() {{\n    assert_eq!(f({at}), {at});\n}}\n\n")).collect()
}

fn java(times: usize) -> String {
    let tests = (0..times).map(|at| format!("  @Test void testT{at}() {{ assertEquals({at}, f({at})); }}\n"));
    format!("class ATest {{\n{}}}\n", tests.collect::<String>())
}

fn kotlin(times: usize) -> String {
    let tests = (0..times).map(|at| format!("  @Test\n  fun t{at}() = assertEquals({at}, f({at}))\n\n"));
    format!("class ATest {{\n{}}}\n", tests.collect::<String>())
}

/// One test with many assertions.
fn long_test(times: usize) -> String {
    let assertions = (0..times).map(|at| format!("    x{at} = f({at})\n    assert x{at} == {at}\n"));
    format!("def test_all():\n{}", assertions.collect::<String>())
}

#[test]
fn four_times_as_much_takes_four_times_as_many_steps() {
    type Make = fn(usize) -> String;
    let kinds: [(&str, Make); 9] = [
        ("public/lib.min.js", minified),
        ("tests/test_a.py", python),
        ("src/a.test.js", javascript),
        ("a_test.go", go),
        ("tests/a.rs", rust),
        ("src/test/java/ATest.java", java),
        ("src/test/kotlin/ATest.kt", kotlin),
        ("tests/test_long.py", long_test),
        ("src/calls.js", |times| format!("f({}1{});\n", "g(".repeat(times), ")".repeat(times))),
    ];
    for (path, make) in kinds {
        let [one, four] = [100, 400].map(make);
        // New, all of it changed, and all of it gone.
        let changed = |text: &str| text.replace("f(", "f2(");
        let pairs = [
            ("new", steps(path, None, Some(&one)), steps(path, None, Some(&four))),
            ("changed", steps(path, Some(&one), Some(&changed(&one))), steps(path, Some(&four), Some(&changed(&four)))),
            ("gone", steps(path, Some(&one), None), steps(path, Some(&four), None)),
        ];
        for (how, one, four) in pairs {
            assert!(four <= 5 * one, "{path}, {how}: {one} steps became {four}");
        }
    }
}

#[test]
fn a_look_that_is_stopped_ends_at_once() {
    let stop = Stop::default();
    stop.stop();
    let text = python(100);
    let change = FileChange { path: "tests/test_a.py", after: Some(&text), ..FileChange::default() };
    assert_eq!(signs_within(&stop, STEPS_MAX, Author::Code, &[change]).1, 0);
}
