//! `tonewall key rotate` and `tonewall recording rekey`: a new master key, and what it wraps from then on.
//! Owns: that no server runs meanwhile, and what is told of what was done.
//! Never: prints a key; takes an older one out of the key file, since backups and other servers may need it.

use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Subcommand;
use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::time::WallClock;
use sip::Transport;
use store::Database;
use voice::transport::InterfaceConfig;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::recorder::{Rekeyed, rekey};
use crate::wire::open_store;

/// What can be done with master keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Add a master key to the key file and seal every stored secret anew with it. Stop the server first; the older keys stay in the file.
    Rotate {
        /// The server's file.
        #[arg(long)]
        config: PathBuf,
    },
}

/// What can be done with kept recordings.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordingCommand {
    /// Wrap the key of each of this server's recordings anew with the newest master key; exit 1 if some cannot be. Stop the server first.
    Rekey {
        /// The server's file.
        #[arg(long)]
        config: PathBuf,
    },
}

/// Adds a master key.
///
/// # Errors
/// A server runs, or the key file or the database cannot be used.
pub(crate) async fn run(command: KeyCommand) -> Result<bool> {
    let KeyCommand::Rotate { config } = command;
    let config = crate::load(&config)?;
    let (_alone, database) = open_alone(&config).await?;
    let (system, action) = (Actor::system(), AuditAction::KeyRotated);
    let entry = AuditEntry::new(SystemClock.now(), &system, action, "master key");
    let rotation = database.rotate_key(entry).await;
    let rotation = rotation.context("the master key was not rotated")?;
    database.close().await?;
    crate::print_line(&format!(
        "the newest master key is {}; secrets sealed anew with it: {}",
        rotation.key_id, rotation.resealed
    ));
    if config.recordings.is_some() {
        crate::print_line("recordings need the older keys until: tonewall recording rekey");
    }
    Ok(true)
}

/// Wraps the keys of recordings anew. Whether all of them are.
///
/// # Errors
/// A server runs, the file names no folder of recordings, or folder, keys or database cannot be used.
pub(crate) async fn run_recording(command: RecordingCommand) -> Result<bool> {
    let RecordingCommand::Rekey { config } = command;
    let config = crate::load(&config)?;
    let folder = config.recordings.as_deref();
    let folder = folder.context("recordings.directory of the file names no folder")?;
    let (_alone, database) = open_alone(&config).await?;
    let database = Arc::new(database);
    let clock: Arc<dyn WallClock> = Arc::new(SystemClock);
    let node = config.node.to_ascii_lowercase();
    let rekeyed = rekey(folder, &node, &database, &clock).await?;
    database.close().await?;
    for line in lines(&rekeyed) {
        crate::print_line(&line);
    }
    Ok(rekeyed.left.is_empty())
}

/// A server that runs knows the keys of its start only, and may delete what is being wrapped: it has to be stopped. Its ports of SIP say whether it is, and
/// keep it so while they are held.
async fn open_alone(config: &Config) -> Result<(Vec<OwnedFd>, Database)> {
    let ports = config.sip.interfaces().into_iter().map(hold);
    let alone = ports.collect::<Result<_>>()?;
    Ok((alone, open_store(config).await?))
}

/// Holds the port of an interface.
fn hold(interface: InterfaceConfig) -> Result<OwnedFd> {
    let (address, transport) = (interface.listen, interface.transport);
    let (held, setting) = match transport {
        Transport::Udp => (UdpSocket::bind(address).map(OwnedFd::from), "sip.listen"),
        Transport::Tcp => (TcpListener::bind(address).map(OwnedFd::from), "sip.listen"),
        Transport::Tls => (
            TcpListener::bind(address).map(OwnedFd::from),
            "sip.tls.listen",
        ),
    };
    held.with_context(|| format!("{address} ({setting}) is taken: stop the server first"))
}

fn lines(Rekeyed { done, same, left }: &Rekeyed) -> Vec<String> {
    let told = format!(
        "recordings wrapped anew: {done}; already: {same}; left as they are: {}",
        left.len()
    );
    let left = left.iter().map(|why| format!("NOT wrapped anew: {why}"));
    std::iter::once(told).chain(left).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_runs_has_to_be_stopped_first() {
        let port = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (running, inside) = (UdpSocket::bind("127.0.0.1:0").unwrap(), port());
        let tls = |address| {
            format!(
                "udp = \"off\"\ntcp = \"off\"\n[sip.tls]\nlisten = \"{address}\"\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n"
            )
        };
        let clear = format!(
            "tcp = \"off\"\nlisten = \"{}\"\n",
            running.local_addr().unwrap()
        );
        let tls = tls(inside.local_addr().unwrap());
        for (sip, held) in [
            (clear, OwnedFd::from(running)),
            (tls, OwnedFd::from(inside)),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let text = format!("[node]\ndata = {:?}\n[sip]\n{sip}", folder.path());
            let config = Config::parse(&text, |_| None).unwrap();
            let refused = open_alone(&config).await.map(|_| ()).unwrap_err();
            assert!(refused.to_string().ends_with("stop the server first"));
            assert!(
                !folder.path().join("master.key").exists(),
                "nothing was made"
            );
            drop(held);
            assert!(open_alone(&config).await.is_ok());
        }
    }

    #[test]
    fn what_was_not_wrapped_anew_is_named() {
        let rekeyed = Rekeyed {
            done: 2,
            same: 1,
            left: vec!["recording r: key ab is not at hand".to_owned()],
        };
        let expected = [
            "recordings wrapped anew: 2; already: 1; left as they are: 1",
            "NOT wrapped anew: recording r: key ab is not at hand",
        ];
        assert_eq!(lines(&rekeyed), expected);
    }
}
