//! Secrets that a subagent was given by name, taken out of everything that it says.

use std::{collections::BTreeMap, io, path::Path};

use aho_corasick::{AhoCorasick, MatchKind};
use implementer_model::report::ReadReport;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    report_file::ReportFileError,
    secret_forms::{forms_of, skeleton, skeletons_of},
};
use crate::untrusted;

/// The shortest value that is looked for: shorter ones stand in too many innocent places.
const SECRET_MIN_BYTES: usize = 8;

/// What stands in place of a secret.
const MASK: &[u8] = b"[redacted]";

/// Parts of names that make the value of a variable a secret.
const SECRET_NAMES: [&str; 9] =
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "AUTH", "PRIVATE", "CONNECTION_STRING"];

/// Returns the secrets of an environment, by the names of its variables.
pub(super) fn secrets_of(environment: &[(String, String)]) -> BTreeMap<String, String> {
    let secret = |name: &str| {
        let name = name.to_ascii_uppercase();
        SECRET_NAMES.iter().any(|part| name.contains(part))
    };
    let values = environment.iter().filter(|(name, value)| secret(name) && value.len() >= SECRET_MIN_BYTES);
    values.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Returns the secrets among those variables of `own` that are passed on.
fn secrets_passed(own: &BTreeMap<String, String>, passed: &[String]) -> BTreeMap<String, String> {
    let passed: Vec<_> = passed.iter().filter_map(|name| Some((name.clone(), own.get(name)?.clone()))).collect();
    secrets_of(&passed)
}

/// Tokens that a coordinator has and passes on to nobody.
const OWN_TOKENS: [&str; 5] =
    ["GITHUB_TOKEN", "GH_TOKEN", "INPUT_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];

/// The secrets that a run was given, by name: they are looked for in everything, whoever they were given to.
#[derive(Clone, Default)]
pub struct Secrets {
    by_name: Vec<Named>,
    all: Redactor,
}

/// A secret, and what finds it.
#[derive(Clone)]
struct Named {
    name: String,
    value: String,
    whole: Redactor,
    /// Finds it in the letters and digits of a content; nothing for a short one.
    in_pieces: Option<AhoCorasick>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.by_name.iter().map(|secret| &secret.name).collect();
        f.debug_struct("Secrets").field("names", &names).finish()
    }
}

impl Secrets {
    /// Collects the secrets among those variables of `own` that are passed on to anybody, and the coordinator's own tokens.
    #[must_use]
    pub fn from_environment(own: &BTreeMap<String, String>, passed: &[String]) -> Self {
        let mut names = passed.to_vec();
        names.extend(OWN_TOKENS.map(str::to_owned));
        let secrets = secrets_passed(own, &names);
        let all = Redactor::new(secrets.values().map(String::as_str));
        let by_name = secrets.into_iter().map(|(name, value)| {
            let whole = Redactor::new([value.as_str()]);
            let skeletons = skeletons_of(&value);
            // Building fails for gigabytes of patterns only.
            let in_pieces = (!skeletons.is_empty()).then(|| AhoCorasick::new(skeletons).ok()).flatten();
            Named { name, value, whole, in_pieces }
        });
        Self { by_name: by_name.collect(), all }
    }

    /// Returns their values, to be taken out of a log as it is written.
    #[must_use]
    pub fn values(&self) -> Vec<String> {
        self.by_name.iter().map(|secret| secret.value.clone()).collect()
    }

    /// Takes them out of every text of a value. None of its texts that others write has to be of a form.
    ///
    /// # Panics
    /// When one has all the same: a secret must not be passed on because of it.
    #[must_use]
    pub fn taken_out_of<T: Serialize + DeserializeOwned>(&self, value: T) -> T {
        if self.is_empty() {
            return value;
        }
        let mut json = serde_json::to_value(&value).expect("invariant: what is recorded is plain data");
        self.all.json(&mut json);
        serde_json::from_value(json).expect("invariant: only texts have changed, and those of others have no form")
    }

    /// Takes them out of a report.
    ///
    /// # Errors
    /// When one stands where a name has to be, so that nothing else can.
    pub fn taken_out_of_report(&self, read: ReadReport) -> Result<ReadReport, ReportFileError> {
        self.all.report(read)
    }

    /// Takes them out of a text.
    #[must_use]
    pub fn taken_out_of_text(&self, text: &str) -> String {
        self.all.text(text)
    }

    /// Takes them out of a plain file of at most `limit` bytes, whatever is in it. It is replaced as a whole.
    ///
    /// # Errors
    /// When it holds one and cannot be replaced.
    pub fn take_out_of_file(&self, path: &Path, limit: u64) -> io::Result<()> {
        let Ok(bytes) = untrusted::read(path, limit) else { return Ok(()) };
        if !self.all.finds(&bytes) {
            return Ok(());
        }
        let text = self.all.text(&String::from_utf8_lossy(&bytes));
        super::new_file::write_new(path, &text)
    }

    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Returns the name of a secret whose value stands in `bytes`, as a whole or in pieces.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Option<&str> {
        let whole = self.by_name.iter().find(|secret| secret.whole.finds(bytes));
        let in_pieces = || {
            let letters = skeleton(bytes);
            let found = |secret: &&Named| secret.in_pieces.as_ref().is_some_and(|search| search.is_match(&letters));
            self.by_name.iter().find(found)
        };
        whole.or_else(in_pieces).map(|secret| secret.name.as_str())
    }
}

/// Takes secrets out of text, at once or as it comes in.
#[derive(Debug, Clone, Default)]
pub(super) struct Redactor {
    /// The secrets, and what finds them; nothing when there are none.
    search: Option<(Vec<Vec<u8>>, AhoCorasick)>,
    /// The end of what came in, as far as it may be the beginning of a secret.
    held: Vec<u8>,
}

impl Redactor {
    /// Makes one for the secrets among those variables of `own` that are passed on.
    pub(super) fn from_environment(own: &BTreeMap<String, String>, passed: &[String]) -> Self {
        Self::new(secrets_passed(own, passed).values().map(String::as_str))
    }

    /// Makes one for these secrets. Those of several lines are looked for line by line, too: programs print keys so. Too
    /// short ones are passed over.
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let long_enough = secrets.into_iter().filter(|secret| secret.trim().len() >= SECRET_MIN_BYTES);
        let patterns = long_enough.flat_map(|secret| forms_of(secret, SECRET_MIN_BYTES));
        let patterns: std::collections::BTreeSet<Vec<u8>> = patterns.collect();
        let patterns: Vec<_> = patterns.into_iter().collect();
        let search = (!patterns.is_empty())
            // Building fails for gigabytes of patterns only.
            .then(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&patterns).ok())
            .flatten()
            .map(|search| (patterns, search));
        Self { search, held: Vec::new() }
    }

    /// Tells whether a secret stands in `bytes`.
    pub(super) fn finds(&self, bytes: &[u8]) -> bool {
        self.search.as_ref().is_some_and(|(_, search)| search.is_match(bytes))
    }

    /// Returns the text without secrets.
    pub(super) fn text(&self, text: &str) -> String {
        match &self.search {
            Some((_, search)) if search.is_match(text) => {
                let masks = vec![MASK; search.patterns_len()];
                String::from_utf8_lossy(&search.replace_all_bytes(text.as_bytes(), &masks)).into_owned()
            }
            _ => text.to_owned(),
        }
    }

    /// Takes secrets out of every text of a JSON value.
    pub(super) fn json(&self, value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => *text = self.text(text),
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            serde_json::Value::Object(fields) => fields.values_mut().for_each(|field| self.json(field)),
            _ => {}
        }
    }

    /// Takes secrets out of every text of a report. One in the place of a name cannot be taken out.
    pub(super) fn report(&self, read: ReadReport) -> Result<ReadReport, ReportFileError> {
        if self.search.is_none() {
            return Ok(read);
        }
        let mut value = serde_json::to_value(&read.report).expect("invariant: a report is plain data");
        self.json(&mut value);
        let report = serde_json::from_value(value).map_err(|_| ReportFileError::Secret)?;
        Ok(ReadReport { report, ..read })
    }

    /// Takes in the next piece of a stream, and returns what can be shown by now: what may be the beginning of a secret
    /// waits for the next piece.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some((patterns, search)) = &self.search else { return bytes.to_vec() };
        self.held.extend_from_slice(bytes);
        let mut shown = Vec::with_capacity(self.held.len());
        let mut at = 0;
        // From here on a secret may have begun: one that begins earlier, or is longer, comes first.
        let undecided = self.held.len() - waiting(patterns, &self.held);
        for found in search.find_iter(&self.held) {
            if found.start() >= undecided {
                break;
            }
            shown.extend_from_slice(&self.held[at..found.start()]);
            shown.extend_from_slice(MASK);
            at = found.end();
        }
        let waits = waiting(patterns, &self.held[at..]);
        let until = self.held.len() - waits;
        shown.extend_from_slice(&self.held[at..until]);
        self.held.drain(..until);
        shown
    }

    /// Ends the stream, and returns what was held back.
    pub(super) fn close(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        match &self.search {
            Some((patterns, search)) => search.replace_all_bytes(&held, &vec![MASK; patterns.len()]),
            None => held,
        }
    }
}

fn begins_longer(patterns: &[Vec<u8>], bytes: &[u8]) -> bool {
    patterns.iter().any(|pattern| pattern.len() > bytes.len() && pattern.starts_with(bytes))
}

/// Returns the length of the longest end of `bytes` with which a secret begins.
fn waiting(patterns: &[Vec<u8>], bytes: &[u8]) -> usize {
    let longest = patterns.iter().map(Vec::len).max().unwrap_or_default();
    let lengths = (1..=longest.min(bytes.len())).rev();
    lengths.into_iter().find(|length| begins_longer(patterns, &bytes[bytes.len() - length..])).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_variables_that_hold_secrets_are_looked_for() {
        let environment = [
            ("ANTHROPIC_API_KEY", "sk-ant-0123456789"),
            ("MY_SECRET", "short"),
            ("CARGO_HOME", "/home/user/.cargo"),
            ("db_password", "correct horse"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let secrets: Vec<_> = secrets_of(&environment).into_keys().collect();
        assert_eq!(secrets, ["ANTHROPIC_API_KEY", "db_password"]);
    }

    #[test]
    fn secrets_go_from_texts_and_reports() {
        let redactor = Redactor::new(["sk-ant-0123456789", "line one of a key\nline two of a key", "tiny"]);
        assert_eq!(redactor.text("key=sk-ant-0123456789;"), "key=[redacted];");
        assert_eq!(redactor.text("only line two of a key, and tiny"), "only [redacted], and tiny");
        let mut value = serde_json::json!({ "a": ["x sk-ant-0123456789"], "b": 1 });
        redactor.json(&mut value);
        assert_eq!(value, serde_json::json!({ "a": ["x [redacted]"], "b": 1 }));
        assert!(redactor.finds(b"\xff sk-ant-0123456789") && !redactor.finds(b"sk-ant-012345678"));
        assert!(!Redactor::new([]).finds(b"anything"));
    }

    #[test]
    fn nothing_waits_that_is_no_beginning_of_a_secret() {
        let mut redactor = Redactor::new(["secret-value", "secret-value-long"]);
        assert_eq!(redactor.take(b"hello\n"), b"hello\n");
        assert_eq!(redactor.take(b"a secret-va"), b"a ");
        assert_eq!(redactor.take(b"lue"), b"", "the longer one may be coming");
        assert_eq!(redactor.take(b" b"), b"[redacted] b");
        assert_eq!(redactor.take(b"secret-value"), b"");
        assert_eq!(redactor.close(), b"[redacted]");
    }

    proptest! {
        #[test]
        fn however_a_stream_is_cut_it_shows_the_same(
            pieces in proptest::collection::vec("(aaaabbbb|aaaabbbbcc|aabbbbccccaa|a|b|c|\n){0,4}", 0..12),
        ) {
            let secrets = ["aaaabbbb", "aaaabbbbcc", "bbbbccccaaaa", "aabbbbcccc"];
            let whole: String = pieces.concat();
            let mut redactor = Redactor::new(secrets);
            let mut shown = Vec::new();
            for piece in &pieces {
                shown.extend(redactor.take(piece.as_bytes()));
            }
            shown.extend(redactor.close());
            prop_assert_eq!(String::from_utf8(shown).unwrap(), Redactor::new(secrets).text(&whole));
        }
    }
}
