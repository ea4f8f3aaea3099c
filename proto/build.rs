//! Compiles proto/ with protox (no protoc needed): messages always, the gRPC services with feature `grpc`.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=proto");
    let root = Path::new("proto");
    let mut files = Vec::new();
    collect(root, &mut files);
    files.sort();
    let descriptors = match protox::compile(&files, [root]) {
        Ok(descriptors) => descriptors,
        Err(error) => panic!("proto files do not compile: {error:?}"),
    };
    let services = std::env::var_os("CARGO_FEATURE_GRPC").is_some();
    tonic_prost_build::configure()
        .build_client(services)
        .build_server(services)
        .generate_default_stubs(true)
        .include_file("packages.rs")
        .compile_fds(descriptors)
        .unwrap_or_else(|error| panic!("code generation from the proto files failed: {error}"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
}
