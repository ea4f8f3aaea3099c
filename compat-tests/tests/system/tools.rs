//! The administrator's and the user's tools on a running system.

use crate::harness::{System, text};
use serde_json::Value;

/// Runs a tool with `--json`; its response.
fn ask(system: &System, tool: &str, arguments: &[&str]) -> Value {
    let output = system.tool(tool, &[&["--json"], arguments].concat());
    let said = text(&output.stdout);
    assert!(output.status.success(), "{tool} {arguments:?}: {said}{}", text(&output.stderr));
    let envelope: Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{tool} {arguments:?}: {error}: {said}"));
    assert_eq!(envelope["status"], 0, "{tool} {arguments:?}: {said}");
    envelope["response"].clone()
}

/// Runs a tool that must fail with this DER code; its message.
fn refused(system: &System, tool: &str, arguments: &[&str], code: i64) -> String {
    let output = system.tool(tool, &[&["--json"], arguments].concat());
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{tool} {arguments:?}: {said}");
    let envelope: Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{tool} {arguments:?}: {error}: {said}"));
    assert_eq!(envelope["status"], code, "{tool} {arguments:?}: {said}");
    envelope["error"].to_string()
}

/// Aim: a pool and a container live from creation to destruction by `dmg` and `daos`, in tables and in JSON, and wrong
/// names and doubles are refused with upstream's codes.
#[test]
fn pools_and_containers_by_the_tools() {
    let system = System::start(&["--size", "512M", "--data-size", "0"]);
    let members = ask(&system, "dmg", &["system", "query"]);
    assert_eq!(members["members"].as_array().map(Vec::len), Some(1), "{members}");

    // The pool of `dev` has all the space: it makes room for one by the tools.
    refused(&system, "dmg", &["pool", "query", "nothing"], -1005);
    ask(&system, "dmg", &["pool", "destroy", "dev", "--recursive", "--force"]);
    ask(&system, "dmg", &["pool", "create", "tank", "--scm-size", "128MiB"]);
    refused(&system, "dmg", &["pool", "create", "tank", "--scm-size", "64MiB"], -1004);
    let list = ask(&system, "dmg", &["pool", "list"]);
    assert!(list.to_string().contains("tank"), "{list}");
    let query = ask(&system, "dmg", &["pool", "query", "tank"]);
    assert_eq!(query["total_targets"], 2, "{query}");
    let acl = text(&system.tool("dmg", &["pool", "get-acl", "tank"]).stdout);
    assert!(acl.contains("OWNER@"), "{acl}");
    let table = text(&system.tool("dmg", &["pool", "list"]).stdout);
    assert!(table.contains("tank") && !table.contains('\u{1b}'), "a table without colours in a pipe: {table}");

    for kind in ["POSIX", "PYTHON"] {
        ask(&system, "daos", &["container", "create", "tank", &format!("c-{kind}"), "--type", kind]);
    }
    refused(&system, "daos", &["container", "create", "tank", "c-POSIX"], -1004);
    let list = ask(&system, "daos", &["container", "list", "tank"]);
    assert!(list.to_string().contains("c-POSIX") && list.to_string().contains("c-PYTHON"), "{list}");
    let query = ask(&system, "daos", &["container", "query", "tank", "c-POSIX"]);
    assert!(query.to_string().contains("c-POSIX"), "{query}");
    let query = ask(&system, "daos", &["pool", "query", "tank"]);
    assert_eq!(query["total_targets"], 2, "{query}");
    refused(&system, "dmg", &["pool", "destroy", "tank"], -1012);
    ask(&system, "daos", &["container", "destroy", "tank", "c-PYTHON"]);
    ask(&system, "daos", &["container", "destroy", "tank", "c-POSIX"]);
    refused(&system, "daos", &["container", "query", "tank", "c-POSIX"], -1005);
    ask(&system, "dmg", &["pool", "destroy", "tank"]);
    assert!(!ask(&system, "dmg", &["pool", "list"]).to_string().contains("tank"));
}
