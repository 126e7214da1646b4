//! Measures what takes longer than the loop may wait: the memory of each session.

use super::create::session_of;
use super::{Failure, argument};
use crate::os;
use std::path::Path;

/// Arguments: state folder, gateway. Answer: `cpu=PERMILLE` where the loop cannot know it, and
/// `SESSION=BYTES` for each session with processes.
pub fn run(arguments: &[String]) -> Result<String, Failure> {
    let (state, gateway_id) = (Path::new(argument(arguments, 0)?), argument(arguments, 1)?);
    let cpu = os::cpu_permille().map(|permille| format!("cpu={permille}"));
    let memory = os::session_memory(|marker| session_of(marker, state, gateway_id));
    let sessions = memory.iter().map(|(session_id, bytes)| format!("{session_id}={bytes}"));
    Ok(cpu.into_iter().chain(sessions).collect::<Vec<_>>().join(" "))
}

/// What a measurement found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Work of all processors together, 0–1000.
    pub cpu_permille: Option<u32>,
    /// Sessions and their bytes.
    pub memory: Vec<(u32, u64)>,
}

impl Measured {
    /// Bytes of a session.
    pub fn memory_of(&self, session_id: u32) -> Option<u64> {
        self.memory.iter().find(|(its, _)| *its == session_id).map(|(_, bytes)| *bytes)
    }

    /// Reads an answer; what is no measurement is left out.
    pub fn read(answer: &str) -> Self {
        let mut measured = Self::default();
        for (name, value) in answer.split(' ').filter_map(|pair| pair.split_once('=')) {
            if name == "cpu" {
                measured.cpu_permille = value.parse().ok();
            } else if let (Ok(session_id), Ok(bytes)) = (name.parse(), value.parse()) {
                measured.memory.push((session_id, bytes));
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
        assert_eq!(measured.cpu_permille, Some(125));
        assert_eq!(measured.memory, [(7, 4096), (9, 123)]);
        assert_eq!(Measured::read(""), Measured::default());
    }
}
