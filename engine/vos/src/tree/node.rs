//! Nodes of the persistent B+tree.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | magic 0xB7 |
//! | 1 | 1 | level, 0 for a leaf |
//! | 2 | 1 | capacity: 32, or for a root leaf 1, 2, 4, 8, 16 |
//! | 3 | 1 | entries |
//! | 4 | 4 | words of an entry |
//! | 8 | capacity, padded to 8 | slot of each entry in the order of the keys |
//! | … | capacity × words × 8 | slots |
//!
//! An insertion fills a free slot and shifts the row of slot numbers, so it changes two cache lines and not half the
//! node. The first three words of an entry are its key; a leaf's fourth is its value, an inner node's the child.

use crate::arena::{Mem, damaged, set_word, word};
use daos_common::Result;

/// Entries of a full node.
pub(super) const FAN_OUT: usize = 32;
/// Levels that a tree may have; 2^48 entries need fewer.
pub(super) const MAX_LEVELS: usize = 16;
/// Words of the largest entry.
pub(super) const MAX_WORDS: usize = 7;
const MAGIC: u8 = 0xB7;

/// A key: how the words are made is in `key.rs`.
pub(crate) type Words = [u64; 3];

fn slots_at(cap: usize) -> usize {
    8 + cap.next_multiple_of(8)
}

/// Bytes of a node.
pub(super) fn node_bytes(cap: usize, words: usize) -> u64 {
    (slots_at(cap) + cap * words * 8) as u64
}

/// A node to read.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    bytes: &'a [u8],
    pub(super) level: usize,
    pub(super) cap: usize,
    pub(super) count: usize,
    words: usize,
}

impl<'a> Node<'a> {
    /// The node at `off`, of a tree whose leaves have entries of `leaf` and inner nodes of `inner` words.
    ///
    /// # Errors
    /// `DF_INVAL`: no node of such a tree.
    #[inline]
    pub(super) fn load(mem: &'a impl Mem, off: u64, leaf: usize, inner: usize) -> Result<Node<'a>> {
        let head = mem.view(off, 8)?;
        let (level, cap, count, words) = (head[1] as usize, head[2] as usize, head[3] as usize, head[4] as usize);
        let expected = if level == 0 { leaf } else { inner };
        let sound = head[0] == MAGIC && level < MAX_LEVELS && cap <= FAN_OUT && count <= cap && count > 0;
        if !sound || words != expected {
            return Err(damaged(format!("no tree node at offset {off}")));
        }
        let bytes = mem.view(off, node_bytes(cap, words))?;
        Ok(Node { bytes, level, cap, count, words })
    }

    #[inline]
    fn at(&self, pos: usize) -> usize {
        let slot = (self.bytes[8 + pos] as usize).min(self.cap - 1);
        slots_at(self.cap) + slot * self.words * 8
    }

    /// Key of entry `pos`.
    #[inline]
    pub(super) fn key(&self, pos: usize) -> Words {
        let at = self.at(pos);
        [word(self.bytes, at), word(self.bytes, at + 8), word(self.bytes, at + 16)]
    }

    /// Word `index` of entry `pos`.
    #[inline]
    pub(super) fn word(&self, pos: usize, index: usize) -> u64 {
        word(self.bytes, self.at(pos) + index * 8)
    }

    /// Entry `pos`, its words in front.
    #[inline]
    pub(super) fn entry(&self, pos: usize) -> [u64; MAX_WORDS] {
        let at = self.at(pos);
        let mut entry = [0; MAX_WORDS];
        for (index, value) in entry.iter_mut().enumerate().take(self.words) {
            *value = word(self.bytes, at + index * 8);
        }
        entry
    }

    /// Bytes of the node.
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// A node to change.
pub(super) struct NodeMut<'a> {
    bytes: &'a mut [u8],
    cap: usize,
    words: usize,
}

impl<'a> NodeMut<'a> {
    /// Over the bytes of a node that [`Node::load`] has checked.
    pub(super) fn over(bytes: &'a mut [u8]) -> NodeMut<'a> {
        let (cap, words) = (bytes[2] as usize, bytes[4] as usize);
        NodeMut { bytes, cap, words }
    }

    /// Makes a node out of zeros.
    pub(super) fn init(bytes: &'a mut [u8], level: usize, cap: usize, words: usize) -> NodeMut<'a> {
        bytes[0] = MAGIC;
        bytes[1] = level as u8;
        bytes[2] = cap as u8;
        bytes[4] = words as u8;
        NodeMut { bytes, cap, words }
    }

    fn count(&self) -> usize {
        self.bytes[3] as usize
    }

    /// Puts an entry in front of entry `pos`; there must be room.
    pub(super) fn insert(&mut self, pos: usize, entry: &[u64; MAX_WORDS]) {
        let count = self.count();
        debug_assert!(count < self.cap && pos <= count);
        let used = self.bytes[8..8 + count].iter().fold(0u64, |used, slot| used | 1 << (slot & 63));
        let slot = ((!used).trailing_zeros() as usize).min(self.cap - 1);
        self.bytes.copy_within(8 + pos..8 + count, 8 + pos + 1);
        self.bytes[8 + pos] = slot as u8;
        self.bytes[3] = (count + 1) as u8;
        let at = slots_at(self.cap) + slot * self.words * 8;
        for (index, value) in entry.iter().enumerate().take(self.words) {
            set_word(self.bytes, at + index * 8, *value);
        }
    }

    /// Takes entry `pos` out.
    pub(super) fn remove(&mut self, pos: usize) {
        let count = self.count();
        self.bytes.copy_within(8 + pos + 1..8 + count, 8 + pos);
        self.bytes[8 + count - 1] = 0;
        self.bytes[3] = (count - 1) as u8;
    }

    /// Keeps the first `count` entries.
    pub(super) fn truncate(&mut self, count: usize) {
        let old = self.count();
        self.bytes[8 + count..8 + old].fill(0);
        self.bytes[3] = count as u8;
    }

    /// Sets word `index` of entry `pos`.
    pub(super) fn set(&mut self, pos: usize, index: usize, value: u64) {
        let slot = (self.bytes[8 + pos] as usize).min(self.cap - 1);
        let at = slots_at(self.cap) + slot * self.words * 8;
        set_word(self.bytes, at + index * 8, value);
    }
}
