//! Columns.

use std::collections::BTreeMap;

use sha2::Digest;
use sqlx::{AssertSqlSafe, Row};

use crate::place::Place;

/// Table and column to type, without the table in which the migrations themselves are noted.
async fn columns(place: &Place) -> BTreeMap<(String, String), String> {
    place.open().await.close().await.unwrap();
    let mut connection = place.administrator().await;
    let statement = if place.is_sqlite() {
        "SELECT tables.name, columns.name, columns.type FROM sqlite_master AS tables \
         JOIN pragma_table_info(tables.name) AS columns \
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' \
         AND tables.name <> '_sqlx_migrations'"
    } else {
        "SELECT table_name::TEXT, column_name::TEXT, data_type::TEXT \
         FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'"
    };
    sqlx::query(AssertSqlSafe(statement.to_owned()))
        .fetch_all(&mut connection)
        .await
        .unwrap()
        .iter()
        .map(|row| {
            let kind: String = row.get(2);
            ((row.get(0), row.get(1)), kind.to_lowercase())
        })
        .collect()
}

#[tokio::test]
async fn both_schemas_have_the_same_columns_of_the_three_plain_types() {
    let sqlite = columns(&Place::sqlite()).await;
    let postgres = columns(&Place::postgres()).await;
    assert!(sqlite.len() > 40, "{sqlite:?}");
    assert!(sqlite.keys().eq(postgres.keys()));
    for (column, kind) in &sqlite {
        let other = postgres[column].as_str();
        let same = matches!(
            (kind.as_str(), other),
            ("integer", "bigint") | ("text", "text") | ("blob", "bytea")
        );
        assert!(same, "{column:?} is {kind} and {other}");
    }
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_refused() {
    for place in [Place::sqlite(), Place::postgres()] {
        place.open().await.close().await.unwrap();
        place
            .execute(
                "INSERT INTO _sqlx_migrations \
                 (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'newer', TRUE, '', 0)",
            )
            .await;
        assert!(store::Database::open(place.config("one")).await.is_err());
    }
}

/// What the first schema held: entries as its program wrote them, one with an escaped NUL in its detail, and a payment of a widget that still exists.
const FIRST_ROWS: &str = r#"
INSERT INTO desktops (id, name, revision, document) VALUES ('d1', 'Sales', 1, '{"v":1}');
INSERT INTO widgets (id, desktop_id) VALUES ('w1', 'd1');
INSERT INTO payments (attempt, reference, capture_id, call_id, widget_id, kind, agent, amount_minor, currency, state, detail, message, created_at, changed_at)
VALUES ('a1', '7F2K-91QD', 'c1', 'k1', 'w1', 'check_advanced', 'u1', 100, 'USD', 'final', 'approved', '', 1, 2),
       ('a2', '7F2K-91QE', 'c1', 'k1', 'gone', 'check_advanced', 'u1', 100, 'USD', 'final', 'approved', '', 1, 2);
INSERT INTO audit_chains (chain, node, epoch, opened_at, anchor_seq, anchor, seq, hash)
VALUES ('old/1', 'old', 1, 0, 0, '{ZERO}', 1, '{HASH}');
INSERT INTO audit_entries (chain, seq, document, hash) VALUES ('old/1', 1, '{DOCUMENT}', '{HASH}');
"#;
const FIRST_ENTRY: &str = r#"{"action":"login_failed","actor":"a \"b\" ä","address":"\"at\":7","at":-12,"chain":"old/1","detail":{"at":9,"object":"x","why":"\u0000"},"object":"user \"q\" \\","seq":1,"v":1}"#;

#[tokio::test]
async fn a_store_of_the_first_schema_is_brought_up_to_date() {
    use domain::boundary::{AuditTrail, Payments};
    for place in [Place::sqlite(), Place::postgres()] {
        let dialect = if place.is_sqlite() {
            "sqlite"
        } else {
            "postgres"
        };
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let first = std::fs::read_to_string(format!("{path}/{dialect}/0001_first.sql")).unwrap();
        if let Some(file) = place.url.strip_prefix("sqlite:") {
            std::fs::File::create(file).unwrap();
        }
        place.execute(&first).await;
        let zero = "0".repeat(64);
        let hash = sha2::Sha256::digest(format!("{zero}{FIRST_ENTRY}"));
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let rows = FIRST_ROWS
            .replace("{ZERO}", &zero)
            .replace("{HASH}", &hash)
            .replace("{DOCUMENT}", FIRST_ENTRY);
        place.execute(&rows).await;
        place.execute(&noted(&first, place.is_sqlite())).await;

        let database = place.open().await;
        assert_eq!(database.verify().await, Ok(None), "{dialect}");
        let about = ["user \"q\" \\".to_owned()];
        let found = database.about(&about, 9).await.unwrap();
        assert_eq!(found[0].entry.actor, "a \"b\" ä");
        let desktop = |attempt: &'static str| {
            let database = database.clone();
            async move {
                let attempt = attempt.parse().unwrap();
                database.payment(&attempt).await.unwrap().unwrap().desktop
            }
        };
        assert_eq!(desktop("a1").await, Some("d1".parse().unwrap()));
        assert_eq!(desktop("a2").await, None);
    }
}

/// What the program of the first schema noted of its migration.
fn noted(migration: &str, is_sqlite: bool) -> String {
    let digest = sha2::Sha384::digest(migration);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let (blob, checksum) = if is_sqlite {
        ("BLOB", format!("x'{hex}'"))
    } else {
        ("BYTEA", format!("'\\x{hex}'"))
    };
    format!(
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
         installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
         checksum {blob} NOT NULL, execution_time BIGINT NOT NULL); \
         INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (1, 'first', TRUE, {checksum}, 1)"
    )
}
