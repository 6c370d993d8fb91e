//! What a conversation is about: the pull request, its commits, the rules, everything that was said so far.

use std::path::{Path, PathBuf};

use implementer_model::config::{AgentKind, Config};

use super::{PullRequestContext, error::ConversationError, own_comment};
use crate::{
    github::{Comment, PullRequest},
    intake::{self, ConfigSource, IntakeError},
    layout::refs,
    runtime::blocking,
    workspace::{
        fetch::{self, Wanted},
        store::{Base, RunStore},
    },
};

/// What the user asked for beside the event.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// The path of the plan in the head commit.
    pub plan: Option<String>,
    /// Where the configuration comes from.
    pub config: ConfigSource,
    /// The kind of agent that does the work, in place of the configuration's.
    pub agent: Option<AgentKind>,
    /// How many subagents run at one time.
    pub concurrency: Option<usize>,
}

/// What a conversation is about.
#[derive(Debug)]
pub struct Snapshot {
    /// The pull request, as it is when this is read: its head is looked at once and never again for what is run.
    pub request: PullRequest,
    /// The commit that the implementation starts from: the pull request's head.
    pub head: Base,
    /// The commit with the rules: the branch that the pull request goes into.
    pub rules: Base,
    /// The repository that was fetched.
    pub repository: PathBuf,
    /// A store on it.
    pub store: RunStore,
    /// The configuration, or what is wrong with it.
    pub config: Config,
    /// Whose comments are ours.
    pub me: String,
    /// Everything that was said.
    pub comments: Vec<Comment>,
}

impl Snapshot {
    /// Asks GitHub, fetches the commits, reads the configuration.
    ///
    /// # Errors
    /// When one of them cannot be read, or the configuration is wrong.
    pub async fn read(
        pull: &PullRequestContext,
        options: &PlanOptions,
        scratch: &Path,
    ) -> Result<Self, ConversationError> {
        let request = pull.github().pull_request(pull.number).await?;
        let me = pull.github().whoami().await?;
        let comments = pull.github().comments(pull.number).await?;
        let (repository, store) = fetch(pull, &request, scratch).await?;
        let head = store.resolve(refs::HEAD)?;
        let rules = store.resolve(refs::RULES)?;
        let config = intake::read_config(&store, &rules, &options.config)?.map_err(IntakeError::Invalid)?;
        Ok(Self { request, head, rules, repository, store, config, me, comments })
    }

    /// Returns the newest comment of ours, as it was when everything was read.
    #[must_use]
    pub fn own_comment(&self) -> Option<&Comment> {
        own_comment::find(&self.comments, &self.me)
    }
}

/// Fetches the head of the pull request and the tip of the branch that it goes into.
async fn fetch(
    pull: &PullRequestContext,
    request: &PullRequest,
    scratch: &Path,
) -> Result<(PathBuf, RunStore), ConversationError> {
    let head = request.head.sha.clone();
    let remote = pull.repository.remote();
    let branch = format!("refs/heads/{}", request.base.name);
    // Build tools take the folder's name for the project's; a conversation has one repository.
    let folder = scratch.join(format!("{}.git", pull.github().settings().repository.name()));
    let probe = scratch.join("probe.git");
    blocking(move || {
        let wanted = [Wanted { from: head.as_str(), to: refs::HEAD }, Wanted { from: &branch, to: refs::RULES }];
        let repository = fetch::fetch(&remote, &wanted, &folder)?;
        let store = RunStore::create(&repository, &probe)?;
        Ok::<_, ConversationError>((repository, store))
    })
    .await
}
