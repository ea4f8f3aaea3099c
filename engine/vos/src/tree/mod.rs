//! The persistent B+tree under everything: containers, objects, keys, punches, single values, extents.
//!
//! The key of every inner entry is exactly the first key of its child. Entries of a tree with more than four words
//! per inner entry carry a summary of their child there (the extent tree: see `extent.rs`). Cost of a look-up: one
//! node per level at 32 entries each; of an insertion: two cache lines logged, seldom a split.
//! Nodes are freed when empty and not merged before; a root with one child gives way to it.

mod node;

use crate::arena::{Mem, damaged};
use crate::tx::Tx;
use daos_common::Result;
pub(crate) use node::Words;
use node::{FAN_OUT, MAX_LEVELS, MAX_WORDS, Node, NodeMut, node_bytes};
use std::cmp::Ordering;

/// What is looked for: the words of a key, and its bytes where the words don't tell all (lexical order).
#[derive(Clone, Copy)]
pub(crate) struct Probe<'a> {
    pub(crate) words: Words,
    /// Compared with the bytes of the key record that the third word of an entry names, when the first two tie.
    pub(crate) bytes: Option<&'a [u8]>,
}

impl Probe<'_> {
    /// A probe by words alone.
    pub(crate) fn exact(words: Words) -> Probe<'static> {
        Probe { words, bytes: None }
    }
}

/// One shape of tree: entries of `L` words in leaves and `I` words in inner nodes.
pub(crate) struct Tree<const L: usize, const I: usize>;

/// Trees of keys: entry = key, offset or value.
pub(crate) type KeyTree = Tree<4, 4>;
/// Trees of extents: entry = (lo, !epoch, !seq, place, hi), inner = (key, child, highest hi, oldest, newest epoch).
pub(crate) type ExtentTree = Tree<5, 7>;

/// A place in a tree: the way from the root to an entry of a leaf.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    steps: [(u64, usize); MAX_LEVELS],
    depth: usize,
}

impl Cursor {
    fn leaf(&self) -> (u64, usize) {
        self.steps[self.depth - 1]
    }
}

#[inline]
fn compare(mem: &impl Mem, key: Words, probe: &Probe<'_>) -> Result<Ordering> {
    let Some(bytes) = probe.bytes else { return Ok(key.cmp(&probe.words)) };
    match (key[0], key[1]).cmp(&(probe.words[0], probe.words[1])) {
        Ordering::Equal => Ok(crate::record::key_bytes(mem, key[2])?.cmp(bytes)),
        other => Ok(other),
    }
}

impl<const L: usize, const I: usize> Tree<L, I> {
    #[inline]
    fn load(mem: &impl Mem, off: u64) -> Result<Node<'_>> {
        Node::load(mem, off, L, I)
    }

    /// Number of entries below `probe`, or also at it if `through`.
    #[inline]
    fn rank(mem: &impl Mem, node: &Node<'_>, probe: &Probe<'_>, through: bool) -> Result<usize> {
        let (mut low, mut high) = (0, node.count);
        while low < high {
            let middle = (low + high) / 2;
            let below = match compare(mem, node.key(middle), probe)? {
                Ordering::Less => true,
                Ordering::Equal => through,
                Ordering::Greater => false,
            };
            if below {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The way to the first entry at or above `probe` (above it if `through`); may stand behind the end of a leaf.
    fn descend(mem: &impl Mem, root: u64, probe: &Probe<'_>, through: bool) -> Result<Cursor> {
        let mut cursor = Cursor { steps: [(0, 0); MAX_LEVELS], depth: 0 };
        let mut off = root;
        let mut level = MAX_LEVELS;
        loop {
            let node = Self::load(mem, off)?;
            if node.level >= level {
                return Err(damaged(format!("a tree node at offset {off} stands on the wrong level")));
            }
            level = node.level;
            if level == 0 {
                cursor.steps[cursor.depth] = (off, Self::rank(mem, &node, probe, through)?);
                cursor.depth += 1;
                return Ok(cursor);
            }
            let pos = Self::rank(mem, &node, probe, true)?.saturating_sub(1);
            cursor.steps[cursor.depth] = (off, pos);
            cursor.depth += 1;
            off = node.word(pos, 3);
        }
    }

    /// The first entry at or above `probe`.
    ///
    /// # Errors
    /// `DF_INVAL`, as all functions here.
    pub(crate) fn seek(mem: &impl Mem, root: u64, probe: &Probe<'_>) -> Result<Option<Cursor>> {
        if root == 0 {
            return Ok(None);
        }
        let mut cursor = Self::descend(mem, root, probe, false)?;
        Ok(Self::settle(mem, &mut cursor)?.then_some(cursor))
    }

    /// The first entry above `probe`.
    pub(crate) fn seek_above(mem: &impl Mem, root: u64, probe: &Probe<'_>) -> Result<Option<Cursor>> {
        if root == 0 {
            return Ok(None);
        }
        let mut cursor = Self::descend(mem, root, probe, true)?;
        Ok(Self::settle(mem, &mut cursor)?.then_some(cursor))
    }

    /// The last entry at or below `probe`.
    pub(crate) fn seek_floor(mem: &impl Mem, root: u64, probe: &Probe<'_>) -> Result<Option<Cursor>> {
        if root == 0 {
            return Ok(None);
        }
        let mut cursor = Self::descend(mem, root, probe, true)?;
        Ok(Self::retreat(mem, &mut cursor)?.then_some(cursor))
    }

    /// The first entry of all.
    pub(crate) fn first(mem: &impl Mem, root: u64) -> Result<Option<Cursor>> {
        Self::seek(mem, root, &Probe::exact([0; 3]))
    }

    /// The last entry of all.
    pub(crate) fn last(mem: &impl Mem, root: u64) -> Result<Option<Cursor>> {
        Self::seek_floor(mem, root, &Probe::exact([u64::MAX; 3]))
    }

    /// The entry under a cursor.
    #[inline]
    pub(crate) fn entry(mem: &impl Mem, cursor: &Cursor) -> Result<[u64; L]> {
        let (off, pos) = cursor.leaf();
        let node = Self::load(mem, off)?;
        let words = node.entry(pos.min(node.count - 1));
        Ok(std::array::from_fn(|index| words[index]))
    }

    /// Moves to the next entry; `false` when there is none.
    pub(crate) fn advance(mem: &impl Mem, cursor: &mut Cursor) -> Result<bool> {
        cursor.steps[cursor.depth - 1].1 += 1;
        Self::settle(mem, cursor)
    }

    fn settle(mem: &impl Mem, cursor: &mut Cursor) -> Result<bool> {
        let (off, pos) = cursor.leaf();
        if pos < Self::load(mem, off)?.count {
            return Ok(true);
        }
        let full_depth = cursor.depth;
        let mut depth = full_depth - 1;
        while depth > 0 {
            depth -= 1;
            let (off, pos) = cursor.steps[depth];
            let node = Self::load(mem, off)?;
            if pos + 1 < node.count {
                cursor.steps[depth].1 = pos + 1;
                let mut child = node.word(pos + 1, 3);
                for below in depth + 1..full_depth {
                    cursor.steps[below] = (child, 0);
                    if below + 1 < full_depth {
                        child = Self::load(mem, child)?.word(0, 3);
                    }
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Moves to the entry before; `false` when there is none.
    pub(crate) fn retreat(mem: &impl Mem, cursor: &mut Cursor) -> Result<bool> {
        let last = cursor.depth - 1;
        if cursor.steps[last].1 > 0 {
            cursor.steps[last].1 -= 1;
            return Ok(true);
        }
        let mut depth = last;
        while depth > 0 {
            depth -= 1;
            let (off, pos) = cursor.steps[depth];
            if pos > 0 {
                cursor.steps[depth].1 = pos - 1;
                let mut child = Self::load(mem, off)?.word(pos - 1, 3);
                for below in depth + 1..cursor.depth {
                    let node = Self::load(mem, child)?;
                    cursor.steps[below] = (child, node.count - 1);
                    child = node.word(node.count - 1, 3);
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Inserts an entry whose key is not in the tree.
    ///
    /// # Errors
    /// `NOSPACE`; the transaction is to be dropped then.
    pub(crate) fn insert(tx: &mut Tx<'_>, root: &mut u64, probe: &Probe<'_>, entry: [u64; L]) -> Result<()> {
        let mut words = [0; MAX_WORDS];
        words[..L].copy_from_slice(&entry);
        if *root == 0 {
            let off = Self::new_node(tx, 0, 1)?;
            Self::change(tx, off)?.insert(0, &words);
            *root = off;
            return Ok(());
        }
        let mut cursor = Self::descend(tx, *root, probe, false)?;
        Self::grow_root_leaf(tx, root, &mut cursor)?;
        Self::foresee(tx, &cursor, &words)?;
        Self::insert_at(tx, root, &cursor, cursor.depth - 1, cursor.leaf().1, &words)
    }

    fn new_node(tx: &mut Tx<'_>, level: usize, cap: usize) -> Result<u64> {
        let words = if level == 0 { L } else { I };
        let len = node_bytes(cap, words);
        let off = tx.alloc_block(len)?;
        NodeMut::init(tx.block_mut(off, len)?, level, cap, words);
        Ok(off)
    }

    fn change<'t>(tx: &'t mut Tx<'_>, off: u64) -> Result<NodeMut<'t>> {
        // Not `load`: a new node has no entries yet.
        let head = tx.view(off, 8)?;
        let len = node_bytes(head[2] as usize, head[4] as usize);
        Ok(NodeMut::over(tx.block_mut(off, len)?))
    }

    /// Doubles a full root leaf that is smaller than a node.
    fn grow_root_leaf(tx: &mut Tx<'_>, root: &mut u64, cursor: &mut Cursor) -> Result<()> {
        let node = Self::load(tx, *root)?;
        if cursor.depth != 1 || node.count < node.cap || node.cap >= FAN_OUT {
            return Ok(());
        }
        let (cap, count, len) = (node.cap, node.count, node.len());
        let off = Self::new_node(tx, 0, (cap * 2).min(FAN_OUT))?;
        for pos in 0..count {
            let entry = Self::load(tx, *root)?.entry(pos);
            Self::change(tx, off)?.insert(pos, &entry);
        }
        tx.free(*root, len);
        *root = off;
        cursor.steps[0].0 = off;
        Ok(())
    }

    /// Makes the first keys and summaries on the way right for an entry that is about to come in below.
    fn foresee(tx: &mut Tx<'_>, cursor: &Cursor, entry: &[u64; MAX_WORDS]) -> Result<()> {
        let mut first = cursor.leaf().1 == 0;
        for depth in (0..cursor.depth - 1).rev() {
            let (off, pos) = cursor.steps[depth];
            if first {
                let mut node = Self::change(tx, off)?;
                for (index, word) in entry.iter().enumerate().take(3) {
                    node.set(pos, index, *word);
                }
                first = pos == 0;
            }
            if I > 4 {
                let old = Self::load(tx, off)?.entry(pos);
                let new = merge(summary_of(0, entry), summary_of(1, &old));
                Self::set_summary(tx, off, pos, &old, new)?;
            }
        }
        Ok(())
    }

    fn set_summary(tx: &mut Tx<'_>, off: u64, pos: usize, old: &[u64; MAX_WORDS], new: Words) -> Result<()> {
        if old[4..7] == new {
            return Ok(());
        }
        let mut node = Self::change(tx, off)?;
        for (index, word) in new.into_iter().enumerate() {
            node.set(pos, 4 + index, word);
        }
        Ok(())
    }

    /// The inner entry for a node.
    fn inner_entry(mem: &impl Mem, off: u64) -> Result<[u64; MAX_WORDS]> {
        let node = Self::load(mem, off)?;
        let mut entry = [0; MAX_WORDS];
        entry[..3].copy_from_slice(&node.key(0));
        entry[3] = off;
        if I > 4 {
            let all = (0..node.count).map(|pos| summary_of(node.level, &node.entry(pos)));
            entry[4..7].copy_from_slice(&all.reduce(merge).unwrap_or_default());
        }
        Ok(entry)
    }

    fn insert_at(
        tx: &mut Tx<'_>,
        root: &mut u64,
        cursor: &Cursor,
        depth: usize,
        pos: usize,
        entry: &[u64; MAX_WORDS],
    ) -> Result<()> {
        let off = cursor.steps[depth].0;
        let node = Self::load(tx, off)?;
        let (level, count) = (node.level, node.count);
        if count < node.cap {
            Self::change(tx, off)?.insert(pos, entry);
            return Ok(());
        }
        let right = Self::split(tx, cursor, depth, pos)?;
        let kept = Self::load(tx, off)?.count;
        if pos <= kept && kept < count {
            Self::change(tx, off)?.insert(pos, entry);
        } else {
            Self::change(tx, right)?.insert(pos - kept, entry);
        }
        let right_entry = Self::inner_entry(tx, right)?;
        let left_entry = Self::inner_entry(tx, off)?;
        if depth == 0 {
            let top = Self::new_node(tx, level + 1, FAN_OUT)?;
            let mut node = Self::change(tx, top)?;
            node.insert(0, &left_entry);
            node.insert(1, &right_entry);
            *root = top;
            return Ok(());
        }
        let (parent, parent_pos) = cursor.steps[depth - 1];
        if I > 4 {
            let old = Self::load(tx, parent)?.entry(parent_pos);
            Self::set_summary(tx, parent, parent_pos, &old, [left_entry[4], left_entry[5], left_entry[6]])?;
        }
        Self::insert_at(tx, root, cursor, depth - 1, parent_pos + 1, &right_entry)
    }

    /// Moves the upper half of a full node to a new one; nothing, if the new entry is going to be the tree's last,
    /// so that rising keys leave full nodes behind.
    fn split(tx: &mut Tx<'_>, cursor: &Cursor, depth: usize, pos: usize) -> Result<u64> {
        let off = cursor.steps[depth].0;
        let mut at_end = true;
        for &(above, pos) in &cursor.steps[..depth] {
            at_end &= pos + 1 == Self::load(tx, above)?.count;
        }
        let node = Self::load(tx, off)?;
        let (level, count) = (node.level, node.count);
        let keep = if at_end && pos == count { count } else { count / 2 };
        let right = Self::new_node(tx, level, FAN_OUT)?;
        for from in keep..count {
            let entry = Self::load(tx, off)?.entry(from);
            Self::change(tx, right)?.insert(from - keep, &entry);
        }
        if keep < count {
            Self::change(tx, off)?.truncate(keep);
        }
        Ok(right)
    }

    /// Takes the entry under a cursor out.
    pub(crate) fn remove(tx: &mut Tx<'_>, root: &mut u64, cursor: &Cursor) -> Result<()> {
        let (off, pos) = cursor.leaf();
        if Self::load(tx, off)?.count == 1 {
            return Self::remove_node(tx, root, cursor, cursor.depth - 1);
        }
        Self::change(tx, off)?.remove(pos);
        Self::mend_above(tx, cursor, cursor.depth - 1)
    }

    /// Takes the first leaf out; its entries.
    pub(crate) fn pop_leaf(tx: &mut Tx<'_>, root: &mut u64) -> Result<Vec<[u64; L]>> {
        let Some(cursor) = Self::first(tx, *root)? else { return Ok(Vec::new()) };
        let node = Self::load(tx, cursor.leaf().0)?;
        let entries = (0..node.count).map(|pos| {
            let words = node.entry(pos);
            std::array::from_fn(|index| words[index])
        });
        let entries = entries.collect();
        Self::remove_node(tx, root, &cursor, cursor.depth - 1)?;
        Ok(entries)
    }

    /// Frees the node at `depth` of the way and takes it out of its parent.
    fn remove_node(tx: &mut Tx<'_>, root: &mut u64, cursor: &Cursor, depth: usize) -> Result<()> {
        let mut depth = depth;
        loop {
            let off = cursor.steps[depth].0;
            let len = Self::load(tx, off)?.len();
            tx.free(off, len);
            if depth == 0 {
                *root = 0;
                return Ok(());
            }
            let (parent, pos) = cursor.steps[depth - 1];
            depth -= 1;
            if Self::load(tx, parent)?.count > 1 {
                Self::change(tx, parent)?.remove(pos);
                Self::mend_above(tx, cursor, depth)?;
                break;
            }
        }
        loop {
            let node = Self::load(tx, *root)?;
            if node.level == 0 || node.count > 1 {
                return Ok(());
            }
            let (child, len) = (node.word(0, 3), node.len());
            tx.free(*root, len);
            *root = child;
        }
    }

    /// Makes first keys and summaries right above a node that lost an entry.
    fn mend_above(tx: &mut Tx<'_>, cursor: &Cursor, depth: usize) -> Result<()> {
        for depth in (0..depth).rev() {
            let (off, pos) = cursor.steps[depth];
            let new = Self::inner_entry(tx, cursor.steps[depth + 1].0)?;
            let old = Self::load(tx, off)?.entry(pos);
            if new == old {
                return Ok(());
            }
            let mut node = Self::change(tx, off)?;
            for (index, word) in new.into_iter().enumerate().take(I) {
                node.set(pos, index, word);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
impl<const L: usize, const I: usize> Tree<L, I> {
    /// Checks every invariant of a tree; shows each node's offset and bytes, and each entry.
    pub(crate) fn audit(
        mem: &impl Mem,
        root: u64,
        node_seen: &mut impl FnMut(u64, u64),
        entry_seen: &mut impl FnMut([u64; L]),
    ) {
        if root == 0 {
            return;
        }
        let node = Self::load(mem, root).unwrap();
        node_seen(root, node.len());
        for pos in 0..node.count {
            assert!(pos == 0 || node.key(pos - 1) < node.key(pos) || L == 4, "keys out of order");
            if node.level == 0 {
                let words = node.entry(pos);
                entry_seen(std::array::from_fn(|index| words[index]));
                continue;
            }
            let child = node.word(pos, 3);
            assert_eq!(Self::load(mem, child).unwrap().level + 1, node.level);
            assert_eq!(
                Self::inner_entry(mem, child).unwrap(),
                node.entry(pos),
                "an inner entry differs from its child"
            );
            Self::audit(mem, child, node_seen, entry_seen);
        }
    }
}

/// What an entry says about the extents in or under it: highest end, oldest epoch, newest epoch.
#[inline]
fn summary_of(level: usize, entry: &[u64; MAX_WORDS]) -> Words {
    if level == 0 { [entry[4], !entry[1], !entry[1]] } else { [entry[4], entry[5], entry[6]] }
}

fn merge(a: Words, b: Words) -> Words {
    [a[0].max(b[0]), a[1].min(b[1]), a[2].max(b[2])]
}

/// An entry of an extent tree's node, for walks that prune: see `extent.rs`.
#[derive(Clone, Copy)]
pub(crate) enum ExtentEntry {
    Leaf { lo: u64, hi: u64, epoch: u64, seq: u64, place: u64 },
    Inner { lo: u64, child: u64, hi: u64, oldest: u64, newest: u64 },
}

impl ExtentTree {
    /// Number of entries of a node and its level.
    pub(crate) fn node(mem: &impl Mem, off: u64) -> Result<(usize, usize)> {
        let node = Self::load(mem, off)?;
        Ok((node.count, node.level))
    }

    /// Entry `pos` of the node at `off`.
    pub(crate) fn node_entry(mem: &impl Mem, off: u64, pos: usize) -> Result<ExtentEntry> {
        let node = Self::load(mem, off)?;
        let e = node.entry(pos.min(node.count - 1));
        Ok(if node.level == 0 {
            ExtentEntry::Leaf { lo: e[0], hi: e[4], epoch: !e[1], seq: !e[2], place: e[3] }
        } else {
            ExtentEntry::Inner { lo: e[0], child: e[3], hi: e[4], oldest: e[5], newest: e[6] }
        })
    }
}
