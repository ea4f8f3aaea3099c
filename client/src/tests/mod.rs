//! The client against an engine of a few lines, over the network in memory: retries, and arrays against a model.

mod array_model;
mod fake;
mod retries;
