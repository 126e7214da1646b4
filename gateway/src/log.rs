//! Structured logs on standard error: text for people, JSON for collectors, `<N>` for journald.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};

/// How much matters; the numbers are syslog's, which journald reads from `<N>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Level {
    Error = 3,
    Warn = 4,
    Info = 6,
    Debug = 7,
}

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Format {
    Text,
    Json,
    Journal,
}

/// The names of the levels.
pub const LEVELS: [&str; 4] = ["error", "warn", "info", "debug"];

/// The names of the forms.
pub const FORMATS: [&str; 3] = ["text", "json", "journal"];

/// The variable that says which form is wanted.
pub const FORMAT_VARIABLE: &str = "GATEWAY_LOG_FORMAT";

/// The level's number.
static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// The form's number.
static FORMAT: AtomicU8 = AtomicU8::new(Format::Text as u8);

impl Level {
    /// Reads `error`, `warn`, `info` or `debug`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "error" => Self::Error,
            "warn" => Self::Warn,
            "info" => Self::Info,
            "debug" => Self::Debug,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl Format {
    /// Reads `text`, `json` or `journal`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "json" => Self::Json,
            "journal" => Self::Journal,
            _ => return None,
        })
    }

    /// As in [`FORMATS`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Journal => "journal",
        }
    }

    /// What a variable says, as a child of the gateway has it from its parent, or else what fits
    /// where standard error goes: systemd names its journal in `JOURNAL_STREAM`.
    pub fn detect() -> Self {
        let named = std::env::var(FORMAT_VARIABLE).ok();
        if let Some(format) = named.and_then(|name| Self::from_name(&name)) {
            return format;
        }
        if std::env::var_os("JOURNAL_STREAM").is_some() { Self::Journal } else { Self::Text }
    }
}

/// Sets level and form, before anything is logged and whenever the settings change.
pub fn init(level: Level, format: Format) {
    LEVEL.store(level as u8, Ordering::Relaxed);
    FORMAT.store(format as u8, Ordering::Relaxed);
}

/// The present form.
pub fn format() -> Format {
    match FORMAT.load(Ordering::Relaxed) {
        number if number == Format::Json as u8 => Format::Json,
        number if number == Format::Journal as u8 => Format::Journal,
        _ => Format::Text,
    }
}

/// Writes one line with its fields, if the level is wanted.
pub fn log(level: Level, message: &str, fields: &[(&str, &dyn std::fmt::Display)]) {
    if level as u8 > LEVEL.load(Ordering::Relaxed) {
        return;
    }
    let line = render(level, format(), message, fields);
    // One write a line, so that lines of several processes do not mix. Nobody reads: not our fault.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

fn render(
    level: Level,
    format: Format,
    message: &str,
    fields: &[(&str, &dyn std::fmt::Display)],
) -> String {
    let mut line = String::new();
    if format == Format::Json {
        let _ = write!(line, r#"{{"level":"{}","message":{}"#, level.name(), quoted(message));
        for (key, value) in fields {
            let _ = write!(line, ",{}:{}", quoted(key), quoted(&value.to_string()));
        }
        line.push_str("}\n");
        return line;
    }
    if format == Format::Journal {
        let _ = write!(line, "<{}>", level as u8);
    } else {
        let _ = write!(line, "{:5} ", level.name());
    }
    line.push_str(message);
    for (key, value) in fields {
        let _ = write!(line, " {key}={value}");
    }
    // A foreign newline must not begin a line of its own.
    let mut line = line.replace(['\n', '\r'], " ");
    line.push('\n');
    line
}

fn quoted(text: &str) -> String {
    miniserde::json::to_string(text)
}

/// Logs at a level: `log!(Warn, "text", key = value, …)`.
#[macro_export]
macro_rules! log {
    ($level:ident, $message:expr $(, $key:ident = $value:expr)* $(,)?) => {
        $crate::log::log(
            $crate::log::Level::$level,
            $message,
            &[$((stringify!($key), &$value as &dyn std::fmt::Display)),*],
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_one_form_for_each_reader() {
        let fields: &[(&str, &dyn std::fmt::Display)] = &[("host", &"a\nb"), ("port", &7)];
        assert_eq!(
            render(Level::Warn, Format::Text, "lost", fields),
            "warn  lost host=a b port=7\n"
        );
        assert_eq!(render(Level::Warn, Format::Journal, "lost", &[]), "<4>lost\n");
        assert_eq!(
            render(Level::Info, Format::Json, "x\"y", fields),
            "{\"level\":\"info\",\"message\":\"x\\\"y\",\"host\":\"a\\nb\",\"port\":\"7\"}\n"
        );
    }
}
