//! Finds the name of a file on the web: from its address, or from what its server says.

use percent_encoding::percent_decode_str;

/// Returns the last part of an address's path; `None` where there is none.
pub(crate) fn of_address(path: &str) -> Option<String> {
    let last = path.trim_end_matches('/').rsplit('/').next()?;
    plain(&percent_decode_str(last).decode_utf8_lossy())
}

/// Returns the file name in the header `Content-Disposition` (RFC 6266), without directories.
pub(crate) fn of_disposition(header: &str) -> Option<String> {
    let mut simple = None;
    for (key, value) in parameters(header) {
        match key.as_str() {
            // RFC 8187: character set, language, name.
            "filename*" => {
                let mut parts = value.splitn(3, '\'');
                let charset = parts.next()?.to_ascii_lowercase();
                let encoded = parts.nth(1)?;
                let bytes = percent_decode_str(encoded);
                let name = match charset.as_str() {
                    "iso-8859-1" => bytes.map(char::from).collect::<String>(),
                    _ => bytes.decode_utf8_lossy().into_owned(),
                };
                return base(&name);
            }
            "filename" => simple = base(&value),
            _ => {}
        }
    }
    simple
}

fn base(name: &str) -> Option<String> {
    plain(name.rsplit(['/', '\\']).next()?)
}

/// Returns a name if it is a valid file name.
fn plain(name: &str) -> Option<String> {
    let usable = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0']);
    usable.then(|| name.to_owned())
}

/// Returns the parameters of a header: `; key=value` or `; key="value"`, the keys in lower case.
fn parameters(header: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = header;
    while let Some(start) = rest.find(';') {
        rest = rest[start + 1..].trim_start();
        let Some(equals) = rest.find(['=', ';']).filter(|place| rest[*place..].starts_with('=')) else {
            continue;
        };
        let key = rest[..equals].trim().to_ascii_lowercase();
        rest = rest[equals + 1..].trim_start();
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut letters = quoted.char_indices();
            let mut end = quoted.len();
            while let Some((place, letter)) = letters.next() {
                match letter {
                    '"' => {
                        end = place + 1;
                        break;
                    }
                    '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
                    letter => value.push(letter),
                }
            }
            rest = &quoted[end..];
        } else {
            let end = rest.find(';').unwrap_or(rest.len());
            value.push_str(rest[..end].trim());
            rest = &rest[end..];
        }
        found.push((key, value));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_last_part() {
        let name = |path: &str| of_address(path).unwrap_or_default();
        assert_eq!(name("/a/b%20c.txt"), "b c.txt");
        assert_eq!(name("/dir/"), "dir");
        assert_eq!(name("/"), "");
        assert_eq!(name(""), "");
        assert_eq!(name("/a/.."), "");
        assert_eq!(name("/a%2Fb"), "");
    }

    #[test]
    fn a_server_names_its_file_in_several_ways() {
        let name = |header: &str| of_disposition(header).unwrap_or_default();
        assert_eq!(name("attachment; filename=\"a b.txt\""), "a b.txt");
        assert_eq!(name("attachment; filename=plain.bin; size=3"), "plain.bin");
        assert_eq!(name("inline; FileName=\"x\\\"y; z\" ; n=1"), "x\"y; z");
        assert_eq!(name("attachment; filename=\"e.txt\"; filename*=UTF-8''%E2%82%AC.txt"), "€.txt");
        assert_eq!(name("attachment; filename*=iso-8859-1'en'%A3"), "£");
        assert_eq!(name("attachment; filename=\"../../etc/passwd\""), "passwd");
        assert_eq!(name("attachment; filename=\"C:\\\\dir\\\\f\""), "f");
        assert_eq!(name("attachment; filename=\"..\""), "");
        assert_eq!(name("attachment; filename"), "");
        assert_eq!(name("attachment"), "");
    }
}
