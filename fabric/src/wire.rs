//! The header of a message on the fabric.
//!
//! All numbers are little-endian. A message is exactly header, sender's address, body, payload: a length that doesn't
//! add up makes it malformed, and it is dropped and counted.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 2 | magic, `0xDA05` |
//! | 2 | 1 | version of this header, [`HEADER_VERSION`] |
//! | 3 | 1 | kind, [`MessageKind`] |
//! | 4 | 2 | version of the data-plane protocol, `daos_common::wire::VERSION` |
//! | 6 | 2 | opcode of a request, else 0 |
//! | 8 | 4 | status of a reply: 0 or a negative DER_ number; else 0 |
//! | 12 | 1 | flags: bit 0, the body and payload are to be pulled (below) |
//! | 13 | 1 | length of the sender's address A; 0 in replies (the asker knows whom it asked) |
//! | 14 | 2 | 0 |
//! | 16 | 8 | id of the call, chosen by the asker; of a release: what is released |
//! | 24 | 8 | instance of the sender: random, new for each opened endpoint |
//! | 32 | 8 | instance of the receiver that is meant; 0: any |
//! | 40 | 4 | body length B |
//! | 44 | 4 | payload length P |
//! | 48 | A | the sender's address as libfabric gives it |
//! | 48+A | B, P | body and payload |
//!
//! A message longer than a buffer is sent as its header and address with flag bit 0 and, in place of body and payload,
//! 32 bytes: address, length and key of one region of the sender's memory that holds body and payload (8 bytes each),
//! and the number (8 bytes) by which the receiver releases it once read. B and P are the lengths in that region.
//!
//! The receiver's instance tells a process from another that took over its address: a message meant for a former
//! holder is dropped, a probe is answered with the present instance, and the asker fails its calls at once.
//!
//! Cost of a call: 48 bytes and the address (16 over TCP) for the request, 48 for the reply; no allocation, one copy
//! of body and payload into the send buffer.

use daos_common::wire::object::BulkDesc;

/// Version of the header's layout.
pub(crate) const HEADER_VERSION: u8 = 1;
const MAGIC: u16 = 0xDA05;
/// Bytes of the header without the address.
pub(crate) const HEADER_BYTES: usize = 48;
/// Bytes in place of the body of a message that is to be pulled.
pub(crate) const PULL_BYTES: usize = 32;
/// A message of more bytes (body and payload) is malformed: no peer can make a receiver allocate more.
pub(crate) const MAX_MESSAGE_BYTES: usize = 256 << 20;
const FLAG_PULL: u8 = 1;

/// What a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum MessageKind {
    /// Asks for something.
    Request = 1,
    /// Answers a request.
    Reply = 2,
    /// Asks whether the peer is alive; empty.
    Probe = 3,
    /// Answers a probe; empty.
    Alive = 4,
    /// The region of a pulled message was read; empty.
    Release = 5,
}

/// A header, decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) kind: MessageKind,
    pub(crate) protocol: u16,
    pub(crate) opcode: u16,
    pub(crate) status: i32,
    pub(crate) pull: bool,
    pub(crate) address_len: u8,
    pub(crate) id: u64,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) body_len: u32,
    pub(crate) payload_len: u32,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0u8; HEADER_BYTES];
        out[0..2].copy_from_slice(&MAGIC.to_le_bytes());
        out[2] = HEADER_VERSION;
        out[3] = self.kind as u8;
        out[4..6].copy_from_slice(&self.protocol.to_le_bytes());
        out[6..8].copy_from_slice(&self.opcode.to_le_bytes());
        out[8..12].copy_from_slice(&self.status.to_le_bytes());
        out[12] = if self.pull { FLAG_PULL } else { 0 };
        out[13] = self.address_len;
        out[16..24].copy_from_slice(&self.id.to_le_bytes());
        out[24..32].copy_from_slice(&self.from.to_le_bytes());
        out[32..40].copy_from_slice(&self.to.to_le_bytes());
        out[40..44].copy_from_slice(&self.body_len.to_le_bytes());
        out[44..48].copy_from_slice(&self.payload_len.to_le_bytes());
        out
    }

    /// The header of a whole message; `None` when anything about it, its length included, is not as specified.
    pub(crate) fn decode(message: &[u8]) -> Option<Header> {
        let h: &[u8; HEADER_BYTES] = message.first_chunk()?;
        if u16_at(h, 0) != MAGIC || h[2] != HEADER_VERSION || h[12] & !FLAG_PULL != 0 {
            return None;
        }
        let kind = match h[3] {
            1 => MessageKind::Request,
            2 => MessageKind::Reply,
            3 => MessageKind::Probe,
            4 => MessageKind::Alive,
            5 => MessageKind::Release,
            _ => return None,
        };
        let header = Header {
            kind,
            protocol: u16_at(h, 4),
            opcode: u16_at(h, 6),
            status: u32_at(h, 8) as i32,
            pull: h[12] & FLAG_PULL != 0,
            address_len: h[13],
            id: u64_at(h, 16),
            from: u64_at(h, 24),
            to: u64_at(h, 32),
            body_len: u32_at(h, 40),
            payload_len: u32_at(h, 44),
        };
        let behind = if header.pull { PULL_BYTES } else { header.content_len() };
        if header.content_len() > MAX_MESSAGE_BYTES || message.len() != header.content_start() + behind {
            return None;
        }
        Some(header)
    }

    /// Bytes of body and payload.
    pub(crate) fn content_len(&self) -> usize {
        self.body_len as usize + self.payload_len as usize
    }

    /// Where body and payload (or what stands for them) begin.
    pub(crate) fn content_start(&self) -> usize {
        HEADER_BYTES + self.address_len as usize
    }
}

/// What stands in place of the body of a message to be pulled.
pub(crate) fn encode_pull(region: &BulkDesc, release: u64) -> [u8; PULL_BYTES] {
    let mut out = [0u8; PULL_BYTES];
    out[0..8].copy_from_slice(&region.addr.to_le_bytes());
    out[8..16].copy_from_slice(&region.len.to_le_bytes());
    out[16..24].copy_from_slice(&region.key.to_le_bytes());
    out[24..32].copy_from_slice(&release.to_le_bytes());
    out
}

/// The region and the release number of a message to be pulled; `content` is what follows the address.
pub(crate) fn decode_pull(content: &[u8]) -> Option<(BulkDesc, u64)> {
    let c: &[u8; PULL_BYTES] = content.try_into().ok()?;
    Some((BulkDesc { addr: u64_at(c, 0), len: u64_at(c, 8), key: u64_at(c, 16) }, u64_at(c, 24)))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Header {
        Header {
            kind: MessageKind::Request,
            protocol: 1,
            opcode: 60,
            status: -1011,
            pull: false,
            address_len: 16,
            id: 0x0102_0304_0506_0708,
            from: u64::MAX,
            to: 3,
            body_len: 5,
            payload_len: 7,
        }
    }

    /// Aim: what is encoded decodes to itself, and any other length is refused.
    #[test]
    fn round_trip_and_exact_length() {
        let header = request();
        let mut message = header.encode().to_vec();
        message.resize(HEADER_BYTES + 16 + 12, 9);
        assert_eq!(Header::decode(&message), Some(header));
        message.push(0);
        assert_eq!(Header::decode(&message), None);
        message.truncate(HEADER_BYTES + 16 + 11);
        assert_eq!(Header::decode(&message), None);
    }

    /// Aim: no bytes panic the decoder; a wrong magic, version, kind or flag is refused.
    #[test]
    fn garbage_is_refused() {
        let mut message = request().encode().to_vec();
        message.resize(HEADER_BYTES + 16 + 12, 0);
        for (at, value) in [(0, 0), (2, 2), (3, 0), (3, 6), (12, 2), (40, 255), (47, 255), (13, 255)] {
            let mut bad = message.clone();
            bad[at] = value;
            assert_eq!(Header::decode(&bad), None, "byte {at} = {value}");
        }
        for len in 0..HEADER_BYTES {
            assert_eq!(Header::decode(&message[..len]), None);
        }
        assert_eq!(decode_pull(&[0; 31]), None);
    }
}
