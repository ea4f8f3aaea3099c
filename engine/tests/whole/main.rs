//! Tests of the engine as a whole: real threads, fabric over loopback, stores in a temporary directory. Most run it in
//! this process, some as the program that it is. Only daos_server is played by the test ([`world::World`]), because it
//! is another program.

mod data;
mod history;
mod life;
mod malformed;
mod metadata;
mod process;
mod transactions;
mod verify;
mod world;
