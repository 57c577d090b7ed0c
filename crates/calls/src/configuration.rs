//! The configuration that calls run with.
//! Owns: an immutable snapshot of settings, services, desktops, users and roles, replaced whole after each commit.
//! Never: changes under a call: a capture keeps the widget it began with.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::access::{Actor, CustomRoles, User};
use domain::boundary::{Audited, Change, Desktops, Services, Store, StoreError, Task, Users};
use domain::capture::routing::RoutingBook;
use domain::desktop::Desktop;
use domain::gateway::approval::HostApproval;
use domain::id::{DesktopId, ServiceId, SoundId, UserId, WidgetId};
use domain::queue::{Queue, WaitingSound};
use domain::service::{Service, Settings};
use domain::widget::Widget;

/// Where a snapshot is read from.
#[derive(Clone)]
pub struct Readers {
    /// Users.
    pub users: Arc<dyn Users>,
    /// Desktops.
    pub desktops: Arc<dyn Desktops>,
    /// Services and settings.
    pub services: Arc<dyn Services>,
}

/// Samples at 8 kHz.
pub type Sounds = BTreeMap<SoundId, Arc<[i16]>>;

/// What was configured at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// System settings.
    pub settings: Settings,
    /// Services.
    pub services: Vec<Arc<Service>>,
    /// Desktops.
    pub desktops: Vec<Arc<Desktop>>,
    /// Users.
    pub users: Vec<Arc<User>>,
    /// Roles that were made here.
    pub custom_roles: CustomRoles,
    /// Hosts that a second person approved.
    pub approved_hosts: Vec<HostApproval>,
    /// Refused routing numbers and bank names.
    pub routing: RoutingBook,
    /// Samples of the sounds that services name, at 8 kHz.
    pub sounds: Sounds,
}

impl Snapshot {
    /// The service for a called number: the one that names it, else the one that takes everything.
    #[must_use]
    pub fn service_for(&self, called: &str) -> Option<&Arc<Service>> {
        let takes_rest = |service: &&Arc<Service>| service.numbers.iter().any(|own| own == "*");
        let mut services = self.services.iter();
        let named = services.find(|service| service.has_number(called));
        named.or_else(|| self.services.iter().find(takes_rest))
    }

    /// A desktop.
    #[must_use]
    pub fn desktop(&self, id: &DesktopId) -> Option<&Arc<Desktop>> {
        self.desktops.iter().find(|desktop| desktop.id == *id)
    }

    /// A widget of any desktop.
    #[must_use]
    pub fn widget(&self, id: &WidgetId) -> Option<&Widget> {
        let mut widgets = self.desktops.iter().flat_map(|desktop| &desktop.widgets);
        widgets.find(|widget| widget.id == *id)
    }

    /// The enabled user whose phone has this name.
    #[must_use]
    pub fn user_of_phone(&self, phone: &str) -> Option<&Arc<User>> {
        self.users
            .iter()
            .find(|user| user.enabled && user.phone.as_deref() == Some(phone))
    }

    /// The enabled user with this extension; none if two have it.
    #[must_use]
    pub fn user_of_extension(&self, extension: &str) -> Option<&Arc<User>> {
        let has = |user: &&Arc<User>| user.enabled && user.extension.as_deref() == Some(extension);
        let mut named = self.users.iter().filter(has);
        named.next().filter(|_| named.next().is_none())
    }

    /// The enabled user with this login name.
    #[must_use]
    pub fn user_named(&self, name: &str) -> Option<&Arc<User>> {
        self.users
            .iter()
            .find(|user| user.enabled && user.name == name)
    }

    /// A service.
    #[must_use]
    pub fn service(&self, id: &ServiceId) -> Option<&Arc<Service>> {
        self.services.iter().find(|service| service.id == *id)
    }

    /// What callers of a service hear who wait.
    #[must_use]
    pub fn waiting_sound(&self, service: &Service) -> WaitingSound {
        let queue = service.waiting();
        let sound = |id: Option<&SoundId>| self.sounds.get(id?).cloned();
        WaitingSound {
            music: sound(queue.and_then(|queue| queue.music.as_ref())),
            announcement: sound(queue.and_then(|queue| queue.announcement.as_ref())),
            announce_every_s: queue.map_or(0, |queue| queue.announce_every_s),
        }
    }

    /// A user as one who acts, for the gates.
    #[must_use]
    pub fn actor(&self, user: &User) -> Actor {
        user.actor(&self.custom_roles, "-")
    }

    /// A user.
    #[must_use]
    pub fn user(&self, id: &UserId) -> Option<&Arc<User>> {
        self.users.iter().find(|user| user.id == *id)
    }
}

/// The current snapshot and its source.
pub struct Configuration {
    readers: Readers,
    current: RwLock<Arc<Snapshot>>,
}

impl Configuration {
    /// Reads the first snapshot.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn load(readers: Readers) -> Result<Arc<Self>, StoreError> {
        let snapshot = read(&readers, &Snapshot::default()).await?;
        Ok(Arc::new(Self {
            readers,
            current: RwLock::new(Arc::new(snapshot)),
        }))
    }

    /// The snapshot of now.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the store again and replaces the snapshot.
    ///
    /// # Errors
    /// The store cannot be read; the old snapshot stays.
    pub async fn reload(&self) -> Result<(), StoreError> {
        let snapshot = Arc::new(read(&self.readers, &self.current()).await?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }
}

/// Samples of the sounds that services name. A sound does not change: those of `known` stay.
async fn sounds_of(
    readers: &Readers,
    services: &[Service],
    known: &Sounds,
) -> Result<Sounds, StoreError> {
    let mut sounds = Sounds::new();
    let named = services.iter().filter_map(Service::waiting);
    for id in named.flat_map(Queue::sounds) {
        let samples = match known.get(id) {
            Some(samples) => Some(samples.clone()),
            None => readers.services.samples(id).await?,
        };
        sounds.extend(samples.map(|samples| (id.clone(), samples)));
    }
    Ok(sounds)
}

/// Bank names are many and seldom change, and so are sounds: those of `known` stay unless there are newer ones.
async fn read(readers: &Readers, known: &Snapshot) -> Result<Snapshot, StoreError> {
    let banks = (readers.services.banks_since(known.routing.banks.revision)).await?;
    let refused = readers.services.refused_routings().await?;
    let services = readers.services.services().await?;
    Ok(Snapshot {
        settings: readers.services.settings().await?,
        sounds: sounds_of(readers, &services, &known.sounds).await?,
        services: services.into_iter().map(Arc::new).collect(),
        desktops: readers
            .desktops
            .desktops()
            .await?
            .into_iter()
            .map(Arc::new)
            .collect(),
        users: readers
            .users
            .users()
            .await?
            .into_iter()
            .map(Arc::new)
            .collect(),
        custom_roles: readers.users.custom_roles().await?,
        approved_hosts: readers.desktops.approved_hosts().await?,
        routing: RoutingBook {
            refused: Arc::new(refused),
            banks: banks.map_or_else(|| known.routing.banks.clone(), Arc::new),
        },
    })
}

/// What is done after a configuration change is on disk and the snapshot is new.
pub type AfterChange = Box<dyn Fn(&Snapshot, &Change) + Send + Sync>;

/// A store whose configuration changes are live when it answers (SETTLED S5).
pub struct WatchedStore {
    inner: Arc<dyn Store>,
    configuration: Arc<Configuration>,
    after: AfterChange,
}

impl WatchedStore {
    /// Watches a store for a configuration.
    #[must_use]
    pub fn new(
        inner: Arc<dyn Store>,
        configuration: Arc<Configuration>,
        after: AfterChange,
    ) -> Self {
        Self {
            inner,
            configuration,
            after,
        }
    }
}

impl Store for WatchedStore {
    fn commit(&self, audited: Audited) -> Task<'_, Result<i64, StoreError>> {
        let change = is_configuration(&audited.change).then(|| audited.change.clone());
        Box::pin(async move {
            let revision = self.inner.commit(audited).await?;
            if let Some(change) = change {
                if let Err(error) = self.configuration.reload().await {
                    tracing::error!(%error, "the configuration was saved but could not be read back");
                }
                (self.after)(&self.configuration.current(), &change);
            }
            Ok(revision)
        })
    }
}

fn is_configuration(change: &Change) -> bool {
    match change {
        Change::SaveUser(_)
        | Change::SetSecondFactor { .. }
        | Change::SaveRole(_)
        | Change::DeleteRole(_)
        | Change::SaveDesktop { .. }
        | Change::DeleteDesktop(_)
        | Change::AssignDesktop { .. }
        | Change::SaveDesign(_)
        | Change::DeleteDesign(_)
        | Change::BindDesign { .. }
        | Change::SaveService(_)
        | Change::Sound(_)
        | Change::ApproveHost(_)
        | Change::WithdrawHost(_)
        | Change::SaveSettings(_)
        | Change::SaveRefusedRoutings(_)
        | Change::ReplaceBanks(_) => true,
        Change::None
        | Change::InsertPayment(_)
        | Change::MovePayment { .. }
        | Change::InsertFollowUp(_)
        | Change::MoveFollowUp(_)
        | Change::ProposeResolution(_)
        | Change::RejectResolution(_)
        | Change::Recording(_)
        | Change::ConfirmResolution { .. } => false,
    }
}
