//! Tests of blocks: what other tools than Markdown take for items.

use super::{Block, Item, markers, nested, read};

fn show(markdown: &str) -> Vec<String> {
    fn of(item: &Item, depth: usize, out: &mut Vec<String>) {
        let mark = if !item.boxed {
            "-"
        } else if item.done {
            "x"
        } else {
            "o"
        };
        out.push(format!("{}{mark} {}", "  ".repeat(depth), item.line.text));
        nested(&item.blocks).for_each(|item| of(item, depth + 1, out));
    }
    let document = read(markdown, 0..markdown.len());
    let mut out = Vec::new();
    for block in &document.blocks {
        match block {
            Block::Heading { level, line, .. } => out.push(format!("{level}# {}", line.text)),
            Block::List { items } => items.iter().for_each(|item| of(item, 0, &mut out)),
            Block::Text { .. } => out.push("text".to_owned()),
            _ => {}
        }
    }
    out.extend(document.quoted.iter().map(|item| format!("quoted {}", item.line.text)));
    out
}

#[test]
fn markers_that_markdown_does_not_know_begin_items() {
    for markdown in [
        "• add\n• test\n",
        "Plan:\n\n◦ add\n◦ test\n",
        "a) add\nb) test\n",
        "(1) add\n(2) test\n",
        "（1）add\n（2）test\n",
        "1、add\n2、test\n",
        "①add\n② test\n",
        "１．add\n２．test\n",
        "一、add\n二、test\n",
        "Step 1: add\nStep 2: test\n",
        "Words before.\n步骤1：add\n步骤2：test\n",
        "> • add\n> • test\n",
    ] {
        assert_eq!(show(markdown), ["- add", "- test"], "{markdown}");
    }
    for (markdown, expected) in [
        ("• only one\n", &[][..]),
        ("b) starts late\nc) so\n", &[]),
        ("```\n• a\n• b\n```\n", &[]),
        ("Term\n: meaning\n\nOther\n: more\n", &["- meaning", "- more"]),
        ("☐ add\n☑ test\n", &["o add", "x test"]),
        ("Step 1: Storage\n- add\n\nStep 2: API\n- test\n", &["- add", "- test"]),
    ] {
        assert_eq!(show(markdown), expected, "{markdown}");
    }
}

#[test]
fn boxes_are_read_however_they_are_written() {
    let markdown =
        "- [ ] a\n- [x] b\n- [!] c\n- [?] d\n- [ ]* e\n- 🔲 f\n- ☑️ g\n- ✅ h\n- [P] i\n- \\[x] j\n- [✓] k\n";
    let expected = ["o a", "x b", "o c", "o d", "o e", "o f", "x g", "x h", "- [P] i", "- [x] j", "x k"];
    assert_eq!(show(markdown), expected);
    // Where nothing is open, a tick only adorns.
    assert_eq!(show("- ✅ a\n- ✅ b\n"), ["- ✅ a", "- ✅ b"]);
}

#[test]
fn quotes_and_html_hold_items_too() {
    assert_eq!(show("> - [ ] a\n> - b\n"), ["o a", "- b"]);
    assert_eq!(show("> # T\n>\n> 1. a\n"), ["1# T", "- a"]);
    assert_eq!(show("> only words\n"), ["text"]);
    assert_eq!(show("> [!NOTE]\n> - a\n"), ["text", "quoted a"]);
    assert_eq!(show("> [!NOTE]\n> - [ ] a\n"), ["o a"]);
    assert_eq!(show("a[^1]\n\n[^1]: - [ ] b\n"), ["o b"]);
    assert_eq!(
        show(
            "<details><summary>Phase <b>2</b></summary>\n<ul><li>a</li><li><input type=\"checkbox\" checked> b</li></ul>\n</details>\n"
        ),
        ["6# Phase 2", "- a", "x b", "6# "]
    );
    assert_eq!(show("<task type=\"auto\">\n<name>T</name>\n<action>do</action>\n</task>\n"), ["- T"]);
    assert_eq!(show("<!-- <li>a</li> -->\n"), [""; 0]);
    assert_eq!(show("<p>words</p>\n"), ["text"]);
}

proptest::proptest! {
    #[test]
    fn a_mask_moves_nothing(text in "([-•a-c1-3、①（）() :\n☐✅`~>]|Step 1|一){0,60}") {
        let masked = markers::masked(&text);
        proptest::prop_assert_eq!(masked.len(), text.len());
        let ends = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect::<Vec<_>>();
        proptest::prop_assert_eq!(ends(&masked), ends(&text));
        let _ = read(&text, 0..text.len());
    }
}
