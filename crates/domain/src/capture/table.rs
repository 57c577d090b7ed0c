//! State x event: what is allowed, ignored, refused.
//! Owns: the one table of the capture machine.
//! Never: decides by anything but state and event; what else must hold is said in `session`.

use super::CaptureState;
use super::session::Event;

/// What the machine does with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ruling {
    /// It is taken up.
    Allowed,
    /// It means nothing here and nobody needs to know.
    Ignored,
    /// A person asked for what is not possible here.
    Refused,
}

/// The events without what they carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventClass {
    /// [`Event::Protected`]
    Protected,
    /// [`Event::ProtectionRefused`]
    ProtectionRefused,
    /// [`Event::SinkPaused`]
    SinkPaused,
    /// [`Event::SinkRefused`]
    SinkRefused,
    /// [`Event::Key`]
    Key,
    /// [`Event::TonesUnclear`]
    TonesUnclear,
    /// [`Event::KeysLost`]
    KeysLost,
    /// [`Event::Listen`]
    Listen,
    /// [`Event::Rest`]
    Rest,
    /// [`Event::Recapture`]
    Recapture,
    /// [`Event::NotAvailable`]
    NotAvailable,
    /// [`Event::Process`]
    Process,
    /// [`Event::ChargeSent`]
    ChargeSent,
    /// [`Event::NotSent`]
    NotSent,
    /// [`Event::Answered`]
    Answered,
    /// [`Event::Speaking`]
    Speaking,
    /// [`Event::KeepOpen`]
    KeepOpen,
    /// [`Event::TryAgain`]
    TryAgain,
    /// [`Event::Done`]
    Done,
    /// [`Event::ConfirmGone`]
    ConfirmGone,
    /// [`Event::Cancel`]
    Cancel,
    /// [`Event::Close`]
    Close,
    /// [`Event::AttemptsReset`]
    AttemptsReset,
    /// [`Event::CallEnded`]
    CallEnded,
    /// [`Event::CallHeld`]
    CallHeld,
    /// [`Event::LineSilent`]
    LineSilent,
    /// [`Event::ProtectionLost`]
    ProtectionLost,
    /// [`Event::Timeout`]
    Timeout,
}

impl From<&Event> for EventClass {
    fn from(event: &Event) -> Self {
        match event {
            Event::Protected => Self::Protected,
            Event::ProtectionRefused(_) => Self::ProtectionRefused,
            Event::SinkPaused(_) => Self::SinkPaused,
            Event::SinkRefused(..) => Self::SinkRefused,
            Event::Key(_) => Self::Key,
            Event::TonesUnclear => Self::TonesUnclear,
            Event::KeysLost => Self::KeysLost,
            Event::Listen(_) => Self::Listen,
            Event::Rest => Self::Rest,
            Event::Recapture(_) => Self::Recapture,
            Event::NotAvailable(_) => Self::NotAvailable,
            Event::Process { .. } => Self::Process,
            Event::ChargeSent => Self::ChargeSent,
            Event::NotSent(_) => Self::NotSent,
            Event::Answered(..) => Self::Answered,
            Event::Speaking(_) => Self::Speaking,
            Event::KeepOpen => Self::KeepOpen,
            Event::TryAgain => Self::TryAgain,
            Event::Done => Self::Done,
            Event::ConfirmGone => Self::ConfirmGone,
            Event::Cancel => Self::Cancel,
            Event::Close => Self::Close,
            Event::AttemptsReset => Self::AttemptsReset,
            Event::CallEnded => Self::CallEnded,
            Event::CallHeld(_) => Self::CallHeld,
            Event::LineSilent(_) => Self::LineSilent,
            Event::ProtectionLost(_) => Self::ProtectionLost,
            Event::Timeout => Self::Timeout,
        }
    }
}

/// The states in the order of the table's columns.
pub const COLUMNS: [CaptureState; 18] = [
    CaptureState::Arming,
    CaptureState::Blocked,
    CaptureState::Armed,
    CaptureState::Collecting,
    CaptureState::Invalid,
    CaptureState::Ready,
    CaptureState::Processing,
    CaptureState::NotSent,
    CaptureState::Approved,
    CaptureState::Declined,
    CaptureState::Review,
    CaptureState::Error,
    CaptureState::Unknown,
    CaptureState::Checking,
    CaptureState::Done,
    CaptureState::Cancelled,
    CaptureState::Lost,
    CaptureState::ProtectionLost,
];

/// One row for each event, one letter for each state: `a`llowed, `.` ignored, `x` refused. Keys of a protected call are masked in any case; where they are
/// ignored they are not counted either. Late confirmations are allowed after the end, because something has to be let go again.
#[rustfmt::skip]
pub const TABLE: [(EventClass, &str); 28] = [
    //                               Arming, Blocked
    //                               |  Armed, Collecting, Invalid, Ready
    //                               |  |    Processing, NotSent
    //                               |  |    |  Approved, Declined, Review, Error, Unknown, Checking
    //                               |  |    |  |      Done, Cancelled, Lost, ProtectionLost
    (EventClass::Protected,         "aa .... aa aaaaaa aaaa"),
    (EventClass::ProtectionRefused, "a. .... .. ...... ...."),
    (EventClass::SinkPaused,        "aa .... aa aaaaaa aaaa"),
    (EventClass::SinkRefused,       "a. aaaa a. ...... ...."),
    (EventClass::Key,               "a. aaaa .. ...... ...."),
    (EventClass::TonesUnclear,      "a. aaaa .. ...... ...."),
    (EventClass::KeysLost,          "a. aaaa .. ...... ...."),
    (EventClass::Listen,            "xx aaaa xx xxxxxx xxxx"),
    (EventClass::Rest,              ".. aaaa .. ...... ...."),
    (EventClass::Recapture,         "xx aaaa xx xxxxxx xxxx"),
    (EventClass::NotAvailable,      "xx aaaa xx xxxxxx xxxx"),
    (EventClass::Process,           "xx xxxa xa xxxxxx xxxx"),
    (EventClass::ChargeSent,        ".. .... a. ...... ...."),
    (EventClass::NotSent,           ".. .... a. ...... ...."),
    (EventClass::Answered,          ".. .... a. ....aa ...."),
    (EventClass::Speaking,          "ax aaaa aa xxxxxx xxxx"),
    (EventClass::KeepOpen,          ".. aaaa .a ...... ...."),
    (EventClass::TryAgain,          "xa xxxx xa xaxaxx xxxx"),
    (EventClass::Done,              "xx xaaa xx xxxxxx .xxx"),
    (EventClass::ConfirmGone,       "xx xxxx xx xxxxxx axax"),
    (EventClass::Cancel,            "aa aaaa xa xxxxxx ...."),
    (EventClass::Close,             "xa xxxx xa aaaaaa a.aa"),
    (EventClass::AttemptsReset,     "aa aaaa aa aaaaaa ...."),
    (EventClass::CallEnded,         "aa aaaa aa aaaaaa a.aa"),
    (EventClass::CallHeld,          "aa aaaa aa aaaaaa ...."),
    (EventClass::LineSilent,        "aa aaaa aa aaaaaa ...."),
    (EventClass::ProtectionLost,    "a. aaaa aa aaaaaa a.a."),
    (EventClass::Timeout,           "aa aaaa aa aaaaaa a.aa"),
];

/// What the table says.
#[must_use]
pub fn ruling(state: CaptureState, class: EventClass) -> Ruling {
    let column = COLUMNS.iter().position(|column| *column == state);
    let letter = TABLE
        .iter()
        .find(|(row, _)| *row == class)
        .zip(column)
        .and_then(|((_, letters), column)| {
            letters.bytes().filter(|byte| *byte != b' ').nth(column)
        });
    match letter {
        Some(b'a') => Ruling::Allowed,
        Some(b'x') => Ruling::Refused,
        _ => Ruling::Ignored,
    }
}
