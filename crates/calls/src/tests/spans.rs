//! What the entries at both ends of a protected span say of the last look at what left.

use std::time::Duration;

use domain::audit::AuditAction;
use domain::boundary::CaptureAction;
use domain::capture::CaptureState;
use domain::service::ProtectionScope;
use domain::widget::WidgetOptions;
use serde_json::json;

use super::house::House;

#[tokio::test(start_paused = true)]
async fn a_released_line_says_how_much_was_judged_for_this_capture_and_what_was_found() {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    // What was seen before is another capture's.
    house.egress.note(80_000, 5, 2);
    let phone = house.call().await;
    for (samples, found, expected) in [
        (96_000, (5, 2), json!([2_000, 0, 0])),
        (96_800, (7, 3), json!([100, 2, 1])),
    ] {
        let capture = house.open(&phone.id).await.unwrap().id;
        house.until(&capture, CaptureState::Armed).await;
        house.egress.note(samples, found.0, found.1);
        house.act(&capture, CaptureAction::Cancel).await.unwrap();
        house.calls.drain(Duration::from_millis(200)).await;
        let entries = house.books.entries.lock().unwrap();
        let released = entries
            .iter()
            .rfind(|entry| entry.action == AuditAction::CaptureReleased);
        let detail = &released.unwrap().detail;
        let told = ["egress_checked_ms", "egress_finds", "egress_trips"].map(|fact| &detail[fact]);
        assert_eq!(json!(told), expected);
    }
}
