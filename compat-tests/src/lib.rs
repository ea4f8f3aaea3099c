//! Tests against the reference: the ABI check (`src/abi`) and builds of unmodified consumers (`consumers`).
#![forbid(unsafe_code)]
