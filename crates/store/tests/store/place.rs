//! Where a test's database is, and what tests put into it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::access::{Actor, GroupName, Preferences, Role, Theme, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change, Store, StoreError};
use domain::capture::WidgetKind;
use domain::desktop::{Desktop, DesktopService, Layout};
use domain::id::{AttemptId, CallId, CaptureId, DesktopId, ServiceId, UserId, WidgetId};
use domain::language::Language;
use domain::money::{Currency, Money};
use domain::payment::{AttemptState, Payment};
use domain::service::{
    CallRecording, OnTransfer, ProtectionScope, Route, ScreenRecording, Service,
};
use domain::time::UnixMillis;
use domain::widget::{Widget, WidgetOptions};
use sqlx::{AnyConnection, Connection, Executor};
use store::{Database, EnvelopeKeySource, KeyFile, StoreConfig};
use testkit::postgres::PostgresServer;

/// A database that nobody else uses, with a key file beside it.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Characters that mean something in an address.
        let file = folder.path().join("a store?#50%.db");
        Self::at(format!("sqlite:{}", file.display()), folder)
    }

    pub(crate) fn postgres() -> Self {
        let server = PostgresServer::shared().unwrap();
        Self::at(server.new_database().unwrap(), tempfile::tempdir().unwrap())
    }

    pub(crate) fn at(url: String, folder: tempfile::TempDir) -> Self {
        KeyFile::create_or_open(folder.path().join("master.key")).unwrap();
        Self { url, folder }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.path().join("master.key")
    }

    pub(crate) fn config(&self, node: &str) -> StoreConfig {
        StoreConfig {
            url: self.url.clone(),
            key: EnvelopeKeySource::File(self.key_file()),
            node: node.to_owned(),
        }
    }

    pub(crate) async fn open(&self) -> Arc<Database> {
        Arc::new(Database::open(self.config("one")).await.unwrap())
    }

    /// A connection past the store, as an administrator of the database has.
    pub(crate) async fn administrator(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let url = match self.url.strip_prefix("sqlite:") {
            Some(path) => {
                let path = path
                    .replace('%', "%25")
                    .replace('?', "%3F")
                    .replace('#', "%23");
                format!("sqlite:{path}")
            }
            None => self.url.clone(),
        };
        AnyConnection::connect(&url).await.unwrap()
    }

    /// Does something behind the store's back.
    pub(crate) async fn execute(&self, statements: &str) {
        let mut connection = self.administrator().await;
        connection
            .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned())))
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    /// Keeps the store from writing for as long as the connection lives.
    pub(crate) async fn hold_writes(&self) -> AnyConnection {
        let mut connection = self.administrator().await;
        let statements = if self.is_sqlite() {
            "BEGIN IMMEDIATE"
        } else {
            "BEGIN; LOCK TABLE audit_entries IN EXCLUSIVE MODE"
        };
        connection.execute(sqlx::raw_sql(statements)).await.unwrap();
        connection
    }
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A number that no other call gives.
pub(crate) fn next() -> u128 {
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) const NOW: UnixMillis = UnixMillis(1_750_000_000_000);

pub(crate) fn entry(action: AuditAction, object: &str) -> AuditEntry {
    AuditEntry::new(NOW, &Actor::system(), action, object)
}

pub(crate) fn audited(change: Change) -> Audited {
    Audited {
        change,
        entry: entry(AuditAction::SettingsSaved, "a test").with("why", "it is tested"),
    }
}

pub(crate) async fn commit(database: &Database, change: Change) -> Result<i64, StoreError> {
    database.commit(audited(change)).await
}

pub(crate) fn user(name: &str) -> User {
    User {
        id: UserId::from_random(next()),
        name: name.to_owned(),
        display_name: "Ünï \"Code\" O'Neil".to_owned(),
        roles: BTreeSet::from([Role::Agent.into(), Role::Supervisor.into()]),
        password_hash: "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA".to_owned(),
        former_hashes: vec!["$argon2id$v=19$m=8,t=1,p=1$c2FsdB$aGFzaB".to_owned()],
        must_change_password: true,
        second_factor: None,
        active_at: Some(NOW),
        failed_logins: 2,
        locked_until: Some(NOW),
        desktop: None,
        phone: Some(format!("phone-{name}")),
        phone_ha1: Some("0123456789abcdef".to_owned()),
        extension: Some(format!("7{name}")),
        groups: ["Sales", "Nächte"]
            .map(|name| GroupName::parse(name).unwrap())
            .into(),
        preferences: Preferences {
            language: Some(Language::De),
            theme: Some(Theme::Dark),
        },
        enabled: true,
        revision: 0,
    }
}

pub(crate) fn widget() -> Widget {
    Widget {
        id: WidgetId::from_random(next()),
        kind: WidgetKind::CheckBasic,
        title: "Check".to_owned(),
        enabled: true,
        prompts: Vec::new(),
        translations: domain::widget::Translations::new(),
        card_types: BTreeSet::new(),
        options: WidgetOptions::default(),
        gateway: None,
    }
}

pub(crate) fn desktop(name: &str) -> Desktop {
    Desktop {
        id: DesktopId::from_random(next()),
        name: name.to_owned(),
        service: DesktopService::Standard,
        layout: Layout::ExtendedPanel,
        widgets: vec![widget(), widget()],
        design: None,
        revision: 0,
    }
}

pub(crate) async fn saved_desktop(database: &Database, name: &str) -> Desktop {
    let desktop = desktop(name);
    let revision = commit(
        database,
        Change::SaveDesktop {
            desktop: desktop.clone(),
            credentials: Default::default(),
        },
    )
    .await
    .unwrap();
    Desktop {
        revision,
        ..desktop
    }
}

pub(crate) fn service(name: &str, desktop: &DesktopId) -> Service {
    Service {
        id: ServiceId::from_random(next()),
        name: name.to_owned(),
        numbers: vec![format!("number-{name}"), format!("other-{name}")],
        route: Route::Agents { group: None },
        pairing: domain::pairing::Pairing::default(),
        pool: None,
        hours: None,
        outbound: None,
        queue: None,
        desktop: desktop.clone(),
        protection: ProtectionScope::Capture,
        after_call_s: 0,
        on_transfer: OnTransfer::default(),
        call_recording: CallRecording::default(),
        screen_recording: ScreenRecording::default(),
        recorders: None,
        revision: 0,
    }
}

pub(crate) fn payment(agent: &UserId) -> Payment {
    Payment {
        attempt: AttemptId::from_random(next()),
        reference: "7F2K-91QD".to_owned(),
        capture: CaptureId::from_random(next()),
        call: CallId::from_random(next()),
        widget: WidgetId::from_random(next()),
        desktop: None,
        kind: WidgetKind::CreditCardAdvanced,
        agent: agent.clone(),
        amount: Money {
            minor: 12_050,
            currency: Currency::USD,
        },
        arrangement: None,
        brand: None,
        last_four: None,
        state: AttemptState::Intent,
        message: String::new(),
        created_at: NOW,
        outputs: Vec::new(),
        changed_at: NOW,
    }
}
