//! Every code of `doctor` has its section, and every section is of a code.

use crate::documents;
use integration::repository;

/// What looks like a code in doctor's sources and is the name of a check.
const CHECKS: [&str; 1] = ["ssh_files"];

/// Words with underscores between quotes, in what is not a test.
fn codes() -> Vec<String> {
    let folder = repository().join("gateway/src/doctor");
    let mut codes = Vec::new();
    for entry in std::fs::read_dir(folder).expect("doctor's sources") {
        let source = std::fs::read_to_string(entry.expect("a file").path()).expect("text");
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let is_code = |word: &&str| {
            word.trim_start_matches('_').contains('_')
                && word.chars().all(|it| it.is_ascii_lowercase() || it == '_')
        };
        let words = source.split('"').skip(1).step_by(2).filter(is_code);
        codes.extend(words.filter(|word| !CHECKS.contains(word)).map(str::to_owned));
    }
    codes.sort();
    codes.dedup();
    codes
}

#[test]
fn every_code_of_doctor_has_a_section() {
    let text = documents::read("troubleshooting.md");
    let mut sections: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    sections.sort_unstable();
    let codes = codes();
    assert!(codes.len() > 40, "{codes:?}");
    assert_eq!(sections, codes, "sections of troubleshooting.md, and codes of gateway/src/doctor");
    for section in text.split("\n### ").skip(1) {
        let (code, rest) = section.split_once('\n').expect("a section");
        let said = rest.split("\n#").next().unwrap_or_default().trim();
        assert!(said.len() > 40 && said.ends_with('.'), "{code}: {said}");
    }
}

/// Links within the documents lead somewhere.
#[test]
fn links_lead_to_files_and_headings() {
    let anchor = |heading: &str| {
        let letters = heading.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
        letters.collect::<String>().to_lowercase().replace(' ', "-")
    };
    let anchors = |text: &str| -> Vec<String> {
        let headings = text.lines().filter(|line| line.starts_with('#'));
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
    };
    for document in documents::DOCUMENTS {
        let text = documents::read(document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { text.clone() } else { documents::read(file) };
            let there = place.is_empty() || anchors(&target).contains(&place.to_owned());
            assert!(there, "{document}: {link}");
        }
    }
}
