//! Whose a symbol is: the crate that defines it, read from its mangled name.

use std::borrow::Cow;

/// Functions of C and assembler that ring brings along under names without its own prefix.
const OF_RING: &[&str] = &[
    "ring_core_",
    "ring::",
    "_aesni_",
    "_vpaes_",
    "__ecp_nistz256_",
    "ecp_nistz256_",
    "aes_nohw_",
    "bn_",
    "chacha20_poly1305_",
    "fe_",
    "fe4_",
    "fiat_",
    "ge_",
    "gcm_",
    "inline_x25519_",
    "k25519",
    "mul4x_internal",
    "mulx4x_internal",
    "nistz384_",
    "p256_",
    "p384_",
    "poly_hash_",
    "poly1305_",
    "sha256_",
    "sha512_",
    "sqr8x_",
    "sqrx8x_",
    "x25519_",
    "K256",
    "K512",
];

/// What the machine outliner made of instructions that several functions have in common.
pub const SHARED: &str = "(instructions that functions share)";

/// C code that is not ring's: musl, what compilers call, and what comes before `main`.
pub const C: &str = "(C library)";

/// The crate that defines the symbol `name`, as it stands in an object file without the underscore
/// of Mach-O. An instance of generic code belongs to the crate that has the generic code, and a
/// method to the crate that has its `impl`.
pub fn owner(name: &str) -> Cow<'_, str> {
    if let Some(rest) = name.strip_prefix("_R")
        && let Some(owner) = (V0 { rest }).path()
    {
        return Cow::Borrowed(owner);
    }
    if name.starts_with("_R") || name.starts_with("_ZN") {
        let readable = format!("{:#}", rustc_demangle::demangle(name));
        return Cow::Owned(of_readable(&readable).to_owned());
    }
    if name.starts_with("OUTLINED_FUNCTION_") {
        return Cow::Borrowed(SHARED);
    }
    let ring = OF_RING.iter().any(|start| name.starts_with(start));
    Cow::Borrowed(if ring { "ring" } else { C })
}

/// A reader of the part of a v0 name that leads to its crate (Rust RFC 2603). Types between are
/// read over only where there is no other way.
struct V0<'a> {
    rest: &'a str,
}

impl<'a> V0<'a> {
    fn path(&mut self) -> Option<&'a str> {
        match self.take()? {
            // A crate: the end of the way.
            'C' => self.identifier(),
            // An `impl`: the path of the module that it stands in comes first.
            'M' | 'X' => {
                self.disambiguator();
                self.path()
            }
            // Something in a path, of any kind of namespace.
            'N' => {
                self.take()?;
                self.path()
            }
            // A path with arguments for its parameters.
            'I' => self.path(),
            // What a trait provides for a type: it stands in the trait's crate.
            'Y' => {
                self.type_()?;
                self.path()
            }
            _ => None,
        }
    }

    fn take(&mut self) -> Option<char> {
        let first = self.rest.chars().next()?;
        self.rest = self.rest.get(first.len_utf8()..)?;
        Some(first)
    }

    fn base_62(&mut self) -> Option<()> {
        let (_, rest) = self.rest.split_once('_')?;
        self.rest = rest;
        Some(())
    }

    fn disambiguator(&mut self) {
        if self.rest.starts_with('s') {
            self.base_62();
        }
    }

    fn identifier(&mut self) -> Option<&'a str> {
        self.disambiguator();
        if self.rest.starts_with('u') {
            self.take();
        }
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (count, rest) = self.rest.split_at_checked(digits)?;
        let rest = rest.strip_prefix('_').unwrap_or(rest);
        let (name, rest) = rest.split_at_checked(count.parse().ok()?)?;
        self.rest = rest;
        Some(name)
    }

    /// Reads over a type.
    fn type_(&mut self) -> Option<()> {
        match self.rest.chars().next()? {
            'a'..='z' => self.take().map(|_| ()),
            'B' => {
                self.take();
                self.base_62()
            }
            'R' | 'Q' => {
                self.take();
                if self.rest.starts_with('L') {
                    self.base_62()?;
                }
                self.type_()
            }
            'P' | 'O' | 'S' => {
                self.take();
                self.type_()
            }
            'A' => {
                self.take();
                self.type_()?;
                self.constant()
            }
            'T' => {
                self.take();
                self.until_end(Self::type_)
            }
            _ => self.whole_path(),
        }
    }

    /// Reads over a path with everything that belongs to it.
    fn whole_path(&mut self) -> Option<()> {
        match self.take()? {
            'C' => self.identifier().map(|_| ()),
            'B' => self.base_62(),
            'M' => {
                self.disambiguator();
                self.whole_path()?;
                self.type_()
            }
            'X' => {
                self.disambiguator();
                self.whole_path()?;
                self.type_()?;
                self.whole_path()
            }
            'Y' => {
                self.type_()?;
                self.whole_path()
            }
            'N' => {
                self.take()?;
                self.whole_path()?;
                self.identifier().map(|_| ())
            }
            'I' => {
                self.whole_path()?;
                self.until_end(Self::argument)
            }
            _ => None,
        }
    }

    fn argument(&mut self) -> Option<()> {
        match self.rest.chars().next()? {
            'L' => self.base_62(),
            'K' => {
                self.take();
                self.constant()
            }
            _ => self.type_(),
        }
    }

    fn constant(&mut self) -> Option<()> {
        match self.take()? {
            'p' => Some(()),
            'B' => self.base_62(),
            _ => self.base_62(),
        }
    }

    fn until_end(&mut self, mut one: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        while !self.rest.starts_with('E') {
            one(self)?;
        }
        self.take().map(|_| ())
    }
}

/// The crate in a name as people read it, which does not say where an `impl` stands: it must be in
/// the crate of the type or in that of the trait, and where the type is of the standard library or
/// none at all, it is the trait's. For names of the older encoding, and for those of today whose
/// types are functions or trait objects.
fn of_readable(readable: &str) -> &str {
    let Some(inside) = readable.strip_prefix('<') else {
        return first_crate(readable).unwrap_or(C);
    };
    let (of, by) = match inside.split_once(" as ") {
        Some((of, by)) => (first_crate(of), first_crate(by)),
        None => (first_crate(inside), None),
    };
    match (of, by) {
        (Some("core" | "alloc" | "std") | None, Some(by)) => by,
        (Some(of), _) => of,
        (None, None) => C,
    }
}

/// The first word that a path begins with: a type parameter or a primitive type is no path.
fn first_crate(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(['&', '*', '[', '(', '<']);
    let text = text.trim_start_matches("mut ").trim_start_matches("const ");
    let text = text.trim_start_matches("dyn ");
    let end = text.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    rest.starts_with("::").then_some(word)
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn names_of_today_lead_to_the_crate_that_has_the_code() {
        for (name, crate_) in [
            ("_RNvNtCsf2a1OBh02tY_16chatcode_gateway5child3run", "chatcode_gateway"),
            (
                "_RNCNvMNtNtCsf2a1OBh02tY_16chatcode_gateway7session12conversation",
                "chatcode_gateway",
            ),
            // `core::ptr::drop_in_place` of a type of rustls.
            (
                "_RINvNtCsdAZbY89Tmuu_4core3ptr13drop_in_placeINtNtCs6K2yYr0LK4P_6rustls4conn1CE",
                "core",
            ),
            // An `impl` in rustls of a trait of core.
            (
                "_RNvXs1_NtNtCs6K2yYr0LK4P_6rustls3msgs5codechNtNtCsdAZbY89Tmuu_4core3fmt5Debug3fmt",
                "rustls",
            ),
            // What a trait of std provides for a type of webpki, in a tuple, behind a reference.
            (
                "_RNvYTRNtCsbRuNhgfUXO1_6webpki5ErrorhENtNtCsl8r2D8Cqc62_3std5error5Error5cause",
                "std",
            ),
            ("_RNvYAhj4_NtCs1_4core1T1m", "core"),
            ("_RNvYINtCs1_4core6OptionhENtCs2_5alloc1T1m", "alloc"),
        ] {
            assert_eq!(owner(name), crate_, "{name}");
        }
    }

    #[test]
    fn names_of_old_lead_there_too() {
        for (name, crate_) in [
            (
                "_ZN4core3ptr42drop_in_place$LT$alloc..string..String$GT$17h0123456789abcdefE",
                "core",
            ),
            (
                "_ZN57_$LT$rustls..error..Error$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
                "rustls",
            ),
            (
                "_ZN50_$LT$T$u20$as$u20$core..convert..Into$LT$U$GT$$GT$4into17h0123456789abcdefE",
                "core",
            ),
        ] {
            assert_eq!(owner(name), crate_, "{name}");
        }
    }

    #[test]
    fn code_in_c_is_rings_or_the_librarys() {
        assert_eq!(owner("ring_core_0_17_14__sha256_block_data_order_nohw"), "ring");
        assert_eq!(owner("fiat_25519_carry_mul"), "ring");
        assert_eq!(owner("_vpaes_encrypt_core"), "ring");
        assert_eq!(owner("getaddrinfo"), super::C);
        assert_eq!(owner("__aeabi_uldivmod"), super::C);
        assert_eq!(owner("OUTLINED_FUNCTION_7"), super::SHARED);
    }

    #[test]
    fn a_name_that_ends_too_early_is_nobodys() {
        for name in
            ["_R", "_RN", "_RNv", "_RNvC", "_RNvCs1_", "_RNvC99999999999999999999a", "_RY", "_RYT"]
        {
            assert_eq!(owner(name), super::C, "{name}");
        }
    }
}
