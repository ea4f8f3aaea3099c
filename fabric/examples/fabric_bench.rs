//! Prints what the fabric can do here: `cargo run --release -p daos-fabric --example fabric_bench [PROVIDER]`.

use daos_fabric::FabricConfig;
use daos_fabric::bench::{
    Latency, RmaDirection, bare_message_rate, bare_ping_pong, bare_rma_bandwidth, rpc_echo, rpc_rate,
};

fn show(what: &str, latency: Latency) -> f64 {
    let us = |time: std::time::Duration| time.as_secs_f64() * 1e6;
    println!(
        "{what:<44} mean {:7.2} us  median {:7.2} us  p99 {:7.2} us",
        us(latency.mean),
        us(latency.median),
        us(latency.p99)
    );
    us(latency.median)
}

fn main() -> daos_common::Result<()> {
    let provider = std::env::args().nth(1).unwrap_or_else(|| "ofi+tcp".into());
    let config = FabricConfig { provider, interface: Some("lo".into()), ..FabricConfig::default() };
    for (request, reply) in [(64, 64), (4096, 64), (4096, 4096), (16384, 64)] {
        let bare =
            show(&format!("bare, {request} B there, {reply} B back"), bare_ping_pong(&config, request, reply, 5000)?);
        let rpc = show(&format!("call, {request} B there, {reply} B back"), rpc_echo(&config, request, reply, 5000)?);
        println!("{:<44} {:.2}", "  ratio of medians", rpc / bare);
    }
    for depth in [1, 8, 32] {
        println!("bare, 4096 B, depth {depth:<3} {:>12.0} /s", bare_message_rate(&config, 4096, depth, 20000)?);
        println!("call, 4096 B, depth {depth:<3} {:>12.0} /s", rpc_rate(&config, 4096, depth, 20000)?);
    }
    for direction in [RmaDirection::Read, RmaDirection::Write] {
        for (bytes, depth, count) in [(65536, 8, 5000), (1 << 20, 1, 500), (1 << 20, 8, 1000)] {
            let rate = bare_rma_bandwidth(&config, direction, bytes, depth, count)?;
            println!("bare RMA {direction:?}, {bytes} B, depth {depth}: {:.2} GB/s", rate / 1e9);
        }
    }
    Ok(())
}
