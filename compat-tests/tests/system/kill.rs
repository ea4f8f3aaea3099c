//! kill -9 of the engine at random moments while a writer runs: nothing acknowledged is lost or torn.

use crate::harness::{System, compile, text, tree};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Kills in one run; DAOS_KILLS lengthens it.
const KILLS: u32 = 200;

/// Aim: every record whose update returned 0 is whole after 200 kills, and no record is ever half there. The seed of the
/// moments is printed; DAOS_KILL_SEED replays it (the machine's own timing stays).
#[test]
fn acknowledged_records_survive_kill() {
    let kills = std::env::var("DAOS_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let mut seed: u64 = match std::env::var("DAOS_KILL_SEED").ok().and_then(|text| text.parse().ok()) {
        Some(seed) => seed,
        None => std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_nanos() as u64,
    };
    println!("seed {seed}, {kills} kills");
    let system = System::start(&[]);
    let program = compile(&tree().join("compat-tests/c/records.c"), &["daos", "daos_common", "gurt"], system.dir());

    let mut writer = system.command(&program);
    let mut writer = writer.args(["write", "1"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    let acked = Arc::new(Mutex::new(Vec::<u64>::new()));
    let collector = {
        let acked = Arc::clone(&acked);
        let stdout = writer.stdout.take().expect("piped");
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(number) = line.strip_prefix("ack ").and_then(|text| text.parse().ok()) {
                    acked.lock().expect("no panic holds it").push(number);
                }
            }
        })
    };

    let mut engines = system.engines();
    assert_eq!(engines.len(), 1, "one engine runs");
    for kill in 0..kills {
        let before = acked.lock().expect("no panic holds it").len();
        // A kill counts when the writer got somewhere since the last one.
        let mut waited = Duration::ZERO;
        while acked.lock().expect("no panic holds it").len() == before {
            assert!(waited < Duration::from_secs(60), "the writer makes no progress after {kill} kills");
            assert!(writer.try_wait().expect("a child").is_none(), "the writer ended after {kill} kills");
            std::thread::sleep(Duration::from_millis(2));
            waited += Duration::from_millis(2);
        }
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        std::thread::sleep(Duration::from_micros((seed >> 33) % 50_000));
        engines.iter().copied().for_each(crate::harness::kill);
        let fresh = system.wait_for_new_engine(&engines, Duration::from_secs(60));
        engines = vec![fresh.unwrap_or_else(|| panic!("the server did not restart the engine after kill {kill}"))];
    }
    let _ = writer.kill();
    let _ = writer.wait();
    collector.join().expect("the collector ends");

    let numbers = acked.lock().expect("no panic holds it").clone();
    let list = system.dir().join("acked");
    let mut file = std::fs::File::create(&list).expect("a file");
    numbers.iter().for_each(|number| writeln!(file, "{number}").expect("written"));
    let output = system.command(&program).arg("verify").arg(&list).output().expect("it runs");
    println!("{} kills: {}", kills, text(&output.stdout).trim());
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
