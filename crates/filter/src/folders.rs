//! Folders in which a pattern for files can match something, so that the others needn't be listed.

/// Pattern that matches every folder.
const EVERYWHERE: &str = "/**";

/// Returns the patterns of the folders that files matching `pattern` can lie in, each with a slash at its end; the
/// deepest first. The root isn't among them, since it is always listed.
pub(crate) fn leading_to(pattern: &str) -> Vec<String> {
    if is_opaque(pattern) {
        tracing::info!("Can't figure out directory filters from {pattern:?}: looking in all directories");
        return vec![EVERYWHERE.to_owned()];
    }
    let squeezed = squeeze(pattern);
    let mut rest = squeezed.as_str();
    let mut folders: Vec<String> = Vec::new();
    // From the end on: each slash ends a folder, and `**` may match any number of them.
    loop {
        let folder = match (rest.rfind('/'), rest.rfind("**")) {
            (None, None) => break,
            (slash, Some(stars)) if slash.is_none_or(|slash| stars > slash) => {
                rest = &rest[..stars];
                format!("{rest}**/")
            }
            (slash, _) => {
                rest = &rest[..slash.unwrap_or(0)];
                format!("{rest}/")
            }
        };
        if folders.last() != Some(&folder) {
            folders.push(folder);
        }
    }
    if folders.is_empty() {
        folders.push(EVERYWHERE.to_owned());
    }
    folders.retain(|folder| folder != "/");
    folders
}

/// Checks whether the folders can't be known: the pattern has a regular expression, a brace within braces, or a slash
/// or two stars within braces.
fn is_opaque(pattern: &str) -> bool {
    if pattern.contains("{{") || pattern.contains("}}") {
        return true;
    }
    let mut after_braces = pattern.split('{').skip(1).peekable();
    while let Some(after) = after_braces.next() {
        match after.split_once('}') {
            Some((within, _)) if within.contains('/') || within.contains("**") => return true,
            None if after_braces.peek().is_some() => return true,
            _ => {}
        }
    }
    false
}

/// Replaces several slashes in a row with one.
fn squeeze(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    for character in pattern.chars() {
        if character != '/' || !out.ends_with('/') {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    // Measured with rclone 1.75.2: `--dump filters`.
    #[test]
    fn folders_are_those_of_rclone() {
        for (pattern, expected) in [
            ("*.jpg", &["/**"][..]),
            ("/*", &[]),
            ("/a", &[]),
            ("a/b", &["a/"]),
            ("/a/{b,c}/*.txt", &["/a/{b,c}/", "/a/"]),
            ("a/**/b", &["a/**/", "a/"]),
            ("a**", &["a**/"]),
            ("**", &["**/"]),
            ("/**", &["/**/"]),
            ("a//b///c", &["a/b/", "a/"]),
            ("a/{b/c,d}/x", &["/**"]),
            ("{{.*}}/x", &["/**"]),
            ("{a{b}}", &["/**"]),
            ("{a**,b}", &["/**"]),
            ("", &["/**"]),
        ] {
            assert_eq!(leading_to(pattern), expected, "{pattern}");
        }
    }
}
