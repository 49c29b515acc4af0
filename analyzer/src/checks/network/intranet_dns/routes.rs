//! Routes to the clouds' services within 169.254.0.0/16.

use std::net::{IpAddr, Ipv4Addr};

use super::clouds::Table;
use super::remedies;
use crate::checks::check::Judge;
use crate::checks::network::gateway::links;
use crate::checks::verdict::{Confidence, Verdict};
use crate::checks::words;
use crate::facts::Snapshot;
use crate::facts::machine::Cloud;

const LINK_LOCAL: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 0);

/// A persistent route to the services of Tencent Cloud leads to another gateway than the present.
pub(super) fn stale(judge: &mut Judge, snapshot: &Snapshot, table: Option<&Table>) {
    if table.is_none_or(|table| table.cloud != Cloud::Tencent) {
        return;
    }
    let (_, found) = links::of(&snapshot.network);
    let up = found.iter().filter(|link| link.up);
    let gateways: Vec<Ipv4Addr> = up.flat_map(|link| link.gateways.iter().copied()).collect();
    let routes = snapshot.network.persistent_routes.value();
    let mut to_services = routes
        .into_iter()
        .flatten()
        .filter(|route| route.destination == LINK_LOCAL && route.prefix_length >= 16);
    let stale = to_services.find(|route| !gateways.contains(&route.gateway));
    let compared = format!(
        "a persistent route to 169.254.0.0 leaves by none of the gateways: {}",
        words::list(&gateways)
    );
    let holds = (routes.is_some() && !gateways.is_empty()).then_some(stale.is_some());
    let problem = judge.rule(Verdict::Warning, "stale-route", compared, holds);
    if let (Some(problem), Some(route)) = (problem, stale) {
        problem.headline(format!(
            "the persistent route to Tencent Cloud's services leads to {}, which is not the present gateway",
            route.gateway
        ));
        problem.exhibits("the route", std::slice::from_ref(&route.evidence));
        problem.remedy(remedies::replace_route(
            Some(route),
            gateways.first().copied(),
        ));
    }
}

/// A card with an address of its own making takes all of 169.254.0.0/16 for its link, and no
/// longer prefix leads to the cloud's services.
pub(super) fn hidden(judge: &mut Judge, snapshot: &Snapshot, table: Option<&Table>) {
    let Some((table, service)) = table.and_then(|table| Some((table, table.link_local?))) else {
        return;
    };
    let Ok(service) = service.parse::<Ipv4Addr>() else {
        return;
    };
    let routes = snapshot.network.routes.value();
    let best = routes
        .into_iter()
        .flatten()
        .filter(|route| match route.row.destination {
            IpAddr::V4(to) => links::covers(to, u32::from(route.row.prefix_length), service),
            IpAddr::V6(_) => false,
        })
        .max_by_key(|route| route.row.prefix_length);
    let hides =
        best.filter(|route| route.row.prefix_length == 16 && route.row.next_hop.is_unspecified());
    let compared = format!("{service} is taken for a neighbour by an on-link route 169.254.0.0/16");
    let problem = judge.rule(
        Verdict::Warning,
        "services-hidden",
        compared,
        routes.map(|_| hides.is_some()),
    );
    if let (Some(problem), Some(route)) = (problem, hides) {
        problem.headline(format!(
            "the services of {} at {service} are hidden by a card with an address of its own making",
            table.cloud.name()
        ));
        problem.exhibits(
            "the on-link route 169.254.0.0/16",
            std::slice::from_ref(&route.evidence),
        );
        problem.confidence(Confidence::Medium);
        problem.remedy(remedies::mend_hidden());
    }
}
