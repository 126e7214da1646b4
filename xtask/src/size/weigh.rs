//! Every byte of a binary, given to a crate or to what else it is for; the sums add up to the file.

use super::image::{Image, Section};
use super::owner::owner;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes by name.
pub type Bytes = BTreeMap<String, u64>;

/// What a binary weighs, and what it is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weight {
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of each section; [`OUTSIDE`] is what is in none.
    pub sections: Bytes,
    /// Bytes of each crate. What no symbol names is in parentheses.
    pub parts: Bytes,
}

/// Headers, what fills pages, and on macOS the signature and the tables of the loader.
pub const OUTSIDE: &str = "(outside of sections)";

/// Adds up what the image says.
pub fn weigh(image: &Image) -> Weight {
    let mut weight = Weight { bytes: image.bytes, ..Weight::default() };
    for section in &image.sections {
        *weight.sections.entry(section.name.clone()).or_default() += section.bytes;
    }
    let inside: u64 = image.sections.iter().map(|section| section.bytes).sum();
    weight.sections.insert(OUTSIDE.to_owned(), image.bytes.saturating_sub(inside));

    let mut unnamed: Vec<u64> = image.sections.iter().map(|section| section.bytes).collect();
    let mut symbols: Vec<_> = image.symbols.iter().collect();
    // Of functions that were found equal and became one, the first by name counts.
    symbols.sort_by_key(|it| (it.address, u64::MAX - it.bytes, &it.name));
    let mut counted_to = 0;
    for symbol in symbols {
        let start = symbol.address.max(counted_to);
        let Some(at) = image.sections.iter().position(|section| section.holds(symbol.address))
        else {
            continue;
        };
        let Some((section, left)) = image.sections.get(at).zip(unnamed.get_mut(at)) else {
            continue;
        };
        let end = (symbol.address + symbol.bytes).min(section.address + section.bytes);
        let bytes = end.saturating_sub(start);
        counted_to = counted_to.max(end);
        *left = left.saturating_sub(bytes);
        *weight.parts.entry(owner(&symbol.name).into_owned()).or_default() += bytes;
    }
    for (section, left) in image.sections.iter().zip(unnamed) {
        *weight.parts.entry(kind(&section.name).to_owned()).or_default() += left;
    }
    let outside = weight.sections.get(OUTSIDE).copied().unwrap_or_default();
    *weight.parts.entry(OUTSIDE.to_owned()).or_default() += outside;
    weight.parts.retain(|_, bytes| *bytes > 0);
    weight.sections.retain(|_, bytes| *bytes > 0);
    weight
}

impl Section {
    fn holds(&self, address: u64) -> bool {
        self.address > 0 && address >= self.address && address - self.address < self.bytes
    }
}

/// What the bytes of a section are for that no symbol names.
fn kind(section: &str) -> &'static str {
    let name = section.rsplit(',').next().unwrap_or(section);
    match name.trim_start_matches(['.', '_']) {
        "text" | "init" | "fini" | "stubs" | "stub_helper" | "plt" => "(code without a name)",
        "rodata" | "const" | "cstring" | "literal4" | "literal8" | "literal16" => {
            "(strings and constants without a name)"
        }
        "data.rel.ro" | "data" | "got" | "got.plt" | "la_symbol_ptr" | "tdata" | "thread_data" => {
            "(tables of addresses, and data without a name)"
        }
        name if name.starts_with("eh_frame") || name.starts_with("ARM.ex") => "(unwind tables)",
        "unwind_info" | "gcc_except_tab" => "(unwind tables)",
        _ => "(what the loader reads)",
    }
}

/// What became larger from one weight to the other, the most first.
pub fn grown(from: &Bytes, to: &Bytes) -> Vec<(String, u64)> {
    let mut grown: Vec<(String, u64)> = to
        .iter()
        .filter_map(|(name, bytes)| {
            let more = bytes.checked_sub(from.get(name).copied().unwrap_or_default())?;
            (more > 0).then(|| (name.clone(), more))
        })
        .collect();
    grown.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    grown
}

#[cfg(test)]
mod tests {
    use super::super::image::Symbol;
    use super::*;

    fn image() -> Image {
        let section =
            |name: &str, address, bytes| Section { name: name.to_owned(), address, bytes };
        let symbol = |name: &str, address, bytes| Symbol { name: name.to_owned(), address, bytes };
        Image {
            bytes: 1000,
            sections: vec![
                section(".text", 0x1000, 600),
                section(".rodata", 0x2000, 200),
                section(".eh_frame", 0x3000, 50),
                section(".shstrtab", 0, 30),
            ],
            symbols: vec![
                symbol("_RNvCs1_6rustls4read", 0x1000, 100),
                // Found equal to it, and folded.
                symbol("_RNvCs2_4core4next", 0x1000, 100),
                // Begins inside of it.
                symbol("_RNvCs2_4core4tail", 0x1000 + 90, 30),
                symbol("getaddrinfo", 0x1000 + 500, 60),
                // Says more than the section has.
                symbol("ring_core_0_17_14__table", 0x2000 + 150, 999),
                // In no section that takes space.
                symbol("_RNvCs1_6rustls4zero", 0x9000, 4096),
            ],
        }
    }

    fn bytes(of: &[(&str, u64)]) -> Bytes {
        of.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect()
    }

    #[test]
    fn every_byte_is_given_once_and_the_sums_are_the_file() {
        let weight = weigh(&image());
        assert_eq!(weight.bytes, 1000);
        assert_eq!(weight.sections.values().sum::<u64>(), 1000);
        assert_eq!(weight.parts.values().sum::<u64>(), 1000);
        assert_eq!(
            weight.parts,
            bytes(&[
                ("(C library)", 60),
                ("(code without a name)", 600 - 100 - 20 - 60),
                ("(outside of sections)", 120),
                ("(strings and constants without a name)", 150),
                ("(unwind tables)", 50),
                ("(what the loader reads)", 30),
                ("core", 20),
                ("ring", 50),
                ("rustls", 100),
            ])
        );
    }

    #[test]
    fn of_equal_functions_the_first_by_name_counts_whatever_their_order() {
        let mut turned = image();
        turned.symbols.reverse();
        assert_eq!(weigh(&turned), weigh(&image()));
    }

    #[test]
    fn what_grew_is_told_most_first_and_what_shrank_is_not() {
        let from = bytes(&[("a", 10), ("b", 10), ("c", 10), ("gone", 5)]);
        let to = bytes(&[("a", 12), ("b", 9), ("c", 10), ("d", 7), ("e", 2)]);
        let expected = [("d", 7), ("a", 2), ("e", 2)].map(|(name, more)| (name.to_owned(), more));
        assert_eq!(grown(&from, &to), expected);
    }
}
