//! Checks of an ELF file: what the kernel is told to map, and with which rights.

use super::{Check, must};
use crate::dist::targets::Target;
use object::elf;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _, SectionHeader as _};
use object::{Endianness, FileKind};

/// All checks of the stripped file and of the one with its symbols.
pub fn check(target: &Target, stripped: &[u8], symbols: &[u8]) -> Vec<Check> {
    let outcome = match FileKind::parse(stripped) {
        Ok(FileKind::Elf32) => checks::<elf::FileHeader32<Endianness>>(target, stripped, symbols),
        Ok(FileKind::Elf64) => checks::<elf::FileHeader64<Endianness>>(target, stripped, symbols),
        Ok(other) => Err(format!("it is {other:?}")),
        Err(error) => Err(error.to_string()),
    };
    outcome.unwrap_or_else(|error| vec![("ELF", Err(error))])
}

/// What a header's table says, read once.
struct Read<'data, Elf: FileHeader<Endian = Endianness>> {
    header: &'data Elf,
    endian: Endianness,
    segments: &'data [Elf::ProgramHeader],
    dynamic: Vec<(elf::DynamicTag, u64)>,
    data: &'data [u8],
}

impl<'data, Elf: FileHeader<Endian = Endianness>> Read<'data, Elf> {
    fn new(data: &'data [u8]) -> object::Result<Self> {
        let header = Elf::parse(data)?;
        let endian = header.endian()?;
        let segments = header.program_headers(endian, data)?;
        let mut dynamic = Vec::new();
        for segment in segments {
            let entries = segment.dynamic(endian, data)?.unwrap_or_default();
            dynamic.extend(entries.iter().map(|entry| (entry.tag(endian), entry.val(endian))));
        }
        Ok(Self { header, endian, segments, dynamic, data })
    }

    /// The flags of segments of a kind.
    fn flags(&self, kind: elf::ProgramType) -> Vec<elf::ProgramFlags> {
        let of_kind = self.segments.iter().filter(|segment| segment.p_type(self.endian) == kind);
        of_kind.map(|segment| segment.p_flags(self.endian)).collect()
    }

    fn entry(&self, tag: elf::DynamicTag) -> Option<u64> {
        self.dynamic.iter().find(|(known, _)| *known == tag).map(|(_, value)| *value)
    }

    fn has_flag(&self, tag: elf::DynamicTag, flag: impl Into<u64>) -> bool {
        let flag = flag.into();
        self.entry(tag).is_some_and(|flags| flags & flag != 0)
    }

    fn has_section(&self, name: &[u8]) -> object::Result<bool> {
        let sections = self.header.sections(self.endian, self.data)?;
        Ok(sections.section_by_name(self.endian, name).is_some())
    }

    /// The build id, also where segments were emptied and only sections tell.
    fn build_id(&self) -> object::Result<Option<&'data [u8]>> {
        let sections = self.header.sections(self.endian, self.data)?;
        for section in sections.iter() {
            let Some(mut notes) = section.notes(self.endian, self.data)? else { continue };
            while let Some(note) = notes.next()? {
                if note.name() == elf::ELF_NOTE_GNU
                    && note.n_type(self.endian) == elf::NT_GNU_BUILD_ID
                {
                    return Ok(Some(note.desc()));
                }
            }
        }
        Ok(None)
    }
}

fn checks<Elf: FileHeader<Endian = Endianness>>(
    target: &Target,
    stripped: &[u8],
    symbols: &[u8],
) -> Result<Vec<Check>, String> {
    let file = Read::<Elf>::new(stripped).map_err(|error| error.to_string())?;
    let debug = Read::<Elf>::new(symbols).map_err(|error| format!("the debug file: {error}"))?;
    Ok([rights(&file), kind(target, &file), parts(&file, &debug).map_err(|e| e.to_string())?]
        .concat())
}

/// What it is, and what else it needs to start.
fn kind<Elf: FileHeader<Endian = Endianness>>(target: &Target, file: &Read<Elf>) -> Vec<Check> {
    let (machine, flags) = (file.header.e_machine(file.endian), file.header.e_flags(file.endian).0);
    let (wanted, needed_flags) = processor(target);
    let position_independent = file.header.e_type(file.endian) == elf::ET_DYN
        && file.has_flag(elf::DT_FLAGS_1, elf::DF_1_PIE.0);
    let dynamic = !file.flags(elf::PT_INTERP).is_empty() || file.entry(elf::DT_NEEDED).is_some();
    vec![
        must("architecture", machine == wanted && flags & needed_flags == needed_flags, || {
            format!(
                "it is for machine {} with flags {flags:#x}, and not for {}",
                machine.0, wanted.0
            )
        }),
        must("static", !dynamic, || "it needs a loader or libraries".to_owned()),
        must("position-independent", position_independent, || {
            "the kernel would always put it at the same address".to_owned()
        }),
    ]
}

/// The number of a target's processor in a header, and the flags that must be there.
fn processor(target: &Target) -> (elf::Machine, u32) {
    match target.triple.split('-').next() {
        Some("x86_64") => (elf::EM_X86_64, 0),
        Some("aarch64") => (elf::EM_AARCH64, 0),
        _ => (elf::EM_ARM, elf::EF_ARM_EABI_VER5.0 | elf::EF_ARM_ABI_FLOAT_HARD),
    }
}

/// What of it can be written or executed.
fn rights<Elf: FileHeader<Endian = Endianness>>(file: &Read<Elf>) -> Vec<Check> {
    let both = |flags: &elf::ProgramFlags| flags.contains(elf::PF_W) && flags.contains(elf::PF_X);
    let code_is_fixed = !file.flags(elf::PT_LOAD).iter().any(both)
        && file.entry(elf::DT_TEXTREL).is_none()
        && !file.has_flag(elf::DT_FLAGS, elf::DF_TEXTREL.0);
    let stack = file.flags(elf::PT_GNU_STACK);
    let stack_is_data = matches!(stack.as_slice(), [flags] if !flags.contains(elf::PF_X));
    // Without a loader nothing is bound later, and linkers may say so or not; with RELRO all must be.
    let relro = file.flags(elf::PT_GNU_RELRO).len() == 1;
    let bound = file.has_flag(elf::DT_FLAGS, elf::DF_BIND_NOW.0)
        || file.has_flag(elf::DT_FLAGS_1, elf::DF_1_NOW.0);
    vec![
        must("W^X", code_is_fixed, || "code can be written".to_owned()),
        must("stack", stack_is_data, || "the stack can be executed".to_owned()),
        must("RELRO", relro && bound, || {
            format!("read-only after relocation: {relro}; all bound at the start: {bound}")
        }),
    ]
}

/// What was parted, and that each half knows the other.
fn parts<Elf: FileHeader<Endian = Endianness>>(
    file: &Read<Elf>,
    debug: &Read<Elf>,
) -> object::Result<Vec<Check>> {
    let (id, debug_id) = (file.build_id()?, debug.build_id()?);
    let stripped = !file.has_section(b".symtab")? && !file.has_section(b".debug_line")?;
    let told = debug.has_section(b".symtab")? && debug.has_section(b".debug_line")?;
    Ok(vec![
        must("stripped", stripped, || "it has symbols".to_owned()),
        must("symbols", told, || "the debug file has no symbols or no lines".to_owned()),
        must("build id", id.is_some() && id == debug_id, || {
            format!("the binary has {id:x?}, the debug file {debug_id:x?}")
        }),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::checks::failing;
    use crate::dist::checks::samples::Elf;
    use crate::dist::targets::named;

    const X86: &str = "x86_64-unknown-linux-musl";

    fn wrong(triple: &str, stripped: &[u8], symbols: &[u8]) -> Vec<&'static str> {
        failing(&check(named(triple).expect("a target"), stripped, symbols))
    }

    #[test]
    fn each_fault_of_the_binary_is_found_by_its_own_check() {
        type Fault = fn(&mut Elf);
        let faults: &[(&str, Fault)] = &[
            ("architecture", |it| it.machine = elf::EM_AARCH64),
            ("static", |it| it.segments.push((elf::PT_INTERP, elf::PF_R))),
            ("static", |it| it.dynamic.push((elf::DT_NEEDED, 1))),
            ("position-independent", |it| it.kind = elf::ET_EXEC),
            ("position-independent", |it| it.dynamic[1].1 = elf::DF_1_NOW.0),
            ("W^X", |it| it.segments[1].1 = elf::PF_R | elf::PF_W | elf::PF_X),
            ("W^X", |it| it.dynamic.push((elf::DT_TEXTREL, 0))),
            ("W^X", |it| it.dynamic[0].1 |= elf::DF_TEXTREL.0),
            ("stack", |it| it.segments[4].1 = elf::PF_R | elf::PF_W | elf::PF_X),
            ("stack", |it| it.segments.truncate(4)),
            ("RELRO", |it| it.segments[3].0 = elf::PT_NOTE),
            ("stripped", |it| it.sections.push(".symtab")),
            ("stripped", |it| it.sections.push(".debug_line")),
            ("build id", |it| it.build_id = b"another"),
        ];
        let debug = Elf::debug().bytes();
        assert_eq!(wrong(X86, &Elf::stripped().bytes(), &debug), Vec::<&str>::new());
        for (index, (name, fault)) in faults.iter().enumerate() {
            let mut file = Elf::stripped();
            fault(&mut file);
            assert_eq!(wrong(X86, &file.bytes(), &debug), [*name], "fault {index}");
        }
    }

    #[test]
    fn what_is_bound_later_is_no_relro() {
        let mut file = Elf::stripped();
        file.dynamic = vec![(elf::DT_FLAGS_1, elf::DF_1_PIE.0)];
        assert_eq!(wrong(X86, &file.bytes(), &Elf::debug().bytes()), ["RELRO"]);
    }

    #[test]
    fn a_debug_file_without_lines_is_none() {
        let debug = Elf { sections: vec![".symtab"], ..Elf::debug() };
        assert_eq!(wrong(X86, &Elf::stripped().bytes(), &debug.bytes()), ["symbols"]);
    }

    #[test]
    fn arm_is_for_floating_point_in_registers() {
        let right = elf::EF_ARM_EABI_VER5.0 | elf::EF_ARM_ABI_FLOAT_HARD;
        for (flags, expected) in [(right, &[][..]), (elf::EF_ARM_EABI_VER5.0, &["architecture"])] {
            let file = Elf { machine: elf::EM_ARM, flags, ..Elf::stripped() };
            let debug = Elf::debug().bytes();
            assert_eq!(wrong("arm-unknown-linux-musleabihf", &file.bytes(), &debug), expected);
        }
    }

    #[test]
    fn what_is_cut_off_anywhere_is_wrong_and_never_a_panic() {
        let (file, debug) = (Elf::stripped().bytes(), Elf::debug().bytes());
        for length in 0..file.len() {
            assert_ne!(wrong(X86, &file[..length], &debug), Vec::<&str>::new(), "{length} bytes");
            assert_ne!(wrong(X86, &file, &debug[..length]), Vec::<&str>::new(), "{length} bytes");
        }
    }
}
