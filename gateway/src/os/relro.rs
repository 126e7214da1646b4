//! Makes read-only what was only written while this program was put into its place.
//!
//! A loader of libraries does this for the programs that it loads. A static one has none, and musl's
//! start does not: without this the tables of functions could be written for as long as it runs.

use libc::{AT_PAGESZ, AT_PHDR, AT_PHNUM, PROT_READ, PT_GNU_RELRO, PT_PHDR};

#[cfg(target_pointer_width = "64")]
use libc::Elf64_Phdr as Header;

#[cfg(target_pointer_width = "32")]
use libc::Elf32_Phdr as Header;

/// To be called before anything else. What cannot be protected stays as it was.
pub fn protect() {
    // SAFETY: these only look into a list that the C library keeps.
    let told = [AT_PHDR, AT_PHNUM, AT_PAGESZ].map(|what| unsafe { libc::getauxval(what) as usize });
    let [at, count, page] = told;
    if at == 0 || !page.is_power_of_two() {
        return;
    }
    // SAFETY: the kernel maps this program's headers here, and nothing ever writes to them.
    let headers = unsafe { std::slice::from_raw_parts(at as *const Header, count) };
    let header = |kind| headers.iter().find(|header| header.p_type == kind);
    let (Some(own), Some(relro)) = (header(PT_PHDR), header(PT_GNU_RELRO)) else { return };
    let base = at.wrapping_sub(own.p_vaddr as usize);
    let start = base.wrapping_add(relro.p_vaddr as usize);
    let end = start.wrapping_add(relro.p_memsz as usize) & !(page - 1);
    let start = start & !(page - 1);
    if start < end {
        // SAFETY: the linker put nothing there that is written after the start; a page that it shares
        // with something else at its end is left out.
        unsafe { libc::mprotect(start as *mut _, end - start, PROT_READ) };
    }
}
