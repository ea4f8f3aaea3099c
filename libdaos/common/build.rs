//! Stubs, link arguments: see `daos-export`. Handle tables and the logger are libgurt's.
fn main() {
    daos_export::build::cdylib("libdaos_common");
    daos_export::build::need(&["gurt"]);
}
