//! JSON text of the contract's types, for columns and embedded objects.

/// The JSON of a type of the contract.
pub fn of<T: miniserde::Serialize>(value: &T) -> String {
    miniserde::json::to_string(value)
}
