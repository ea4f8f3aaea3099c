//! Stubs, soname, link arguments: see `daos-export`.
fn main() {
    daos_export::build::cdylib("libduns");
    daos_export::build::need(&["dfs", "daos", "daos_common", "gurt"]);
}
