//! The samples of a machine's health, in the storage of its hub.

use super::hub::Core;
use super::now;
use crate::hub::history::Sample;
use crate::limits::{HISTORY_INTERVAL_MS, HISTORY_SAMPLES};
use serde_json::{Value, json};
use worker::{Result, SqlStorageValue};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS history (slot INTEGER PRIMARY KEY, \
                     at REAL NOT NULL, cpu REAL NOT NULL, ram REAL NOT NULL, disk REAL NOT NULL)";

/// The first sample of an interval stays: what comes after it costs no write.
const KEEP: &str = "INSERT INTO history (slot, at, cpu, ram, disk) VALUES (?, ?, ?, ?, ?) \
                    ON CONFLICT (slot) DO UPDATE SET at = excluded.at, cpu = excluded.cpu, \
                    ram = excluded.ram, disk = excluded.disk WHERE excluded.at - at >= ?";

impl Core {
    /// Keeps a sample, unless one of its interval is kept.
    pub(super) fn keep_sample(&self, sample: &Sample) -> Result<()> {
        let sql = self.state.storage().sql();
        sql.exec(TABLE, None)?;
        let numbers = [
            sample.slot as f64,
            sample.at as f64,
            sample.cpu_percent,
            sample.ram_percent,
            sample.disk_percent,
            HISTORY_INTERVAL_MS as f64,
        ];
        let values: Vec<SqlStorageValue> = numbers.map(SqlStorageValue::Float).into();
        sql.exec(KEEP, Some(values)).map(drop)
    }

    /// The samples of the last day as the API shows them, oldest first.
    pub(super) fn history(&self) -> Result<Value> {
        let sql = self.state.storage().sql();
        sql.exec(TABLE, None)?;
        let since = now().saturating_sub(HISTORY_INTERVAL_MS * HISTORY_SAMPLES) as f64;
        let rows = sql.exec(
            "SELECT at, cpu, ram, disk FROM history WHERE at > ? ORDER BY at",
            vec![SqlStorageValue::Float(since)],
        )?;
        let samples = rows.raw().flatten().map(|row| {
            let mut numbers = row.iter().map(number);
            let mut next = || numbers.next().unwrap_or(0.0);
            json!({
                "at": next() as u64,
                "cpu_percent": next(),
                "ram_percent": next(),
                "disk_percent": next(),
            })
        });
        Ok(json!({
            "interval_ms": HISTORY_INTERVAL_MS, "samples": samples.collect::<Vec<_>>(),
        }))
    }

    /// Forgets all of it: the server is deleted.
    pub(super) fn forget_history(&self) -> Result<()> {
        self.state.storage().sql().exec("DROP TABLE IF EXISTS history", None).map(drop)
    }
}

fn number(value: &SqlStorageValue) -> f64 {
    match value {
        SqlStorageValue::Float(number) => *number,
        SqlStorageValue::Integer(number) => *number as f64,
        _ => 0.0,
    }
}
