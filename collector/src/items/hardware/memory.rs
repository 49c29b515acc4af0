//! `system.memory` and `system.page-files`: what memory there is and what backs it.

use std::sync::Arc;

use snapdiag_bundle::State;
use snapdiag_bundle::records::{CommitCharge, MemoryTopology, PageFile, PageFiles};

use super::firmware_table;
use super::smbios::Smbios;
use crate::items::parts::Parts;
use crate::items::{Job, Outcome};

/// What the kernel puts before a path.
const KERNEL_PREFIX: &str = "\\??\\";

pub(super) fn collect(job: &mut Job) -> Outcome {
    let system = Arc::clone(&job.system);
    let hardware = system.hardware();
    let mut parts = Parts::default();
    let table = parts.take(firmware_table(hardware));
    let status = parts.take(hardware.memory_status());
    let info = parts.take(hardware.performance_info());
    let memory = MemoryTopology {
        installed_kib: parts.take(hardware.installed_kib()),
        visible_bytes: status.map(|status| status.total_bytes),
        available_bytes: status.map(|status| status.available_bytes),
        commit: info.map(|info| CommitCharge {
            total_bytes: info.bytes(info.commit_total),
            limit_bytes: info.bytes(info.commit_limit),
            peak_bytes: info.bytes(info.commit_peak),
        }),
        page_bytes: info.map(|info| info.page_bytes),
        smbios: table
            .map(|table| Smbios::read(&table).memory())
            .unwrap_or_default(),
    };
    parts.finish(job, "system/memory.json", &memory, "GlobalMemoryStatusEx")
}

pub(super) fn collect_page_files(job: &mut Job) -> Outcome {
    const METHOD: &str = "EnumPageFilesW";
    let system = Arc::clone(&job.system);
    let hardware = system.hardware();
    let mut parts = Parts::default();
    let files = parts.take(hardware.page_files());
    // Without the size of a page the numbers of pages say nothing.
    let info = parts.take(hardware.performance_info());
    let (Some(files), Some(info)) = (files, info) else {
        return parts.failed(METHOD);
    };
    if files.is_empty() {
        return Outcome::new(State::Empty).by(METHOD);
    }
    let page_files = files.into_iter().map(|file| PageFile {
        path: match file.path.strip_prefix(KERNEL_PREFIX) {
            Some(path) => path.to_owned(),
            None => file.path,
        },
        size_bytes: info.bytes(file.total),
        used_bytes: info.bytes(file.used),
        peak_bytes: info.bytes(file.peak),
    });
    let record = PageFiles {
        page_files: page_files.collect(),
    };
    parts.finish(job, "system/page-files.json", &record, METHOD)
}

#[cfg(test)]
mod tests {
    use super::super::smbios::tests::{body, raw, structure};
    use super::*;
    use crate::items::testing::run;
    use crate::system::hardware::{MemoryStatus, PageFileUse, PerformanceInfo};
    use crate::system::{Hardware, SysResult, System, not_implemented, os_error};
    use snapdiag_bundle::records::SmbiosMemory;

    #[derive(Default)]
    struct Machine {
        files: Vec<&'static str>,
        no_pages: bool,
    }

    impl System for Machine {
        fn hardware(&self) -> &dyn Hardware {
            self
        }
    }

    impl Hardware for Machine {
        fn memory_status(&self) -> SysResult<MemoryStatus> {
            Ok(MemoryStatus {
                total_bytes: 4 << 30,
                available_bytes: 1 << 30,
            })
        }
        fn performance_info(&self) -> SysResult<PerformanceInfo> {
            if self.no_pages {
                return not_implemented("GetPerformanceInfo");
            }
            Ok(PerformanceInfo {
                page_bytes: 4096,
                commit_total: 10,
                commit_limit: 30,
                commit_peak: 20,
                paged_pool: 1,
                nonpaged_pool: 2,
                handles: 3,
            })
        }
        fn installed_kib(&self) -> SysResult<u64> {
            Err(os_error("GetPhysicallyInstalledSystemMemory", 13))
        }
        fn firmware_table(&self) -> SysResult<Vec<u8>> {
            let device = body(0x11, &[(0x0C, &4096_u16.to_le_bytes())]);
            Ok(raw(&[structure(17, &device, &[])]))
        }
        fn page_files(&self) -> SysResult<Vec<PageFileUse>> {
            let files = self.files.iter().map(|path| PageFileUse {
                path: (*path).to_owned(),
                total: 4,
                used: 1,
                peak: 2,
            });
            Ok(files.collect())
        }
    }

    #[test]
    fn the_firmware_stands_in_for_the_installed_size() {
        let ran = run(Machine::default(), collect);
        assert_eq!(ran.outcome.state, State::Truncated);
        let memory: MemoryTopology = ran.record("system/memory.json");
        assert_eq!(memory.installed_kib, None);
        assert_eq!(memory.visible_bytes, Some(4 << 30));
        assert_eq!(memory.commit.unwrap().limit_bytes, 30 * 4096);
        let device = SmbiosMemory::Device {
            size_kib: Some(4 << 20),
            locator: None,
        };
        assert_eq!(memory.smbios, [device]);
    }

    #[test]
    fn page_files_are_counted_in_bytes() {
        let files = vec!["\\??\\C:\\pagefile.sys", "D:\\pagefile.sys"];
        let machine = || Machine {
            files: files.clone(),
            no_pages: false,
        };
        let ran = run(machine(), collect_page_files);
        assert_eq!(ran.outcome, Outcome::ok("EnumPageFilesW"));
        let record: PageFiles = ran.record("system/page-files.json");
        let paths: Vec<&str> = record.page_files.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["C:\\pagefile.sys", "D:\\pagefile.sys"]);
        assert_eq!(record.page_files[0].peak_bytes, 8192);
    }

    #[test]
    fn no_page_file_is_an_answer_and_no_size_of_a_page_is_not() {
        let none = run(Machine::default(), collect_page_files);
        assert_eq!(none.outcome.state, State::Empty);
        let no_pages = Machine {
            no_pages: true,
            ..Machine::default()
        };
        let ran = run(no_pages, collect_page_files);
        assert_eq!(ran.outcome.state, State::Failed);
        assert!(ran.artifacts.is_empty());
    }
}
