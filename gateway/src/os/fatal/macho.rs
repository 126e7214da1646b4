//! Where this program lies, from its header, which the linker names.

use super::Image;

/// The beginning of a program (mach-o/loader.h).
#[repr(C)]
struct Header {
    before: [u32; 4],
    commands: u32,
    after: [u32; 3],
}

/// A load command with the UUID of the build (mach-o/loader.h).
const LC_UUID: u32 = 0x1b;

/// Bytes of a UUID.
const UUID_BYTES: usize = 16;

unsafe extern "C" {
    /// The linker puts it at the beginning of every program.
    safe static _mh_execute_header: Header;
}

/// This program in memory. Addresses are relative to its header.
pub(super) fn image() -> Option<Image> {
    let header = &raw const _mh_execute_header;
    let base = header.addr();
    let (mut text, mut build): (_, &'static [u8]) = (None, &[]);
    // SAFETY: the header is mapped as long as the program runs, and its commands follow it, each with
    // its size.
    unsafe {
        let mut command = header.add(1).cast::<libc::load_command>();
        for _ in 0..(*header).commands {
            match (*command).cmd {
                libc::LC_SEGMENT_64 if text.is_none() => {
                    let segment = command.cast::<libc::segment_command_64>();
                    // The first that has bytes in the file is __TEXT, which begins with the header.
                    if (*segment).filesize > 0 {
                        text = Some(base..base.wrapping_add((*segment).vmsize as usize));
                    }
                }
                LC_UUID => build = std::slice::from_raw_parts(command.add(1).cast(), UUID_BYTES),
                _ => {}
            }
            command = command.byte_add((*command).cmdsize as usize);
        }
    }
    Some(Image { base, text: text?, build })
}

/// The end of this thread's stack, and the bytes of a page.
pub(super) fn stack() -> (usize, usize) {
    // SAFETY: both only tell, and there is always a present thread.
    unsafe {
        let end = libc::pthread_get_stackaddr_np(libc::pthread_self());
        (end.addr(), libc::sysconf(libc::_SC_PAGESIZE) as usize)
    }
}
