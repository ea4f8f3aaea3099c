//! Stubs, soname: see `daos-export`.
fn main() {
    daos_export::build::cdylib("libdaos");
}
