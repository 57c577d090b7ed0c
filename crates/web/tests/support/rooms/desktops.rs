//! Desktops and the credentials of their gateways, in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::boundary::{Desktops, StoreError, Task};
use domain::desktop::{Credentials, Desktop, SavedDesktop, SecretsSet, StoredCredentials};
use domain::gateway::approval::{HostApproval, HostEditor};
use domain::id::{DesktopId, WidgetId};
use domain::time::{UnixMillis, WallClock};
use secret::SecretText;

use super::{Rooms, save, task};

impl Rooms {
    pub(super) fn save_desktop(
        &self,
        desktop: Desktop,
        credentials: Credentials,
        by: &str,
    ) -> Result<i64, StoreError> {
        let now = self.now();
        self.keep_secrets(credentials.secrets);
        let mut set = self.passwords.lock().unwrap();
        for (widget, password) in credentials.passwords {
            set.retain(|(old, _)| *old != widget);
            if !password.is_empty() {
                set.push((widget, now));
            }
        }
        let mut desktops = self.desktops.lock().unwrap();
        let taken = |old: &Desktop| old.id != desktop.id && old.name == desktop.name;
        if desktops.iter().any(taken) {
            return Err(StoreError::Taken("name"));
        }
        let kept = desktop.clone();
        let revision = save(&mut desktops, desktop, |d| &d.id, |d| &mut d.revision)?;
        self.note(&Desktop { revision, ..kept }, by);
        Ok(revision)
    }

    fn keep_secrets(&self, secrets: Vec<(WidgetId, String, Arc<SecretText>)>) {
        let mut set = self.secrets.lock().unwrap();
        for (widget, name, text) in secrets {
            set.retain(|(old, known, _)| (old, known) != (&widget, &name));
            if !text.is_empty() {
                set.push((widget, name, self.now()));
            }
        }
    }
}

impl Desktops for Rooms {
    fn desktops(&self) -> Task<'_, Result<Vec<Desktop>, StoreError>> {
        task(self.fault().map(|()| self.desktops.lock().unwrap().clone()))
    }

    fn desktop<'a>(&'a self, id: &'a DesktopId) -> Task<'a, Result<Option<Desktop>, StoreError>> {
        let desktops = self.desktops.lock().unwrap();
        task(Ok(desktops.iter().find(|old| old.id == *id).cloned()))
    }

    fn last_saved(&self) -> Task<'_, Result<Vec<SavedDesktop>, StoreError>> {
        let saved = self.saved.lock().unwrap();
        let desktops = self.desktops.lock().unwrap();
        let last = |desktop: &Desktop| {
            let same = |saved: &&SavedDesktop| saved.desktop.id == desktop.id;
            SavedDesktop {
                desktop: desktop.clone(),
                ..saved.iter().rfind(same).unwrap().clone()
            }
        };
        task(self.fault().map(|()| desktops.iter().map(last).collect()))
    }

    fn revisions<'a>(
        &'a self,
        id: &'a DesktopId,
        limit: u32,
    ) -> Task<'a, Result<Vec<SavedDesktop>, StoreError>> {
        let saved = self.saved.lock().unwrap();
        let own = saved.iter().rev().filter(|saved| saved.desktop.id == *id);
        task(Ok(own
            .take(usize::try_from(limit).unwrap())
            .cloned()
            .collect()))
    }

    fn revision<'a>(
        &'a self,
        id: &'a DesktopId,
        revision: i64,
    ) -> Task<'a, Result<Option<SavedDesktop>, StoreError>> {
        let saved = self.saved.lock().unwrap();
        let one =
            |saved: &&SavedDesktop| saved.desktop.id == *id && saved.desktop.revision == revision;
        task(Ok(saved.iter().find(one).cloned()))
    }

    fn host_editors(&self) -> Task<'_, Result<BTreeSet<HostEditor>, StoreError>> {
        let saved = self.saved.lock().unwrap();
        task(Ok(saved.iter().flat_map(HostEditor::of).collect()))
    }

    fn approved_hosts(&self) -> Task<'_, Result<Vec<HostApproval>, StoreError>> {
        task(Ok(self.approved_hosts.lock().unwrap().clone()))
    }

    fn widgets_with_password(&self) -> Task<'_, Result<Vec<WidgetId>, StoreError>> {
        let set = self.passwords.lock().unwrap();
        task(Ok(set.iter().map(|(widget, _)| widget.clone()).collect()))
    }

    fn gateway_credentials<'a>(
        &'a self,
        widget: &'a WidgetId,
    ) -> Task<'a, Result<StoredCredentials, StoreError>> {
        let desktops = self.desktops.lock().unwrap();
        let mut widgets = desktops.iter().flat_map(|desktop| &desktop.widgets);
        let gateway = widgets.find(|kept| kept.id == *widget);
        let gateway = gateway.and_then(|kept| kept.gateway.clone());
        let set = self.secrets.lock().unwrap();
        let named = set.iter().filter(|(id, _, _)| id == widget);
        let value = |name: &String| {
            let text = SecretText::new(format!("stored-{name}-canary"));
            (name.clone(), text)
        };
        task(Ok(StoredCredentials {
            gateway,
            password: Some(SecretText::new("stored-canary".to_owned())),
            secrets: named.map(|(_, name, _)| value(name)).collect(),
        }))
    }

    fn secrets_set<'a>(&'a self, _: &'a DesktopId) -> Task<'a, Result<SecretsSet, StoreError>> {
        task(Ok(self.secrets.lock().unwrap().clone()))
    }

    fn passwords_set<'a>(
        &'a self,
        _: &'a DesktopId,
    ) -> Task<'a, Result<Vec<(WidgetId, UnixMillis)>, StoreError>> {
        task(Ok(self.passwords.lock().unwrap().clone()))
    }
}
