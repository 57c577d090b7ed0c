//! A dialog's own state: names, numbers, route and target (RFC 3261 §12).
//! Owns: how a request inside a dialog is written.
//! Never: repeats anything or knows what is being talked about.

use crate::message::{
    Body, Essentials, HeaderMap, HeaderName, Method, NameAddr, Request, Response, SipUri, Uri,
};
use crate::stack::Flow;

/// One dialog, or one that is to become one.
#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    pub(crate) call_id: String,
    /// Our address with our tag.
    pub(crate) local: NameAddr,
    /// The far side's address; its tag is there once it is known.
    pub(crate) remote: NameAddr,
    /// Number of our last request.
    pub(crate) local_number: u32,
    /// Number of the far side's last request.
    pub(crate) remote_number: Option<u32>,
    pub(crate) route_set: Vec<NameAddr>,
    /// The far side's `Contact`.
    pub(crate) target: Uri,
    /// Where the far side's messages come from.
    pub(crate) origin: Flow,
    pub(crate) reach: Reach,
}

/// Where requests inside a dialog go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To the address that route or target name.
    Named,
    /// To where the far side's messages come from: phones stand behind NATs.
    Origin,
    /// Over the connection that its messages come by, as long as there is one; then it is `Named`.
    Connection,
}

/// Room for the fields of a usual request, and for their values: more grow.
const REQUEST_FIELDS: usize = 16;
const REQUEST_BYTES: usize = 768;

impl Dialog {
    /// The dialog that an incoming INVITE may open.
    pub(crate) fn incoming(
        request: &Request,
        essentials: &Essentials,
        local_tag: &str,
        origin: Flow,
    ) -> Self {
        Self {
            call_id: essentials.call_id.clone(),
            local: essentials.to.clone().with_tag(local_tag),
            remote: essentials.from.clone(),
            local_number: 0,
            remote_number: Some(essentials.cseq.number),
            route_set: request
                .headers
                .name_addrs(&HeaderName::RECORD_ROUTE)
                .unwrap_or_default(),
            target: contact(&request.headers).unwrap_or_else(|| essentials.from.uri.clone()),
            origin,
            reach: Reach::Named,
        }
    }

    /// The dialog that an INVITE of ours to `target` may open.
    pub(crate) fn outgoing(
        call_id: String,
        local: NameAddr,
        remote: NameAddr,
        target: Uri,
        origin: Flow,
    ) -> Self {
        Self {
            call_id,
            local,
            remote,
            local_number: 0,
            remote_number: None,
            route_set: Vec::new(),
            target,
            origin,
            reach: Reach::Named,
        }
    }

    /// The far side has answered our INVITE: its tag, its route (reversed) and its target hold from now on.
    pub(crate) fn establish(&mut self, essentials: &Essentials, response: &Response) {
        self.remote = essentials.to.clone();
        self.route_set = response
            .headers
            .name_addrs(&HeaderName::RECORD_ROUTE)
            .unwrap_or_default();
        self.route_set.reverse();
        self.refresh_target(&response.headers);
    }

    /// A re-INVITE, or its answer, may name a new target.
    pub(crate) fn refresh_target(&mut self, headers: &HeaderMap) {
        if let Some(target) = contact(headers) {
            self.target = target;
        }
    }

    /// The next request of ours, without `Via` and body.
    pub(crate) fn next_request(&mut self, method: Method) -> Request {
        self.local_number += 1;
        self.request(method, self.local_number)
    }

    /// A request of this number: an ACK bears the one of its INVITE.
    pub(crate) fn request(&self, method: Method, number: u32) -> Request {
        let (uri, routes) = self.path();
        let mut headers = HeaderMap::with_capacity(REQUEST_FIELDS, REQUEST_BYTES);
        headers.push(HeaderName::MAX_FORWARDS, "70");
        for route in routes {
            headers.push_displayed(HeaderName::ROUTE, route);
        }
        headers.push_displayed(HeaderName::FROM, &self.local);
        headers.push_displayed(HeaderName::TO, &self.remote);
        headers.push(HeaderName::CALL_ID, &self.call_id);
        headers.push_displayed(HeaderName::CSEQ, format_args!("{number} {method}"));
        Request {
            method,
            uri,
            headers,
            body: Body::default(),
        }
    }

    /// Request-URI and `Route` values; a first router without `lr` gets the request to itself
    /// ([RFC 3261 §12.2.1.1](https://www.rfc-editor.org/rfc/rfc3261#section-12.2.1.1)).
    fn path(&self) -> (Uri, Vec<NameAddr>) {
        match self.route_set.split_first() {
            Some((first, rest)) if !is_loose(&first.uri) => {
                let mut routes = rest.to_vec();
                routes.push(NameAddr::new(self.target.clone()));
                (first.uri.clone(), routes)
            }
            _ => (self.target.clone(), self.route_set.clone()),
        }
    }

    /// The next hop as the dialog names it: the first router, else the target.
    pub(crate) fn next_hop(&self) -> Option<&SipUri> {
        self.route_set
            .first()
            .map_or(&self.target, |route| &route.uri)
            .as_sip()
    }

    /// Whether a request inside a dialog comes from the far side of this one, by its names.
    pub(crate) fn is_with(&self, essentials: &Essentials) -> bool {
        self.remote.tag() == essentials.from.tag()
    }

    /// Takes the number of a request in; `false` if it is not higher than the last.
    pub(crate) fn advance(&mut self, number: u32) -> bool {
        let higher = self.remote_number.is_none_or(|last| number > last);
        if higher {
            self.remote_number = Some(number);
        }
        higher
    }
}

fn contact(headers: &HeaderMap) -> Option<Uri> {
    Some(
        headers
            .name_addrs(&HeaderName::CONTACT)
            .ok()?
            .into_iter()
            .next()?
            .uri,
    )
}

fn is_loose(uri: &Uri) -> bool {
    uri.as_sip().is_some_and(|uri| uri.params.contains("lr"))
}
