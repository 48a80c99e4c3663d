//! What the operating system knows of this process, under the names that clients of Prometheus have for it. Where there
//! is no `/proc`, only what does not come from there is told.

use std::sync::OnceLock;

use accounts::Clock;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

const MEMORY: &str = "process_resident_memory_bytes";
const CPU: &str = "process_cpu_seconds_total";
const OPEN_FILES: &str = "process_open_fds";
const MOST_FILES: &str = "process_max_fds";
const STARTED: &str = "process_start_time_seconds";

/// Of these the kernel counts time in `/proc`, on every architecture.
const TICKS_PER_SECOND: u64 = 100;

/// When the counting began, in seconds since 1970.
static START: OnceLock<i64> = OnceLock::new();

/// Says what the numbers mean. To be called at the start, which is one of them.
pub(super) fn describe() {
    START.get_or_init(|| Clock::system().now().as_seconds());
    describe_gauge!(
        MEMORY,
        Unit::Bytes,
        "Physical memory that the process holds"
    );
    describe_counter!(
        CPU,
        Unit::Seconds,
        "Processor time that the process has used, in whole seconds"
    );
    describe_gauge!(OPEN_FILES, "Open files, connections included");
    describe_gauge!(MOST_FILES, "How many files may be open");
    describe_gauge!(
        STARTED,
        Unit::Seconds,
        "When the process began to count, since 1970"
    );
}

/// Takes them down.
pub(super) fn take_down() {
    if let Some(started) = START.get() {
        gauge!(STARTED).set(*started as f64);
    }
    if let Ok((most, _)) = rlimit::Resource::NOFILE.get() {
        gauge!(MOST_FILES).set(most as f64);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        // One of them is the folder that is being read.
        gauge!(OPEN_FILES).set(files.count().saturating_sub(1) as f64);
    }
    if let Some(bytes) = resident_bytes(&read("/proc/self/status")) {
        gauge!(MEMORY).set(bytes as f64);
    }
    if let Some(seconds) = cpu_seconds(&read("/proc/self/stat")) {
        counter!(CPU).absolute(seconds);
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// User and system time are the 14th and 15th field, counted behind the name, which may hold spaces.
fn cpu_seconds(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_kernel_are_read() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t   12 kB\n"), Some(12_288));
        assert_eq!(resident_bytes(""), None);
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 1 0 0 0 250 150 0 0 20 0 5 0 1 1 1";
        assert_eq!(cpu_seconds(stat), Some(4));
        assert_eq!(cpu_seconds("7 (a"), None);
    }
}
