use super::{super::counts::from_junit, *};
use crate::evidence::numbers::{CountSource, TestCounts};

fn numbers(counts: TestCounts) -> (u64, u64, u64) {
    (counts.passed, counts.failed, counts.skipped)
}

/// A file of a runner: its name, what it holds, the numbers passed, failed and skipped, and whether it is unfinished.
type File = (&'static str, &'static [u8], (u64, u64, u64), bool);

/// What real runners wrote.
const FILES: &[File] = &[
    ("pytest.xml", include_bytes!("samples/pytest.xml"), (3, 4, 1), false),
    ("vitest.xml", include_bytes!("samples/vitest.xml"), (2, 1, 2), false),
    ("node.xml", include_bytes!("samples/node.xml"), (3, 1, 3), false),
    ("node-exit.xml", include_bytes!("samples/node-exit.xml"), (1, 0, 0), false),
    ("mocha-xunit.xml", include_bytes!("samples/mocha-xunit.xml"), (1, 1, 2), false),
    ("cucumber.xml", include_bytes!("samples/cucumber.xml"), (2, 2, 0), false),
    ("behave.xml", include_bytes!("samples/behave.xml"), (1, 2, 1), false),
    ("phpunit.xml", include_bytes!("samples/phpunit.xml"), (2, 2, 2), false),
    ("ctest.xml", include_bytes!("samples/ctest.xml"), (1, 1, 2), false),
    ("gtest.xml", include_bytes!("samples/gtest.xml"), (1, 1, 2), false),
    ("robot-xunit.xml", include_bytes!("samples/robot-xunit.xml"), (1, 1, 1), false),
    ("catch2.xml", include_bytes!("samples/catch2.xml"), (2, 1, 0), false),
    ("bats.xml", include_bytes!("samples/bats.xml"), (1, 1, 1), false),
    ("surefire.xml", include_bytes!("samples/surefire.xml"), (1, 1, 1), false),
    ("go.json", include_bytes!("samples/go.json"), (4, 2, 1), true),
    ("libtest.json", include_bytes!("samples/libtest.json"), (2, 1, 1), false),
    ("jest.json", include_bytes!("samples/jest.json"), (3, 1, 2), false),
    ("mocha.json", include_bytes!("samples/mocha.json"), (1, 1, 2), false),
    ("rspec.json", include_bytes!("samples/rspec.json"), (1, 1, 2), false),
    ("prove.tap", include_bytes!("samples/prove.tap"), (1, 1, 2), false),
    ("go-exit.json", include_bytes!("samples/go-exit.json"), (3, 0, 0), true),
];

#[test]
fn what_real_runners_wrote_is_understood() {
    for (name, bytes, expected, unfinished) in FILES {
        let results = read(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(numbers(results.counts()), *expected, "{name}: {results:#?}");
        assert_eq!(results.unfinished.is_some(), *unfinished, "{name}: {:?}", results.unfinished);
        assert!(results.tests.iter().all(|test| !test.name.is_empty()), "{name}: {results:#?}");
    }
}

#[test]
fn a_file_that_stops_in_the_middle_is_never_whole() {
    for (name, bytes, ..) in FILES {
        let text = String::from_utf8_lossy(bytes).trim_end().to_owned();
        let mut half = text.len() / 2;
        while !text.is_char_boundary(half) {
            half += 1;
        }
        let read = read(&text.as_bytes()[..half]);
        // Every line of Go's is whole; there the package that never ended tells.
        let whole = read.is_ok_and(|results| results.unfinished.is_none() && results.failing().next().is_none());
        assert!(!whole, "{name}");
    }
}

#[test]
fn a_declared_encoding_is_kept_to() {
    let xml = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><testsuite><testcase name=\"gr\u{fc}n\"/></testsuite>";
    let latin: Vec<u8> = xml.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_eq!(read(&latin).unwrap().tests[0].name, "gr\u{fc}n");
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(xml.replace("ISO-8859-1", "UTF-16").encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read(&utf16).unwrap().tests[0].name, "gr\u{fc}n");
}

#[test]
fn other_writers_and_roots_are_understood() {
    for (content, expected) in [
        // Surefire: tried again and passed; tried again and failed.
        (
            "<testsuite><testcase name='a'><flakyFailure/></testcase><testcase name='b'><failure/><rerunFailure/></testcase></testsuite>",
            (1, 1, 0),
        ),
        // Gradle's plugin writes each try.
        (
            "<testsuite><testcase classname='T' name='a'><failure/></testcase><testcase classname='T' name='a'/></testsuite>",
            (1, 0, 0),
        ),
        ("<report><testsuite><testcase name='a'/></testsuite></report>", (1, 0, 0)),
        (
            "<test-run><test-suite><test-case fullname='N.T.a' result='Passed'/><test-case fullname='N.T.b' result='Failed'><failure><message>no</message></failure></test-case><test-case fullname='c' result='Skipped'/></test-suite></test-run>",
            (1, 1, 1),
        ),
        (
            "<assemblies><assembly><collection><test name='a' result='Pass'/><test name='b' result='Fail'/><test name='c' result='Skip'/></collection></assembly></assemblies>",
            (1, 1, 1),
        ),
        (
            "<TestRun xmlns='x'><Results><UnitTestResult testName='a' outcome='Passed'/><UnitTestResult testName='b' outcome='Failed'><Output><ErrorInfo><Message>no</Message></ErrorInfo></Output></UnitTestResult><UnitTestResult testName='c' outcome='NotExecuted'/></Results></TestRun>",
            (1, 1, 1),
        ),
        (
            "<testng-results><suite><test><class name='T'><test-method status='PASS' is-config='true' name='setUp'/><test-method status='PASS' name='a'/><test-method status='FAIL' name='b'/><test-method status='SKIP' name='c'/></class></test></suite></testng-results>",
            (1, 1, 1),
        ),
        (
            "{\"results\":{\"tool\":{\"name\":\"x\"},\"summary\":{\"tests\":9},\"tests\":[{\"name\":\"a\",\"status\":\"passed\",\"duration\":1},{\"name\":\"b\",\"status\":\"failed\",\"suite\":[\"S\"]},{\"name\":\"c\",\"status\":\"other\",\"suite\":\"S\"}]}}",
            (1, 1, 1),
        ),
        (
            "{\"protocolVersion\":\"0.1.1\",\"type\":\"start\"}\n{\"test\":{\"id\":1,\"name\":\"loading a_test.dart\"},\"type\":\"testStart\"}\n{\"testID\":1,\"result\":\"success\",\"skipped\":false,\"hidden\":true,\"type\":\"testDone\"}\n{\"test\":{\"id\":2,\"name\":\"a\"},\"type\":\"testStart\"}\n{\"testID\":2,\"result\":\"failure\",\"skipped\":false,\"hidden\":false,\"type\":\"testDone\"}\n{\"success\":false,\"type\":\"done\"}",
            (0, 1, 0),
        ),
        ("TAP version 14\n1..2\nok 1 - a\n    ok 1 - part\nnot ok 2 - b\n", (1, 1, 0)),
    ] {
        let results = read(content.as_bytes()).unwrap_or_else(|error| panic!("{content}: {error}"));
        assert_eq!(numbers(results.counts()), expected, "{content}: {results:#?}");
        assert_eq!(results.unfinished, None, "{content}");
    }
}

#[test]
fn what_could_not_be_loaded_is_no_test_that_failed() {
    use super::super::results::TestState::{Broken, Failed};
    for (content, state) in [
        (
            "<testsuite><testcase name='test_a'><error message='collection failure'>ImportError while importing</error></testcase></testsuite>",
            Broken,
        ),
        ("<testsuite><testcase name='a'><failure message='AssertionError: 1 != 2'/></testcase></testsuite>", Failed),
        ("<testsuite><testcase name='a'><error message='ValueError: x'/></testcase></testsuite>", Failed),
        (
            "<testsuite><testcase name='/x/a.test.js'><failure type='testCodeFailure'>Error: Cannot find module './gone'</failure></testcase></testsuite>",
            Broken,
        ),
        (
            "{\"testResults\":[{\"name\":\"/x/a.test.js\",\"status\":\"failed\",\"message\":\"Test suite failed to run\",\"assertionResults\":[]}]}",
            Broken,
        ),
    ] {
        assert_eq!(read(content.as_bytes()).unwrap().tests[0].state, state, "{content}");
    }
}

#[test]
fn a_file_of_another_kind_is_told_from_a_broken_one() {
    for foreign in ["<coverage><packages/></coverage>", "<html><testcase/></html>", "{\"a\": 1}", "hello"] {
        assert!(read(foreign.as_bytes()).is_err_and(|error| error.is_foreign()), "{foreign}");
    }
    for broken in ["<testsuite><testcase/>", "{\"testResults\": [", "<testsuite><testcase></testsuite>"] {
        assert!(read(broken.as_bytes()).is_err_and(|error| !error.is_foreign()), "{broken}");
    }
    assert!(read(b"").unwrap().unfinished.is_some());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80), text in "(<testsuite>|<testcase name='a'>|</testcase>|<failure/>|\\{|\"Action\"|:|1\\.\\.3|ok|[a-z]|\n){0,30}") {
        let _ = read(&bytes);
        let _ = read(text.as_bytes());
        let _ = read(format!("<testsuite>{text}").as_bytes());
    }
}

#[test]
fn junit_test_cases_are_counted_not_totals() {
    let xml = r#"<?xml version="1.0"?>
<!-- nested suites, totals that are missing or wrong -->
<testsuites tests="99">
  <testsuite name="a" tests="1" failures="7">
    <properties><property name="x" value="y"/></properties>
    <testsuite name="inner">
      <testcase name="passes"/>
      <testcase name="fails"><failure message="no &amp; &unknown; no">trace</failure><failure/></testcase>
      <testcase name="errs"><error/><system-out><![CDATA[<skipped/>]]></system-out></testcase>
    </testsuite>
    <testcase name="skipped"><skipped/></testcase>
    <testcase name="chatty"><system-out>out</system-out></testcase>
    <testcase name="off" status="notrun"/>
    <error>of the suite, not of a case</error>
  </testsuite>
</testsuites>"#;
    let counts = from_junit(xml).unwrap();
    assert_eq!((numbers(counts), counts.source), ((2, 2, 2), CountSource::Junit));
}

#[test]
fn a_single_suite_and_an_empty_one_are_junit_too() {
    assert_eq!(numbers(from_junit("\u{feff}<testsuite><testcase/></testsuite>").unwrap()), (1, 0, 0));
    assert_eq!(numbers(from_junit("<testsuites/>").unwrap()), (0, 0, 0));
}

#[test]
fn what_is_no_junit_is_refused() {
    assert!(matches!(from_junit(""), Err(JunitError::OtherRoot { root }) if root.is_empty()));
    assert!(matches!(from_junit("<html><testcase/></html>"), Err(JunitError::OtherRoot { root }) if root == "html"));
    assert!(matches!(from_junit("<testsuite><testcase></testsuite>"), Err(JunitError::Malformed { .. })));
    assert!(matches!(from_junit("<testsuite><testcase/>"), Err(JunitError::Malformed { .. })));
    assert!(matches!(from_junit(&"<testsuite>".repeat(70)), Err(JunitError::TooDeep)));
}

#[test]
fn entities_cannot_grow() {
    let bomb = format!(
        "<!DOCTYPE x [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><testsuite>{}<testcase/></testsuite>",
        "x".repeat(1000),
        "&b;".repeat(1000)
    );
    assert_eq!(numbers(from_junit(&bomb).unwrap()), (1, 0, 0));
}

#[test]
fn files_add_up() {
    let one = from_junit("<testsuite><testcase/></testsuite>").unwrap();
    let other = from_junit("<testsuite><testcase><failure/></testcase></testsuite>").unwrap();
    assert_eq!(numbers(one.plus(other)), (1, 1, 0));
    assert_eq!(one.plus(other).source, CountSource::Junit);
}

#[test]
fn a_go_package_that_could_not_be_built_or_set_up_is_broken() {
    let event = r#"{"Action":"run","Package":"example.com/a","Test":"TestA"}
{"Action":"pass","Package":"example.com/a","Test":"TestA"}
"#;
    let plain = "FAIL\texample.com/b [build failed]\nFAIL\texample.com/c [setup failed]\n";
    let later = r#"{"Action":"output","Package":"example.com/b","Output":"FAIL\texample.com/b [build failed]\n"}
{"Action":"output","Package":"example.com/c","Output":"FAIL\texample.com/c [setup failed]\n"}
"#;
    for words in [plain, later] {
        use crate::evidence::results::TestState::Broken;
        let results = go_json(&format!("{event}{words}")).unwrap();
        let broken: Vec<_> = results.failing().map(|test| (test.name.as_str(), test.state)).collect();
        assert_eq!(
            broken,
            ["example.com/b (package)", "example.com/c (package)"].map(|name| (name, Broken)),
            "{words}"
        );
    }
}

#[test]
fn no_format_keeps_more_tests_than_a_command_may_leave() {
    use crate::evidence::results::TESTS_MAX;
    let many = TESTS_MAX + 10;
    let xml: String = (0..many).map(|_| "<testcase name=\"a\"/>").collect();
    let go: String =
        (0..many).map(|at| format!("{{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"T{at}\"}}\n")).collect();
    let libtest: String = (0..many).map(|_| "{\"type\":\"test\",\"event\":\"ok\",\"name\":\"a\"}\n").collect();
    for content in [format!("1..{many}\n{}", "ok\n".repeat(many)), format!("<testsuite>{xml}</testsuite>"), go, libtest]
    {
        let results = read(content.as_bytes()).unwrap();
        assert!(results.tests.len() <= TESTS_MAX);
        assert!(results.unfinished.as_ref().unwrap().contains("more than 200000 tests"), "{:?}", results.unfinished);
    }
    // A suite's name stands in the name of each of its tests.
    let long = format!(
        "<testsuite name=\"{}\">{}</testsuite>",
        "\u{20ac}".repeat(290),
        "<testcase name=\"a\"/>".repeat(100_000)
    );
    assert!(read(long.as_bytes()).unwrap().unfinished.is_some());
    let values = format!("{{\"results\": {{\"tests\": [{}0]}}}}", "0,".repeat(2_000_000));
    assert!(matches!(read(values.as_bytes()), Err(FormatError::TooMuch { .. })));
}
