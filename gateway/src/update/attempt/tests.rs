//! Attempts that are killed between any two steps, on a disk that is a few values.

use super::*;

const OLD: &str = "0.1.0";
const NEW: &str = "0.2.0";

/// What the new version is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum New {
    Good,
    /// Ends soon after its start.
    Crashes,
    /// Runs and finds no control plane.
    Lonely,
}

/// Files hold the version of the binary that they are; steps after the power failed do nothing.
#[derive(Debug, Default)]
struct Model {
    binary: &'static str,
    kept: Option<&'static str>,
    new: Option<&'static str>,
    noted: Option<Record>,
    /// Steps that are still done.
    power: Option<u32>,
}

impl Model {
    fn dark(&mut self) -> bool {
        match &mut self.power {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }
}

const DARK: &str = "the power is off";

impl Disk for Model {
    fn record(&mut self) -> Option<Record> {
        self.noted.clone()
    }

    fn note(&mut self, record: &Record) -> Result<(), String> {
        if self.dark() {
            return Err(DARK.to_owned());
        }
        self.noted = Record::decode(&record.encode());
        assert_eq!(self.noted.as_ref(), Some(record));
        Ok(())
    }

    fn forget(&mut self) {
        if !self.dark() {
            self.noted = None;
        }
    }

    fn keep(&mut self) -> Result<(), String> {
        if self.dark() {
            return Err(DARK.to_owned());
        }
        self.kept = Some(self.binary);
        Ok(())
    }

    fn replace(&mut self) -> Result<(), String> {
        if self.dark() {
            return Err(DARK.to_owned());
        }
        assert!(self.kept.is_some(), "there is a way back");
        self.binary = self.new.take().expect("a tested file");
        Ok(())
    }

    fn restore(&mut self) -> Result<(), String> {
        if self.dark() {
            return Err(DARK.to_owned());
        }
        self.binary = self.kept.take().ok_or("nothing was kept")?;
        Ok(())
    }

    fn discard(&mut self) {
        if !self.dark() {
            self.new = None;
        }
    }
}

fn request() -> Record {
    Record {
        phase: Phase::Fetching,
        version: NEW.to_owned(),
        request_id: "r\n1".to_owned(),
        why: String::new(),
    }
}

/// The old version runs and is asked to update. Whether it becomes what has the binary's name.
fn update(disk: &mut Model) -> bool {
    if begin(disk, &request()).is_err() {
        return false;
    }
    if !disk.dark() {
        disk.new = Some(NEW);
    }
    disk.new.is_some() && swap(disk, &request()).is_ok() && !disk.dark()
}

/// One life of what has the binary's name; gives what was told, if it lived long enough.
fn live(disk: &mut Model, new: New) -> Option<&'static str> {
    // A process that yields becomes the other one, which starts at once.
    for _ in 0..3 {
        let version = disk.binary;
        let started = start(disk, version);
        if disk.power == Some(0) {
            return None;
        }
        match started {
            Start::Yield => {}
            Start::Ordinary => return Some("ordinary"),
            Start::Failed(_, (code, _)) => {
                assert_eq!(version, OLD);
                disk.forget();
                return (disk.power != Some(0)).then_some(code);
            }
            Start::Trial(record) => {
                assert_eq!(version, NEW);
                match new {
                    New::Crashes => return None,
                    New::Lonely => match go_back(disk, record, "no link") {
                        Start::Yield => {}
                        _ if disk.power == Some(0) => return None,
                        other => panic!("{other:?}"),
                    },
                    New::Good => {
                        disk.forget();
                        return (disk.power != Some(0)).then_some("updated");
                    }
                }
            }
        }
    }
    panic!("it changes its mind for ever: {disk:?}");
}

/// Whatever is cut where, a whole binary has the name; and when the power stays, it is the right
/// one, it has told what happened, and nothing is left over.
fn check(new: New, cuts: &[u32]) {
    let mut disk = Model { binary: OLD, ..Model::default() };
    let mut cuts = cuts.iter();
    disk.power = cuts.next().copied();
    let _ = update(&mut disk);
    let mut cut = disk.power == Some(0);
    let mut told = Vec::new();
    for _ in 0..8 {
        assert!([OLD, NEW].contains(&disk.binary));
        disk.power = if cut { cuts.next().copied() } else { None };
        told.extend(live(&mut disk, new));
        cut = disk.power == Some(0);
    }
    assert_eq!((&disk.noted, disk.new), (&None, None), "{new:?}");
    assert_eq!(told.last(), Some(&"ordinary"), "{told:?}");
    if new != New::Good {
        assert_eq!(disk.binary, OLD);
    }
    let updated = told.contains(&"updated");
    assert!(!updated || disk.binary == NEW, "{new:?} {told:?} {disk:?}");
}

#[test]
fn an_attempt_that_nothing_disturbs() {
    let mut disk = Model { binary: OLD, ..Model::default() };
    assert!(update(&mut disk));
    assert_eq!(live(&mut disk, New::Good), Some("updated"));
    assert_eq!((disk.binary, disk.kept), (NEW, Some(OLD)));
    for bad in [New::Crashes, New::Lonely] {
        let mut disk = Model { binary: OLD, ..Model::default() };
        assert!(update(&mut disk));
        let told = live(&mut disk, bad).or_else(|| live(&mut disk, bad));
        assert_eq!((told, disk.binary), (Some(codes::ROLLED_BACK), OLD));
        assert_eq!(live(&mut disk, bad), Some("ordinary"));
    }
}

#[test]
fn every_pair_of_cuts_leaves_the_right_binary() {
    for new in [New::Good, New::Crashes, New::Lonely] {
        for first in 0..12 {
            for second in 0..12 {
                for third in [0, 1, 2, 3, 99] {
                    check(new, &[first, second, third]);
                }
            }
        }
    }
}

#[test]
fn a_record_that_nobody_wrote_is_none() {
    for text in ["", "trial", "trial\n0.2.0", "trial\n0.2.0\nwhy", "other\n1\n2\n3"] {
        assert_eq!(Record::decode(text), None, "{text:?}");
    }
}

#[test]
fn a_new_version_that_cannot_go_back_goes_on() {
    let mut disk = Model { binary: OLD, ..Model::default() };
    assert!(update(&mut disk));
    assert!(matches!(start(&mut disk, NEW), Start::Trial(_)));
    disk.kept = None;
    let Start::Trial(record) = start(&mut disk, NEW) else { panic!("it goes on") };
    assert_eq!((record.phase, record.why.as_str()), (Phase::Trial, "nothing was kept"));
    assert_eq!(disk.binary, NEW);
}

/// A child that is killed leaves a gateway of the old version that may be asked again. What the
/// update before that one kept must not come back.
#[test]
fn an_attempt_that_was_cut_anywhere_is_repaired_by_the_next_one() {
    for cut in 0..12 {
        let kept = Some("0.0.9");
        let mut disk = Model { binary: OLD, kept, power: Some(cut), ..Model::default() };
        let _ = update(&mut disk);
        disk.power = None;
        begin(&mut disk, &request()).expect("noted");
        assert_eq!((disk.binary, disk.new), (OLD, None), "cut {cut}");
        assert!(update(&mut disk));
        assert_eq!((disk.binary, disk.kept), (NEW, Some(OLD)), "cut {cut}");
    }
}
