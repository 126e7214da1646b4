//! The properties of `fuzz/properties` on their corpora and on a fixed number of seeded mutations.
//!
//! `FUZZ_SEED=<n> cargo test -p integration --test fuzz` begins elsewhere; cargo-fuzz looks further.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use fuzz_properties::{TARGETS, Target, mutate::mutation};
use std::panic::catch_unwind;
use std::path::PathBuf;

/// Mutations of each corpus: as many as a debug build checks in a few seconds all together.
const MUTATIONS: u64 = 1_000;

/// Names the first seed, in place of 0.
const SEED: &str = "FUZZ_SEED";

fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = integration::repository().join("fuzz/corpus").join(target.name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("a seed"))).collect()
}

/// The input as Rust source, for a unit test beside the parser.
fn source(input: &[u8]) -> String {
    format!("b\"{}\"", input.escape_ascii())
}

fn check(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "{name} has a corpus");
    for (path, input) in &corpus {
        let outcome = catch_unwind(|| (target.check)(input));
        assert!(outcome.is_ok(), "{name} fails on {}", path.display());
    }
    let inputs: Vec<Vec<u8>> = corpus.into_iter().map(|(_, input)| input).collect();
    let first = std::env::var(SEED).map_or(0, |seed| seed.parse().expect("a number"));
    for seed in first..first + MUTATIONS {
        let input = mutation(&inputs, seed);
        let outcome = catch_unwind(|| (target.check)(&input));
        assert!(outcome.is_ok(), "{name} fails with {SEED}={seed} on\n{}", source(&input));
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        #[test]
        fn every_target_is_tried() {
            let tried = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|target| target.name).as_slice(), tried);
            for name in tried {
                let file = integration::repository().join(format!("fuzz/fuzz_targets/{name}.rs"));
                assert!(file.is_file(), "{} is missing", file.display());
            }
        }
    };
}

targets! {
    config control_mode frames hub messages modes session snapshot ssh_keys survey transfers
    update upgrade
}

#[test]
fn a_failing_input_is_told_as_source() {
    assert_eq!(source(b"a\x1b\"\xff"), "b\"a\\x1b\\\"\\xff\"");
}
