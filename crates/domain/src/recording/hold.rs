//! One recorder beside this server, held still for one call.
//! Owns: what it is asked and when, what counts as its word, how a pause is kept, watched and ended.
//! Never: takes a pause for done because it was asked for, or for ended before the recorder says that it records.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A pause that is not confirmed within this is refused: less than the 3 s after which a capture is blocked anyway, so that the recorder is named.
pub const PAUSE_MAX: Duration = Duration::from_millis(2_800);
/// A recorder that took a pause and does not say yet that it is paused is asked again after this.
const CONFIRM_EVERY: Duration = Duration::from_millis(200);
/// A paused recorder is asked this often whether it still is.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);
/// So many looks without a word in a row are an alarm: 10 s.
const SILENT_LOOKS: u32 = 5;
/// A resume that did not work is tried again after this, after twice that, and so on.
const RETRY_FIRST: Duration = Duration::from_millis(500);
/// The longest wait between two tries.
const RETRY_MAX: Duration = Duration::from_secs(15);
/// A recorder that cannot be resumed in so long needs a person.
pub const RESUME_MAX: Duration = Duration::from_secs(3_600);
/// A pause whose answer never came may be carried out late: after the resume the recorder is looked at for so long.
pub const LATE_MAX: Duration = Duration::from_secs(30);

/// What a recorder is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecorderRequest {
    /// To pause.
    Pause,
    /// To go on.
    Resume,
    /// Whether it is paused.
    State,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecorderWord {
    /// It took a pause or a resume: no word about its state.
    Taken,
    /// Asked for its state: it is paused.
    Paused,
    /// Asked for its state: it records.
    Recording,
    /// It refused, or its state is neither.
    Refused,
    /// It knows no such call.
    Unknown,
    /// It was not reached, or did not answer in time: what it does is not known.
    Nothing,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldOutput {
    /// Ask the recorder; what comes of it is told by [`Hold::said`]. One request at a time.
    Ask(RecorderRequest),
    /// It is paused, by its own word.
    Paused,
    /// It is not, within [`PAUSE_MAX`]: a reason code.
    Refused(&'static str),
    /// It was paused and may not be any more: a reason code.
    Broken(&'static str),
    /// It has not said anything for a while; it counts as paused.
    Silent,
    /// It records again, by its own word, or knows nothing of the call.
    Resumed,
    /// It did not resume at the first try: a reason code. It is tried again.
    NotResumed(&'static str),
    /// It did not resume within [`RESUME_MAX`], and is left as it is.
    LeftPaused,
}

/// A hold. Time is an argument; after each `handle` outputs are polled until there are none.
#[derive(Debug)]
pub struct Hold {
    state: State,
    in_flight: Option<RecorderRequest>,
    /// A pause went out whose answer never came.
    pause_may_be_late: bool,
    /// Longest pause.
    longest: Duration,
    outputs: VecDeque<HoldOutput>,
}

#[derive(Debug)]
enum State {
    Pausing(Pausing),
    Held(Held),
    /// It lasted too long, and what was to be kept from the recorder may not be wiped yet.
    Overdue,
    Resuming(Resuming),
    /// It records; a late pause is looked for.
    Settling {
        until: Instant,
        look_at: Instant,
    },
    Over,
}

#[derive(Debug)]
struct Pausing {
    by: Instant,
    stage: Asked,
    look_at: Option<Instant>,
    why_not: &'static str,
}

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// An older request has to be answered first: two at a time could be carried out in any order.
    NotYet,
    /// The change is asked for.
    Change,
    /// The recorder took it, or may have.
    Offered,
}

#[derive(Debug)]
struct Held {
    look_at: Instant,
    over_at: Instant,
    silent_looks: u32,
}

#[derive(Debug)]
struct Resuming {
    give_up_at: Instant,
    stage: Asked,
    retry_at: Option<Instant>,
    wait: Duration,
    is_told: bool,
}

impl Hold {
    /// Begins with the request to pause, which may last `longest`.
    #[must_use]
    pub fn pause(now: Instant, longest: Duration) -> Self {
        let mut hold = Self::new(State::Over, longest);
        hold.pause_again(now);
        hold
    }

    /// One that an earlier life of this server left: it is let go on.
    #[must_use]
    pub fn left_over(now: Instant) -> Self {
        let mut hold = Self::new(State::Over, Duration::ZERO);
        hold.pause_may_be_late = true;
        hold.begin_resume(now);
        hold
    }

    fn new(state: State, longest: Duration) -> Self {
        Self {
            state,
            in_flight: None,
            pause_may_be_late: false,
            longest,
            outputs: VecDeque::new(),
        }
    }

    /// Nothing is left to do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over) && self.in_flight.is_none()
    }

    /// The recorder has confirmed its pause, and has not been let go on.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.state, State::Held(_))
    }

    /// It records, by its own word, or was given up.
    #[must_use]
    pub fn is_let_go(&self) -> bool {
        matches!(self.state, State::Settling { .. } | State::Over)
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<HoldOutput> {
        self.outputs.pop_front()
    }

    /// When [`Hold::handle_timeout`] is due; none: not until a word.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Pausing(pausing) => {
                Some(pausing.look_at.map_or(pausing.by, |at| at.min(pausing.by)))
            }
            State::Held(held) if self.in_flight.is_none() => Some(held.look_at.min(held.over_at)),
            State::Held(held) => Some(held.over_at),
            State::Resuming(resuming) => resuming.retry_at,
            State::Settling { look_at, .. } if self.in_flight.is_none() => Some(*look_at),
            State::Settling { .. } | State::Overdue | State::Over => None,
        }
    }

    /// Asks it to pause, whatever it does now. A pause that holds is confirmed at once.
    pub fn pause_again(&mut self, now: Instant) {
        if self.is_held() {
            self.outputs.push_back(HoldOutput::Paused);
            return;
        }
        let mut pausing = Pausing {
            by: now + PAUSE_MAX,
            stage: Asked::NotYet,
            look_at: None,
            why_not: NO_ANSWER,
        };
        if self.ask(RecorderRequest::Pause) {
            pausing.stage = Asked::Change;
        }
        self.state = State::Pausing(pausing);
    }

    /// Lets it go on. What was to be kept from it is wiped.
    pub fn resume(&mut self, now: Instant) {
        if self.is_let_go() || matches!(self.state, State::Resuming(_)) {
            return;
        }
        self.begin_resume(now);
    }

    fn begin_resume(&mut self, now: Instant) {
        let stage = match self.ask(RecorderRequest::Resume) {
            true => Asked::Change,
            false => Asked::NotYet,
        };
        self.state = State::Resuming(Resuming {
            give_up_at: now + RESUME_MAX,
            stage,
            retry_at: None,
            wait: RETRY_FIRST,
            is_told: false,
        });
    }

    /// What came of the request on its way.
    pub fn handle_word(&mut self, now: Instant, word: RecorderWord) {
        let Some(asked) = self.in_flight.take() else {
            return;
        };
        if asked == RecorderRequest::Pause && word == RecorderWord::Nothing {
            self.pause_may_be_late = true;
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Pausing(pausing) => self.while_pausing(now, pausing, asked, word),
            State::Held(held) => self.while_held(now, held, word),
            State::Resuming(resuming) => self.while_resuming(now, resuming, word),
            State::Settling { until, .. } => self.while_settling(now, until, word),
            other @ (State::Overdue | State::Over) => self.state = other,
        }
    }

    /// A time-out of [`Hold::next_timeout`] may be due.
    pub fn handle_timeout(&mut self, now: Instant) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Pausing(pausing) if now >= pausing.by => self.refuse(now, pausing.why_not),
            State::Pausing(mut pausing) => {
                if pausing.look_at.is_some_and(|at| now >= at) && self.ask(RecorderRequest::State) {
                    pausing.look_at = None;
                }
                self.state = State::Pausing(pausing);
            }
            State::Held(held) if now >= held.over_at => {
                self.outputs.push_back(HoldOutput::Broken(TOO_LONG));
                self.state = State::Overdue;
            }
            State::Held(held) => {
                if now >= held.look_at {
                    self.ask(RecorderRequest::State);
                }
                self.state = State::Held(held);
            }
            State::Resuming(resuming) if now >= resuming.give_up_at => {
                self.outputs.push_back(HoldOutput::LeftPaused);
            }
            State::Resuming(mut resuming) => {
                if resuming.retry_at.is_some_and(|at| now >= at)
                    && self.ask(RecorderRequest::Resume)
                {
                    resuming.retry_at = None;
                    resuming.stage = Asked::Change;
                }
                self.state = State::Resuming(resuming);
            }
            State::Settling { until, look_at } => {
                if now >= look_at {
                    self.ask(RecorderRequest::State);
                }
                self.state = State::Settling { until, look_at };
            }
            other @ (State::Overdue | State::Over) => self.state = other,
        }
    }

    /// Whether it can be asked now.
    fn ask(&mut self, request: RecorderRequest) -> bool {
        if self.in_flight.is_some() {
            return false;
        }
        self.in_flight = Some(request);
        self.outputs.push_back(HoldOutput::Ask(request));
        true
    }

    fn refuse(&mut self, now: Instant, why: &'static str) {
        self.outputs.push_back(HoldOutput::Refused(why));
        // It may have paused all the same.
        self.pause_may_be_late |= self.in_flight == Some(RecorderRequest::Pause);
        self.begin_resume(now);
    }

    fn while_pausing(
        &mut self,
        now: Instant,
        mut pausing: Pausing,
        asked: RecorderRequest,
        word: RecorderWord,
    ) {
        match (pausing.stage, word) {
            (Asked::NotYet, _) => {
                self.ask(RecorderRequest::Pause);
                pausing.stage = Asked::Change;
            }
            (_, RecorderWord::Unknown) => return self.refuse(now, UNKNOWN_CALL),
            (Asked::Change, RecorderWord::Nothing) => return self.refuse(now, NO_ANSWER),
            (Asked::Change, RecorderWord::Refused) => return self.refuse(now, SAID_NO),
            (Asked::Change, _) => {
                self.ask(RecorderRequest::State);
                pausing.stage = Asked::Offered;
                pausing.why_not = NOT_PAUSED;
            }
            (Asked::Offered, RecorderWord::Paused) if asked == RecorderRequest::State => {
                self.outputs.push_back(HoldOutput::Paused);
                self.state = State::Held(Held {
                    look_at: now + LOOK_EVERY,
                    over_at: now + self.longest,
                    silent_looks: 0,
                });
                return;
            }
            (Asked::Offered, _) => pausing.look_at = Some(now + CONFIRM_EVERY),
        }
        self.state = State::Pausing(pausing);
    }

    fn while_held(&mut self, now: Instant, mut held: Held, word: RecorderWord) {
        held.look_at = now + LOOK_EVERY;
        match word {
            RecorderWord::Recording => {
                self.outputs.push_back(HoldOutput::Broken(RECORDS));
                return self.begin_resume(now);
            }
            RecorderWord::Paused => held.silent_looks = 0,
            RecorderWord::Taken
            | RecorderWord::Refused
            | RecorderWord::Unknown
            | RecorderWord::Nothing => {
                held.silent_looks = held.silent_looks.saturating_add(1);
                if held.silent_looks == SILENT_LOOKS {
                    self.outputs.push_back(HoldOutput::Silent);
                }
            }
        }
        self.state = State::Held(held);
    }

    fn while_resuming(&mut self, now: Instant, mut resuming: Resuming, word: RecorderWord) {
        match (resuming.stage, word) {
            (Asked::NotYet, _) => {
                self.ask(RecorderRequest::Resume);
                resuming.stage = Asked::Change;
            }
            (Asked::Change, RecorderWord::Unknown)
            | (Asked::Offered, RecorderWord::Recording | RecorderWord::Unknown) => {
                return self.resumed(now);
            }
            // Whatever it says to the request: only its state counts.
            (Asked::Change, _) => {
                self.ask(RecorderRequest::State);
                resuming.stage = Asked::Offered;
            }
            (Asked::Offered, word) => {
                if !std::mem::replace(&mut resuming.is_told, true) {
                    let is_silent = word == RecorderWord::Nothing;
                    let why = if is_silent { NO_ANSWER } else { NOT_RESUMED };
                    self.outputs.push_back(HoldOutput::NotResumed(why));
                }
                resuming.retry_at = Some(now + resuming.wait);
                resuming.wait = (resuming.wait * 2).min(RETRY_MAX);
            }
        }
        self.state = State::Resuming(resuming);
    }

    fn resumed(&mut self, now: Instant) {
        self.outputs.push_back(HoldOutput::Resumed);
        if std::mem::take(&mut self.pause_may_be_late) {
            self.state = State::Settling {
                until: now + LATE_MAX,
                look_at: now + LOOK_EVERY,
            };
        }
    }

    fn while_settling(&mut self, now: Instant, until: Instant, word: RecorderWord) {
        if word == RecorderWord::Paused {
            self.begin_resume(now);
        } else if now < until {
            let look_at = now + LOOK_EVERY;
            self.state = State::Settling { until, look_at };
        }
    }
}

const NO_ANSWER: &str = "recorder_no_answer";
const SAID_NO: &str = "recorder_said_no";
const UNKNOWN_CALL: &str = "recorder_knows_no_call";
const NOT_PAUSED: &str = "recorder_not_paused";
const RECORDS: &str = "recorder_records";
const TOO_LONG: &str = "recorder_paused_too_long";
const NOT_RESUMED: &str = "recorder_not_resumed";

#[cfg(test)]
mod tests;
