//! Stubs, soname, link arguments: see `daos-export`.
fn main() {
    daos_export::build::cdylib("libdaos");
    daos_export::build::link_to(&["daos_common", "gurt"]);
}
