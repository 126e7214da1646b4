//! A program with its debug file: what an address is in the source, and what stands there in code.

use super::calls::{self, Call};
use super::chain::Fit;
use crate::Result;
use addr2line::Loader;
use object::{Architecture, Object as _, ObjectSection as _, ObjectSegment as _, SectionKind};
use std::path::{Path, PathBuf};

/// Instructions of a program.
pub struct Code {
    architecture: Architecture,
    /// Address and bytes of each section.
    sections: Vec<(u64, Vec<u8>)>,
}

/// One build.
pub struct Program {
    /// Where the debug file is.
    pub path: PathBuf,
    /// Its build id or UUID, in hexadecimal digits.
    pub build: String,
    /// Its instructions, which a debug file does not have, but the binary beside it.
    pub code: Option<Code>,
    loader: Loader,
    /// What an address of the log is relative to, in the addresses of the file.
    base: u64,
}

impl Program {
    /// Reads a debug file, or a program with its symbols.
    ///
    /// # Errors
    /// When it cannot be read, or has no build id.
    pub fn open(path: &Path) -> Result<Self> {
        let Read { build, base, mut code } = read(path)?;
        let beside = path.with_extension("");
        if code.is_none()
            && let Ok(other) = read(&beside)
            && other.build == build
        {
            code = other.code;
        }
        let loader = Loader::new(path).map_err(|error| error.to_string())?;
        Ok(Self { path: path.to_owned(), build, code, loader, base })
    }

    fn call_before(&self, at: u64) -> Option<Call> {
        let Some(code) = &self.code else { return Some(Call::Indirect) };
        calls::before(code.architecture, self.base + at, |from, length| code.bytes(from, length))
    }

    /// Whether a call may return to an address.
    pub fn follows_call(&self, at: u64) -> bool {
        self.call_before(at).is_some()
    }

    /// How well the call before `at` explains that the processor came to `inner`.
    pub fn fit(&self, at: u64, inner: u64) -> Fit {
        let function = |at| self.loader.find_symbol_info(at).map(|symbol| symbol.address());
        match self.call_before(at) {
            Some(Call::Direct(to)) if function(to) == function(self.base + inner) => Fit::Sure,
            Some(Call::Direct(_)) => Fit::Unlikely,
            _ => Fit::Possible,
        }
    }

    /// The functions and lines of an address, those that were inlined first. `probe` is looked up,
    /// `shown` is what is printed.
    pub fn explain(&self, shown: u64, probe: u64) -> String {
        let probe = self.base + probe;
        let mut lines = Vec::new();
        if let Ok(mut frames) = self.loader.find_frames(probe) {
            while let Ok(Some(frame)) = frames.next() {
                let name = frame.function.as_ref().and_then(|name| name.raw_name().ok());
                let place = frame.location.map(|place| {
                    let [line, column] = [place.line, place.column].map(Option::unwrap_or_default);
                    format!("{}:{line}:{column}", place.file.unwrap_or("?"))
                });
                let name = name.map(|name| plain(&name));
                lines.extend(name.map(|name| (name, place.unwrap_or_default())));
            }
        }
        // Lines have short names; that of the function around all of them is known in full.
        if let Some(name) = self.loader.find_symbol(probe).map(plain) {
            match lines.last_mut() {
                Some((short, _)) if name.ends_with(&**short) => *short = name,
                Some(_) => {}
                None => lines.push((name, String::new())),
            }
        }
        let mut text = String::new();
        if lines.is_empty() {
            lines.push(("unknown".to_owned(), String::new()));
        }
        for (index, (name, place)) in lines.iter().enumerate() {
            let place = if place.is_empty() { String::new() } else { format!(" at {place}") };
            text += &match index {
                0 => format!("  +{shown:<8x} {name}{place}\n"),
                _ => format!("         in {name}{place}\n"),
            };
        }
        text
    }
}

/// Without the hash at the end.
fn plain(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

impl Code {
    fn bytes(&self, from: u64, length: usize) -> Option<&[u8]> {
        self.sections.iter().find_map(|(start, bytes)| {
            let from = usize::try_from(from.checked_sub(*start)?).ok()?;
            bytes.get(from..from.checked_add(length)?)
        })
    }
}

/// What is read of a file.
struct Read {
    build: String,
    base: u64,
    code: Option<Code>,
}

/// The build id of a file, where its first byte is meant to be, and its instructions if it has them.
fn read(path: &Path) -> Result<Read> {
    let bytes = std::fs::read(path)?;
    let file = object::File::parse(&*bytes)?;
    let build = match file.build_id()? {
        Some(id) => id.to_vec(),
        None => file.mach_uuid()?.ok_or("it has no build id")?.to_vec(),
    };
    let text = file.sections().filter(|section| section.kind() == SectionKind::Text);
    let sections =
        text.filter_map(|section| Some((section.address(), section.data().ok()?.to_vec())));
    let sections: Vec<_> = sections.filter(|(_, bytes)| !bytes.is_empty()).collect();
    let code = Code { architecture: file.architecture(), sections };
    let build = build.iter().map(|byte| format!("{byte:02x}")).collect();
    // Programs of macOS are not linked for address 0, as position-independent ones of Linux are.
    let text = file.segments().find(|segment| matches!(segment.name(), Ok(Some("__TEXT"))));
    let base = text.map_or(0, |segment| segment.address());
    Ok(Read { build, base, code: (!code.sections.is_empty()).then_some(code) })
}
