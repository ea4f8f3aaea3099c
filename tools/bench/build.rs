//! Links against the libraries it measures.
fn main() {
    daos_export::build::link_to(&["daos", "dfs"]);
}
