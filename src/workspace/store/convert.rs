//! Content between objects and files: line ends, encodings and `$Id$` as attributes say, but never a program.
//!
//! Filter drivers such as Git LFS are not run: a pointer stays a pointer, on the way out and on the way in.

use std::path::Path;

use gix::{
    bstr::BStr,
    filter::plumbing::{
        Pipeline, eol,
        pipeline::{
            self, CrlfRoundTripCheck,
            convert::{ToGitOutcome, to_worktree},
        },
    },
    index::{Entry, State, entry::Mode},
};

use crate::workspace::{
    Result,
    error::GitContext as _,
    folder,
    store::{RunStore, attributes::Attributes},
};

/// Makes a pipeline that converts content without any driver, and with git's defaults for what attributes leave open.
pub(in crate::workspace) fn pipeline(object_hash: gix::hash::Kind) -> Pipeline {
    let options = pipeline::Options {
        drivers: Vec::new(),
        eol_config: eol::Configuration::default(),
        crlf_roundtrip_check: CrlfRoundTripCheck::Skip,
        encodings_with_roundtrip_check: Vec::new(),
    };
    Pipeline::new(gix::command::Context::default(), object_hash, options)
}

/// Content as git would store it.
#[derive(Debug)]
pub(in crate::workspace) struct ForGit {
    /// The content.
    pub(in crate::workspace) content: Vec<u8>,
    /// Whether attributes asked for a conversion, even one that changed nothing.
    pub(in crate::workspace) converted: bool,
}

/// Converts the content of the file at `path` to what git would store, given what it has stored so far.
pub(in crate::workspace) fn to_git(
    pipeline: &mut Pipeline,
    attributes: &mut Attributes<'_>,
    path: &BStr,
    content: Vec<u8>,
    stored: &mut dyn FnMut() -> Result<Option<Vec<u8>>>,
) -> Result<ForGit> {
    attributes.move_to(path)?;
    let attributes = &*attributes;
    let outcome = pipeline
        .convert_to_git(
            content.as_slice(),
            &folder::at(Path::new(""), path),
            &mut |path, out| attributes.matching(path, out),
            &mut |buffer| {
                Ok(stored().ok().flatten().map(|content| {
                    buffer.clear();
                    buffer.extend_from_slice(&content);
                }))
            },
        )
        .git_doing("converting a file for git")?;
    let converted = match outcome {
        ToGitOutcome::Buffer(converted) => Some(converted.to_vec()),
        // No driver is configured, so there is no process.
        ToGitOutcome::Unchanged(_) | ToGitOutcome::Process(_) => None,
    };
    Ok(match converted {
        Some(content) => ForGit { content, converted: true },
        None => ForGit { content, converted: false },
    })
}

/// Converts stored content to what a checkout writes at `path`.
pub(in crate::workspace) fn to_folder(
    pipeline: &mut Pipeline,
    attributes: &mut Attributes<'_>,
    path: &BStr,
    stored: &[u8],
) -> Result<Vec<u8>> {
    attributes.move_to(path)?;
    let attributes = &*attributes;
    let outcome = pipeline
        .convert_to_worktree(
            stored,
            path,
            &mut |path, out| attributes.matching(path, out),
            to_worktree::Options { unknown_encoding: to_worktree::UnknownEncoding::Ignore, ..Default::default() },
        )
        .git_doing("converting a file for the work tree")?;
    // Without a driver the outcome is always in memory.
    Ok(outcome.as_bytes().unwrap_or(stored).to_vec())
}

/// What a checkout of a tree writes, file by file.
pub(in crate::workspace) struct Checkout<'a> {
    store: &'a RunStore,
    repo: &'a gix::Repository,
    pipeline: Pipeline,
    attributes: Attributes<'a>,
}

impl<'a> Checkout<'a> {
    /// Makes one for the tree whose flat list is `files`.
    pub(in crate::workspace) fn new(store: &'a RunStore, repo: &'a gix::Repository, files: &'a State) -> Result<Self> {
        let attributes = Attributes::new(Box::new(|dir| {
            match files.entry_by_path(folder::join(dir, ".gitattributes".into()).as_ref()) {
                Some(entry) if entry.mode == Mode::FILE => store.blob(repo, entry.id).map(Some),
                _ => Ok(None),
            }
        }))?;
        Ok(Self { store, repo, pipeline: pipeline(repo.object_hash()), attributes })
    }

    /// Returns what is written for `entry`: of a link, where it leads.
    pub(in crate::workspace) fn content(&mut self, entry: &Entry, path: &BStr) -> Result<Vec<u8>> {
        let stored = self.store.blob(self.repo, entry.id)?;
        if entry.mode == Mode::SYMLINK {
            return Ok(stored);
        }
        to_folder(&mut self.pipeline, &mut self.attributes, path, &stored)
    }
}
