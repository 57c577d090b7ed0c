//! The binary `tonewall`.
//! Owns: the command line, the process's hardening, the start of every room.
//! Never: holds a business rule.
//! Start reading at: [`main`], then `wire`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

mod clock;
mod config;
mod demo;
mod gateway_files;
mod gateway_test;
mod hardening;
mod key_search;
mod keys;
mod logging;
mod metrics;
mod page;
#[cfg(feature = "planted")]
mod planted;
mod recorder;
mod scan;
mod seed;
mod simulate;
mod trunks;
mod verify;
mod wire;

use config::{Config, FirstAdministrator};
use wire::{Extras, Server};

/// Memory that any library gives back is zeroed: bodies, TLS records and strings that a captured value may have touched on its way out.
#[cfg(not(feature = "plain-allocator"))]
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<mimalloc::MiMalloc> =
    zeroizing_alloc::ZeroAlloc(mimalloc::MiMalloc);

/// Secure payment capture for phone calls.
#[derive(Debug, Parser)]
#[command(name = "tonewall", version = version(), arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve {
        /// The server's file, TOML.
        #[arg(long)]
        config: PathBuf,
    },
    /// Say what is wrong with a server's file, without starting anything.
    CheckConfig {
        /// The file.
        file: PathBuf,
    },
    /// List every setting of the server's file with its default and meaning.
    Settings,
    /// Serve everything on loopback with a simulated consumer, agent phone and gateway.
    Demo(demo::DemoOptions),
    /// Try a gateway's configuration out.
    #[command(subcommand)]
    Gateway(gateway_test::GatewayCommand),
    /// Change the master key.
    #[command(subcommand)]
    Key(keys::KeyCommand),
    /// Look after kept recordings.
    #[command(subcommand)]
    Recording(keys::RecordingCommand),
    /// Look for keyed digits and card numbers in recordings, logs, databases, dumps; exit 1 on a find.
    Scan {
        /// Files and folders.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Verify the signed evidence of a capture, without a server; exit 1 if it is none.
    Verify {
        /// The file.
        file: PathBuf,
        /// The public keys, as `GET /api/v1/evidence/keys` gave them.
        #[arg(long)]
        keys: PathBuf,
    },
    /// Simulate a consumer's phone, an agent's phone and a payment gateway beside a running server; `demo` starts it by itself.
    Simulate(simulate::SimulateOptions),
}

fn version() -> &'static str {
    if cfg!(feature = "planted") {
        concat!(
            env!("CARGO_PKG_VERSION"),
            " PLANTED: holds deliberate defects, for tests only"
        )
    } else {
        env!("CARGO_PKG_VERSION")
    }
}

/// Exit codes: 0 fine, 1 the check failed, 2 usage or configuration.
fn main() -> ExitCode {
    let cli = Cli::parse();
    let missing = hardening::apply();
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        say("another TLS provider was installed first");
        return ExitCode::from(2);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("the async runtime cannot start: {error}"));
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(run(cli.command, &missing)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            say(&format!("tonewall: {error:#}"));
            ExitCode::from(2)
        }
    }
}

async fn run(command: Command, missing: &[String]) -> Result<bool> {
    match command {
        Command::Serve { config } => {
            let config = load(&config)?;
            logging::start(&config.log_level, config.log_json);
            for missing in missing {
                tracing::warn!("{missing}");
            }
            serve(&config).await.map(|()| true)
        }
        Command::CheckConfig { file } => {
            load(&file)?;
            print_line("the configuration is valid");
            Ok(true)
        }
        Command::Settings => {
            for setting in config::SETTINGS {
                print_line(&setting.row());
            }
            Ok(true)
        }
        Command::Demo(options) => {
            logging::start(options.log_level(), false);
            demo::run(options).await
        }
        Command::Gateway(command) => gateway_test::run(command).await,
        Command::Key(command) => keys::run(command).await,
        Command::Recording(command) => keys::run_recording(command).await,
        Command::Scan { files } => scan::run(&files),
        Command::Verify { file, keys } => verify::run(&file, &keys),
        Command::Simulate(options) => {
            logging::start("warn", false);
            simulate::run(options).await.map(|()| true)
        }
    }
}

fn load(path: &Path) -> Result<Config> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    Config::parse(&text, |name| std::env::var(name).ok()).map_err(|problems| {
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| format!("  {problem}"))
            .collect();
        anyhow::anyhow!("{} is not valid:\n{}", path.display(), lines.join("\n"))
    })
}

async fn serve(config: &Config) -> Result<()> {
    anyhow::ensure!(
        !cfg!(feature = "planted") || config.web_listen.ip().is_loopback(),
        "this build holds planted defects and serves loopback only"
    );
    let server = Server::start(config, Extras::default()).await?;
    if seed::is_empty(&*server.database).await? {
        print_line(&first_start(config, &server).await?);
    }
    tracing::info!(page = %server.web, sip = %server.sip, health = %server.health, "serving");
    stop_signal().await?;
    tracing::info!("stopping: running calls end, charges on their way finish");
    server.stop().await;
    Ok(())
}

/// The way in for the first administrator, as the file wants it.
async fn first_start(config: &Config, server: &Server) -> Result<String> {
    match config.first_administrator {
        FirstAdministrator::Link => {
            let link = server.set_up_link(config);
            let link = link.context("the system has no random numbers")?;
            Ok(format!(
                "first start: make the first administrator at {link} (once, until this server ends)"
            ))
        }
        FirstAdministrator::Password => {
            let password = seed::first_administrator(&*server.store).await?;
            Ok(format!(
                "first start: log in as admin with the one-time password {password}"
            ))
        }
    }
}

/// Waits for Ctrl+C or a termination signal.
async fn stop_signal() -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command-line tool answers on stdout")]
fn print_line(text: &str) {
    println!("{text}");
}

#[expect(
    clippy::print_stderr,
    reason = "a command-line tool complains on stderr"
)]
fn say(text: &str) {
    eprintln!("{text}");
}
