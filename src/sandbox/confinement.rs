//! What the process of one attempt may read and write once it is confined, as data.

use std::{io, path::PathBuf};

use implementer_model::isolation::Level;
use serde::{Deserialize, Serialize};

use super::{reading::Reading, users::User};

/// What an attempt has of its own.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// The folders that it may write to.
    pub write: Vec<PathBuf>,
    /// What it may read beside the system, the tools and what it may write.
    pub read: Vec<PathBuf>,
}

/// What a process is confined to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Confinement {
    level: Level,
    user: Option<User>,
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    /// Folders in whose place it sees empty ones, in a mount namespace.
    hide: Vec<PathBuf>,
    /// Whether it has a mount namespace of its own: always at `namespaces`, at `uid` where the machine allows it.
    own_mounts: bool,
}

impl Confinement {
    pub(super) fn new(
        level: Level,
        user: Option<User>,
        own_mounts: bool,
        reading: &Reading,
        allowed: &Allowed,
    ) -> Self {
        let mut read = reading.system().to_vec();
        read.extend(allowed.read.iter().cloned());
        Self { level, user, read, write: allowed.write.clone(), hide: reading.hidden().to_vec(), own_mounts }
    }

    /// Returns the user whom everything inside belongs to, where it is another than ours.
    #[must_use]
    pub fn user(&self) -> Option<User> {
        self.user
    }

    /// Tells whether somebody of ours has to stay inside, as the first process of a PID namespace.
    #[must_use]
    pub fn needs_keeper(&self) -> bool {
        self.level == Level::Namespaces
    }

    /// Limits what the calling process, which enters or starts whoever enters, may take of the machine.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn limit(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if self.level != Level::None {
            return super::resources::limit(self.user.is_some());
        }
        Ok(())
    }

    /// Makes the namespaces of the confinement, before [`Self::enter`] is called by a child. The calling process stays outside of
    /// the PID namespace.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn unshare(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if self.needs_keeper() {
            return super::namespaces::unshare(&self.hide, &self.read, &self.write);
        }
        Ok(())
    }

    /// Puts the calling process into the confinement, for good, with everything that it will start.
    ///
    /// # Errors
    /// When the system refuses. The process must end then: it is half inside.
    pub fn enter(&self) -> io::Result<Entered> {
        #[cfg(target_os = "linux")]
        {
            if self.needs_keeper() {
                super::namespaces::settle_in()?;
            }
            if let Some(user) = self.user {
                if self.own_mounts {
                    super::namespaces::unshare_mounts(&self.hide, &self.read, &self.write)?;
                }
                super::user::become_user(user)?;
            }
            super::landlock::restrict(self.level, self.own_mounts, &self.read, &self.write)
        }
        #[cfg(not(target_os = "linux"))]
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// What came of entering a confinement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// Whether signals and abstract sockets end at the wall, too.
    pub scoped: bool,
}
