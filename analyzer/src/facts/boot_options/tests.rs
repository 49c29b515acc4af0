use super::*;
use crate::facts::sources::Options;
use snapdiag_fixtures::evtx::{Events as Lines, LogOptions, build_log};
use snapdiag_fixtures::hive::{HiveBuilder, Tree};

const STORE: &str = r#"
[Description]
"KeyName"="BCD00000000"
[Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Description]
"Type"=dword:10100002
[Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Elements\23000003]
"Element"="{10000000-0000-0000-0000-000000000001}"
[Objects\{10000000-0000-0000-0000-000000000001}\Description]
"Type"=dword:10200003
[Objects\{10000000-0000-0000-0000-000000000001}\Elements\12000004]
"Element"="Windows Server"
[Objects\{10000000-0000-0000-0000-000000000001}\Elements\14000006]
"Element"=multi:"{6efb52bf-1766-41db-a6b3-0ee5eff72bd7}"
[Objects\{10000000-0000-0000-0000-000000000001}\Elements\15000007]
"Element"=hex:00,00,00,80,00,00,00,00
[Objects\{6efb52bf-1766-41db-a6b3-0ee5eff72bd7}\Description]
"Type"=dword:20200003
[Objects\{6efb52bf-1766-41db-a6b3-0ee5eff72bd7}\Elements\14000006]
"Element"=multi:"{5189b25c-5558-4bf2-bca4-289b11bd29e2}"
[Objects\{5189b25c-5558-4bf2-bca4-289b11bd29e2}\Description]
"Type"=dword:20100000
[Objects\{5189b25c-5558-4bf2-bca4-289b11bd29e2}\Elements\1700000a]
"Element"=hex:01,00,00,00,00,00,00,00
[Objects\{10000000-0000-0000-0000-000000000002}\Description]
"Type"=dword:10200003
[Objects\{10000000-0000-0000-0000-000000000002}\Elements\26000060]
"Element"=hex:01
"#;

const SYSTEM: &str = r#"
[Select]
"Current"=dword:1
[MountedDevices]
[ControlSet001\Control]
"SystemStartOptions"=" NOEXECUTE=OPTIN  MAXMEM=2048"
"#;

fn hive(text: &str) -> Vec<u8> {
    let tree = Tree::parse(text, "2026-11-20T10:00:00Z".parse().unwrap()).unwrap();
    HiveBuilder::new(&tree).build().unwrap()
}

fn gather(files: &[(&str, Vec<u8>)]) -> BootOptions {
    let root = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    BootOptions::gather(&Sources::open(root.path(), &Options::default()).unwrap())
}

#[test]
fn limits_are_read_with_their_place() {
    let facts = gather(&[
        ("Boot/BCD", hive(STORE)),
        ("Windows/System32/config/SYSTEM", hive(SYSTEM)),
    ]);
    let loader = facts.loader.value().unwrap();
    assert_eq!(loader.description.as_deref(), Some("Windows Server"));
    let limit = facts.truncate_memory.value().unwrap();
    assert_eq!((limit.value, &limit.object), (2 << 30, &loader.id));
    let evidence = &facts.truncate_memory.evidence[0];
    assert_eq!(
        evidence.locator.to_string(),
        r"reg:BCD\Objects\{10000000-0000-0000-0000-000000000001}\Elements\15000007::Element"
    );
    assert_eq!(evidence.raw, "0000008000000000");
    // Over two steps of inheritance.
    let bad = facts.bad_pages.value().unwrap();
    assert_eq!((bad.value, bad.entries.as_slice()), (1, &[1][..]));
    assert_eq!(bad.object, "{5189b25c-5558-4bf2-bca4-289b11bd29e2}");
    assert!(facts.remove_memory.is_absent());
    // Another loader's limit is told, and is not this one's.
    assert!(facts.one_processor.is_absent());
    assert_eq!(facts.others.len(), 1);
    assert_eq!(facts.others[0].limits, ["onecpu"]);
    assert_eq!(facts.given.value().unwrap().max_memory_mib, Some(2048));
}

#[test]
fn without_a_store_nothing_of_it_is_settled() {
    let facts = gather(&[("Windows/System32/config/SYSTEM", hive(SYSTEM))]);
    for fact in [&facts.truncate_memory, &facts.processors] {
        assert!(matches!(fact.state, State::NotCollected(_)), "{fact:?}");
    }
    assert!(facts.given.value().is_some());
}

#[test]
fn a_store_without_a_default_is_unreadable() {
    let store = STORE.replace("23000003", "23000099");
    let facts = gather(&[("Boot/BCD", hive(&store))]);
    assert!(matches!(facts.loader.state, State::Unreadable(_)));
    assert!(matches!(facts.processors.state, State::Unreadable(_)));
}

#[test]
fn an_element_that_does_not_fit_is_unreadable() {
    let store = STORE.replace("hex:00,00,00,80,00,00,00,00", "\"2 GB\"");
    let facts = gather(&[("Boot/BCD", hive(&store))]);
    assert!(matches!(facts.truncate_memory.state, State::Unreadable(_)));
    assert!(facts.bad_pages.value().is_some());
}

#[test]
fn without_the_hive_the_newest_start_tells_what_the_kernel_was_given() {
    let lines = r#"
{"channel":"System","provider":"Microsoft-Windows-Kernel-Boot","id":27,"time":"-9d","data":{"BootType":0,"LoadOptions":" NOEXECUTE=OPTIN"}}
{"channel":"System","provider":"Microsoft-Windows-Kernel-Boot","id":27,"time":"-2d","data":{"BootType":0,"LoadOptions":" NOEXECUTE=OPTIN  NUMPROC=2 ONECPU"}}
"#;
    let events = Lines::parse(lines, "2026-11-20T10:00:00Z".parse().unwrap()).unwrap();
    let log = build_log(&events, Some("System"), LogOptions::default()).unwrap();
    let facts = gather(&[("Windows/System32/winevt/Logs/System.evtx", log)]);
    assert_eq!(facts.starts.len(), 2);
    let given = facts.given.value().unwrap();
    assert_eq!((given.processors, given.one_processor), (Some(2), true));
    assert!(given.logged);
    assert_eq!(
        facts.given.evidence[0].raw["LoadOptions"],
        " NOEXECUTE=OPTIN  NUMPROC=2 ONECPU"
    );
}

#[test]
fn options_are_words_with_numbers() {
    let given = Given::parse(" noexecute=optin  /maxmem=4096 BURNMEMORY=0x200 NUMPROC=x ONECPUS");
    assert_eq!(given.max_memory_mib, Some(4096));
    assert_eq!(given.burned_memory_mib, Some(512));
    assert_eq!((given.processors, given.one_processor), (None, false));
    assert_eq!(Given::parse(""), Given::default());
}
