//! Services, settings, routing numbers, and the names of sounds.

use std::sync::Arc;

use domain::boundary::{Services, Sounds, StoreError, Task};
use domain::capture::routing::{BankTable, RefusedRoutings};
use domain::id::{ServiceId, SoundId};
use domain::queue::sound::Sound;
use domain::service::{Service, Settings};

use super::{Rooms, task};

impl Rooms {
    pub(super) fn keep_sound(&self, sound: Sound) -> Result<i64, StoreError> {
        let mut sounds = self.sounds.lock().unwrap();
        if sounds.iter().any(|one| one.name == sound.name) {
            return Err(StoreError::Taken("name"));
        }
        sounds.push(sound);
        Ok(0)
    }

    pub(super) fn delete_sound(&self, id: &SoundId) -> Result<i64, StoreError> {
        let services = self.services.lock().unwrap();
        let mut queues = services
            .iter()
            .filter_map(|one| Some((one, one.queue.as_ref()?)));
        if let Some((service, _)) = queues.find(|(_, queue)| queue.sounds().any(|one| one == id)) {
            return Err(StoreError::InUse(format!("the service {}", service.name)));
        }
        self.sounds.lock().unwrap().retain(|sound| sound.id != *id);
        Ok(0)
    }
}

impl Sounds for Rooms {
    fn sounds(&self) -> Task<'_, Result<Vec<Sound>, StoreError>> {
        task(Ok(self.sounds.lock().unwrap().clone()))
    }

    fn samples<'a>(&'a self, _: &'a SoundId) -> Task<'a, Result<Option<Arc<[i16]>>, StoreError>> {
        task(Ok(None))
    }
}

impl Services for Rooms {
    fn services(&self) -> Task<'_, Result<Vec<Service>, StoreError>> {
        task(Ok(self.services.lock().unwrap().clone()))
    }

    fn service<'a>(&'a self, id: &'a ServiceId) -> Task<'a, Result<Option<Service>, StoreError>> {
        let services = self.services.lock().unwrap();
        task(Ok(services.iter().find(|old| old.id == *id).cloned()))
    }

    fn refused_routings(&self) -> Task<'_, Result<RefusedRoutings, StoreError>> {
        task(Ok(self.refused_routings.lock().unwrap().clone()))
    }

    fn banks_since(&self, known: i64) -> Task<'_, Result<Option<BankTable>, StoreError>> {
        let banks = self.banks.lock().unwrap().clone();
        task(Ok((banks.revision != known).then_some(banks)))
    }

    fn settings(&self) -> Task<'_, Result<Settings, StoreError>> {
        task(Ok(self.settings.lock().unwrap().clone()))
    }
}
