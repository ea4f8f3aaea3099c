//! Recording of how long steps of operations take: `daos/profile.h`.
//!
//! A profile has one series per step. A series adds up `dp_avg` values, then stores their mean in its current chunk of
//! 10,240 means; at most 100 chunks, after which the oldest is used again. A dump appends every mean as a line `step mean`
//! to `profile-<rank>-<target>.dump` and empties the series. Not for several threads at once.

use crate::der;
use crate::memory::{c_string, free, zeroed_array};
use daos_common::Der;
use daos_export::export;
use daos_sys::{PF_MAX_CNT, d_list_head, daos_profile, daos_profile_chunk, daos_profile_op};
use libc::{c_char, c_int};
use std::ffi::{CStr, OsStr};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::slice;

const CHUNK_MEANS: u32 = 10_240;
const CHUNKS_MAX: c_int = 100;

/// The steps, by number.
const STEPS: [&CStr; PF_MAX_CNT as usize] = [
    c"update_prep",
    c"update_dispatch",
    c"update_local",
    c"update_end",
    c"bulk_transfer",
    c"update_repl",
    c"update",
    c"vos_update_end",
];

/// # Safety
/// A link of this module's.
unsafe fn init(head: *mut d_list_head) {
    // SAFETY: as the caller says.
    unsafe {
        (*head).next = head;
        (*head).prev = head;
    }
}

/// Moves a link from where it is to the end of a list.
///
/// # Safety
/// A link in a list (or pointing at itself) and a list's head.
unsafe fn move_to_tail(link: *mut d_list_head, head: *mut d_list_head) {
    // SAFETY: as the caller says.
    unsafe {
        (*(*link).prev).next = (*link).next;
        (*(*link).next).prev = (*link).prev;
        let last = (*head).prev;
        (*link).prev = last;
        (*link).next = head;
        (*last).next = link;
        (*head).prev = link;
    }
}

/// The chunks of a list; the link is a chunk's first member.
///
/// # Safety
/// A list of this module's.
unsafe fn chunks(head: *mut d_list_head) -> Vec<*mut daos_profile_chunk> {
    const { assert!(std::mem::offset_of!(daos_profile_chunk, dpc_chunk_list) == 0) };
    let mut found = Vec::new();
    // SAFETY: as the caller says.
    unsafe {
        let mut link = (*head).next;
        while link != head && !link.is_null() {
            found.push(link.cast());
            link = (*link).next;
        }
    }
    found
}

fn new_chunk() -> Option<*mut daos_profile_chunk> {
    let chunk: *mut daos_profile_chunk = zeroed_array(1);
    if chunk.is_null() {
        return None;
    }
    // SAFETY: fresh memory.
    unsafe {
        (*chunk).dpc_chunks = zeroed_array(CHUNK_MEANS as usize);
        if (*chunk).dpc_chunks.is_null() {
            free(chunk);
            return None;
        }
        (*chunk).dpc_chunk_size = CHUNK_MEANS;
        init(&raw mut (*chunk).dpc_chunk_list);
    }
    Some(chunk)
}

/// Gives a series an empty chunk to go on with: an idle one, a new one, or its oldest.
///
/// # Safety
/// A series of a profile.
unsafe fn next_chunk(series: *mut daos_profile_op) -> Result<(), Der> {
    // SAFETY: as the caller says.
    unsafe {
        let (list, idle) = (&raw mut (*series).dpo_chunk_list, &raw mut (*series).dpo_chunk_idle_list);
        let chunk = if let Some(chunk) = chunks(idle).first() {
            (*series).dpo_chunk_cnt += 1;
            *chunk
        } else if (*series).dpo_chunk_total_cnt < CHUNKS_MAX {
            let chunk = new_chunk().ok_or(Der::NOMEM)?;
            (*series).dpo_chunk_total_cnt += 1;
            (*series).dpo_chunk_cnt += 1;
            chunk
        } else {
            *chunks(list).first().ok_or(Der::INVAL)?
        };
        (*chunk).dpc_chunk_offset = 0;
        move_to_tail(&raw mut (*chunk).dpc_chunk_list, list);
        (*series).dpo_current_chunk = chunk;
    }
    Ok(())
}

/// Stores the mean of what was added up.
///
/// # Safety
/// A series of a profile.
unsafe fn settle(series: *mut daos_profile_op) -> Result<(), Der> {
    // SAFETY: as the caller says; the offset is below the chunk's size.
    unsafe {
        if (*series).dpo_acc_cnt == 0 {
            return Ok(());
        }
        if (*(*series).dpo_current_chunk).dpc_chunk_offset >= CHUNK_MEANS {
            next_chunk(series)?;
        }
        let chunk = &mut *(*series).dpo_current_chunk;
        let mean = (*series).dpo_acc_val / (*series).dpo_acc_cnt;
        chunk.dpc_chunks.add(chunk.dpc_chunk_offset as usize).write(mean as u64);
        chunk.dpc_chunk_offset += 1;
        (*series).dpo_acc_cnt = 0;
        (*series).dpo_acc_val = 0;
    }
    Ok(())
}

/// The lines of a series, which is empty after that.
///
/// # Safety
/// A series of a profile.
unsafe fn drain(series: *mut daos_profile_op, text: &mut String) {
    // SAFETY: as the caller says; means below a chunk's offset are written.
    unsafe {
        // Without room for the last mean it is lost: there is nobody to tell.
        let _ = settle(series);
        let name = CStr::from_ptr((*series).dpo_op_name).to_string_lossy().into_owned();
        for chunk in chunks(&raw mut (*series).dpo_chunk_list) {
            let means = slice::from_raw_parts((*chunk).dpc_chunks, (*chunk).dpc_chunk_offset as usize);
            for mean in means {
                let _ = writeln!(text, "{name} {mean}");
            }
            (*chunk).dpc_chunk_offset = 0;
            if chunk != (*series).dpo_current_chunk {
                (*series).dpo_chunk_cnt -= 1;
                move_to_tail(&raw mut (*chunk).dpc_chunk_list, &raw mut (*series).dpo_chunk_idle_list);
            }
        }
    }
}

/// # Safety
/// A profile of `daos_profile_init`.
unsafe fn series(profile: *mut daos_profile) -> Vec<*mut daos_profile_op> {
    // SAFETY: an array of that many series.
    unsafe { (0..(*profile).dp_ops_cnt.max(0) as usize).map(|at| (*profile).dp_ops.add(at)).collect() }
}

fn append(path: &PathBuf, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

/// A profile with one empty chunk per step.
///
/// # Safety
/// `profile` is fresh zeroed memory; `path` NULL or a C string.
unsafe fn build(profile: *mut daos_profile, path: *const c_char) -> Result<(), Der> {
    // SAFETY: as the caller says.
    unsafe {
        (*profile).dp_ops = zeroed_array(STEPS.len());
        if (*profile).dp_ops.is_null() {
            return Err(Der::NOMEM);
        }
        (*profile).dp_ops_cnt = STEPS.len() as c_int;
        for one in series(profile) {
            init(&raw mut (*one).dpo_chunk_list);
            init(&raw mut (*one).dpo_chunk_idle_list);
        }
        for (number, (one, step)) in series(profile).into_iter().zip(STEPS).enumerate() {
            (*one).dpo_op = number as c_int;
            (*one).dpo_op_name = step.as_ptr().cast_mut();
            next_chunk(one)?;
        }
        if !path.is_null() {
            (*profile).dp_dir_path = c_string(CStr::from_ptr(path).to_bytes());
            if (*profile).dp_dir_path.is_null() {
                return Err(Der::NOMEM);
            }
        }
    }
    Ok(())
}

export! { Der;
    fn daos_profile_init(
        dp_p: *mut *mut daos_profile, path: *mut c_char, avg: c_int, rank: c_int, tgt_id: c_int,
    ) -> c_int {
        if dp_p.is_null() {
            return der(Der::INVAL);
        }
        let profile: *mut daos_profile = zeroed_array(1);
        if profile.is_null() {
            return der(Der::NOMEM);
        }
        // SAFETY: fresh memory; the path is NULL or a C string of the caller's; the place of the result is the caller's.
        unsafe {
            if let Err(code) = build(profile, path) {
                daos_profile_destroy(profile);
                return der(code);
            }
            (*profile).dp_avg = avg;
            (*profile).dp_rank = rank;
            (*profile).dp_xid = tgt_id;
            (*profile).set_dp_empty(1);
            dp_p.write(profile);
        }
        0
    }

    fn daos_profile_count(dp: *mut daos_profile, id: c_int, val: c_int) -> c_int {
        // SAFETY: NULL or a profile of daos_profile_init().
        unsafe {
            if dp.is_null() || id < 0 || id >= (*dp).dp_ops_cnt {
                return der(Der::INVAL);
            }
            let one = (*dp).dp_ops.add(id as usize);
            (*one).dpo_acc_val = (*one).dpo_acc_val.saturating_add(val);
            (*one).dpo_acc_cnt = (*one).dpo_acc_cnt.saturating_add(1);
            if (*dp).dp_avg != -1
                && (*one).dpo_acc_cnt >= (*dp).dp_avg
                && let Err(code) = settle(one)
            {
                return der(code);
            }
        }
        0
    }

    fn daos_profile_dump(dp: *mut daos_profile) {
        if dp.is_null() {
            return;
        }
        let mut text = String::new();
        // SAFETY: a profile of daos_profile_init().
        let path = unsafe {
            for one in series(dp) {
                drain(one, &mut text);
            }
            let folder = match (*dp).dp_dir_path.is_null() {
                true => PathBuf::from("."),
                false => PathBuf::from(OsStr::from_bytes(CStr::from_ptr((*dp).dp_dir_path).to_bytes())),
            };
            folder.join(format!("profile-{}-{}.dump", (*dp).dp_rank, (*dp).dp_xid))
        };
        if text.is_empty() {
            return;
        }
        // SAFETY: as above.
        unsafe { (*dp).set_dp_empty(0) };
        if let Err(error) = append(&path, &text) {
            eprintln!("daos: the profile {} can't be written: {error}", path.display());
            // Half a dump would pass for a whole one.
            let _ = fs::metadata(&path).is_ok_and(|found| found.len() == 0 && fs::remove_file(&path).is_ok());
        }
    }

    fn daos_profile_destroy(dp: *mut daos_profile) {
        if dp.is_null() {
            return;
        }
        // SAFETY: a profile of daos_profile_init() that the caller gives up.
        unsafe {
            for one in series(dp) {
                let (list, idle) = (&raw mut (*one).dpo_chunk_list, &raw mut (*one).dpo_chunk_idle_list);
                for chunk in chunks(list).into_iter().chain(chunks(idle)) {
                    free((*chunk).dpc_chunks);
                    free(chunk);
                }
            }
            free((*dp).dp_ops);
            free((*dp).dp_dir_path);
            free(dp);
        }
    }
}
