//! Aim: every public header compiles alone, as C and as C++, with gcc and clang, without a warning; and the bindings that
//! bindgen makes of them have the layouts of the reference.

use std::path::{Path, PathBuf};
use std::process::Command;

fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../include")
}

fn headers(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("include/ is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            headers(&path, found);
        } else if path.extension().is_some_and(|e| e == "h") {
            found.push(path.strip_prefix(include()).expect("below include/").to_path_buf());
        }
    }
}

/// Compiles each header in a function of one translation unit's own; returns the compiler's complaints.
fn complaints(compiler: &[&str], selected: &[PathBuf]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sources: Vec<PathBuf> = (selected.iter().enumerate())
        .map(|(number, header)| {
            let source = folder.path().join(format!("h{number}.c"));
            // Twice: the include guard holds.
            let text = format!("#include <{0}>\n#include <{0}>\nint unused{number};\n", header.display());
            std::fs::write(&source, text).expect("a file");
            source
        })
        .collect();
    let output = Command::new(compiler[0])
        .args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only"])
        .args(&compiler[1..])
        .arg("-I")
        .arg(include())
        .args(&sources)
        .output();
    match output {
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && compiler[0].starts_with("clang") => String::new(),
        Err(e) => format!("{}: {e}", compiler[0]),
    }
}

#[test]
fn headers_compile_alone_in_c_and_cxx() {
    let mut all = Vec::new();
    headers(&include(), &mut all);
    assert!(all.len() >= 40, "{} headers", all.len());
    for compiler in [
        &["cc", "-std=gnu99"][..],
        &["c++", "-xc++", "-std=c++14"],
        &["clang", "-std=gnu11"],
        // Zero-length arrays have a size in C++: clang says so for every union that ends in one.
        &["clang++", "-xc++", "-std=c++17", "-Wno-extern-c-compat"],
    ] {
        let said = complaints(compiler, &all);
        assert!(said.is_empty(), "{compiler:?}:\n{said}");
    }
}

#[test]
fn the_api_proper_is_standard_c() {
    let api = ["daos.h", "daos_fs.h", "daos_fs_sys.h", "daos_uns.h", "daos_pipeline.h", "daos_s3.h"].map(PathBuf::from);
    let said = complaints(&["cc", "-std=c11", "-pedantic"], &api);
    assert!(said.is_empty(), "{said}");
}

#[test]
fn bindings_have_the_layouts() {
    use std::mem::{offset_of, size_of};
    assert_eq!(size_of::<daos_sys::daos_event_t>(), 176);
    assert_eq!(size_of::<daos_sys::daos_anchor_t>(), 120);
    assert_eq!(size_of::<daos_sys::daos_iod_t>(), 64);
    assert_eq!(size_of::<daos_sys::tse_task_t>(), 1024);
    assert_eq!(size_of::<daos_sys::d_hash_table>(), 96);
    assert_eq!(size_of::<daos_sys::daos_ace>(), 32);
    assert_eq!(size_of::<daos_sys::daos_sys_info>(), 4256);
    assert_eq!(offset_of!(daos_sys::daos_iod_t, iod_recxs), 56);
    assert_eq!(daos_sys::DAOS_EPOCH_MAX, u64::MAX);
}
