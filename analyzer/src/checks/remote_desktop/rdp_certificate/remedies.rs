//! How to come by a certificate that works.

use crate::checks::remedy::{Interruption, Remedy, Risk, Step, powershell_literal};
use crate::checks::remote_desktop::registry::station;
use crate::facts::Snapshot;
use crate::facts::certificates::{Certificate, Reference};
use crate::facts::fact::Fact;
use crate::facts::remote_desktop::RDP_TCP;
use crate::facts::services::Service;

/// The key file of Remote Desktop's own certificate; `*` stands for the machine's identifier.
const KEY_FILE: &str =
    r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys\f686aace6942fb7f7ceb231212eef4a4_*";

fn made() -> Step {
    Step::powershell(
        "A certificate with a new thumbprint and a later end is there, and event 1056 was written.",
        "Get-ChildItem 'Cert:\\LocalMachine\\Remote Desktop' | Format-List Thumbprint, NotBefore, NotAfter",
    )
}

fn restart() -> Step {
    Step::powershell(
        "Restart the service that makes the certificate; no session is cut.",
        "Restart-Service SessionEnv",
    )
}

/// Lets Windows make a new certificate in place of the one in use; never of others in the store.
pub(super) fn renew(snapshot: &Snapshot, used: Option<&Certificate>) -> Remedy {
    let mut remedy = Remedy::new("Let Windows make a new self-signed certificate").risk(
        Risk::Low,
        "Clients that trusted the old one ask again. Only the certificate in use is removed: others in the store may be there on purpose.",
    );
    let used = used.filter(|used| {
        used.store
            .rsplit('\\')
            .next()
            .is_some_and(|store| store.eq_ignore_ascii_case("Remote Desktop"))
    });
    if let Some(used) = used {
        let path = powershell_literal(&format!(
            "Cert:\\LocalMachine\\Remote Desktop\\{}",
            used.thumbprint.to_uppercase()
        ));
        remedy = remedy
            .step(Step::powershell(
                "Keep a copy of its public part.",
                format!("Export-Certificate -Cert {path} -FilePath C:\\rdp-certificate-before.cer"),
            ))
            .step(Step::powershell(
                "Keep a copy of the whole entry, so that it can be put back.",
                format!("reg export 'HKLM\\SOFTWARE\\Microsoft\\SystemCertificates\\Remote Desktop\\Certificates\\{}' C:\\rdp-certificate-before.reg /y", used.thumbprint.to_uppercase()),
            ))
            .step(Step::powershell("Remove the certificate in use.", format!("Remove-Item -LiteralPath {path}")))
            .undo(Step::cmd(
                "Import the entry again; its private key was not removed.",
                r"reg import C:\rdp-certificate-before.reg",
            ));
    } else {
        remedy = remedy.undo(Step::text(
            "Nothing was removed; a certificate that was made may stay.",
        ));
    }
    let mut remedy = remedy.step(restart()).verify(made());
    if snapshot.certificates.template.value().is_some() {
        remedy = remedy.step(Step::text(
            "A policy asks for a certificate by template: look at events 1064 to 1066 if no certificate comes.",
        ));
    }
    remedy
}

/// Mends the access to the key file, and nothing else.
pub(super) fn key_file(snapshot: &Snapshot) -> Remedy {
    let access = snapshot.certificates.machine_keys.value();
    let before = match access.and_then(|access| access.key.as_deref()) {
        Some(sddl) => format!(
            "The snapshot has the old access list as {}.",
            powershell_literal(sddl)
        ),
        None => "The snapshot does not have the old access list.".to_owned(),
    };
    Remedy::new("Give the service access to its private key")
        .risk(
            Risk::Medium,
            format!("Concerns the key file of Remote Desktop alone; do not take ownership of the whole folder, which other programs' keys live in. {before}"),
        )
        .step(Step::cmd(
            "Save the access list.",
            format!(r#"icacls "{KEY_FILE}" /save C:\mk-acl.txt"#),
        ))
        .step(Step::cmd(
            "Give SYSTEM and Administrators full control and NETWORK SERVICE read.",
            format!(r#"icacls "{KEY_FILE}" /grant *S-1-5-18:F *S-1-5-32-544:F *S-1-5-20:R"#),
        ))
        .step(restart())
        .undo(Step::cmd(
            "Put the access list back.",
            r"icacls C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys /restore C:\mk-acl.txt",
        ))
        .verify(made())
}

/// Removes a reference that leads nowhere.
pub(super) fn forget(reference: &Fact<Reference>) -> Remedy {
    let key = station(RDP_TCP);
    let path = powershell_literal(&key);
    let remedy = Remedy::new("Let Windows use its self-signed certificate instead of the missing one")
        .risk(
            Risk::Medium,
            "If the chosen certificate can be brought back with its private key, import it into the store Personal of the computer instead.",
        )
        .step(Step::cmd(
            "Save the listener.",
            r#"reg export "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp" C:\rdp-tcp-before.reg /y"#,
        ))
        .step(Step::powershell(
            "Remove the reference.",
            format!("Remove-ItemProperty -LiteralPath {path} -Name SSLCertificateSHA1Hash"),
        ))
        .step(restart())
        .verify(made());
    match reference.value() {
        Some(reference) => remedy.undo(Step::powershell(
            "Put the reference of the snapshot back.",
            format!(
                "New-ItemProperty -LiteralPath {path} -Name SSLCertificateSHA1Hash -PropertyType Binary -Force -Value ([byte[]]({}))",
                bytes(&reference.thumbprint)
            ),
        )),
        None => remedy.undo(Step::cmd("Import the listener.", r"reg import C:\rdp-tcp-before.reg")),
    }
}

/// Hexadecimal digits as a PowerShell list of bytes.
fn bytes(digits: &str) -> String {
    let pairs: Vec<String> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| format!("0x{}", String::from_utf8_lossy(pair)))
        .collect();
    pairs.join(",")
}

/// Puts a new chosen certificate in the place of the old one.
pub(super) fn replace(used: Option<&Certificate>) -> Remedy {
    const SETTING: &str = "Get-CimInstance -Namespace root/CIMV2/TerminalServices -ClassName Win32_TSGeneralSetting -Filter \"TerminalName='RDP-Tcp'\"";
    let remedy = Remedy::new("Choose a new certificate")
        .risk(
            Risk::Medium,
            "The new certificate needs a private key that NETWORK SERVICE may read, and the use Server Authentication. With a wrong one nobody gets in: keep another way in.",
        )
        .step(Step::text(
            "Have it issued by the authority that issued the old one, and import it with its private key into the store Personal of the computer.",
        ))
        .step(Step::powershell("List what is there.", "Get-ChildItem Cert:\\LocalMachine\\My | Format-List Subject, Thumbprint, NotAfter, HasPrivateKey"))
        .step(Step::powershell(
            "Choose it; put its thumbprint in the place of THUMBPRINT.",
            format!("{SETTING} | Set-CimInstance -Property @{{ SSLCertificateSHA1Hash = 'THUMBPRINT' }}"),
        ))
        .verify(Step::powershell("The new thumbprint is in force.", format!("({SETTING}).SSLCertificateSHA1Hash")));
    match used {
        Some(used) => remedy.undo(Step::powershell(
            "Choose the old one again.",
            format!(
                "{SETTING} | Set-CimInstance -Property @{{ SSLCertificateSHA1Hash = {} }}",
                powershell_literal(&used.thumbprint.to_uppercase())
            ),
        )),
        None => remedy.undo(Step::text(
            "The snapshot does not tell the old certificate.",
        )),
    }
}

/// Lets the service that renews run again.
pub(super) fn enable_renewal(service: &Service) -> Remedy {
    let old = service.start_number().unwrap_or(4);
    Remedy::new("Let the service that renews the certificate start")
        .risk(Risk::Low, "SessionEnv starts on demand on a healthy machine.")
        .step(Step::cmd("Let it start on demand.", "sc.exe config SessionEnv start= demand"))
        .step(restart())
        .undo(Step::cmd(
            "Put the old start type back.",
            format!(r"reg add HKLM\SYSTEM\CurrentControlSet\Services\SessionEnv /v Start /t REG_DWORD /d {old} /f"),
        ))
        .verify(Step::cmd("It is not disabled.", "sc.exe qc SessionEnv"))
}

/// Mends the clock.
pub(super) fn clock() -> Remedy {
    Remedy::new("Mend the clock")
        .risk(
            Risk::Medium,
            "A jump of the clock upsets schedules and Kerberos: look before you set it.",
        )
        .interrupts(Interruption::Nothing)
        .step(Step::cmd(
            "See how far the clock is from its source.",
            "w32tm /query /status",
        ))
        .step(Step::cmd("Take the time from there.", "w32tm /resync"))
        .undo(Step::text(
            "There is nothing to undo; if the source was wrong, set another one.",
        ))
        .verify(Step::cmd("The offset is small.", "w32tm /query /status"))
}
