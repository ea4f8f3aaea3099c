//! House style that no other tool keeps: file length, open ends, crates and files that say what they are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest Rust file, in lines.
const FILE_LINES_MAX: usize = 800;

fn tracked(pattern: &str) -> Vec<PathBuf> {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new("git").args(["ls-files", pattern]).current_dir(&tree).output().expect("git runs");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| tree.join(line)).filter(|path| path.exists()).collect()
}

/// Aim: every Rust file has a bearable length, opens with what it is, and leaves no open end.
#[test]
fn rust_files_are_tidy() {
    let mut wrong = Vec::new();
    // Split so that this file doesn't match itself.
    let open_ends = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("FIX", "ME"), concat!("XX", "X")];
    let files = tracked("*.rs");
    assert!(files.len() > 100, "only {} Rust files found", files.len());
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let name = path.display();
        if text.lines().count() > FILE_LINES_MAX {
            wrong.push(format!("{name}: {} lines; is it really one idea?", text.lines().count()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{name}: does not open with what it is (//!)"));
        }
        for word in open_ends {
            if let Some(line) = text.lines().position(|line| line.contains(word)) {
                wrong.push(format!("{name}:{}: {word}", line + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
