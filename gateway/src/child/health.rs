//! Measures what takes longer than the loop may wait: the memory of each session.

use super::create::session_of;
use super::{Failure, argument};
use crate::os;
use crate::small_map::SmallMap;
use std::path::Path;

/// Arguments: state folder, gateway. Answer: `cpu=PERMILLE` where the loop cannot know it, and
/// `SESSION=BYTES` for each session with processes. Integers, because reading other numbers costs
/// 13 KB of the binary.
pub fn run(arguments: &[String]) -> Result<String, Failure> {
    let (state, gateway_id) = (Path::new(argument(arguments, 0)?), argument(arguments, 1)?);
    let cpu = os::cpu_percent().map(|percent| format!("cpu={}", (percent * 10.0).round() as u64));
    let memory = os::session_memory(|marker| session_of(marker, state, gateway_id));
    let sessions = memory.iter().map(|(session_id, bytes)| format!("{session_id}={bytes}"));
    Ok(cpu.into_iter().chain(sessions).collect::<Vec<_>>().join(" "))
}

/// What a measurement found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Work of all processors together, 0–100.
    pub cpu_percent: Option<f64>,
    /// Bytes of each session.
    pub memory: SmallMap<u32, u64>,
}

impl Measured {
    /// Reads an answer; what is no measurement is left out.
    pub fn read(answer: &str) -> Self {
        let mut measured = Self::default();
        for (name, value) in answer.split(' ').filter_map(|pair| pair.split_once('=')) {
            let Ok(value) = value.parse::<u64>() else { continue };
            if name == "cpu" {
                measured.cpu_percent = Some(value as f64 / 10.0);
            } else if let Ok(session_id) = name.parse() {
                measured.memory.insert(session_id, value);
            }
        }
        measured
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_leniently() {
        let measured = Measured::read("cpu=125 7=4096 x=1 8= 9=123");
        assert_eq!(measured.cpu_percent, Some(12.5));
        assert!(measured.memory.iter().eq([(&7, &4096), (&9, &123)]));
        assert_eq!(Measured::read(""), Measured::default());
    }
}
