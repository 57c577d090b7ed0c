//! The way of recorded audio out of the media threads.
//! Owns: one bounded ring per media thread and the thread that empties them.
//! Never: makes a media thread wait; what does not fit is dropped and counted.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use domain::id::CallId;
use media::g711::Law;
use rtrb::RingBuffer;

/// Samples of one frame: 30 ms at 8 kHz. Longer stretches are divided.
const FRAME_SAMPLES_MAX: usize = 240;

/// Frames one media thread may be ahead: 20 s of one call, or 200 ms of a hundred. When full, frames are dropped and counted; positions show
/// the gap.
const FRAMES_MAX: usize = 2_048;

/// Time between two looks into empty rings: half a ring fills at two hundred calls.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Takes what both sides of calls were given to hear: masked audio only (invariant I3). It runs on a thread of its own.
pub trait AudioSink: Send {
    /// Samples at 8 kHz of one speaker of one call, decoded by a law. `position` is that of the first, in samples since the call's media began; a jump is
    /// silence or loss.
    fn frames(&mut self, call: &CallId, from: Speaker, position: u64, samples: &[i16]);

    /// The mask holds for the consumer's samples from a position on, or no longer does.
    fn masked(&mut self, _call: &CallId, _position: u64, _holds: bool) {}

    /// Nothing more comes of this call.
    fn ended(&mut self, call: &CallId);

    /// All that the media threads had put out at the last such word has been handed over, and maybe more.
    fn caught_up(&mut self) {}
}

/// Whose samples they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speaker {
    /// The consumer; else the agent.
    pub is_consumer: bool,
    /// The law that they were decoded by.
    pub law: Law,
}

struct Frame {
    call: Arc<CallId>,
    content: Content,
}

#[expect(
    clippy::large_enum_variant,
    reason = "rings hold frames in place, so that a media thread allocates nothing"
)]
enum Content {
    Audio {
        from: Speaker,
        position: u64,
        len: usize,
        samples: [i16; FRAME_SAMPLES_MAX],
    },
    Mask {
        position: u64,
        holds: bool,
    },
    End,
}

/// A media thread's end.
pub(crate) struct FrameSender(rtrb::Producer<Frame>);

impl FrameSender {
    /// Puts samples in; yields how many frames were dropped.
    pub(crate) fn send(
        &mut self,
        call: &Arc<CallId>,
        from: Speaker,
        position: u64,
        samples: &[i16],
    ) -> u64 {
        let (mut dropped, mut position) = (0, position);
        for chunk in samples.chunks(FRAME_SAMPLES_MAX) {
            let mut frame = [0; FRAME_SAMPLES_MAX];
            for (to, from) in frame.iter_mut().zip(chunk) {
                *to = *from;
            }
            let content = Content::Audio {
                from,
                position,
                len: chunk.len(),
                samples: frame,
            };
            dropped += self.push(call, content);
            position += u64::try_from(chunk.len()).unwrap_or_default();
        }
        dropped
    }

    /// The mask holds from a position on, or no longer does; yields how many notes of it were dropped.
    pub(crate) fn mask(&mut self, call: &Arc<CallId>, position: u64, holds: bool) -> u64 {
        self.push(call, Content::Mask { position, holds })
    }

    /// The call has ended; yields how many notes of it were dropped.
    pub(crate) fn end(&mut self, call: &Arc<CallId>) -> u64 {
        self.push(call, Content::End)
    }

    fn push(&mut self, call: &Arc<CallId>, content: Content) -> u64 {
        let frame = Frame {
            call: Arc::clone(call),
            content,
        };
        u64::from(self.0.push(frame).is_err())
    }
}

/// The recorder's thread. It ends by itself once every sender is gone and every ring empty.
pub(crate) struct RecorderThread {
    join: Option<JoinHandle<()>>,
}

impl RecorderThread {
    /// Starts it, with a sender for each media thread.
    pub(crate) fn start(
        sink: Box<dyn AudioSink>,
        senders: usize,
    ) -> io::Result<(Self, Vec<FrameSender>)> {
        let rings = (0..senders).map(|_| RingBuffer::new(FRAMES_MAX));
        let (senders, receivers): (Vec<_>, Vec<_>) =
            rings.map(|(to, from)| (FrameSender(to), from)).unzip();
        let join = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || run(sink, receivers))?;
        Ok((Self { join: Some(join) }, senders))
    }
}

impl Drop for RecorderThread {
    fn drop(&mut self) {
        if let Some(join) = self.join.take() {
            let _panicked_or_done = join.join();
        }
    }
}

fn run(mut sink: Box<dyn AudioSink>, mut receivers: Vec<rtrb::Consumer<Frame>>) {
    while !receivers.is_empty() {
        receivers.retain_mut(|receiver| {
            // Looked at before the ring is: a sender that goes in between has left its frames behind.
            let is_gone = receiver.is_abandoned();
            while let Ok(frame) = receiver.pop() {
                take(sink.as_mut(), &frame);
            }
            !is_gone
        });
        sink.caught_up();
        std::thread::sleep(LOOK_INTERVAL);
    }
}

fn take(sink: &mut dyn AudioSink, frame: &Frame) {
    match &frame.content {
        Content::Audio {
            from,
            position,
            len,
            samples,
        } => {
            sink.frames(
                &frame.call,
                *from,
                *position,
                samples.get(..*len).unwrap_or_default(),
            );
        }
        Content::Mask { position, holds } => sink.masked(&frame.call, *position, *holds),
        Content::End => sink.ended(&frame.call),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Heard {
        samples: Vec<i16>,
        positions: Vec<u64>,
        masked: Vec<(u64, bool)>,
        ended: usize,
        caught_up: usize,
    }

    const AGENT: Speaker = Speaker {
        is_consumer: false,
        law: Law::A,
    };

    struct Sink(Arc<Mutex<Heard>>);

    impl AudioSink for Sink {
        fn frames(&mut self, _: &CallId, from: Speaker, position: u64, samples: &[i16]) {
            assert_eq!(from, AGENT);
            let mut heard = self.0.lock().unwrap();
            heard.positions.push(position);
            heard.samples.extend_from_slice(samples);
        }

        fn masked(&mut self, _: &CallId, position: u64, holds: bool) {
            self.0.lock().unwrap().masked.push((position, holds));
        }

        fn ended(&mut self, _: &CallId) {
            self.0.lock().unwrap().ended += 1;
        }

        fn caught_up(&mut self) {
            let mut heard = self.0.lock().unwrap();
            heard.caught_up = heard.samples.len();
        }
    }

    #[test]
    fn long_stretches_arrive_whole_and_in_order() {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (recorder, mut senders) =
            RecorderThread::start(Box::new(Sink(Arc::clone(&heard))), 1).unwrap();
        let call = Arc::new(CallId::from_random(1));
        let samples: Vec<i16> = (0..600).collect();
        assert_eq!(senders[0].send(&call, AGENT, 100, &samples), 0);
        assert_eq!(senders[0].mask(&call, 340, true), 0);
        assert_eq!(senders[0].end(&call), 0);
        senders.clear();
        drop(recorder);
        let heard = heard.lock().unwrap();
        assert_eq!(heard.samples, samples);
        assert_eq!(heard.masked, [(340, true)]);
        assert_eq!(heard.caught_up, 600);
        assert_eq!(
            (heard.positions.as_slice(), heard.ended),
            ([100, 340, 580].as_slice(), 1)
        );
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let (to, _from) = RingBuffer::new(1);
        let mut sender = FrameSender(to);
        let call = Arc::new(CallId::from_random(1));
        assert_eq!(sender.send(&call, AGENT, 0, &[0; 600]), 2);
    }
}
