//! Links `api-models`, and nothing else here, to the library that it calls.

fn main() {
    let dir = std::env::var("DEP_DAOS_SYS_IMPORT_DIR").expect("daos-sys must be a direct dependency of this crate");
    for argument in [&format!("-L{dir}"), "-ldaos", "-Wl,-rpath,$ORIGIN:$ORIGIN/../lib"] {
        println!("cargo:rustc-link-arg-bin=api-models={argument}");
    }
}
