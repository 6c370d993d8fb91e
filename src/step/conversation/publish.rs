//! Pages of the model's, put into check runs within GitHub's limits.

use implementer_model::{
    conversation::checks::{self, Annotation, CheckPage},
    github_ids::CheckRunId,
    ids::ObjectId,
};

use super::{PullRequestContext, claim};
use crate::github::{Annotated, CheckOutput, CheckStatus, CheckUpdate, GithubError, NewCheck};
use crate::step::RepositoryContext;

/// Concludes a check run with a page; annotations beyond the first fifty are appended by further updates.
pub(super) async fn conclude(pull: &PullRequestContext, id: CheckRunId, page: &CheckPage) -> Result<(), GithubError> {
    let (first, rest) = outputs(page);
    claim::conclude(pull, id, page.conclusion, &first).await?;
    append(&pull.repository, id, page, &rest).await
}

/// Makes a check run that is concluded from its beginning.
pub(super) async fn create_concluded(
    repository: &RepositoryContext,
    commit: &ObjectId,
    name: &str,
    external_id: &str,
    page: &CheckPage,
) -> Result<(), GithubError> {
    let (first, rest) = outputs(page);
    let now = claim::now();
    let check = NewCheck {
        name,
        head_sha: commit,
        details_url: repository.run_url.as_deref(),
        external_id,
        started_at: &now,
        status: CheckStatus::Completed { conclusion: page.conclusion.name(), completed_at: &now },
        output: Some(&first),
    };
    let check = repository.github.create_check(&check).await?;
    append(repository, check.id, page, &rest).await
}

async fn append(
    repository: &RepositoryContext,
    id: CheckRunId,
    page: &CheckPage,
    rest: &[CheckOutput],
) -> Result<(), GithubError> {
    let now = claim::now();
    for output in rest {
        let status = CheckStatus::Completed { conclusion: page.conclusion.name(), completed_at: &now };
        repository.github.update_check(id, &CheckUpdate { status, output: Some(output) }).await?;
    }
    Ok(())
}

/// Splits a page into the output of the first request and those that only append annotations.
fn outputs(page: &CheckPage) -> (CheckOutput, Vec<CheckOutput>) {
    let mut outputs = checks::batches(&page.annotations).map(|batch| CheckOutput {
        title: page.title.clone(),
        summary: page.summary.clone(),
        text: page.text.clone(),
        annotations: batch.iter().map(annotated).collect(),
    });
    let first = outputs.next().unwrap_or_else(|| CheckOutput {
        title: page.title.clone(),
        summary: page.summary.clone(),
        text: page.text.clone(),
        annotations: Vec::new(),
    });
    (first, outputs.collect())
}

fn annotated(annotation: &Annotation) -> Annotated {
    Annotated {
        path: annotation.path.clone(),
        start_line: annotation.start_line,
        end_line: annotation.end_line,
        annotation_level: annotation.level.name(),
        title: annotation.title.clone(),
        message: annotation.message.clone(),
    }
}
