//! The container handles that a target knows for one pool: asked for once, kept until revoked.
//!
//! A revocation may overtake the answer to a check that was asked before it. The check is marked then and its answer
//! not believed, so that a closed handle never comes back to life here.

use daos_common::wire::pool::HandleCheckReply;
use daos_common::{Der, Result, flags};
use futures_channel::oneshot;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use uuid::Uuid;

/// What a handle allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The container.
    pub cont: Uuid,
    /// `daos_common::flags`: `OPEN_RO` for reading data, `OPEN_RW` for writing.
    pub flags: u64,
}

impl Grant {
    /// # Errors
    /// `NO_PERM`: without the right to read data.
    pub fn check_read(&self) -> Result<()> {
        if self.flags & flags::OPEN_RO == 0 {
            return Err(Der::NO_PERM.err(format!("the handle does not allow reading container {}", self.cont)));
        }
        Ok(())
    }

    /// # Errors
    /// `NO_PERM`: opened for reading only.
    pub fn check_write(&self) -> Result<()> {
        if self.flags & (flags::OPEN_RW | flags::OPEN_EX) == 0 {
            return Err(Der::NO_PERM.err(format!("container {} is open for reading only", self.cont)));
        }
        Ok(())
    }
}

enum Entry {
    Known(Grant),
    Asked { waiting: Vec<oneshot::Sender<Result<Grant>>>, revoked: bool },
}

/// The handles of one pool.
#[derive(Default)]
pub struct Handles {
    entries: RefCell<HashMap<Uuid, Entry>>,
}

impl Handles {
    /// What `handle` allows: known, or what `check` finds out. Several that ask at once share one check.
    ///
    /// # Errors
    /// `NO_HDL`: no such handle, or it was revoked meanwhile; what `check` says.
    pub async fn grant<F, Fut>(&self, handle: Uuid, check: F) -> Result<Grant>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<HandleCheckReply>>,
    {
        let receiver = match self.entries.borrow_mut().get_mut(&handle) {
            Some(Entry::Known(grant)) => return Ok(*grant),
            Some(Entry::Asked { waiting, .. }) => {
                let (sender, receiver) = oneshot::channel();
                waiting.push(sender);
                Some(receiver)
            }
            None => None,
        };
        if let Some(receiver) = receiver {
            return receiver.await.unwrap_or_else(|_| Err(no_handle(handle)));
        }
        self.entries.borrow_mut().insert(handle, Entry::Asked { waiting: Vec::new(), revoked: false });
        let answer = check().await.map(|reply| Grant { cont: reply.cont, flags: reply.flags });
        self.settle(handle, answer)
    }

    fn settle(&self, handle: Uuid, answer: Result<Grant>) -> Result<Grant> {
        let mut entries = self.entries.borrow_mut();
        let Some(Entry::Asked { waiting, revoked }) = entries.remove(&handle) else {
            return Err(no_handle(handle));
        };
        let answer = if revoked { Err(no_handle(handle)) } else { answer };
        if let Ok(grant) = &answer {
            entries.insert(handle, Entry::Known(*grant));
        }
        drop(entries);
        for waiter in waiting {
            let _ = waiter.send(answer.clone());
        }
        answer
    }

    /// Forgets handles.
    pub fn revoke(&self, handles: &[Uuid]) {
        let mut entries = self.entries.borrow_mut();
        for handle in handles {
            match entries.get_mut(handle) {
                Some(Entry::Asked { revoked, .. }) => *revoked = true,
                Some(Entry::Known(_)) => drop(entries.remove(handle)),
                None => {}
            }
        }
    }

    /// Forgets all handles, or all of one container.
    pub fn revoke_where(&self, which: impl Fn(&Grant) -> bool) {
        self.entries.borrow_mut().retain(|_, entry| match entry {
            Entry::Known(grant) => !which(grant),
            Entry::Asked { .. } => true,
        });
    }
}

fn no_handle(handle: Uuid) -> daos_common::Error {
    Der::NO_HDL.err(format!("container handle {handle} is not open"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::cell::Cell;

    fn reply() -> Result<HandleCheckReply> {
        let history = Default::default();
        Ok(HandleCheckReply { cont: Uuid::from_u128(7), flags: flags::OPEN_RO, map_version: 1, history })
    }

    /// Aim: one check serves all who ask; a revocation that overtakes the answer wins; read-only is enforced.
    #[test]
    fn one_check_and_revocation() {
        let handles = Handles::default();
        let (handle, asked) = (Uuid::from_u128(1), Cell::new(0));
        let (open, gate) = oneshot::channel::<()>();
        let first = handles.grant(handle, || async {
            asked.set(asked.get() + 1);
            let _ = gate.await;
            reply()
        });
        let mut first = Box::pin(first);
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(handles.grant(handle, || async { unreachable!("asked twice") }));
        assert!(second.as_mut().now_or_never().is_none());
        handles.revoke(&[handle]);
        open.send(()).unwrap();
        assert_eq!(first.now_or_never().unwrap().unwrap_err().code(), Der::NO_HDL);
        assert_eq!(second.now_or_never().unwrap().unwrap_err().code(), Der::NO_HDL);
        let grant = handles.grant(handle, || async { reply() }).now_or_never().unwrap().unwrap();
        assert_eq!(grant.check_write().unwrap_err().code(), Der::NO_PERM);
        grant.check_read().unwrap();
        let blind = Grant { flags: flags::OPEN_RW, ..grant };
        assert_eq!(blind.check_read().unwrap_err().code(), Der::NO_PERM);
        assert_eq!(handles.grant(handle, || async { unreachable!() }).now_or_never().unwrap().unwrap(), grant);
        assert_eq!(asked.get(), 1);
    }
}
