//! Where a command of a gate writes its results, and how its runner is asked for them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use implementer_model::{
    evidence::ask::{self, Asked, Folders, LIBTEST_RECORDER, NEXTEST_SETTING, PYTHON_PATH, UNITTEST_RECORDER},
    gate::GateKind,
};

use crate::{agent::own_folders, untrusted};

/// The largest file of the work tree that is read to find a runner, in bytes.
const FILE_MAX: u64 = 1024 * 1024;

/// The folders of one command.
#[derive(Debug)]
pub(super) struct ResultFolders {
    /// Where its runner writes; nothing else was there before.
    pub(super) results: PathBuf,
    /// Where the recorders lie, which it only reads.
    helpers: PathBuf,
}

impl ResultFolders {
    /// Makes the folders of a command in its scratch folder.
    pub(super) fn make(scratch: &Path) -> io::Result<Self> {
        let [_, temporary, _] = own_folders(scratch);
        let (results, helpers) = (temporary.join("results"), scratch.join("recorders"));
        fs::create_dir_all(&results)?;
        fs::create_dir_all(&helpers)?;
        for (name, text) in [UNITTEST_RECORDER, LIBTEST_RECORDER] {
            let file = helpers.join(name);
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(file, text)?;
        }
        let recorder = helpers.join(LIBTEST_RECORDER.0);
        fs::set_permissions(recorder, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let setting = format!("[profile.default.junit]\npath = \"{}\"\n", results.join("nextest.xml").display());
        fs::write(helpers.join(NEXTEST_SETTING), setting)?;
        Ok(Self { results, helpers })
    }

    /// Asks the runner of a command for results. Gates other than the tests run as they are.
    pub(super) fn ask(&self, argv: &[String], worktree: &Path, gate: GateKind) -> Asked {
        let plain = || Asked::plain(argv);
        let (Some(results), Some(helpers)) = (self.results.to_str(), self.helpers.to_str()) else { return plain() };
        // A path with a blank would be two words to some runners.
        if gate != GateKind::Tests || results.contains(char::is_whitespace) || helpers.contains(char::is_whitespace) {
            return plain();
        }
        let read = |path: &str| {
            let file = untrusted::open(&worktree.join(path), FILE_MAX).ok()?;
            String::from_utf8(file.read_all().ok()?).ok()
        };
        ask::ask(argv, Folders { results, helpers }, &read)
    }
}

/// Adds what a runner is asked by to an environment. Options that were there stay in front.
pub(super) fn with_asked(
    mut environment: Vec<(String, String)>,
    asked: Vec<(String, String)>,
) -> Vec<(String, String)> {
    for (name, value) in asked {
        match environment.iter_mut().find(|(other, _)| *other == name) {
            Some((name, old))
                if name.ends_with("_ADDOPTS") || name.ends_with("_OPTIONS") || name.ends_with("_OPTS") =>
            {
                *old = format!("{old} {value}");
            }
            // Ours comes first, and hands on to what it hides.
            Some((name, old)) if name == PYTHON_PATH => *old = format!("{value}:{old}"),
            Some((_, old)) => *old = value,
            None => environment.push((name, value)),
        }
    }
    environment
}
