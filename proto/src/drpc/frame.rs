//! Framing: one message as a run of datagrams ("chunks"), each a header and data.
//!
//! | offset | type | field |
//! |---|---|---|
//! | 0 | u64 | total_data_size: bytes of the whole message |
//! | 8 | u64 | chunk_data_size: data bytes of this datagram |
//! | 16 | u32 | chunk_idx, from 0 |
//! | 20 | u32 | total_chunks, at least 1 |
//! | 24 | bytes | data |
//!
//! Integers are little endian. All chunks but the last are full: [`CHUNK_DATA_MAX`] bytes of data. An empty message
//! is one chunk without data.

use daos_common::{Der, Result};

/// Bytes of the header in front of each chunk.
pub const HEADER_BYTES: usize = 24;
/// Largest datagram, header included.
pub const DATAGRAM_MAX: usize = 1 << 17;
/// Most data bytes in one chunk.
pub const CHUNK_DATA_MAX: usize = DATAGRAM_MAX - HEADER_BYTES;

/// The datagrams that carry `message`, in the order to send them.
///
/// # Errors
/// OVERFLOW when the message needs more chunks than the header can count.
pub fn datagrams(message: &[u8]) -> Result<impl Iterator<Item = Vec<u8>> + '_> {
    let count = message.len().div_ceil(CHUNK_DATA_MAX).max(1);
    let total_chunks =
        u32::try_from(count).map_err(|_| Der::OVERFLOW.err(format!("dRPC message of {} bytes", message.len())))?;
    Ok((0..total_chunks).map(move |index| {
        let start = index as usize * CHUNK_DATA_MAX;
        let data = &message[start..message.len().min(start + CHUNK_DATA_MAX)];
        let mut datagram = Vec::with_capacity(HEADER_BYTES + data.len());
        datagram.extend_from_slice(&(message.len() as u64).to_le_bytes());
        datagram.extend_from_slice(&(data.len() as u64).to_le_bytes());
        datagram.extend_from_slice(&index.to_le_bytes());
        datagram.extend_from_slice(&total_chunks.to_le_bytes());
        datagram.extend_from_slice(data);
        datagram
    }))
}

/// Puts a message together from its datagrams and refuses every one that does not continue it.
///
/// After an error the stream is out of step and the connection must be closed.
#[derive(Debug)]
pub struct Assembler {
    limit: usize,
    total: u64,
    total_chunks: u32,
    next_index: u32,
    data: Vec<u8>,
}

impl Assembler {
    /// For messages of at most `limit` bytes.
    pub fn new(limit: usize) -> Assembler {
        Assembler { limit, total: 0, total_chunks: 0, next_index: 0, data: Vec::new() }
    }

    /// Whether a message has begun and is not complete.
    pub fn is_partial(&self) -> bool {
        self.next_index != 0
    }

    /// Takes the next datagram; returns the message when this was its last one.
    ///
    /// # Errors
    /// - TRUNC: the datagram is shorter than its header says, or than a header
    /// - PROTO: no chunks at all, wrong index, data over the chunk's or the message's size
    /// - MISMATCH: the totals changed in the middle of a message, or the last chunk leaves it short
    /// - OVERFLOW: the message is over the limit
    pub fn push(&mut self, datagram: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some((header, data)) = datagram.split_first_chunk::<HEADER_BYTES>() else {
            return Err(Der::TRUNC.err(format!("dRPC datagram of {} bytes has no whole header", datagram.len())));
        };
        let total = u64_at(header, 0);
        let chunk_bytes = u64_at(header, 8);
        let index = u32_at(header, 16);
        let total_chunks = u32_at(header, 20);
        self.check(total, chunk_bytes, index, total_chunks, data.len())?;
        if index == 0 {
            self.total = total;
            self.total_chunks = total_chunks;
        }
        self.data.extend_from_slice(data);
        self.next_index = index + 1;
        if self.next_index < self.total_chunks {
            return Ok(None);
        }
        if self.data.len() as u64 != self.total {
            let got = self.data.len();
            return Err(Der::MISMATCH.err(format!("dRPC message ended after {got} of {} bytes", self.total)));
        }
        self.next_index = 0;
        Ok(Some(std::mem::take(&mut self.data)))
    }

    fn check(&self, total: u64, chunk_bytes: u64, index: u32, total_chunks: u32, present: usize) -> Result<()> {
        if total_chunks == 0 {
            return Err(Der::PROTO.err("dRPC chunk of a message of no chunks"));
        }
        if index != self.next_index || index >= total_chunks {
            let expected = self.next_index;
            return Err(Der::PROTO.err(format!("dRPC chunk {index} of {total_chunks}, expected chunk {expected}")));
        }
        if index > 0 && (total != self.total || total_chunks != self.total_chunks) {
            return Err(Der::MISMATCH.err(format!(
                "dRPC message changed from {} bytes in {} chunks to {total} bytes in {total_chunks}",
                self.total, self.total_chunks
            )));
        }
        if total > self.limit as u64 {
            return Err(Der::OVERFLOW.err(format!("dRPC message of {total} bytes; the limit is {}", self.limit)));
        }
        if chunk_bytes > CHUNK_DATA_MAX as u64 {
            return Err(Der::PROTO.err(format!("dRPC chunk of {chunk_bytes} bytes; the limit is {CHUNK_DATA_MAX}")));
        }
        if chunk_bytes > present as u64 {
            return Err(Der::TRUNC.err(format!("dRPC chunk says {chunk_bytes} bytes, {present} came")));
        }
        if chunk_bytes < present as u64 {
            return Err(Der::PROTO.err(format!("dRPC chunk says {chunk_bytes} bytes, {present} came")));
        }
        if self.data.len() as u64 + chunk_bytes > total {
            return Err(Der::PROTO.err(format!("dRPC chunk {index} runs over the message of {total} bytes")));
        }
        Ok(())
    }
}

fn u64_at(header: &[u8; HEADER_BYTES], offset: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&header[offset..offset + 8]);
    u64::from_le_bytes(bytes)
}

fn u32_at(header: &[u8; HEADER_BYTES], offset: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&header[offset..offset + 4]);
    u32::from_le_bytes(bytes)
}
