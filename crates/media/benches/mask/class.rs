//! What is played: one class for each kind of key, line and moment.

/// A class.
#[derive(Clone)]
pub(crate) struct Class {
    pub(crate) name: &'static str,
    /// Length of a press and of the pause after it, in milliseconds.
    pub(crate) on_ms: (f64, f64),
    pub(crate) off_ms: f64,
    pub(crate) tone: Tone,
    pub(crate) beside: Beside,
    pub(crate) channel: Channel,
    pub(crate) line: Line,
    /// Both sides speak G.722, else G.711.
    pub(crate) is_wide: bool,
    pub(crate) moment: Moment,
    pub(crate) bounds: Bounds,
    /// Digits of this class for each digit asked for.
    pub(crate) share: f64,
}

/// How keys sound.
#[derive(Clone, Copy)]
pub(crate) struct Tone {
    pub(crate) low_dbm0: (f64, f64),
    pub(crate) twist_db: (f64, f64),
    /// Each tone is off by a share between these, up or down.
    pub(crate) deviation: (f64, f64),
    pub(crate) bounces: bool,
}

/// What sounds beside keys.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Beside {
    /// Line noise of -58 dBm0.
    Hiss,
    /// White noise, so many dB under the two tones; somewhere between for each call.
    Noise(f64, f64),
    /// Speech, its active level so many dB under the two tones.
    Talk(f64),
}

/// How a key is told.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Channel {
    Inband,
    /// By telephone-events, an update every `step` samples.
    Event {
        step: usize,
        audio: EventAudio,
    },
    /// By SIP INFO; with the tone in the audio or without.
    Info {
        sounds: bool,
    },
}

/// What a phone's audio does while an event runs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum EventAudio {
    /// It stops; so many milliseconds of the tone sound before and after.
    Stops { residue_ms: f64 },
    /// It goes on with the whole tone in it.
    Whole,
    /// It goes on, and the microphone hears the keypad: level of each tone at the microphone.
    Acoustic { dbm0: f64 },
}

/// What the way to the relay does to packets.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Line {
    pub(crate) loss: f64,
    /// A burst of 60-200 ms at each press: over its start, its middle, its end, or all but 3 ms of it.
    pub(crate) bursts: bool,
    pub(crate) jitter_ms: f64,
    /// Packets are up to this many places late.
    pub(crate) reorder: usize,
}

/// When protection begins and ends.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Moment {
    /// Protected before the first key and after the last.
    Always,
    /// Asked for while a key sounds, at each millisecond of it.
    Arming,
    /// Ended while a key sounds, at each millisecond of it.
    Disarming,
    /// Never: what the attackers can read at all.
    Never,
    /// Protected, and the harness uncovers 3 ms at the start of each mask: what a late mask would leak.
    Late,
}

/// Which figures are bound.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    /// Clear samples and digits recovered are zero, filters at chance.
    pub(crate) silent: bool,
    pub(crate) mask: MaskBound,
    /// Speech altered <= 0.3 %, no piece over 30 ms.
    pub(crate) speech: bool,
    /// Share of digits that must be right, in percent.
    pub(crate) right_pct: f64,
    /// No digit is wrong or doubled.
    pub(crate) exact: bool,
    /// One tone for each key.
    pub(crate) one_tone: bool,
    /// The same scene with other digits differs by 16 samples at an edge at most.
    pub(crate) alike: bool,
}

/// How far the mask may reach beyond a tone at the 99th percentile.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum MaskBound {
    Free,
    /// 12 ms before, 20 ms after.
    Tight,
}

const NOMINAL: Tone = Tone {
    low_dbm0: (-9.0, -9.0),
    twist_db: (2.0, 2.0),
    deviation: (0.0, 0.0),
    bounces: false,
};
const CLEAR_LINE: Line = Line {
    loss: 0.0,
    bursts: false,
    jitter_ms: 0.0,
    reorder: 0,
};

const STRICT: Bounds = Bounds {
    silent: true,
    mask: MaskBound::Tight,
    speech: true,
    right_pct: 99.99,
    exact: true,
    one_tone: true,
    alike: true,
};
/// Keys that are no digits by Q.24, or may be.
const UNREADABLE: Bounds = Bounds {
    right_pct: 0.0,
    exact: false,
    ..STRICT
};
/// Keys under noise, speech and losses.
const ROUGH: Bounds = Bounds {
    right_pct: 0.0,
    exact: false,
    one_tone: false,
    alike: false,
    ..STRICT
};
const EVENTS: Bounds = Bounds {
    mask: MaskBound::Free,
    one_tone: false,
    ..STRICT
};
/// Measured and printed, not bound.
const PRINTED: Bounds = Bounds {
    silent: false,
    mask: MaskBound::Free,
    speech: false,
    right_pct: 0.0,
    exact: false,
    one_tone: false,
    alike: false,
};

fn inband(name: &'static str, on_ms: f64, off_ms: f64, bounds: Bounds) -> Class {
    Class {
        name,
        on_ms: (on_ms, on_ms),
        off_ms,
        tone: NOMINAL,
        beside: Beside::Hiss,
        channel: Channel::Inband,
        line: CLEAR_LINE,
        is_wide: false,
        moment: Moment::Always,
        bounds,
        share: 1.0,
    }
}

fn events(name: &'static str, step: usize, audio: EventAudio) -> Class {
    Class {
        channel: Channel::Event { step, audio },
        ..inband(name, 100.0, 100.0, EVENTS)
    }
}

fn lossy(name: &'static str, loss: f64, bounds: Bounds) -> Class {
    Class {
        line: Line { loss, ..CLEAR_LINE },
        ..inband(name, 80.0, 80.0, bounds)
    }
}

fn lengths() -> Vec<Class> {
    vec![
        inband("t20", 20.0, 80.0, UNREADABLE),
        inband("t25", 25.0, 75.0, UNREADABLE),
        inband("t30", 30.0, 70.0, UNREADABLE),
        inband(
            "t40",
            40.0,
            40.0,
            Bounds {
                one_tone: false,
                ..STRICT
            },
        ),
        inband(
            "t50",
            50.0,
            50.0,
            Bounds {
                one_tone: false,
                ..STRICT
            },
        ),
        inband("t80", 80.0, 80.0, STRICT),
        inband("t100", 100.0, 100.0, STRICT),
        inband("t500", 500.0, 200.0, STRICT),
        Class {
            share: 0.02,
            ..inband("t60s", 60_000.0, 500.0, STRICT)
        },
    ]
}

fn shapes() -> Vec<Class> {
    let inspec = Tone {
        low_dbm0: (-22.0, -6.0),
        twist_db: (-7.5, 3.5),
        deviation: (0.0, 0.015),
        bounces: false,
    };
    let keys = |name, bounds, tone| Class {
        tone,
        ..inband(name, 80.0, 80.0, bounds)
    };
    let level = Tone {
        low_dbm0: (-36.0, -28.0),
        twist_db: (0.0, 0.0),
        ..NOMINAL
    };
    let middle = Tone {
        low_dbm0: (-12.0, -12.0),
        twist_db: (0.0, 0.0),
        ..NOMINAL
    };
    let twisted = Tone {
        low_dbm0: (-15.0, -15.0),
        twist_db: (-10.0, 10.0),
        ..NOMINAL
    };
    let beside = |name, bounds, beside| Class {
        beside,
        ..keys(name, bounds, middle)
    };
    vec![
        Class {
            on_ms: (40.0, 120.0),
            beside: Beside::Noise(18.0, 40.0),
            ..keys(
                "inspec",
                Bounds {
                    alike: false,
                    ..STRICT
                },
                inspec,
            )
        },
        keys("low36", STRICT, level),
        keys("twist10", UNREADABLE, twisted),
        keys(
            "off25",
            UNREADABLE,
            Tone {
                deviation: (0.012, 0.025),
                ..NOMINAL
            },
        ),
        beside("noise12", ROUGH, Beside::Noise(12.0, 12.0)),
        beside("talk15", ROUGH, Beside::Talk(15.0)),
        beside("noise9", PRINTED, Beside::Noise(9.0, 9.0)),
        beside("noise6", PRINTED, Beside::Noise(6.0, 6.0)),
        beside("talk12", PRINTED, Beside::Talk(12.0)),
        beside("talk9", PRINTED, Beside::Talk(9.0)),
        keys(
            "wobble",
            STRICT,
            Tone {
                bounces: true,
                ..NOMINAL
            },
        ),
    ]
}

fn lines() -> Vec<Class> {
    // Late packets and bursts silence what is around them.
    let torn = Bounds {
        speech: false,
        ..ROUGH
    };
    let late = Bounds {
        mask: MaskBound::Free,
        ..torn
    };
    let line = |name, line, bounds| Class {
        line,
        ..inband(name, 80.0, 80.0, bounds)
    };
    vec![
        lossy("loss05", 0.005, ROUGH),
        lossy("loss1", 0.01, ROUGH),
        lossy("loss3", 0.03, torn),
        lossy("loss10", 0.10, torn),
        Class {
            on_ms: (100.0, 400.0),
            off_ms: 400.0,
            ..line(
                "bursts",
                Line {
                    bursts: true,
                    ..CLEAR_LINE
                },
                late,
            )
        },
        line(
            "jitter60",
            Line {
                jitter_ms: 60.0,
                ..CLEAR_LINE
            },
            late,
        ),
        line(
            "reorder5",
            Line {
                reorder: 5,
                ..CLEAR_LINE
            },
            late,
        ),
    ]
}

fn event_classes() -> Vec<Class> {
    let stops = |residue_ms| EventAudio::Stops { residue_ms };
    let rough = |name, line, right_pct| Class {
        line,
        bounds: Bounds {
            right_pct,
            speech: false,
            alike: false,
            ..EVENTS
        },
        ..events(name, 160, stops(0.0))
    };
    let acoustic = |name, dbm0| Class {
        off_ms: 700.0,
        bounds: Bounds {
            speech: false,
            alike: false,
            ..EVENTS
        },
        ..events(name, 160, EventAudio::Acoustic { dbm0 })
    };
    let info = |name, sounds| Class {
        channel: Channel::Info { sounds },
        ..inband(name, 100.0, 100.0, EVENTS)
    };
    vec![
        events("rfc", 160, stops(0.0)),
        events("rfc50", 400, stops(0.0)),
        events("rfcres1", 160, stops(1.0)),
        events("rfcres3", 160, stops(3.0)),
        events("rfcres5", 160, stops(5.0)),
        events("rfcres8", 160, stops(8.0)),
        events("rfcres12", 160, stops(12.0)),
        events("rfcres20", 160, stops(20.0)),
        events("rfcres40", 160, stops(40.0)),
        events("rfcboth", 160, EventAudio::Whole),
        acoustic("acoustic30", -30.0),
        acoustic("acoustic40", -40.0),
        acoustic("acoustic50", -50.0),
        rough(
            "rfc_loss1",
            Line {
                loss: 0.01,
                ..CLEAR_LINE
            },
            99.9,
        ),
        rough(
            "rfc_rough5",
            Line {
                loss: 0.05,
                jitter_ms: 60.0,
                reorder: 5,
                ..CLEAR_LINE
            },
            99.5,
        ),
        info("info", false),
        info("info_both", true),
    ]
}

fn moments() -> Vec<Class> {
    let at = |name, moment, bounds| Class {
        moment,
        ..inband(name, 100.0, 100.0, bounds)
    };
    let moving = Bounds {
        mask: MaskBound::Free,
        speech: false,
        right_pct: 0.0,
        exact: false,
        one_tone: false,
        alike: false,
        ..STRICT
    };
    vec![
        at("arming", Moment::Arming, moving),
        at("disarming", Moment::Disarming, moving),
    ]
}

/// What the attackers must see, or their zeros count for nothing.
fn controls() -> Vec<Class> {
    let at = |name, on_ms, moment| Class {
        moment,
        share: 0.1,
        ..inband(name, on_ms, 100.0, PRINTED)
    };
    vec![
        at("control_t100", 100.0, Moment::Never),
        at("control_t20", 20.0, Moment::Never),
        at("control_late3", 100.0, Moment::Late),
    ]
}

/// Classes that are played in G.722, too, under these names.
const WIDE: [(&str, &str); 18] = [
    ("g722_control_t100", "control_t100"),
    ("g722_t20", "t20"),
    ("g722_t40", "t40"),
    ("g722_t100", "t100"),
    ("g722_t500", "t500"),
    ("g722_inspec", "inspec"),
    ("g722_low36", "low36"),
    ("g722_twist10", "twist10"),
    ("g722_off25", "off25"),
    ("g722_wobble", "wobble"),
    ("g722_noise12", "noise12"),
    ("g722_talk15", "talk15"),
    ("g722_loss1", "loss1"),
    ("g722_loss10", "loss10"),
    ("g722_reorder5", "reorder5"),
    ("g722_rfcres5", "rfcres5"),
    ("g722_arming", "arming"),
    ("g722_disarming", "disarming"),
];

/// What is said after a key depends on the key in the codec itself: other digits are other samples everywhere.
fn widened(classes: &[Class]) -> Vec<Class> {
    let named = |name: &str| classes.iter().find(|class| class.name == name);
    let widen = |(name, of): &(&'static str, &str)| {
        let class = named(of)?;
        // After a loss nobody knows, sample by sample, what was said.
        let is_whole = class.line == CLEAR_LINE;
        let bounds = Bounds {
            alike: false,
            speech: class.bounds.speech && is_whole,
            mask: if is_whole {
                class.bounds.mask
            } else {
                MaskBound::Free
            },
            ..class.bounds
        };
        Some(Class {
            name,
            is_wide: true,
            bounds,
            ..class.clone()
        })
    };
    WIDE.iter().filter_map(widen).collect()
}

/// Every class, in the order in which they run.
pub(crate) fn all() -> Vec<Class> {
    let mut all = [
        controls(),
        lengths(),
        shapes(),
        lines(),
        event_classes(),
        moments(),
    ]
    .concat();
    all.extend(widened(&all));
    all
}
