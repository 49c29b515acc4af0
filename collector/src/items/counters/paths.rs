//! The counters asked for, by English path. A fixed list: the cost of a query grows with it.

/// The object of processes whose instances carry the process id (Windows 11, Server 2022 and
/// later), and the counters that take its place elsewhere: `ID Process` says which process an
/// instance such as `svchost#12` was.
pub(super) const BY_PROCESS: (&str, [&str; 2]) = (
    r"\Process V2(*)\% Processor Time",
    [r"\Process(*)\% Processor Time", r"\Process(*)\ID Process"],
);

/// Everything else; what must not be lost to the bound on series comes first.
pub(super) const PATHS: &[&str] = &[
    r"\Memory\Available MBytes",
    r"\Memory\Committed Bytes",
    r"\Memory\Commit Limit",
    r"\Memory\% Committed Bytes In Use",
    r"\Memory\Pool Nonpaged Bytes",
    r"\Memory\Pool Paged Bytes",
    r"\Memory\Pages/sec",
    r"\Memory\Pages Input/sec",
    r"\Memory\Modified Page List Bytes",
    r"\Memory\Cache Bytes",
    r"\Memory\System Cache Resident Bytes",
    r"\Paging File(_Total)\% Usage",
    r"\System\Processor Queue Length",
    r"\System\Context Switches/sec",
    r"\System\System Up Time",
    r"\System\Processes",
    r"\System\Threads",
    r"\Process(_Total)\Handle Count",
    r"\TCPv4\Connections Established",
    r"\TCPv4\Connection Failures",
    r"\TCPv4\Connections Active",
    r"\TCPv4\Segments Retransmitted/sec",
    r"\Processor Information(_Total)\% User Time",
    r"\Processor Information(_Total)\% Idle Time",
    r"\Processor Information(_Total)\% Processor Utility",
    r"\Processor Information(_Total)\% of Maximum Frequency",
    r"\Processor Information(*)\% Processor Time",
    r"\Processor Information(*)\% Privileged Time",
    r"\Processor Information(*)\% DPC Time",
    r"\Processor Information(*)\% Interrupt Time",
    r"\Processor Information(*)\Parking Status",
    r"\Paging File(*)\% Usage",
    r"\Paging File(*)\% Usage Peak",
    r"\LogicalDisk(*)\% Free Space",
    r"\LogicalDisk(*)\Free Megabytes",
    r"\LogicalDisk(*)\Avg. Disk sec/Read",
    r"\LogicalDisk(*)\Avg. Disk sec/Write",
    r"\Network Interface(*)\Packets Outbound Errors",
];
