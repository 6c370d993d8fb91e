//! What can go wrong between the coordinator and git, said so that a person knows what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

use implementer_model::ids::ObjectId;

use super::store::{hashed::Forged, pack_check::PackError};

/// What a step of the workspace gives.
pub type Result<T, E = WorkspaceError> = std::result::Result<T, E>;

/// Says what went wrong in the workspace.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// There is no git repository.
    #[error("`{path}` is not inside a git repository: run this in one, or name one with `--repo`")]
    NotARepository {
        /// Where one was looked for.
        path: PathBuf,
        /// What the search came to.
        source: Box<gix::Error>,
    },
    /// The repository has no commit to start from.
    #[error("the repository `{path}` has no commit yet: an implementation needs a base, so commit something first")]
    EmptyRepository {
        /// The repository.
        path: PathBuf,
    },
    /// There is no git.
    #[error("git was not found: install git and see that it is on the PATH")]
    GitMissing(#[source] io::Error),
    /// A revision names nothing.
    #[error("`{}` names no commit in the repository: {reason}", rev.escape_debug())]
    UnknownRevision {
        /// The revision as it was given.
        rev: String,
        /// Why not.
        reason: String,
    },
    /// The store of a run is to be made where something is already.
    #[error(
        "`{path}` exists already: every run needs an object store of its own, so choose another place or remove it"
    )]
    StoreExists {
        /// The place.
        path: PathBuf,
    },
    /// Somebody wrote another content under the id of an object.
    #[error(
        "the object {id} of the store is not what its id says: something has written into the store or the repository. \
         Nothing that was made since counts; check the repository with `git fsck`, then run again"
    )]
    ForgedObject {
        /// The object.
        id: String,
    },
    /// The patches of a run are too large together.
    #[error(
        "the patches of this run have more than {} MB together, and this one does not fit any more: commit less of what can be \
         made anew, or split the plan",
        .limit / 1_000_000
    )]
    RunTooLarge {
        /// The most that they may have.
        limit: u64,
    },
    /// A subagent wrote more patterns than are held against its files.
    #[error(
        "`{path}` has more patterns than are held against the files of a work tree: more than 1 MB or 10000 lines in one file, or \
         too many for so many files. Ignore folders as a whole, and keep such files short"
    )]
    TooManyPatterns {
        /// The file, or the name of the files that are too many together.
        path: String,
    },
    /// An object of the base is not there.
    #[error(
        "the object {id} is missing{}",
        if *.partial {
            ": the repository is a partial clone, and nothing is fetched during a run. \
             Check out with full objects (`git fetch --refetch --no-filter`, or `filter` unset for actions/checkout)"
        } else {
            ": the repository is damaged or incomplete, `git fsck` tells more"
        }
    )]
    MissingObject {
        /// The object.
        id: String,
        /// Whether the repository was cloned without all objects.
        partial: bool,
    },
    /// A tree cannot be checked out safely.
    #[error("the tree {tree} cannot be checked out: {reason}")]
    UnsafeTree {
        /// The tree.
        tree: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A subagent wrote a secret that it was given into a file.
    #[error("the value of `{name}`, a secret, stands in `{}`", path.escape_debug())]
    SecretWritten {
        /// The path.
        path: String,
        /// The name of the variable.
        name: String,
    },
    /// A file is larger than the program is ready to read.
    #[error("`{}` is {size} bytes long; at most {limit} are read", path.escape_debug())]
    FileTooLarge {
        /// The path in the tree.
        path: String,
        /// Its size.
        size: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The folder of a subagent is gone.
    #[error("the work tree `{path}` is gone: what the subagent did there cannot be captured")]
    WorktreeGone {
        /// The folder.
        path: PathBuf,
    },
    /// A patch is not what it says it is.
    #[error("the patch on {base} does not describe its own tree {tree}: {reason}")]
    PatchMismatch {
        /// The commit that it says it was made on.
        base: ObjectId,
        /// The tree that it says it leads to.
        tree: ObjectId,
        /// What does not fit.
        reason: String,
    },
    /// A path cannot be put into a patch.
    #[error("the path `{}` is not UTF-8 and cannot be part of a patch", path.escape_debug())]
    PathNotUtf8 {
        /// The path, with what is not UTF-8 replaced.
        path: String,
    },
    /// An id is of another kind than it should be.
    #[error(transparent)]
    Id(#[from] implementer_model::ids::InvalidId),
    /// A bundle cannot be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A file that somebody else may have made is none that is read.
    #[error(transparent)]
    Untrusted(#[from] crate::untrusted::UntrustedError),
    /// Commits could not be fetched.
    #[error("cannot fetch {what} from {url}: {reason}. The token needs `contents: read` on the repository")]
    Fetch {
        /// Which commits.
        what: String,
        /// Where from; holds no secret.
        url: String,
        /// What git said.
        reason: String,
    },
    /// Commits could not be pushed.
    #[error(
        "cannot push the branch `{branch}` to {url}: {reason}. The token needs `contents: write` on the repository"
    )]
    Push {
        /// The branch.
        branch: String,
        /// Where to; holds no secret.
        url: String,
        /// What git said.
        reason: String,
    },
    /// The result of a run could not be put on a branch.
    #[error("cannot put the result on the branch `{branch}`: {reason}. Name another branch with --branch")]
    Apply {
        /// The branch.
        branch: String,
        /// What git said.
        reason: String,
    },
    /// The branch for the result is checked out: a checkout would be at odds with it.
    #[error(
        "the branch `{branch}` is checked out in {checkout}, so it was not moved. Switch to another branch there \
         (`git switch -`), or name another with --branch"
    )]
    CheckedOut {
        /// The branch.
        branch: String,
        /// The work tree that has it.
        checkout: String,
    },
    /// The git command failed.
    #[error("`{argv}` failed with {status}: {stderr}")]
    Command {
        /// The command and its arguments.
        argv: String,
        /// How it ended.
        status: String,
        /// The end of what it said.
        stderr: String,
    },
    /// A file system operation failed.
    #[error("{doing} `{path}` failed")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// An operation on objects failed.
    #[error("{doing} failed")]
    Git {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: Box<gix::Error>,
    },
    /// A step on another thread ended in a panic: a defect of this program.
    #[error("{doing} ended unexpectedly: {detail}")]
    Aborted {
        /// What was being done.
        doing: &'static str,
        /// What is known.
        detail: String,
    },
}

impl WorkspaceError {
    /// Says that a step on another thread ended in a panic.
    pub(in crate::workspace) fn aborted(doing: &'static str, error: &dyn std::error::Error) -> Self {
        Self::Aborted { doing, detail: error.to_string() }
    }

    /// Makes one of an error of gix: an object that is not what its id says keeps its meaning, however deep it was found.
    pub(super) fn from_git(doing: &'static str, source: impl Into<gix::Error>) -> Self {
        let source = source.into();
        match source.downcast_any_ref::<Forged>() {
            Some(forged) => Self::ForgedObject { id: forged.id.to_string() },
            None => Self::Git { doing, source: Box::new(source) },
        }
    }
}

/// Says why a bundle cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A ref to be bundled has nothing that the base has not.
    #[error("`{reference}` is the base itself: there is nothing to bundle")]
    NothingNew {
        /// The ref.
        reference: String,
    },
    /// A name is no ref.
    #[error("`{}` is not a full ref name", name.escape_debug())]
    InvalidRef {
        /// The name.
        name: String,
    },
    /// The file is no bundle.
    #[error("`{path}` is not a git bundle")]
    NotABundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: HeaderError,
    },
    /// The bundle does not have the ref that it should.
    #[error("the bundle `{path}` does not have the ref `{reference}` that it should")]
    NotThere {
        /// The file.
        path: PathBuf,
        /// The ref.
        reference: String,
    },
    /// The repository does not have the commit that the bundle builds on.
    #[error(
        "the bundle builds on {commit}, which the repository `{repository}` does not have: \
         fetch the base first, with its history if the clone is shallow"
    )]
    MissingBase {
        /// The commit.
        commit: String,
        /// The repository.
        repository: PathBuf,
    },
    /// The bundle holds what is not taken in.
    #[error("the bundle `{path}` is not taken in")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What it holds.
        source: PackError,
    },
    /// The bundle's objects are not what its header promises.
    #[error("the bundle `{path}` is damaged or was changed: {detail}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What git said.
        detail: String,
    },
}

/// Says why the beginning of a file is not the header of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The first line is another format's.
    #[error("it does not begin as one")]
    NoBeginning,
    /// A line has no end.
    #[error("it ends in the middle of its header")]
    CutOff,
    /// A line is no text.
    #[error("a line of its header is not UTF-8")]
    NotText,
    /// A line has neither a prerequisite nor a ref.
    #[error("a line of its header names no ref")]
    NoRef,
    /// The empty line is missing that a pack follows.
    #[error("its header does not end")]
    NoEnd,
}

/// Gives context to errors of the file system.
pub(super) trait IoContext<T> {
    /// Says what was being done where.
    fn doing(self, doing: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| WorkspaceError::Io { doing, path: path.to_owned(), source })
    }
}

/// Gives context to errors of gix.
pub(super) trait GitContext<T> {
    /// Says what was being done.
    fn git_doing(self, doing: &'static str) -> Result<T>;
}

impl<T, E: Into<gix::Error>> GitContext<T> for std::result::Result<T, E> {
    fn git_doing(self, doing: &'static str) -> Result<T> {
        self.map_err(|source| WorkspaceError::from_git(doing, source))
    }
}
