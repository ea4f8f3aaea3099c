//! `api-models`: random calls of the C API against plain models in memory: `api-models object|array|kv|pipeline`.
//!
//! Runs on the system that the environment names (`DAOS_POOL`, `DAOS_CONT`; see `daos_server dev`). `SEED` replays a run,
//! `STEPS` lengthens it. It prints the seed first and says at which step a call and its model part.

mod array;
mod c;
mod kv;
mod object;
mod pipeline;
mod random;

use c::Session;
use random::Random;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

fn main() {
    let which = std::env::args().nth(1).unwrap_or_default();
    let (run, steps): (fn(&Session, &mut Random, u64), u64) = match which.as_str() {
        "object" => (object::run, 1500),
        "array" => (array::run, 600),
        "kv" => (kv::run, 1500),
        "pipeline" => (pipeline::run, 300),
        _ => {
            eprintln!("usage: api-models object|array|kv|pipeline");
            std::process::exit(2);
        }
    };
    let seed = number("SEED").unwrap_or(20_261_125);
    let steps = number("STEPS").unwrap_or(steps);
    println!("SEED={seed} STEPS={steps}");
    let session = Session::open();
    run(&session, &mut Random::new(seed), steps);
    session.close();
    println!("ok");
}
