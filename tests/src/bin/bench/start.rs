//! The binary itself: how large it is, and how soon it says hello.

use crate::Effort;
use crate::report::{Report, percentile};
use integration::gateway::{Gateway, binary};
use integration::mock_cp::MockCp;
use std::time::Instant;

/// Starts that are measured.
const STARTS: usize = 31;

/// Bytes of the binary that is measured.
pub fn size(report: &mut Report, _: Effort) {
    let bytes = binary().metadata().expect("the gateway is built").len();
    report.add("size.binary", "bytes of the binary", bytes as f64, "bytes");
}

/// From the start of the process to its first frame.
pub fn to_hello(report: &mut Report, effort: Effort) {
    let cp = MockCp::new();
    let mut gateway = Gateway::new(&cp.url());
    let sample = |_| {
        gateway.kill();
        let started = Instant::now();
        gateway.run();
        cp.accept();
        started.elapsed().as_secs_f64() * 1e3
    };
    let mut samples: Vec<f64> = (0..effort.samples(STARTS)).map(sample).collect();
    report.add("start.hello", "start → hello, median", percentile(&mut samples, 0.5), "ms");
}
