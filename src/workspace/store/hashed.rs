//! Reading objects in a way that believes no name: what an id names is hashed, and is what it says or an error.

use gix::{
    error::ErrorExt as _,
    objs::{Data, Kind},
};

use crate::workspace::{Result, WorkspaceError};

/// Says that an object is not what its id says. It travels through gix, and [`WorkspaceError::from_git`] finds it again.
#[derive(Debug, thiserror::Error)]
#[error("the object {id} is not what its id says")]
pub(in crate::workspace) struct Forged {
    /// The object.
    pub(in crate::workspace) id: gix::ObjectId,
}

/// An object database that hashes what it reads.
#[derive(Clone)]
pub(in crate::workspace) struct Hashed<F>(pub(in crate::workspace) F);

impl<F: gix::objs::Find> gix::objs::Find for Hashed<F> {
    fn try_find<'a>(&self, id: &gix::oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        let found = self.0.try_find(id, buffer)?;
        if let Some(object) = &found
            && !is_what_it_says(id, object.kind, object.data)
        {
            return Err(Forged { id: id.to_owned() }.raise());
        }
        Ok(found)
    }
}

/// Fails for content that is not what its id says.
pub(in crate::workspace) fn check(id: &gix::oid, kind: Kind, content: &[u8]) -> Result<()> {
    if is_what_it_says(id, kind, content) { Ok(()) } else { Err(WorkspaceError::ForgedObject { id: id.to_string() }) }
}

fn is_what_it_says(id: &gix::oid, kind: Kind, content: &[u8]) -> bool {
    gix::objs::compute_hash(id.kind(), kind, content).is_ok_and(|found| found == id)
}
