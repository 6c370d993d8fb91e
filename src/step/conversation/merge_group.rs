//! The merge queue: it waits for the overall check on a commit that no pull request has.

use implementer_model::{conversation::checks, ids::ObjectId};

use super::publish;
use crate::{github::GithubError, step::RepositoryContext};

/// Reports the overall check on the commit of a merge group: each of its pull requests got there with its own.
///
/// # Errors
/// When GitHub cannot be told.
pub async fn report_merge_group(repository: &RepositoryContext, head: &ObjectId) -> Result<(), GithubError> {
    let key = repository.run_key.to_string();
    publish::create_concluded(repository, head, checks::OVERALL, &key, &checks::merge_group()).await
}
