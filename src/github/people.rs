//! Who somebody is, and what they may do in the repository.

use serde::Deserialize;
use serde_json::json;

use super::{
    Github, GithubError, GithubErrorKind,
    transport::{Call, escaped},
};

/// Who a workflow's own token acts as on github.com.
const WORKFLOW_BOT: &str = "github-actions[bot]";

/// Somebody on GitHub.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The login; bots of apps end in `[bot]`.
    pub login: String,
    /// The kind: `User`, `Bot`, `Organization`.
    #[serde(default, rename = "type")]
    pub kind: String,
}

/// What somebody may do in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Nothing.
    None,
    /// Look.
    Read,
    /// Push; GitHub counts maintainers here too.
    Write,
    /// Everything.
    Admin,
}

#[derive(Deserialize)]
struct Collaborator {
    permission: String,
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    viewer: Viewer,
}

#[derive(Deserialize)]
struct Viewer {
    login: String,
}

impl Github {
    /// Asks what `login` may do in the repository. Somebody whom GitHub does not know may do nothing.
    ///
    /// # Errors
    /// When GitHub cannot be asked; nobody is then known to have a permission.
    pub async fn permission(&self, login: &str) -> Result<Permission, GithubError> {
        let operation = "asking for a collaborator's permission";
        let path = self.path(&format!("collaborators/{}/permission", escaped(login)));
        match self.fetch::<Collaborator>(&Call::get(operation, path)).await {
            Ok(Collaborator { permission }) => Ok(match permission.as_str() {
                "admin" => Permission::Admin,
                // The interface knows four words only: maintain is write, triage is read. `push` is an older word for
                // write that some servers still use.
                "write" | "maintain" | "push" => Permission::Write,
                "read" | "triage" | "pull" => Permission::Read,
                _ => Permission::None,
            }),
            Err(error) if error.is_not_found() => Ok(Permission::None),
            Err(error) => Err(error),
        }
    }

    /// Asks who the token is: whose comments are ours.
    ///
    /// # Errors
    /// When GitHub cannot be asked. Not being allowed to ask is none: that is how the tokens of workflows are.
    pub async fn whoami(&self) -> Result<String, GithubError> {
        let operation = "asking who the token belongs to";
        if !self.is_installation() {
            match self.fetch::<User>(&Call::get(operation, "/user".to_owned())).await {
                Ok(user) => return Ok(user.login),
                Err(error) if matches!(error.kind, GithubErrorKind::Forbidden { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        // GET /user is closed to installations; GraphQL tells them their bot's login.
        let body = json!({ "query": "query { viewer { login } }" });
        let mut call = Call::post(operation, self.settings().graphql_url.clone(), &body);
        call.repeatable = true;
        match self.fetch::<Answer>(&call).await {
            Ok(Answer { data: Some(Data { viewer }) }) => Ok(viewer.login),
            Ok(Answer { data: None }) => Ok(WORKFLOW_BOT.to_owned()),
            Err(error) if error.is_forbidden() || error.is_not_found() || error.is_rejected() => {
                Ok(WORKFLOW_BOT.to_owned())
            }
            Err(error) => Err(error),
        }
    }
}
