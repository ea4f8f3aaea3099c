//! Tests of the scheduler: order and results of whole scripts against a naive model, and the corners one by one.

mod corners;
mod model;
mod threads;
mod world;
