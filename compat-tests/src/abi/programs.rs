//! Programs in C that show behaviour of the libraries: each `compat-tests/abi/*.c` is compiled against the headers, linked
//! with the built libraries, and must exit 0.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a program is linked with, by its name.
const LIBRARIES: [(&str, &[&str]); 6] = [
    ("gurt", &["-lgurt"]),
    ("heap", &["-lgurt"]),
    ("common", &["-ldaos_common", "-lgurt", "-luuid"]),
    ("nulls", &["-ldaos_common", "-lgurt", "-luuid"]),
    ("rest", &["-ldaos_common", "-lgurt", "-luuid"]),
    ("tse", &["-ldaos_common", "-lgurt"]),
];

/// Runs the programs; returns how many failed.
pub fn run(sources: &Path, include: &Path, library_folder: &Path) -> Result<usize, String> {
    let folder = tempfile::tempdir().map_err(|e| format!("can't make a temporary folder: {e}"))?;
    let mut failed = 0;
    for (name, libraries) in LIBRARIES {
        let binary = folder.path().join(name);
        compile(&sources.join(format!("{name}.c")), &binary, include, library_folder, libraries)?;
        // Cargo's own folders, which have no sonames, must not come first.
        let status = Command::new(&binary)
            .env("LD_LIBRARY_PATH", library_folder)
            .status()
            .map_err(|e| format!("can't run the program {name}: {e}"))?;
        if !status.success() {
            println!("differs: the program {name}.c: {status} (its message is above)");
            failed += 1;
        }
    }
    println!("programs: {} run, {failed} failed", LIBRARIES.len());
    Ok(failed)
}

fn compile(
    source: &Path,
    binary: &Path,
    include: &Path,
    library_folder: &Path,
    libraries: &[&str],
) -> Result<(), String> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let rpath: PathBuf = library_folder.canonicalize().map_err(|e| format!("{}: {e}", library_folder.display()))?;
    let output = Command::new(&compiler)
        .args(["-std=gnu11", "-Wall", "-Werror", "-g", "-O1", "-I"])
        .arg(include)
        .arg(source)
        .arg("-L")
        .arg(&rpath)
        .args(libraries)
        .arg(format!("-Wl,-rpath,{}", rpath.display()))
        .arg("-o")
        .arg(binary)
        .output()
        .map_err(|e| format!("can't run {compiler}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{} can't be built:\n{}", source.display(), String::from_utf8_lossy(&output.stderr)))
}
