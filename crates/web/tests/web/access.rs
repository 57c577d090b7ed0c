//! Who gives which rights to whom: users and roles.

use domain::access::{CustomRole, Permission, Role};
use domain::id::RoleId;
use hyper::Method;
use serde_json::{Value, json};

use crate::support::{Browser, House, PASSWORD};

/// Puts a role with these rights in place and gives it to the agent, whose browser this is.
async fn lead(house: &House, rights: &[Permission]) -> Browser {
    let role = CustomRole {
        id: RoleId::from_random(77),
        name: "Team lead".to_owned(),
        permissions: rights.iter().copied().collect(),
        revision: 1,
    };
    let word = serde_json::from_value(json!(role.id)).unwrap();
    house.rooms.roles.lock().unwrap().push(role);
    house.rooms.users.lock().unwrap()[0].roles.insert(word);
    house.logged_in(Role::Agent).await
}

fn form(house: &House, name: &str) -> (String, Value) {
    let user = house.rooms.user_named(name);
    let form = json!({
        "name": user.name, "display_name": user.display_name, "roles": user.roles,
        "desktop": user.desktop, "enabled": user.enabled, "revision": user.revision,
    });
    (format!("/users/{}", user.id), form)
}

async fn edit(browser: &Browser, house: &House, name: &str, change: &Value) -> (u16, Value) {
    let (path, mut form) = form(house, name);
    for (field, value) in change.as_object().unwrap() {
        form[field] = value.clone();
    }
    let reply = browser.put(&path, form).await;
    (reply.status, reply.json())
}

fn new_user(name: &str, roles: &Value) -> Value {
    json!({"name": name, "display_name": name, "roles": roles, "password": "battery staple 7", "enabled": true})
}

#[tokio::test]
async fn p3_p4_s2_nobody_gives_a_right_that_they_lack() {
    let house = House::new().await;
    let lead = lead(&house, &[Permission::UserManage]).await;
    let give = |roles: Value| lead.post("/users", new_user("m.lee", &roles));
    for roles in [
        json!(["supervisor"]),
        json!(["auditor"]),
        json!(["desktop_admin"]),
        json!(["agent", "security_admin"]),
    ] {
        let refused = give(roles.clone()).await;
        assert_eq!(refused.fields(), ["roles"], "{roles}");
    }
    assert_eq!(give(json!(["agent"])).await.status, 201);
    let gone = house.rooms.user_named("m.lee");
    assert!(gone.roles.contains(&Role::Agent.into()));
    let (status, problem) = edit(&lead, &house, "m.lee", &json!({"roles": ["auditor"]})).await;
    assert_eq!(
        (status, &problem["errors"][0]["message"]),
        (
            422,
            &json!(
                "you cannot give Auditor: you lack payment.view, payment.export, recording.listen, audit.read"
            )
        )
    );
    let unknown = new_user("unknown", &json!(["no-such-role"]));
    assert_eq!(lead.post("/users", unknown).await.fields(), ["roles"]);
}

#[tokio::test]
async fn s4_a_login_name_stays_so_that_nobody_approves_under_another_one() {
    let house = House::new().await;
    let admin = house.logged_in(Role::SecurityAdmin).await;
    for name in ["sid", "anna"] {
        let (status, problem) = edit(&admin, &house, name, &json!({"name": "new.name"})).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (422, &json!("name"))
        );
    }
    let display = json!({"display_name": "Anna K."});
    assert_eq!(edit(&admin, &house, "anna", &display).await.0, 200);
}

#[tokio::test]
async fn a_security_admin_staffs_the_floor_but_makes_no_desktop_admin() {
    let house = House::new().await;
    let admin = house.logged_in(Role::SecurityAdmin).await;
    for (number, role) in Role::ALL.into_iter().enumerate() {
        let user = new_user(&format!("user{number}"), &json!([role]));
        let status = admin.post("/users", user).await.status;
        let expected = if role == Role::DesktopAdmin { 422 } else { 201 };
        assert_eq!(status, expected, "{role:?}");
    }
}

#[tokio::test]
async fn an_account_with_more_rights_is_not_touched_by_a_user_manager() {
    let house = House::new().await;
    let lead = lead(&house, &[Permission::UserManage, Permission::DesktopEdit]).await;
    for change in [
        json!({"password": "battery staple 7"}),
        json!({"enabled": false}),
        json!({"roles": []}),
        json!({"phone": "sid", "phone_password": "x"}),
        json!({"unlock": true}),
    ] {
        let (status, problem) = edit(&lead, &house, "sid", &change).await;
        assert_eq!((status, &problem["code"]), (403, &json!("not_permitted")));
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("spc.enable"), "{detail}");
    }
    assert_eq!(house.browser().log_in("sid", PASSWORD).await.status, 200);
    assert!(!house.rooms.trail().contains("user_saved"));
    let users = lead.get("/users").await.json();
    let editable = |name: &str| {
        let users = users["users"].as_array().unwrap();
        users.iter().find(|user| user["name"] == name).unwrap()["editable"].clone()
    };
    assert_eq!(editable("sid"), false);
    assert_eq!(editable("sam"), false);
    assert_eq!(editable("dora"), true);
    let reset = json!({"password": "battery staple 7"});
    assert_eq!(edit(&lead, &house, "dora", &reset).await.0, 200);
}

#[tokio::test]
async fn nobody_sets_their_own_password_without_the_present_one() {
    let house = House::new().await;
    let admin = house.logged_in(Role::SecurityAdmin).await;
    let change = json!({"password": "battery staple 7"});
    let (status, problem) = edit(&admin, &house, "sid", &change).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("password"))
    );
}

#[tokio::test]
async fn the_last_security_admin_cannot_be_disabled_or_stripped() {
    let house = House::new().await;
    let admin = house.logged_in(Role::SecurityAdmin).await;
    let second = new_user("second", &json!(["security_admin"]));
    assert_eq!(admin.post("/users", second).await.status, 201);
    house.rooms.users.lock().unwrap()[5].must_change_password = false;
    let mut browser = house.browser();
    browser.log_in("second", "battery staple 7").await;
    assert_eq!(
        edit(&browser, &house, "sid", &json!({"enabled": false}))
            .await
            .0,
        200
    );
    assert_eq!(admin.get("/login").await.status, 401);
    let rights = [
        Role::SecurityAdmin.permissions(),
        &[Permission::DesktopEdit],
    ]
    .concat();
    let lead = lead(&house, &rights).await;
    for change in [json!({"enabled": false}), json!({"roles": ["agent"]})] {
        let (status, problem) = edit(&lead, &house, "second", &change).await;
        assert_eq!(
            (status, &problem["errors"][0]["message"]),
            (422, &json!("the last enabled Security admin stays one")),
            "{change}"
        );
    }
    assert_eq!(
        edit(&lead, &house, "sid", &json!({"enabled": true}))
            .await
            .0,
        200
    );
    assert_eq!(
        edit(&lead, &house, "second", &json!({"enabled": false}))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn the_trail_says_what_an_account_was_and_is() {
    let house = House::new().await;
    let admin = house.logged_in(Role::SecurityAdmin).await;
    let change = json!({
        "roles": ["agent", "auditor"], "display_name": "Anna", "desktop": null,
        "password": "battery staple 7",
    });
    assert_eq!(edit(&admin, &house, "anna", &change).await.0, 200);
    let detail = house.rooms.last_entry().entry.detail;
    assert_eq!(
        detail,
        json!({
            "changed": ["password", "display_name", "roles", "desktop"],
            "before": {"desktop": "sales", "display_name": "Agent", "roles": ["Agent"]},
            "after": {"desktop": null, "display_name": "Anna", "roles": ["Agent", "Auditor"]},
        })
    );
}

#[tokio::test]
async fn a_role_is_made_given_counted_changed_and_deleted_once_nobody_has_it() {
    let house = House::new().await;
    let admin = house.logged_in(Role::SecurityAdmin).await;
    let draft = json!({"name": "Team lead", "permissions": ["capture.start", "payment.view"]});
    let made = admin.post("/roles", draft).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let path = format!("/roles/{}", made["id"].as_str().unwrap());
    let roles = json!(["auditor", made["id"]]);
    assert_eq!(
        edit(&admin, &house, "anna", &json!({"roles": roles}))
            .await
            .0,
        200
    );
    let agent = house.logged_in(Role::Agent).await;
    let me = agent.get("/login").await.json();
    assert_eq!(
        me["permissions"],
        json!([
            "capture.start",
            "payment.view",
            "payment.export",
            "recording.listen",
            "audit.read"
        ])
    );
    assert_eq!(agent.get("/calls").await.status, 200);
    let listed = agent.get("/roles").await.json();
    assert_eq!(
        (
            &listed["roles"][5]["users"],
            &listed["roles"][5]["editable"]
        ),
        (&json!(1), &json!(false))
    );
    assert_eq!(
        (&listed["roles"][0]["name"], &listed["roles"][0]["built_in"]),
        (&json!("Agent"), &json!(true))
    );
    let in_use = admin.send(Method::DELETE, &path, None).await;
    assert_eq!((in_use.status, in_use.code()), (409, "in_use".to_owned()));
    let renamed =
        json!({"name": "Lead", "permissions": ["capture.start", "payment.view"], "revision": 1});
    assert_eq!(admin.put(&path, renamed).await.status, 200);
    assert_eq!(agent.get("/calls").await.status, 200);
    let less = json!({"name": "Lead", "permissions": ["payment.view"], "revision": 2});
    assert_eq!(admin.put(&path, less.clone()).await.status, 200);
    assert_eq!(
        agent.get("/calls").await.status,
        401,
        "its login ended at once"
    );
    assert_eq!(admin.put(&path, less).await.code(), "conflict");
    assert_eq!(
        house.rooms.last_entry().entry.detail,
        json!({
            "before": {"name": "Lead", "permissions": ["capture.start", "payment.view"]},
            "after": {"name": "Lead", "permissions": ["payment.view"]},
        })
    );
    assert_eq!(
        edit(&admin, &house, "anna", &json!({"roles": []})).await.0,
        200
    );
    assert_eq!(admin.send(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(admin.send(Method::DELETE, &path, None).await.status, 404);
}

#[tokio::test]
async fn a_wrong_role_is_refused_with_all_errors() {
    let house = House::new().await;
    let admin = house.logged_in(Role::SecurityAdmin).await;
    let post = |name: &str, rights: Value| {
        let form = json!({"name": name, "permissions": rights});
        let admin = &admin;
        async move { admin.post("/roles", form).await.fields() }
    };
    assert_eq!(post("", json!([])).await, ["name", "permissions"]);
    assert_eq!(
        post("security ADMIN", json!(["audit.read"])).await,
        ["name"]
    );
    assert_eq!(post("a\u{0}b", json!(["audit.read"])).await, ["name"]);
    assert_eq!(post(&"x".repeat(61), json!(["audit.read"])).await, ["name"]);
    assert_eq!(
        post("Builder", json!(["desktop.edit"])).await,
        ["permissions"]
    );
    let unknown = admin
        .post("/roles", json!({"name": "x", "permissions": ["root"]}))
        .await;
    assert_eq!(unknown.status, 400);
    assert!(house.rooms.roles.lock().unwrap().is_empty());
}

#[tokio::test]
async fn nobody_changes_a_role_that_they_have_or_that_allows_more_than_they_may_give() {
    let house = House::new().await;
    let lead = lead(&house, &[Permission::UserManage]).await;
    let own = format!("/roles/{}", RoleId::from_random(77));
    let wider = json!({"name": "Team lead", "permissions": ["user.manage", "capture.start"], "revision": 1});
    assert_eq!(lead.put(&own, wider).await.code(), "not_permitted");
    assert_eq!(
        lead.send(Method::DELETE, &own, None).await.code(),
        "not_permitted"
    );
    let strong = CustomRole {
        id: RoleId::from_random(78),
        name: "Strong".to_owned(),
        permissions: [Permission::GatewayEdit].into(),
        revision: 1,
    };
    house.rooms.roles.lock().unwrap().push(strong);
    let other = format!("/roles/{}", RoleId::from_random(78));
    let weaker = json!({"name": "Weak", "permissions": ["capture.start"], "revision": 1});
    assert_eq!(lead.put(&other, weaker).await.code(), "not_permitted");
    assert_eq!(
        lead.send(Method::DELETE, &other, None).await.code(),
        "not_permitted"
    );
}

#[tokio::test]
async fn auditors_review_users_and_roles_and_change_none() {
    let house = House::new().await;
    let auditor = house.logged_in(Role::Auditor).await;
    let users = auditor.get("/users").await.json();
    assert!(
        users["users"]
            .as_array()
            .unwrap()
            .iter()
            .all(|user| user["editable"] == false)
    );
    let roles = auditor.get("/roles").await.json();
    assert!(
        roles["roles"]
            .as_array()
            .unwrap()
            .iter()
            .all(|role| role["grantable"] == false)
    );
    let refused = auditor.post("/users", new_user("m.lee", &json!([]))).await;
    assert_eq!(refused.code(), "not_permitted");
}
