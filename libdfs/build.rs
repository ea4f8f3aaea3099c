//! Stubs, soname, link arguments: see `daos-export`.
fn main() {
    daos_export::build::cdylib("libdfs");
    daos_export::build::link_to(&["daos", "daos_common", "gurt"]);
}
