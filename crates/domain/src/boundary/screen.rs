//! Where pages and the recorder of screens meet.
//! Owns: the trait by which an agent's page shares a screen, sends chunks and acknowledges pauses.
//! Never: implements it; takes anything of a call that is not the caller's.

use super::Task;
use crate::access::Actor;
use crate::id::CallId;
use crate::screen::{
    ChunkClaim, PauseAcknowledgement, ScreenRefusal, ScreenSurface, ScreenView, SharingEnd,
};

/// Screens of running calls. Whatever is asked of a call that is not the actor's, or whose screen is not recorded, is [`ScreenRefusal::PeerUnknown`].
pub trait ScreenDesk: Send + Sync {
    /// How the screen of a call stands.
    fn screen<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>>;
    /// The agent shares: the recording begins, or goes on with a new part.
    fn share<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        surface: ScreenSurface,
        media_type: &'a str,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>>;
    /// Keeps a chunk.
    fn chunk<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        claim: ChunkClaim,
        bytes: Vec<u8>,
    ) -> Task<'a, Result<(), ScreenRefusal>>;
    /// The page records nothing any more, as it was told.
    fn acknowledge<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        said: PauseAcknowledgement,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>>;
    /// The agent shares no longer.
    fn end_share<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        why: SharingEnd,
    ) -> Task<'a, Result<ScreenView, ScreenRefusal>>;
}
