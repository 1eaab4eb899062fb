//! What a server's processes cost: CPU time and memory, read from `/proc`.
//!
//! A server's processes are the one that was started and all that descend from it (vsftpd gives
//! each FTP session a session of processes of its own, so that id tells nothing). Time is read
//! while the FTP sessions are still open: no process that was there has ended in between. What a quick server needs for a
//! GiB is a few ticks, so the processes' own clocks are read, which count nanoseconds.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use nix::{
    sys::{
        resource::{UsageWho, getrusage},
        time::TimeValLike as _,
    },
    time::{ClockId, clock_gettime},
    unistd::Pid,
};

/// The kernel's clock ticks a second, which Linux shows to user space as 100.
const TICKS: f64 = 100.0;

struct Stat {
    parent: u32,
    /// Ticks of the children that have ended.
    reaped: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name is in parentheses and may hold spaces: the fields begin behind the last.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok());
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        reaped: number(13)? + number(14)?,
    })
}

/// Returns `leader` and all its descendants.
fn members(leader: u32) -> Vec<u32> {
    let Ok(dir) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let parents: Vec<(u32, u32)> = dir
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?.parent)))
        .collect();
    let mut members = vec![leader];
    let mut seen = 0;
    while seen < members.len() {
        let parent = members[seen];
        members.extend(
            parents
                .iter()
                .filter(|(_, p)| *p == parent)
                .map(|(c, _)| *c),
        );
        seen += 1;
    }
    members
}

/// Returns the CPU seconds of every process of a server, children that ended included.
pub(crate) fn cpu_seconds(leader: u32) -> f64 {
    let all = members(leader);
    let reaped: u64 = all.iter().filter_map(|&pid| Some(stat(pid)?.reaped)).sum();
    let own: f64 = all.into_iter().filter_map(own_cpu).sum();
    own + reaped as f64 / TICKS
}

/// Returns the CPU seconds of one process, threads that ended included.
fn own_cpu(pid: u32) -> Option<f64> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(pid).ok()?)).ok()?;
    Some(Duration::from(clock_gettime(clock).ok()?).as_secs_f64())
}

/// Returns the CPU seconds of this process's children that have ended.
pub(crate) fn children_cpu_seconds() -> f64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0.0, |usage| {
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        micros as f64 / 1e6
    })
}

/// Returns the proportional set size of every process of a server, in KiB.
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

/// Tells how the system's own TCP sends; the generator, and `ftpd` and `ftpc` within one machine, send by Reno.
pub(crate) fn congestion() -> String {
    let text = fs::read_to_string("/proc/sys/net/ipv4/tcp_congestion_control").unwrap_or_default();
    format!("net.ipv4.tcp_congestion_control is {}.\n\n", text.trim())
}

/// Tells what the scheduler's session groups do to a comparison, when they are on: a server with a
/// session of processes for each client (vsftpd) gets a share of the processor for each of them.
pub(crate) fn scheduler() -> &'static str {
    match fs::read_to_string("/proc/sys/kernel/sched_autogroup_enabled") {
        Ok(text) if text.trim() == "1" => {
            "kernel.sched_autogroup_enabled is 1: on a busy machine, servers that make a session of \
             processes for each client get more of the processor.\n\n"
        }
        _ => "",
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_busy_costs_time_and_what_has_ended_still_counts() {
        let before = cpu_seconds(std::process::id());
        let spin = std::thread::spawn(|| {
            let begun = thread_cpu();
            while thread_cpu() < begun + Duration::from_millis(3) {}
        });
        spin.join().unwrap();
        let cost = cpu_seconds(std::process::id()) - before;
        assert!(cost >= 0.003, "{cost}");
    }

    #[test]
    fn a_child_in_a_session_of_its_own_is_still_a_member() {
        let mut child = std::process::Command::new("setsid")
            .args(["sleep", "60"])
            .spawn()
            .unwrap();
        assert!(members(std::process::id()).contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
