//! Who changed a description or a comment last, and when: GitHub's own word, which only GraphQL has.

use serde::Deserialize;
use serde_json::json;

use super::{Github, GithubError, transport::Call};

const QUERY: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { \
    ... on PullRequest { id lastEditedAt editor { login } } \
    ... on IssueComment { id lastEditedAt editor { login } } } }";

/// The last edit of a text; both fields are empty for a text that was never edited.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastEdit {
    id: String,
    /// When, in RFC 3339.
    pub last_edited_at: Option<String>,
    editor: Option<Editor>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Editor {
    login: String,
}

impl LastEdit {
    /// Tells whether `login` made it. GraphQL leaves out the `[bot]` of an app's login.
    #[must_use]
    pub fn is_by(&self, login: &str) -> bool {
        let plain = |login: &str| login.strip_suffix("[bot]").unwrap_or(login).to_owned();
        self.editor.as_ref().is_some_and(|editor| plain(&editor.login) == plain(login))
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    nodes: Vec<serde_json::Value>,
}

impl Github {
    /// Asks for the last edit of the text with this `node_id`. Nothing, where GitHub does not say.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn last_edit(&self, node: &str) -> Result<Option<LastEdit>, GithubError> {
        let body = json!({ "query": QUERY, "variables": { "ids": [node] } });
        let url = self.settings().graphql_url.clone();
        let mut call = Call::post("asking who changed a text last", url, &body);
        call.repeatable = true;
        call.patience = super::transport::Patience::Needed;
        let answer: Answer = match self.fetch(&call).await {
            // A server that does not know the question, or does not let us ask it, does not say.
            Err(error) if error.is_forbidden() || error.is_not_found() || error.is_rejected() => return Ok(None),
            answer => answer?,
        };
        let nodes = answer.data.map(|data| data.nodes).unwrap_or_default();
        let edits = nodes.into_iter().filter_map(|node| serde_json::from_value::<LastEdit>(node).ok());
        Ok(edits.into_iter().find(|edit| edit.id == node))
    }
}
