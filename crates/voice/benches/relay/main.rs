//! What a relayed call costs, beside the best open relay and beside a relay that does nothing.
//!
//! One JSON object a line: `{engine, mode, calls, cpu_us_per_call_s, latency_ms_p50, latency_ms_p99, loss_pct}` for every measured run, and last
//! `{ratio_plain, ratio_masked, ratio_floor, ratio_recorded, record_dropped, calls_per_core}`. Exits non-zero and names each bound that was missed.
//!
//! Relays run on core 0, the generator on core 1; nothing else should run beside them. Every run is a fresh process with fresh calls.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use voice::packet_io::{Backend, PacketIo};

mod content;
mod floor;
mod generator;
mod judge;
mod phones;
mod process;
mod rtpengine;
mod run;
mod speech;
mod tonewall;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    Bench,
    Tonewall,
    Floor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Size {
    Short,
    Full,
}

#[derive(Parser)]
struct Options {
    /// Cargo passes this.
    #[arg(long, hide = true)]
    bench: bool,
    #[arg(long, hide = true, default_value = "bench")]
    role: Role,
    #[arg(long, default_value = "full")]
    size: Size,
    /// `io_uring` or `epoll`; without it, the fastest that the kernel allows.
    #[arg(long, value_parser = backend_named)]
    backend: Option<Backend>,
    /// Calls of each run; without it, as many as both relays carry in that mode.
    #[arg(long)]
    calls: Option<usize>,
    /// Interleaved rounds; without it, as the size has it.
    #[arg(long)]
    pairs: Option<usize>,
    /// Some engines and modes alone, in turn and without judgement: `tonewall:plain,floor:plain`, ...; or `tonewall`: all its modes, then its calls
    /// per core; or `search`: calls per core of both engines.
    #[arg(long)]
    only: Option<String>,
    /// Our relay puts out what both sides are given to hear, as for recordings.
    #[arg(long, hide = true)]
    record: bool,
    #[arg(long, hide = true)]
    phones: Option<SocketAddr>,
    #[arg(long, hide = true)]
    consumers: Option<SocketAddr>,
    #[arg(long, hide = true)]
    agents: Option<SocketAddr>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    raise_file_limit();
    let best = || PacketIo::best().map_or(Backend::Epoll, |packets| packets.backend());
    let backend = options.backend.unwrap_or_else(best);
    let calls = options.calls.unwrap_or_default();
    let done = match (
        options.role,
        options.phones,
        options.consumers,
        options.agents,
    ) {
        (Role::Tonewall, Some(phones), ..) => {
            tonewall::serve(calls, backend, phones, options.record).map(|()| true)
        }
        (Role::Floor, _, Some(consumers), Some(agents)) => {
            floor::serve(calls, backend, consumers, agents).map(|()| true)
        }
        _ => bench(&options, backend),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _nobody_reads = writeln!(io::stderr().lock(), "relay bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn bench(options: &Options, backend: Backend) -> io::Result<bool> {
    let plan = run::Plan::new(options.size, backend, options.calls, options.pairs);
    let bench = run::Bench::new(plan)?;
    if let Some(only) = &options.only {
        return bench.only(only).map(|()| true);
    }
    let figures = bench.all()?;
    say(&figures.to_json())?;
    let missed = figures.missed();
    for one in &missed {
        writeln!(io::stderr().lock(), "missed: {one}")?;
    }
    Ok(missed.is_empty())
}

fn backend_named(name: &str) -> Result<Backend, String> {
    let known = Backend::ALL.into_iter().find(|one| one.name() == name);
    known.ok_or_else(|| "io_uring or epoll".to_owned())
}

fn say(line: &serde_json::Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Four sockets a call.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _as_it_was = setrlimit(Resource::Nofile, limit);
}
