use serde_json::json;

use super::CHECK;
use crate::checks::check::{Context, Decision};
use crate::checks::thresholds::Thresholds;
use crate::checks::verdict::Verdict;
use crate::facts::Snapshot;
use crate::facts::drives::Drive;
use crate::facts::environment::{Hook, PathElement, UserEnvironment, UserVariable};
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::sources::Sources;
use crate::facts::sources::registry::Text;

const DEFAULT: &str = "%SystemRoot%\\system32;%SystemRoot%;%SystemRoot%\\System32\\Wbem;%SYSTEMROOT%\\System32\\WindowsPowerShell\\v1.0\\";

fn evidence(raw: &str) -> Evidence {
    let key = "ControlSet001\\Control\\Session Manager\\Environment";
    Evidence::new(
        "registry/SYSTEM",
        Locator::value("SYSTEM", key, "x"),
        json!(raw),
    )
}

fn typed(text: &str, kind: &str) -> Fact<Text> {
    let value = Text {
        text: text.to_owned(),
        kind: kind.to_owned(),
    };
    Fact::known(value, [evidence(text)])
}

fn expand(text: &str) -> Fact<Text> {
    typed(text, "REG_EXPAND_SZ")
}

fn plain(text: &str) -> Fact<Text> {
    typed(text, "REG_SZ")
}

fn hook(program: &str, setting: &str, command: Fact<Text>) -> Hook {
    Hook {
        program: program.to_owned(),
        setting: setting.to_owned(),
        command,
    }
}

fn healthy() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.machine.system_root = Fact::known("C:\\Windows".to_owned(), [evidence("C:\\Windows")]);
    let environment = &mut snapshot.environment;
    environment.path = expand(DEFAULT);
    environment.pathext = plain(".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC");
    environment.comspec = expand("%SystemRoot%\\system32\\cmd.exe");
    environment.windir = expand("%SystemRoot%");
    environment.system_root = Fact::absent([]);
    environment.temp = expand("%SystemRoot%\\TEMP");
    environment.tmp = expand("%SystemRoot%\\TEMP");
    environment.hooks = vec![
        hook("cmd.exe", "Debugger", Fact::absent([])),
        hook("cmd.exe", "AutoRun", Fact::absent([])),
    ];
    snapshot
}

fn run(snapshot: &Snapshot) -> Decision {
    CHECK.run(&Context {
        snapshot,
        thresholds: &Thresholds::default(),
    })
}

fn after(change: impl FnOnce(&mut Snapshot)) -> Decision {
    let mut snapshot = healthy();
    change(&mut snapshot);
    run(&snapshot)
}

fn verdict(change: impl FnOnce(&mut Snapshot)) -> Verdict {
    after(change).verdict
}

fn path(text: &str) -> Decision {
    after(|s| s.environment.path = expand(text))
}

#[test]
fn the_default_of_windows_is_ok() {
    let decision = run(&healthy());
    assert_eq!(decision.verdict, Verdict::Ok, "{decision:?}");
    assert_eq!(
        path(&format!("{DEFAULT};%SYSTEMROOT%\\System32\\OpenSSH\\")).verdict,
        Verdict::Ok
    );
}

#[test]
fn spelling_does_not_matter() {
    for text in [
        "C:\\Windows\\system32;C:\\Windows;C:\\WINDOWS\\System32\\Wbem;C:\\Windows\\System32\\WindowsPowerShell\\v1.0",
        "%windir%\\System32\\;%windir%;%windir%/System32/Wbem;\"%windir%\\System32\\WindowsPowerShell\\v1.0\\\"",
        "%SystemDrive%\\Windows\\system32; %SystemRoot%\\ ;%SystemRoot%\\system32\\wbem;%SystemRoot%\\system32\\windowspowershell\\V1.0;",
    ] {
        let decision = path(text);
        assert_eq!(
            decision.verdict,
            Verdict::Ok,
            "{text}: {}",
            decision.headline
        );
    }
}

#[test]
fn another_drive_than_c_is_fine() {
    let decision = after(|s| s.machine.system_root = Fact::known("D:\\WinNT".to_owned(), []));
    assert_eq!(decision.verdict, Verdict::Ok, "{}", decision.headline);
    let wrong = after(|s| {
        s.machine.system_root = Fact::known("D:\\WinNT".to_owned(), []);
        s.environment.path = expand(&DEFAULT.replace("%SystemRoot%", "C:\\Windows"));
    });
    assert_eq!(wrong.verdict, Verdict::Critical);
}

#[test]
fn a_path_that_is_missing_empty_or_no_text_is_critical() {
    let missing = after(|s| s.environment.path = Fact::absent([evidence("")]));
    assert_eq!(missing.verdict, Verdict::Critical);
    let undo = missing.remedies[0].undo[0].command.clone().unwrap().text;
    assert!(undo.starts_with("Remove-ItemProperty"), "{undo}");
    assert_eq!(path("").verdict, Verdict::Critical);
    assert_eq!(path("  ").verdict, Verdict::Critical);
    let binary = after(|s| s.environment.path = typed("", "REG_BINARY"));
    assert_eq!(binary.verdict, Verdict::Critical);
    assert!(binary.headline.contains("REG_BINARY"));
}

#[test]
fn a_path_of_reg_sz_is_critical_only_with_variables() {
    let decision = after(|s| s.environment.path = plain(DEFAULT));
    assert_eq!(decision.verdict, Verdict::Critical);
    assert!(decision.headline.contains("REG_SZ"));
    let literal = DEFAULT
        .replace("%SystemRoot%", "C:\\Windows")
        .replace("%SYSTEMROOT%", "C:\\Windows");
    assert_eq!(
        verdict(|s| s.environment.path = plain(&literal)),
        Verdict::Ok
    );
}

#[test]
fn without_system32_it_is_critical_and_the_undo_carries_the_old_path() {
    let decision = path("C:\\Program Files\\Java\\bin; 'x'");
    assert_eq!(decision.verdict, Verdict::Critical);
    assert!(decision.headline.contains("system32"));
    let remedy = &decision.remedies[0];
    let undo = remedy.undo[0].command.clone().unwrap().text;
    assert!(
        undo.contains("-Type ExpandString -Value 'C:\\Program Files\\Java\\bin; ''x'''"),
        "{undo}"
    );
    let steps: Vec<String> = remedy
        .steps
        .iter()
        .filter_map(|step| Some(step.command.clone()?.text))
        .collect();
    assert!(steps[0].starts_with("reg export"));
    assert!(
        steps
            .iter()
            .all(|step| !step.to_lowercase().contains("setx"))
    );
    assert!(remedy.caution.contains("Never use setx"));
}

#[test]
fn the_other_three_folders_are_warnings() {
    for (index, name) in ["%SystemRoot%", "Wbem", "PowerShell"].iter().enumerate() {
        let mut parts: Vec<&str> = DEFAULT.split(';').collect();
        parts.remove(index + 1);
        let decision = path(&parts.join(";"));
        assert_eq!(decision.verdict, Verdict::Warning, "{name}");
        assert!(decision.headline.contains(name), "{}", decision.headline);
    }
}

#[test]
fn a_foreign_folder_before_system32_is_a_warning() {
    let decision = path(&format!("C:\\app;{DEFAULT}"));
    assert_eq!(decision.verdict, Verdict::Warning);
    assert!(decision.headline.contains("C:\\app"));
    assert_eq!(path(&format!("{DEFAULT};C:\\app")).verdict, Verdict::Ok);
    let own = path(&format!("%SystemRoot%\\System32\\OpenSSH\\;{DEFAULT}"));
    assert_eq!(own.verdict, Verdict::Ok, "a folder of Windows");
    let twin = path(&format!("C:\\Windows.old;{DEFAULT}"));
    assert_eq!(twin.verdict, Verdict::Warning);
}

#[test]
fn the_shape_of_elements() {
    let is = |text: &str, words: &str| {
        let decision = path(text);
        assert_eq!(decision.verdict, Verdict::Warning, "{text}");
        let all = format!("{} {}", decision.headline, decision.reasons.join(" "));
        assert!(all.contains(words), "{text}: {all}");
    };
    is(&format!("{DEFAULT};;C:\\app"), "empty element");
    is(&format!(";{DEFAULT}"), "empty element");
    is(&format!("{DEFAULT};\"C:\\app"), "quote without its pair");
    is(&format!("{DEFAULT};\\\\host-b\\tools"), "other computers");
    is(&format!("{DEFAULT};tools"), "current one");
    is(&format!("{DEFAULT};."), "current one");
    is(&format!("{DEFAULT};%NOT_SET%\\bin"), "not defined");
    assert_eq!(
        path(&format!("{DEFAULT};")).verdict,
        Verdict::Ok,
        "one at the end"
    );
    assert_eq!(
        path(&format!("{DEFAULT};\"C:\\a;b\"")).verdict,
        Verdict::Ok,
        "quoted"
    );
    assert_eq!(
        path(&format!("{DEFAULT};\\\\?\\C:\\app")).verdict,
        Verdict::Ok
    );
    let defined = after(|s| {
        let value = "C:\\jdk".to_owned();
        s.environment
            .variables
            .insert("JAVA_HOME".to_owned(), value);
        s.environment.path = expand(&format!("{DEFAULT};%JAVA_HOME%\\bin;%ProgramFiles%\\x"));
    });
    assert_eq!(defined.verdict, Verdict::Ok, "{}", defined.headline);
}

#[test]
fn length_is_a_warning_above_2047_and_critical_above_4095() {
    let of = |length: usize| {
        let start = format!("{DEFAULT};C:\\");
        let fill = "x".repeat(length - start.len());
        path(&format!("{start}{fill}")).verdict
    };
    assert_eq!(of(2047), Verdict::Ok);
    assert_eq!(of(2048), Verdict::Warning);
    assert_eq!(of(4095), Verdict::Warning);
    assert_eq!(of(4096), Verdict::Critical);
}

fn element(variable: &str, raw: &str, exists: Option<bool>) -> PathElement {
    PathElement {
        variable: variable.to_owned(),
        raw: raw.to_owned(),
        exists,
        evidence: evidence(raw),
    }
}

fn drives(letters: &[char]) -> Fact<Vec<Drive>> {
    let drive = |letter: &char| Drive {
        letter: *letter,
        fixed: true,
        evidence: evidence("x"),
    };
    Fact::known(letters.iter().map(drive).collect(), [])
}

#[test]
fn folders_and_drives_that_are_not_there_are_warnings() {
    let look = |exists| {
        verdict(|s| {
            s.environment.path = expand(&format!("{DEFAULT};C:\\gone"));
            s.environment.elements = Fact::known(vec![element("Path", "C:\\gone", exists)], []);
        })
    };
    assert_eq!(look(Some(false)), Verdict::Warning);
    assert_eq!(look(Some(true)), Verdict::Ok);
    assert_eq!(look(None), Verdict::Ok);
    let drive = |assigned: &[char], mounted: Option<&[char]>| {
        verdict(|s| {
            s.environment.path = expand(&format!("{DEFAULT};E:\\tools"));
            s.drives.assigned = drives(assigned);
            if let Some(mounted) = mounted {
                s.drives.mounted = drives(mounted);
            }
        })
    };
    assert_eq!(drive(&['C', 'E'], None), Verdict::Ok);
    assert_eq!(drive(&['C'], None), Verdict::Warning);
    assert_eq!(
        drive(&['C', 'E'], Some(&['C'])),
        Verdict::Warning,
        "gone since"
    );
    assert_eq!(
        drive(&[], Some(&[])),
        Verdict::Warning,
        "C: is there, E: is not"
    );
}

#[test]
fn windir_and_systemroot_must_lead_to_windows() {
    let windir = |fact: Fact<Text>| verdict(|s| s.environment.windir = fact);
    assert_eq!(windir(Fact::absent([])), Verdict::Critical);
    assert_eq!(
        windir(plain("%SystemRoot%")),
        Verdict::Critical,
        "not expanded"
    );
    assert_eq!(windir(expand("")), Verdict::Critical);
    assert_eq!(windir(expand("C:\\WINNT")), Verdict::Critical);
    assert_eq!(windir(plain("C:\\WINDOWS\\")), Verdict::Ok);
    let root = |fact: Fact<Text>| verdict(|s| s.environment.system_root = fact);
    assert_eq!(root(plain("D:\\Windows")), Verdict::Critical);
    assert_eq!(root(plain("C:\\Windows")), Verdict::Ok);
}

#[test]
fn comspec_must_be_cmd_unless_somebody_chose_another_that_exists() {
    let comspec = |fact: Fact<Text>| verdict(|s| s.environment.comspec = fact);
    assert_eq!(comspec(Fact::absent([])), Verdict::Critical);
    assert_eq!(
        comspec(plain("%SystemRoot%\\system32\\cmd.exe")),
        Verdict::Critical
    );
    assert_eq!(
        comspec(plain("C:\\Windows\\System32\\CMD.EXE")),
        Verdict::Ok
    );
    assert_eq!(comspec(plain("C:\\tools\\shell.exe")), Verdict::Critical);
    let chosen = after(|s| {
        s.environment.comspec = plain("C:\\tools\\shell.exe");
        let row = element("ComSpec", "C:\\tools\\shell.exe", Some(true));
        s.environment.elements = Fact::known(vec![row], []);
    });
    assert_eq!(chosen.verdict, Verdict::Warning);
}

#[test]
fn pathext_needs_four_endings() {
    let pathext = |text: &str| verdict(|s| s.environment.pathext = plain(text));
    assert_eq!(pathext(".com;.exe;.bat;.cmd"), Verdict::Ok);
    for without in [
        ".EXE;.BAT;.CMD",
        ".COM;.BAT;.CMD",
        ".COM;.EXE;.CMD",
        ".COM;.EXE;.BAT;.CMDX",
        "",
    ] {
        assert_eq!(pathext(without), Verdict::Critical, "{without}");
    }
    assert_eq!(
        verdict(|s| s.environment.pathext = Fact::absent([])),
        Verdict::Critical
    );
}

#[test]
fn temp_must_be_set_and_on_a_drive_that_is_there() {
    let temp = |fact: Fact<Text>| after(|s| s.environment.temp = fact);
    assert_eq!(temp(Fact::absent([])).verdict, Verdict::Warning);
    assert_eq!(temp(expand("")).verdict, Verdict::Warning);
    assert_eq!(temp(plain("%SystemRoot%\\TEMP")).verdict, Verdict::Warning);
    assert_eq!(temp(plain("C:\\TEMP")).verdict, Verdict::Ok);
    let lost = after(|s| {
        s.environment.tmp = plain("T:\\TEMP");
        s.drives.assigned = drives(&['C']);
    });
    assert_eq!(lost.verdict, Verdict::Warning);
    assert!(lost.headline.contains("drive that does not exist"));
    let gone = after(|s| {
        let row = element("TEMP", "%SystemRoot%\\TEMP", Some(false));
        s.environment.elements = Fact::known(vec![row], []);
    });
    assert_eq!(gone.verdict, Verdict::Warning);
}

#[test]
fn hooks_are_warnings_whose_undo_puts_them_back() {
    let decision = after(|s| {
        s.environment.hooks[1] = hook("cmd.exe", "AutoRun", plain("C:\\x\\it's.cmd"));
    });
    assert_eq!(decision.verdict, Verdict::Warning);
    let undo = decision.remedies[0].undo[0].command.clone().unwrap().text;
    assert!(undo.ends_with("-Value 'C:\\x\\it''s.cmd'"), "{undo}");
    let empty = verdict(|s| s.environment.hooks[0] = hook("cmd.exe", "Debugger", plain(" ")));
    assert_eq!(empty, Verdict::Ok);
}

fn user(key: &str, name: &str, text: &str) -> Fact<Vec<UserEnvironment>> {
    let variable = UserVariable {
        name: name.to_owned(),
        text: text.to_owned(),
        evidence: evidence(text),
    };
    let user = UserEnvironment {
        user: "S-1-5-21-1-2-3-1001".to_owned(),
        key: key.to_owned(),
        variables: vec![variable],
    };
    Fact::known(vec![user], [])
}

#[test]
fn users_may_add_to_path_and_must_not_replace_what_windows_needs() {
    let of = |key: &str, name: &str, text: &str| {
        verdict(|s| s.environment.users = user(key, name, text))
    };
    assert_eq!(
        of("Environment", "Path", "C:\\Users\\user1\\bin"),
        Verdict::Ok
    );
    assert_eq!(of("Environment", "windir", "cmd /k x &"), Verdict::Warning);
    assert_eq!(of("Environment", "windir", "%SystemRoot%"), Verdict::Ok);
    assert_eq!(of("Environment", "ComSpec", "C:\\x.exe"), Verdict::Warning);
    assert_eq!(of("Environment", "PATHEXT", ".PY"), Verdict::Warning);
    let processor = "Software\\Microsoft\\Command Processor";
    assert_eq!(of(processor, "AutoRun", "x.cmd"), Verdict::Warning);
    assert_eq!(of(processor, "CompletionChar", "x"), Verdict::Ok);
}

#[test]
fn services_that_still_have_the_old_path_are_a_note() {
    let services = |text: &str| {
        after(|s| s.environment.service_path = Fact::known(text.to_owned(), [evidence(text)]))
    };
    let old = services("C:\\Windows\\system32;C:\\Windows");
    assert_eq!(old.verdict, Verdict::Ok);
    assert!(old.notes.iter().any(|note| note.contains("restart needed")));
    let same = "C:\\Windows\\system32;C:\\Windows;C:\\Windows\\System32\\Wbem;C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\";
    assert!(services(same).notes.is_empty());
    let without_root = after(|s| {
        s.machine.system_root = Fact::not_collected("x");
        s.environment.service_path = Fact::known(same.to_owned(), [evidence(same)]);
    });
    let restart = |note: &String| note.contains("restart needed");
    assert!(!without_root.notes.iter().any(restart), "not comparable");
}

#[test]
fn what_is_missing_is_never_ok() {
    let missing: [fn(&mut Snapshot); 8] = [
        |s| s.environment.path = Fact::not_collected("x"),
        |s| s.environment.path = Fact::unreadable("x", []),
        |s| s.environment.pathext = Fact::not_collected("x"),
        |s| s.environment.windir = Fact::not_collected("x"),
        |s| s.environment.temp = Fact::unreadable("x", []),
        |s| s.machine.system_root = Fact::not_collected("x"),
        |s| s.machine.system_root = Fact::absent([]),
        |s| s.environment.hooks[0].command = Fact::not_collected("x"),
    ];
    for (index, change) in missing.into_iter().enumerate() {
        assert_eq!(verdict(change), Verdict::Unknown, "{index}");
    }
    assert_eq!(
        run(&Snapshot::gather(&Sources::none())).verdict,
        Verdict::Unknown
    );
    let literal = DEFAULT
        .replace("%SystemRoot%", "C:\\Windows")
        .replace("%SYSTEMROOT%", "C:\\Windows");
    let without_software = verdict(|s| {
        s.machine.system_root = Fact::not_collected("no SOFTWARE");
        s.environment.path = expand(&literal);
    });
    assert_eq!(
        without_software,
        Verdict::Unknown,
        "not critical: it may be right"
    );
}

#[test]
fn a_hostile_path_is_read_in_bounded_time() {
    let decision = after(|s| {
        let variables = &mut s.environment.variables;
        for name in ["A", "B", "C", "D"] {
            variables.insert(name.to_owned(), "%A%%B%%C%%D%".repeat(50));
        }
        s.environment.path = expand(&format!("C:\\app;{DEFAULT};%A%"));
    });
    assert_eq!(decision.verdict, Verdict::Warning);
    assert!(decision.headline.contains("C:\\app"));
}

#[test]
fn rules_are_tried_from_the_worst_verdict_to_the_best() {
    let order: Vec<Verdict> = run(&healthy())
        .trace
        .iter()
        .map(|rule| rule.verdict)
        .collect();
    assert!(order.len() >= 20);
    assert!(order.is_sorted_by(|a, b| a >= b), "{order:?}");
}
