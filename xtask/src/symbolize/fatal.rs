//! The line that a fatal signal leaves, read back from a log of any form.

/// What the line says, as the gateway's `os::fatal` writes it.
pub const MESSAGE: &str = "ended by a fatal signal, please report this line";

/// An address of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// In the program's text, relative to where it was loaded.
    Inside(u64),
    /// In memory.
    Elsewhere(u64),
}

/// What it says.
#[derive(Debug, PartialEq, Eq)]
pub struct Fatal {
    /// The signal's name.
    pub signal: String,
    /// The program's version.
    pub version: String,
    /// The triple that it was built for.
    pub target: String,
    /// Its build id, in hexadecimal digits.
    pub build: String,
    /// The address that could not be used, as it stands there.
    pub fault: Option<String>,
    /// The process that sent the signal.
    pub sender: Option<String>,
    /// The instruction.
    pub pc: Address,
    /// What may be return addresses, innermost first.
    pub stack: Vec<u64>,
}

/// Reads one line of a log, whatever a collector put before it. None when it is another one.
pub fn read(line: &str) -> Option<Fatal> {
    let (_, rest) = line.split_once(MESSAGE)?;
    // The JSON form is `","key":"value`, in which no value needs a quotation mark.
    let json = rest.starts_with('"');
    let (between, inside) = if json { ("\",\"", "\":\"") } else { (" ", "=") };
    let rest = if json { rest.trim_end().trim_end_matches("\"}") } else { rest.trim_end() };
    let fields: Vec<(&str, &str)> =
        rest.split(between).filter_map(|field| field.split_once(inside)).collect();
    let field = |name| {
        let found = fields.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let inside = |text: &str| match address(text) {
        Some(Address::Inside(at)) => Some(at),
        _ => None,
    };
    Some(Fatal {
        signal: field("signal")?,
        version: field("version")?,
        target: field("target")?,
        build: field("build")?,
        fault: field("fault"),
        sender: field("sender"),
        pc: address(&field("pc")?)?,
        stack: field("stack").unwrap_or_default().split(',').filter_map(inside).collect(),
    })
}

fn address(text: &str) -> Option<Address> {
    let number = |digits| u64::from_str_radix(digits, 16).ok();
    match text.strip_prefix('+') {
        Some(digits) => number(digits).map(Address::Inside),
        None => text.strip_prefix("0x").and_then(number).map(Address::Elsewhere),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_log_says_the_same() {
        let fields = "signal=SIGILL version=1.2.3 target=x86_64-unknown-linux-musl build=0fa0 \
                      fault=+1a pc=+1a stack=+2b,0x7fff1,+3c,";
        let text = format!("error {MESSAGE} {fields}");
        let fatal = read(&text).expect("a line");
        assert_eq!((fatal.pc, fatal.stack.as_slice()), (Address::Inside(0x1a), &[0x2b, 0x3c][..]));
        assert_eq!((fatal.fault.as_deref(), fatal.sender.as_deref()), (Some("+1a"), None));
        let journal = format!("Nov 21 12:00:00 host chatcode-gateway[7]: {MESSAGE} {fields}\n");
        assert_eq!(read(&journal).as_ref(), Some(&fatal));
        let json = fields.replace(' ', "\",\"").replace('=', "\":\"");
        let json = format!("{{\"level\":\"error\",\"message\":\"{MESSAGE}\",\"{json}\"}}\n");
        assert_eq!(read(&json), Some(fatal));
    }

    #[test]
    fn other_lines_are_no_fatal_ones() {
        for line in ["", "info  gateway starts version=1", MESSAGE, &format!("{MESSAGE} pc=+zz")] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
