//! Words of command lines, made of text that is here and text that is not.

/// These words.
pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Adds words to a command line.
pub fn add(line: &mut Vec<String>, more: &[&str]) {
    line.extend(words(more));
}
