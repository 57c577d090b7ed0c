//! What a new installation holds.
//! Owns: the first administrator, and the demonstration's users, desktop and service.
//! Never: a password that is the same twice, or one that is kept in clear.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use domain::access::{Actor, Role, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change, Store, StoreError};
use domain::capture::{Brand, Field, WidgetKind};
use domain::desktop::{Credentials, Desktop, DesktopService, Layout};
use domain::gateway::{ContentType, GatewayConfig};
use domain::id::{DesktopId, ServiceId, UserId, WidgetId};
use domain::outbound::{NumberPattern, Outbound, WayOut};
use domain::pairing::Pairing;
use domain::service::{
    CallRecording, OnTransfer, ProtectionScope, RecorderDeclaration, ResponseVariables, Route,
    ScreenRecording, Service, Settings,
};
use domain::time::WallClock;
use domain::widget::{Prompt, Translations, Widget, WidgetOptions};
use secret::SecretText;
use thiserror::Error;

use crate::clock::SystemClock;

/// Letters of a made password: none that are mistaken for each other.
const LETTERS: &[u8; 54] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ234567";

/// Why nothing could be put in.
#[derive(Debug, Error)]
pub(crate) enum SeedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Password(#[from] web::PasswordError),
}

/// A user to make.
pub(crate) struct NewUser<'a> {
    pub(crate) name: &'a str,
    pub(crate) display_name: &'a str,
    pub(crate) roles: &'a [Role],
    pub(crate) must_change_password: bool,
    pub(crate) desktop: Option<DesktopId>,
    /// Phone name and its digest secret.
    pub(crate) phone: Option<(String, String)>,
}

/// A made password: 18 letters, about 103 bits, with a digit in it.
pub(crate) fn make_password() -> String {
    let letter = |_| char::from(LETTERS[rand::random_range(0..LETTERS.len())]);
    let text: String = (0..17).map(letter).collect();
    format!("{text}{}", rand::random_range(2..10))
}

/// Saves a user with a password.
pub(crate) async fn save_user(
    store: &dyn Store,
    new: NewUser<'_>,
    password: &str,
) -> Result<(), SeedError> {
    let hash = web::hash_password(
        &SecretText::new(password.to_owned()),
        web::PasswordCost::default(),
    )?;
    let (phone, phone_ha1) = new.phone.unzip();
    let user = User {
        name: new.name.to_owned(),
        display_name: new.display_name.to_owned(),
        roles: new.roles.iter().map(|role| (*role).into()).collect(),
        password_hash: hash,
        must_change_password: new.must_change_password,
        active_at: Some(SystemClock.now()),
        desktop: new.desktop,
        phone,
        phone_ha1,
        ..User::blank(UserId::from_random(rand::random()))
    };
    let object = format!("user {}", new.name);
    save(
        store,
        AuditAction::UserSaved,
        object,
        Change::SaveUser(user),
    )
    .await
    .map(drop)
}

async fn save(
    store: &dyn Store,
    action: AuditAction,
    object: String,
    change: Change,
) -> Result<i64, SeedError> {
    let entry = AuditEntry::new(SystemClock.now(), &Actor::system(), action, object);
    Ok(store.commit(Audited { change, entry }).await?)
}

/// The first administrator of a new installation, whose password is printed once and must be changed.
pub(crate) async fn first_administrator(store: &dyn Store) -> Result<String, SeedError> {
    let password = make_password();
    let new = NewUser {
        name: "admin",
        display_name: "Administrator",
        roles: &[Role::DesktopAdmin, Role::SecurityAdmin],
        must_change_password: true,
        desktop: None,
        phone: None,
    };
    save_user(store, new, &password).await?;
    Ok(password)
}

/// What the demonstration starts with.
pub(crate) struct Demonstration {
    /// Login names and passwords.
    pub(crate) passwords: BTreeMap<&'static str, String>,
    /// The agent phone's user and password.
    pub(crate) phone: (String, String),
    /// Its service, as it is stored.
    pub(crate) service: Service,
}

/// Number that the demonstration's consumer dials.
pub(crate) const DEMO_NUMBER: &str = "4000";

/// Puts the demonstration's data into an empty store.
pub(crate) async fn demonstration(
    store: &dyn Store,
    service_url: &str,
    realm: &str,
) -> Result<Demonstration, SeedError> {
    let settings = Settings {
        spc_enabled: true,
        response_variables: ResponseVariables::All,
        revision: 0,
    };
    save(
        store,
        AuditAction::SettingsSaved,
        "settings".to_owned(),
        Change::SaveSettings(settings),
    )
    .await?;
    let desktop = demo_desktop(service_url);
    let desktop_id = desktop.id.clone();
    let change = Change::SaveDesktop {
        desktop,
        credentials: Credentials::default(),
    };
    save(
        store,
        AuditAction::DesktopSaved,
        "desktop Demo desktop".to_owned(),
        change,
    )
    .await?;
    let mut service = Service {
        id: ServiceId::from_random(rand::random()),
        name: "Demo line".to_owned(),
        numbers: vec![DEMO_NUMBER.to_owned()],
        route: Route::Agents { group: None },
        pairing: Pairing::default(),
        pool: None,
        hours: None,
        outbound: None,
        queue: None,
        desktop: desktop_id.clone(),
        protection: ProtectionScope::Capture,
        after_call_s: 0,
        on_transfer: OnTransfer::default(),
        call_recording: CallRecording::default(),
        screen_recording: ScreenRecording::default(),
        recorders: Some(RecorderDeclaration {
            confirmed_by: "admin".to_owned(),
            confirmed_at: SystemClock.now(),
            sinks: Vec::new(),
        }),
        revision: 0,
    };
    service.revision = save_service(store, &service).await?;
    let phone = ("1001".to_owned(), make_password());
    let secret = web::phone_secret(&phone.0, realm, &SecretText::new(phone.1.clone()));
    let passwords = demo_users(store, desktop_id, (phone.0.clone(), secret)).await?;
    Ok(Demonstration {
        passwords,
        phone,
        service,
    })
}

async fn save_service(store: &dyn Store, service: &Service) -> Result<i64, SeedError> {
    let object = format!("service {}", service.name);
    let change = Change::SaveService(service.clone());
    save(store, AuditAction::ServiceSaved, object, change).await
}

/// The demonstration's agents call out, too: numbers that begin with 555, all of which are the simulated consumer's.
pub(crate) async fn calls_out(
    store: &dyn Store,
    service: &Service,
    consumer: SocketAddr,
) -> Result<(), SeedError> {
    let patterns = ["+1555*", "555*"].into_iter();
    let service = Service {
        pool: None,
        hours: None,
        outbound: Some(Outbound {
            route: WayOut::Uri {
                uri: format!("sip:{{number}}@{consumer}"),
                address: consumer.to_string(),
            },
            caller_number: "+15550199".to_owned(),
            numbers: patterns.filter_map(NumberPattern::parse).collect(),
        }),
        ..service.clone()
    };
    save_service(store, &service).await.map(drop)
}

async fn demo_users(
    store: &dyn Store,
    desktop: DesktopId,
    phone: (String, String),
) -> Result<BTreeMap<&'static str, String>, SeedError> {
    let rows: [(&'static str, &str, &[Role]); 5] = [
        ("agent", "Alex Agent", &[Role::Agent]),
        (
            "admin",
            "Ada Admin",
            &[Role::DesktopAdmin, Role::SecurityAdmin],
        ),
        ("supervisor", "Sam Supervisor", &[Role::Supervisor]),
        // What is unknown takes two people to settle.
        ("supervisor2", "Sue Supervisor", &[Role::Supervisor]),
        ("auditor", "Audrey Auditor", &[Role::Auditor]),
    ];
    let mut passwords = BTreeMap::new();
    for (name, display_name, roles) in rows {
        let password = make_password();
        let is_agent = name == "agent";
        let new = NewUser {
            name,
            display_name,
            roles,
            must_change_password: false,
            desktop: is_agent.then(|| desktop.clone()),
            phone: is_agent.then(|| phone.clone()),
        };
        save_user(store, new, &password).await?;
        passwords.insert(name, password);
    }
    Ok(passwords)
}

fn demo_desktop(service_url: &str) -> Desktop {
    let widgets = vec![
        demo_widget(
            WidgetKind::CreditCardAdvanced,
            "Card payment",
            Some(demo_gateway(service_url, ContentType::Json)),
        ),
        demo_widget(
            WidgetKind::CheckAdvanced,
            "Bank payment",
            Some(demo_gateway(service_url, ContentType::Form)),
        ),
        demo_widget(WidgetKind::CreditCardBasic, "Card details", None),
        demo_widget(WidgetKind::CheckBasic, "Bank details", None),
    ];
    Desktop {
        id: DesktopId::from_random(rand::random()),
        name: "Demo desktop".to_owned(),
        service: DesktopService::Standard,
        layout: Layout::ExtendedPanel,
        widgets,
        design: None,
        revision: 0,
    }
}

fn demo_widget(kind: WidgetKind, title: &str, gateway: Option<GatewayConfig>) -> Widget {
    let prompt = |field: &Field| Prompt {
        field: *field,
        text: demo_prompt(*field).to_owned(),
    };
    let is_card = kind.payment_type() == domain::capture::PaymentType::Card;
    Widget {
        id: WidgetId::from_random(rand::random()),
        kind,
        title: title.to_owned(),
        enabled: true,
        prompts: kind.fields().iter().map(prompt).collect(),
        translations: Translations::new(),
        card_types: if is_card {
            Brand::ALL.into_iter().collect()
        } else {
            BTreeSet::new()
        },
        options: WidgetOptions::default(),
        gateway,
    }
}

fn demo_prompt(field: Field) -> &'static str {
    match field {
        Field::CardNumber => {
            "Please key your card number on your telephone, then press the pound key."
        }
        Field::Expiry => "Now the expiration date: two digits for the month, two for the year.",
        Field::SecurityCode => {
            "And the security code: three digits on the back, or four on the front of an American Express."
        }
        Field::RoutingNumber => {
            "Please key the nine digits of the routing number at the bottom left of your check."
        }
        Field::AccountNumber => "Now your account number, then the pound key.",
    }
}

fn demo_gateway(service_url: &str, content_type: ContentType) -> GatewayConfig {
    let nested = content_type == ContentType::Json;
    let key = |name: &str| {
        if nested {
            format!("result.{name}")
        } else {
            name.to_owned()
        }
    };
    GatewayConfig {
        service_url: service_url.to_owned(),
        success_key: key("status"),
        success_value: "APPROVED".to_owned(),
        agent_message_key: key("text"),
        request_params: Vec::new(),
        send_standard_parameters: true,
        auth_method: domain::gateway::AuthMethod::None,
        auth_user_name: String::new(),
        connection_timeout_ms: domain::gateway::CONNECTION_TIMEOUT_MS,
        read_timeout_ms: 8_000,
        request_type: content_type,
        response_type: content_type,
        request_headers: Vec::new(),
        missing_key: domain::gateway::MissingKey::Unknown,
        more: domain::gateway::More::default(),
    }
}

/// Whether a store holds no user yet.
pub(crate) async fn is_empty(users: &dyn domain::boundary::Users) -> Result<bool, StoreError> {
    Ok(users.users().await?.is_empty())
}
