//! What a server's processes cost: CPU time and memory, read from `/proc`.
//!
//! A server is started as the leader of its own session, so its processes are all those with its
//! session id. Time is read while the FTP sessions are still open: no process has ended in between.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};

/// The kernel's clock ticks a second, which Linux shows to user space as 100.
const TICKS: f64 = 100.0;

struct Stat {
    session: u32,
    ticks: u64,
    reaped: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name is in parentheses and may hold spaces: the fields begin behind the last.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok());
    Some(Stat {
        session: u32::try_from(number(3)?).ok()?,
        ticks: number(11)? + number(12)?,
        reaped: number(13)? + number(14)?,
    })
}

fn members(leader: u32) -> Vec<u32> {
    let Ok(dir) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    dir.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| stat(*pid).is_some_and(|stat| stat.session == leader))
        .collect()
}

/// Returns the CPU seconds of every process of the session, children that ended included.
pub(crate) fn cpu_seconds(leader: u32) -> f64 {
    let ticks: u64 = members(leader)
        .into_iter()
        .filter_map(stat)
        .map(|stat| stat.ticks + stat.reaped)
        .sum();
    ticks as f64 / TICKS
}

/// Returns the CPU seconds of this process's children that have ended.
pub(crate) fn children_cpu_seconds() -> f64 {
    stat(std::process::id()).map_or(0.0, |stat| stat.reaped as f64 / TICKS)
}

/// Returns the proportional set size of every process of the session, in KiB.
pub(crate) fn pss_kib(leader: u32) -> Result<u64> {
    let mut total = 0;
    for pid in members(leader) {
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else {
            continue;
        };
        total += text
            .lines()
            .find_map(|line| line.strip_prefix("Pss:"))
            .and_then(|rest| {
                rest.trim()
                    .trim_end_matches("kB")
                    .trim()
                    .parse::<u64>()
                    .ok()
            })
            .with_context(|| format!("no Pss of process {pid}"))?;
    }
    Ok(total)
}

/// Returns the CPU time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        now.tv_sec.unsigned_abs(),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}

/// Returns the kernel's release and the processor's name.
pub(crate) fn machine() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("Linux {}, {model}, {cores} cores", kernel.trim())
}

/// Returns the load of the last minute, which a reader holds against the spread.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

/// Returns the kind of file system below `dir`.
pub(crate) fn file_system(dir: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(point, _)| dir.starts_with(point))
        .max_by_key(|(point, _)| point.len())
        .map_or("an unknown file system".to_owned(), |(_, kind)| {
            kind.to_owned()
        })
}
