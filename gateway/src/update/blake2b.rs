//! BLAKE2b with 64 bytes of digest and no key (RFC 7693): what minisign signs of a file.

/// Bytes of a digest.
pub const DIGEST_BYTES: usize = 64;

/// Bytes that are mixed in at once, RFC 7693 §2.1.
const BLOCK_BYTES: usize = 128;

/// Rounds a block, RFC 7693 §2.1.
const ROUNDS: usize = 12;

/// RFC 7693 §2.6.
const START: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The parameter block of RFC 7693 §2.5: one leaf, no key, this many bytes of digest.
const PARAMETERS: u64 = 0x0101_0000 | DIGEST_BYTES as u64;

/// Which words of a block each round takes, RFC 7693 §2.7; after the last line comes the first.
const ORDER: [[u8; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// Columns, then diagonals: the words of the state that are mixed with each other.
const MIXED: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// The digest of `bytes`.
pub fn digest(bytes: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut state = START;
    state[0] ^= PARAMETERS;
    let (mut rest, mut count) = (bytes, 0);
    loop {
        let (block, after) = rest.split_at(rest.len().min(BLOCK_BYTES));
        count += block.len() as u64;
        compress(&mut state, block, count, after.is_empty());
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    let mut digest = [0; DIGEST_BYTES];
    for (bytes, word) in digest.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

/// Function F of RFC 7693 §3.2; `count` includes this block, which is filled up with zeros.
fn compress(state: &mut [u64; 8], block: &[u8], count: u64, last: bool) {
    let mut words = [0_u64; 16];
    for (index, byte) in block.iter().enumerate() {
        words[index / 8] |= u64::from(*byte) << (index % 8 * 8);
    }
    let mut work = [0; 16];
    work[..8].copy_from_slice(state);
    work[8..].copy_from_slice(&START);
    work[12] ^= count;
    if last {
        work[14] = !work[14];
    }
    for order in ORDER.iter().cycle().take(ROUNDS) {
        for (&places, pair) in MIXED.iter().zip(order.chunks_exact(2)) {
            mix(&mut work, places, words[usize::from(pair[0])], words[usize::from(pair[1])]);
        }
    }
    for (index, word) in state.iter_mut().enumerate() {
        *word ^= work[index] ^ work[index + 8];
    }
}

/// Function G of RFC 7693 §3.1.
fn mix(work: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    for (word, right_d, right_b) in [(x, 32, 24), (y, 16, 63)] {
        work[a] = work[a].wrapping_add(work[b]).wrapping_add(word);
        work[d] = (work[d] ^ work[a]).rotate_right(right_d);
        work[c] = work[c].wrapping_add(work[d]);
        work[b] = (work[b] ^ work[c]).rotate_right(right_b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hexadecimal(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_example_of_the_rfc_comes_out() {
        // RFC 7693, appendix A.
        let wanted = "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
                      7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923";
        assert_eq!(hexadecimal(&digest(b"abc")), wanted);
    }

    #[test]
    fn every_length_up_to_some_blocks_agrees_with_another_implementation() {
        // python3: m = bytes(i % 251 for i in range(400)); d = lambda b: blake2b(b).digest()
        // d(b"".join(d(m[:n]) for n in range(401))).hex()
        let wanted = "f3055bb4624d5118c98fafc4ec3d72a3d594a8b7773e72d6f70376ad4473b52a\
                      f0d5abae670a63db78a507ad01d0fbeb3c31d56e9aace0eb900748ddd62e4ec3";
        let message: Vec<u8> = (0..400_u32).map(|index| (index % 251) as u8).collect();
        let digests: Vec<u8> = (0..=400).flat_map(|length| digest(&message[..length])).collect();
        assert_eq!(hexadecimal(&digest(&digests)), wanted);
    }
}
