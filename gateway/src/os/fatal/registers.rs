//! Where the processor was when the signal came, out of what each system hands to a handler.

use libc::c_void;

/// The registers that say where.
pub(super) struct Registers {
    /// The instruction.
    pub(super) pc: usize,
    /// The stack's top.
    pub(super) sp: usize,
    /// Where the present function returns to, on processors that keep it in a register.
    pub(super) link: Option<usize>,
}

/// Reads them.
///
/// # Safety
/// `context` is what a handler with SA_SIGINFO got as its third argument.
pub(super) unsafe fn read(context: *const c_void) -> Registers {
    // SAFETY: as above.
    unsafe { platform(context) }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
unsafe fn platform(context: *const c_void) -> Registers {
    // SAFETY: that of `read`.
    let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    let [sp, pc] = [registers[libc::REG_RSP as usize], registers[libc::REG_RIP as usize]];
    Registers { pc: pc as usize, sp: sp as usize, link: None }
}

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
unsafe fn platform(context: *const c_void) -> Registers {
    // SAFETY: that of `read`.
    let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    let [pc, sp, link] = [machine.pc, machine.sp, machine.regs[30]].map(|value| value as usize);
    Registers { pc, sp, link: Some(link) }
}

#[cfg(all(target_os = "linux", target_arch = "arm"))]
unsafe fn platform(context: *const c_void) -> Registers {
    // SAFETY: that of `read`.
    let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    let [pc, sp, link] =
        [machine.arm_pc, machine.arm_sp, machine.arm_lr].map(|value| value as usize);
    Registers { pc, sp, link: Some(link) }
}

/// The beginning of Darwin's `ucontext_t` (sys/_types/_ucontext.h), which libc does not have.
#[cfg(target_os = "macos")]
#[repr(C)]
struct Context {
    on_stack: libc::c_int,
    mask: libc::sigset_t,
    stack: libc::stack_t,
    link: *const c_void,
    machine_size: usize,
    machine: *const Machine,
}

/// The beginning of Darwin's `mcontext_t` (mach/arm/_structs.h, mach/i386/_structs.h): 16 bytes about
/// the fault, then the registers.
#[cfg(target_os = "macos")]
#[repr(C)]
struct Machine {
    fault: [u64; 2],
    registers: [u64; 33],
}

#[cfg(all(target_os = "macos", target_arch = "aarch64"))]
unsafe fn platform(context: *const c_void) -> Registers {
    // SAFETY: that of `read`. x0 to x28 and fp come first.
    let registers = unsafe { &(*(*context.cast::<Context>()).machine).registers };
    let [link, sp, pc] = [registers[30], registers[31], registers[32]].map(|value| value as usize);
    Registers { pc, sp, link: Some(link) }
}

#[cfg(all(target_os = "macos", target_arch = "x86_64"))]
unsafe fn platform(context: *const c_void) -> Registers {
    // SAFETY: that of `read`; of the 33 only 21 are registers, and those that follow are there too.
    let registers = unsafe { &(*(*context.cast::<Context>()).machine).registers };
    let [sp, pc] = [registers[7], registers[16]].map(|value| value as usize);
    Registers { pc, sp, link: None }
}
