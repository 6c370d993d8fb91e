//! Patterns, written back as globs that globset reads in one way only.

use super::{Atom, ByteSet, Pattern, Segment};

impl Pattern {
    /// Returns the globs that, compiled by globset with `literal_separator`, match what this pattern matches.
    pub(in crate::scope) fn render(&self) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        for segment in &self.segments {
            match segment {
                Segment::AnyDepth => parts.push("**".to_owned()),
                Segment::AnyName => parts.push("*".to_owned()),
                Segment::Name(atoms) => parts.push(render_name(atoms)),
            }
        }
        let whole = parts.join("/");
        match self.segments.as_slice() {
            // globset's `/**` at the end wants at least one name: that is our run of one name and any depth.
            [.., Segment::AnyName, Segment::AnyDepth] => {
                parts.remove(parts.len() - 2);
                vec![parts.join("/")]
            }
            [_, .., Segment::AnyDepth] => vec![parts[..parts.len() - 1].join("/"), whole],
            _ => vec![whole],
        }
    }
}

fn literals<'a>(atoms: impl Iterator<Item = &'a Atom>) -> Vec<u8> {
    atoms.map_while(|atom| if let Atom::Byte(byte) = atom { Some(*byte) } else { None }).collect()
}

fn render_name(atoms: &[Atom]) -> String {
    // Bytes come from UTF-8 text in its order, so runs of literal bytes are text again.
    let mut text = String::new();
    for run in atoms.chunk_by(|a, b| matches!((a, b), (Atom::Byte(_), Atom::Byte(_)))) {
        match run {
            [Atom::Star] => text.push('*'),
            [Atom::Set(set)] => text.push_str(&render_set(**set)),
            literal => {
                for c in String::from_utf8_lossy(&literals(literal.iter())).chars() {
                    escape(c, &mut text);
                }
            }
        }
    }
    text
}

fn render_set(set: ByteSet) -> String {
    let mut text = String::new();
    if set.contains(0x80) {
        // A negated class. Inside, `]` is literal in the first place and `-` in the last, and nothing can be escaped.
        let mut without: Vec<char> = set.complement().bytes().map(char::from).collect();
        without.sort_by_key(|c| match c {
            ']' => 0,
            '-' => 2,
            _ => 1,
        });
        if without == ['/'] {
            return "?".to_owned();
        }
        text.push_str("[!");
        text.extend(without);
        text.push(']');
    } else {
        text.push('{');
        for (at, byte) in set.bytes().enumerate() {
            if at > 0 {
                text.push(',');
            }
            escape(char::from(byte), &mut text);
        }
        text.push('}');
    }
    text
}

fn escape(c: char, text: &mut String) {
    if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | ',' | '\\' | '!') {
        text.push('\\');
    }
    text.push(c);
}
