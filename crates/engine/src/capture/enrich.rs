//! What can be told of a visitor from the request alone: the place and network of the address, the device.
//!
//! Done in the request, and kept with the submission in the spool: by the time of a replay the files may say something
//! else. Only a browser's request tells of a visitor; the address and the user agent of a program are a server's.

use std::net::IpAddr;

use leadline_domain::context::Context;

use super::Request;
use crate::geo::Geo;

/// Finds out what the request tells.
pub(super) fn enrich(geo: &Geo, request: &mut Request) {
    if !request.is_browser {
        request.context = Context::default();
        return;
    }
    if let Some(user_agent) = &request.user_agent {
        request.context.read_user_agent(user_agent);
    }
    if let Some(ip) = request.ip.as_deref().and_then(|ip| ip.parse::<IpAddr>().ok()) {
        let (location, network) = geo.look_up(ip);
        request.context.complete(location, network);
    }
}
