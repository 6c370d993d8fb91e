//! YAML as a tree in which every value knows its place, for readers that report everything that is wrong in one go.
//!
//! Serde stops at the first value that does not fit its type. Plans and the configuration are read from this tree
//! instead, so that a second mistake shows beside the first. It is bounded: nothing that is written makes reading long.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Error, Location, MergeKeyPolicy, Spanned, options::DuplicateKeyPolicy};

use super::YamlError;
use crate::{diagnostics::Position, ids::NAME_MAX, text::truncate};

/// A YAML (or JSON) value with the place it stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where the value begins; for an alias, where the alias stands.
    pub position: Position,
    /// Whether the first character at `position` is a quotation mark, so that what is told about a place within the text
    /// has to count it.
    pub is_quoted: bool,
    /// The value.
    pub value: Value,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// An unquoted boolean or number, exactly as it is written.
    Literal(String),
    /// Any other scalar.
    Text(String),
    /// A sequence.
    Sequence(Vec<Node>),
    /// The keys and values of a mapping, in the order of the text.
    Mapping(Vec<(Node, Node)>),
}

impl Value {
    /// Returns what the value is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Literal(written) if is_boolean(written) => "true or false",
            Self::Literal(_) => "a number",
            Self::Text(_) => "text",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

fn is_boolean(written: &str) -> bool {
    ["true", "false"].iter().any(|boolean| written.eq_ignore_ascii_case(boolean))
}

/// A document, read although a key in it may stand twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The document.
    pub root: Node,
    /// The first key that stands twice in one mapping, when there is one; the tree holds its first value.
    pub duplicate_key: Option<YamlError>,
}

/// The deepest nesting that [`parse`] reads; nothing that we read needs more than half of it.
const DEPTH_MAX: usize = 16;

/// The most nodes that [`parse`] reads.
const NODES_MAX: usize = 50_000;

/// The most nodes that aliases may repeat.
const REPEATS_MAX: usize = 5_000;

/// Reads `text` as a tree of values that know their places; an empty text, or one of comments only, is [`Value::Null`].
///
/// Aliases are followed within bounds; merge keys, unknown tags and several documents are refused.
///
/// # Errors
/// When the text is not YAML, or deeper or larger than anything that we read; with the place where it is known.
pub fn parse(text: &str) -> Result<Tree, YamlError> {
    match spanned(text, DuplicateKeyPolicy::Error) {
        Ok(root) => Ok(Tree { root, duplicate_key: None }),
        Err(error) if matches!(error.without_snippet(), Error::DuplicateMappingKey { .. }) => {
            let root = spanned(text, DuplicateKeyPolicy::FirstWins).map_err(|error| yaml_error(&error))?;
            Ok(Tree { root, duplicate_key: Some(yaml_error(&error)) })
        }
        Err(error) => Err(yaml_error(&error)),
    }
}

fn spanned(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Node, Error> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_aliases: 1_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: REPEATS_MAX,
        },
        duplicate_keys: duplicate_keys,
        merge_keys: MergeKeyPolicy::Error,
        reject_unsupported_tags: true,
        strict_booleans: true,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    let raw: Option<Spanned<Raw>> = serde_saphyr::from_str_with_options(text, options)?;
    let nothing = || Node { position: Position { line: 1, column: 1 }, is_quoted: false, value: Value::Null };
    Ok(raw.map_or_else(nothing, |raw| raw_node(raw, text)))
}

fn yaml_error(error: &Error) -> YamlError {
    let mut cause = error.without_snippet();
    while let Error::AliasError { error, .. } = cause {
        cause = error;
    }
    let message = match cause {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key `{}` is there twice", truncate(key, NAME_MAX).escape_debug())
        }
        Error::DuplicateMappingKey { key: None, .. } => "a key is there twice".to_owned(),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. } => "it is nested too deeply, or too large".to_owned(),
        other => {
            let text = other.render_with_formatter(&serde_saphyr::UserMessageFormatter);
            // The place goes into its own field; the library also writes it behind the message.
            let text = text.lines().next().unwrap_or_default();
            text.rsplit_once(" at line ").map_or(text, |(message, _)| message).to_owned()
        }
    };
    YamlError { message, position: error.location().and_then(known_position) }
}

fn known_position(at: Location) -> Option<Position> {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    (at.line() > 0).then(|| Position { line: number(at.line()), column: number(at.column()).max(1) })
}

fn raw_node(raw: Spanned<Raw>, text: &str) -> Node {
    let position = known_position(raw.referenced)
        .or_else(|| known_position(raw.defined))
        .unwrap_or(Position { line: 1, column: 1 });
    let span = raw.defined.span();
    let written = span.byte_offset().zip(span.byte_len()).and_then(|(start, len)| {
        let start = usize::try_from(start).ok()?;
        text.get(start..start.checked_add(usize::try_from(len).ok()?)?)
    });
    let is_alias = known_position(raw.defined).is_some_and(|defined| defined != position);
    let is_quoted = !is_alias
        && matches!(raw.value, Raw::Text(_))
        && written.is_some_and(|written| written.starts_with(['"', '\'']));
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::Text(text),
        Raw::Literal(shown) => Value::Literal(written.map_or(shown, |written| written.trim().to_owned())),
        Raw::Sequence(items) => Value::Sequence(items.into_iter().map(|item| raw_node(item, text)).collect()),
        Raw::Mapping(entries) => Value::Mapping(
            entries.into_iter().map(|(key, value)| (raw_node(key, text), raw_node(value, text))).collect(),
        ),
    };
    Node { position, is_quoted, value }
}

/// A value as the parser hands it over: numbers and booleans have lost their spelling, which the span brings back.
enum Raw {
    Null,
    Literal(String),
    Text(String),
    Sequence(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Literal(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Literal(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Literal(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Literal(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Literal(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Literal(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut sequence = Vec::new();
        while let Some(item) = items.next_element()? {
            sequence.push(item);
        }
        Ok(Raw::Sequence(sequence))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Raw::Mapping(mapping))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(node: &Node) -> String {
        let at = format!("{}:{}", node.position.line, node.position.column);
        match &node.value {
            Value::Null => format!("{at} null"),
            Value::Literal(text) => format!("{at} literal {text}"),
            Value::Text(text) => format!("{at} {text:?}"),
            Value::Sequence(items) => format!("{at} [{}]", items.iter().map(outline).collect::<Vec<_>>().join(", ")),
            Value::Mapping(entries) => {
                let entries = entries.iter().map(|(key, value)| format!("{} = {}", outline(key), outline(value)));
                format!("{at} {{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }

    #[test]
    fn every_value_and_key_knows_its_place_and_numbers_keep_their_spelling() {
        let text =
            "title: \u{e4} b\nlist:\n  - 1.10\n  - true\n  - ~\n  - |\n    x\n    y\n  - &a hi\n  - *a\n  - yes\n";
        insta::assert_snapshot!(outline(&parse(text).unwrap().root), @r#"1:1 {1:1 "title" = 1:8 "ä b", 2:1 "list" = 3:3 [3:5 literal 1.10, 4:5 literal true, 5:5 null, 7:5 "x\ny\n", 9:8 "hi", 10:5 "hi", 11:5 "yes"]}"#);
    }

    #[test]
    fn json_is_read_with_its_escapes() {
        let text = "{\n\t\"a\": [\"x\\/y\", \"\\ud83d\\ude00\", 1e3],\n\t\"b\": null\n}\n";
        insta::assert_snapshot!(outline(&parse(text).unwrap().root), @r#"1:1 {2:2 "a" = 2:7 [2:8 "x/y", 2:16 "😀", 2:32 literal 1e3], 3:2 "b" = 3:7 null}"#);
    }

    #[test]
    fn a_key_that_stands_twice_is_told_beside_the_tree() {
        let tree = parse("a: 1\nb: 2\na: 3\n").unwrap();
        insta::assert_snapshot!(outline(&tree.root), @r#"1:1 {1:1 "a" = 1:4 literal 1, 2:1 "b" = 2:4 literal 2}"#);
        insta::assert_debug_snapshot!(tree.duplicate_key, @r#"
        Some(
            YamlError {
                message: "the key `a` is there twice",
                position: Some(
                    Position {
                        line: 3,
                        column: 1,
                    },
                ),
            },
        )
        "#);
    }

    #[test]
    fn what_would_not_end_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let alias = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![alias; 10].join(", "));
        }
        let deep = "[".repeat(100_000);
        let block = (0..300).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>();
        let messages: Vec<_> =
            [bomb.as_str(), &deep, &block, "a: &a [*a]", "a: {<<: {b: 1}}", "a: !x 1", "a\n---\nb", "a: [", "a: \""]
                .map(|text| parse(text).unwrap_err())
                .iter()
                .map(|error| format!("{:?} {error}", error.position.map(|at| (at.line, at.column))))
                .collect();
        insta::assert_snapshot!(messages.join("\n"), @"
        Some((4, 20)) it is nested too deeply, or too large
        Some((1, 256)) recursion limit exceeded
        Some((17, 17)) it is nested too deeply, or too large
        Some((1, 8)) Recursive reference not allowed here
        Some((1, 5)) merge key not allowed here
        Some((1, 7)) unsupported tag `!x`
        Some((3, 1)) only single YAML document expected but multiple found
        Some((1, 4)) unclosed bracket '['
        Some((1, 4)) unclosed quote
        ");
    }

    #[test]
    fn an_empty_text_is_null_and_scalars_keep_their_kind() {
        let value = |text: &str| parse(text).unwrap().root.value;
        for empty in ["", "\n\n", "# only a comment\n", "---\n", "~"] {
            assert_eq!(value(empty), Value::Null, "{empty:?}");
        }
        for (text, written, kind) in
            [("true", "true", "true or false"), ("1.5", "1.5", "a number"), ("-3", "-3", "a number")]
        {
            assert_eq!((value(text), value(text).kind()), (Value::Literal(written.to_owned()), kind));
        }
        assert_eq!(value("'3'"), Value::Text("3".into()));
        assert_eq!(value("a: ~").kind(), "a mapping");
    }

    #[test]
    fn quotation_marks_are_told_where_the_value_stands_and_not_where_it_is_repeated() {
        let Value::Sequence(items) = parse("[a, \"b\", &x 'c', *x, '']").unwrap().root.value else { panic!() };
        assert_eq!(items.iter().map(|item| item.is_quoted).collect::<Vec<_>>(), [false, true, true, false, true]);
    }

    #[test]
    fn what_is_not_yaml_is_refused_with_its_place() {
        let error = |text| {
            let YamlError { message, position } = parse(text).unwrap_err();
            format!("{}: {message}", position.map_or("?".to_owned(), |at| format!("{}:{}", at.line, at.column)))
        };
        insta::assert_snapshot!(error("a: [1, 2\n"), @"1:4: unclosed bracket '['");
        insta::assert_snapshot!(error("a: 1\n---\nb: 1\n"), @"3:1: only single YAML document expected but multiple found");
        insta::assert_snapshot!(error("a: b: c\n"), @"1:5: mapping values are not allowed in this context");
        insta::assert_snapshot!(error("a: *nothing\n"), @"1:4: reference to unknown value");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s).{0,200}") {
            let _ = parse(&text);
        }
    }
}
