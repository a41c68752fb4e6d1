//! Options on the command line, typed as `key=value` or `key value`.

use fichier_config::Secret;

use crate::exit::Failure;

/// Returns options and values in their order.
///
/// # Errors
/// The last key has no value.
pub(super) fn pairs(words: &[String]) -> Result<Vec<(String, Secret)>, Failure> {
    let mut pairs = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, value),
            None => {
                let none = || Failure::usage(format!("the option {word:?} has no value"));
                (word.as_str(), words.next().ok_or_else(none)?.as_str())
            }
        };
        pairs.push((key.to_owned(), Secret::new(value)));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Option<Vec<(String, String)>> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let pairs = pairs(&words).ok()?;
        Some(pairs.into_iter().map(|(key, value)| (key, value.expose().to_owned())).collect())
    }

    #[test]
    fn both_forms_may_be_mixed() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            read(&["a=1", "b", "2=3", "c="]),
            Some(vec![pair("a", "1"), pair("b", "2=3"), pair("c", "")])
        );
        assert_eq!(read(&["a=1", "b"]), None);
    }
}
