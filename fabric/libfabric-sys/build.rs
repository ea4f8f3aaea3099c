//! Finds libfabric (1.17 or later), makes bindings of what `src/shim.h` names, and compiles the calls that libfabric
//! has only as inline functions in its headers.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=src/shim.h");
    println!("cargo:rerun-if-changed=src/shim.c");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");

    let include_flags = pkg_config(&["--cflags-only-I"]);
    let include_dirs: Vec<&str> = include_flags.iter().filter_map(|flag| flag.strip_prefix("-I")).collect();
    for flag in pkg_config(&["--libs"]) {
        if let Some(dir) = flag.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={dir}");
        }
    }

    cc::Build::new().file("src/shim.c").includes(&include_dirs).opt_level(2).warnings(true).compile("daos_lf_shim");
    // After the shim, which needs it.
    println!("cargo:rustc-link-lib=dylib=fabric");

    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    bindgen::Builder::default()
        .header("src/shim.h")
        .clang_args(include_dirs.iter().map(|dir| format!("-I{dir}")))
        .allowlist_function("lf_.*|fi_getinfo|fi_freeinfo|fi_dupinfo|fi_fabric|fi_strerror|fi_version")
        .allowlist_type("fi_info|fi_cq_msg_entry|fi_cq_err_entry|fi_cq_attr|fi_av_attr|fi_context2|fid_.*")
        .allowlist_var("LF_.*|FI_E[A-Z0-9]+|FI_MAJOR_VERSION|FI_MINOR_VERSION")
        .opaque_type("fi_ops_.*|fi_ops")
        .layout_tests(false)
        .generate_comments(false)
        .prepend_enum_name(false)
        .merge_extern_blocks(true)
        .generate()
        .expect("libfabric's headers (Debian: libfabric-dev, and libclang-dev for bindgen) make bindings")
        .write_to_file(out_dir.join("bindings.rs"))
        .expect("the bindings are writable");
}

/// What pkg-config says about libfabric; nothing when it is not installed (then the compiler's own paths must do).
fn pkg_config(args: &[&str]) -> Vec<String> {
    let output = Command::new("pkg-config").args(args).arg("libfabric").output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}
