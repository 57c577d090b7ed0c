//! Screens of running calls in memory: the real rules, and chunks in a list instead of a file.

use std::sync::Mutex;

use domain::access::Actor;
use domain::boundary::{ScreenDesk, Task};
use domain::id::{CallId, UserId};
use domain::screen::{
    ChunkClaim, PauseAcknowledgement, ScreenRefusal, ScreenSurface, ScreenTake, ScreenView,
    SharingEnd,
};
use domain::service::{ScreenRecording, ScreenSurfaces, ScreenWhen};

use super::rooms::task;

/// The only call whose screen is recorded.
pub(crate) const CALL: &str = "call-1";

/// The screen of one call.
#[derive(Debug)]
pub(crate) struct Screens {
    agent: Mutex<Option<UserId>>,
    take: Mutex<ScreenTake>,
    /// What was kept.
    pub(crate) chunks: Mutex<Vec<(ChunkClaim, Vec<u8>)>>,
    now_ms: Mutex<u64>,
}

impl Screens {
    pub(crate) fn new() -> Self {
        Self {
            agent: Mutex::default(),
            take: Mutex::new(ScreenTake::new(ScreenRecording {
                when: ScreenWhen::Always,
                surfaces: ScreenSurfaces::EntireScreen,
                required: true,
                keep_days: 1,
            })),
            chunks: Mutex::default(),
            now_ms: Mutex::default(),
        }
    }

    /// From now on it is the screen of this agent's call.
    pub(crate) fn is_of(&self, agent: &UserId) {
        *self.agent.lock().unwrap() = Some(agent.clone());
    }

    /// So long since the recording began.
    pub(crate) fn at(&self, ms: u64) {
        *self.now_ms.lock().unwrap() = ms;
    }

    /// A page that shares is to pause.
    pub(crate) fn pause_at(&self, ms: u64) {
        self.at(ms);
        let mut take = self.take.lock().unwrap();
        take.share();
        take.pause().unwrap();
    }

    pub(crate) fn pause(&self) {
        self.take.lock().unwrap().pause().unwrap();
    }

    pub(crate) fn resume_at(&self, ms: u64) {
        self.at(ms);
        self.take.lock().unwrap().resume(ms);
    }

    fn act<T>(
        &self,
        actor: &Actor,
        call: &CallId,
        act: impl FnOnce(&mut ScreenTake, u64) -> Result<T, ScreenRefusal>,
    ) -> Result<(T, ScreenView), ScreenRefusal> {
        let is_agents = self.agent.lock().unwrap().as_ref() == Some(&actor.user);
        if !is_agents || call.as_str() != CALL {
            return Err(ScreenRefusal::PeerUnknown);
        }
        let now = *self.now_ms.lock().unwrap();
        let mut take = self.take.lock().unwrap();
        let done = act(&mut take, now)?;
        Ok((done, take.view(call.clone(), 0, now)))
    }
}

impl ScreenDesk for Screens {
    fn screen<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>> {
        let seen = self.act(actor, call, |_, _| Ok(()));
        task(seen.map(|(_, view)| view))
    }

    fn share<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        surface: ScreenSurface,
        media_type: &'a str,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>> {
        let shared = self.act(actor, call, |take, _| {
            if !domain::screen::is_video(media_type) {
                return Err(ScreenRefusal::PeerMediaType);
            }
            take.judge_surface(surface)?;
            take.share();
            Ok(())
        });
        task(shared.map(|(_, view)| view))
    }

    fn chunk<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        claim: ChunkClaim,
        bytes: Vec<u8>,
    ) -> Task<'a, Result<(), ScreenRefusal>> {
        let kept = self.act(actor, call, |take, now| {
            let length = u64::try_from(bytes.len()).unwrap();
            if bytes.is_empty() {
                return Err(ScreenRefusal::PeerSize);
            }
            take.judge(claim, length, now)?;
            take.take(claim, length);
            Ok(())
        });
        if kept.is_ok() {
            self.chunks.lock().unwrap().push((claim, bytes));
        }
        task(kept.map(|((), _)| ()))
    }

    fn acknowledge<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        said: PauseAcknowledgement,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>> {
        let heard = self.act(actor, call, |take, now| take.acknowledge(said, now));
        task(heard.map(|(_, view)| view))
    }

    fn end_share<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        why: SharingEnd,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>> {
        let ended = self.act(actor, call, |take, _| Ok(take.end_share(why)));
        task(ended.map(|(_, view)| view))
    }
}
