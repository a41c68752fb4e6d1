//! The endpoint of a request, by host and path.

use http::Method;

use crate::links::TOKEN_LENGTH;

/// An endpoint of the service, under the name that counters, faults and the request log use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// An API call, named as in the document, without `.cgi`: `file/ls`, `download/get_token`.
    Api(String),
    /// The upload of files to a node.
    Upload,
    /// The report after an upload.
    Report,
    /// The content of a file from a node, by token.
    Download(String),
    /// The page of a shared folder.
    Shared(String),
    /// The page of a file, for people.
    Page(String),
    /// The link with which anybody who has it removes a file.
    Remove {
        /// Code of the file.
        code: String,
        /// Code of the removal.
        remove_code: String,
    },
    /// The check of many links.
    CheckLinks,
    /// The emulator's own control, not part of the service.
    Control(String),
    /// An endpoint that the service doesn't have.
    Unknown,
}

/// A part of the service. Behind the proxy each part has its own hosts; without it all share one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The API: `api.1fichier.com`.
    Api,
    /// The web site: `1fichier.com`.
    Site,
    /// The storage nodes: `upN.1fichier.com`, `a-N.1fichier.com`.
    Node,
    /// All parts, on the emulator's own port.
    Everything,
}

impl Part {
    /// Returns the part that answers under a host name of the service.
    pub(crate) fn of_host(host: &str) -> Self {
        match host {
            "api.1fichier.com" => Self::Api,
            "1fichier.com" | "www.1fichier.com" => Self::Site,
            _ => Self::Node,
        }
    }

    fn has(self, other: Self) -> bool {
        self == other || self == Self::Everything
    }
}

impl Endpoint {
    pub(crate) fn of(part: Part, method: &Method, path: &str, query: Option<&str>) -> Self {
        if let Some(rest) = path.strip_prefix("/_emulator/") {
            return Self::Control(rest.to_owned());
        }
        if let Some(call) = path.strip_prefix("/v1/").and_then(|rest| rest.strip_suffix(".cgi"))
            && part.has(Part::Api)
        {
            return Self::Api(call.to_owned());
        }
        if part.has(Part::Node) {
            match path {
                "/upload.cgi" => return Self::Upload,
                "/end.pl" => return Self::Report,
                _ => {}
            }
            if let Some(token) = path.strip_prefix('/').filter(|token| is_token(token)) {
                return Self::Download(token.to_owned());
            }
        }
        if part.has(Part::Site) {
            let path = without_language(path);
            if let Some(id) = path.strip_prefix("/dir/") {
                return Self::Shared(id.to_owned());
            }
            if let Some((code, remove_code)) =
                path.strip_prefix("/remove/").and_then(|codes| codes.split_once('/'))
            {
                return Self::Remove { code: code.to_owned(), remove_code: remove_code.to_owned() };
            }
            if path == "/check_links.pl" {
                return Self::CheckLinks;
            }
            if path == "/"
                && let Some(query) = query
                && matches!(*method, Method::GET | Method::HEAD)
            {
                return Self::Page(query.split('&').next().unwrap_or_default().to_owned());
            }
        }
        Self::Unknown
    }

    /// Returns the name of the endpoint in counters, faults and the request log.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Api(call) => call,
            Self::Upload => "upload.cgi",
            Self::Report => "end.pl",
            Self::Download(_) => "download",
            Self::Shared(_) => "dir",
            Self::Page(_) => "page",
            Self::Remove { .. } => "remove",
            Self::CheckLinks => "check_links.pl",
            Self::Control(_) => "_emulator",
            Self::Unknown => "unknown",
        }
    }
}

/// Checks whether a path of one segment can be a download token.
fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Returns a path of the site without the language that may stand before it: `/en/dir/ID`.
fn without_language(path: &str) -> &str {
    let is_language = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let rest = path.strip_prefix('/').and_then(|rest| rest.split_once('/'));
    match rest {
        Some((language, rest)) if is_language(language) => &path[path.len() - rest.len() - 1..],
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(part: Part, path: &str) -> Endpoint {
        let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
        Endpoint::of(part, &Method::GET, path, query)
    }

    #[test]
    fn each_part_serves_its_own_paths() {
        assert_eq!(of(Part::Everything, "/v1/file/ls.cgi"), Endpoint::Api("file/ls".to_owned()));
        assert_eq!(of(Part::Everything, "/?abcdefgh&af=1"), Endpoint::Page("abcdefgh".to_owned()));
        assert_eq!(of(Part::Everything, "/end.pl?xid=1"), Endpoint::Report);
        assert_eq!(of(Part::Api, "/upload.cgi?id=1"), Endpoint::Unknown);
        assert_eq!(of(Part::Node, "/v1/file/ls.cgi"), Endpoint::Unknown);
        assert_eq!(of(Part::Site, "/dir/abc?json=1"), Endpoint::Shared("abc".to_owned()));
        let token = "abcdefghijkl0123456789xy";
        assert_eq!(of(Part::Node, &format!("/{token}")), Endpoint::Download(token.to_owned()));
        assert_eq!(of(Part::Site, "/en/dir/abc?lg=fr"), Endpoint::Shared("abc".to_owned()));
        assert_eq!(
            of(Part::Site, "/remove/abcde/xyz"),
            Endpoint::Remove { code: "abcde".to_owned(), remove_code: "xyz".to_owned() }
        );
        assert_eq!(of(Part::Everything, "/v1/file/ls"), Endpoint::Unknown);
    }

    #[test]
    fn hosts_have_their_parts() {
        assert_eq!(Part::of_host("api.1fichier.com"), Part::Api);
        assert_eq!(Part::of_host("1fichier.com"), Part::Site);
        assert_eq!(Part::of_host("up3.1fichier.com"), Part::Node);
    }
}
