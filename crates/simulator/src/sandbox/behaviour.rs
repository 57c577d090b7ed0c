//! What the sandbox can be made to do.
//! Owns: the behaviours, what each does to the ledger, what a client must make of it, and the amounts that mean one.
//! Never: answers a request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ledger::RowStatus;

/// What a client must make of a behaviour (SETTLED S16, with a success key that the behaviour's own answer has).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MustBe {
    /// No byte of a request has left.
    NotSent,
    /// Charged.
    Approved,
    /// Not charged, says the gateway.
    Declined,
    /// Not charged: the request was refused.
    Error,
    /// Nobody knows.
    Unknown,
}

/// When a behaviour shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// To the connection, before or in the middle of a request.
    Early,
    /// To a whole request.
    Request,
}

/// One table: the behaviour, what it is, what it writes into the ledger, what a client must make of it.
macro_rules! behaviours {
    ($( $moment:ident { $( $(#[$doc:meta])+ $name:ident => $row:ident, $must:ident; )+ } )+) => {
        /// One answer, or the lack of one. Answers are in the type that Accept names, those that are deliberately odd in JSON.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Behaviour {
            /// Charges, waits, and says so.
            ApproveAfter {
                /// How long it waits.
                delay_ms: u32,
            },
            $( $( $(#[$doc])+ $name, )+ )+
        }

        impl Behaviour {
            /// All but [`Behaviour::ApproveAfter`], which is as many as there are delays.
            pub const ALL: &[Self] = &[$( $( Self::$name, )+ )+];

            fn entry(self) -> (Moment, Option<RowStatus>, MustBe) {
                match self {
                    Self::ApproveAfter { .. } => (Moment::Request, row::CHARGED, MustBe::Approved),
                    $( $( Self::$name => (Moment::$moment, row::$row, MustBe::$must), )+ )+
                }
            }
        }
    };
}

mod row {
    use super::RowStatus;

    pub(super) const CHARGED: Option<RowStatus> = Some(RowStatus::Charged);
    pub(super) const DECLINED: Option<RowStatus> = Some(RowStatus::Declined);
    pub(super) const NOTHING: Option<RowStatus> = None;
}

behaviours! {
    Early {
        /// Closes the connection as soon as it is there.
        CloseAtOnce => NOTHING, NotSent;
        /// Resets it as soon as it is there.
        ResetAtOnce => NOTHING, NotSent;
        /// Answers in plain HTTP.
        AnswerWithoutTls => NOTHING, NotSent;
        /// Never says a word, TLS's greeting included.
        MuteHandshake => NOTHING, NotSent;
        /// Refuses TLS with an alert.
        RefuseHandshake => NOTHING, NotSent;
        /// Shows a certificate of last year.
        ExpiredCertificate => NOTHING, NotSent;
        /// Shows a certificate of next century.
        FutureCertificate => NOTHING, NotSent;
        /// Shows a certificate for another name.
        OtherHostsCertificate => NOTHING, NotSent;
        /// Shows a certificate of an authority that nobody knows.
        StrangersCertificate => NOTHING, NotSent;
        /// Closes the connection once it is secure.
        CloseAfterHandshake => NOTHING, NotSent;
        /// Answers once the connection is secure, before it is asked.
        AnswerUnasked => NOTHING, NotSent;
        /// Never reads the request.
        NeverRead => NOTHING, Unknown;
        /// Reads the request's first byte and closes.
        CloseInRequest => NOTHING, Unknown;
        /// Reads the request's first byte and resets.
        ResetInRequest => NOTHING, Unknown;
    }
    Request {
        /// Charges and says so.
        Approve => CHARGED, Approved;
        /// Charges and repeats the card number in its text.
        ApproveWithEcho => CHARGED, Approved;
        /// Charges and says so with 201.
        ApproveAsCreated => CHARGED, Approved;
        /// Charges and says so in chunks.
        ApproveInChunks => CHARGED, Approved;
        /// Charges and says so without a length: the end of the connection is the end of the body.
        ApproveUntilClose => CHARGED, Approved;
        /// Charges and says so after 100 and 103.
        ApproveAfterContinue => CHARGED, Approved;
        /// Charges and says so byte by byte.
        ApproveByteByByte => CHARGED, Approved;
        /// Charges and says so in JSON, under the Content-Type of a page.
        ApproveAsPage => CHARGED, Approved;
        /// Charges and says so after a byte order mark.
        ApproveWithMark => CHARGED, Approved;
        /// Charges, says so, sets a cookie and offers HTTP/2 and HTTP/3.
        ApproveWithCookie => CHARGED, Approved;
        /// Charges, says so, and sends a second answer that declines.
        ApproveThenDecline => CHARGED, Approved;

        /// Declines.
        Decline => DECLINED, Declined;
        /// Declines and repeats the parameter `description` in its text.
        DeclineWithDescription => DECLINED, Declined;
        /// Declines with "Do not honour".
        DoNotHonour => DECLINED, Declined;
        /// Declines with 402.
        DeclineAsPaymentRequired => DECLINED, Declined;
        /// Declines and repeats the card number in its text, with blanks and in hexadecimal too.
        DeclineWithEcho => DECLINED, Declined;
        /// Declines with markup, colours, line ends and a change of direction in its text.
        DeclineWithMarkup => DECLINED, Declined;
        /// Declines with a text of ten thousand characters.
        DeclineAtLength => DECLINED, Declined;
        /// Declines, and repeats deeper down what a consumer wrote: an approval.
        DeclineWithLookAlike => DECLINED, Declined;

        /// Answers 400.
        BadRequest => NOTHING, Error;
        /// Answers 401.
        Unauthorised => NOTHING, Error;
        /// Answers 403.
        Forbidden => NOTHING, Error;
        /// Answers 404.
        NotFound => NOTHING, Error;
        /// Answers 405.
        MethodNotAllowed => NOTHING, Error;
        /// Answers 406.
        NotAcceptable => NOTHING, Error;
        /// Answers 413.
        ContentTooLarge => NOTHING, Error;
        /// Answers 415.
        UnsupportedType => NOTHING, Error;
        /// Answers 422.
        Unprocessable => NOTHING, Error;
        /// Answers 422: the key of the attempt came with another body before.
        KeyReused => NOTHING, Error;

        /// Answers 408.
        RequestTimeout => NOTHING, Unknown;
        /// Answers 409: the attempt is in progress.
        InProgress => CHARGED, Unknown;
        /// Answers 425.
        TooEarly => NOTHING, Unknown;
        /// Answers 429 and asks to come again at once.
        TooManyRequests => NOTHING, Unknown;
        /// Answers 500.
        ServerError => NOTHING, Unknown;
        /// Answers 501.
        NotImplemented => NOTHING, Unknown;
        /// Answers 502.
        BadGateway => CHARGED, Unknown;
        /// Answers 503 and asks to come again at once.
        Unavailable => NOTHING, Unknown;
        /// Answers 504.
        GatewayTimeout => CHARGED, Unknown;
        /// Charges and says so with 500.
        ApproveAsServerError => CHARGED, Unknown;
        /// Charges and says so with 401.
        ApproveAsUnauthorised => CHARGED, Unknown;
        /// Charges and says so with 302.
        ApproveAsRedirect => CHARGED, Unknown;
        /// Charges and answers 204.
        NoContent => CHARGED, Unknown;
        /// Charges and answers 206 with the first half of its answer.
        PartialContent => CHARGED, Unknown;
        /// Leads elsewhere with 301: here, where a second request would charge.
        MovedPermanently => NOTHING, Unknown;
        /// The same with 302.
        Found => NOTHING, Unknown;
        /// The same with 303.
        SeeOther => NOTHING, Unknown;
        /// The same with 307, which asks for the body again.
        TemporaryRedirect => NOTHING, Unknown;
        /// The same with 308.
        PermanentRedirect => NOTHING, Unknown;
        /// Answers 101.
        SwitchingProtocols => NOTHING, Unknown;
        /// Answers 100 for ever.
        ContinueForever => NOTHING, Unknown;

        /// Reads the request and never answers.
        NeverAnswer => NOTHING, Unknown;
        /// Resets the connection, without a charge.
        ResetUncharged => NOTHING, Unknown;
        /// Charges and never answers.
        ChargeThenNeverAnswer => CHARGED, Unknown;
        /// Charges and resets the connection.
        ChargeThenReset => CHARGED, Unknown;
        /// Charges and closes the connection.
        ChargeThenClose => CHARGED, Unknown;
        /// Charges and closes within the head of its answer.
        ChargeThenCutHead => CHARGED, Unknown;
        /// Charges and closes within the body.
        ChargeThenCutBody => CHARGED, Unknown;
        /// Charges and closes before the last chunk.
        ChargeThenCutChunks => CHARGED, Unknown;
        /// Charges, says so without a length, and goes without TLS's farewell.
        ChargeThenVanish => CHARGED, Unknown;
        /// Charges and sends a record that does not decrypt in the middle of the body.
        ChargeThenBrokenRecord => CHARGED, Unknown;
        /// Charges, sends half of a head, and says no more.
        ChargeThenStallInHead => CHARGED, Unknown;
        /// Charges, sends half of the body, and says no more.
        ChargeThenStallInBody => CHARGED, Unknown;
        /// Charges and sends its answer so slowly that it never ends in time.
        ChargeThenDrip => CHARGED, Unknown;
        /// Charges and sends headers for ever.
        HeadersForever => CHARGED, Unknown;
        /// Charges and sends chunks for ever.
        ChunksForever => CHARGED, Unknown;

        /// Answers 200 with a body that is none of the types.
        Garbage => NOTHING, Unknown;
        /// Charges and answers with nothing.
        EmptyBody => CHARGED, Unknown;
        /// Charges and answers without the key.
        EmptyObject => CHARGED, Unknown;
        /// Charges and answers with the key twice, once each way.
        KeyTwice => CHARGED, Unknown;
        /// Charges and answers with a key that holds another.
        KeyHoldsObject => CHARGED, Unknown;
        /// Charges and answers with JSON that breaks off, in a body that does not.
        BrokenJson => CHARGED, Unknown;
        /// Charges and answers with two documents in one body.
        TwoDocuments => CHARGED, Unknown;
        /// Charges and answers in UTF-16.
        Utf16 => CHARGED, Unknown;
        /// Charges and answers with bytes that are no UTF-8.
        InvalidUtf8 => CHARGED, Unknown;
        /// Charges and answers with a NUL in its text.
        NulInText => CHARGED, Unknown;
        /// Charges and answers with a hundred thousand brackets after its key.
        DeepNesting => CHARGED, Unknown;
        /// Charges and answers with ten million characters after its key.
        HugeBody => CHARGED, Unknown;
        /// Charges and says that ten gigabytes will follow.
        HugeClaim => CHARGED, Unknown;
        /// Charges and answers in XML with an external entity.
        ExternalEntity => CHARGED, Unknown;
        /// Charges and answers with the page of a proxy.
        ErrorPage => CHARGED, Unknown;
        /// Charges and answers in gzip that nobody asked for.
        Gzip => CHARGED, Unknown;

        /// Charges and answers in another protocol.
        NotHttp => CHARGED, Unknown;
        /// Charges and answers in HTTP/2.
        HttpTwo => CHARGED, Unknown;
        /// Charges and answers with a status that is no number.
        BadStatusLine => CHARGED, Unknown;
        /// Charges and answers with a header of 40,000 characters.
        LongHead => CHARGED, Unknown;
        /// Charges and answers with 200 headers.
        ManyHeaders => CHARGED, Unknown;
        /// Charges and answers with two lengths that differ.
        TwoLengths => CHARGED, Unknown;
        /// Charges and answers with a negative length.
        NegativeLength => CHARGED, Unknown;
        /// Charges and answers with a chunk whose size is no number.
        BadChunk => CHARGED, Unknown;
    }
}

impl Behaviour {
    /// What a client must make of it.
    #[must_use]
    pub fn must_be(self) -> MustBe {
        self.entry().2
    }

    /// Whether money moves.
    #[must_use]
    pub fn charges(self) -> bool {
        self.row() == row::CHARGED
    }

    /// When it shows itself.
    pub(super) fn moment(self) -> Moment {
        self.entry().0
    }

    /// What it writes into the ledger.
    pub(super) fn row(self) -> Option<RowStatus> {
        self.entry().1
    }

    /// What an amount such as "120.05" means.
    pub(super) fn of_amount(amount: &str) -> Self {
        match amount.rsplit_once('.').map_or("", |(_, cents)| cents) {
            "05" => Self::Decline,
            "54" => Self::DoNotHonour,
            "91" => Self::NeverAnswer,
            "92" => Self::ChargeThenNeverAnswer,
            "93" => Self::Garbage,
            "94" => Self::ServerError,
            "95" => Self::ChargeThenReset,
            "96" => Self::Unauthorised,
            "97" => Self::ApproveWithEcho,
            _ => Self::Approve,
        }
    }

    /// How long it waits before it answers.
    pub(super) fn delay(self) -> Duration {
        match self {
            Self::ApproveAfter { delay_ms } => Duration::from_millis(delay_ms.into()),
            _ => Duration::ZERO,
        }
    }
}
