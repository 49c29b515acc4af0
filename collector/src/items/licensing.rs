//! `system.rds-licensing` and `system.activation`.
//!
//! Both ask a service of Windows that would be started by the question. The collector starts none:
//! where it does not run already, the item is skipped.

use std::sync::Arc;
use std::time::Duration;

use snapdiag_bundle::State;
use snapdiag_bundle::records::{Activation, ActivationProduct, RdsLicensing};

use super::parts::Parts;
use super::{Collector, Job, Outcome, Phase};
use crate::system::licensing::LicensedProduct;
use crate::system::services::RUNNING;

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[
    Collector {
        item: "system.rds-licensing",
        phase: Phase::Quick,
        // WMI hangs on sick machines.
        limit: Duration::from_secs(15),
        collect: rds_licensing,
    },
    Collector {
        item: "system.activation",
        phase: Phase::Quick,
        limit: Duration::from_secs(15),
        collect: activation,
    },
];

/// The service of WMI.
pub(super) const WMI: &str = "Winmgmt";
/// The licensing service.
const LICENSING: &str = "sppsvc";
/// The application id of Windows.
const WINDOWS: &str = "55c92734-d682-4d71-983e-d6ec3f16059f";

/// The end of an item whose service does not run.
fn unless_running(job: &Job, service: &str, method: &'static str) -> Option<Outcome> {
    match job.system.services().state(service) {
        Ok(RUNNING) => None,
        Ok(_) => {
            let reason = format!("the service {service} is not running, and asking would start it");
            Some(Outcome::new(State::Skipped).by(method).because(reason))
        }
        Err(error) => Some(Outcome::failed(error).by(method)),
    }
}

fn rds_licensing(job: &mut Job) -> Outcome {
    const METHOD: &str = "Win32_TerminalServiceSetting";
    /// `TerminalServerMode` of a machine without the session host role, which has no grace period
    /// and answers questions for it with errors.
    const TWO_ADMINISTRATORS: u32 = 0;
    /// `PolicySourceLicensingType`.
    const GROUP_POLICY: u32 = 1;
    if let Some(end) = unless_running(job, WMI, METHOD) {
        return end;
    }
    let system = Arc::clone(&job.system);
    let setting = match system.licensing().terminal_service_setting() {
        Ok(setting) => setting,
        Err(error) => return Outcome::failed(error).by(METHOD),
    };
    let mut parts = Parts::default();
    let mode = parts.take(setting.terminal_server_mode);
    let has_no_role = mode == Some(TWO_ADMINISTRATORS);
    let record = RdsLicensing {
        terminal_server_mode: mode,
        licensing_type: parts.take(setting.licensing_type),
        grace_days: if has_no_role {
            setting.grace_days.ok()
        } else {
            parts.take(setting.grace_days)
        },
        license_servers: if has_no_role {
            setting.license_servers.ok()
        } else {
            parts.take(setting.license_servers)
        },
        licensing_type_from_policy: parts
            .take(setting.licensing_type_source)
            .map(|source| source == GROUP_POLICY),
    };
    parts.finish(job, "system/rds-licensing.json", &record, METHOD)
}

fn activation(job: &mut Job) -> Outcome {
    const METHOD: &str = "SLGetLicensingStatusInformation";
    if let Some(end) = unless_running(job, LICENSING, METHOD) {
        return end;
    }
    let system = Arc::clone(&job.system);
    let products = match system.licensing().licensed_products() {
        Ok(products) => products,
        Err(error) => return Outcome::failed(error).by(METHOD),
    };
    if products.is_empty() {
        return Outcome::new(State::Empty).by(METHOD);
    }
    let record = Activation {
        products: products.into_iter().map(product).collect(),
        // The host configured stands in SOFTWARE; the one found by DNS only WMI tells.
        kms_host: None,
        kms_port: None,
    };
    match job.sink.json("system/activation.json", &record) {
        Ok(()) => Outcome::ok(METHOD),
        Err(_) => Outcome::stopped().by(METHOD),
    }
}

fn product(product: LicensedProduct) -> ActivationProduct {
    ActivationProduct {
        application_id: WINDOWS.to_owned(),
        name: product.name,
        description: product.description,
        license_status: license_status(product.status, product.reason),
        status_reason: Some(product.reason),
        grace_minutes: Some(product.grace_minutes),
    }
}

/// WMI's `LicenseStatus`, which tells the grace periods apart by their reasons (slerror.h).
fn license_status(status: u32, reason: u32) -> u32 {
    const OUT_OF_TOLERANCE: u32 = 0x4004_F00D;
    const NON_GENUINE: [u32; 2] = [0x4004_F065, 0x4004_F068];
    const EXTENDED: u32 = 0x4004_FC06;
    match (status, reason) {
        (2, OUT_OF_TOLERANCE) => 3,
        (2, reason) if NON_GENUINE.contains(&reason) => 4,
        (2, EXTENDED) => 6,
        (3, _) => 5,
        (status, _) => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::testing::run;
    use crate::system::licensing::TerminalServiceSetting;
    use crate::system::{Licensing, Services, SysResult, System, os_error};

    struct Machine {
        state: SysResult<u32>,
        mode: u32,
        products: SysResult<Vec<(u32, u32)>>,
    }

    impl Default for Machine {
        fn default() -> Self {
            Self {
                state: Ok(RUNNING),
                mode: 1,
                products: Ok(vec![(1, 0)]),
            }
        }
    }

    impl System for Machine {
        fn licensing(&self) -> &dyn Licensing {
            self
        }
        fn services(&self) -> &dyn Services {
            self
        }
    }

    impl Services for Machine {
        fn state(&self, _name: &str) -> SysResult<u32> {
            self.state.clone()
        }
    }

    impl Licensing for Machine {
        fn terminal_service_setting(&self) -> SysResult<TerminalServiceSetting> {
            assert_eq!(self.state, Ok(RUNNING), "asking starts the service");
            Ok(TerminalServiceSetting {
                terminal_server_mode: Ok(self.mode),
                licensing_type: Ok(4),
                licensing_type_source: Ok(1),
                grace_days: Err(os_error("GetGracePeriodDays", 0x8004_1001)),
                license_servers: Ok(vec!["192.0.2.9".to_owned()]),
            })
        }
        fn licensed_products(&self) -> SysResult<Vec<LicensedProduct>> {
            assert_eq!(self.state, Ok(RUNNING), "asking starts the service");
            let of = |(status, reason): &(u32, u32)| LicensedProduct {
                name: Some("Windows(R)".to_owned()),
                description: None,
                status: *status,
                reason: *reason,
                grace_minutes: 60,
            };
            Ok(self.products.clone()?.iter().map(of).collect())
        }
    }

    #[test]
    fn a_stopped_service_stays_stopped() {
        for collect in [rds_licensing, activation] {
            let stopped = Machine {
                state: Ok(1),
                ..Machine::default()
            };
            let ran = run(stopped, collect);
            assert_eq!(ran.outcome.state, State::Skipped);
            assert!(ran.outcome.reason.unwrap().contains("would start it"));
            let missing = Machine {
                state: Err(os_error("OpenServiceW", 1060)),
                ..Machine::default()
            };
            let ran = run(missing, collect);
            assert_eq!(ran.outcome.state, State::Absent);
            assert!(ran.artifacts.is_empty());
        }
    }

    #[test]
    fn a_session_host_must_tell_its_grace_period() {
        let ran = run(Machine::default(), rds_licensing);
        assert_eq!(ran.outcome.state, State::Truncated);
        assert_eq!(
            ran.outcome.error.as_ref().unwrap().call,
            "GetGracePeriodDays"
        );
        let record: RdsLicensing = ran.record("system/rds-licensing.json");
        assert_eq!(
            (record.terminal_server_mode, record.licensing_type),
            (Some(1), Some(4))
        );
        assert_eq!(record.licensing_type_from_policy, Some(true));
        assert_eq!(
            (record.grace_days, record.license_servers.unwrap().len()),
            (None, 1)
        );
        let plain = Machine {
            mode: 0,
            ..Machine::default()
        };
        let ran = run(plain, rds_licensing);
        assert_eq!(ran.outcome, Outcome::ok("Win32_TerminalServiceSetting"));
    }

    #[test]
    fn products_speak_as_wmi_does() {
        let machine = Machine {
            products: Ok(vec![
                (1, 0),
                (3, 0xC004_F074),
                (2, 0x4004_F00C),
                (2, 0x4004_F00D),
                (2, 0x4004_F065),
                (2, 0x4004_FC06),
                (0, 0xC004_F014),
            ]),
            ..Machine::default()
        };
        let ran = run(machine, activation);
        assert_eq!(ran.outcome.state, State::Ok);
        let record: Activation = ran.record("system/activation.json");
        let statuses: Vec<u32> = record
            .products
            .iter()
            .map(|one| one.license_status)
            .collect();
        assert_eq!(statuses, [1, 5, 2, 3, 4, 6, 0]);
        assert_eq!(record.products[1].status_reason, Some(0xC004_F074));
        assert_eq!(record.products[0].application_id, WINDOWS);
    }

    #[test]
    fn no_product_with_a_key_is_an_answer() {
        let none = Machine {
            products: Ok(Vec::new()),
            ..Machine::default()
        };
        assert_eq!(run(none, activation).outcome.state, State::Empty);
        let denied = Machine {
            products: Err(os_error("SLOpen", 0x8007_0005)),
            ..Machine::default()
        };
        assert_eq!(run(denied, activation).outcome.state, State::Denied);
    }
}
