//! `daos_init`, `daos_fini`, `daos_reinit`.

use crate::call::answer;
use crate::queue::{self, Queue};
use crate::{handles, log};
use daos_client::{context, process};
use std::ffi::c_int;

daos_export::export! { Der;
    fn daos_init() -> c_int {
        log::start();
        let rc = answer(process::init());
        queue::watch_forks();
        rc
    }

    fn daos_fini() -> c_int {
        answer(process::fini().map(|last| {
            if last {
                handles::clear();
                Queue::close_hidden();
                context::close_thread_context();
            }
        }))
    }

    fn daos_reinit() -> c_int {
        answer(process::reinit())
    }
}
