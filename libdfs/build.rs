//! Stubs, soname, link arguments: see `daos-export`.
fn main() {
    daos_export::build::cdylib("libdfs");
    daos_export::build::need(&["daos", "daos_common", "gurt"]);
}
