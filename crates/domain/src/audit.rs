//! The audit trail's entries.
//! Owns: the closed list of what is recorded, and its text.
//! Never: a digit, a password, a value that a consumer keyed.

use serde::{Deserialize, Serialize};

use crate::access::Actor;
use crate::time::UnixMillis;

/// What happened. A closed list: nothing else can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// The server started; detail: version, node, epoch.
    ServerStarted,
    /// A login; detail: none.
    LoggedIn,
    /// A failed login; detail: reason.
    LoginFailed,
    /// A logout.
    LoggedOut,
    /// A user was locked.
    UserLocked,
    /// A user was saved; detail: what changed, before and after.
    UserSaved,
    /// A custom role was saved; detail: what changed, before and after.
    RoleSaved,
    /// A custom role was deleted.
    RoleDeleted,
    /// A user was disabled; detail: why.
    UserDisabled,
    /// A password was changed.
    PasswordChanged,
    /// A user chose language and theme; detail: both.
    PreferencesSaved,
    /// A user set up the second factor.
    SecondFactorSet,
    /// A desktop was saved; detail: revision, fields changed.
    DesktopSaved,
    /// A desktop was deleted.
    DesktopDeleted,
    /// A sound for callers who wait was kept.
    SoundSaved,
    /// One was deleted.
    SoundDeleted,
    /// Agents work with a desktop, or no longer do; detail: who.
    DesktopAssigned,
    /// A designer desktop was saved; detail: revision, number of tiles.
    DesignSaved,
    /// A designer desktop was deleted.
    DesignDeleted,
    /// A gateway password was replaced.
    GatewayPasswordReplaced,
    /// A host may receive captured values, a second person says (S4); detail: reason, widgets.
    HostApproved,
    /// It may no longer; detail: reason, approved_by.
    HostWithdrawn,
    /// A gateway is about to get a test with published values; detail: desktop, with.
    GatewayTestSent,
    /// That has ended; detail: desktop, with, and outcome or not_sent.
    GatewayTestEnded,
    /// A service was saved.
    ServiceSaved,
    /// System settings were saved; detail: what.
    SettingsSaved,
    /// Routing numbers that are refused were saved; detail: how many, and which came and went.
    RoutingRefusalsSaved,
    /// A table of bank names was imported; detail: banks, before.
    BanksImported,
    /// The API told of a call's consumer; detail: names of what was told, without values.
    ConsumerTold,
    /// A capture was opened; detail: widget, kind.
    CaptureOpened,
    /// The line is protected, recorders acknowledged; detail: recording and recording_ms since that began, if this server records the call.
    CaptureArmed,
    /// It could not be protected; detail: reason.
    CaptureBlocked,
    /// A field listens; detail: field.
    FieldListening,
    /// A field is obtained; detail: field.
    FieldObtained,
    /// A field was refused; detail: field, code.
    FieldInvalid,
    /// The agent said that the customer is speaking the number, or no longer (S13); detail: on, marked_s (seconds before it that may hold some), recording and
    /// recording_ms, if this server records the call.
    CustomerSpeaking,
    /// A Basic value was shown; detail: field.
    ValueShown,
    /// The agent said that the customer agreed to a debit (S20); detail: call, offset_ms since that began, sec_code, text that was read out; and, if this server records
    /// the call, recording, recording_from_ms (the text was shown), recording_ms.
    ConsumerAgreed,
    /// Process Payment was pressed; the intent is recorded.
    ChargeIntended,
    /// Process Payment was pressed once too often, and nothing was recorded or sent; detail: limit.
    ChargeRefused,
    /// The charge is about to be sent.
    ChargeSent,
    /// The charge ended; detail: outcome.
    ChargeEnded,
    /// A person said how an unknown outcome ended; detail: attempt, outcome, reason.
    UnknownProposed,
    /// That was rejected or withdrawn; detail: attempt, outcome, reason, proposed_by.
    UnknownRejected,
    /// A second person confirmed it: the outcome is known; detail: attempt, outcome, reason, proposed_by.
    UnknownResolved,
    /// A person wants a payment voided, refunded or captured; the intent is recorded; detail: attempt, follow_up, kind, amount, minor, reason.
    FollowUpIntended,
    /// The gateway is about to be asked for it; detail: attempt, follow_up, kind.
    FollowUpSent,
    /// That has ended; detail: attempt, follow_up, kind, outcome.
    FollowUpEnded,
    /// A second person found out how an unknown one ended; detail: attempt, follow_up, kind, outcome, reason, asked_by.
    FollowUpSettled,
    /// Payments left as a file; detail: rows, and what they were narrowed to.
    PaymentsExported,
    /// Days of the audit trail left as a file; detail: from, until.
    AuditExported,
    /// The signed evidence of a capture left as a file.
    EvidenceExported,
    /// An agent shares the screen of a call to be recorded, or no longer does; detail: on, surface or why.
    ScreenShared,
    /// An agent has a call recorded from now on, or no more; detail: on.
    RecordingAsked,
    /// A call or a screen is recorded from now on; detail: medium, call, service, agent, key, keep_until.
    RecordingBegan,
    /// A recording has ended; detail: call, seconds, cut (its end is missing).
    RecordingEnded,
    /// A recording was scanned after its call, told of the recording and of each capture of the call; detail: call, recording (of a capture), masked_keys,
    /// paused_samples, unprotected_keys (all 0: nothing was found).
    RecordingScanned,
    /// Somebody began to listen to a recording; detail: call.
    RecordingPlayed,
    /// A recording is about to leave as a file; detail: call, format, reason.
    RecordingDownloaded,
    /// A recording is about to be deleted, key and file; detail: call, reason.
    RecordingDeletionBegan,
    /// Its key and its file are gone; detail: call, found (there was a file).
    RecordingDeleted,
    /// A part of a recording is about to be removed, which may fail and change nothing; detail: call, from_ms, until_ms, reason.
    RecordingRedactionBegan,
    /// It is removed, and what was there before cannot be opened; detail: call, from_ms, until_ms, reason, or resumed (a restart found it removed: the entry
    /// before says the rest).
    RecordingRedacted,
    /// The key of a recording was wrapped anew; detail: call, key (the master key that it needs now).
    RecordingRekeyed,
    /// A master key was added, and every stored secret sealed anew with it; detail: key.
    KeyRotated,
    /// A supervisor gave the attempts of a widget kind back (S14); detail: kind.
    AttemptsReset,
    /// An agent transferred a call; detail: to (login name), discarded (a capture was open).
    CallTransferred,
    /// A call that rang at a PBX was given to an agent; detail: agent (login name), way, from (who had it before).
    CallPaired,
    /// A number of a service's pool was reserved for an agent; detail: agent (login name), number (ours; who may call it is not told).
    NumberReserved,
    /// Such a number was given back before a call came; detail: number.
    NumberGivenBack,
    /// A number was called out for an agent; detail: agent (login name), service. The number is not told.
    CallDialled,
    /// An agent let such a call go, and it goes on without one; detail: agent.
    CallReleased,
    /// Somebody began to listen to a running call; detail: agent (login name of the call's).
    CallListened,
    /// Others hear somebody who listens from now on; detail: voice (nobody, agent, both).
    CallJoined,
    /// Somebody listens no more; detail: seconds, why (left, ended, right, phone).
    CallLeft,
    /// A recorder said that it is paused for a capture; detail: recorder, medium, answered_ms.
    RecorderPaused,
    /// A recorder was let go after a capture and said that it goes on; detail: recorder, medium, answered_ms.
    RecorderResumed,
    /// A recorder did not do what it was asked; detail: recorder, medium, asked (pause, resume, keep: it had paused and did not stay so), reason,
    /// answered_ms.
    RecorderRefused,
    /// A capture ended; detail: state, reason, keys (how many were heard while its widget was open), stray_keys, late_pounds.
    CaptureEnded,
    /// Its digits are gone, and mask and recorders were let go; detail: recording and recording_ms, as when it was armed.
    CaptureReleased,
    /// The far side of a capture's call may be another person now, and its agent is asked (S39).
    PartyChanged,
    /// The agent said whether it is the same person; detail: same.
    PartyAnswered,
    /// Protection was lost; detail: reason.
    ProtectionLost,
}

impl AuditAction {
    /// Its name in rows.
    #[must_use]
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// One entry, before the store numbers and chains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, by the wall clock.
    pub at: UnixMillis,
    /// Login name of who did it, or "system".
    pub actor: String,
    /// From which address, or "-".
    pub address: String,
    /// What.
    pub action: AuditAction,
    /// On what: "capture 3f..", "desktop sales".
    pub object: String,
    /// Facts, free of secrets: a JSON object.
    pub detail: serde_json::Value,
}

impl AuditEntry {
    /// An entry without detail.
    #[must_use]
    pub fn new(
        at: UnixMillis,
        actor: &Actor,
        action: AuditAction,
        object: impl Into<String>,
    ) -> Self {
        Self {
            at,
            actor: actor.name.clone(),
            address: actor.address.clone(),
            action,
            object: object.into(),
            detail: serde_json::Value::Object(serde_json::Map::new()),
        }
    }

    /// The same with one more fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        if let serde_json::Value::Object(map) = &mut self.detail {
            map.insert(key.to_owned(), value.into());
        }
        self
    }
}

/// Which entries. Everything that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// By this login name, or "system".
    pub actor: Option<String>,
    /// Of this action.
    pub action: Option<AuditAction>,
    /// On objects that begin so: "user ann", "payment 7F2K".
    pub object: Option<String>,
    /// At this time or later.
    pub from: Option<UnixMillis>,
    /// Before this time.
    pub until: Option<UnixMillis>,
}

/// An entry's text with what proves it: `hash` is SHA-256 over `previous` and `document`, both as they stand here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChainedDocument {
    /// Place in the trail of all chains, rising.
    pub position: i64,
    /// The chain: node and epoch.
    pub chain: String,
    /// Number within its chain, from 1.
    pub seq: i64,
    /// Hash of the entry before it in its chain; of the first: the chain's anchor.
    pub previous: String,
    /// Canonical JSON.
    pub document: String,
    /// Its hash, hex.
    pub hash: String,
}

/// An entry as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainedEntry {
    /// Place in the trail of all chains, rising; what a reader pages by.
    pub position: i64,
    /// Number within its chain, from 1.
    pub seq: i64,
    /// The chain: node and epoch.
    pub chain: String,
    /// The entry.
    pub entry: AuditEntry,
    /// SHA-256 over the previous hash and this entry, hex.
    pub hash: String,
}
