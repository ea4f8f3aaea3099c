//! Forks of processes that use DAOS: under load, by Python's multiprocessing, and by a shell with the libraries preloaded.

use crate::harness::{System, compile, stage, text, tree};

/// Forks of the test under load.
const FORKS: u32 = 1000;

/// Aim: of a thousand children that are forked while three threads are in all parts of the library none hangs, and those
/// that attach anew work.
#[test]
fn children_under_load_work() {
    let system = System::start(&[]);
    let program = compile(&tree().join("compat-tests/c/fork/fork.c"), &["daos", "daos_common", "gurt"], system.dir());
    let output = system.command(&program).arg(FORKS.to_string()).output().expect("it runs");
    println!("{}", text(&output.stdout));
    assert!(output.status.success(), "{}{}", output.status, text(&output.stderr));
}

/// Aim: workers of Python's multiprocessing, forked from an attached process, attach anew and share its handles.
#[test]
fn python_workers_work() {
    let system = System::start(&[]);
    let script = tree().join("compat-tests/c/fork/multiprocessing_test.py");
    let output = system.command("python3").arg(script).output().expect("it runs");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("60 tasks"), "{}", text(&output.stdout));
}

/// Aim: a shell that forks all the time is none the wiser with every library preloaded.
#[test]
fn preloaded_shells_work() {
    let system = System::start(&[]);
    let lib = stage().join("lib");
    let preload = ["libdaos.so", "libdaos_common.so", "libgurt.so", "libdfs.so", "libduns.so"]
        .map(|name| lib.join(name).display().to_string())
        .join(":");
    let script =
        "n=0; for i in 1 2 3 4 5 6 7 8 9 10; do n=$((n + $(echo $i | cat | wc -l))); done; (exit 3); echo $n $?";
    let output = system.command("bash").args(["-c", script]).env("LD_PRELOAD", preload).output().expect("it runs");
    assert_eq!(text(&output.stdout), "10 3\n", "{}", text(&output.stderr));
}
