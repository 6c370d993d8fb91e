//! Sets of bytes.

/// A set of bytes: what one place of a file name may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::scope) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(in crate::scope) const EMPTY: Self = Self([0; 4]);

    pub(in crate::scope) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(in crate::scope) fn remove(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] &= !(1 << (byte & 63));
    }

    pub(in crate::scope) fn contains(self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }

    pub(in crate::scope) fn complement(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    pub(in crate::scope) fn meets(self, other: Self) -> bool {
        self.0.iter().zip(other.0).any(|(a, b)| a & b != 0)
    }

    pub(in crate::scope) fn covers(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(a, b)| b & !a == 0)
    }

    pub(in crate::scope) fn bytes(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |byte| self.contains(*byte))
    }
}
