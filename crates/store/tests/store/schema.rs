//! Columns.

use std::collections::BTreeMap;

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
