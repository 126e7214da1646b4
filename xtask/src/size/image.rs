//! What a binary consists of: its sections, and the symbols that its debug file has for them.

use crate::Result;
use object::{Architecture, BinaryFormat, File, Object as _, ObjectSection as _};
use object::{ObjectSymbol as _, SymbolKind};
use std::path::Path;

/// A binary, measured.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Bytes of the file.
    pub bytes: u64,
    /// What of it is in sections, in the order of addresses.
    pub sections: Vec<Section>,
    /// In no order; they may overlap.
    pub symbols: Vec<Symbol>,
}

/// A section that takes space in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name, as `.text`; that of Mach-O as `__TEXT,__text`.
    pub name: String,
    /// Where it will be in memory; 0 when it will not.
    pub address: u64,
    /// Bytes in the file.
    pub bytes: u64,
}

/// A function or a constant with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its mangled name.
    pub name: String,
    /// Where it will be in memory.
    pub address: u64,
    /// Its bytes; of Mach-O, which does not say, those up to the next symbol or the section's end.
    pub bytes: u64,
}

/// Reads a stripped binary and the file that has its symbols.
///
/// # Errors
/// When one of them cannot be read, or they are not of the same build.
pub fn read(binary: &Path, debug: &Path) -> Result<Image> {
    let (data, symbols) = (load(binary)?, load(debug)?);
    let parse = |path: &Path, data| {
        File::parse(data).map_err(|error| format!("{} is no binary: {error}", path.display()))
    };
    let (file, symbols) = (parse(binary, &*data)?, parse(debug, &*symbols)?);
    let identity = |file: &File<'_>| {
        (file.build_id().ok().flatten().map(<[u8]>::to_vec), file.mach_uuid().ok().flatten())
    };
    if identity(&file) != identity(&symbols) {
        let (binary, debug) = (binary.display(), debug.display());
        return Err(format!("{debug} is not of the build of {binary}: build both again").into());
    }
    let mut sections: Vec<Section> = file.sections().filter_map(|it| section(&it)).collect();
    sections.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
    let symbols = symbols_of(&symbols, &sections);
    Ok(Image { bytes: data.len() as u64, sections, symbols })
}

fn load(path: &Path) -> Result<Vec<u8>> {
    let read = std::fs::read(path);
    read.map_err(|error| {
        format!("{}: {error}; build it with cargo xtask dist", path.display()).into()
    })
}

fn section(section: &object::Section<'_, '_>) -> Option<Section> {
    let (_, bytes) = section.file_range()?;
    let name = section.name().unwrap_or("?");
    let name = match section.segment_name().ok().flatten() {
        Some(segment) => format!("{segment},{name}"),
        None => name.to_owned(),
    };
    (bytes > 0).then(|| Section { name, address: section.address(), bytes })
}

fn symbols_of(file: &File<'_>, sections: &[Section]) -> Vec<Symbol> {
    // The lowest bit of a function's address says that it is Thumb code.
    let thumb = u64::from(file.architecture() == Architecture::Arm);
    let apple = file.format() == BinaryFormat::MachO;
    let named = file.symbols().filter(|symbol| {
        let is_place =
            matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Data | SymbolKind::Unknown);
        is_place && !symbol.is_undefined() && (apple || symbol.size() > 0)
    });
    let mut symbols: Vec<Symbol> = named
        .filter_map(|symbol| {
            // Labels of the compiler say nothing; linkers for ARM keep some of them.
            let name = symbol.name().ok().filter(|name| !name.starts_with(".L"))?;
            let name = if apple { name.strip_prefix('_').unwrap_or(name) } else { name };
            let odd = if symbol.kind() == SymbolKind::Text { thumb } else { 0 };
            let address = symbol.address() & !odd;
            Some(Symbol { name: name.to_owned(), address, bytes: symbol.size() })
        })
        .collect();
    if apple {
        measure(&mut symbols, sections);
    }
    symbols
}

/// Gives symbols the bytes up to the next one of their section, or to its end.
fn measure(symbols: &mut [Symbol], sections: &[Section]) {
    symbols.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
    let mut next = u64::MAX;
    for index in (0..symbols.len()).rev() {
        let Some(symbol) = symbols.get_mut(index) else { continue };
        let inside = |it: &&Section| {
            it.address > 0 && (it.address..it.address + it.bytes).contains(&symbol.address)
        };
        let end = sections.iter().find(inside).map_or(symbol.address, |it| it.address + it.bytes);
        symbol.bytes = end.min(next).saturating_sub(symbol.address);
        next = symbol.address;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_without_a_size_reach_to_the_next_one_or_to_the_end() {
        let symbol = |name: &str, address| Symbol { name: name.to_owned(), address, bytes: 0 };
        let section = |address, bytes| Section { name: String::new(), address, bytes };
        let mut symbols = [symbol("b", 120), symbol("a", 100), symbol("c", 200), symbol("d", 9)];
        measure(&mut symbols, &[section(100, 50), section(200, 7)]);
        let measured: Vec<_> = symbols.iter().map(|it| (it.name.as_str(), it.bytes)).collect();
        assert_eq!(measured, [("d", 0), ("a", 20), ("b", 30), ("c", 7)]);
    }

    #[test]
    fn a_program_is_read_with_itself_as_its_symbols() {
        let own = std::env::current_exe().expect("a path");
        let image = read(&own, &own).expect("an image");
        assert!(image.sections.iter().any(|it| it.name.contains("text")), "{:?}", image.sections);
        assert!(image.symbols.len() > 1000, "{}", image.symbols.len());
        assert!(image.sections.iter().map(|it| it.bytes).sum::<u64>() <= image.bytes);
    }

    #[test]
    fn what_is_no_binary_is_refused_by_name() {
        let error = read(Path::new(file!()), Path::new("none.debug")).expect_err("no such file");
        assert!(error.to_string().contains("cargo xtask dist"), "{error}");
    }
}
