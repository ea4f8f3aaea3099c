//! Stubs, soname, link arguments: see `daos-export`.
fn main() {
    daos_export::build::cdylib("libdaos");
    daos_export::build::need(&["daos_common", "gurt"]);
}
