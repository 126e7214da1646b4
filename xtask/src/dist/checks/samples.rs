//! Small files for tests of the checks: as right as a release, until a test changes one thing.

use object::elf;
use object::macho;
use ring::digest::{SHA256, digest};

/// Bytes of a page of a signature, as its power of two.
const PAGE: u8 = 12;

/// What stands in an ELF file.
pub struct Elf {
    pub kind: elf::FileType,
    pub machine: elf::Machine,
    pub flags: u32,
    /// Kind and rights of each segment.
    pub segments: Vec<(elf::ProgramType, elf::ProgramFlags)>,
    pub dynamic: Vec<(elf::DynamicTag, u64)>,
    /// Names of sections beside the build id's.
    pub sections: Vec<&'static str>,
    pub build_id: &'static [u8],
}

impl Elf {
    /// A stripped one that nothing is wrong with.
    pub fn stripped() -> Self {
        Self {
            kind: elf::ET_DYN,
            machine: elf::EM_X86_64,
            flags: 0,
            segments: vec![
                (elf::PT_LOAD, elf::PF_R | elf::PF_X),
                (elf::PT_LOAD, elf::PF_R | elf::PF_W),
                (elf::PT_DYNAMIC, elf::PF_R),
                (elf::PT_GNU_RELRO, elf::PF_R),
                (elf::PT_GNU_STACK, elf::PF_R | elf::PF_W),
            ],
            dynamic: vec![
                (elf::DT_FLAGS, elf::DF_BIND_NOW.0),
                (elf::DT_FLAGS_1, elf::DF_1_NOW.0 | elf::DF_1_PIE.0),
            ],
            sections: Vec::new(),
            build_id: b"twenty bytes, or so.",
        }
    }

    /// Its debug file.
    pub fn debug() -> Self {
        Self { sections: vec![".symtab", ".debug_line"], ..Self::stripped() }
    }

    /// The file: headers, dynamic entries, the note of the build id, names of sections, sections.
    pub fn bytes(&self) -> Vec<u8> {
        let dynamic: Vec<u8> = self
            .dynamic
            .iter()
            .chain(&[(elf::DT_NULL, 0)])
            .flat_map(|(tag, value)| [tag.0.to_le_bytes(), value.to_le_bytes()].concat())
            .collect();
        let sizes = [4, self.build_id.len() as u32, elf::NT_GNU_BUILD_ID.0];
        let mut note: Vec<u8> = sizes.iter().flat_map(|size| size.to_le_bytes()).collect();
        note.extend([b"GNU\0", self.build_id].concat());
        let names: Vec<&str> = [&["", ".note.gnu.build-id", ".names"], &self.sections[..]].concat();
        let text: Vec<u8> =
            names.iter().flat_map(|name| [name.as_bytes(), b"\0"].concat()).collect();

        let dynamic_at = 64 + 56 * self.segments.len();
        let note_at = dynamic_at + dynamic.len();
        let text_at = note_at + note.len();
        let sections_at = (text_at + text.len()).next_multiple_of(8);
        let mut file = Words::default();
        file.bytes(b"\x7fELF\x02\x01\x01").zeros(9);
        file.half(self.kind.0).half(self.machine.0).word(1).long(0).long(64);
        file.long(sections_at as u64).word(self.flags);
        for number in [64, 56, self.segments.len(), 64, names.len(), 2] {
            file.half(number as u16);
        }
        for (kind, rights) in &self.segments {
            let is_dynamic = *kind == elf::PT_DYNAMIC;
            let (at, size) = if is_dynamic { (dynamic_at, dynamic.len()) } else { (0, 0) };
            file.word(kind.0).word(rights.0).long(at as u64).long(0).long(0);
            file.long(size as u64).long(size as u64).long(8);
        }
        file.bytes(&dynamic).bytes(&note).bytes(&text).zeros(sections_at - text_at - text.len());
        let mut name_at = 0;
        for (index, name) in names.iter().enumerate() {
            let (kind, at, size) = match index {
                0 => (elf::SHT_NULL, 0, 0),
                1 => (elf::SHT_NOTE, note_at, note.len()),
                2 => (elf::SHT_STRTAB, text_at, text.len()),
                _ => (elf::SHT_PROGBITS, text_at, 0),
            };
            file.word(name_at).word(kind.0).long(0).long(0).long(at as u64).long(size as u64);
            file.word(0).word(0).long(4).long(0);
            name_at += name.len() as u32 + 1;
        }
        file.0
    }
}

/// What stands in a Mach-O file.
pub struct MachO {
    pub processor: macho::CpuType,
    pub flags: macho::FileFlags,
    /// Name, most rights and flags of each segment.
    pub segments: Vec<(&'static str, macho::VmProt, macho::SegmentFlags)>,
    pub library: &'static str,
    pub minimum: u32,
    pub uuid: [u8; 16],
    pub symbols: u32,
    pub signed: bool,
}

impl MachO {
    /// A stripped one that nothing is wrong with.
    pub fn stripped() -> Self {
        let writable = macho::VM_PROT_READ | macho::VM_PROT_WRITE;
        let constant = macho::SG_READ_ONLY;
        Self {
            processor: macho::CPU_TYPE_ARM64,
            flags: macho::MH_PIE,
            segments: vec![
                ("__TEXT", macho::VM_PROT_READ | macho::VM_PROT_EXECUTE, macho::SegmentFlags(0)),
                ("__DATA_CONST", writable, constant),
                ("__DATA", writable, macho::SegmentFlags(0)),
            ],
            library: "/usr/lib/libSystem.B.dylib",
            minimum: 11 << 16,
            uuid: *b"sixteen bytes...",
            symbols: 1,
            signed: true,
        }
    }

    /// Its debug file.
    pub fn debug() -> Self {
        Self { symbols: 100, ..Self::stripped() }
    }

    /// The file: header, commands, signature.
    pub fn bytes(&self) -> Vec<u8> {
        let mut commands: Vec<Vec<u8>> = self
            .segments
            .iter()
            .map(|(name, rights, flags)| segment(name, *rights, *flags))
            .collect();
        let mut library = Words::default();
        library.word(macho::LC_LOAD_DYLIB.0).word(64).word(24).word(0).word(0).word(0);
        library.bytes(self.library.as_bytes()).zeros(40 - self.library.len());
        commands.push(library.0);
        let mut version = Words::default();
        version.word(macho::LC_BUILD_VERSION.0).word(24).word(macho::PLATFORM_MACOS.0);
        version.word(self.minimum).word(self.minimum).word(0);
        commands.push(version.0);
        let mut uuid = Words::default();
        uuid.word(macho::LC_UUID.0).word(24).bytes(&self.uuid);
        commands.push(uuid.0);
        let mut table = Words::default();
        table.word(macho::LC_SYMTAB.0).word(24).word(0).word(self.symbols).word(0).word(0);
        commands.push(table.0);

        let signed = if self.signed { 16 } else { 0 };
        let at = 32 + commands.concat().len() + signed;
        if self.signed {
            let mut place = Words::default();
            place.word(macho::LC_CODE_SIGNATURE.0).word(16).word(at as u32);
            place.word(signature(&vec![0; at]).len() as u32);
            commands.push(place.0);
        }
        let mut file = Words::default();
        file.word(macho::MH_MAGIC_64).word(self.processor.0).word(0).word(macho::MH_EXECUTE.0);
        file.word(commands.len() as u32).word(commands.concat().len() as u32);
        file.word(self.flags.0).word(0).bytes(&commands.concat());
        if self.signed {
            let signature = signature(&file.0);
            file.bytes(&signature);
        }
        file.0
    }
}

fn segment(name: &str, rights: macho::VmProt, flags: macho::SegmentFlags) -> Vec<u8> {
    let mut segment = Words::default();
    segment.word(macho::LC_SEGMENT_64.0).word(72).bytes(name.as_bytes()).zeros(16 - name.len());
    segment.long(0).long(0).long(0).long(0).word(rights.0).word(rights.0).word(0).word(flags.0);
    segment.0
}

/// An ad-hoc signature of what stands before it. Its numbers have the other order of bytes.
fn signature(covered: &[u8]) -> Vec<u8> {
    const BLOB: usize = 20;
    const DIRECTORY: usize = 44;
    const NAME: &[u8] = b"sample\0";
    let pages: Vec<_> = covered.chunks(1 << PAGE).map(|page| digest(&SHA256, page)).collect();
    let hashes: Vec<u8> = pages.iter().flat_map(|page| page.as_ref().to_vec()).collect();
    let size = DIRECTORY + NAME.len() + hashes.len();
    let mut words =
        vec![macho::CSMAGIC_EMBEDDED_SIGNATURE, (BLOB + size) as u32, 1, 0, BLOB as u32];
    words.extend([macho::CSMAGIC_CODEDIRECTORY, size as u32, 0x2_0000, macho::CS_ADHOC.0]);
    words.extend([(DIRECTORY + NAME.len()) as u32, DIRECTORY as u32, 0, pages.len() as u32]);
    words.push(covered.len() as u32);
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.extend([32, macho::CS_HASHTYPE_SHA256.0, 0, PAGE, 0, 0, 0, 0]);
    [&bytes, NAME, &hashes].concat()
}

/// Numbers one after the other, the low byte first.
#[derive(Default)]
struct Words(Vec<u8>);

impl Words {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }

    fn zeros(&mut self, count: usize) -> &mut Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    fn half(&mut self, number: u16) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn word(&mut self, number: u32) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn long(&mut self, number: u64) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }
}
