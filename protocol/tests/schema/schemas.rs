//! The schemas, parsed and ready to judge messages.

use protocol::schema_text::{ALL, BASE};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Every schema of the contract.
pub struct Schemas {
    documents: BTreeMap<&'static str, Value>,
    registry: jsonschema::Registry<'static>,
}

impl Schemas {
    /// Parses all schemas and resolves what they refer to.
    pub fn load() -> Self {
        let mut documents = BTreeMap::new();
        let mut registry = jsonschema::Registry::new();
        for (file, text) in ALL {
            let document: Value = serde_json::from_str(text).expect(file);
            assert_eq!(document["$id"], format!("{BASE}{file}"));
            documents.insert(file, document.clone());
            registry = registry.add(format!("{BASE}{file}"), document).expect(file);
        }
        Self { documents, registry: registry.prepare().expect("every reference resolves") }
    }

    /// Every schema's file name and document.
    pub fn documents(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.documents.iter().map(|(file, document)| (*file, document))
    }

    /// One schema's document.
    pub fn document(&self, file: &str) -> &Value {
        &self.documents[file]
    }

    /// The named definitions of one schema.
    pub fn definitions(&self, file: &str) -> &Map<String, Value> {
        self.documents[file]["$defs"].as_object().expect("definitions")
    }

    /// What `reference`, found in `file`, points at: the file that owns it, its name, itself.
    pub fn resolve<'a>(
        &'a self,
        file: &'a str,
        reference: &'a str,
    ) -> (&'a str, &'a str, &'a Value) {
        let (owner, name) = reference.split_once("#/$defs/").expect(reference);
        let owner = if owner.is_empty() { file } else { owner };
        (owner, name, &self.definitions(owner)[name])
    }

    /// The definitions that are messages: those that the root of `file` lists.
    pub fn messages<'a>(&'a self, file: &'a str) -> Vec<(&'a str, &'a Value)> {
        let listed = self.documents[file]["oneOf"].as_array().expect("oneOf");
        let reference = |item: &'a Value| item["$ref"].as_str().expect("$ref");
        let named = |item| {
            let (_, name, definition) = self.resolve(file, reference(item));
            (name, definition)
        };
        listed.iter().map(named).collect()
    }

    /// A validator of a whole schema (`events.json`) or of a part (`events.json#/$defs/Ack`).
    pub fn validator(&self, reference: &str) -> jsonschema::Validator {
        jsonschema::options()
            .with_registry(&self.registry)
            .offline()
            .build(&json!({ "$ref": format!("{BASE}{reference}") }))
            .expect(reference)
    }
}

/// What is wrong with `message`, for people; empty when it is valid.
pub fn complaints(validator: &jsonschema::Validator, message: &Value) -> Vec<String> {
    validator
        .iter_errors(message)
        .map(|error| format!("{}: {error:.200}", error.instance_path()))
        .collect()
}
