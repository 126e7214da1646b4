//! The health of a machine over the last day: one sample each five minutes, in a ring.

use crate::limits::{HISTORY_INTERVAL_MS, HISTORY_SAMPLES};
use protocol::events::GatewayHealth;

/// How a machine was at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its place in the ring: what is there from a day before gives way.
    pub slot: u64,
    /// Milliseconds since the Unix epoch.
    pub at: u64,
    /// Of all processors together.
    pub cpu_percent: f64,
    /// Of the memory that there is.
    pub ram_percent: f64,
    /// Of the workspace's file system.
    pub disk_percent: f64,
}

impl Sample {
    /// What is kept of a health event that came at `now` (milliseconds).
    pub(super) fn of(health: &GatewayHealth, now: u64) -> Self {
        Self {
            slot: now / HISTORY_INTERVAL_MS % HISTORY_SAMPLES,
            at: now,
            cpu_percent: rounded(health.cpu_percent),
            ram_percent: share(health.ram_used_bytes, health.ram_total_bytes),
            disk_percent: share(health.disk_used_bytes, health.disk_total_bytes),
        }
    }
}

fn share(used: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { rounded(used as f64 * 100.0 / total as f64) }
}

/// To a tenth: what a chart shows.
fn rounded(percent: f64) -> f64 {
    let percent = if percent.is_nan() { 0.0 } else { percent.clamp(0.0, 100.0) };
    (percent * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(cpu_percent: f64, ram: (u64, u64), disk: (u64, u64)) -> GatewayHealth {
        GatewayHealth {
            timestamp: 0,
            cpu_percent,
            ram_used_bytes: ram.0,
            ram_total_bytes: ram.1,
            disk_used_bytes: disk.0,
            disk_total_bytes: disk.1,
            uptime_seconds: 0,
            last_activity_at: None,
            sessions: vec![],
        }
    }

    #[test]
    fn shares_are_percent_whatever_a_gateway_says() {
        let percents = |health: GatewayHealth| {
            let sample = Sample::of(&health, 0);
            [sample.cpu_percent, sample.ram_percent, sample.disk_percent]
        };
        assert_eq!(percents(health(12.345, (1, 3), (1, 1))), [12.3, 33.3, 100.0]);
        assert_eq!(percents(health(f64::NAN, (1, 0), (0, 0))), [0.0, 0.0, 0.0]);
        assert_eq!(percents(health(1e300, (9, 1), (u64::MAX, 1))), [100.0, 100.0, 100.0]);
        assert_eq!(percents(health(-1.0, (0, u64::MAX), (1, u64::MAX))), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_day_fills_the_ring_once() {
        let day = HISTORY_INTERVAL_MS * HISTORY_SAMPLES;
        assert_eq!(day, 24 * 3_600_000);
        let slot = |now| Sample::of(&health(0.0, (0, 1), (0, 1)), now).slot;
        let slots: std::collections::BTreeSet<u64> =
            (0..HISTORY_SAMPLES).map(|n| slot(7 + n * HISTORY_INTERVAL_MS)).collect();
        assert_eq!(slots.len() as u64, HISTORY_SAMPLES);
        assert_eq!(slot(7), slot(7 + day));
    }
}
