//! A whole HTTP side with rooms of its own: everything is real but what lies behind the traits.

mod browser;
mod desk;
mod rooms;
pub(crate) mod screens;
pub(crate) mod shelf;
mod trials;

pub(crate) use browser::{Browser, Reply, Stream};
pub(crate) use desk::Desk;
pub(crate) use rooms::Rooms;
pub(crate) use screens::Screens;
pub(crate) use shelf::{Shelf, ended, recording};
pub(crate) use trials::Bench;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::access::{Role, User};
use domain::capture::{Brand, Field, WidgetKind};
use domain::desktop::{Desktop, DesktopService, Layout};
use domain::gateway::{AuthMethod, GatewayConfig};
use domain::id::{DesktopId, UserId, WidgetId};
use domain::time::UnixMillis;
use domain::widget::{Prompt, Widget, WidgetOptions};
use secret::SecretText;
use web::events::Hub;
use web::{Deps, Page, PasswordCost, Running, WebConfig, hash_password};

/// The password of every user here.
pub(crate) const PASSWORD: &str = "correct horse 42";
/// Cheap hashes: what is tested is not their cost.
pub(crate) const CHEAP: PasswordCost = PasswordCost {
    memory_kib: 8,
    passes: 1,
};

/// A server that runs.
pub(crate) struct House {
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) bench: Arc<Bench>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) screens: Arc<Screens>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) server: Running,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut WebConfig)) -> Self {
        let rooms = Arc::new(Rooms::default());
        rooms.add_desktop(desktop("sales"));
        for (number, role) in (1..).zip(Role::ALL) {
            rooms.add_user(user(number, role));
        }
        let desk = Arc::new(Desk::default());
        let bench = Arc::new(Bench::default());
        let shelf = Arc::new(Shelf::new(rooms.clone()));
        let screens = Arc::new(Screens::new());
        let hub = Hub::new();
        let mut config = config();
        adjust(&mut config);
        let deps = deps(&rooms, &desk, &bench, (&shelf, &screens), &hub);
        let server = web::serve(config, deps).await.unwrap();
        Self {
            rooms,
            desk,
            bench,
            shelf,
            screens,
            hub,
            server,
        }
    }

    /// As a server of its own, which asks for the second factor.
    pub(crate) async fn with_second_factor() -> Self {
        Self::with(|config| config.second_factor = true).await
    }

    /// An installation without users, with the token of its set-up link.
    pub(crate) async fn empty(second_factor: bool) -> (Self, String) {
        let house = Self::with(|config| config.second_factor = second_factor).await;
        house.rooms.users.lock().unwrap().clear();
        let token = house.server.open_set_up().unwrap();
        (house, token)
    }

    /// Another server over the same rooms.
    pub(crate) async fn beside(&self) -> Running {
        web::serve(config(), self.deps()).await.unwrap()
    }

    /// The same rooms for another server.
    pub(crate) fn deps(&self) -> Deps {
        let kept = (&self.shelf, &self.screens);
        deps(&self.rooms, &self.desk, &self.bench, kept, &self.hub)
    }

    /// A browser that nobody has logged in with.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.server.local_addr)
    }

    /// A browser in which a user of that role is logged in.
    pub(crate) async fn logged_in(&self, role: Role) -> Browser {
        let mut browser = self.browser();
        let reply = browser.log_in(name_of(role), PASSWORD).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        browser
    }
}

fn config() -> WebConfig {
    let mut config = WebConfig::on(([127, 0, 0, 1], 0).into());
    config.password_cost = CHEAP;
    config.idle_lock = Duration::from_secs(900);
    config.second_factor = false;
    config.page = page();
    config.recorder_controls = vec!["floor".to_owned()];
    config.trunks = vec!["carrier".to_owned()];
    config
}

fn deps(
    rooms: &Arc<Rooms>,
    desk: &Arc<Desk>,
    bench: &Arc<Bench>,
    (shelf, screens): (&Arc<Shelf>, &Arc<Screens>),
    hub: &Arc<Hub>,
) -> Deps {
    Deps {
        desk: desk.clone(),
        phones: desk.clone(),
        store: rooms.clone(),
        users: rooms.clone(),
        desktops: rooms.clone(),
        designs: rooms.clone(),
        services: rooms.clone(),
        gateway: rooms.clone(),
        trials: bench.clone(),
        payments: rooms.clone(),
        payment_desk: rooms.clone(),
        recordings: shelf.clone(),
        recording_files: Some(shelf.clone()),
        screens: Some(screens.clone()),
        audit: rooms.clone(),
        evidence: rooms.clone(),
        clock: rooms.clone(),
        hub: hub.clone(),
        hooks: rooms.clone(),
    }
}

/// The login name of the user with that role.
pub(crate) fn name_of(role: Role) -> &'static str {
    match role {
        Role::Agent => "anna",
        Role::Supervisor => "sam",
        Role::DesktopAdmin => "dora",
        Role::SecurityAdmin => "sid",
        Role::Auditor => "audrey",
    }
}

pub(crate) fn user(number: u128, role: Role) -> User {
    let agent = role == Role::Agent;
    User {
        name: name_of(role).to_owned(),
        display_name: format!("{role:?}"),
        roles: BTreeSet::from([role.into()]),
        password_hash: hash_password(&SecretText::new(PASSWORD.to_owned()), CHEAP).unwrap(),
        must_change_password: false,
        active_at: Some(UnixMillis(1_800_000_000_000)),
        desktop: agent.then(|| "sales".parse().unwrap()),
        revision: 1,
        ..User::blank(UserId::from_random(number))
    }
}

pub(crate) fn desktop(id: &str) -> Desktop {
    Desktop {
        id: id.parse::<DesktopId>().unwrap(),
        name: "Sales".to_owned(),
        service: DesktopService::Standard,
        layout: Layout::ExtendedPanel,
        widgets: vec![card_widget()],
        design: None,
        revision: 1,
    }
}

pub(crate) fn card_widget() -> Widget {
    let prompts = WidgetKind::CreditCardAdvanced
        .fields()
        .iter()
        .map(|field: &Field| Prompt {
            field: *field,
            text: "Please key it now".to_owned(),
        })
        .collect();
    Widget {
        id: "card".parse::<WidgetId>().unwrap(),
        kind: WidgetKind::CreditCardAdvanced,
        title: "Card payment".to_owned(),
        enabled: true,
        prompts,
        translations: domain::widget::Translations::new(),
        card_types: BTreeSet::from(Brand::ALL),
        options: WidgetOptions::default(),
        gateway: Some(gateway()),
    }
}

pub(crate) fn gateway() -> GatewayConfig {
    let mut gateway: GatewayConfig = serde_json::from_value(serde_json::json!({
        "service_url": "https://gateway.example/charge",
        "success_key": "status",
        "success_value": "APPROVED",
        "request_headers": [{"name": "X-Merchant", "value": "header-canary"}],
    }))
    .unwrap();
    gateway.auth_method = AuthMethod::None;
    gateway
}

fn page() -> Page {
    let file = |path: &str, text: &'static str| (path.to_owned(), text.as_bytes().into());
    Page::from_files([
        file(
            "index.html",
            "<meta name=\"csp-nonce\" content=\"__CSP_NONCE__\"><p>the page</p>",
        ),
        file("assets/app-3f.js", "export {}"),
        file("favicon.svg", "<svg/>"),
        file("simulator.html", "<p>of another listener</p>"),
    ])
}
