//! The middle of a job: the agent does the work, on the host, with the host's tools.

use std::{fs, io, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use implementer_model::{
    isolation::Level,
    record::AttemptId,
    report::{REPORT_MAX_BYTES, ReadReport, Report},
    run::AttemptPlan,
    session::Session,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{agent, error::JobError, prepare::AttemptDir, site::Site};
use crate::{
    agent::{self as process, Conclusion, Ended, LaunchError, ReportFileError, Secrets},
    coordinator::{AttemptFiles, SecretAt, SetupPlace, WorkingCopySetup, Workplace, concluded, passed_to_anybody},
    errors,
    layout::PROGRAMS,
    sandbox::Sandbox,
    untrusted::{self, UntrustedError},
    workspace::capture::FILE_LIMIT,
};

/// What an agent said, as far as it was understood where it ran: only there are the secrets known that must not be in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Said {
    session: Option<Session>,
    report: SaidReport,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SaidReport {
    Nothing,
    Report(Box<Report>),
    Invalid(String),
}

impl Said {
    fn from_conclusion(conclusion: Conclusion) -> Self {
        let report = match conclusion.report {
            Ok(None) => SaidReport::Nothing,
            Ok(Some(read)) => SaidReport::Report(Box::new(read.report)),
            Err(error) => SaidReport::Invalid(errors::chain(&error)),
        };
        Self { session: conclusion.session, report }
    }

    /// Reads it as strictly as a report that comes from anywhere else.
    pub(super) fn conclusion(self) -> Conclusion {
        let report = match self.report {
            SaidReport::Nothing => Ok(None),
            SaidReport::Report(report) => {
                let bytes = serde_json::to_vec(&report).expect("invariant: a report is plain data");
                ReadReport::new(&bytes).map(Some).map_err(ReportFileError::from)
            }
            SaidReport::Invalid(why) => Err(ReportFileError::Told(why)),
        };
        Conclusion { session: self.session, report }
    }
}

/// How a process ended, or why there was none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct HowItEnded {
    /// How it ended, or why it never began.
    pub(super) process: Result<Ended, LaunchError>,
    /// What it said; nothing when there was no process.
    pub(super) said: Option<Said>,
    /// Where secrets of the run stood when it ended.
    pub(super) secrets: Vec<SecretAt>,
    /// What kept it apart.
    pub(super) isolation: Level,
    /// Whether the job was cancelled.
    pub(super) cancelled: bool,
    /// Milliseconds since the run began.
    pub(super) ended_ms: u64,
}

/// Runs the agent for every attempt of a job, one after another, until the job is cancelled.
///
/// # Errors
/// When an attempt is not due or not prepared, or its program is missing.
pub async fn work(
    site: &Site,
    ids: &[AttemptId],
    job: &Path,
    scratch: &Path,
    cancel: CancellationToken,
) -> Result<(), JobError> {
    let plans = Site::due(site.look().await?, ids)?;
    let called = plans.iter().map(|plan| plan.subagent.as_ref());
    let executable = std::env::current_exe().map_err(JobError::reading("our own executable"))?;
    let sandbox = site.open_sandbox(&executable, &process::own_environment(), scratch)?;
    let inside = (&sandbox, scratch);
    let (agents, _programs) =
        agent::of_configuration(&site.intake, called, true, &site.store, &site.frozen.rules, inside).await?;
    let secrets = Secrets::from_environment(
        &process::own_environment(),
        &passed_to_anybody(&site.intake.config, &site.intake.roster),
    );
    let config = &site.intake.config;
    let setup = WorkingCopySetup::new(
        config.setup.clone(),
        config.pass_environment.clone(),
        scratch.join("setup"),
        job.join("setup-logs"),
    );
    for plan in &plans {
        if cancel.is_cancelled() {
            break;
        }
        let agent = agents.of(&plan.task.subagent)?.as_ref();
        let place = Place { sandbox: &sandbox, secrets: &secrets, setup: &setup, job, scratch };
        work_one(site, plan, agent, &place, cancel.clone()).await?;
    }
    Ok(())
}

/// Where the attempts of a job are made.
struct Place<'a> {
    sandbox: &'a Sandbox,
    secrets: &'a Secrets,
    setup: &'a WorkingCopySetup,
    job: &'a Path,
    scratch: &'a Path,
}

async fn work_one(
    site: &Site,
    plan: &AttemptPlan,
    agent: &dyn process::Agent,
    place: &Place<'_>,
    cancel: CancellationToken,
) -> Result<(), JobError> {
    let dir = AttemptDir::new(place.job, &plan.id);
    let files = files(site, &dir)?;
    fs::write(dir.started(), site.now_ms().to_string()).map_err(JobError::writing(dir.started()))?;
    let launch = agent.prepare(&files.job(plan))?;
    let deadline = Instant::now() + Duration::from_secs(plan.task.time_limit_s);
    let programs = place.scratch.join(PROGRAMS);
    let workplace = Workplace::of_prepared((place.sandbox, place.secrets), &files.worktree, &files.scratch, &programs)
        .map_err(JobError::writing(&files.worktree))?;
    let environment = process::own_environment();
    let setup = SetupPlace {
        store: &site.store,
        commit: &plan.base,
        worktree: &files.worktree,
        scratch: &files.scratch,
        sandbox: place.sandbox,
        workplace: &workplace,
        environment: &environment,
        supervisor: &launch.supervisor,
    };
    place.setup.make_ready(&setup).await?;
    let mut process = workplace.run(launch, usize::MAX, end_of(deadline, &cancel)).await;
    let mut said = None;
    if let Ok(ended) = &mut process {
        let end = end_of(deadline, &cancel);
        match concluded(agent, &files.job(plan), ended, &workplace, end).await {
            Ok(conclusion) => said = Some(Said::from_conclusion(conclusion.without(place.secrets))),
            Err(error) => process = Err(error),
        }
    }
    if let Err(error) = &process {
        tracing::warn!(%error, attempt = %plan.id, "the agent could not be run");
    }
    workplace.take_back().map_err(JobError::writing(&files.worktree))?;
    place.secrets.take_out_of_file(&files.report, REPORT_MAX_BYTES as u64).map_err(JobError::writing(&files.report))?;
    let secrets = if place.secrets.is_empty() { Vec::new() } else { secrets_below(&files.worktree, place.secrets)? };
    let cancelled = cancel.is_cancelled();
    let isolation = place.sandbox.level();
    let how = HowItEnded { process, said, secrets, isolation, cancelled, ended_ms: site.now_ms() };
    let path = dir.ended();
    let json = serde_json::to_vec(&how).map_err(|error| JobError::writing(&path)(error.into()))?;
    fs::write(&path, json).map_err(JobError::writing(path))
}

/// Completes when the time of an attempt is up, or its job is cancelled.
async fn end_of(deadline: Instant, cancel: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep_until(deadline) => {}
        () = cancel.cancelled() => {}
    }
}

/// Finds the files and links of a work tree in which a secret stands. Who captures the tree has other rights than we: what
/// cannot be read here may be read there, so that it is made readable, or is an error.
fn secrets_below(worktree: &Path, secrets: &Secrets) -> Result<Vec<SecretAt>, JobError> {
    let mut found = Vec::new();
    let mut folders = vec![worktree.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in allowed(&folder, 0o700, |path| fs::read_dir(path)).map_err(JobError::reading(&folder))? {
            let path = entry.map_err(JobError::reading(&folder))?.path();
            let meta = fs::symlink_metadata(&path).map_err(JobError::reading(&path))?;
            let relative = path.strip_prefix(worktree).ok().and_then(Path::to_str);
            let Some(relative) = relative.filter(|relative| *relative != ".git") else { continue };
            if meta.is_dir() {
                folders.push(path);
                continue;
            }
            let content = match fs::read_link(&path) {
                Ok(target) => target.into_os_string().into_encoded_bytes(),
                Err(_) => allowed(&path, 0o600, content_of).map_err(JobError::reading(&path))?,
            };
            found.extend(SecretAt::find(secrets, relative, &content));
        }
    }
    Ok(found)
}

/// Reads a file or folder of a subagent's. Where it took the right to read from its owner, who we are, it is given back.
fn allowed<T>(path: &Path, mode: u32, read: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let mut permissions = fs::symlink_metadata(path)?.permissions();
            permissions.set_mode(permissions.mode() | mode);
            fs::set_permissions(path, permissions)?;
            read(path)
        }
        result => result,
    }
}

/// Returns the content of a file; nothing of what no patch can hold: a pipe, a file that is too large.
fn content_of(path: &Path) -> io::Result<Vec<u8>> {
    match untrusted::read(path, FILE_LIMIT) {
        Ok(content) => Ok(content),
        Err(UntrustedError::NotPlain { .. } | UntrustedError::TooLarge { .. }) => Ok(Vec::new()),
        Err(error @ UntrustedError::NotText { .. }) => Err(io::Error::other(error)),
        Err(UntrustedError::Io { source, .. }) => Err(source),
    }
}

/// Returns the files of an attempt that was prepared.
pub(super) fn files(site: &Site, dir: &AttemptDir) -> Result<AttemptFiles, JobError> {
    let worktree = dir.worktree(Path::new(site.store.repository_name()));
    let absolute = |path: &Path| std::path::absolute(path).map_err(JobError::reading(path));
    Ok(AttemptFiles {
        worktree: absolute(&worktree)?,
        brief: absolute(&dir.brief())?,
        report: absolute(&dir.report())?,
        log: absolute(&dir.log())?,
        scratch: absolute(&dir.scratch())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_not_taken_for_one_without_a_secret() {
        let tree = tempfile::tempdir().unwrap();
        let environment = std::collections::BTreeMap::from([("API_KEY".to_owned(), "a-long-secret-value".to_owned())]);
        let secrets = Secrets::from_environment(&environment, &["API_KEY".to_owned()]);
        let hidden = tree.path().join("hidden");
        fs::create_dir(&hidden).unwrap();
        fs::write(hidden.join("key.txt"), "a-long-secret-value").unwrap();
        fs::set_permissions(hidden.join("key.txt"), fs::Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(&hidden, fs::Permissions::from_mode(0o000)).unwrap();
        let found = secrets_below(tree.path(), &secrets).unwrap();
        assert_eq!(found.iter().map(|found| found.path.as_str()).collect::<Vec<_>>(), ["hidden/key.txt"]);
        // Whoever runs this: the kernel reads the first page of nobody's memory.
        content_of(Path::new("/proc/self/mem")).unwrap_err();
        secrets_below(&tree.path().join("gone"), &secrets).unwrap_err();
    }
}
