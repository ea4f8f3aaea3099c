//! A received message.

use crate::buffer::Buffer;

/// A received message's bytes; the buffer returns to the endpoint's pool on drop.
pub struct Message {
    content: Content,
    body: std::ops::Range<usize>,
    payload: std::ops::Range<usize>,
}

enum Content {
    Pooled(Buffer),
    Owned(Vec<u8>),
}

impl Message {
    /// A message in a receive buffer: `start..` is body, then payload. The caller has checked the lengths.
    pub(crate) fn pooled(buffer: Buffer, start: usize, body: usize, payload: usize) -> Message {
        let middle = start + body;
        Message { content: Content::Pooled(buffer), body: start..middle, payload: middle..middle + payload }
    }

    /// A message of its own memory, body then payload.
    pub(crate) fn owned(bytes: Vec<u8>, body: usize) -> Message {
        let len = bytes.len();
        Message { content: Content::Owned(bytes), body: 0..body, payload: body..len }
    }

    fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Pooled(buffer) => buffer.bytes(),
            Content::Owned(bytes) => bytes,
        }
    }

    /// The encoded body.
    pub fn body(&self) -> &[u8] {
        self.bytes().get(self.body.clone()).unwrap_or_default()
    }

    /// The bytes behind it.
    pub fn payload(&self) -> &[u8] {
        self.bytes().get(self.payload.clone()).unwrap_or_default()
    }
}
