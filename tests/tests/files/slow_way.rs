//! Downloads on a slow way: they fill it, and a keystroke's echo waits for little more than a chunk.

use super::{content, workspace};
use integration::fixture::Stage;
use integration::slow_way::Way;
use integration::transfer::Download;
use std::time::{Duration, Instant};

/// A server behind a line of 1 Mbit/s.
const SLOW: Way = Way { bytes_per_second: 125_000, round_trip: Duration::from_millis(300) };

/// A chunk takes 1.05 s there, and at the beginning there may be two. Eight, which two downloads may
/// have under way by the contract, take more than 8 s.
const ECHO_WITHIN: Duration = Duration::from_millis(3_000);

/// Keys that are typed.
const KEYS: u8 = 4;

#[test]
fn downloads_on_a_slow_way_leave_room_for_an_echo() {
    let (mut stage, _way) = Stage::behind(SLOW);
    stage.open(1, 80, 24);
    stage.type_in(1, "stty raw -echo; echo raw-$((1+1)); exec cat\r");
    stage.expect(1, "raw-2");
    std::fs::write(workspace(&stage).join("file"), content(5 << 20)).expect("written");
    let mut going =
        [1, 2].map(|id| Download::begin(&mut stage, id, (None, "file")).expect("begun"));
    let started = Instant::now();
    for key in b'a'..b'a' + KEYS {
        let typed = Instant::now();
        stage.type_in(1, [key]);
        let seen = stage.until("the echo", |link| {
            for download in &mut going {
                download.advance(link).expect("no error");
            }
            link.stream(1).consume_through(&[key])?;
            link.stream(1).last_at
        });
        assert!(seen - typed < ECHO_WITHIN, "the echo of a key took {:?}", seen - typed);
    }
    let came: usize = going.iter().map(|download| download.content.len()).sum();
    let could = started.elapsed().as_secs_f64() * SLOW.bytes_per_second as f64;
    assert!(came as f64 > could * 0.5, "{came} bytes came, {could:.0} could have");
}
