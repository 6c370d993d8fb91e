//! `--pr`: a pull request as the subject of `plan` and `run`, from somebody's own machine.

use std::{env::VarError, path::Path, str::FromStr};

use anyhow::Context as _;
use implementer_model::{
    conversation::{
        event::Actor,
        intent::{Approval, Via},
    },
    github_ids::{PullRequestNumber, RunKey},
};

use super::{
    exit::Failure,
    run::{self, Request},
    show,
};
use crate::{
    actions,
    coordinator::progress::Observer,
    execution::{self, Executed, Out},
    github::{Addresses, Github, RepositoryName, Settings},
    http::Pace,
    intake::Intake,
    runtime::with_signals,
    step::{
        PullRequestContext, RepositoryContext,
        conversation::{self, PlanOptions, RunOptions},
    },
};

/// A pull request, as `OWNER/REPO#NUMBER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PullRequestName {
    repository: RepositoryName,
    number: PullRequestNumber,
}

/// Says that a text names no pull request.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidPullRequestName {
    #[error("write it as OWNER/REPO#NUMBER, such as `octo/service#12`")]
    Shape,
    #[error(transparent)]
    Repository(#[from] <RepositoryName as FromStr>::Err),
}

impl FromStr for PullRequestName {
    type Err = InvalidPullRequestName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (repository, number) = text.rsplit_once('#').ok_or(InvalidPullRequestName::Shape)?;
        let number = number.parse().map_err(|_| InvalidPullRequestName::Shape)?;
        Ok(Self { repository: repository.parse()?, number })
    }
}

/// Takes in the plan of a pull request, to be looked at. Writes nothing on GitHub.
pub(super) fn look(name: &PullRequestName, options: &PlanOptions, scratch: &Path) -> Result<Intake, Failure> {
    run::runtime()?.block_on(async {
        let pull = context(name)?;
        let intake = conversation::look(&pull, options, scratch).await?;
        tell_usage(&pull);
        Ok(intake)
    })
}

/// Runs the plan of a pull request from here, and reports there.
pub(super) fn execute(
    name: &PullRequestName,
    request: &Request<'_>,
    observer: &mut dyn Observer,
) -> Result<Executed, Failure> {
    let options = RunOptions {
        plan: request.subject.plan_options()?,
        retry: None,
        time_limit: request.time_limit,
        allow_red_base: request.allow_red_base,
        out: match request.out {
            Some(out) => Out::Folder(out.to_owned()),
            None => Out::Below(std::env::current_dir().context("cannot tell where we are").map_err(Failure::outside)?),
        },
        resume: request.resume,
        workflow: None,
        keep: None,
    };
    let scratch = execution::scratch()?;
    let reported = run::runtime()?.block_on(async {
        let pull = context(name)?;
        let login = pull.github().whoami().await?;
        let approval = Approval {
            by: Actor { is_bot: login.ends_with("[bot]"), login },
            lock: request.lock.map(str::to_owned),
            at: None,
            via: Via::Local,
            run_again_by: None,
        };
        let reported = with_signals(async |cancelled| {
            conversation::run(&pull, &approval, options, scratch.path(), cancelled, observer, |_| {}).await
        })
        .await;
        tell_usage(&pull);
        Ok::<_, Failure>(reported?)
    })?;
    for note in &reported.degraded {
        show::note(&format!("Not reported everywhere: {note}"));
    }
    Ok(reported.executed)
}

fn tell_usage(pull: &PullRequestContext) {
    show::note(&format!("This made {}", pull.github().usage()));
}

/// Looks at a pull request, with the token and the addresses that the environment names.
fn context(name: &PullRequestName) -> Result<PullRequestContext, Failure> {
    let own = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let token = match (token("GITHUB_TOKEN")?, token("GH_TOKEN")?) {
        (Some(token), _) | (None, Some(token)) => token,
        (None, None) => {
            let wanted =
                "`--pr` needs a token; set GITHUB_TOKEN or GH_TOKEN, for example to what `gh auth token` prints";
            return Err(Failure::input(anyhow::anyhow!(wanted)));
        }
    };
    let server_url = own("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned());
    let server_url = server_url.trim_end_matches('/').to_owned();
    let addresses = Addresses::from_server(&server_url);
    let github = Github::new(Settings {
        api_url: own("GITHUB_API_URL").unwrap_or(addresses.api),
        graphql_url: own("GITHUB_GRAPHQL_URL").unwrap_or(addresses.graphql),
        token: token.into(),
        repository: name.repository.clone(),
        pace: Pace::default(),
    })?;
    let run_key = RunKey::local(&actions::random());
    let repository = RepositoryContext { github, run_key, run_url: None, server_url };
    Ok(PullRequestContext { repository, number: name.number })
}

/// Reads a token from the environment; nothing when the variable is not set or empty.
fn token(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(token) => Ok(Some(token).filter(|token| !token.trim().is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            let wrong = format!("the token in {name} holds bytes that no token has; copy it again");
            Err(Failure::input(anyhow::anyhow!(wrong)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_request_has_an_owner_a_repository_and_a_number() {
        let name: PullRequestName = "octo/service#12".parse().unwrap();
        assert_eq!((name.repository.to_string().as_str(), name.number.get()), ("octo/service", 12));
        for wrong in ["octo/service", "octo#1", "octo/service#0", "octo/service#x", "a/b/c#1", "../x#1"] {
            assert!(wrong.parse::<PullRequestName>().is_err(), "{wrong}");
        }
    }
}
