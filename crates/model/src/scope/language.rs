//! Questions about everything that patterns match, answered without listing any of it: does one match all paths that
//! another does, can two match the same name. Both walk a table of one pattern's steps against the other's.

use super::glob::{Atom, Pattern, Segment};

/// Tells whether every path that `narrow` matches is matched by `wide`. `true` is certain; `false` may also mean that
/// it takes more than a comparison step by step to see it.
pub(super) fn covers(wide: &Pattern, narrow: &Pattern) -> bool {
    let (wide, narrow) = (wide.segments(), narrow.segments());
    walk(wide.len(), narrow.len(), |i, j, ahead| match (wide.get(i), narrow.get(j)) {
        (None, None) => true,
        (Some(Segment::AnyDepth), _) => ahead.first || ahead.second,
        // A run that still wants names takes any depth in its stride: the names may come later.
        (Some(Segment::AnyName), Some(Segment::AnyDepth)) => ahead.second,
        (Some(_), Some(Segment::AnyDepth)) => false,
        (Some(x), Some(y)) => ahead.both && name_covers(atoms(x), atoms(y)),
        _ => false,
    })
}

fn atoms(segment: &Segment) -> &[Atom] {
    match segment {
        Segment::AnyDepth | Segment::AnyName => &[Atom::Star],
        Segment::Name(atoms) => atoms,
    }
}

/// Tells whether some name is matched by both. `false` is certain; `true` too, but for names that no path can have.
pub(super) fn names_meet(a: &[Atom], b: &[Atom]) -> bool {
    walk(a.len(), b.len(), |i, j, ahead| match (a.get(i), b.get(j)) {
        (None, None) => true,
        (Some(Atom::Star), _) | (_, Some(Atom::Star)) => ahead.first || ahead.second,
        (Some(Atom::Byte(x)), Some(Atom::Byte(y))) => ahead.both && x == y,
        (Some(Atom::Set(set)), Some(Atom::Byte(byte))) | (Some(Atom::Byte(byte)), Some(Atom::Set(set))) => {
            ahead.both && set.contains(*byte)
        }
        (Some(Atom::Set(x)), Some(Atom::Set(y))) => ahead.both && x.meets(**y),
        _ => false,
    })
}

fn name_covers(wide: &[Atom], narrow: &[Atom]) -> bool {
    walk(wide.len(), narrow.len(), |i, j, ahead| match (wide.get(i), narrow.get(j)) {
        (None, None) => true,
        (Some(Atom::Star), _) => ahead.first || ahead.second,
        (Some(Atom::Byte(x)), Some(Atom::Byte(y))) => ahead.both && x == y,
        (Some(Atom::Set(set)), Some(Atom::Byte(byte))) => ahead.both && set.contains(*byte),
        (Some(Atom::Set(x)), Some(Atom::Set(y))) => ahead.both && x.covers(**y),
        _ => false,
    })
}

/// What is already known further on in a table: one step taken in the first list, in the second, or in both. A step
/// beyond the end of a list is never possible.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    first: bool,
    second: bool,
    both: bool,
}

/// The longest second list whose table needs no memory of its own.
const SMALL: usize = 62;

/// Fills a table of positions in two lists from their ends to their beginnings, one row at a time, and returns the
/// answer for the beginnings.
fn walk(first: usize, second: usize, cell: impl Fn(usize, usize, Ahead) -> bool) -> bool {
    let fill = |below: &mut [bool], row: &mut [bool]| {
        let (mut below, mut row) = (below, row);
        for i in (0..=first).rev() {
            for j in (0..=second).rev() {
                row[j] = cell(i, j, Ahead { first: below[j], second: row[j + 1], both: below[j + 1] });
            }
            std::mem::swap(&mut below, &mut row);
        }
        below[0]
    };
    if second <= SMALL {
        fill(&mut [false; SMALL + 2], &mut [false; SMALL + 2])
    } else {
        fill(&mut vec![false; second + 2], &mut vec![false; second + 2])
    }
}
