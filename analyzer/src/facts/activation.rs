//! Activation of Windows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapdiag_bundle::records;

use super::document;
use super::fact::Fact;
use super::sources::Sources;

/// The application id of Windows among licensed products (`SoftwareLicensingProduct`).
const WINDOWS: &str = "55c92734-d682-4d71-983e-d6ec3f16059f";
/// Where SOFTWARE keeps the settings of the licensing service.
const PLATFORM: &str = "Microsoft\\Windows NT\\CurrentVersion\\SoftwareProtectionPlatform";

/// Activation of Windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Activation {
    /// The licence of Windows itself; absent where no product of it has a key.
    pub windows: Fact<License>,
    /// The host that renews a volume licence: in use, else configured.
    pub kms_host: Fact<String>,
}

/// A licence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct License {
    /// `LicenseStatus`: 0 unlicensed, 1 licensed, 2 and 3 grace, 4 non-genuine grace,
    /// 5 notification, 6 extended grace.
    pub status: u32,
    /// `LicenseStatusReason`, an HRESULT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<u32>,
    /// The product's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Activation {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let record: Fact<Value> = sources.record("system.activation");
        let activation: Fact<records::Activation> = document::typed(&record);
        Self {
            windows: windows(&record, &activation),
            kms_host: kms_host(sources, &record, &activation),
        }
    }

    /// What a check notes of it; nothing where it is not known.
    pub fn note(&self) -> Option<String> {
        let license = self.windows.value()?;
        let words = match license.status {
            0 => "is not activated",
            1 => return Some("Windows is activated".to_owned()),
            2..=4 | 6 => "is in its grace period, not activated",
            5 => "is not activated and shows notifications",
            _ => "has a licence status that is not known",
        };
        let reason = match license.reason {
            Some(reason) if reason != 0 => format!(" (0x{reason:08X})"),
            _ => String::new(),
        };
        Some(format!("Windows {words}{reason}"))
    }
}

fn windows(record: &Fact<Value>, activation: &Fact<records::Activation>) -> Fact<License> {
    if let Some(missing) = activation.carry() {
        return missing;
    }
    let products = activation.value().map(|a| a.products.iter().enumerate());
    let found = products
        .into_iter()
        .flatten()
        .filter(|(_, product)| product.application_id.eq_ignore_ascii_case(WINDOWS))
        // Several keys may be installed: the one that is in force is licensed.
        .min_by_key(|(index, product)| (product.license_status != 1, *index));
    let Some((index, product)) = found else {
        return Fact::absent(record.evidence.clone());
    };
    let license = License {
        status: product.license_status,
        reason: product.status_reason,
        name: product.name.clone(),
    };
    let pointer = format!("/products/{index}/license_status");
    let evidence = record.evidence.first();
    let evidence = evidence.map(|place| document::at(place, pointer, product.license_status));
    Fact::known(license, evidence)
}

fn kms_host(
    sources: &Sources,
    record: &Fact<Value>,
    activation: &Fact<records::Activation>,
) -> Fact<String> {
    let in_use = activation.value().and_then(|a| a.kms_host.clone());
    if let (Some(host), Some(place)) = (in_use, record.evidence.first()) {
        let evidence = document::at(place, "/kms_host".to_owned(), host.as_str());
        return Fact::known(host, [evidence]);
    }
    sources
        .software()
        .below(PLATFORM)
        .text("", "KeyManagementServiceName")
        .map(|text| text.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &Value) -> Fact<License> {
        let record = Fact::known(json.clone(), []);
        windows(&record, &document::typed(&record))
    }

    fn product(id: &str, status: u32) -> Value {
        serde_json::json!({"application_id": id, "license_status": status, "status_reason": 0xC004_F074_u32})
    }

    #[test]
    fn the_licensed_product_of_windows_counts() {
        let office = "0ff1ce15-a989-479d-af46-f275c6370663";
        let of = |products: Vec<Value>| {
            let json = serde_json::json!({ "products": products });
            read(&json).value().map(|license| license.status)
        };
        let windows = WINDOWS.to_uppercase();
        assert_eq!(
            of(vec![
                product(office, 1),
                product(&windows, 5),
                product(WINDOWS, 1)
            ]),
            Some(1)
        );
        assert_eq!(of(vec![product(office, 1), product(WINDOWS, 5)]), Some(5));
        assert_eq!(of(vec![product(office, 1)]), None);
    }

    #[test]
    fn the_note_says_what_is_known() {
        let note = |status, reason| {
            let license = License {
                status,
                reason,
                name: None,
            };
            let activation = Activation {
                windows: Fact::known(license, []),
                kms_host: Fact::absent([]),
            };
            activation.note().unwrap()
        };
        assert_eq!(note(1, Some(0)), "Windows is activated");
        assert_eq!(
            note(5, Some(0xC004_F074)),
            "Windows is not activated and shows notifications (0xC004F074)"
        );
        assert_eq!(note(0, None), "Windows is not activated");
        let unknown = Activation {
            windows: Fact::not_collected("x"),
            kms_host: Fact::absent([]),
        };
        assert_eq!(unknown.note(), None);
    }
}
