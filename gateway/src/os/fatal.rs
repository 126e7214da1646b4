//! A signal that ends this program leaves one line in the log, from which `symbolize` makes more.
//!
//! A release has no text for a panic, which is an illegal instruction there. The handler allocates
//! nothing and takes no lock: it reads what [`arm`] noted, and writes once.

#[cfg(target_os = "linux")]
mod elf;
mod line;
#[cfg(target_os = "macos")]
mod macho;
mod registers;

#[cfg(target_os = "linux")]
use elf as platform;
#[cfg(target_os = "macos")]
use macho as platform;

use crate::identity::Identity;
use crate::log;
use libc::{c_int, c_void};
use line::Line;
use registers::Registers;
use std::ops::Range;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What a fatal line says; `symbolize` finds it by these words.
pub const MESSAGE: &str = "ended by a fatal signal, please report this line";

/// Signals that a fault in this program raises, with their names.
const SIGNALS: [(c_int, &str); 6] = [
    (libc::SIGILL, "SIGILL"),
    (libc::SIGTRAP, "SIGTRAP"),
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGABRT, "SIGABRT"),
];

/// Bytes for the handler to run on, as the stack may be what is broken. Processors with wide
/// registers put 11 KB of them there; pages that are never touched cost nothing.
const STACK_BYTES: usize = 64 * 1024;

/// Bytes of the broken stack that are looked through: a few of the gateway's largest frames.
const MOST_LOOKED_AT: usize = 64 * 1024;

/// Addresses that are written down, so that the line stays below what a pipe takes at once.
const MOST_ADDRESSES: usize = 256;

/// Bytes below its end in which nothing else than the main thread's stack lies: half of what kernels
/// keep free. Other stacks are not looked at, for nobody knows where they end.
const STACK_SPAN: usize = 64 * 1024 * 1024;

/// Where this program is in memory.
struct Image {
    /// What an address in the file is moved by.
    base: usize,
    /// Its instructions.
    text: Range<usize>,
    /// What names the build, as in its debug file.
    build: &'static [u8],
}

struct Facts {
    identity: &'static Identity,
    image: Image,
    stack_end: usize,
    page: usize,
}

static FACTS: AtomicPtr<Facts> = AtomicPtr::new(std::ptr::null_mut());

/// From now on a fatal signal of this process is told on standard error.
pub fn arm(identity: &'static Identity) {
    let Some(image) = platform::image() else { return };
    let (stack_end, page) = platform::stack();
    let facts = Box::leak(Box::new(Facts { identity, image, stack_end, page }));
    FACTS.store(facts, Ordering::Release);
    let stack = Box::leak(Box::new([const { std::mem::MaybeUninit::<u8>::uninit() }; STACK_BYTES]));
    // SAFETY: the memory is leaked, so it is there whenever the handler runs; `handler` has the
    // signature that SA_SIGINFO promises, and both structures are plain numbers.
    unsafe {
        let mut own: libc::stack_t = std::mem::zeroed();
        (own.ss_sp, own.ss_size) = (stack.as_mut_ptr().cast(), STACK_BYTES);
        libc::sigaltstack(&raw const own, std::ptr::null_mut());
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        // A second fault, or the same again, ends the process.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER | RESET;
        for (signal, _) in SIGNALS {
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

/// libc has it as a different type for each system.
const RESET: c_int = libc::SA_RESETHAND as c_int;

extern "C" fn handler(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: `arm` leaked what it points to. The kernel hands over an information and a context of
    // this signal that live as long as this call.
    unsafe {
        if let (Some(facts), Some(info)) = (FACTS.load(Ordering::Acquire).as_ref(), info.as_ref()) {
            report(facts, signal, info, &registers::read(context));
        }
        // The action is the default one by now: the process ends as if nobody had listened.
        libc::raise(signal);
        // Only the first process of a container goes on, whom no such signal ends.
        libc::_exit(128 + signal);
    }
}

fn report(facts: &Facts, signal: c_int, info: &libc::siginfo_t, registers: &Registers) {
    let mut line = Line::new(log::format());
    line.begin(MESSAGE);
    line.field("signal");
    line.text(SIGNALS.iter().find(|(number, _)| *number == signal).map_or("?", |(_, name)| name));
    line.field("version");
    line.text(facts.identity.version);
    line.field("target");
    line.text(facts.identity.target);
    line.field("build");
    facts.image.build.iter().for_each(|byte| line.byte(*byte));
    let mut fault = 0;
    // SAFETY: which of the two is there follows from the signal and its code.
    unsafe {
        if info.si_code > 0 && !matches!(signal, libc::SIGABRT) {
            fault = info.si_addr().addr();
            line.field("fault");
            address(&mut line, &facts.image, fault);
        } else {
            line.field("sender");
            line.number(info.si_pid().unsigned_abs());
        }
    }
    line.field("pc");
    address(&mut line, &facts.image, registers.pc);
    line.field("stack");
    if let Some(link) = registers.link {
        address(&mut line, &facts.image, link);
        line.text(",");
    }
    look_through(&mut line, facts, registers.sp, fault);
    line.end();
}

/// An address of this program as its file has it, any other as it is.
fn address(line: &mut Line, image: &Image, value: usize) {
    if image.text.contains(&value) {
        line.text("+");
        line.hex(value.wrapping_sub(image.base));
    } else {
        line.text("0x");
        line.hex(value);
    }
}

/// Writes what may be return addresses: all words above `sp` that point into the text.
fn look_through(line: &mut Line, facts: &Facts, sp: usize, fault: usize) {
    let end = facts.stack_end;
    if !(end.saturating_sub(STACK_SPAN)..end).contains(&sp) {
        return;
    }
    // A stack that has run over ends where it faulted; what is above is there.
    let from = if (sp..end).contains(&fault) { (fault | (facts.page - 1)) + 1 } else { sp };
    let from = from.next_multiple_of(size_of::<usize>());
    let mut left = MOST_ADDRESSES;
    for at in (from..end.min(from + MOST_LOOKED_AT)).step_by(size_of::<usize>()) {
        // SAFETY: a stack is mapped without a gap from its top to its end.
        let word = unsafe { (at as *const usize).read_volatile() };
        if left > 0 && facts.image.text.contains(&word) {
            left -= 1;
            address(line, &facts.image, word);
            line.text(",");
        }
    }
}
