use snapdiag_fixtures::hive::{HiveBuilder, Tree};
use snapdiag_tests::captures;

use super::*;
use crate::formats::hive::HiveFile;

const LOADER: &str = "{11111111-0000-0000-0000-000000000001}";
const SETTINGS: &str = "{6efb52bf-1766-41db-a6b3-0ee5eff72bd7}";
const GLOBAL: &str = "{7ea2e1ac-2e61-4728-aaa3-896d9d0a9f0e}";

fn hive(text: &str) -> HiveFile {
    let captured = "2026-11-20T10:00:00Z".parse().unwrap();
    let tree = Tree::parse(text, captured).unwrap();
    HiveFile::open(HiveBuilder::new(&tree).build().unwrap()).unwrap()
}

/// A boot manager whose default is [`LOADER`], which inherits [`SETTINGS`], then [`GLOBAL`].
fn store_with(more: &str) -> HiveFile {
    hive(&format!(
        r#"
[Objects\{BOOT_MANAGER}\Description]
"Type"=dword:10100002
[Objects\{BOOT_MANAGER}\Elements\23000003]
"Element"="{LOADER}"
[Objects\{LOADER}\Description]
"Type"=dword:10200003
[Objects\{LOADER}\Elements\14000006]
"Element"=multi:"{SETTINGS}","{GLOBAL}"
[Objects\{SETTINGS}\Description]
"Type"=dword:20200003
[Objects\{GLOBAL}\Description]
"Type"=dword:20100000
{more}
"#
    ))
}

fn effective(hive: &HiveFile, id: ElementId) -> Option<(String, Element)> {
    let found = Store::new(hive).effective(LOADER, id).unwrap();
    found.map(|found| (found.object, found.element))
}

fn element(object: &str, id: &str, data: &str) -> String {
    format!("[Objects\\{object}\\Elements\\{id}]\n\"Element\"={data}\n")
}

#[test]
fn own_beats_inherited_and_the_first_parent_beats_the_second() {
    let id = ElementId::PROCESSORS;
    let own = element(LOADER, "25000061", "hex:02,00,00,00,00,00,00,00");
    let first = element(SETTINGS, "25000061", "hex:03,00,00,00,00,00,00,00");
    let second = element(GLOBAL, "25000061", "hex:04,00,00,00,00,00,00,00");
    let of = |text: &str| effective(&store_with(text), id);
    let found = |object: &str, number| Some((object.to_owned(), Element::Integer(number)));
    assert_eq!(of(&(own + &first + &second)), found(LOADER, 2));
    assert_eq!(of(&(first + &second)), found(SETTINGS, 3));
    assert_eq!(of(&second), found(GLOBAL, 4));
    assert_eq!(of(""), None);
}

#[test]
fn a_parent_is_followed_to_its_end_before_the_next_one() {
    let far = "{33333333-0000-0000-0000-000000000003}";
    let text = element(SETTINGS, "14000006", &format!("multi:\"{far}\""))
        + &element(far, "25000061", "hex:05")
        + &element(GLOBAL, "25000061", "hex:04");
    assert_eq!(
        effective(&store_with(&text), ElementId::PROCESSORS),
        Some((far.to_owned(), Element::Integer(5)))
    );
}

#[test]
fn a_circle_of_inheritance_ends() {
    let text = element(
        SETTINGS,
        "14000006",
        &format!("multi:\"{LOADER}\",\"{SETTINGS}\""),
    );
    assert_eq!(effective(&store_with(&text), ElementId::PROCESSORS), None);
}

#[test]
fn an_endless_chain_is_an_error() {
    let object = |n: u32| format!("{{00000000-0000-0000-0000-{n:012}}}");
    let mut text = element(SETTINGS, "14000006", &format!("multi:\"{}\"", object(0)));
    for n in 0..100 {
        text += &element(
            &object(n),
            "14000006",
            &format!("multi:\"{}\"", object(n + 1)),
        );
    }
    let hive = store_with(&text);
    let error = Store::new(&hive)
        .effective(LOADER, ElementId::PROCESSORS)
        .unwrap_err();
    assert!(error.to_string().contains("64 objects"), "{error}");
}

#[test]
fn each_format_is_decoded_and_what_does_not_fit_is_an_error() {
    let value = |kind, data: &[u8]| Value {
        name: "Element".to_owned(),
        kind,
        data: data.to_vec(),
    };
    let binary = |data: &[u8]| value(ValueKind::Binary, data);
    let decode = |id, value: &Value| Element::decode(ElementId(id), value);
    let ok = |id, data: &[u8]| decode(id, &binary(data)).unwrap();
    assert_eq!(
        ok(0x1500_0007, &[0, 0, 0, 0x80, 0, 0, 0, 0]),
        Element::Integer(2 << 30)
    );
    // BCD-Template stores fewer bytes.
    assert_eq!(ok(0x2500_00f5, &[0, 0xc2, 1]), Element::Integer(115_200));
    assert_eq!(ok(0x2600_0060, &[1]), Element::Boolean(true));
    assert_eq!(ok(0x2600_0060, &[0]), Element::Boolean(false));
    let pages = [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    assert_eq!(ok(0x1700_000a, &pages), Element::Integers(vec![1, 256]));
    assert_eq!(ok(0x1700_000a, &[]), Element::Integers(vec![]));
    assert_eq!(ok(0x1100_0001, &[7]), Element::Device(vec![7]));
    for (id, value) in [
        (0x1500_0007, binary(&[])),
        (0x1500_0007, binary(&[0; 9])),
        (0x1500_0007, value(ValueKind::Qword, &[0; 8])),
        (0x2600_0060, binary(&[1, 0])),
        (0x2600_0060, binary(&[])),
        (0x1700_000a, binary(&[0; 7])),
        (0x1200_0004, binary(b"x")),
        (0x2300_0003, binary(b"x")),
        (0x1400_0006, value(ValueKind::String, b"x\0")),
        (0x1f00_0000, binary(&[1])),
    ] {
        assert!(decode(id, &value).is_err(), "{id:08x} {value:?}");
    }
}

#[test]
fn without_a_default_the_first_of_the_menu_is_started() {
    let hive = store_with(&format!(
        "[-Objects\\{BOOT_MANAGER}\\Elements\\23000003]\n{}",
        element(
            BOOT_MANAGER,
            "24000001",
            &format!("multi:\"{LOADER}\",\"{GLOBAL}\"")
        )
    ));
    assert_eq!(
        Store::new(&hive).default_loader(),
        Ok(Some(LOADER.to_owned()))
    );
    let hive = store_with(&format!("[-Objects\\{BOOT_MANAGER}\\Elements\\23000003]\n"));
    assert_eq!(Store::new(&hive).default_loader(), Ok(None));
}

#[test]
fn a_default_that_leads_nowhere_is_an_error() {
    let hive = store_with(&element(BOOT_MANAGER, "23000003", "\"{gone}\""));
    let error = Store::new(&hive).default_loader().unwrap_err().to_string();
    assert!(error.contains("no such object"), "{error}");
}

/// A store among the captures; `None`, said aloud, where there are none.
fn capture(path: &str) -> Option<HiveFile> {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return None;
    };
    Some(HiveFile::open(std::fs::read(folder.join(path)).unwrap()).unwrap())
}

/// What regipy 6 shows of the store of a UEFI machine.
#[test]
fn a_real_store_reads_as_regipy_shows_it() {
    let Some(hive) = capture("hives/mkorman90-regipy/BCD") else {
        return;
    };
    let store = Store::new(&hive);
    assert_eq!(store.objects().unwrap().len(), 17);
    let loader = "{733b62e5-f608-11eb-825c-c112f60133ab}";
    assert_eq!(store.default_loader(), Ok(Some(loader.to_owned())));
    assert_eq!(store.object_type(loader), Ok(Some(OS_LOADER)));
    assert_eq!(store.object_type(BOOT_MANAGER), Ok(Some(0x1010_0002)));
    assert_eq!(store.object_type("{gone}"), Ok(None));
    let get = |id: u32| {
        let found = store.effective(loader, ElementId(id)).unwrap()?;
        Some((found.object, found.element))
    };
    let own = |element| Some((loader.to_owned(), element));
    assert_eq!(
        get(0x1200_0004),
        own(Element::Text("Windows 10".to_owned()))
    );
    let settings = vec!["{6efb52bf-1766-41db-a6b3-0ee5eff72bd7}".to_owned()];
    assert_eq!(get(0x1400_0006), own(Element::Objects(settings)));
    assert_eq!(get(0x1500_0066), own(Element::Integer(3)));
    assert_eq!(get(0x1600_0009), own(Element::Boolean(true)));
    assert_eq!(get(0x1700_0077), own(Element::Integers(vec![0x1500_0075])));
    assert_eq!(get(0x2500_0020), own(Element::Integer(0)));
    assert_eq!(get(0x2500_00c2), own(Element::Integer(1)));
    let resume = "{733b62e4-f608-11eb-825c-c112f60133ab}".to_owned();
    assert_eq!(get(0x2300_0003), own(Element::Object(resume)));
    // Inherited over two steps, through the first of two parents and past an empty object.
    let debugger = "{4636856e-540f-4170-a130-a84776f4c654}".to_owned();
    assert_eq!(get(0x1500_0011), Some((debugger, Element::Integer(4))));
    let hypervisor = "{7ff607e0-4395-11db-b0de-0800200c9a66}".to_owned();
    let rate = Element::Integer(115_200);
    assert_eq!(get(0x2500_00f5), Some((hypervisor, rate)));
    for limit in [
        0x1500_0007,
        0x2500_0031,
        0x1700_000a,
        0x2500_0061,
        0x2600_0060,
    ] {
        assert_eq!(get(limit), None, "{limit:08x}");
    }
}

/// What regipy 6 shows of a `BCD-Template`: short integers, and keys with upper-case digits.
#[test]
fn a_real_template_reads_as_regipy_shows_it() {
    let path = "hives/AndrewRathbun-DFIRArtifactMuseum/Registry/Win10/RathbunVM/BCD-Template";
    let Some(hive) = capture(path) else { return };
    let store = Store::new(&hive);
    assert_eq!(store.objects().unwrap().len(), 16);
    let loader = "{cbd971bf-b7b8-4885-951a-fa03044f5d71}";
    assert_eq!(store.default_loader(), Ok(Some(loader.to_owned())));
    let get = |id: u32| {
        let found = store.effective(loader, ElementId(id)).unwrap();
        found.map(|found| found.element)
    };
    assert_eq!(get(0x2500_0020), Some(Element::Integer(1)));
    assert_eq!(get(0x4500_0001), Some(Element::Integer(2)));
    assert_eq!(get(0x1500_0011), Some(Element::Integer(4)));
    assert_eq!(get(0x2500_00f5), Some(Element::Integer(115_200)));
    assert_eq!(
        get(0x4700_0005),
        Some(Element::Integers(vec![0x1200_0004, 1]))
    );
    assert_eq!(get(0x2600_0022), Some(Element::Boolean(true)));
    assert_eq!(get(0x1500_0007), None);
}
