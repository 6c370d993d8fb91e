//! Where the plan of a pull request is: four places, in a documented order.

use implementer_model::{
    conversation::plan_text,
    ids::Digest,
    provenance::{PlanOrigin, PlanOriginKind},
    scope::{CompiledScope, Scope},
};

use super::{PullRequestContext, Snapshot, error::ConversationError};
use crate::{
    github::{Comment, Permission},
    intake::{PlanText, plan_files},
};

/// A plan that was found.
#[derive(Debug, Clone)]
pub(super) struct FoundPlan {
    /// Its text and name.
    pub(super) plan: PlanText,
    /// Where it is from.
    pub(super) origin: PlanOrigin,
    /// Its path in the head commit, where it is a file.
    pub(super) path: Option<String>,
    /// When it was last changed, in RFC 3339, where it is a comment.
    pub(super) changed: Option<String>,
}

/// Looks for the plan: the file that the user named; a plan file that the pull request adds or changes; its
/// description; the newest plan comment by somebody who may push.
pub(super) async fn find(
    pull: &PullRequestContext,
    snapshot: &Snapshot,
    named: Option<&str>,
) -> Result<FoundPlan, ConversationError> {
    if let Some(path) = named {
        let content = plan_files::read_from_tree(&snapshot.store, &snapshot.head.tree, path)?;
        let content = content.ok_or_else(|| ConversationError::PlanNotFound(path.to_owned()))?;
        return Ok(file(pull, snapshot, path, content, PlanOriginKind::Input));
    }
    if let Some(path) = changed_plan_file(pull, snapshot).await?
        && let Some(content) = plan_files::read_from_tree(&snapshot.store, &snapshot.head.tree, &path)?
    {
        return Ok(file(pull, snapshot, &path, content, PlanOriginKind::File));
    }
    if let Some(plan) = snapshot.request.body.as_deref().and_then(plan_text::find) {
        let author = snapshot.request.user.as_ref().map(|user| user.login.clone());
        let name = "the pull request's description";
        return Ok(text(name, plan, PlanOriginKind::Body, author, Some(pull.page())));
    }
    for comment in snapshot.comments.iter().rev() {
        if let Some(found) = plan_in(pull, snapshot, comment).await? {
            return Ok(found);
        }
    }
    Err(ConversationError::NoPlan)
}

/// Finds the plan file that the pull request itself adds or changes. One that only lies there is somebody else's plan,
/// and was followed long ago.
async fn changed_plan_file(
    pull: &PullRequestContext,
    snapshot: &Snapshot,
) -> Result<Option<String>, ConversationError> {
    let allow = snapshot.config.pull_request.plan_files();
    let plans = CompiledScope::new(&Scope { allow, deny: [].into() })
        .expect("invariant: a configuration that was read has only globs that compile");
    let mut candidates: Vec<_> =
        snapshot.store.list_files(&snapshot.head.tree, "")?.into_iter().filter(|path| plans.allows(path)).collect();
    // Most pull requests need not be asked which files they change.
    let mut changed_since_base = Vec::new();
    for path in &candidates {
        let here = snapshot.store.read_file(&snapshot.head.tree, path)?;
        if here != snapshot.store.read_file(&snapshot.rules.tree, path)? {
            changed_since_base.push(path.clone());
        }
    }
    if changed_since_base.is_empty() {
        return Ok(None);
    }
    let changed = pull.github().changed_files(pull.number).await?;
    candidates.retain(|path| changed_since_base.contains(path));
    if changed.is_cut {
        candidates = changed_since_merge_base(pull, snapshot, candidates).await?;
    } else {
        candidates.retain(|path| changed.paths.contains(path));
    }
    if candidates.len() > 1 {
        return Err(ConversationError::SeveralPlans(candidates));
    }
    Ok(candidates.pop())
}

/// Keeps the files that the pull request itself adds or changes, where GitHub does not list all of them: those that are
/// another than where its branch began.
async fn changed_since_merge_base(
    pull: &PullRequestContext,
    snapshot: &Snapshot,
    candidates: Vec<String>,
) -> Result<Vec<String>, ConversationError> {
    let request = &snapshot.request;
    let began = pull.github().merge_base(&request.base.sha, &request.head.sha).await?;
    let mut changed = Vec::new();
    for path in candidates {
        let there = pull.github().blob_id(&path, &began).await?;
        let here = pull.github().blob_id(&path, &request.head.sha).await?;
        if here != there {
            changed.push(path);
        }
    }
    Ok(changed)
}

/// Takes a comment for the plan when it holds one and its author may push.
async fn plan_in(
    pull: &PullRequestContext,
    snapshot: &Snapshot,
    comment: &Comment,
) -> Result<Option<FoundPlan>, ConversationError> {
    let Some(author) = comment.user.as_ref().filter(|user| user.login != snapshot.me) else { return Ok(None) };
    let Some(plan) = comment.body.as_deref().and_then(plan_text::find) else { return Ok(None) };
    let trusted = if author.kind == "Bot" {
        snapshot.config.pull_request.bots.contains(&author.login)
    } else {
        pull.github().permission(&author.login).await? >= Permission::Write
    };
    if !trusted {
        tracing::info!(author = author.login, "a plan by somebody without write permission is passed over");
        return Ok(None);
    }
    let name = format!("comment {}", comment.id);
    let url = Some(comment.html_url.clone()).filter(|url| !url.is_empty());
    let found = text(&name, plan, PlanOriginKind::Comment, Some(author.login.clone()), url);
    Ok(Some(FoundPlan { changed: Some(comment.updated_at.clone()), ..found }))
}

fn file(pull: &PullRequestContext, snapshot: &Snapshot, path: &str, bytes: Vec<u8>, kind: PlanOriginKind) -> FoundPlan {
    let origin = PlanOrigin {
        kind,
        name: path.to_owned(),
        author: snapshot.request.user.as_ref().map(|user| user.login.clone()),
        url: path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
            .then(|| format!("{}/blob/{}/{path}", pull.repository.url(), snapshot.head.commit)),
        digest: Digest::from_content(&bytes),
    };
    let plan = PlanText { name: path.to_owned(), bytes, first_line: 1, dialect: None };
    FoundPlan { plan, origin, path: Some(path.to_owned()), changed: None }
}

fn text(
    name: &str,
    plan: plan_text::EmbeddedPlan,
    kind: PlanOriginKind,
    author: Option<String>,
    url: Option<String>,
) -> FoundPlan {
    let digest = Digest::from_content(&plan.text);
    let origin = PlanOrigin { kind, name: name.to_owned(), author, url, digest };
    let bytes = plan.text.into_bytes();
    let plan = PlanText { name: name.to_owned(), bytes, first_line: plan.first_line, dialect: None };
    FoundPlan { plan, origin, path: None, changed: None }
}
