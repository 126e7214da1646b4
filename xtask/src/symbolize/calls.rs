//! Whether a word of the stack can be a return address: it follows a call in the machine code.

use object::Architecture;

/// A call that ends where an address points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Of what stands at an address.
    Direct(u64),
    /// Of what a register or memory says.
    Indirect,
}

/// The call right before `at`, if there is one. `code` gives bytes of the text from an address on.
pub fn before<'c>(
    architecture: Architecture,
    at: u64,
    code: impl Fn(u64, usize) -> Option<&'c [u8]>,
) -> Option<Call> {
    match architecture {
        Architecture::X86_64 => x86_64(at, code),
        Architecture::Aarch64 => aarch64(word(at.checked_sub(4)?, code)?, at),
        Architecture::Arm if at % 2 == 1 => thumb(at - 1, code),
        Architecture::Arm => arm(word(at.checked_sub(4)?, code)?, at),
        // Of others nothing is known, so that every word may be one.
        _ => Some(Call::Indirect),
    }
}

/// Where the jumps of a function may lead to, which begins at `start` and has `code`. Not every
/// address of it is an instruction, so that some lead to no place in particular.
pub fn jumps(architecture: Architecture, start: u64, code: &[u8]) -> Vec<u64> {
    let step = if architecture == Architecture::X86_64 { 1 } else { 4 };
    let places = (0..code.len()).step_by(step).filter_map(|offset| {
        let (at, rest) = (start + offset as u64, code.get(offset..)?);
        let number = |bytes: &[u8]| Some(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?));
        match architecture {
            Architecture::X86_64 if rest.first() == Some(&0xe9) => {
                let distance = i64::from(number(rest.get(1..)?)? as i32);
                Some(at.wrapping_add(5).wrapping_add_signed(distance))
            }
            Architecture::Aarch64 => {
                let word = number(rest).filter(|word| word >> 26 == 0b000101)?;
                Some(at.wrapping_add_signed(distance(word, 26, 4)))
            }
            Architecture::Arm => {
                let word = number(rest).filter(|word| word >> 24 & 0xf == 0xa)?;
                Some(at.wrapping_add(8).wrapping_add_signed(distance(word, 24, 4)))
            }
            _ => None,
        }
    });
    places.collect()
}

fn word<'c>(at: u64, code: impl Fn(u64, usize) -> Option<&'c [u8]>) -> Option<u32> {
    Some(u32::from_le_bytes(code(at, 4)?.try_into().ok()?))
}

/// `E8 rel32`, or `FF /2` of any length.
fn x86_64<'c>(at: u64, code: impl Fn(u64, usize) -> Option<&'c [u8]>) -> Option<Call> {
    if let Some([0xe8, distance @ ..]) = code(at.checked_sub(5)?, 5) {
        let distance = i32::from_le_bytes(distance.try_into().ok()?);
        return Some(Call::Direct(at.wrapping_add_signed(distance.into())));
    }
    let indirect = (2..=7).any(|length: usize| {
        let bytes = at.checked_sub(length as u64).and_then(|from| code(from, length));
        matches!(bytes, Some([0xff, rest @ ..]) if operand(rest) == Some(rest.len()))
    });
    indirect.then_some(Call::Indirect)
}

/// Bytes of the operand of a `FF /2`: mod and r/m, a second byte and a displacement where it has them.
fn operand(bytes: &[u8]) -> Option<usize> {
    let (first, rest) = bytes.split_first()?;
    if first >> 3 & 7 != 2 {
        return None;
    }
    let (kind, register) = (first >> 6, first & 7);
    let scaled = kind != 3 && register == 4;
    let base = if scaled { rest.first()? & 7 } else { register };
    let displacement = match kind {
        1 => 1,
        2 => 4,
        0 if base == 5 => 4,
        _ => 0,
    };
    Some(1 + usize::from(scaled) + displacement)
}

/// The distance in the low `bits` of an instruction, counted in `unit` bytes.
fn distance(instruction: u32, bits: u32, unit: i64) -> i64 {
    let shift = 32 - bits;
    i64::from((instruction << shift) as i32 >> shift) * unit
}

/// `bl` and `blr`.
fn aarch64(instruction: u32, at: u64) -> Option<Call> {
    if instruction >> 26 == 0b100101 {
        let from = at.wrapping_sub(4);
        return Some(Call::Direct(from.wrapping_add_signed(distance(instruction, 26, 4))));
    }
    (instruction & 0xffff_fc1f == 0xd63f_0000).then_some(Call::Indirect)
}

/// `bl`, `blx` to an address or a register. The processor counts from two instructions on.
fn arm(instruction: u32, at: u64) -> Option<Call> {
    let target = at.wrapping_add(4).wrapping_add_signed(distance(instruction, 24, 4));
    match instruction {
        _ if instruction >> 25 == 0b1111101 => {
            Some(Call::Direct(target.wrapping_add(u64::from(instruction >> 24 & 1) * 2)))
        }
        _ if instruction >> 24 & 0xf == 0xb => Some(Call::Direct(target)),
        _ if instruction & 0x0fff_fff0 == 0x012f_ff30 => Some(Call::Indirect),
        _ => None,
    }
}

/// Thumb's `bl` and `blx`; where a direct one leads is not worked out.
fn thumb<'c>(at: u64, code: impl Fn(u64, usize) -> Option<&'c [u8]>) -> Option<Call> {
    let half = |from: u64| Some(u16::from_le_bytes(code(from, 2)?.try_into().ok()?));
    let (first, second) = (half(at.checked_sub(4)?), half(at.checked_sub(2)?)?);
    let long = first.is_some_and(|first| first & 0xf800 == 0xf000) && second & 0xc000 == 0xc000;
    (long || second & 0xff87 == 0x4780).then_some(Call::Indirect)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_end(architecture: Architecture, bytes: &[u8]) -> Option<Call> {
        let end = 0x1000 + bytes.len() as u64;
        before(architecture, end, |from, length| {
            let from = usize::try_from(from.checked_sub(0x1000)?).ok()?;
            bytes.get(from..from + length)
        })
    }

    /// Bytes as `objdump` shows them for what the compiler made.
    #[test]
    fn calls_of_x86_are_known_by_their_bytes() {
        let is = |bytes: &[u8]| at_end(Architecture::X86_64, &[&[0x90; 8], bytes].concat());
        assert_eq!(is(&[0xe8, 0xfb, 0xff, 0xff, 0xff]), Some(Call::Direct(0x1008)));
        for indirect in [
            &[0xff, 0xd0][..],               // call rax
            &[0x41, 0xff, 0xd4],             // call r12
            &[0xff, 0x50, 0x18],             // call [rax+0x18]
            &[0xff, 0x15, 1, 2, 3, 4],       // call [rip+…]
            &[0xff, 0x94, 0x24, 1, 2, 3, 4], // call [rsp+…]
            &[0xff, 0x54, 0x24, 8],          // call [rsp+8]
            &[0xff, 0x93, 1, 2, 3, 4],       // call [rbx+…]
        ] {
            assert_eq!(is(indirect), Some(Call::Indirect), "{indirect:x?}");
        }
        // push rax; jmp rax; a call that ends elsewhere; nothing.
        for other in [&[0xff, 0xf0][..], &[0xff, 0xe0], &[0xff, 0xd0, 0x90], &[0x90]] {
            assert_eq!(is(other), None, "{other:x?}");
        }
    }

    #[test]
    fn jumps_are_found_wherever_they_lead() {
        let x86 = [&[0x90, 0xe9][..], &(-6i32).to_le_bytes(), &[0xcc]].concat();
        assert_eq!(jumps(Architecture::X86_64, 0x1000, &x86), [0x1000]);
        let words = |words: [u32; 2]| words.map(u32::to_le_bytes).concat();
        let aarch64 = words([0x9400_0002, 0x1400_0002]);
        assert_eq!(jumps(Architecture::Aarch64, 0x1000, &aarch64), [0x100c]);
        assert_eq!(jumps(Architecture::Arm, 0x1000, &words([0xeb00_0001, 0xea00_0001])), [0x1010]);
    }

    #[test]
    fn calls_of_arm_are_known_by_their_words() {
        let aarch64 = |word: u32| at_end(Architecture::Aarch64, &word.to_le_bytes());
        assert_eq!(aarch64(0x9400_0002), Some(Call::Direct(0x1008)));
        assert_eq!(aarch64(0x97ff_ffff), Some(Call::Direct(0x0ffc)));
        assert_eq!(aarch64(0xd63f_0100), Some(Call::Indirect)); // blr x8
        assert_eq!(aarch64(0xd61f_0100), None); // br x8
        assert_eq!(aarch64(0x1400_0002), None); // b
        let arm = |word: u32| at_end(Architecture::Arm, &word.to_le_bytes());
        assert_eq!(arm(0xeb00_0001), Some(Call::Direct(0x100c)));
        assert_eq!(arm(0xfa00_0001), Some(Call::Direct(0x100c)));
        assert_eq!(arm(0xe12f_ff33), Some(Call::Indirect)); // blx r3
        assert_eq!(arm(0xe12f_ff13), None); // bx r3
        assert_eq!(arm(0xea00_0001), None); // b
        let thumb = |halves: [u16; 2]| {
            let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
            before(Architecture::Arm, 0x1005, |from, length| {
                let from = usize::try_from(from.checked_sub(0x1000)?).ok()?;
                bytes.get(from..from + length)
            })
        };
        assert_eq!(thumb([0xf000, 0xf801]), Some(Call::Indirect)); // bl
        assert_eq!(thumb([0xbf00, 0x4798]), Some(Call::Indirect)); // blx r3
        assert_eq!(thumb([0xbf00, 0x4770]), None); // bx lr
    }
}
