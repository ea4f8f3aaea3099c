//! The redo log: one transaction at a time.
//!
//! | offset | size | log header field |
//! |---|---|---|
//! | 0 | 8 | sequence number of the transaction in the log |
//! | 8 | 16 | its body: offset, bytes |
//! | 24 | 8 | XXH3-64 of the 24 bytes before and the newest epoch, XORed with that of the body |
//! | 32 | 8 | sequence number of the last transaction that was applied |
//! | 40 | 8 | newest epoch: every epoch that was ever committed is at or below it |
//!
//! The body is a row of entries: offset (8), bytes (8), the bytes padded to 8. It stands behind the log's header, or,
//! if it is larger than that, in free space that nobody else gets before the transaction is applied.
//! A commit stores body, then header, then applies the entries, then says that it has. What a crash leaves is
//! either no valid checksum (the transaction never was), or one (the entries are applied again, which is harmless).
//!
//! The newest epoch is stored with the header, before the transaction exists; a crash in between leaves it too high, never
//! too low, and a header that got to the medium without it has a wrong checksum. It is exact rather than raised in
//! steps ahead of the epochs because that costs nothing here: the word is in the cache line that every commit flushes
//! anyway, no entry is logged for it, and a clock that starts at it after a restart is not pushed ahead of the time.
//!
//! Cost of a commit for [`crate::Durability::Power`]: four waits for the medium.

use super::{Arena, Mem, damaged, set_word, word};
use daos_common::{Epoch, Result};
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of the log's header.
pub(super) const LOG_HEADER: u64 = 64;
const SUM: usize = 24;
const APPLIED: usize = 32;
const NEWEST_EPOCH: usize = 40;

/// The checksum of a log: of the fields of its header that tell of the transaction, and of the body.
fn checksum(header: &[u8], newest_epoch: Epoch, body: &[u8]) -> u64 {
    let mut fields = [0u8; SUM + 8];
    for at in (0..SUM).step_by(8) {
        set_word(&mut fields, at, word(header, at));
    }
    set_word(&mut fields, SUM, newest_epoch);
    xxh3_64(&fields) ^ xxh3_64(body)
}

/// What a transaction will change, encoded.
#[derive(Default)]
pub(crate) struct LogBody {
    bytes: Vec<u8>,
}

impl LogBody {
    /// Forgets everything, keeping the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Adds a change.
    pub(crate) fn push(&mut self, off: u64, bytes: &[u8]) {
        self.bytes.extend_from_slice(&off.to_le_bytes());
        self.bytes.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
    }

    /// Bytes it takes.
    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// The entries of a body; stops at one that doesn't fit.
struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<(u64, &'a [u8])> {
        if self.0.len() < 16 {
            return None;
        }
        let (off, len) = (word(self.0, 0), usize::try_from(word(self.0, 8)).ok()?);
        let bytes = self.0.get(16..16usize.checked_add(len)?)?;
        self.0 = self.0.get((16 + len).next_multiple_of(8)..).unwrap_or(&[]);
        Some((off, bytes))
    }
}

impl Arena {
    /// Room for a body in the log itself.
    pub(crate) fn log_room(&self) -> u64 {
        self.layout().log_bytes - LOG_HEADER
    }

    /// Where a body that fits goes.
    pub(crate) fn log_body_off(&self) -> u64 {
        self.layout().log_off + LOG_HEADER
    }

    /// The newest epoch that was ever committed, or a later one that a crash kept from it.
    ///
    /// # Errors
    /// `DF_INVAL`: never with a layout that was checked.
    pub(crate) fn newest_epoch(&self) -> Result<Epoch> {
        Ok(word(self.view(self.layout().log_off, LOG_HEADER)?, NEWEST_EPOCH))
    }

    /// Logs a body at `body_off` and applies it. All of it is in the arena after this, or after the next open.
    /// `epoch` is the newest one in it; 0 if it has none.
    ///
    /// # Errors
    /// `IO`: the medium failed; `DF_INVAL`: an offset outside, which is a defect.
    pub(crate) fn log_and_apply(&mut self, seq: u64, body_off: u64, body: &LogBody, epoch: Epoch) -> Result<()> {
        let log_off = self.layout().log_off;
        for (off, bytes) in Entries(&body.bytes) {
            self.view(off, bytes.len() as u64)?;
        }
        let before = self.newest_epoch()?;
        let newest = before.max(epoch);
        let mut header = [0u8; APPLIED];
        set_word(&mut header, 0, seq);
        set_word(&mut header, 8, body_off);
        set_word(&mut header, 16, body.len());
        let sum = checksum(&header, newest, &body.bytes);
        set_word(&mut header, SUM, sum);
        self.store(body_off, &body.bytes)?;
        self.flush(body_off, body.len())?;
        // Also for new blocks and values, which the checksum doesn't cover.
        self.drain();
        self.order();
        if newest != before {
            // A store of its own: one word is never torn.
            self.store(log_off + NEWEST_EPOCH as u64, &newest.to_le_bytes())?;
            self.order();
        }
        self.store(log_off, &header)?;
        self.flush(log_off, LOG_HEADER)?;
        self.drain();
        self.order();
        for (off, bytes) in Entries(&body.bytes) {
            self.store(off, bytes)?;
            self.flush(off, bytes.len() as u64)?;
        }
        self.drain();
        self.mark_applied(seq)
    }

    fn mark_applied(&mut self, seq: u64) -> Result<()> {
        let done_off = self.layout().log_off + APPLIED as u64;
        self.order();
        self.store(done_off, &seq.to_le_bytes())?;
        self.order();
        self.flush(done_off, 8)?;
        self.drain();
        Ok(())
    }

    /// Applies what the log holds if it is complete and was not applied; the last sequence number.
    ///
    /// # Errors
    /// `DF_INVAL`: a complete log that names space outside, or numbers that contradict.
    pub(super) fn recover(&mut self) -> Result<u64> {
        let layout = self.layout().clone();
        let header = self.view(layout.log_off, LOG_HEADER)?.to_vec();
        let (seq, body_off, body_len) = (word(&header, 0), word(&header, 8), word(&header, 16));
        let applied = word(&header, APPLIED);
        let newest = word(&header, NEWEST_EPOCH);
        let body = match self.view(body_off, body_len) {
            Ok(body) if checksum(&header, newest, body) == word(&header, SUM) => body.to_vec(),
            _ => return Ok(applied),
        };
        if seq == applied {
            return Ok(applied);
        }
        if seq != applied.wrapping_add(1) {
            return Err(damaged(format!("its log holds transaction {seq} after {applied}")));
        }
        let log = layout.log_off..layout.log_off + LOG_HEADER;
        let mut read = 0;
        for (off, bytes) in Entries(&body) {
            self.view(off, bytes.len() as u64)?;
            if off < layout.root_off() || log.contains(&off) {
                return Err(damaged("its log would overwrite the header"));
            }
            read += 16 + (bytes.len() as u64).next_multiple_of(8);
        }
        if read != body_len {
            return Err(damaged("its log has an entry that ends outside of it"));
        }
        for (off, bytes) in Entries(&body) {
            self.store(off, bytes)?;
            self.flush(off, bytes.len() as u64)?;
        }
        self.drain();
        self.mark_applied(seq)?;
        tracing::info!(seq, bytes = body_len, "replayed the log of a store");
        Ok(seq)
    }
}
