//! C programs against the libraries, on one system.

use crate::harness::{System, compile, text, tree};
use std::path::PathBuf;

/// Aim: every C test of libdaos and libdfs holds.
#[test]
fn c_programs_hold() {
    let system = System::start(&[]);
    let mut sources: Vec<PathBuf> = ["compat-tests/c", "libdaos/tests/c"]
        .iter()
        .filter_map(|folder| std::fs::read_dir(tree().join(folder)).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "c") && !path.ends_with("records.c"))
        .collect();
    sources.sort();
    sources.push(tree().join("demo/demo.c"));
    let mut failed = Vec::new();
    for source in sources {
        let program = compile(&source, &["dfs", "duns", "daos", "daos_common", "gurt", "uuid"], system.dir());
        let output = system.command(&program).output().expect("it runs");
        println!("{}: {}\n{}", source.display(), output.status, text(&output.stdout));
        if !output.status.success() {
            failed.push(format!(
                "{}: {}\n{}{}",
                source.display(),
                output.status,
                text(&output.stdout),
                text(&output.stderr)
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
