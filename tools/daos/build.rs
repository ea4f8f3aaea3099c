//! Links against the libraries of the C ABI that the tool calls.
fn main() {
    daos_export::build::link_to(&["daos", "dfs"]);
}
