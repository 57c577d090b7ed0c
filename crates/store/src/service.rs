//! Services.
//! Owns: their rows, document, and the numbers that lead to them.
//! Never: routes a call.

use domain::boundary::{Services, StoreError, Task};
use domain::capture::routing::{BankTable, RefusedRoutings};
use domain::id::ServiceId;
use domain::service::{Service, Settings};
use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::Database;
use crate::document::{self, Document};
use crate::failure::{refused, unavailable};
use crate::{routing, settings};

impl Document for Service {
    const WHAT: &'static str = "service";
    const VERSION: i64 = 1;

    fn upgrade(from: i64, _: Map<String, Value>) -> Result<Map<String, Value>, String> {
        Err(format!("there is no version {from}"))
    }
}

/// Saves a new service or the next revision of one; the new revision. A number that leads elsewhere is taken.
pub(crate) async fn save(
    connection: &mut AnyConnection,
    service: &Service,
) -> Result<i64, StoreError> {
    let revision = service.revision + 1;
    let statement = if service.revision == 0 {
        "INSERT INTO services (id, name, desktop_id, revision, document) \
         VALUES ($1, $2, $3, $4, $5)"
    } else {
        "UPDATE services SET name = $2, desktop_id = $3, revision = $4, document = $5 \
         WHERE id = $1 AND revision = $4 - 1"
    };
    let done = sqlx::query(statement)
        .bind(service.id.as_str())
        .bind(&service.name)
        .bind(service.desktop.as_str())
        .bind(revision)
        .bind(document::write(&Service {
            revision,
            ..service.clone()
        })?)
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    save_numbers(connection, service).await?;
    Ok(revision)
}

async fn save_numbers(connection: &mut AnyConnection, service: &Service) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM service_numbers WHERE service_id = $1")
        .bind(service.id.as_str())
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
    for number in &service.numbers {
        sqlx::query("INSERT INTO service_numbers (number, service_id) VALUES ($1, $2)")
            .bind(number)
            .bind(service.id.as_str())
            .execute(&mut *connection)
            .await
            .map_err(refused)?;
    }
    Ok(())
}

fn from_row(row: &AnyRow) -> Result<Service, StoreError> {
    let text: String = row.try_get(0).map_err(unavailable)?;
    document::read(&text)
}

impl Services for Database {
    fn services(&self) -> Task<'_, Result<Vec<Service>, StoreError>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT document FROM services ORDER BY name")
                .fetch_all(self.readers())
                .await
                .map_err(unavailable)?;
            rows.iter().map(from_row).collect()
        })
    }

    fn service<'a>(&'a self, id: &'a ServiceId) -> Task<'a, Result<Option<Service>, StoreError>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT document FROM services WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(unavailable)?;
            row.as_ref().map(from_row).transpose()
        })
    }

    fn settings(&self) -> Task<'_, Result<Settings, StoreError>> {
        Box::pin(settings::load(self.readers()))
    }

    fn refused_routings(&self) -> Task<'_, Result<RefusedRoutings, StoreError>> {
        Box::pin(routing::load_refused(self.readers()))
    }

    fn banks_since(&self, known: i64) -> Task<'_, Result<Option<BankTable>, StoreError>> {
        Box::pin(routing::banks_since(self.readers(), known))
    }
}

#[cfg(test)]
mod tests {
    use domain::service::Route;

    use super::*;

    #[test]
    fn a_service_from_before_there_were_groups_is_for_all_agents_and_is_written_as_it_was() {
        let kept = r#"{"v":1,"id":"s1","name":"Main","numbers":["100"],"route":{"to":"agents"},
            "desktop":"sales","protection":"capture","recorders":null,"revision":3}"#;
        let service: Service = document::read(kept).unwrap();
        assert_eq!(service.route, Route::Agents { group: None });
        let written = document::write(&service).unwrap();
        assert!(written.contains(r#""route":{"to":"agents"}"#), "{written}");
        let named = kept.replace(r#""agents"}"#, r#""agents","group":"Night"}"#);
        let service: Service = document::read(&named).unwrap();
        let group = service.route.group().map(|group| group.as_str().to_owned());
        assert_eq!(group.as_deref(), Some("Night"));
    }
}
