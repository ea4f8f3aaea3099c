//! The client against an engine of a few lines, over the network in memory: retries, transactions, and arrays against a model.

mod array_model;
mod fake;
mod retries;
mod transactions;
