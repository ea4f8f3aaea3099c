//! The array API against a vector of cells: ranges in any order, scattered buffers, holes, short reads, sizes, punches,
//! attributes, global handles, snapshots.

use crate::c::{EXIST, NONEXIST, Scatter, Session, Snapshot, ok};
use crate::random::Random;
use daos_sys::*;
use std::ptr::null_mut;

/// Cells that are written at most.
const CELLS: u64 = 1000;

/// A cell: its bytes, or a hole.
type Model = Vec<Option<Vec<u8>>>;

/// An open array and its model.
struct World<'a> {
    session: &'a Session,
    oh: daos_handle_t,
    oid: daos_obj_id_t,
    otype: daos_otype_t,
    cell: u64,
    chunk: u64,
    model: Model,
    snapshots: Vec<(Snapshot, Model)>,
}

fn size(model: &Model) -> u64 {
    model.iter().rposition(Option::is_some).map_or(0, |last| last as u64 + 1)
}

/// Runs the model on arrays of every type, and several cell and chunk sizes.
pub fn run(session: &Session, random: &mut Random, steps: u64) {
    let kinds = [
        (DAOS_OT_ARRAY_BYTE, 1, 64),
        (DAOS_OT_ARRAY_BYTE, 1, 1000),
        (DAOS_OT_ARRAY_ATTR, 8, 10),
        (DAOS_OT_ARRAY, 3, 77),
        (DAOS_OT_ARRAY, 1000, 7),
    ];
    for (otype, cell, chunk) in kinds {
        let mut world = World::open(session, otype, cell, chunk);
        for step in 0..steps / kinds.len() as u64 {
            world.step(random, &format!("type {otype} of {cell} bytes, {chunk} a chunk, step {step}"));
        }
        world.end();
    }
}

impl<'a> World<'a> {
    fn open(session: &'a Session, otype: daos_otype_t, cell: u64, chunk: u64) -> World<'a> {
        let (oid, mut oh) = (session.oid(otype, OC_SX), DAOS_HDL_INVAL);
        let coh = session.coh;
        let (mut got_cell, mut got_chunk) = (0, 0);
        // SAFETY: places that live through the calls.
        unsafe {
            if otype == DAOS_OT_ARRAY {
                let (cell_place, chunk_place) = (&mut got_cell, &mut got_chunk);
                let early =
                    daos_array_open(coh, oid, DAOS_TX_NONE, DAOS_OO_RW, cell_place, chunk_place, &mut oh, null_mut());
                assert_eq!(early, NONEXIST, "open before create");
                ok(daos_array_create(coh, oid, DAOS_TX_NONE, cell, chunk, &mut oh, null_mut()), "create");
                let again = daos_array_create(coh, oid, DAOS_TX_NONE, cell, chunk, &mut oh, null_mut());
                assert_eq!(again, EXIST, "create twice");
            } else {
                let mode = DAOS_OO_RW;
                ok(
                    daos_array_open_with_attr(coh, oid, DAOS_TX_NONE, mode, cell, chunk, &mut oh, null_mut()),
                    "open_with_attr",
                );
            }
        }
        let model = vec![None; CELLS as usize];
        World { session, oh, oid, otype, cell, chunk, model, snapshots: Vec::new() }
    }

    fn end(mut self) {
        // SAFETY: plain calls.
        unsafe {
            ok(daos_array_destroy(self.oh, DAOS_TX_NONE, null_mut()), "destroy");
            self.model.fill(None);
            let mut size = 1;
            ok(daos_array_get_size(self.oh, DAOS_TX_NONE, &mut size, null_mut()), "size");
            assert_eq!(size, 0, "size of a destroyed array");
            ok(daos_array_close(self.oh, null_mut()), "close");
        }
        self.snapshots.iter().for_each(|(snapshot, _)| self.session.drop_snapshot(snapshot));
    }

    fn view(&self, random: &mut Random) -> (daos_handle_t, &Model) {
        match self.snapshots.is_empty() || random.once_in(2) {
            true => (DAOS_TX_NONE, &self.model),
            false => {
                let (snapshot, model) = random.one(&self.snapshots);
                (snapshot.th, model)
            }
        }
    }

    fn step(&mut self, random: &mut Random, at: &str) {
        match random.below(16) {
            0..=4 => self.write(random, at),
            5..=9 => self.read(random, at),
            10 => self.punch(random, at),
            11 => self.set_size(random, at),
            12 | 13 => self.stat(random, at),
            14 => self.reopen(random, at),
            _ => {
                if self.snapshots.len() == 2 {
                    let (gone, _) = self.snapshots.swap_remove(0);
                    self.session.drop_snapshot(&gone);
                }
                self.snapshots.push((self.session.snapshot(), self.model.clone()));
            }
        }
    }

    /// Ranges and the descriptor of them.
    fn ranges(random: &mut Random) -> (Vec<daos_range_t>, Vec<usize>) {
        let extents = random.extents(CELLS, 5);
        let cells = extents.iter().flat_map(|&(idx, nr)| idx..idx + nr).map(|cell| cell as usize).collect();
        (extents.into_iter().map(|(rg_idx, rg_len)| daos_range_t { rg_idx, rg_len }).collect(), cells)
    }

    fn iod(ranges: &mut [daos_range_t]) -> daos_array_iod_t {
        let (arr_nr, arr_rgs) = (ranges.len() as u64, ranges.as_mut_ptr());
        daos_array_iod_t { arr_nr: arr_nr as _, arr_rgs, arr_nr_short_read: 99, arr_nr_read: 99 }
    }

    fn write(&mut self, random: &mut Random, at: &str) {
        let (mut ranges, cells) = World::ranges(random);
        let data = random.bytes(cells.len() as u64 * self.cell);
        let mut scattered = Scatter::new(random, &data);
        let (mut list, mut iod) = (scattered.list(), World::iod(&mut ranges));
        // SAFETY: everything passed lives through the call.
        ok(unsafe { daos_array_write(self.oh, DAOS_TX_NONE, &mut iod, &mut list, null_mut()) }, at);
        for (cell, data) in cells.into_iter().zip(data.chunks_exact(self.cell as usize)) {
            self.model[cell] = Some(data.to_vec());
        }
        if !scattered.last_is_empty() {
            list.sg_nr -= 1;
            // SAFETY: as above.
            let rc = unsafe { daos_array_write(self.oh, DAOS_TX_NONE, &mut iod, &mut list, null_mut()) };
            assert_eq!(rc, -1003, "{at}: a write of fewer bytes than its ranges have");
        }
    }

    fn read(&mut self, random: &mut Random, at: &str) {
        let (mut ranges, cells) = World::ranges(random);
        let (th, model) = self.view(random);
        let before = vec![0x5a; cells.len() * self.cell as usize];
        let mut scattered = Scatter::new(random, &before);
        let (mut list, mut iod) = (scattered.list(), World::iod(&mut ranges));
        // SAFETY: everything passed lives through the call.
        ok(unsafe { daos_array_read(self.oh, th, &mut iod, &mut list, null_mut()) }, at);
        let (got, end) = (scattered.bytes(), size(model) as usize);
        let bytes = self.otype == DAOS_OT_ARRAY_BYTE;
        for (cell, got) in cells.iter().zip(got.chunks_exact(self.cell as usize)) {
            let wanted = match &model[*cell] {
                Some(data) => data.clone(),
                None if bytes && *cell < end => vec![0; self.cell as usize],
                None => vec![0x5a; self.cell as usize],
            };
            assert_eq!(got, wanted, "{at}: cell {cell} of {end}");
        }
        let short = if bytes { cells.iter().filter(|cell| **cell >= end).count() as u64 } else { 0 };
        assert_eq!(iod.arr_nr_short_read, short, "{at}: short read");
        assert_eq!(iod.arr_nr_read, cells.len() as u64 - short, "{at}: cells read");
    }

    fn punch(&mut self, random: &mut Random, at: &str) {
        let (mut ranges, cells) = World::ranges(random);
        let mut iod = World::iod(&mut ranges);
        // SAFETY: everything passed lives through the call.
        ok(unsafe { daos_array_punch(self.oh, DAOS_TX_NONE, &mut iod, null_mut()) }, at);
        cells.into_iter().for_each(|cell| self.model[cell] = None);
    }

    fn set_size(&mut self, random: &mut Random, at: &str) {
        let wanted = random.below(CELLS) as usize;
        // SAFETY: a plain call.
        ok(unsafe { daos_array_set_size(self.oh, DAOS_TX_NONE, wanted as u64, null_mut()) }, at);
        self.model[wanted..].fill(None);
        if let Some(last) = wanted.checked_sub(1) {
            self.model[last].get_or_insert_with(|| vec![0; self.cell as usize]);
        }
    }

    fn stat(&mut self, random: &mut Random, at: &str) {
        let (th, model) = self.view(random);
        let (mut got, mut stat) = (0, daos_array_stbuf_t::default());
        // SAFETY: places that live through the calls.
        unsafe {
            ok(daos_array_get_size(self.oh, th, &mut got, null_mut()), at);
            ok(daos_array_stat(self.oh, th, &mut stat, null_mut()), at);
        }
        assert_eq!((got, stat.st_size), (size(model), size(model)), "{at}: size");
        assert!(got == 0 || stat.st_max_epoch > 0, "{at}: newest epoch");
    }

    /// Another handle of the same array: opened by its kept attributes, or from a global handle.
    fn reopen(&mut self, random: &mut Random, at: &str) {
        let (mut oh, mut cell, mut chunk) = (DAOS_HDL_INVAL, 0, 0);
        let coh = self.session.coh;
        // SAFETY: places that live through the calls.
        unsafe {
            if self.otype == DAOS_OT_ARRAY && random.once_in(2) {
                let (cell_place, chunk_place) = (&mut cell, &mut chunk);
                let (oid, mode) = (self.oid, DAOS_OO_RW);
                ok(daos_array_open(coh, oid, DAOS_TX_NONE, mode, cell_place, chunk_place, &mut oh, null_mut()), at);
            } else {
                let mut glob = d_iov_t::default();
                ok(daos_array_local2global(self.oh, &mut glob), at);
                let mut buffer = vec![0u8; glob.iov_buf_len];
                glob.iov_buf = buffer.as_mut_ptr().cast();
                ok(daos_array_local2global(self.oh, &mut glob), at);
                ok(daos_array_global2local(coh, glob, 0, &mut oh), at);
                ok(daos_array_get_attr(oh, &mut chunk, &mut cell), at);
            }
            assert_eq!((cell, chunk), (self.cell, self.chunk), "{at}: attributes");
            ok(daos_array_close(self.oh, null_mut()), at);
        }
        self.oh = oh;
    }
}
