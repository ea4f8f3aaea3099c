//! Links against the import library of `libdaos.so`.
fn main() {
    if let Ok(dir) = std::env::var("DEP_DAOS_SYS_IMPORT_DIR") {
        println!("cargo:rustc-link-arg=-L{dir}");
    }
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN:$ORIGIN/../lib");
    println!("cargo:rustc-link-lib=dylib=daos");
}
