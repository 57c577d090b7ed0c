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
    /// [`Event::PartyChanged`]
    PartyChanged,
    /// [`Event::SamePerson`]
    SamePerson,
    /// [`Event::OtherPerson`]
    OtherPerson,
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
            Event::PartyChanged => Self::PartyChanged,
            Event::SamePerson => Self::SamePerson,
            Event::OtherPerson => Self::OtherPerson,
            Event::ProtectionLost(_) => Self::ProtectionLost,
            Event::Timeout => Self::Timeout,
        }
    }
}

/// The states in the order of the table's columns.
pub const COLUMNS: [CaptureState; 19] = [
    CaptureState::Arming,
    CaptureState::Blocked,
    CaptureState::Armed,
    CaptureState::Collecting,
    CaptureState::Invalid,
    CaptureState::Ready,
    CaptureState::Frozen,
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
pub const TABLE: [(EventClass, &str); 31] = [
    //                               Arming, Blocked
    //                               |  Armed, Collecting, Invalid, Ready, Frozen
    //                               |  |     Processing, NotSent
    //                               |  |     |  Approved, Declined, Review, Error, Unknown, Checking
    //                               |  |     |  |      Done, Cancelled, Lost, ProtectionLost
    (EventClass::Protected,         "aa ..... aa aaaaaa aaaa"),
    (EventClass::ProtectionRefused, "a. ..... .. ...... ...."),
    (EventClass::SinkPaused,        "aa ..... aa aaaaaa aaaa"),
    (EventClass::SinkRefused,       "a. aaaaa a. ...... ...."),
    (EventClass::Key,               "a. aaaaa .. ...... ...."),
    (EventClass::TonesUnclear,      "a. aaaaa .. ...... ...."),
    (EventClass::KeysLost,          "a. aaaaa .. ...... ...."),
    (EventClass::Listen,            "xx aaaax xx xxxxxx xxxx"),
    (EventClass::Rest,              ".. aaaa. .. ...... ...."),
    (EventClass::Recapture,         "xx aaaax xx xxxxxx xxxx"),
    (EventClass::NotAvailable,      "xx aaaax xx xxxxxx xxxx"),
    (EventClass::Process,           "xx xxxax xa xxxxxx xxxx"),
    (EventClass::ChargeSent,        ".. ..... a. ...... ...."),
    (EventClass::NotSent,           ".. ..... a. ...... ...."),
    (EventClass::Answered,          ".. ..... a. ....aa ...."),
    (EventClass::Speaking,          "ax aaaaa aa xxxxxx xxxx"),
    (EventClass::KeepOpen,          ".. aaaa. .a ...... ...."),
    (EventClass::TryAgain,          "xa xxxxx xa xaxaxx xxxx"),
    (EventClass::Done,              "xx xaaax xx xxxxxx .xxx"),
    (EventClass::ConfirmGone,       "xx xxxxx xx xxxxxx axax"),
    (EventClass::Cancel,            "aa aaaaa xa xxxxxx ...."),
    (EventClass::Close,             "xa xxxxx xa aaaaaa a.aa"),
    (EventClass::AttemptsReset,     "aa aaaaa aa aaaaaa ...."),
    (EventClass::CallEnded,         "aa aaaaa aa aaaaaa a.aa"),
    (EventClass::CallHeld,          "aa aaaaa aa aaaaaa ...."),
    (EventClass::LineSilent,        "aa aaaaa aa aaaaaa ...."),
    (EventClass::PartyChanged,      ".. aaaa. aa ...... ...."),
    (EventClass::SamePerson,        "xx xxxxa xx xxxxxx xxxx"),
    (EventClass::OtherPerson,       "xx xxxxa xx xxxxxx xxxx"),
    (EventClass::ProtectionLost,    "a. aaaaa aa aaaaaa a.a."),
    (EventClass::Timeout,           "aa aaaaa aa aaaaaa a.aa"),
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
