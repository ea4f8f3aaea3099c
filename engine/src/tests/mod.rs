//! Tests of the engine as a whole, in one process.
