//! Tests of the engine as a whole, in one process: real threads, fabric over loopback, stores in a temporary directory.
//! Only daos_server is played by the test ([`world::World`]), because it is another program.

mod data;
mod life;
mod malformed;
mod metadata;
mod world;
