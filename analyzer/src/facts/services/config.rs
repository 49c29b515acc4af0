//! What the registry says of a service.

use std::collections::BTreeSet;

use super::runtime::Runtime;
use super::{Service, SvchostGroup, names};
use crate::facts::sources::Sources;

/// How many services are looked at: the known ones and what they depend on. A hostile hive could
/// chain thousands.
const MAX_SERVICES: usize = 96;

/// The known services, and those that `TermService` depends on directly or through others.
pub(super) fn names(sources: &Sources) -> Vec<String> {
    let control_set = sources.system().control_set();
    let mut all: Vec<String> = names::KNOWN
        .iter()
        .map(|known| known.name.to_owned())
        .collect();
    let mut seen: BTreeSet<String> = all.iter().map(|name| name.to_ascii_lowercase()).collect();
    let mut open = vec!["TermService".to_owned()];
    let mut walked = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !walked.insert(name.to_ascii_lowercase()) || walked.len() > MAX_SERVICES {
            continue;
        }
        let depends_on = control_set.texts(&key(&name), "DependOnService");
        for name in depends_on.value().into_iter().flatten() {
            if !is_service(name) || all.len() >= MAX_SERVICES {
                continue;
            }
            if seen.insert(name.to_ascii_lowercase()) {
                all.push(name.clone());
            }
            open.push(name.clone());
        }
    }
    all
}

/// Whether a name in `DependOnService` is a service's: no load order group (`+name`), no path.
fn is_service(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('+') && !name.contains('\\')
}

fn key(name: &str) -> String {
    format!("Services\\{name}")
}

/// Reads the configuration of a service.
pub(super) fn read(sources: &Sources, name: String, runtime: Runtime) -> Service {
    let control_set = sources.system().control_set();
    let key = key(&name);
    let image = control_set.text(&key, "ImagePath");
    let group = image
        .value()
        .and_then(|image| group_name(&image.text))
        .map(|group| SvchostGroup {
            members: sources
                .software()
                .root()
                .texts("Microsoft\\Windows NT\\CurrentVersion\\Svchost", &group),
            name: group,
        });
    Service {
        key: control_set.key(&key),
        start: control_set.number(&key, "Start"),
        kind: control_set.number(&key, "Type"),
        error_control: control_set.number(&key, "ErrorControl"),
        account: control_set.text(&key, "ObjectName"),
        dll: control_set.text(&format!("{key}\\Parameters"), "ServiceDll"),
        display_name: control_set.text(&key, "DisplayName"),
        depends_on: control_set.texts(&key, "DependOnService"),
        image,
        group,
        runtime,
        events: Vec::new(),
        name,
    }
}

/// The group behind `-k` in a `svchost.exe` command line.
fn group_name(image: &str) -> Option<String> {
    let mut words = image.split_whitespace();
    words
        .next()?
        .trim_matches('"')
        .to_ascii_lowercase()
        .ends_with("svchost.exe")
        .then_some(())?;
    words
        .by_ref()
        .find(|word| word.eq_ignore_ascii_case("-k"))?;
    words.next().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_stands_behind_k() {
        let of = |image: &str| group_name(image);
        assert_eq!(
            of(r"%SystemRoot%\System32\svchost.exe -k NetworkService -s TermService"),
            Some("NetworkService".to_owned())
        );
        assert_eq!(
            of(r"%SystemRoot%\System32\svchost.exe -K termsvcs"),
            Some("termsvcs".to_owned())
        );
        assert_eq!(of(r"%SystemRoot%\system32\lsass.exe -k x"), None);
        assert_eq!(of("svchost.exe -k"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn load_order_groups_are_no_services() {
        assert!(is_service("RPCSS"));
        assert!(!is_service("+TDI"));
        assert!(!is_service(r"..\Select"));
        assert!(!is_service(""));
    }
}
