//! Checks of a Mach-O file, which cannot be run here: what macOS is told of it.

use super::{Check, must, signature};
use crate::dist::MINIMUM_MACOS;
use crate::dist::targets::Target;
use object::Endianness;
use object::macho::{self, MachHeader64};
use object::read::macho::{LoadCommandVariant, MachHeader, Segment as _};

/// Libraries that every macOS has in its cache of libraries.
const OF_THE_SYSTEM: &[&str] =
    &["/usr/lib/libSystem.B.dylib", "/usr/lib/libiconv.2.dylib", "/usr/lib/libcharset.1.dylib"];

type Header = MachHeader64<Endianness>;

/// What the load commands say, read once.
#[derive(Default)]
struct Read<'data> {
    libraries: Vec<String>,
    /// Name, rights at the start, rights that it may ever have, flags.
    segments: Vec<(String, macho::VmProt, macho::VmProt, macho::SegmentFlags)>,
    uuid: Option<[u8; 16]>,
    minimum: Option<u32>,
    signature: Option<&'data macho::LinkeditDataCommand<Endianness>>,
    symbols: u32,
    lines: bool,
}

/// All checks of the stripped file and of the one with its symbols.
pub fn check(target: &Target, stripped: &[u8], symbols: &[u8]) -> Vec<Check> {
    checks(target, stripped, symbols)
        .unwrap_or_else(|error| vec![("Mach-O", Err(error.to_string()))])
}

fn checks(target: &Target, stripped: &[u8], symbols: &[u8]) -> object::Result<Vec<Check>> {
    let header = Header::parse(stripped, 0)?;
    let endian = header.endian()?;
    let (file, debug) = (read(stripped)?, read(symbols)?);
    let flags = header.flags(endian);
    let mut checks = kind(target, header, endian, &file);
    checks.extend(rights(&file, flags));
    checks.push(must("stripped", !file.lines, || "it has lines for a debugger".to_owned()));
    checks.push(must("symbols", debug.symbols > file.symbols, || {
        format!("the debug file has {} symbols, the binary {}", debug.symbols, file.symbols)
    }));
    checks.push(must("build id", file.uuid.is_some() && file.uuid == debug.uuid, || {
        format!("the binary has {:x?}, the debug file {:x?}", file.uuid, debug.uuid)
    }));
    // Apple's own processors run nothing without one.
    if target.triple.starts_with("aarch64") {
        checks.push(("signature", signature::check(stripped, endian, file.signature)));
    }
    Ok(checks)
}

fn read(data: &[u8]) -> object::Result<Read<'_>> {
    let header = Header::parse(data, 0)?;
    let endian = header.endian()?;
    let mut found = Read::default();
    let mut commands = header.load_commands(endian, data, 0)?;
    while let Some(command) = commands.next()? {
        match command.variant()? {
            LoadCommandVariant::Dylib(library) => {
                let name = command.string(endian, library.dylib.name)?;
                found.libraries.push(String::from_utf8_lossy(name).into_owned());
            }
            LoadCommandVariant::Segment64(segment, _) => {
                let name = String::from_utf8_lossy(segment.name()).into_owned();
                found.lines |= name == "__DWARF";
                let rights = (segment.initprot(endian), segment.maxprot(endian));
                found.segments.push((name, rights.0, rights.1, segment.flags(endian)));
            }
            LoadCommandVariant::Uuid(uuid) => found.uuid = Some(uuid.uuid),
            LoadCommandVariant::BuildVersion(version, _)
                if version.platform.get(endian) == macho::PLATFORM_MACOS =>
            {
                found.minimum = Some(version.minos.get(endian).0);
            }
            LoadCommandVariant::VersionMin(version) => {
                found.minimum = Some(version.version.get(endian).0);
            }
            LoadCommandVariant::Symtab(table) => found.symbols = table.nsyms.get(endian),
            LoadCommandVariant::LinkeditData(data)
                if data.cmd.get(endian) == macho::LC_CODE_SIGNATURE =>
            {
                found.signature = Some(data);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// What it is, and what it needs to start.
fn kind(target: &Target, header: &Header, endian: Endianness, file: &Read) -> Vec<Check> {
    let wanted = if target.triple.starts_with("aarch64") {
        macho::CPU_TYPE_ARM64
    } else {
        macho::CPU_TYPE_X86_64
    };
    let processor = header.cputype(endian);
    let right = processor == wanted && header.filetype(endian) == macho::MH_EXECUTE;
    let foreign = file.libraries.iter().find(|name| !OF_THE_SYSTEM.contains(&name.as_str()));
    vec![
        must("architecture", right, || format!("it is for processor {processor:?}")),
        must("system libraries", foreign.is_none() && !file.libraries.is_empty(), || {
            format!("it needs {}", foreign.map_or("no library at all", String::as_str))
        }),
        must("position-independent", header.flags(endian).contains(macho::MH_PIE), || {
            "macOS would always put it at the same address".to_owned()
        }),
        must("minimum macOS", file.minimum == Some(version(MINIMUM_MACOS)), || {
            format!("it says {:#x?}, and not {MINIMUM_MACOS}", file.minimum)
        }),
    ]
}

/// A version as macOS has it: the minor one in the second byte.
fn version(text: &str) -> u32 {
    let mut numbers = text.split('.').map(|word| word.parse::<u32>().unwrap_or_default());
    numbers.next().unwrap_or_default() << 16 | numbers.next().unwrap_or_default() << 8
}

/// What of it can be written or executed.
fn rights(file: &Read, flags: macho::FileFlags) -> Vec<Check> {
    let both = |rights: macho::VmProt| {
        rights.contains(macho::VM_PROT_WRITE) && rights.contains(macho::VM_PROT_EXECUTE)
    };
    let broken = file.segments.iter().find(|(_, first, most, _)| both(*first) || both(*most));
    // What dyld fills in is read-only from then on.
    let constant = file
        .segments
        .iter()
        .any(|(name, .., flags)| name == "__DATA_CONST" && flags.contains(macho::SG_READ_ONLY));
    vec![
        must("W^X", broken.is_none(), || {
            let name = broken.map(|(name, ..)| name.as_str()).unwrap_or_default();
            format!("{name} can be written and executed")
        }),
        must("stack", !flags.contains(macho::MH_ALLOW_STACK_EXECUTION), || {
            "the stack can be executed".to_owned()
        }),
        must("RELRO", constant, || "no __DATA_CONST that becomes read-only".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::checks::failing;
    use crate::dist::checks::samples::MachO;
    use crate::dist::targets::named;

    fn wrong(triple: &str, stripped: &[u8], symbols: &[u8]) -> Vec<&'static str> {
        failing(&check(named(triple).expect("a target"), stripped, symbols))
    }

    fn wrong_on_arm(stripped: &[u8], symbols: &[u8]) -> Vec<&'static str> {
        wrong("aarch64-apple-darwin", stripped, symbols)
    }

    #[test]
    fn each_fault_of_the_binary_is_found_by_its_own_check() {
        type Fault = fn(&mut MachO);
        let faults: &[(&str, Fault)] = &[
            ("architecture", |it| it.processor = macho::CPU_TYPE_X86_64),
            ("system libraries", |it| it.library = "/usr/local/lib/libfoo.dylib"),
            ("position-independent", |it| it.flags = macho::FileFlags(0)),
            ("minimum macOS", |it| it.minimum = 15 << 16),
            ("W^X", |it| it.segments[0].1 = macho::VM_PROT_WRITE | macho::VM_PROT_EXECUTE),
            ("stack", |it| it.flags = macho::MH_PIE | macho::MH_ALLOW_STACK_EXECUTION),
            ("RELRO", |it| it.segments[1].2 = macho::SegmentFlags(0)),
            ("stripped", |it| it.segments[2].0 = "__DWARF"),
            ("symbols", |it| it.symbols = 100),
            ("build id", |it| it.uuid = [7; 16]),
            ("signature", |it| it.signed = false),
        ];
        let debug = MachO::debug().bytes();
        assert_eq!(wrong_on_arm(&MachO::stripped().bytes(), &debug), Vec::<&str>::new());
        for (name, fault) in faults {
            let mut file = MachO::stripped();
            fault(&mut file);
            assert_eq!(wrong_on_arm(&file.bytes(), &debug), [*name]);
        }
    }

    #[test]
    fn a_changed_byte_breaks_the_signature() {
        let mut file = MachO::stripped().bytes();
        // The name of a segment, which no other check asks for.
        let at = file.windows(7).position(|word| word == b"__TEXT\0").expect("a segment");
        file[at + 2] ^= 1;
        assert_eq!(wrong_on_arm(&file, &MachO::debug().bytes()), ["signature"]);
    }

    #[test]
    fn an_intel_mac_needs_no_signature() {
        let processor = macho::CPU_TYPE_X86_64;
        let file = MachO { processor, signed: false, ..MachO::stripped() };
        let (file, debug) = (file.bytes(), MachO::debug().bytes());
        assert_eq!(wrong("x86_64-apple-darwin", &file, &debug), Vec::<&str>::new());
    }

    #[test]
    fn what_is_cut_off_anywhere_is_wrong_and_never_a_panic() {
        let (file, debug) = (MachO::stripped().bytes(), MachO::debug().bytes());
        for length in 0..file.len() {
            assert_ne!(wrong_on_arm(&file[..length], &debug), Vec::<&str>::new(), "{length} bytes");
        }
    }
}
