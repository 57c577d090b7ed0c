//! Databases that are full, locked, down, or whose answer is lost.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use domain::audit::AuditAction;
use domain::audit::TrailFilter;
use domain::boundary::{AuditTrail, Audited, Change, Payments, Store, StoreError, Users};
use domain::id::UserId;
use sqlx::Connection;
use store::{Database, EnvelopeKeySource, StoreConfig};
use testkit::postgres::PostgresServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::place::{Place, commit, entry, next, payment, user};

const URL: &str = "TONEWALL_TEST_FULL_URL";

fn is_unavailable<T: std::fmt::Debug>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unavailable(_)))
}

#[tokio::test]
#[ignore = "the process that the test below starts on a disk that fills up"]
async fn commits_until_the_disk_is_full() {
    let Ok(url) = std::env::var(URL) else { return };
    let config = StoreConfig {
        url,
        key: EnvelopeKeySource::File("/nonexistent".into()),
        node: "one".to_owned(),
    };
    let database = Database::open(config).await.unwrap();
    let long = "x".repeat(20_000);
    let (mut committed, mut refused_in_a_row) = (0, 0);
    // A refused write makes SQLite start its journal anew, which may make room for a few more.
    while refused_in_a_row < 5 {
        let entry = entry(AuditAction::LoggedIn, "user").with("long", long.as_str());
        let audited = Audited {
            change: Change::None,
            entry,
        };
        match database.commit(audited).await {
            Ok(_) => (committed, refused_in_a_row) = (committed + 1, 0),
            Err(error) => {
                assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
                assert!(error.is_retryable());
                refused_in_a_row += 1;
            }
        }
        assert!(committed < 1_000, "the disk never fills up");
    }
    assert!(committed > 0);
    // No intent is stored, so no charge is sent; reading goes on.
    let intent = payment(&UserId::from_random(next()));
    let big = Audited {
        change: Change::InsertPayment(intent.clone()),
        entry: entry(AuditAction::ChargeIntended, "attempt").with("long", long.as_str()),
    };
    assert!(is_unavailable(&database.commit(big).await));
    assert_eq!(database.payment(&intent.attempt).await, Ok(None));
    assert_eq!(database.verify().await, Ok(None));
    assert_eq!(
        database
            .entries(&TrailFilter::default(), 0, 1_000)
            .await
            .unwrap()
            .len(),
        committed
    );
    println!("full after {committed}");
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_hurts_nothing() {
    let place = Place::sqlite();
    // A limit on the size of files stands for the disk: past it writing fails, with the signal ignored.
    let done = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4000; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "faults::commits_until_the_disk_is_full",
            "--ignored",
            "--nocapture",
        ])
        .env(URL, &place.url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success() && said.contains("full after"),
        "{said}{complaint}"
    );
    let database = place.open().await;
    assert_eq!(database.verify().await, Ok(None));
    commit(&database, Change::None).await.unwrap();
    assert_eq!(database.verify().await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_file_is_waited_for_and_then_given_up() {
    let place = Place::sqlite();
    let database = place.open().await;
    let hold = place.hold_writes().await;
    let begun = Instant::now();
    assert!(is_unavailable(&commit(&database, Change::None).await));
    assert!(
        (2..10).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(database.users().await, Ok(Vec::new()), "reading goes on");
    let (answer, ()) = tokio::join!(commit(&database, Change::None), async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        hold.close().await.unwrap();
    });
    assert_eq!(answer, Ok(0));
    assert_eq!(database.verify().await, Ok(None));
}

#[tokio::test]
async fn a_damaged_file_is_refused_at_the_start() {
    let place = Place::sqlite();
    let database = place.open().await;
    for number in 0..300 {
        commit(&database, Change::SaveUser(user(&format!("user {number}"))))
            .await
            .unwrap();
    }
    database.close().await.unwrap();
    let file = place.folder.path().join("a store?#50%.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0x5a);
    std::fs::write(&file, bytes).unwrap();
    assert!(Database::open(place.config("one")).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_and_comes_back_is_used_again() {
    let mut server = PostgresServer::start().unwrap();
    let place = Place::at(server.new_database().unwrap(), tempfile::tempdir().unwrap());
    let database = place.open().await;
    commit(&database, Change::SaveUser(user("ann")))
        .await
        .unwrap();
    server.kill().unwrap();
    let begun = Instant::now();
    assert!(is_unavailable(&commit(&database, Change::None).await));
    assert!(is_unavailable(&database.users().await));
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    server.start_again().unwrap();
    assert_eq!(
        commit(&database, Change::SaveUser(user("bob"))).await,
        Ok(1)
    );
    assert_eq!(database.users().await.unwrap().len(), 2);
    assert_eq!(database.verify().await, Ok(None));
}

/// The name that PostgreSQL's socket has in its folder.
const SOCKET: &str = ".s.PGSQL.5432";

/// Stands between store and server and cuts a connection at its next COMMIT.
struct Cutter {
    folder: tempfile::TempDir,
    /// 0: pass everything; 1: cut before COMMIT arrives; 2: cut before its answer does.
    mode: Arc<AtomicU8>,
}

impl Cutter {
    fn before(server: PathBuf) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("tw-cut-")
            .tempdir()
            .unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let mode = Arc::new(AtomicU8::new(0));
        let shared = mode.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(server.join(SOCKET)).await.unwrap();
                tokio::spawn(carry(client, server, shared.clone()));
            }
        });
        Self { folder, mode }
    }
}

async fn carry(mut client: UnixStream, mut server: UnixStream, mode: Arc<AtomicU8>) {
    let (mut up, mut down) = ([0; 16_384], [0; 16_384]);
    loop {
        tokio::select! {
            count = client.read(&mut up) => {
                let Ok(count @ 1..) = count else { return };
                let is_commit = up[..count].windows(7).any(|part| part == b"COMMIT\0");
                let cut = if is_commit { mode.swap(0, Ordering::SeqCst) } else { 0 };
                if cut == 1 {
                    return;
                }
                if server.write_all(&up[..count]).await.is_err() {
                    return;
                }
                if cut == 2 {
                    // Once there is an answer, the commit has taken place.
                    server.readable().await.ok();
                    return;
                }
            }
            count = server.read(&mut down) => {
                let Ok(count @ 1..) = count else { return };
                if client.write_all(&down[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_found_out() {
    let url = PostgresServer::shared().unwrap().new_database().unwrap();
    let (before, rest) = url.split_once("host=").unwrap();
    let (folder, after) = rest.split_once('&').unwrap();
    let cutter = Cutter::before(Path::new(folder).to_owned());
    let url = format!("{before}host={}&{after}", cutter.folder.path().display());
    let place = Place::at(url, tempfile::tempdir().unwrap());
    let database = place.open().await;

    cutter.mode.store(2, Ordering::SeqCst);
    let answers = tokio::join!(
        commit(&database, Change::SaveUser(user("ann"))),
        commit(&database, Change::SaveUser(user("ann"))),
    );
    assert_eq!(
        answers,
        (Ok(1), Err(StoreError::Taken("name"))),
        "it took place"
    );
    assert_eq!(
        cutter.mode.load(Ordering::SeqCst),
        0,
        "a connection was cut"
    );

    cutter.mode.store(1, Ordering::SeqCst);
    assert!(is_unavailable(
        &commit(&database, Change::SaveUser(user("bob"))).await
    ));
    assert_eq!(database.user_by_name("bob").await, Ok(None), "it did not");

    assert_eq!(
        commit(&database, Change::SaveUser(user("bob"))).await,
        Ok(1)
    );
    assert_eq!(
        database
            .entries(&TrailFilter::default(), 0, 9)
            .await
            .unwrap()
            .len(),
        2
    );
    assert_eq!(database.verify().await, Ok(None));
}
