//! Merging versions on the target's own thread, in small steps between requests; and what the pool service asks of a
//! container's history.
//!
//! In the background each share is looked at every second; containers that were written to, or lost a snapshot, are
//! passed over. Versions younger than `DAOS_VOS_AGG_GAP` stay, so that transactions find what they began with; when space is short,
//! only those younger than [`TIGHT_GAP`]. A write that finds no space merges all that nobody needs before it gives up.

use super::Target;
use super::history::{History, Progress};
use super::share::Share;
use daos_common::hlc::UNITS_PER_NS;
use daos_common::wire::history::HistoryAction;
use daos_common::{Der, Epoch, Result};
use daos_vos::VosCont;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Between looks at a share.
const TICK: Duration = Duration::from_secs(1);
/// Steps before the thread turns to requests again.
const STEPS: usize = 4;
/// Between slices while requests are worked on.
const COURTESY: Duration = Duration::from_micros(500);
/// Age when less than a quarter of the space is free.
const TIGHT_GAP: Epoch = 2_000_000_000 * UNITS_PER_NS;
/// How long an action asked for by the pool service is worked on before it is answered.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long writes under way may keep a snapshot from being made.
const CLOSE_PATIENCE: Duration = Duration::from_secs(30);
/// Looks after all shares of a target until it ends.
pub async fn run(target: Weak<Target>, gap: Duration) {
    let gap = u64::try_from(gap.as_nanos()).unwrap_or(u64::MAX).saturating_mul(UNITS_PER_NS);
    let Some(runtime) = target.upgrade().map(|target| target.runtime.clone()) else { return };
    loop {
        runtime.sleep(TICK).await;
        let Some(strong) = target.upgrade() else { return };
        for share in strong.share_list() {
            let tight = share.is_tight();
            let age = if tight { gap.min(TIGHT_GAP) } else { gap };
            let wanted = strong.clock.now().saturating_sub(age);
            merge_share(&strong, Rc::downgrade(&share), wanted, tight).await;
        }
    }
}

/// Merges a share's versions that nobody needs, at once; whether that gave space.
pub async fn relieve(target: &Rc<Target>, share: &Rc<Share>) -> bool {
    let free = |share: &Share| {
        share.store().map_or(0, |store| {
            let space = store.vos.space();
            space.arena_free + space.blob_free
        })
    };
    let before = free(share);
    merge_share(target, Rc::downgrade(share), target.clock.now(), true).await;
    free(share) > before
}

/// Merges what is due in a share up to `wanted`.
async fn merge_share(target: &Rc<Target>, share: Weak<Share>, wanted: Epoch, urgent: bool) {
    let Some(conts) = share.upgrade().and_then(|share| share.store().ok()?.vos.containers().ok()) else { return };
    for uuid in conts {
        let Some(strong) = share.upgrade() else { return };
        let history = strong.history(uuid);
        let pool = strong.pool;
        if let Some(opened) = strong.known(uuid) {
            history.note_written(opened.dtx.newest.get());
        }
        drop(strong);
        if !history.is_due(wanted) {
            continue;
        }
        if !urgent || !history.allows_background() {
            match target.fetch_history(pool, uuid).await {
                Ok(word) => history.learn(word),
                Err(error) => {
                    tracing::debug!("target {}: container {uuid} is not aggregated: {error}", target.index);
                    continue;
                }
            }
        }
        if history.allows_background()
            && let Err(error) = merge_container(target, &share, uuid, &history, wanted, urgent).await
            && !matches!(error.code(), Der::CONT_NONEXIST | Der::CONT_DESTROYING)
        {
            tracing::error!("target {}: aggregating container {uuid}: {error}", target.index);
        }
    }
}

async fn merge_container(
    target: &Rc<Target>,
    share: &Weak<Share>,
    uuid: Uuid,
    history: &History,
    wanted: Epoch,
    urgent: bool,
) -> Result<()> {
    loop {
        let Some(strong) = share.upgrade() else { return Ok(()) };
        let cont = strong.container(uuid)?;
        drop(strong);
        if history.aggregate(&cont, wanted, STEPS)? != Progress::More {
            return Ok(());
        }
        drop(cont);
        let busy = !urgent && target.requests.used() > 0;
        target.runtime.sleep(if busy { COURTESY } else { Duration::ZERO }).await;
    }
}

impl Target {
    /// Does what the pool service asks of a container's history; whether it is done.
    ///
    /// # Errors
    /// As [`Target::share`]; `BUSY`: a write under way keeps a snapshot from being made; `HLC_SYNC`; `IO`.
    pub async fn act_on_history(self: &Rc<Self>, pool: Uuid, cont: Uuid, action: HistoryAction) -> Result<bool> {
        let share = self.share(pool)?;
        share.store()?;
        let history = share.history(cont);
        match action {
            HistoryAction::Hold(stamp) => history.hold(stamp),
            HistoryAction::Learn(word) => history.learn(word),
            HistoryAction::Close(epoch) => self.close_history(&history, &share.container(cont)?, epoch).await?,
            HistoryAction::Aggregate(epoch) => {
                return self
                    .work(|| match history.aggregate(&share.container(cont)?, epoch, STEPS)? {
                        Progress::Done => Ok(true),
                        Progress::More | Progress::Held => Ok(false),
                    })
                    .await;
            }
            HistoryAction::Discard { after, stamp } => {
                if !history.begin_discard(stamp) {
                    return Ok(false);
                }
                return self.work(|| history.discard(&share.container(cont)?, after, STEPS)).await;
            }
        }
        Ok(true)
    }

    /// Repeats a step until it is done, for a while.
    async fn work(&self, step: impl Fn() -> Result<bool>) -> Result<bool> {
        let deadline = Instant::now() + PATIENCE;
        while !step()? {
            if Instant::now() > deadline {
                return Ok(false);
            }
            self.runtime.sleep(Duration::ZERO).await;
        }
        Ok(true)
    }

    async fn close_history(&self, history: &History, cont: &VosCont, epoch: Epoch) -> Result<()> {
        self.clock.merge(epoch)?;
        let deadline = Instant::now() + CLOSE_PATIENCE;
        while !history.close(cont, epoch)? {
            if Instant::now() > deadline {
                return Err(Der::BUSY.err(format!("target {}: writes before the snapshot do not end", self.index)));
            }
            self.runtime.sleep(Duration::from_micros(200)).await;
        }
        Ok(())
    }
}
