//! The only platform-specific code.

pub mod fatal;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub mod relro;
#[cfg(target_os = "linux")]
mod scope;
#[cfg(target_os = "linux")]
pub use {linux::*, scope::scope};

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub use macos::*;

/// The clock that systemd compares, in microseconds.
pub fn monotonic_microseconds() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000)
}

/// Memory and load of the machine at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Bytes of memory in use, caches aside.
    pub ram_used: u64,
    /// Bytes of memory.
    pub ram_total: u64,
    /// Seconds since the machine started.
    pub uptime_seconds: u64,
    /// Processors that work, those that [`Machine::cpu_total`] is of.
    pub cpus: u32,
    /// Processor time spent working since the start, in any unit.
    pub cpu_busy: u64,
    /// Processor time in all since the start, in the same unit.
    pub cpu_total: u64,
}
