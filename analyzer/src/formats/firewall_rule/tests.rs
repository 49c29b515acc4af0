use proptest::prelude::*;
use snapdiag_tests::{captures, expected};

use super::*;
use crate::formats::hive::HiveFile;
use crate::formats::registry::RegistryView;

fn rule(text: &str) -> FirewallRule {
    FirewallRule::parse(text).unwrap()
}

/// A single port.
fn port(number: u16) -> Ports {
    Ports::Range {
        low: number,
        high: number,
    }
}

#[test]
fn the_rule_of_windows_7_is_read() {
    let rule = rule(
        "v2.10|Action=Allow|Active=FALSE|Dir=In|Protocol=6|Profile=Domain|Profile=Private|\
         LPort=3389|App=System|Name=@FirewallAPI.dll,-28753|Desc=@FirewallAPI.dll,-28756|\
         EmbedCtxt=@FirewallAPI.dll,-28752|",
    );
    assert_eq!(rule.version, (2, 10));
    assert_eq!(rule.action, Some(Action::Allow));
    assert_eq!(rule.direction, Some(Direction::In));
    assert_eq!(rule.protocol, Some(6));
    assert!(!rule.active);
    assert!(rule.is_for(Profile::Domain) && rule.is_for(Profile::Private));
    assert!(!rule.is_for(Profile::Public));
    assert_eq!(rule.local_ports, [port(3389)]);
    assert!(rule.is_for_port(3389) && !rule.is_for_port(3390));
    assert_eq!(rule.application.as_deref(), Some("System"));
    assert_eq!(rule.group.as_deref(), Some("@FirewallAPI.dll,-28752"));
    assert_eq!(rule.other.len(), 1, "the description: {:?}", rule.other);
    assert!(rule.problems.is_empty());
}

#[test]
fn versions_2_0_to_2_30_are_read() {
    for minor in [0, 10, 20, 22, 24, 27, 28, 30] {
        let text = format!("v2.{minor}|Action=Block|Active=TRUE|Dir=In|");
        assert_eq!(rule(&text).version, (2, minor));
    }
}

#[test]
fn a_rule_without_profile_protocol_or_port_is_for_all_of_them() {
    let rule = rule("v2.30|Action=Allow|Active=TRUE|Dir=In|");
    assert!(Profile::ALL.iter().all(|profile| rule.is_for(*profile)));
    assert!(rule.is_for_port(0) && rule.is_for_port(65535));
    assert_eq!(rule.protocol, None);
    assert_eq!(
        super::FirewallRule::parse("v2.30|Protocol=256|")
            .unwrap()
            .protocol,
        None
    );
}

#[test]
fn repeated_ports_are_alternatives_and_ranges_include_their_ends() {
    let rule = rule("v2.10|LPort=80|LPort=RPC|LPort2_10=5000-5020|LPort2_10=IPHTTPSIn|");
    for (number, fits) in [
        (80, true),
        (4999, false),
        (5000, true),
        (5020, true),
        (5021, false),
    ] {
        assert_eq!(rule.is_for_port(number), fits, "{number}");
    }
    assert_eq!(rule.local_ports[1], Ports::Keyword("RPC".to_owned()));
}

#[test]
fn a_keyword_is_no_port() {
    let rule = rule("v2.30|LPort=RPC-EPMap|");
    assert!(!rule.is_for_port(135));
}

#[test]
fn addresses_of_both_families_stand_in_one_list() {
    let rule = rule(
        "v2.20|RA4=LocalSubnet|RA4=203.0.113.0/255.255.255.0|RA6=fe80::/64|RA42=IntErnet|LA4=10.0.0.5|",
    );
    assert_eq!(rule.remote_addresses.len(), 4);
    assert_eq!(rule.local_addresses, ["10.0.0.5"]);
}

#[test]
fn the_platform_operator_belongs_to_the_platform_before_it() {
    let rule = rule("v2.10|Platform=2:6:0|Platform=2:6:1|Platform2=GTEQ|");
    let later: Vec<bool> = rule.platforms.iter().map(|p| p.or_later).collect();
    assert_eq!(later, [false, true]);
    assert_eq!((rule.platforms[1].major, rule.platforms[1].minor), (6, 1));
}

#[test]
fn values_may_hold_equal_signs_and_keys_any_case() {
    let rule =
        rule("v2.10|action=ALLOW|ACTIVE=true|dir=in|Name=a=b|RMauth=O:LSD:(A;;CC;;;S-1-5-32)|");
    assert_eq!(rule.action, Some(Action::Allow));
    assert!(rule.active);
    assert_eq!(rule.name.as_deref(), Some("a=b"));
    assert_eq!(rule.other[0].key, "RMauth");
}

#[test]
fn unknown_keys_are_kept_in_order() {
    let rule = rule("v2.99|Zebra=1|Action=Allow|Aardvark=2|");
    let keys: Vec<&str> = rule.other.iter().map(|field| field.key.as_str()).collect();
    assert_eq!(keys, ["Zebra", "Aardvark"]);
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_kept() {
    let rule =
        rule("v2.10|Action=Permit|Protocol=tcp|Protocol=300|Profile=Home|nonsense||LPort=3389");
    assert_eq!(rule.problems.len(), 5, "{:?}", rule.problems);
    assert_eq!(rule.local_ports, [port(3389)], "the last | may be missing");
    assert_eq!(rule.action, None);
}

#[test]
fn a_number_too_large_for_a_port_is_no_port() {
    assert!(matches!(
        rule("v2.10|LPort=65536|").local_ports[0],
        Ports::Keyword(_)
    ));
    assert!(matches!(
        rule("v2.10|LPort=3389x|").local_ports[0],
        Ports::Keyword(_)
    ));
}

#[test]
fn what_is_no_rule_is_refused_with_what_was_found() {
    for text in [
        "",
        "v",
        "v2",
        "v2.10",
        "2.10|",
        "v2.|",
        "v99999.1|",
        "x".repeat(1 << 20).as_str(),
    ] {
        let error = FirewallRule::parse(text).unwrap_err();
        assert_eq!(error.offset, 0);
        assert!(error.to_string().len() < 200, "{error}");
    }
}

#[test]
fn megabytes_are_read_within_their_limits() {
    let fields = "RA4=192.0.2.1|".repeat(MAX_FIELDS);
    assert_eq!(
        rule(&format!("v2.10|{fields}")).remote_addresses.len(),
        MAX_FIELDS
    );
    let error = FirewallRule::parse(&format!("v2.10|{fields}RA4=192.0.2.2|")).unwrap_err();
    assert_eq!(error.offset, 6 + fields.len());
    let bars = "|".repeat(1 << 20);
    assert!(FirewallRule::parse(&format!("v2.10|{bars}")).is_err());
    let long = "x".repeat(1 << 20);
    assert_eq!(
        rule(&format!("v2.10|Name={long}")).name.unwrap().len(),
        1 << 20
    );
    assert_eq!(rule(&format!("v2.10|{long}")).problems.len(), 1);
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic(text in "(v2\\.[0-9]{1,2}\\|)?([A-Za-z0-9_]{0,9}=?[^\n]{0,12}\\|?){0,9}") {
        if let Ok(rule) = FirewallRule::parse(&text) {
            prop_assert!(rule.problems.len() <= text.len());
        }
    }
}

/// The rules of a real Windows 10, counted by a reader that is not ours.
#[test]
fn every_rule_of_a_real_hive_is_read() {
    const HIVE: &str = "hives/fox-it-dissect-regf/SYSTEM";
    let Some(folder) = captures() else {
        eprintln!("no captures: the real rules were not read");
        return;
    };
    let hive = HiveFile::open(std::fs::read(folder.join(HIVE)).unwrap()).unwrap();
    let path = r"ControlSet001\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules";
    let values = hive.values(path).unwrap().unwrap();
    assert!(values.damage.is_empty(), "{:?}", values.damage);
    let rules: Vec<FirewallRule> = values
        .items
        .iter()
        .map(|value| rule(&value.as_string().unwrap()))
        .collect();
    let problems: Vec<_> = rules.iter().flat_map(|rule| &rule.problems).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let active = rules.iter().filter(|rule| rule.active).count();
    let on_3389 = rules
        .iter()
        .filter(|rule| rule.local_ports.contains(&port(3389)))
        .count();
    let truth = &expected(&folder)[HIVE]["hive"]["facts"];
    assert_eq!(truth["FirewallRules"], rules.len());
    assert_eq!(truth["FirewallRules_active"], active);
    assert_eq!(truth["FirewallRules_LPort3389"], on_3389);
}
