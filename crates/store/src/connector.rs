//! Connections to either database.
//! Owns: the address, session settings, the few statements that differ between the two.
//! Never: knows a table, but for the schema's migrations.

use std::str::FromStr;
use std::time::Duration;

use domain::boundary::StoreError;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Executor, SqlSafeStr};

use crate::failure::unavailable;

/// Connections for reading. The pages read little and briefly; a fifth reader waits.
const READERS_MAX: u32 = 4;
/// How long a read waits for a connection before it fails as unavailable.
const READER_WAIT_MAX: Duration = Duration::from_secs(3);
/// How long opening a connection may take, so that a database which does not answer fails a write instead of holding it up.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// One file, one node.
    Sqlite,
    /// A server, any number of nodes.
    Postgres,
}

impl Dialect {
    /// Begins a transaction that holds the right to write from its start.
    pub(crate) fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// Begins a transaction in which all reads see the same moment.
    pub(crate) fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Appended to a SELECT: waits for whoever is changing the row. SQLite has one writer anyway.
    pub(crate) fn row_lock(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// Session settings of every connection. WAL with FULL: a commit is on disk before it is answered.
    fn session(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 1000"
            }
            Self::Postgres => "SET synchronous_commit = on",
        }
    }

    /// Moves what is committed from the log into the file, without making a writer or a reader wait. None: the server does so by itself.
    pub(crate) fn checkpoint(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => Some("PRAGMA wal_checkpoint(PASSIVE)"),
            Self::Postgres => None,
        }
    }

    fn writer_session(self) -> &'static str {
        match self {
            // Checkpoints are made beside the writer. A commit behind a log of 16 MiB moves what is left of it, so that the next one begins at its start: a log
            // that is written over is on the disk in less than half of the time that a growing one takes.
            Self::Sqlite => {
                "PRAGMA query_only = OFF; PRAGMA wal_autocheckpoint = 4096; \
                 PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536"
            }
            Self::Postgres => "SET lock_timeout = '5s'",
        }
    }

    fn reader_session(self) -> &'static str {
        match self {
            Self::Sqlite => "PRAGMA query_only = ON",
            Self::Postgres => "SET default_transaction_read_only = on",
        }
    }
}

/// Opens connections to one database.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) dialect: Dialect,
    options: AnyConnectOptions,
}

impl Connector {
    /// Reads an address, and makes the file of a new SQLite database, readable by its owner only.
    pub(crate) fn new(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (dialect, url) = if let Some(path) = url.strip_prefix("sqlite:") {
            (Dialect::Sqlite, sqlite_url(path)?)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            (Dialect::Postgres, url.to_owned())
        } else {
            return Err(unavailable(
                "its address begins with \"sqlite:\" or \"postgres://\"",
            ));
        };
        let options = AnyConnectOptions::from_str(&url)
            .map_err(|_| unavailable("its address cannot be read"))?
            .disable_statement_logging();
        Ok(Self { dialect, options })
    }

    async fn connect(&self) -> Result<AnyConnection, StoreError> {
        let opening = async {
            let mut connection = AnyConnection::connect_with(&self.options).await?;
            connection
                .execute(sqlx::raw_sql(self.dialect.session()))
                .await?;
            Ok(connection)
        };
        match tokio::time::timeout(CONNECT_TIME_MAX, opening).await {
            Ok(connected) => connected.map_err(|error: sqlx::Error| unavailable(error)),
            Err(_) => Err(unavailable("it did not answer in time")),
        }
    }

    /// Brings the schema up to date; refuses a file that is damaged and a schema that is newer than this program.
    pub(crate) async fn prepare(&self) -> Result<(), StoreError> {
        let mut connection = self.connect().await?;
        if self.dialect == Dialect::Sqlite {
            let found: String = sqlx::query_scalar("PRAGMA quick_check(1)")
                .fetch_one(&mut connection)
                .await
                .map_err(unavailable)?;
            if found != "ok" {
                return Err(StoreError::Corrupt {
                    what: "database file",
                    why: found,
                });
            }
        }
        migrator(self.dialect)
            .run(&mut connection)
            .await
            .map_err(unavailable)?;
        connection.close().await.map_err(unavailable)
    }

    /// The connection for writing.
    pub(crate) async fn writer(&self) -> Result<AnyConnection, StoreError> {
        let mut connection = self.connect().await?;
        connection
            .execute(sqlx::raw_sql(self.dialect.writer_session()))
            .await
            .map_err(unavailable)?;
        Ok(connection)
    }

    /// The pool for reading. Its connections refuse to write.
    pub(crate) fn readers(&self) -> AnyPool {
        let dialect = self.dialect;
        AnyPoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(READER_WAIT_MAX)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    connection.execute(sqlx::raw_sql(dialect.session())).await?;
                    connection
                        .execute(sqlx::raw_sql(dialect.reader_session()))
                        .await?;
                    Ok(())
                })
            })
            .connect_lazy_with(self.options.clone())
    }
}

/// Runs one statement without parameters.
pub(crate) async fn run(
    connection: &mut AnyConnection,
    statement: &'static str,
) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(statement)).await?;
    Ok(())
}

fn sqlite_url(path: &str) -> Result<String, StoreError> {
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.contains(":memory:") {
        return Err(unavailable("a SQLite address names a file"));
    }
    create_private(path)?;
    let escaped = path
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23");
    Ok(format!("sqlite:{escaped}?mode=rw"))
}

/// SQLite gives its journal files the mode of the database file, so the mode is set here once.
fn create_private(path: &str) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unavailable(format!("the file cannot be made: {error}"))),
    }
}

/// Number, name, and text in both dialects.
macro_rules! step {
    ($number:literal, $name:literal, $file:literal) => {
        (
            $number,
            $name,
            include_str!(concat!("../../../migrations/sqlite/", $file)),
            include_str!(concat!("../../../migrations/postgres/", $file)),
        )
    };
}

/// Migrations run forward only, have the same numbers in both dialects, and are never edited: their checksums are kept.
fn migrator(dialect: Dialect) -> Migrator {
    let steps = [
        step!(1, "first", "0001_first.sql"),
        step!(2, "desktop saved by", "0002_desktop_saved_by.sql"),
        step!(3, "roles", "0003_roles.sql"),
        step!(4, "readers", "0004_readers.sql"),
        step!(5, "designer desktops", "0005_designer_desktops.sql"),
        step!(6, "second factors", "0006_second_factors.sql"),
        step!(7, "approved hosts", "0007_approved_hosts.sql"),
        step!(8, "widget secrets", "0008_widget_secrets.sql"),
        step!(9, "routing lists", "0009_routing_lists.sql"),
        step!(10, "payment outputs", "0010_payment_outputs.sql"),
        step!(11, "follow-ups", "0011_follow_ups.sql"),
        step!(12, "payment arrangements", "0012_payment_arrangements.sql"),
        step!(13, "recordings", "0013_recordings.sql"),
        step!(14, "recording medium", "0014_recording_medium.sql"),
        step!(15, "recording scans", "0015_recording_scans.sql"),
        step!(16, "sounds", "0016_sounds.sql"),
    ];
    Migrator::with_migrations(
        steps
            .into_iter()
            .map(|(number, name, sqlite, postgres)| {
                let text = match dialect {
                    Dialect::Sqlite => sqlite,
                    Dialect::Postgres => postgres,
                };
                Migration::new(
                    number,
                    name.into(),
                    MigrationType::Simple,
                    text.into_sql_str(),
                    false,
                )
            })
            .collect(),
    )
}
