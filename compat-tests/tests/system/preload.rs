//! LD_PRELOAD of our libraries in front of a program linked against others of the same names.

use crate::harness::{System, stage, text, tree};
use std::process::Command;

/// Aim: a program built against foreign libdaos.so.2 and libdfs.so (which answer -1 to everything) runs on ours when they
/// are preloaded.
#[test]
fn preloaded_libraries_win() {
    let system = System::start(&[]);
    let dir = system.dir().join("foreign");
    std::fs::create_dir(&dir).expect("a folder");
    let run = |command: &mut Command| {
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    };
    // The foreign libraries: the names that the program uses, each failing.
    for (name, soname, source) in [
        (
            "libdaos.so",
            "libdaos.so.2",
            "int daos_init(void) { return -1; } int daos_fini(void) { return -1; } \
            int daos_pool_connect2() { return -1; } int daos_pool_disconnect() { return -1; } \
            int daos_cont_open2() { return -1; } int daos_cont_close() { return -1; }",
        ),
        (
            "libdfs.so",
            "libdfs.so",
            "int dfs_mount() { return 1; } int dfs_umount() { return 1; } int dfs_mkdir() { return 1; } \
            int dfs_remove() { return 1; }",
        ),
    ] {
        let file = dir.join(name).with_extension("c");
        std::fs::write(&file, source).expect("written");
        run(Command::new("cc")
            .args(["-w", "-shared", "-fPIC", &format!("-Wl,-soname,{soname}"), "-o"])
            .arg(dir.join(name))
            .arg(&file));
    }
    std::os::unix::fs::symlink("libdaos.so", dir.join("libdaos.so.2")).expect("a link");
    let program = dir.join("program");
    run(Command::new("cc")
        .arg("-I")
        .arg(stage().join("include"))
        .arg(tree().join("compat-tests/c/preload/preload.c"))
        .arg("-L")
        .arg(&dir)
        .args(["-ldaos", "-ldfs", "-o"])
        .arg(&program));

    let alone = system.command(&program).env("LD_LIBRARY_PATH", &dir).output().expect("it runs");
    assert!(!alone.status.success(), "the foreign libraries do fail");
    let lib = stage().join("lib");
    let preload = format!("{}:{}", lib.join("libdaos.so.2").display(), lib.join("libdfs.so").display());
    let output =
        system.command(&program).env("LD_LIBRARY_PATH", &dir).env("LD_PRELOAD", preload).output().expect("it runs");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
