//! Asks the site about links of any account (API document, section 11). No key is sent.

use url::form_urlencoded;

use crate::answer::Answer;
use crate::client::{Client, not_empty};
use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind};
use crate::key::ApiKey;
use crate::link::FileLink;
use crate::pacer::CallClass;
use crate::wire::shared::LinkState;

impl Client {
    /// Returns what the site says of links, in their order; `None` for a link that it says nothing of.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn check_links(
        &self,
        links: &[FileLink],
    ) -> Result<Vec<(FileLink, Option<LinkState>)>, ApiError> {
        not_empty(Endpoint::CheckLinks, links)?;
        let pairs = links.iter().map(|link| ("links[]", link.to_string()));
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let transport = &self.inner.transport;
        let call = self.call(Endpoint::CheckLinks, CallClass::Plain);
        self.inner
            .pacer
            .run(call, || async {
                let answer = transport.site(Endpoint::CheckLinks.path(), Some(form.clone())).await?;
                read(&answer, links, transport.key())
            })
            .await
    }
}

fn read(
    answer: &Answer,
    links: &[FileLink],
    key: &ApiKey,
) -> Result<Vec<(FileLink, Option<LinkState>)>, ErrorKind> {
    // A line about a link isn't a known text, whatever the name in it.
    let text = String::from_utf8_lossy(&answer.body);
    if !text.lines().any(|text| line(text).is_some())
        && let Some(said) = crate::answer::known_text(&answer.body, key)
    {
        return Err(said);
    }
    if !answer.status.is_success() {
        return Err(crate::transport::status_error(answer.status, answer.retry_after, &answer.body, key));
    }
    if crate::page::is_html(&answer.body) {
        return Err(crate::answer::page_error(&answer.body, answer.status, key));
    }
    let said: std::collections::HashMap<FileLink, LinkState> = text.lines().filter_map(line).collect();
    Ok(links.iter().map(|link| (*link, said.get(link).cloned())).collect())
}

/// Parses `URL;FILENAME;SIZE`, or `URL;;;WORD`. A name may hold semicolons, so the size is taken from the end.
fn line(line: &str) -> Option<(FileLink, LinkState)> {
    let (url, rest) = line.trim().split_once(';')?;
    let link = url.parse().ok()?;
    let state = match rest.strip_prefix(";;").map(str::trim) {
        Some("NOT FOUND") => LinkState::NotFound,
        Some("BAD LINK") => LinkState::Bad,
        Some("PRIVATE") => LinkState::Private,
        _ => {
            let (filename, size) = rest.trim_end_matches(';').rsplit_once(';')?;
            LinkState::Found { filename: filename.to_owned(), size: size.trim().parse().ok()? }
        }
    };
    Some((link, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_told_from_links_that_nothing_is_said_of() {
        let link = FileLink::from_code("abcde").unwrap();
        let of = |status: u16, body: &'static str| {
            let status = http::StatusCode::from_u16(status).unwrap();
            let body = bytes::Bytes::from_static(body.as_bytes());
            read(&Answer { status, retry_after: None, body }, &[link], &ApiKey::new("s3cr3t-key"))
        };
        for status in [200, 403] {
            let locked = of(status, "IP Locked");
            assert!(matches!(locked, Err(ErrorKind::AddressLocked { .. })), "{status}: {locked:?}");
        }
        let named_so = of(200, "https://1fichier.com/?abcde;IP Locked.txt;1\n").unwrap();
        assert!(named_so[0].1.is_some());
    }

    #[test]
    fn lines_are_read() {
        let state = |text| line(text).map(|(_, state)| state);
        let found = |name: &str, size| Some(LinkState::Found { filename: name.into(), size });
        assert_eq!(state("https://1fichier.com/?abc;a.txt;12"), found("a.txt", 12));
        assert_eq!(state("https://1fichier.com/?abc;a;b.txt;12\r"), found("a;b.txt", 12));
        assert_eq!(state("https://1fichier.com/?abc;;;NOT FOUND"), Some(LinkState::NotFound));
        assert_eq!(state("https://1fichier.com/?abc;;;BAD LINK"), Some(LinkState::Bad));
        assert_eq!(state("https://1fichier.com/?abc;;;PRIVATE"), Some(LinkState::Private));
        assert_eq!(state("https://1fichier.com/?abc;;;WHATEVER"), None);
        assert_eq!(state("nonsense"), None);
        assert_eq!(state(""), None);
    }
}
