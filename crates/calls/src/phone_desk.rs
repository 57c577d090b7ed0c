//! What agents' pages do as phones.
//! Owns: who may, and what their pages are told of it.
//! Never: reads a description.

use std::net::SocketAddr;

use domain::access::Actor;
use domain::boundary::{
    Audience, LiveEvent, PhoneAsk, PhoneDesk, PhoneRefused, PhoneSaid, Task, Telephony,
};
use domain::id::{CallId, UserId};

use crate::desk::{Calls, Inner};
use crate::phones::{Taken, tell_taken};

/// Whether an agent can be called has changed, as it does when a phone registers.
fn publish_registration(inner: &Inner, agent: &UserId, registered: bool) {
    inner.deps.bus.publish(LiveEvent {
        audience: Audience::User(agent.clone()),
        topic: "registration",
        body: serde_json::json!({ "registered": registered }),
    });
}

impl Calls {
    fn line(&self) -> Result<&dyn Telephony, PhoneRefused> {
        let line = self.inner().telephony().ok_or(PhoneRefused::Unavailable)?;
        Ok(line.as_ref())
    }
}

impl PhoneDesk for Calls {
    fn phone_on(&self, actor: &Actor, tab: &str, take_over: bool) -> Result<(), PhoneRefused> {
        let inner = self.inner();
        self.phone_address().ok_or(PhoneRefused::Unavailable)?;
        let taken = inner
            .phones
            .take(&actor.user, tab, take_over, crate::now())?;
        match taken {
            Taken::Kept => {}
            Taken::New => publish_registration(inner, &actor.user, true),
            Taken::FromAnother => tell_taken(inner, &actor.user, tab),
        }
        Ok(())
    }

    fn phone_off(&self, actor: &Actor, tab: &str) {
        let inner = self.inner();
        if inner.phones.give_up(&actor.user, tab) {
            publish_registration(inner, &actor.user, false);
        }
    }

    fn phone<'a>(
        &'a self,
        actor: &'a Actor,
        tab: &'a str,
        call: &'a CallId,
        ask: PhoneAsk,
    ) -> Task<'a, Result<PhoneSaid, PhoneRefused>> {
        Box::pin(async move {
            let phones = &self.inner().phones;
            phones.check(&actor.user, tab, crate::now())?;
            self.line()?.ask(call, &actor.user, ask).await
        })
    }

    fn phone_test<'a>(
        &'a self,
        actor: &'a Actor,
        tab: &'a str,
    ) -> Task<'a, Result<CallId, PhoneRefused>> {
        Box::pin(async move {
            let phones = &self.inner().phones;
            phones.check(&actor.user, tab, crate::now())?;
            let call = self.line()?.test_browser(&actor.user).await?;
            phones.test_begins(call.clone(), actor.user.clone());
            Ok(call)
        })
    }

    fn phone_address(&self) -> Option<SocketAddr> {
        self.line().ok()?.browser_address()
    }
}
