//! Reading objects in a way that believes no name: what an id names is hashed, and is what it says or an error.

use gix::objs::{Data, Kind};

use crate::workspace::{Result, WorkspaceError};

/// An object database that hashes what it reads.
#[derive(Clone)]
pub(in crate::workspace) struct Hashed<F>(pub(in crate::workspace) F);

impl<F: gix::objs::Find> gix::objs::Find for Hashed<F> {
    fn try_find<'a>(&self, id: &gix::oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        let found = self.0.try_find(id, buffer)?;
        if let Some(object) = &found
            && !is_what_it_says(id, object.kind, object.data)
        {
            return Err(gix::error::Message::new(format!("the object {id} is not what its id says")).corrupted_error());
        }
        Ok(found)
    }
}

/// Fails for content that is not what its id says.
pub(in crate::workspace) fn check_blob(id: &gix::oid, content: &[u8]) -> Result<()> {
    if is_what_it_says(id, Kind::Blob, content) {
        Ok(())
    } else {
        Err(WorkspaceError::ForgedObject { id: id.to_string() })
    }
}

fn is_what_it_says(id: &gix::oid, kind: Kind, content: &[u8]) -> bool {
    gix::objs::compute_hash(id.kind(), kind, content).is_ok_and(|found| found == id)
}
