//! Parts of a recording that are not plain audio.
//! Owns: marks as they are kept, and the spans that they make.
//! Never: decides that something is to be masked or paused.

use std::fmt;

/// One side of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// What the consumer said, after the mask. The left channel.
    Consumer,
    /// What the agent said. The right channel.
    Agent,
}

impl Track {
    /// Both, in the order of their channels.
    pub const BOTH: [Self; 2] = [Self::Consumer, Self::Agent];

    /// 0 for the consumer, 1 for the agent: the place among the two bytes of a moment.
    pub(crate) fn channel(self) -> usize {
        match self {
            Self::Consumer => 0,
            Self::Agent => 1,
        }
    }
}

/// The tracks that a span is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tracks {
    /// One of them.
    One(Track),
    /// Both.
    Both,
}

impl Tracks {
    fn code(self) -> u8 {
        match self {
            Self::One(Track::Consumer) => 1,
            Self::One(Track::Agent) => 2,
            Self::Both => 3,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::One(Track::Consumer)),
            2 => Some(Self::One(Track::Agent)),
            3 => Some(Self::Both),
            _ => None,
        }
    }
}

/// What a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpanKind {
    /// Not kept, on purpose: a pause.
    Paused,
    /// Kept, with the flat tone in place of keys.
    Masked,
    /// Meant to be kept, and lost: a queue was full, the disk refused, or frames came too late.
    Gap,
    /// Kept, and removed later by a person: silence. Only files of version 2 have it.
    Removed,
}

impl SpanKind {
    fn code(self) -> u8 {
        match self {
            Self::Paused => 1,
            Self::Masked => 2,
            Self::Gap => 3,
            Self::Removed => 4,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Paused),
            2 => Some(Self::Masked),
            3 => Some(Self::Gap),
            4 => Some(Self::Removed),
            _ => None,
        }
    }
}

impl fmt::Display for SpanKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paused => "paused",
            Self::Masked => "masked",
            Self::Gap => "gap",
            Self::Removed => "removed",
        })
    }
}

/// Which end of a span a mark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// The span's first sample is at the position.
    Begin,
    /// The position is that of the first sample behind the span.
    End,
}

/// One end of a span, as segments keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Of which kind.
    pub kind: SpanKind,
    /// Begin or end.
    pub edge: Edge,
    /// On which tracks.
    pub tracks: Tracks,
    /// Where, in samples since the call's media began.
    pub position: u64,
}

/// Bytes of a mark in a segment's index.
pub(crate) const MARK_BYTES: usize = 11;

impl Mark {
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        let edge = match self.edge {
            Edge::Begin => 1,
            Edge::End => 2,
        };
        out.extend_from_slice(&[self.kind.code(), edge, self.tracks.code()]);
        out.extend_from_slice(&self.position.to_be_bytes());
    }

    /// `None` if the bytes say nothing that version 2 knows.
    pub(crate) fn decode(bytes: [u8; MARK_BYTES]) -> Option<Self> {
        let [kind, edge, tracks, position @ ..] = bytes;
        Some(Self {
            kind: SpanKind::from_code(kind)?,
            edge: match edge {
                1 => Edge::Begin,
                2 => Edge::End,
                _ => return None,
            },
            tracks: Tracks::from_code(tracks)?,
            position: u64::from_be_bytes(position),
        })
    }
}

/// A part of a recording: samples from `from` to before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Its first sample, in samples since the call's media began.
    pub from: u64,
    /// The first sample behind it; never before `from`. For a span that had not ended when the recording did: the recording's end.
    pub until: u64,
    /// What it is.
    pub kind: SpanKind,
    /// On which tracks.
    pub tracks: Tracks,
}

/// Spans from marks in the order in which they were kept.
#[derive(Debug, Default)]
pub(crate) struct Pairing {
    open: Vec<(SpanKind, Tracks, u64)>,
    spans: Vec<Span>,
}

impl Pairing {
    /// Takes the next mark. An end without a beginning, which no writer makes, is left out; so is a second beginning.
    pub(crate) fn take(&mut self, mark: Mark) {
        let place = |open: &(SpanKind, Tracks, u64)| (open.0, open.1) == (mark.kind, mark.tracks);
        let found = self.open.iter().position(place);
        match (mark.edge, found) {
            (Edge::Begin, None) => self.open.push((mark.kind, mark.tracks, mark.position)),
            (Edge::End, Some(at)) => {
                let (kind, tracks, from) = self.open.swap_remove(at);
                self.spans.push(Span {
                    from,
                    until: mark.position.max(from),
                    kind,
                    tracks,
                });
            }
            (Edge::Begin, Some(_)) | (Edge::End, None) => {}
        }
    }

    /// All spans in order, of a recording that ends at `end`.
    pub(crate) fn finish(mut self, end: u64) -> Vec<Span> {
        let rest = self.open.drain(..).map(|(kind, tracks, from)| Span {
            from,
            until: end.max(from),
            kind,
            tracks,
        });
        self.spans.extend(rest);
        self.spans.sort_unstable();
        self.spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(kind: SpanKind, edge: Edge, position: u64) -> Mark {
        Mark {
            kind,
            edge,
            tracks: Tracks::Both,
            position,
        }
    }

    fn spans(marks: &[Mark], end: u64) -> Vec<(SpanKind, u64, u64)> {
        let mut pairing = Pairing::default();
        marks.iter().for_each(|mark| pairing.take(*mark));
        let spans = pairing.finish(end).into_iter();
        spans
            .map(|span| (span.kind, span.from, span.until))
            .collect()
    }

    #[test]
    fn marks_come_back_from_their_bytes_and_strange_ones_do_not() {
        for kind in 0..=5 {
            for edge in 0..=3 {
                for tracks in 0..=4 {
                    let bytes = [kind, edge, tracks, 0, 0, 0, 0, 0, 0, 1, 2];
                    let mark = Mark::decode(bytes);
                    let known = (1..=4).contains(&kind)
                        && (1..=2).contains(&edge)
                        && (1..=3).contains(&tracks);
                    assert_eq!(mark.is_some(), known);
                    if let Some(mark) = mark {
                        let mut out = Vec::new();
                        mark.encode(&mut out);
                        assert_eq!((out.as_slice(), mark.position), (bytes.as_slice(), 258));
                    }
                }
            }
        }
    }

    #[test]
    fn spans_of_different_kinds_overlap_and_an_open_one_ends_with_the_recording() {
        let marks = [
            mark(SpanKind::Masked, Edge::Begin, 100),
            mark(SpanKind::Paused, Edge::Begin, 150),
            mark(SpanKind::Paused, Edge::Begin, 160),
            mark(SpanKind::Gap, Edge::End, 170),
            mark(SpanKind::Paused, Edge::End, 300),
        ];
        let expected = vec![(SpanKind::Masked, 100, 900), (SpanKind::Paused, 150, 300)];
        assert_eq!(spans(&marks, 900), expected);
    }

    #[test]
    fn a_span_never_ends_before_it_begins() {
        let marks = [
            mark(SpanKind::Gap, Edge::Begin, 100),
            mark(SpanKind::Gap, Edge::End, 50),
            mark(SpanKind::Masked, Edge::Begin, 100),
        ];
        let expected = vec![(SpanKind::Masked, 100, 100), (SpanKind::Gap, 100, 100)];
        assert_eq!(spans(&marks, 60), expected);
    }
}
