//! Authorities, client certificates and proxies of the server's file: which there are, and which a gateway may name.

use domain::capture::WidgetKind;
use serde_json::{Value, json};

use crate::configuration::administrator;
use crate::support::{Browser, House};
use crate::widgets::{save, widget};

async fn offered(browser: &Browser) -> Value {
    browser.get("/gateway-connections").await.json()
}

#[tokio::test]
async fn a_gateway_names_what_the_servers_file_has() {
    let house = House::new().await;
    let administrator = administrator(&house).await;
    assert_eq!(
        offered(&administrator).await,
        json!({"trust": ["bank"], "client_certificates": ["shop"], "proxies": ["out"], "default_proxy": null})
    );
    let mut card = widget(WidgetKind::CreditCardAdvanced, "Payment");
    let connection = json!({"trust": "bank", "client_certificate": "shop", "proxy": "out"});
    card["gateway"]["more"]["connection"] = connection.clone();
    let saved = save(&administrator, vec![card]).await;
    let kept = &saved["desktop"]["widgets"][0]["gateway"]["more"];
    assert_eq!(kept["connection"], connection);
}

#[tokio::test]
async fn another_name_is_refused_with_those_that_there_are() {
    let house = House::new().await;
    let administrator = administrator(&house).await;
    let card = widget(WidgetKind::CreditCardAdvanced, "Payment");
    let saved = save(&administrator, vec![card]).await;
    let mut desktop = saved["desktop"].clone();
    desktop["widgets"][0]["gateway"]["more"] = json!({"connection": {"trust": "banc"}});
    let body = json!({
        "name": desktop["name"], "service": desktop["service"], "layout": desktop["layout"],
        "widgets": desktop["widgets"], "revision": desktop["revision"],
    });
    let reply = administrator.put("/desktops/sales", body.clone()).await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert_eq!(reply.fields(), ["widgets[0].gateway.more.connection.trust"]);
    assert!(reply.text().contains("it has bank."), "{}", reply.text());
    let mut right = body;
    right["widgets"][0]["gateway"]["more"]["connection"]["trust"] = json!("bank");
    let reply = administrator.put("/desktops/sales", right).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}
