//! Where this program lies, from what the kernel tells every program at its start.

use super::Image;
use libc::{AT_ENTRY, AT_EXECFN, AT_PAGESZ, AT_PHDR, AT_PHNUM, PF_X, PT_LOAD, PT_NOTE};

#[cfg(target_pointer_width = "64")]
use libc::{Elf64_Ehdr as FileHeader, Elf64_Phdr as Header};

#[cfg(target_pointer_width = "32")]
use libc::{Elf32_Ehdr as FileHeader, Elf32_Phdr as Header};

/// The number of a note with a build id (elf.h).
const NT_GNU_BUILD_ID: u32 = 3;

fn told(what: libc::c_ulong) -> usize {
    // SAFETY: it only looks into a list that the C library keeps.
    unsafe { libc::getauxval(what) as usize }
}

/// This program in memory. None where it is not as linkers make them.
pub(super) fn image() -> Option<Image> {
    let (at, count) = (told(AT_PHDR), told(AT_PHNUM));
    let file = at.checked_sub(size_of::<FileHeader>()).filter(|file| file % 8 == 0)?;
    // SAFETY: the kernel maps the program headers, and the page that they are on from its start.
    // Linkers put them right behind the file's header, which the magic number proves.
    let (file, headers) = unsafe {
        let headers = std::slice::from_raw_parts(at as *const Header, count);
        (&*(file as *const FileHeader), headers)
    };
    if !file.e_ident.starts_with(b"\x7fELF") {
        return None;
    }
    let base = told(AT_ENTRY).checked_sub(file.e_entry as usize)?;
    let place = |header: &Header| {
        let from = base.wrapping_add(header.p_vaddr as usize);
        from..from.wrapping_add(header.p_memsz as usize)
    };
    let text = headers.iter().find(|it| it.p_type == PT_LOAD && it.p_flags & PF_X != 0)?;
    let mut notes = headers.iter().filter(|it| it.p_type == PT_NOTE).map(|it| {
        let place = place(it);
        // SAFETY: notes are part of what is loaded, and nothing writes there.
        unsafe { std::slice::from_raw_parts(place.start as *const u8, place.len()) }
    });
    let build = notes.find_map(build_id).unwrap_or_default();
    Some(Image { base, text: place(text), build })
}

/// The build id among notes: each is three numbers, a name and what it says, both padded to 4 bytes.
fn build_id(mut notes: &[u8]) -> Option<&[u8]> {
    loop {
        let (name_bytes, rest) = number(notes)?;
        let (bytes, rest) = number(rest)?;
        let (kind, rest) = number(rest)?;
        let (name, rest) = rest.split_at_checked((name_bytes as usize).next_multiple_of(4))?;
        let (text, _) = rest.split_at_checked(bytes as usize)?;
        if kind == NT_GNU_BUILD_ID && name == b"GNU\0" {
            return Some(text);
        }
        notes = rest.get((bytes as usize).next_multiple_of(4)..)?;
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_ne_bytes(*number), rest))
}

/// The end of the main thread's stack, and the bytes of a page. The kernel puts the program's name
/// above everything else there.
pub(super) fn stack() -> (usize, usize) {
    (told(AT_EXECFN), told(AT_PAGESZ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_image_has_the_own_functions() {
        let image = image().expect("an image");
        let own = the_own_image_has_the_own_functions as *const () as usize;
        assert!(image.text.contains(&own) && own > image.base);
        let (end, page) = stack();
        assert!(page.is_power_of_two() && end > image.text.end);
    }

    #[test]
    fn a_build_id_is_found_behind_other_notes() {
        let note = |name: &[u8], kind: u32, text: &[u8]| {
            let sizes = [name.len() as u32, text.len() as u32, kind];
            let mut bytes: Vec<u8> = sizes.iter().flat_map(|size| size.to_ne_bytes()).collect();
            for part in [name, text] {
                bytes.extend(part);
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
            bytes
        };
        let notes = [note(b"GNU\0", 1, b"12345"), note(b"GNU\0", 3, b"the id")].concat();
        assert_eq!(build_id(&notes), Some(b"the id".as_slice()));
        for length in 0..notes.len() - 2 {
            assert_eq!(build_id(&notes[..length]), None, "of {length} bytes");
        }
        assert_eq!(build_id(&note(b"Go\0\0", 3, b"no")), None);
        assert_eq!(build_id(&[0xff; 64]), None);
    }
}
