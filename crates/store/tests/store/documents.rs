//! Users, desktops, services and settings.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::access::{AssignedRole, CustomRole, GroupName, Permission, Preferences, Role, User};
use domain::boundary::{Change, Desktops, Services, StoreError, Users};
use domain::capture::fixtures::ROUTING_NUMBERS;
use domain::capture::routing::{BankTable, RefusedRoutings, parse_banks};
use domain::desktop::Desktop;
use domain::gateway::approval::{HostApproval, HostEditor};
use domain::id::{RoleId, UserId};
use domain::service::{ResponseVariables, Route, Service, Settings};
use domain::time::UnixMillis;

use crate::place::{Place, commit, desktop, next, saved_desktop, service, user, widget};

fn save_desktop(desktop: &Desktop) -> Change {
    Change::SaveDesktop {
        desktop: desktop.clone(),
        credentials: Default::default(),
    }
}

async fn users_come_back_as_they_were_saved(place: Place) {
    let database = place.open().await;
    let desk = saved_desktop(&database, "sales").await;
    let (mut ann, bob) = (user("ann"), user("bob"));
    ann.desktop = Some(desk.id.clone());
    assert_eq!(
        commit(&database, Change::SaveUser(bob.clone())).await,
        Ok(1)
    );
    assert_eq!(
        commit(&database, Change::SaveUser(ann.clone())).await,
        Ok(1)
    );
    ann.revision = 1;
    ann.failed_logins = 0;
    ann.phone = None;
    assert_eq!(
        commit(&database, Change::SaveUser(ann.clone())).await,
        Ok(2)
    );
    ann.revision = 2;
    let bob = User { revision: 1, ..bob };
    assert_eq!(database.user_by_name("ann").await, Ok(Some(ann.clone())));
    assert_eq!(database.user(&bob.id).await, Ok(Some(bob.clone())));
    assert_eq!(database.user_by_name("Ann").await, Ok(None));
    assert_eq!(database.users().await, Ok(vec![ann, bob]));
}

fn role(name: &str) -> CustomRole {
    CustomRole {
        id: RoleId::from_random(next()),
        name: name.to_owned(),
        permissions: BTreeSet::from([Permission::PaymentView]),
        revision: 0,
    }
}

async fn roles_come_back_as_they_were_saved_and_names_are_given_once(place: Place) {
    let database = place.open().await;
    let mut lead = role("Team lead");
    assert_eq!(
        commit(&database, Change::SaveRole(lead.clone())).await,
        Ok(1)
    );
    let twin = commit(&database, Change::SaveRole(role("Team lead"))).await;
    assert_eq!(twin, Err(StoreError::Taken("name")));
    lead.revision = 1;
    lead.permissions.insert(Permission::AuditRead);
    assert_eq!(
        commit(&database, Change::SaveRole(lead.clone())).await,
        Ok(2)
    );
    assert_eq!(
        commit(&database, Change::SaveRole(lead.clone())).await,
        Err(StoreError::Conflict)
    );
    lead.revision = 2;
    let stored = database.custom_roles().await.unwrap();
    assert_eq!(stored.find(&lead.id), Some(&lead));
}

async fn a_role_that_somebody_has_is_not_deleted_and_one_that_is_gone_is_not_given(place: Place) {
    let database = place.open().await;
    let lead = role("Team lead");
    let mut ann = user("ann");
    ann.roles.insert(AssignedRole::Custom(lead.id.clone()));
    let early = commit(&database, Change::SaveUser(ann.clone())).await;
    assert_eq!(early, Err(StoreError::Conflict));
    commit(&database, Change::SaveRole(lead.clone()))
        .await
        .unwrap();
    commit(&database, Change::SaveUser(ann.clone()))
        .await
        .unwrap();
    let delete = || commit(&database, Change::DeleteRole(lead.id.clone()));
    assert_eq!(
        delete().await,
        Err(StoreError::InUse("the user ann".to_owned()))
    );
    ann.revision = 1;
    ann.roles.clear();
    commit(&database, Change::SaveUser(ann)).await.unwrap();
    assert_eq!(delete().await, Ok(0));
    assert_eq!(delete().await, Err(StoreError::Conflict));
}

async fn the_last_enabled_security_admin_stays_one(place: Place) {
    let database = place.open().await;
    let admin = |name: &str| User {
        roles: BTreeSet::from([Role::SecurityAdmin.into()]),
        ..user(name)
    };
    let (mut first, second) = (admin("first"), admin("second"));
    let disabled = User {
        enabled: false,
        ..admin("third")
    };
    for new in [first.clone(), second.clone(), disabled, user("ann")] {
        commit(&database, Change::SaveUser(new)).await.unwrap();
    }
    first.revision = 1;
    first.enabled = false;
    let stripped = User {
        roles: BTreeSet::from([Role::Auditor.into()]),
        revision: 1,
        ..second
    };
    // Both in one batch: each of them would leave the other.
    let both = tokio::join!(
        commit(&database, Change::SaveUser(first)),
        commit(&database, Change::SaveUser(stripped)),
    );
    assert_eq!(both, (Ok(2), Err(StoreError::LastSecurityAdmin)));
}

async fn a_user_of_an_earlier_version_keeps_what_it_had(place: Place) {
    let database = place.open().await;
    let ann = user("ann");
    commit(&database, Change::SaveUser(ann.clone()))
        .await
        .unwrap();
    let of_third = User {
        former_hashes: Vec::new(),
        active_at: None,
        revision: 1,
        ..ann
    };
    let of_first = User {
        preferences: Preferences::default(),
        ..of_third.clone()
    };
    for (was, version, expected) in [(4, 3, &of_third), (3, 1, &of_first)] {
        let replaced = format!("REPLACE(document, '\"v\":{was}', '\"v\":{version}')");
        place
            .execute(&format!("UPDATE users SET document = {replaced}"))
            .await;
        let stored = database.user(&of_third.id).await.unwrap();
        assert_eq!(stored.as_ref(), Some(expected), "version {version}");
    }
}

async fn names_phones_and_identities_are_given_once(place: Place) {
    let database = place.open().await;
    let ann = user("ann");
    commit(&database, Change::SaveUser(ann.clone()))
        .await
        .unwrap();
    let refused = |user: User| {
        let database = &database;
        async move { commit(database, Change::SaveUser(user)).await }
    };
    let same_name = User {
        name: "ann".to_owned(),
        ..user("other")
    };
    assert_eq!(refused(same_name).await, Err(StoreError::Taken("name")));
    let same_phone = User {
        phone: ann.phone.clone(),
        ..user("other")
    };
    assert_eq!(refused(same_phone).await, Err(StoreError::Taken("phone")));
    let same_id = User {
        id: ann.id.clone(),
        ..user("other")
    };
    assert_eq!(refused(same_id).await, Err(StoreError::Taken("identity")));

    let desk = saved_desktop(&database, "sales").await;
    let other = commit(&database, save_desktop(&desktop("sales"))).await;
    assert_eq!(other, Err(StoreError::Taken("name")));
    let mut twin = desktop("twin");
    twin.widgets = desk.widgets.clone();
    let twin = commit(&database, save_desktop(&twin)).await;
    assert_eq!(
        twin,
        Err(StoreError::Taken("identity")),
        "a widget has one desktop"
    );
    let mut double = desktop("double");
    double.widgets = vec![widget(); 2];
    let double = commit(&database, save_desktop(&double)).await;
    assert_eq!(double, Err(StoreError::Taken("identity")));

    let line = service("line", &desk.id);
    commit(&database, Change::SaveService(line.clone()))
        .await
        .unwrap();
    let mut second = service("second", &desk.id);
    second.numbers.push(line.numbers[0].clone());
    let second = commit(&database, Change::SaveService(second)).await;
    assert_eq!(second, Err(StoreError::Taken("number")));
    let third = Service {
        name: "line".to_owned(),
        ..service("third", &desk.id)
    };
    let third = commit(&database, Change::SaveService(third)).await;
    assert_eq!(third, Err(StoreError::Taken("name")));
}

async fn an_older_revision_does_not_overwrite_a_newer_one(place: Place) {
    let database = place.open().await;
    let desk = saved_desktop(&database, "sales").await;
    let mut first = desk.clone();
    first.name = "first".to_owned();
    let mut second = desk.clone();
    second.name = "second".to_owned();
    assert_eq!(commit(&database, save_desktop(&first)).await, Ok(2));
    assert_eq!(
        commit(&database, save_desktop(&second)).await,
        Err(StoreError::Conflict)
    );
    let never_saved = Desktop {
        revision: 4,
        ..desktop("never")
    };
    assert_eq!(
        commit(&database, save_desktop(&never_saved)).await,
        Err(StoreError::Conflict)
    );
    let stored = database.desktop(&desk.id).await.unwrap().unwrap();
    assert_eq!((stored.name.as_str(), stored.revision), ("first", 2));

    let ann = user("ann");
    commit(&database, Change::SaveUser(ann.clone()))
        .await
        .unwrap();
    let stale = User { revision: 7, ..ann };
    assert_eq!(
        commit(&database, Change::SaveUser(stale)).await,
        Err(StoreError::Conflict)
    );
    let stale = Service {
        revision: 1,
        ..service("line", &desk.id)
    };
    assert_eq!(
        commit(&database, Change::SaveService(stale)).await,
        Err(StoreError::Conflict)
    );
}

async fn of_many_who_save_the_same_revision_one_wins(place: Place) {
    let database = place.open().await;
    let desk = saved_desktop(&database, "sales").await;
    let saves = (0..20).map(|number| {
        let mut mine = desk.clone();
        mine.name = format!("mine {number}");
        let database = &database;
        async move { commit(database, save_desktop(&mine)).await }
    });
    let answers = futures_util::future::join_all(saves).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(2)).count(), 1);
    let lost = answers
        .iter()
        .filter(|answer| **answer == Err(StoreError::Conflict));
    assert_eq!(lost.count(), 19);
}

async fn every_revision_of_a_desktop_is_kept(place: Place) {
    let database = place.open().await;
    let mut desk = saved_desktop(&database, "sales").await;
    for round in 2..5 {
        desk.name = format!("sales {round}");
        desk.widgets.push(widget());
        desk.revision = commit(&database, save_desktop(&desk)).await.unwrap();
        assert_eq!(desk.revision, round);
    }
    assert_eq!(database.desktop(&desk.id).await, Ok(Some(desk.clone())));
    let last = database.last_saved().await.unwrap();
    assert_eq!((last.len(), &last[0].desktop), (1, &desk));
    commit(&database, Change::DeleteDesktop(desk.id.clone()))
        .await
        .unwrap();
    assert_eq!(database.desktop(&desk.id).await, Ok(None));
    assert_eq!(database.last_saved().await, Ok(Vec::new()));
    let history = database.revisions(&desk.id, 10).await.unwrap();
    let revisions: Vec<i64> = history.iter().map(|saved| saved.desktop.revision).collect();
    assert_eq!(revisions, [4, 3, 2, 1]);
    assert_eq!(history[0].desktop, desk);
    assert_eq!(history[0].saved_by, "system");
    assert_eq!(
        database.revisions(&desk.id, 2).await,
        Ok(history[..2].to_vec())
    );
    assert_eq!(
        database.revision(&desk.id, 3).await,
        Ok(Some(history[1].clone()))
    );
    assert_eq!(database.revision(&desk.id, 9).await, Ok(None));
    desk.revision = 0;
    assert_eq!(
        commit(&database, save_desktop(&desk)).await,
        Ok(5),
        "made again"
    );
}

async fn a_desktop_in_use_is_not_deleted(place: Place) {
    let database = place.open().await;
    let desk = saved_desktop(&database, "sales").await;
    let mut line = service("line", &desk.id);
    commit(&database, Change::SaveService(line.clone()))
        .await
        .unwrap();
    let mut ann = user("ann");
    ann.desktop = Some(desk.id.clone());
    commit(&database, Change::SaveUser(ann.clone()))
        .await
        .unwrap();
    let delete = || commit(&database, Change::DeleteDesktop(desk.id.clone()));
    assert_eq!(
        delete().await,
        Err(StoreError::InUse(
            "the service line, the user ann".to_owned()
        ))
    );
    line.desktop = saved_desktop(&database, "other").await.id;
    line.revision = 1;
    commit(&database, Change::SaveService(line)).await.unwrap();
    assert_eq!(
        delete().await,
        Err(StoreError::InUse("the user ann".to_owned()))
    );
    ann.desktop = None;
    ann.revision = 1;
    commit(&database, Change::SaveUser(ann.clone()))
        .await
        .unwrap();
    assert_eq!(delete().await, Ok(0));
    assert_eq!(delete().await, Err(StoreError::Conflict), "it is gone");
    ann.desktop = Some(desk.id.clone());
    ann.revision = 2;
    let onto_nothing = commit(&database, Change::SaveUser(ann)).await;
    assert_eq!(onto_nothing, Err(StoreError::Conflict));
}

async fn agents_are_given_a_desktop_and_lose_it_all_or_nothing(place: Place) {
    let database = place.open().await;
    let desk = saved_desktop(&database, "sales").await;
    let other = saved_desktop(&database, "other").await;
    let (mut ann, bob) = (user("ann"), user("bob"));
    ann.desktop = Some(other.id.clone());
    for user in [&ann, &bob] {
        commit(&database, Change::SaveUser(user.clone()))
            .await
            .unwrap();
    }
    let assign = |desktop: &Desktop, added: &[&User], removed: &[&User]| {
        let ids = |users: &[&User]| users.iter().map(|user| user.id.clone()).collect();
        let change = Change::AssignDesktop {
            desktop: desktop.id.clone(),
            added: ids(added),
            removed: ids(removed),
        };
        commit(&database, change)
    };
    let desktops = || async {
        let users = database.users().await.unwrap();
        users
            .into_iter()
            .map(|user| (user.desktop, user.revision))
            .collect::<Vec<_>>()
    };
    assert_eq!(assign(&desk, &[&ann, &bob], &[]).await, Ok(0));
    let both = [(Some(desk.id.clone()), 2), (Some(desk.id.clone()), 2)];
    assert_eq!(desktops().await, both);
    let refused = [
        assign(&other, &[], &[&ann]).await,
        assign(&desk, &[&user("nobody")], &[&ann]).await,
        assign(&desktop("never"), &[&ann], &[]).await,
    ];
    assert_eq!(refused, [const { Err(StoreError::Conflict) }; 3]);
    assert_eq!(desktops().await, both, "all or nothing");
    assert_eq!(assign(&desk, &[], &[&bob]).await, Ok(0));
    assert_eq!(desktops().await[1], (None, 3));
}

async fn services_come_back_as_they_were_saved(place: Place) {
    let database = place.open().await;
    let desk = saved_desktop(&database, "sales").await;
    let (mut late, mut early) = (service("late", &desk.id), service("early", &desk.id));
    let group = GroupName::parse("Nächte").ok();
    early.route = Route::Agents { group };
    for line in [&late, &early] {
        commit(&database, Change::SaveService(line.clone()))
            .await
            .unwrap();
    }
    late.numbers = vec!["*".to_owned()];
    late.revision = 1;
    assert_eq!(
        commit(&database, Change::SaveService(late.clone())).await,
        Ok(2)
    );
    late.revision = 2;
    let early = Service {
        revision: 1,
        ..early
    };
    assert_eq!(database.service(&late.id).await, Ok(Some(late.clone())));
    assert_eq!(database.services().await, Ok(vec![early, late]));
    let mut freed = service("freed", &desk.id);
    freed.numbers = vec!["number-late".to_owned()];
    assert_eq!(commit(&database, Change::SaveService(freed)).await, Ok(1));
}

async fn settings_begin_with_everything_off(place: Place) {
    let database = place.open().await;
    assert_eq!(database.settings().await, Ok(Settings::default()));
    let mut settings = Settings {
        spc_enabled: true,
        ..Settings::default()
    };
    assert_eq!(
        commit(&database, Change::SaveSettings(settings.clone())).await,
        Ok(1)
    );
    let again = commit(&database, Change::SaveSettings(settings.clone())).await;
    assert_eq!(again, Err(StoreError::Conflict));
    settings.revision = 1;
    assert_eq!(
        commit(&database, Change::SaveSettings(settings.clone())).await,
        Ok(2)
    );
    settings.revision = 2;
    assert_eq!(database.settings().await, Ok(settings));
}

async fn settings_of_the_first_version_keep_their_switch(place: Place) {
    let database = place.open().await;
    for (revision, on, variables) in [
        (1, true, ResponseVariables::All),
        (2, false, ResponseVariables::None),
    ] {
        let old = format!(
            r#"{{"v":1,"spc_enabled":true,"response_variables":{on},"revision":{revision}}}"#
        );
        place
            .execute(&format!(
                "INSERT INTO settings (id, revision, document) VALUES (1, {revision}, '{old}') \
                 ON CONFLICT (id) DO UPDATE SET revision = {revision}, document = '{old}'"
            ))
            .await;
        let settings = database.settings().await.unwrap();
        assert_eq!(settings.response_variables, variables);
        assert!(settings.spc_enabled);
    }
}

async fn s4_an_approved_host_is_beside_the_documents(place: Place) {
    let database = place.open().await;
    assert_eq!(database.approved_hosts().await, Ok(Vec::new()));
    let approval = |authority: &str| HostApproval {
        authority: authority.to_owned(),
        reason: "checked with the bank".to_owned(),
        by: UserId::from_random(7),
        by_name: "sid".to_owned(),
        at: UnixMillis(5),
    };
    let (one, two) = (approval("b.example:443"), approval("a.example:8443"));
    for host in [&one, &two] {
        let change = Change::ApproveHost(host.clone());
        assert_eq!(commit(&database, change).await, Ok(0));
    }
    let again = commit(&database, Change::ApproveHost(one.clone())).await;
    assert_eq!(again, Err(StoreError::Conflict));
    assert_eq!(
        database.approved_hosts().await,
        Ok(vec![two.clone(), one.clone()])
    );
    let gone = || Change::WithdrawHost(one.authority.clone());
    assert_eq!(commit(&database, gone()).await, Ok(0));
    assert_eq!(commit(&database, gone()).await, Err(StoreError::Conflict));
    assert_eq!(database.approved_hosts().await, Ok(vec![two]));
}

async fn s4_whoever_saved_a_desktop_while_it_sent_to_a_host_is_found(place: Place) {
    let database = place.open().await;
    let mut desk = saved_desktop(&database, "sales").await;
    let hosts = |editors: &BTreeSet<HostEditor>| -> Vec<String> {
        editors.iter().map(|one| one.authority.clone()).collect()
    };
    assert!(database.host_editors().await.unwrap().is_empty());
    for host in ["b.example", "a.example:8443"] {
        let url = format!("https://{host}/charge");
        desk.widgets[0].gateway = serde_json::from_value(serde_json::json!({
            "service_url": url, "success_key": "result", "success_value": "ok",
        }))
        .unwrap();
        let change = Change::SaveDesktop {
            desktop: desk.clone(),
            credentials: Default::default(),
        };
        desk.revision = commit(&database, change).await.unwrap();
    }
    let both = database.host_editors().await.unwrap();
    assert_eq!(hosts(&both), ["a.example:8443", "b.example:443"]);
    assert!(both.iter().all(|one| !one.name.is_empty()));
    commit(&database, Change::DeleteDesktop(desk.id))
        .await
        .unwrap();
    assert!(database.host_editors().await.unwrap().is_empty());
}

async fn a_document_that_cannot_be_read_names_itself(place: Place) {
    let database = place.open().await;
    let desk = saved_desktop(&database, "sales").await;
    place
        .execute("UPDATE desktops SET document = '{\"v\":99}'")
        .await;
    let error = database.desktop(&desk.id).await.unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Corrupt {
                what: "desktop",
                ..
            }
        ),
        "{error}"
    );
}

on_both!(
    users_come_back_as_they_were_saved,
    roles_come_back_as_they_were_saved_and_names_are_given_once,
    a_role_that_somebody_has_is_not_deleted_and_one_that_is_gone_is_not_given,
    the_last_enabled_security_admin_stays_one,
    a_user_of_an_earlier_version_keeps_what_it_had,
    names_phones_and_identities_are_given_once,
    an_older_revision_does_not_overwrite_a_newer_one,
    of_many_who_save_the_same_revision_one_wins,
    every_revision_of_a_desktop_is_kept,
    a_desktop_in_use_is_not_deleted,
    agents_are_given_a_desktop_and_lose_it_all_or_nothing,
    services_come_back_as_they_were_saved,
    settings_begin_with_everything_off,
    settings_of_the_first_version_keep_their_switch,
    s4_an_approved_host_is_beside_the_documents,
    s4_whoever_saved_a_desktop_while_it_sent_to_a_host_is_found,
    a_document_that_cannot_be_read_names_itself,
    what_is_known_of_routing_numbers_is_kept,
);

async fn what_is_known_of_routing_numbers_is_kept(place: Place) {
    let database = place.open().await;
    let list = |reason: &str, revision| {
        let rows = [(ROUTING_NUMBERS[0].to_owned(), reason.to_owned())];
        RefusedRoutings::parse(&rows, revision).unwrap()
    };
    assert_eq!(
        database.refused_routings().await,
        Ok(RefusedRoutings::default())
    );
    let save = |list| commit(&database, Change::SaveRefusedRoutings(list));
    assert_eq!(save(list("Closed", 0)).await, Ok(1));
    assert_eq!(save(list("Fraud", 0)).await, Err(StoreError::Conflict));
    assert_eq!(save(list("Fraud", 1)).await, Ok(2));
    assert_eq!(database.refused_routings().await, Ok(list("Fraud", 2)));

    assert_eq!(database.banks_since(0).await, Ok(None));
    let table = |name: &str| BankTable {
        banks: parse_banks(&format!(
            "routing,bank_name,city,state\n{},{name},Zürich,",
            ROUTING_NUMBERS[1]
        ))
        .unwrap(),
        imported_by: "pat".to_owned(),
        imported_at: UnixMillis(7),
        revision: 0,
    };
    for (name, revision) in [("One", 1), ("Other", 2)] {
        let replaced = commit(&database, Change::ReplaceBanks(Arc::new(table(name)))).await;
        assert_eq!(replaced, Ok(revision));
        let read = database.banks_since(revision - 1).await.unwrap().unwrap();
        let expected = BankTable {
            revision,
            ..table(name)
        };
        assert_eq!(read, expected);
    }
    assert_eq!(database.banks_since(2).await, Ok(None));
    assert_eq!(database.refused_routings().await, Ok(list("Fraud", 2)));
}
