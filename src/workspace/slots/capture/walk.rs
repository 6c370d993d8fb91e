//! One walk through the folder of a subagent: what is as it was, what has to be read, what stays out.

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use gix::{
    bstr::{BStr, BString, ByteSlice as _},
    index::{
        State,
        entry::{Mode, Stat},
    },
};

use super::{LeftOut, Why};
use crate::errors;
use crate::workspace::{
    Result, WorkspaceError,
    folder::{self, Child, Content},
    slots::{ignore::Rules, refit::Holding, stamp, sweep::Seen},
    store::tree_index::{self, NAMES},
};

/// The largest index of a subagent's that is read for files that were added in spite of `.gitignore`.
const INDEX_LIMIT: u64 = 64 * 1024 * 1024;

/// What a walk came to.
pub(super) struct Found {
    /// For each file of the base: whether it is there, or stays in the patch for another reason.
    pub(super) accounted: Vec<bool>,
    /// What has to be read: changed files and new ones.
    pub(super) candidates: BTreeMap<BString, fs::Metadata>,
    /// What stays out of the patch.
    pub(super) left_out: Vec<LeftOut>,
    /// The same for whoever clears the folder after this: nobody has to look at everything twice.
    pub(super) seen: Seen,
    /// Why nothing of this counts.
    pub(super) refused: Option<WorkspaceError>,
    /// What patterns of the subagent have cost so far.
    spent: u64,
}

/// Walks through the folder `root`, into whose `.git` an index with the fingerprint `index` was written.
pub(super) fn walk(root: &Path, held: &Holding, index: Stat) -> Found {
    let count = held.files.entries().len();
    let found = Found {
        accounted: vec![false; count],
        candidates: BTreeMap::new(),
        left_out: Vec::new(),
        seen: Seen::nothing(count),
        refused: None,
        spent: 0,
    };
    let mut walk = Walk { root, held, found };
    walk.run();
    walk.add_forced(index);
    walk.found
}

struct Walk<'a> {
    root: &'a Path,
    held: &'a Holding,
    found: Found,
}

/// A folder to look into.
struct Pending {
    path: BString,
    /// What it was like before it is looked into.
    stat: Option<Stat>,
    rules: Rules,
    /// Whether it is ignored, and looked into only because files of the base are there.
    ignored: bool,
}

impl Walk<'_> {
    fn run(&mut self) {
        // Before anything is listed: what changes from here on shows.
        let stat = fs::symlink_metadata(self.root).ok().map(|meta| stamp::from_metadata(&meta));
        let mut pending = vec![Pending { path: BString::default(), stat, rules: Rules::default(), ignored: false }];
        while let Some(dir) = pending.pop().filter(|_| self.found.refused.is_none()) {
            self.visit(&dir, &mut pending);
        }
    }

    fn visit(&mut self, dir: &Pending, pending: &mut Vec<Pending>) {
        let children = match folder::children(&folder::at(self.root, dir.path.as_ref())) {
            Ok(children) => children,
            Err(error) => {
                self.found.seen.doubt(&dir.path);
                self.keep_below(dir.path.as_ref());
                return self.leave_out(dir.path.as_ref(), Why::Unreadable { reason: error.to_string() });
            }
        };
        let is_repository = !dir.path.is_empty() && children.iter().any(|child| child.name == ".git");
        if is_repository {
            self.leave_out(dir.path.as_ref(), Why::NestedRepository);
            // Files of the base around which somebody made a repository are still files of the base.
            if !self.is_tracked_folder(dir.path.as_ref()) {
                return;
            }
        }
        let of_the_base = dir.path.is_empty() || self.is_tracked_folder(dir.path.as_ref());
        if of_the_base {
            self.found.seen.looked_into(&dir.path, dir.stat);
            if is_repository || dir.path.is_empty() {
                self.found.seen.doubt(&folder::join(dir.path.as_ref(), ".git".into()));
            }
        }
        let has_rules = !dir.ignored && children.iter().any(|child| child.name == ".gitignore");
        let entered = if has_rules { dir.rules.enter(self.root, dir.path.as_ref()) } else { Ok(dir.rules.clone()) };
        let rules = match entered {
            Ok(rules) => rules,
            Err(error) => {
                self.found.refused = Some(error);
                return;
            }
        };
        let below = tree_index::below(&self.held.files, dir.path.as_ref());
        for child in children.into_iter().filter(|child| child.name != ".git") {
            let path = folder::join(dir.path.as_ref(), child.name.as_ref());
            let index = tree_index::find(&self.held.files, &below, path.as_ref());
            if let Some(index) = index.filter(|index| self.is_untouched(*index, &child)) {
                self.found.accounted[index] = true;
                self.found.seen.unchanged(index);
                continue;
            }
            if self.found.refused.is_some() {
                return;
            }
            self.child(path, child, of_the_base, dir.ignored, &rules, pending);
        }
    }

    /// Tells the ordinary case: a file of the base that nobody touched.
    fn is_untouched(&self, index: usize, child: &Child) -> bool {
        let stat = &self.held.files.entry(index).stat;
        !child.meta.is_dir() && *stat == stamp::from_metadata(&child.meta) && !self.held.fence.is_racy(stat)
    }

    fn child(
        &mut self,
        path: BString,
        child: Child,
        of_the_base: bool,
        in_ignored: bool,
        rules: &Rules,
        pending: &mut Vec<Pending>,
    ) {
        let is_folder = child.meta.is_dir();
        let index = self.held.files.entry_index_by_path(path.as_ref()).ok();
        if is_folder && index.is_some_and(|index| self.held.files.entry(index).mode == Mode::COMMIT) {
            self.found.seen.doubt(&path);
            return self.submodule(path.as_ref());
        }
        let tracked = if is_folder { self.is_tracked_folder(path.as_ref()) } else { index.is_some() };
        // What is below a folder that is not of the base goes with it.
        let has_its_turn = is_folder && tracked && check_name(child.name.as_ref(), &child.meta).is_ok();
        if of_the_base && !has_its_turn {
            self.found.seen.doubt(&path);
        }
        if !rules.cost().spend(path.as_ref(), &mut self.found.spent) {
            let path = ".gitignore".to_owned();
            self.found.refused = Some(WorkspaceError::TooManyPatterns { path });
            return;
        }
        let ignored = in_ignored || (!tracked || is_folder) && rules.ignores(path.as_ref(), is_folder);
        if ignored && !tracked {
            return;
        }
        if let Err(why) = check_name(child.name.as_ref(), &child.meta) {
            // Kept as it is in the base.
            let as_checked_out = |index| self.held.files.entry(index).stat == stamp::from_metadata(&child.meta);
            if !is_folder && index.is_some_and(as_checked_out) {
                // Racy, but nothing says that it was touched, and it could not be captured if it had been.
                return self.account(path.as_ref());
            }
            if !is_folder {
                self.account(path.as_ref());
            } else if tracked {
                self.keep_below(path.as_ref());
            }
            return self.leave_out(path.as_ref(), why);
        }
        if is_folder {
            let stat = Some(stamp::from_metadata(&child.meta));
            pending.push(Pending { path, stat, rules: rules.clone(), ignored });
        } else if child.meta.is_file() || child.meta.is_symlink() {
            self.account(path.as_ref());
            self.found.candidates.insert(path, child.meta);
        } else {
            self.account(path.as_ref());
            self.leave_out(path.as_ref(), Why::Special);
        }
    }

    /// A submodule is left alone: its folder is enough for it to be there, what is inside is not looked at.
    fn submodule(&mut self, path: &BStr) {
        self.account(path);
        if folder::children(&folder::at(self.root, path)).map_or(true, |children| !children.is_empty()) {
            self.leave_out(path, Why::Submodule);
        }
    }

    /// Adds the files that are ignored but in the subagent's own index: it wanted them tracked.
    fn add_forced(&mut self, written: Stat) {
        let Some(index) = self.subagent_index(written) else { return };
        let paths = index.path_backing();
        for entry in index.entries().iter().filter(|entry| entry.stage_raw() == 0) {
            let path = entry.path_in(paths);
            let known = self.found.candidates.contains_key(path) || self.held.files.entry_by_path(path).is_some();
            let names_a_file = matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE | Mode::SYMLINK);
            if known || !names_a_file || !self.is_reachable(path) {
                continue;
            }
            let Ok(meta) = fs::symlink_metadata(folder::at(self.root, path)) else { continue };
            if !(meta.is_file() || meta.is_symlink()) {
                continue;
            }
            let name = path.rfind_byte(b'/').map_or(path, |at| path[at + 1..].as_bstr());
            match check_name(name, &meta) {
                Ok(()) => {
                    self.found.candidates.insert(path.to_owned(), meta);
                }
                Err(why) => self.leave_out(path, why),
            }
        }
    }

    /// Tells whether `path`, which somebody wrote into an index, leads through nothing but folders of this work tree.
    fn is_reachable(&self, path: &BStr) -> bool {
        let parts_are_names = path
            .split(|&byte| byte == b'/')
            .all(|part| gix::validate::path::component(part.as_bstr(), None, NAMES).is_ok() && part.to_str().is_ok());
        parts_are_names
            && folder::ancestors(path).all(|dir| {
                let place = folder::at(self.root, dir);
                let is_folder = fs::symlink_metadata(&place).is_ok_and(|meta| meta.is_dir());
                is_folder && !self.is_submodule(dir) && fs::symlink_metadata(place.join(".git")).is_err()
            })
    }

    /// Reads the index in the folder's `.git`, which may be missing, broken or made to break its reader.
    fn subagent_index(&mut self, written: Stat) -> Option<State> {
        let git_dir = self.root.join(".git");
        if !fs::symlink_metadata(&git_dir).is_ok_and(|meta| meta.is_dir()) {
            return None;
        }
        // Git replaces an index, so one that is still the file that we wrote holds nothing new.
        if fs::symlink_metadata(git_dir.join("index")).is_ok_and(|meta| stamp::from_metadata(&meta) == written) {
            return None;
        }
        let reason = match folder::read_plain(&git_dir.join("index"), INDEX_LIMIT) {
            Ok(Content::Bytes(content)) => {
                let hash = self.held.files.object_hash();
                let options = gix::index::decode::Options {
                    thread_limit: Some(1),
                    alloc_limit_bytes: usize::try_from(4 * INDEX_LIMIT).ok(),
                    ..Default::default()
                };
                let time = self.held.files.timestamp();
                let decode = AssertUnwindSafe(|| State::from_bytes(&content, time, hash, options));
                match catch_unwind(decode) {
                    Ok(Ok((state, _))) => return Some(state),
                    Ok(Err(error)) => errors::chain(&error),
                    Err(_) => "it is broken".to_owned(),
                }
            }
            Ok(Content::TooLarge) => "it is too large".to_owned(),
            Ok(Content::NotPlain) => "it is no file".to_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
        };
        self.leave_out(".git/index".into(), Why::Unreadable { reason });
        None
    }

    fn is_submodule(&self, path: &BStr) -> bool {
        self.held.files.entry_by_path(path).is_some_and(|entry| entry.mode == Mode::COMMIT)
    }

    fn is_tracked_folder(&self, path: &BStr) -> bool {
        self.held.files.path_is_directory(path)
    }

    fn account(&mut self, path: &BStr) {
        if let Ok(index) = self.held.files.entry_index_by_path(path) {
            self.found.accounted[index] = true;
        }
    }

    /// Keeps all files of the base below a folder that cannot be looked into.
    fn keep_below(&mut self, dir: &BStr) {
        if dir.is_empty() {
            return self.found.accounted.fill(true);
        }
        let mut prefix = dir.to_owned();
        prefix.push(b'/');
        if let Some(range) = self.held.files.prefixed_entries_range(prefix.as_ref()) {
            self.found.accounted[range].fill(true);
        }
    }

    fn leave_out(&mut self, path: &BStr, why: Why) {
        self.found.left_out.push(LeftOut { path: path.to_string(), why });
    }
}

fn check_name(name: &BStr, meta: &fs::Metadata) -> Result<(), Why> {
    if name.to_str().is_err() {
        return Err(Why::NotUtf8);
    }
    let mode = meta.is_symlink().then_some(gix::validate::path::component::Mode::Symlink);
    gix::validate::path::component(name, mode, NAMES).map(drop).map_err(|_| Why::RefusedName)
}
