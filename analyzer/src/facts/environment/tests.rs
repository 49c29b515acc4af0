use crate::facts::Snapshot;
use crate::facts::sources::Options;

/// `regipy` and python-registry read the same texts from these hives.
#[test]
fn real_hives() {
    let Some(folder) = snapdiag_tests::captures() else {
        eprintln!("skipped: no captures");
        return;
    };
    let read = |path: &str| -> Snapshot {
        let opened = crate::analyze::open(&folder.join(path), &Options::default()).unwrap();
        opened.snapshot()
    };
    let ten = read("hives/fox-it-dissect-regf/SYSTEM").environment;
    let path = ten.path.value().unwrap();
    assert_eq!(
        path.text,
        "%SystemRoot%\\system32;%SystemRoot%;%SystemRoot%\\System32\\Wbem;\
         %SYSTEMROOT%\\System32\\WindowsPowerShell\\v1.0\\;%SYSTEMROOT%\\System32\\OpenSSH\\"
    );
    assert_eq!(path.kind, "REG_EXPAND_SZ");
    let ending = ten.pathext.value().unwrap();
    assert_eq!(
        (ending.text.as_str(), ending.kind.as_str()),
        (
            ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC",
            "REG_SZ"
        )
    );
    assert!(ten.system_root.is_absent());
    assert_eq!(ten.variables.len(), 15);
    assert_eq!(
        ten.variables.get("USERNAME").map(String::as_str),
        Some("SYSTEM")
    );
    assert!(ten.hooks.iter().all(|hook| !hook.command.is_settled()));

    let xp = read("hives/log2timeline-dfwinreg/sdist20180712_SYSTEM").environment;
    let path = xp.path.value().unwrap();
    assert_eq!(
        path.text,
        "%SystemRoot%\\system32;%SystemRoot%;%SystemRoot%\\System32\\Wbem"
    );
    assert_eq!(xp.temp.value().unwrap().text, "%SystemRoot%\\TEMP");
}
