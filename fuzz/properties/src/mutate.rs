//! Seeded changes to an input, for the short run that every test makes.

/// Largest input that a mutation grows to.
const MAX_BYTES: usize = 4 * 1024;

/// Most changes that make one mutation.
const CHANGES: u64 = 4;

/// A small generator; the same seed gives the same numbers on every machine.
pub struct Random(u64);

impl Random {
    /// Starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap_or(0)
    }
}

/// An input made of `corpus` by the changes that `seed` chooses.
pub fn mutation(corpus: &[Vec<u8>], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut input = corpus.get(random.below(corpus.len())).cloned().unwrap_or_default();
    for _ in 0..=random.next() % CHANGES {
        change(&mut input, corpus, &mut random);
    }
    input.truncate(MAX_BYTES);
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    let (a, b) = (random.below(input.len() + 1), random.below(input.len() + 1));
    let (start, end) = (a.min(b), a.max(b));
    match random.below(8) {
        0 | 1 => flip(input, random),
        2 => drop(input.drain(start..end)),
        3 => input.truncate(a),
        4 => {
            let copy = input[start..end].to_vec();
            drop(input.splice(b..b, copy));
        }
        5 => {
            let other = corpus.get(random.below(corpus.len())).cloned().unwrap_or_default();
            let from = random.below(other.len() + 1);
            drop(input.splice(start..end, other[from..].iter().copied()));
        }
        6 => {
            let length = random.below(16);
            let noise: Vec<u8> = (0..length).map(|_| random.next().to_le_bytes()[0]).collect();
            drop(input.splice(start..start, noise));
        }
        _ => {
            // Bytes that mean something to one of the parsers.
            let telling = b"\x1b\x07\x18\n\r\\%;:[]{}\",|=0m\xfe\xff\x80";
            let byte = telling[random.below(telling.len())];
            input.insert(a, byte);
        }
    }
}

fn flip(input: &mut [u8], random: &mut Random) {
    let at = random.below(input.len());
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_one_input_and_seeds_differ() {
        let corpus = [b"some input".to_vec(), b"another".to_vec()];
        let many: std::collections::BTreeSet<Vec<u8>> =
            (0..1_000).map(|seed| mutation(&corpus, seed)).collect();
        assert!(many.len() > 800, "{}", many.len());
        assert_eq!(mutation(&corpus, 7), mutation(&corpus, 7));
        assert!(many.iter().all(|input| input.len() <= MAX_BYTES));
    }
}
