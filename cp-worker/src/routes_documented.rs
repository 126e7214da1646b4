//! Holds the routes against `API.md`, which the tests of who may ask are held against in turn.

use crate::routes::{Route, route};
use std::collections::BTreeSet;

/// Methods and paths of the document with ids in the places of their names.
fn documented() -> Vec<(String, String)> {
    let quoted = include_str!("../API.md").split('`').skip(1).step_by(2);
    let requests = quoted.filter_map(|code| {
        let (method, address) = code.split_once(' ')?;
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method);
        (known && address.starts_with('/') && !address.ends_with("/…")).then_some((method, address))
    });
    let place = |segment: &str| match segment {
        ":session_id" => "7".to_owned(),
        ":agent" => "codex".to_owned(),
        ":sign_in_id" => "0".repeat(64),
        other => other.replace(':', ""),
    };
    let requests = requests.map(|(method, address)| {
        let path = address.split('?').next().unwrap_or_default();
        let path: Vec<String> = path.split('/').map(place).collect();
        (method.to_owned(), path.join("/"))
    });
    requests.collect()
}

/// The name of a route, without what is in it.
fn name(route: &Route) -> String {
    let text = format!("{route:?}");
    text.split('(').next().unwrap_or_default().to_owned()
}

/// The names in the text of the enumeration.
fn declared() -> BTreeSet<String> {
    let text = include_str!("routes.rs").split("pub enum Route {").nth(1).unwrap();
    let body = text.split("\n}").next().unwrap();
    let lines = body.lines().map(str::trim).filter(|line| line.starts_with(char::is_uppercase));
    lines.map(|line| line.trim_end_matches(',').split('(').next().unwrap().to_owned()).collect()
}

#[test]
fn every_route_is_documented() {
    let documented = documented();
    assert!(documented.len() > 20, "{documented:?}");
    let found = documented.iter().map(|(method, path)| match route(method, path) {
        Ok(route) => name(&route),
        Err(none) => panic!("{method} {path}: {none:?}"),
    });
    let mut found: BTreeSet<String> = found.collect();
    found.insert(name(&Route::Asset));
    let missing: Vec<_> = declared().difference(&found).cloned().collect();
    assert_eq!(missing, Vec::<String>::new());
}
