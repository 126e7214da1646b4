//! Serial-number arithmetic on output offsets, which travel modulo 2³² (RFC 1982).

/// The signed distance in bytes from `from` to `to`, taking the shorter way round.
pub fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}

/// Whether `a` comes before `b` in the stream.
pub fn is_before(a: u32, b: u32) -> bool {
    distance(a, b) > 0
}

/// The form in which a full offset travels.
pub fn narrow(offset: u64) -> u32 {
    offset as u32
}

/// The full offset nearest to `near` that travels as `wire`; `None` when it would be negative.
pub fn widen(near: u64, wire: u32) -> Option<u64> {
    near.checked_add_signed(i64::from(distance(narrow(near), wire)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparison_survives_the_wrap() {
        assert!(is_before(u32::MAX, 0));
        assert!(is_before(u32::MAX - 5, 5));
        assert!(!is_before(5, u32::MAX - 5));
        assert!(!is_before(7, 7));
    }

    #[test]
    fn widening_finds_the_nearest_offset() {
        let near = (1 << 32) + 10;
        assert_eq!(widen(near, 9), Some(near - 1));
        assert_eq!(widen(near, u32::MAX), Some((1 << 32) - 1));
        assert_eq!(widen(3, 5), Some(5));
        assert_eq!(widen(3, u32::MAX), None);
    }
}
