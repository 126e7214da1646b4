//! The ad-hoc signature of a Mach-O file: digests of all its pages, and nobody's name.

use object::macho::{self, LinkeditDataCommand};
use object::read::macho::CodeDirectory;
use object::{BigEndian, Endianness};
use ring::digest::{SHA256, digest};

/// Whether macOS would accept it: each page has the digest that stands in the directory.
pub fn check(
    data: &[u8],
    endian: Endianness,
    command: Option<&LinkeditDataCommand<Endianness>>,
) -> Result<(), String> {
    let command = command.ok_or("it has none, and Apple's processors run nothing without")?;
    let directory = directory(data, endian, command).map_err(|error| error.to_string())?;
    let directory = directory.ok_or("it has no code directory")?;
    let header = directory.header();
    if !header.flags.get(BigEndian).contains(macho::CS_ADHOC) {
        return Err("it is not an ad-hoc one".to_owned());
    }
    if header.hash_type != macho::CS_HASHTYPE_SHA256 {
        return Err(format!("its digests are {:?}, and not SHA-256", header.hash_type));
    }
    // All that stands before the signature, and no less.
    let limit = command.dataoff.get(endian);
    if directory.code_limit() != u64::from(limit) {
        return Err(format!("it covers {} bytes of {limit}", directory.code_limit()));
    }
    pages(data, &directory, limit as usize)
}

fn directory<'data>(
    data: &'data [u8],
    endian: Endianness,
    command: &LinkeditDataCommand<Endianness>,
) -> object::Result<Option<CodeDirectory<'data>>> {
    let mut blobs = command.code_signature(endian, data)?.blobs();
    while let Some(blob) = blobs.next()? {
        if let Some(directory) = blob.code_directory()? {
            return Ok(Some(directory));
        }
    }
    Ok(None)
}

fn pages(data: &[u8], directory: &CodeDirectory, limit: usize) -> Result<(), String> {
    let header = directory.header();
    let size = 1_usize.checked_shl(header.page_size.into()).filter(|size| *size > 1);
    let size = size.ok_or("its pages have no size")?;
    let covered = data.get(..limit).ok_or("it covers more than there is")?;
    let count = header.n_code_slots.get(BigEndian);
    if covered.len().div_ceil(size) != count as usize {
        return Err(format!("it has {count} digests for {} bytes", covered.len()));
    }
    for (index, page) in (0..count).zip(covered.chunks(size)) {
        let written = directory.code_hash(index).map_err(|error| error.to_string())?;
        if digest(&SHA256, page).as_ref() != written {
            return Err(format!("page {index} is not what was signed"));
        }
    }
    Ok(())
}
