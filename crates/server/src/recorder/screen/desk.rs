//! What pages ask of screens.
//! Owns: who may, what stands in the trail before anything is shared, the count of refusals.
//! Never: answers for a call of another agent otherwise than for one that there is not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::access::Actor;
use domain::boundary::{ScreenDesk, Task};
use domain::id::CallId;
use domain::screen::{
    ChunkClaim, PauseAcknowledgement, ScreenRefusal, ScreenSurface, ScreenView, SharingEnd,
    is_video,
};
use domain::service::SinkMedium;
use recording::{ScreenHeader, ScreenWriter};

use super::work::{Kept, Work};
use super::{Screen, Screens};
use crate::recorder::rows::New;
use crate::recorder::told;

impl Screens {
    fn counted<T>(&self, answer: Result<T, ScreenRefusal>) -> Result<T, ScreenRefusal> {
        let counters = &self.rows.counters;
        if let Err(why) = &answer {
            counters.screens_refused.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(%why, "something of a shared screen is not taken");
        }
        answer
    }
}

impl Screen {
    /// The trail first, then the file if there is none, then what the page sends.
    async fn share(
        &self,
        by: &Actor,
        surface: ScreenSurface,
        media_type: String,
    ) -> Result<(), ScreenRefusal> {
        let mut work = self.work.lock().await;
        work.rules()?.judge_surface(surface)?;
        let failed = |error: &dyn std::error::Error| {
            tracing::error!(call = %self.call, error = told(error), "alarm: a screen that is to be recorded is not");
            ScreenRefusal::Unavailable
        };
        let noted = self.rows.note_sharing(by, &self.call, true, surface.name());
        noted.await.map_err(|error| failed(&error))?;
        let kept = match work.has_file() {
            true => None,
            false => Some(self.begin().await?),
        };
        work.share(kept, media_type);
        Ok(())
    }

    /// Row and file, in this order: no file is without a row.
    async fn begin(&self) -> Result<Kept, ScreenRefusal> {
        let failed = |error: &dyn std::error::Error| {
            tracing::error!(call = %self.call, error = told(error), "alarm: a screen that is to be recorded is not");
            ScreenRefusal::Unavailable
        };
        let new = New {
            medium: SinkMedium::Screen,
            call: self.call.clone(),
            service: self.service.clone(),
            agent: Some(self.agent.clone()),
            keep_days: self.rule.keep_days,
        };
        let ring = self.rows.ring().map_err(|error| failed(&error))?;
        let key = ring.active().map_err(|error| failed(&error))?.id();
        let begun = self.rows.begin(&new, key).await;
        let row = begun.map_err(|error| failed(&error))?;
        let (folder, id) = (self.rows.folder.clone(), row.id.clone());
        let header = ScreenHeader {
            is_redacted: false,
            id: row.id.clone(),
            began: row.began,
        };
        let made = tokio::task::spawn_blocking(move || ScreenWriter::begin(&folder, header, &ring));
        let why = match made.await {
            Ok(Ok(writer)) => return Ok(Kept::new(id, writer)),
            Ok(Err(error)) => failed(&error),
            Err(error) => failed(&error),
        };
        if let Err(error) = self.rows.end(&id).await {
            tracing::error!(recording = %id, %error, "the row of a recording is closed at the next start");
        }
        Err(why)
    }
}

impl ScreenDesk for Screens {
    fn screen<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>> {
        Box::pin(async move { Ok(self.of(actor, call)?.view().await) })
    }

    fn share<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        surface: ScreenSurface,
        media_type: &'a str,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>> {
        Box::pin(async move {
            let screen = self.counted(self.of(actor, call))?;
            if !is_video(media_type) {
                return self.counted(Err(ScreenRefusal::PeerMediaType));
            }
            let (sharing, by) = (screen.clone(), actor.clone());
            let media_type = media_type.to_owned();
            // To its end, also if the browser goes away meanwhile.
            let sharing = tokio::spawn(async move {
                let shared = sharing.share(&by, surface, media_type).await;
                sharing.publish().await;
                shared
            });
            let shared = sharing.await.unwrap_or(Err(ScreenRefusal::Unavailable));
            self.counted(shared)?;
            Ok(screen.view().await)
        })
    }

    fn chunk<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        claim: ChunkClaim,
        bytes: Vec<u8>,
    ) -> Task<'a, Result<(), ScreenRefusal>> {
        Box::pin(async move {
            let screen = self.counted(self.of(actor, call))?;
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let kept = screen.on_disk(move |work| work.keep(claim, &bytes));
            let kept = kept.await.and_then(|kept| kept);
            self.counted(kept)?;
            let counters = &self.rows.counters;
            counters.screen_bytes.fetch_add(length, Ordering::Relaxed);
            Ok(())
        })
    }

    fn acknowledge<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        said: PauseAcknowledgement,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>> {
        Box::pin(async move {
            let screen = self.counted(self.of(actor, call))?;
            let heard = screen.on_disk(move |work: &mut Work| work.acknowledge(said));
            let heard = heard.await.and_then(|heard| heard);
            self.counted(heard)?;
            screen.publish().await;
            Ok(screen.view().await)
        })
    }

    fn end_share<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        why: SharingEnd,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>> {
        Box::pin(async move {
            let screen = self.counted(self.of(actor, call))?;
            let (ending, by) = (Arc::clone(&screen), actor.clone());
            let ending = tokio::spawn(async move { ending.end_share(&by, why).await });
            let ended = ending.await.unwrap_or(Err(ScreenRefusal::Unavailable));
            let _was_shared = self.counted(ended)?;
            Ok(screen.view().await)
        })
    }
}
