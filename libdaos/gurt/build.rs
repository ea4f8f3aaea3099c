//! Stubs, soname: see `daos-export`. The functions with variable arguments are C.
fn main() {
    daos_export::build::cdylib("libgurt");
    println!("cargo:rerun-if-changed=src/variadic.c");
    cc::Build::new()
        .file("src/variadic.c")
        .include("../../include")
        .flag_if_supported("-Wno-attributes")
        .compile("gurt_variadic");
}
