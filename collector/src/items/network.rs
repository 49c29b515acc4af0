//! `network.adapters`, `network.routes`, `network.neighbours`.

mod bindings;

use std::time::Duration;

use snapdiag_bundle::State;
use snapdiag_bundle::records::{Adapter, Adapters, Neighbours, Routes};

use self::bindings::Bindings;
use super::parts::Parts;
use super::{Collector, Job, Outcome, Phase};
use crate::system::network::Interface;

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[
    Collector {
        item: "network.adapters",
        phase: Phase::Quick,
        limit: Duration::from_secs(15),
        collect: adapters,
    },
    Collector {
        item: "network.routes",
        phase: Phase::Quick,
        limit: Duration::from_secs(10),
        collect: routes,
    },
    Collector {
        item: "network.neighbours",
        phase: Phase::Quick,
        limit: Duration::from_secs(10),
        collect: neighbours,
    },
];

fn adapters(job: &mut Job) -> Outcome {
    const METHOD: &str = "GetAdaptersAddresses";
    let mut parts = Parts::default();
    let Some(mut adapters) = parts.take(job.system.network().adapters()) else {
        return parts.failed(METHOD);
    };
    let interfaces = parts.take(job.system.network().interfaces());
    let bindings = parts.take(Bindings::read(job.system.registry()));
    adapters.retain_mut(|adapter| {
        let row = interfaces
            .iter()
            .flatten()
            .find(|row| Some(row.luid) == adapter.luid);
        if let Some(row) = row {
            join(adapter, row);
        }
        if let Some(bindings) = &bindings {
            bindings.describe(adapter);
        }
        // A filter driver shows up once more above each adapter, with the adapter's own MAC
        // address and state, and has no address of its own.
        row.is_none_or(|row| !row.filter)
    });
    let record = Adapters { adapters };
    parts.finish(job, "network/adapters.json", &record, METHOD)
}

fn join(adapter: &mut Adapter, row: &Interface) {
    adapter.admin_status = Some(row.admin_status);
    adapter.media_state = Some(row.media_state);
    adapter.hardware = Some(row.hardware);
    adapter.connector_present = Some(row.connector_present);
    adapter.permanent_mac.clone_from(&row.permanent_mac);
}

fn routes(job: &mut Job) -> Outcome {
    const METHOD: &str = "GetIpForwardTable2";
    match job.system.network().routes() {
        Err(error) => Outcome::failed(error).by(METHOD),
        Ok(routes) => match job.sink.json("network/routes.json", &Routes { routes }) {
            Ok(()) => Outcome::ok(METHOD),
            Err(_) => Outcome::stopped().by(METHOD),
        },
    }
}

fn neighbours(job: &mut Job) -> Outcome {
    const METHOD: &str = "GetIpNetTable2";
    let neighbours = match job.system.network().neighbours() {
        Ok(neighbours) => neighbours,
        Err(error) => return Outcome::failed(error).by(METHOD),
    };
    let state = if neighbours.is_empty() {
        State::Empty
    } else {
        State::Ok
    };
    let record = Neighbours { neighbours };
    match job.sink.json("network/neighbours.json", &record) {
        Ok(()) => Outcome::new(state).by(METHOD),
        Err(_) => Outcome::stopped().by(METHOD),
    }
}

#[cfg(test)]
mod tests;
