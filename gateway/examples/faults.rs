//! Faults on purpose, built as a release is, for the test of what they leave in the log.
#![allow(clippy::panic, clippy::indexing_slicing)]

use chatcode_gateway::{identity, log, os};
use std::hint::black_box;

fn main() {
    log::init(log::Level::Info, log::Format::detect());
    os::fatal::arm(&identity::OWN);
    match std::env::args().nth(1).as_deref() {
        Some("index") => println!("{}", sum_of(black_box(&[1, 2, 3]), 4)),
        Some("unwrap") => println!("{}", parsed(black_box("seven"))),
        Some("overflow") => println!("{}", depth_of(1)),
        _ => eprintln!("name a fault: index, unwrap or overflow"),
    }
}

#[inline(never)]
fn sum_of(numbers: &[u32], count: usize) -> u32 {
    let sum = (0..count).map(|place| number_at(numbers, place)).sum();
    black_box(sum)
}

#[inline(never)]
fn number_at(numbers: &[u32], place: usize) -> u32 {
    black_box(place);
    numbers[place]
}

#[inline(never)]
#[allow(clippy::unwrap_used)]
fn parsed(text: &str) -> u32 {
    let number = text.parse::<u32>().unwrap();
    black_box(number)
}

#[inline(never)]
#[allow(unconditional_recursion, reason = "it runs over the stack")]
fn depth_of(level: u64) -> u64 {
    let filled = black_box([level; 32]);
    black_box(depth_of(filled[0] + 1)) + filled[31]
}
