//! What a test's house reads of services, settings and routing numbers.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::boundary::{Services, Sounds, StoreError, Task};
use domain::capture::routing::{BankTable, RefusedRoutings};
use domain::id::{ServiceId, SoundId};
use domain::queue::sound::Sound;
use domain::service::{Service, Settings};

use super::house::Setup;

impl Sounds for Setup {
    fn sounds(&self) -> Task<'_, Result<Vec<Sound>, StoreError>> {
        unreachable!("calls take sounds as services name them")
    }

    fn samples<'a>(&'a self, _: &'a SoundId) -> Task<'a, Result<Option<Arc<[i16]>>, StoreError>> {
        Box::pin(async { Ok(Some(vec![7; 80].into())) })
    }
}

impl Services for Setup {
    fn services(&self) -> Task<'_, Result<Vec<Service>, StoreError>> {
        let first = self.service.lock().unwrap().clone();
        let more = self.more_services.lock().unwrap().clone();
        Box::pin(async { Ok([vec![first], more].concat()) })
    }

    fn service<'a>(&'a self, _: &'a ServiceId) -> Task<'a, Result<Option<Service>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn refused_routings(&self) -> Task<'_, Result<RefusedRoutings, StoreError>> {
        Box::pin(async { Ok(self.refused_routings.lock().unwrap().clone()) })
    }

    fn banks_since(&self, _: i64) -> Task<'_, Result<Option<BankTable>, StoreError>> {
        Box::pin(async { Ok(Some(self.banks.lock().unwrap().clone())) })
    }

    fn settings(&self) -> Task<'_, Result<Settings, StoreError>> {
        Box::pin(async {
            Ok(Settings {
                spc_enabled: self.is_on.load(Ordering::SeqCst),
                response_variables: self.response_variables.lock().unwrap().clone(),
                ..Settings::default()
            })
        })
    }
}
