//! Reads the option `upstreams`: `dir=remote:path "other dir=remote:path with spaces"`.

use fichier_storage::Name;

/// A folder of the combined remote, and the place that it shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Upstream {
    /// Name of the folder.
    pub(super) name: Name,
    /// Place, as a remote string.
    pub(super) place: String,
}

/// Reads the option. Values are separated by spaces; a value with spaces is in quotes, and a quote in it is written
/// twice, as in rclone.
///
/// # Errors
/// A value isn't of the form `dir=remote:path`, or a name is there twice. The error never quotes a place, which may
/// hold a key.
pub(super) fn read(text: &str) -> Result<Vec<Upstream>, String> {
    let mut upstreams: Vec<Upstream> = Vec::new();
    for value in values(text)? {
        let Some((name, place)) = value.split_once('=') else {
            return Err("expected dir=remote:path for each folder, set apart by spaces".to_owned());
        };
        if place.is_empty() {
            return Err(format!("the folder {name:?} names no place: expected {name}=remote:path"));
        }
        let name =
            Name::new(name).map_err(|error| format!("{name:?} can't be the name of a folder: {error}"))?;
        if upstreams.iter().any(|upstream| upstream.name == name) {
            return Err(format!("the folder {:?} stands there twice", name.to_string()));
        }
        upstreams.push(Upstream { name, place: place.to_owned() });
    }
    match upstreams.is_empty() {
        true => Err("expected at least one folder, as dir=remote:path".to_owned()),
        false => Ok(upstreams),
    }
}

fn values(text: &str) -> Result<Vec<String>, String> {
    let mut values = Vec::new();
    let mut characters = text.trim().chars().peekable();
    while let Some(first) = characters.next() {
        let mut value = String::new();
        if first == '"' {
            loop {
                match characters.next() {
                    Some('"') if characters.peek() == Some(&'"') => {
                        characters.next();
                        value.push('"');
                    }
                    Some('"') => break,
                    Some(character) => value.push(character),
                    None => return Err("a quote has no end".to_owned()),
                }
            }
            if characters.peek().is_some_and(|next| !next.is_whitespace()) {
                return Err("a quote ends inside a value".to_owned());
            }
        } else {
            value.push(first);
            while let Some(character) = characters.next_if(|character| !character.is_whitespace()) {
                value.push(character);
            }
        }
        while characters.next_if(|character| character.is_whitespace()).is_some() {}
        values.push(value);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstreams(text: &str) -> Result<Vec<(String, String)>, String> {
        let read = read(text)?;
        Ok(read.into_iter().map(|upstream| (upstream.name.to_string(), upstream.place)).collect())
    }

    #[test]
    fn folders_are_set_apart_by_spaces_and_may_be_quoted() {
        let is = |pairs: &[(&str, &str)]| {
            Ok(pairs.iter().map(|(name, place)| (name.to_string(), place.to_string())).collect())
        };
        assert_eq!(upstreams("a=x:p b=y:"), is(&[("a", "x:p"), ("b", "y:")]));
        assert_eq!(upstreams("  a=x:p=q   b=/tmp/z "), is(&[("a", "x:p=q"), ("b", "/tmp/z")]));
        assert_eq!(upstreams(r#""my dir=x:a b" b=y:"#), is(&[("my dir", "x:a b"), ("b", "y:")]));
        assert_eq!(upstreams(r#""a=x,o=""q q"":p""#), is(&[("a", "x,o=\"q q\":p")]));
    }

    #[test]
    fn what_is_no_list_of_folders_says_what_would_be() {
        for text in ["", " ", "a", "a=", "a=x: a=y:", "/=x:", "..=x:", "a/b=x:", "\"a=x:", "\"a=x:\"b"] {
            assert!(upstreams(text).is_err(), "{text:?}");
        }
        let error = upstreams("a:KEY").unwrap_err();
        assert!(!error.contains("KEY"), "{error}");
    }
}
