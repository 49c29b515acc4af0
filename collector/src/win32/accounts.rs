//! Accounts, groups, logon rights, lockout policy.

use std::ptr::null_mut;

use windows_sys::Wdk::System::SystemServices::RtlGetNtProductType;
use windows_sys::Win32::Foundation::{ERROR_GEN_FAILURE, LocalFree, STATUS_NO_MORE_ENTRIES};
use windows_sys::Win32::NetworkManagement::NetManagement::{
    FILTER_NORMAL_ACCOUNT, LOCALGROUP_MEMBERS_INFO_0, LOCALGROUP_MEMBERS_INFO_2, NetApiBufferFree,
    NetLocalGroupGetMembers, NetUserEnum, NetUserGetInfo, NetUserModalsGet, USER_INFO_0,
    USER_INFO_4, USER_MODALS_INFO_3,
};
use windows_sys::Win32::Security::Authentication::Identity::{
    LSA_ENUMERATION_INFORMATION, LSA_HANDLE, LSA_OBJECT_ATTRIBUTES, LSA_UNICODE_STRING, LsaClose,
    LsaEnumerateAccountsWithUserRight, LsaFreeMemory, LsaOpenPolicy, POLICY_LOOKUP_NAMES,
    POLICY_VIEW_LOCAL_INFORMATION,
};
use windows_sys::Win32::Security::Authorization::{ConvertSidToStringSidW, ConvertStringSidToSidW};
use windows_sys::Win32::Security::{LookupAccountSidW, PSID};
use windows_sys::Win32::System::Kernel::NtProductLanManNt;

use super::Windows;
use super::native::{owned_text, size_of_u32};
use super::wide::{checked, last_error, text, wide};
use crate::system::accounts::{Lockout, Member, User};
use crate::system::{Accounts, SysResult, os_error};

/// The largest name of a group or a domain, units.
const NAME_UNITS: usize = 256;
/// Bytes for one round of a list.
const ROUND: u32 = 64 << 10;
/// `ERROR_MORE_DATA`: the list goes on.
const MORE: u32 = 234;
/// Most rounds of a list.
const ROUNDS: u32 = 64;

/// A buffer that netapi32 has given.
struct NetBuffer(*mut u8);

impl Drop for NetBuffer {
    fn drop(&mut self) {
        // SAFETY: the buffer is ours, and null is allowed.
        unsafe { NetApiBufferFree(self.0.cast()) };
    }
}

impl Accounts for Windows {
    fn lockout_policy(&self) -> SysResult<Lockout> {
        let mut buffer = NetBuffer(null_mut());
        // SAFETY: null names this machine; the pointer lives through the call.
        let code = unsafe { NetUserModalsGet(std::ptr::null(), 3, &raw mut buffer.0) };
        checked("NetUserModalsGet", code)?;
        // SAFETY: level 3 gives one such structure.
        let policy = unsafe { buffer.0.cast::<USER_MODALS_INFO_3>().read_unaligned() };
        Ok(Lockout {
            threshold: policy.usrmod3_lockout_threshold,
            duration_s: policy.usrmod3_lockout_duration,
            window_s: policy.usrmod3_lockout_observation_window,
        })
    }

    fn group_members(&self, sid: &str) -> SysResult<Vec<Member>> {
        members(sid, 2, |rows, index| {
            // SAFETY: level 2 gives such structures, with a SID and a text that ends with a zero.
            let (sid, sid_use, name) = unsafe {
                let row = rows.cast::<LOCALGROUP_MEMBERS_INFO_2>().add(index);
                let row = row.read_unaligned();
                (
                    sid_text(row.lgrmi2_sid)?,
                    row.lgrmi2_sidusage,
                    owned_text(row.lgrmi2_domainandname),
                )
            };
            Ok(Member {
                sid,
                name,
                sid_use: sid_use.cast_unsigned(),
            })
        })
    }

    fn group_sids(&self, sid: &str) -> SysResult<Vec<String>> {
        members(sid, 0, |rows, index| {
            // SAFETY: level 0 gives such structures, each with a SID.
            unsafe {
                let row = rows.cast::<LOCALGROUP_MEMBERS_INFO_0>().add(index);
                sid_text(row.read_unaligned().lgrmi0_sid)
            }
        })
    }

    fn holders_of_right(&self, right: &str) -> SysResult<Vec<String>> {
        const CALL: &str = "LsaEnumerateAccountsWithUserRight";
        let policy = Policy::open()?;
        let mut units = wide(right);
        let bytes = u16::try_from((units.len() - 1) * 2).unwrap_or(0);
        let name = LSA_UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: units.as_mut_ptr(),
        };
        let (mut buffer, mut count) = (null_mut(), 0);
        // SAFETY: the policy is open, the name and its units live through the call.
        let status = unsafe {
            LsaEnumerateAccountsWithUserRight(
                policy.0,
                &raw const name,
                &raw mut buffer,
                &raw mut count,
            )
        };
        if status == STATUS_NO_MORE_ENTRIES {
            return Ok(Vec::new());
        }
        checked(CALL, status.cast_unsigned())?;
        let rows = buffer.cast::<LSA_ENUMERATION_INFORMATION>();
        let sids = (0..count as usize)
            // SAFETY: Windows gave so many rows, each with a SID.
            .map(|index| unsafe { sid_text((*rows.add(index)).Sid) })
            .collect();
        // SAFETY: the rows are ours, and nothing points to them any more.
        unsafe { LsaFreeMemory(buffer) };
        sids
    }

    fn is_domain_controller(&self) -> SysResult<bool> {
        let mut product = 0;
        // SAFETY: the number lives through the call.
        if !unsafe { RtlGetNtProductType(&raw mut product) } {
            return Err(os_error("RtlGetNtProductType", ERROR_GEN_FAILURE));
        }
        Ok(product == NtProductLanManNt)
    }

    fn user_names(&self) -> SysResult<Vec<String>> {
        const CALL: &str = "NetUserEnum";
        let mut names = Vec::new();
        let mut resume = 0;
        for _ in 0..ROUNDS {
            let mut buffer = NetBuffer(null_mut());
            let (mut read, mut total) = (0, 0);
            // SAFETY: null names this machine, and all out parameters live through the call.
            let code = unsafe {
                NetUserEnum(
                    std::ptr::null(),
                    0,
                    FILTER_NORMAL_ACCOUNT,
                    &raw mut buffer.0,
                    ROUND,
                    &raw mut read,
                    &raw mut total,
                    &raw mut resume,
                )
            };
            if code != MORE {
                checked(CALL, code)?;
            }
            for index in 0..read as usize {
                // SAFETY: level 0 gave so many names, each with a zero at its end.
                let name = unsafe {
                    let row = buffer.0.cast::<USER_INFO_0>().add(index).read_unaligned();
                    owned_text(row.usri0_name)
                };
                names.extend(name);
            }
            if code != MORE || read == 0 {
                return Ok(names);
            }
        }
        Err(os_error(CALL, MORE))
    }

    fn user(&self, name: &str) -> SysResult<User> {
        let name = wide(name);
        let mut buffer = NetBuffer(null_mut());
        // SAFETY: null names this machine, the name ends with a zero.
        let code = unsafe { NetUserGetInfo(std::ptr::null(), name.as_ptr(), 4, &raw mut buffer.0) };
        checked("NetUserGetInfo", code)?;
        // SAFETY: level 4 gives one such structure with a SID and texts that end with a zero.
        let (info, sid, name) = unsafe {
            let info = buffer.0.cast::<USER_INFO_4>().read_unaligned();
            (
                info,
                sid_text(info.usri4_user_sid)?,
                owned_text(info.usri4_name),
            )
        };
        Ok(User {
            sid,
            name: name.unwrap_or_default(),
            flags: info.usri4_flags,
            bad_password_count: info.usri4_bad_pw_count,
            expires: info.usri4_acct_expires,
            password_age_s: info.usri4_password_age,
            password_expired: info.usri4_password_expired != 0,
            last_logon: info.usri4_last_logon,
        })
    }
}

/// The members of the local group with that SID; `read` takes one out of the rows of that level.
fn members<T>(
    sid: &str,
    level: u32,
    read: impl Fn(*const u8, usize) -> SysResult<T>,
) -> SysResult<Vec<T>> {
    const CALL: &str = "NetLocalGroupGetMembers";
    let group = wide(name_of(sid)?);
    let mut members = Vec::new();
    let mut resume = 0;
    for _ in 0..ROUNDS {
        let mut buffer = NetBuffer(null_mut());
        let (mut count, mut total) = (0, 0);
        // SAFETY: null names this machine, the group's name ends with a zero, and all out
        // parameters live through the call.
        let code = unsafe {
            NetLocalGroupGetMembers(
                std::ptr::null(),
                group.as_ptr(),
                level,
                &raw mut buffer.0,
                ROUND,
                &raw mut count,
                &raw mut total,
                &raw mut resume,
            )
        };
        if code != MORE {
            checked(CALL, code)?;
        }
        for index in 0..count as usize {
            members.push(read(buffer.0, index)?);
        }
        if code != MORE || count == 0 {
            return Ok(members);
        }
    }
    Err(os_error(CALL, MORE))
}

/// The open policy of the local security authority.
struct Policy(LSA_HANDLE);

impl Policy {
    fn open() -> SysResult<Self> {
        let attributes = LSA_OBJECT_ATTRIBUTES {
            Length: size_of_u32::<LSA_OBJECT_ATTRIBUTES>(),
            ..LSA_OBJECT_ATTRIBUTES::default()
        };
        let access = (POLICY_VIEW_LOCAL_INFORMATION | POLICY_LOOKUP_NAMES).cast_unsigned();
        let mut policy = 0;
        // SAFETY: null names this machine; attributes and handle live through the call.
        let status = unsafe {
            LsaOpenPolicy(
                std::ptr::null(),
                &raw const attributes,
                access,
                &raw mut policy,
            )
        };
        checked("LsaOpenPolicy", status.cast_unsigned())?;
        Ok(Self(policy))
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        // SAFETY: the policy is open and ours.
        unsafe { LsaClose(self.0) };
    }
}

/// The text of a SID, `S-1-…`.
///
/// # Safety
/// The pointer is null or a valid SID.
unsafe fn sid_text(sid: PSID) -> SysResult<String> {
    let mut units = null_mut();
    // SAFETY: a null SID is refused; the pointer lives through the call.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut units) } == 0 {
        return Err(last_error("ConvertSidToStringSidW"));
    }
    // SAFETY: the text is ours until it is freed, and ends with a zero.
    let sid = unsafe {
        let sid = owned_text(units);
        LocalFree(units.cast());
        sid
    };
    Ok(sid.unwrap_or_default())
}

/// The name, in the language of the machine, of the group with that SID.
fn name_of(sid: &str) -> SysResult<String> {
    let units = wide(sid);
    let mut sid = null_mut();
    // SAFETY: the text ends with a zero; the pointer lives through the call.
    if unsafe { ConvertStringSidToSidW(units.as_ptr(), &raw mut sid) } == 0 {
        return Err(last_error("ConvertStringSidToSidW"));
    }
    let (mut name, mut domain) = ([0_u16; NAME_UNITS], [0_u16; NAME_UNITS]);
    let size = u32::try_from(NAME_UNITS).unwrap_or(0);
    let (mut name_size, mut domain_size, mut sid_use) = (size, size, 0);
    // SAFETY: the SID is valid, both buffers are as large as said.
    let done = unsafe {
        LookupAccountSidW(
            std::ptr::null(),
            sid,
            name.as_mut_ptr(),
            &raw mut name_size,
            domain.as_mut_ptr(),
            &raw mut domain_size,
            &raw mut sid_use,
        )
    };
    let answer = match done {
        0 => Err(last_error("LookupAccountSidW")),
        _ => Ok(text(&name)),
    };
    // SAFETY: the SID is ours, and nothing points to it any more.
    unsafe { LocalFree(sid) };
    answer
}
