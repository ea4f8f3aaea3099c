//! Makes the bindings from the public headers, and one import library per shared library of the C ABI.
//!
//! An import library has the soname and the symbols of the real library and nothing behind them: a program can be
//! linked with `-ldaos` before, and without, building the real one. Calling into it traps.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// (library in the symbol table, file name, soname if it has one)
const LIBRARIES: [(&str, &str, Option<&str>); 5] = [
    ("libdaos", "libdaos.so", Some("libdaos.so.2")),
    ("libdaos_common", "libdaos_common.so", None),
    ("libgurt", "libgurt.so", Some("libgurt.so.4")),
    ("libdfs", "libdfs.so", None),
    ("libduns", "libduns.so", None),
];

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let include = here.join("../../include");
    let table = here.join("../../compat-tests/abi/functions.tsv");
    println!("cargo:rerun-if-changed=wrapper.h");
    println!("cargo:rerun-if-changed={}", include.display());
    println!("cargo:rerun-if-changed={}", table.display());

    make_bindings(&here, &include, &out);
    let import_dir = out.join("import");
    fs::create_dir_all(&import_dir).expect("can't make the folder of the import libraries");
    make_import_libraries(&table, &import_dir);
    println!("cargo:import_dir={}", import_dir.display());
    println!("cargo:include={}", include.display());
}

fn make_bindings(here: &Path, include: &Path, out: &Path) {
    bindgen::Builder::default()
        .header(here.join("wrapper.h").to_str().expect("UTF-8 path"))
        .clang_arg(format!("-I{}", include.display()))
        .allowlist_file(format!("{}/.*", include.display()))
        .allowlist_file(".*/daos-sys/../../include/.*")
        // bindgen takes the values for i32; lib.rs has them as the u64 that they are.
        .blocklist_item("DAOS_EPOCH_MAX|DFS_MAX_FSIZE")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .derive_default(true)
        .derive_copy(true)
        .derive_debug(true)
        .layout_tests(false)
        .generate_comments(true)
        .merge_extern_blocks(true)
        .use_core()
        .generate()
        .expect("bindgen can't read include/ (see its message above; libclang is needed: apt install libclang-dev)")
        .write_to_file(out.join("bindings.rs"))
        .expect("can't write bindings.rs");
}

fn make_import_libraries(table: &Path, import_dir: &Path) {
    let text = fs::read_to_string(table).unwrap_or_else(|e| panic!("can't read {}: {e}", table.display()));
    let mut sources: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let column: Vec<&str> = line.split('\t').collect();
        let [_, library, symbol, _, kind, _, _, note] = column[..] else { panic!("symbol table: {line}") };
        let source = sources.entry(library).or_default();
        match kind {
            "function" | "weak alias symbol" => writeln!(source, "void {symbol}(void) {{ __builtin_trap(); }}"),
            "data object" => {
                let size: usize = note.trim_start_matches("size ").parse().expect("a data object has its size");
                writeln!(source, "char {symbol}[{size}] __attribute__((aligned(8)));")
            }
            _ => Ok(()),
        }
        .expect("a String takes everything");
    }
    let compiler = cc::Build::new().get_compiler();
    for (library, file, soname) in LIBRARIES {
        let source = import_dir.join(format!("{library}.c"));
        fs::write(&source, &sources[library]).expect("can't write the import library's source");
        let mut command = compiler.to_command();
        command.args(["-shared", "-fPIC", "-fno-builtin", "-w", "-g0", "-O1", "-nostdlib"]);
        if let Some(soname) = soname {
            command.arg(format!("-Wl,-soname,{soname}"));
        }
        let status =
            command.arg(&source).arg("-o").arg(import_dir.join(file)).status().expect("can't run the C compiler");
        assert!(status.success(), "the C compiler can't make the import library {file}");
    }
}
