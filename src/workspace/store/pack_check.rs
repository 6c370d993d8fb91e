//! Looks through a pack before git does: how many objects it has, and what they unpack to. A few bytes of a pack can unpack
//! to gigabytes, by deflate or by deltas, and git would only stop when the disk or the memory is full.

use std::io::{self, BufRead};

use gix::{
    odb::pack::data::{Entry, entry::Header},
    zlib::{Decompress, stream::inflate},
};

/// The most objects of a pack: a result has some for every file, and a state those of 256 results.
const OBJECTS_MAX: u32 = 2_000_000;

/// The largest object, unpacked, in bytes: files that a subagent leaves are at most half of it.
const OBJECT_MAX: u64 = 1024 * 1024 * 1024;

/// The most bytes that all objects together unpack to.
const UNPACKED_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// The most bytes that one byte of a pack may unpack to, beyond what is always allowed. Texts have 10, deltas of texts 50.
const RATIO: u64 = 200;
const RATIO_FREE: u64 = 64 * 1024 * 1024;

/// Says why a pack is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It is cut off or damaged.
    #[error("its pack is damaged or cut off")]
    Damaged(#[from] io::Error),
    /// It is none.
    #[error("what it holds is no pack that this program knows")]
    NoPack,
    /// It has too many objects.
    #[error("its pack has {0} objects, and at most {OBJECTS_MAX} are taken in")]
    TooMany(u32),
    /// An object is too large.
    #[error("its pack has an object of {0} bytes, and at most {OBJECT_MAX} are taken in")]
    TooLarge(u64),
    /// It unpacks to too much.
    #[error("its pack of {packed} bytes unpacks to more than {allowed}")]
    Bomb {
        /// The bytes of the pack.
        packed: u64,
        /// What it may unpack to.
        allowed: u64,
    },
}

/// Checks the pack that `pack` is at the beginning of, of `size` bytes, whose object ids have `id_length` bytes. Gives how
/// many objects it has.
///
/// # Errors
/// When it is no pack, or holds more than is taken in. It stops at the first object that is too much.
pub(in crate::workspace) fn check(pack: &mut impl BufRead, size: u64, id_length: usize) -> Result<u32, PackError> {
    let mut start = [0; 12];
    pack.read_exact(&mut start)?;
    // A signature and a version of four bytes each, and how many objects there are.
    let [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, objects @ ..] = start else { return Err(PackError::NoPack) };
    let objects = u32::from_be_bytes(objects);
    if objects > OBJECTS_MAX {
        return Err(PackError::TooMany(objects));
    }
    let allowed = UNPACKED_MAX.min(RATIO_FREE.saturating_add(size.saturating_mul(RATIO)));
    let mut budget = Budget { left: allowed, bomb: PackError::Bomb { packed: size, allowed } };
    let mut inflated = vec![0; 32 * 1024];
    let mut state = Decompress::default();
    for _ in 0..objects {
        let entry = Entry::from_read(pack, 0, id_length)?;
        budget = budget.take(entry.decompressed_size)?;
        state.reset();
        let is_delta = matches!(entry.header, Header::OfsDelta { .. } | Header::RefDelta { .. });
        let (mut seen, mut result) = (0, None);
        loop {
            let count = inflate::read(pack, &mut state, &mut inflated)?;
            if is_delta && seen == 0 {
                result = result_of(&inflated[..count]);
            }
            seen += count as u64;
            if seen > entry.decompressed_size {
                return Err(PackError::NoPack);
            }
            if count < inflated.len() {
                break;
            }
        }
        if is_delta {
            budget = budget.take(result.ok_or(PackError::NoPack)?)?;
        }
    }
    Ok(objects)
}

/// What may still be unpacked.
struct Budget {
    left: u64,
    bomb: PackError,
}

impl Budget {
    fn take(self, bytes: u64) -> Result<Self, PackError> {
        if bytes > OBJECT_MAX {
            return Err(PackError::TooLarge(bytes));
        }
        match self.left.checked_sub(bytes) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(self.bomb),
        }
    }
}

/// Reads how large the object is that a delta gives: the second of two numbers at its beginning.
fn result_of(delta: &[u8]) -> Option<u64> {
    let mut bytes = delta.iter();
    let mut number = || {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = bytes.next()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
    };
    number()?;
    number()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::test_support::{TestRepository, git_bytes};

    fn packed(repository: &TestRepository) -> Vec<u8> {
        git_bytes(&repository.path(), &["pack-objects", "--all", "--stdout", "-q", "--revs"])
    }

    #[test]
    fn packs_that_git_writes_pass_and_their_objects_are_counted() {
        let repository = TestRepository::new();
        let text: String = (0..5_000).map(|line| format!("line {line}\n")).collect();
        repository.write("large.txt", &text);
        repository.commit("one");
        repository.write("large.txt", format!("{text}more\n"));
        repository.commit("two");
        let pack = packed(&repository);
        let count = check(&mut pack.as_slice(), pack.len() as u64, 20).unwrap();
        assert!(count > 6, "{count}");
        for end in [0, 11, 12, pack.len() / 2] {
            let error = check(&mut &pack[..end], end as u64, 20).unwrap_err();
            assert!(matches!(error, PackError::Damaged(_)), "{end}: {error}");
        }
        assert!(matches!(check(&mut &b"PACK\0\0\0\x09\0\0\0\0"[..], 12, 20), Err(PackError::NoPack)));
    }

    #[test]
    fn a_pack_that_unpacks_to_far_more_than_it_has_is_refused() {
        let repository = TestRepository::new();
        repository.write("zeros", vec![0_u8; 80 * 1024 * 1024]);
        repository.commit("bomb");
        let pack = packed(&repository);
        let error = check(&mut pack.as_slice(), pack.len() as u64, 20).unwrap_err();
        assert!(matches!(error, PackError::Bomb { .. }), "{error}");
    }

    #[test]
    fn what_a_delta_makes_counts_and_not_what_it_is() {
        use std::io::Write as _;
        // A delta of a few bytes that says that it makes 2^40.
        let delta = [1_u8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
        let mut pack = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
        pack.push(0x70 | delta.len() as u8);
        pack.extend([7; 20]);
        let mut deflate = gix::zlib::stream::deflate::Write::new(&mut pack, gix::zlib::Compression::default());
        deflate.write_all(&delta).unwrap();
        deflate.flush().unwrap();
        drop(deflate);
        let error = check(&mut pack.as_slice(), pack.len() as u64, 20).unwrap_err();
        assert!(matches!(error, PackError::TooLarge(size) if size == 1 << 40), "{error}");
        let many = b"PACK\0\0\0\x02\xff\xff\xff\xff";
        assert!(matches!(check(&mut &many[..], 12, 20), Err(PackError::TooMany(u32::MAX))));
    }
}
