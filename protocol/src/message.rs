//! The macro that makes a message type: a struct, its JSON form without absent fields, its reader.
//!
//! miniserde writes `None` as `null`; the contract leaves absent fields out, so the writing half
//! is generated here and only the reading half is derived.

use miniserde::Serialize;
use miniserde::ser::{Fragment, Map};
use std::borrow::Cow;

/// The present fields of a message, in the order of its declaration.
pub(crate) type FieldList<'a> = Vec<(&'static str, &'a dyn Serialize)>;

/// A message or a part of one, seen as its list of present fields.
pub(crate) trait Fields {
    /// Adds the fields that are present.
    fn fields<'a>(&'a self, out: &mut FieldList<'a>);
}

/// A field's value: `None` where the field is to be left out.
pub(crate) trait Value {
    /// What is to be written, if anything is.
    fn value(&self) -> Option<&dyn Serialize>;
}

impl<T: Serialize> Value for Option<T> {
    fn value(&self) -> Option<&dyn Serialize> {
        self.as_ref().map(|value| value as &dyn Serialize)
    }
}

macro_rules! always_present {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn value(&self) -> Option<&dyn Serialize> { Some(self) }
        }
    )*};
}
always_present!(u32, i32, u64, f64, bool, String, std::collections::BTreeMap<String, String>);

impl<T: Serialize> Value for Vec<T> {
    fn value(&self) -> Option<&dyn Serialize> {
        Some(self)
    }
}

/// Iterates a [`FieldList`] for miniserde.
pub(crate) struct FieldMap<'a>(pub(crate) std::vec::IntoIter<(&'static str, &'a dyn Serialize)>);

impl Map for FieldMap<'_> {
    fn next(&mut self) -> Option<(Cow<'_, str>, &dyn Serialize)> {
        self.0.next().map(|(key, value)| (Cow::Borrowed(key), value))
    }
}

/// A whole text message: the envelope's fields, then the payload's.
pub(crate) struct Envelope<'a> {
    pub(crate) kind: &'static str,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) payload: &'a dyn Fields,
}

impl Serialize for Envelope<'_> {
    fn begin(&self) -> Fragment<'_> {
        let mut fields: FieldList<'_> =
            vec![("type", &self.kind), ("schema_version", &crate::SCHEMA_VERSION)];
        if let Some(request_id) = &self.request_id {
            fields.push(("request_id", request_id));
        }
        self.payload.fields(&mut fields);
        Fragment::Map(Box::new(FieldMap(fields.into_iter())))
    }
}

macro_rules! message {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, miniserde::Deserialize)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl $crate::message::Fields for $name {
            fn fields<'a>(&'a self, out: &mut $crate::message::FieldList<'a>) {
                $(if let Some(value) = $crate::message::Value::value(&self.$field) {
                    out.push((stringify!($field), value));
                })*
                let _ = out;
            }
        }

        impl miniserde::Serialize for $name {
            fn begin(&self) -> miniserde::ser::Fragment<'_> {
                let mut fields = Vec::new();
                $crate::message::Fields::fields(self, &mut fields);
                let map = $crate::message::FieldMap(fields.into_iter());
                miniserde::ser::Fragment::Map(Box::new(map))
            }
        }

        impl $crate::message::Value for $name {
            fn value(&self) -> Option<&dyn miniserde::Serialize> { Some(self) }
        }
    };
}
pub(crate) use message;

/// Declares the closed set of messages of one direction and their names on the wire.
macro_rules! messages {
    ($(#[$meta:meta])* $set:ident { $($name:literal => $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum $set { $($variant($variant),)* }

        impl $set {
            /// Every name of this set on the wire.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The message's name on the wire.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// Reads the payload of the message called `name` from the whole text of the message.
            pub(crate) fn read(name: &str, text: &str) -> Read<Self> {
                match name {
                    $($name => match miniserde::json::from_str::<$variant>(text) {
                        Ok(payload) => Read::Message(Self::$variant(payload)),
                        Err(_) => Read::WrongShape,
                    },)*
                    _ => Read::UnknownName,
                }
            }

            /// The message as text.
            pub fn to_json(&self, request_id: Option<&str>) -> String {
                let payload: &dyn $crate::message::Fields =
                    match self { $(Self::$variant(payload) => payload,)* };
                miniserde::json::to_string(
                    &$crate::message::Envelope { kind: self.name(), request_id, payload })
            }
        }

        $(impl From<$variant> for $set {
            fn from(payload: $variant) -> Self { Self::$variant(payload) }
        })*
    };
}
pub(crate) use messages;

/// What reading a payload came to.
pub(crate) enum Read<T> {
    /// It is a message of the set.
    Message(T),
    /// The name is known, the payload does not fit it.
    WrongShape,
    /// The set has no such name.
    UnknownName,
}
