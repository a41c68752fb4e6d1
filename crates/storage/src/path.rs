//! Names and paths inside a remote.
//!
//! Names here are *decoded*: the remote that read them has undone its own encoding. What is left is rclone's
//! "standard" form, in which `/`, NUL, control characters and the names `.` and `..` are replaced by look-alikes. So
//! a name can never leave its folder. A name is bytes, since a local file's name may be invalid UTF-8.

use std::fmt;

use bstr::{BStr, BString, ByteSlice};

use crate::NameLength;

/// Why bytes can't be a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The name is empty; it needs at least one byte.
    #[error("the name is empty")]
    Empty,
    /// The name holds `/`, which separates names, or NUL, which ends them.
    #[error("the name {0:?} contains a slash or a NUL byte")]
    Separator(BString),
    /// The name is `.` or `..`, which mean places, not files.
    #[error("the name {0:?} means another folder")]
    Dots(BString),
    /// The name is longer than what can be stored.
    #[error("the name {name:?} is too long: names here have at most {longest}")]
    TooLong {
        /// The name that is too long.
        name: BString,
        /// Greatest length.
        longest: NameLength,
    },
    /// The backend has no such name, or it means something else there.
    #[error("the name {0:?} can't be used here")]
    Unusable(BString),
}

/// Why bytes can't be a [`RemotePath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// The path climbs above the remote's root by `..`.
    #[error("the path {0:?} leads out of the remote's root")]
    AboveRoot(BString),
    /// The path holds NUL.
    #[error("the path {0:?} contains a NUL byte")]
    Nul(BString),
}

/// One component of a path: never empty, `.`, `..`, nor holding `/` or NUL.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(BString);

impl Name {
    /// Makes a name from bytes.
    ///
    /// # Errors
    /// The bytes are empty, `.`, `..`, or hold `/` or NUL.
    ///
    /// ```
    /// use fichier_storage::Name;
    /// assert!(Name::new("holiday.jpg").is_ok());
    /// assert!(Name::new("..").is_err());
    /// ```
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, InvalidName> {
        let bytes = BString::from(bytes.into());
        if bytes.is_empty() {
            Err(InvalidName::Empty)
        } else if bytes.iter().any(|b| matches!(b, b'/' | 0)) {
            Err(InvalidName::Separator(bytes))
        } else if bytes == "." || bytes == ".." {
            Err(InvalidName::Dots(bytes))
        } else {
            Ok(Self(bytes))
        }
    }

    /// Returns the name's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A path from a remote's root: names joined by `/`, without a slash at either end. The empty path is the root.
///
/// ```
/// use fichier_storage::RemotePath;
/// let path = RemotePath::parse("/photos//2024/./a.jpg")?;
/// assert_eq!(path.to_string(), "photos/2024/a.jpg");
/// assert_eq!(path.parent().unwrap().to_string(), "photos/2024");
/// assert!(RemotePath::parse("a/../../b").is_err());
/// # Ok::<(), fichier_storage::InvalidPath>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemotePath(BString);

impl RemotePath {
    /// Returns the path of the remote's root.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Parses a path as a person types it: extra slashes and `.` are dropped, `..` removes a component.
    ///
    /// # Errors
    /// `..` climbs above the root, or there is a NUL byte.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, InvalidPath> {
        let text = text.as_ref();
        if text.contains(&0) {
            return Err(InvalidPath::Nul(text.into()));
        }
        let mut names: Vec<&[u8]> = Vec::new();
        for component in text.split_str("/") {
            match component {
                b"" | b"." => {}
                b".." => {
                    if names.pop().is_none() {
                        return Err(InvalidPath::AboveRoot(text.into()));
                    }
                }
                name => names.push(name),
            }
        }
        Ok(Self(bstr::join("/", names).into()))
    }

    /// Checks whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the path's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the path as text for people, with invalid UTF-8 replaced.
    #[must_use]
    pub fn as_bstr(&self) -> &BStr {
        self.0.as_bstr()
    }

    /// Returns the path of `name` inside this folder.
    #[must_use]
    pub fn join(&self, name: &Name) -> Self {
        if self.is_root() {
            return Self(name.0.clone());
        }
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + name.0.len());
        bytes.extend_from_slice(&self.0);
        bytes.push(b'/');
        bytes.extend_from_slice(&name.0);
        Self(bytes.into())
    }

    /// Returns the path of `below` (a path from this folder).
    #[must_use]
    pub fn join_path(&self, below: &RemotePath) -> Self {
        match (self.is_root(), below.is_root()) {
            (true, _) => below.clone(),
            (_, true) => self.clone(),
            _ => {
                let mut bytes = self.0.to_vec();
                bytes.push(b'/');
                bytes.extend_from_slice(&below.0);
                Self(bytes.into())
            }
        }
    }

    /// Returns the folder that holds this path; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(self.0.rfind_byte(b'/').map_or_else(Self::root, |slash| Self(self.0[..slash].into())))
    }

    /// Returns the last component; `None` for the root.
    #[must_use]
    pub fn name(&self) -> Option<Name> {
        self.names().last()
    }

    /// Returns the components, from the root on.
    pub fn names(&self) -> impl Iterator<Item = Name> + '_ {
        self.0.split_str("/").filter(|c| !c.is_empty()).map(|c| Name(c.into()))
    }

    /// Returns how many components the path has; 0 for the root.
    #[must_use]
    pub fn depth(&self) -> usize {
        if self.is_root() { 0 } else { self.0.iter().filter(|&&b| b == b'/').count() + 1 }
    }

    /// Checks whether this path is `folder` or lies below it.
    #[must_use]
    pub fn is_within(&self, folder: &RemotePath) -> bool {
        folder.is_root()
            || self == folder
            || self.0.strip_prefix(folder.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'))
    }

    /// Returns this path as seen from `folder`; `None` if it isn't within it.
    #[must_use]
    pub fn relative_to(&self, folder: &RemotePath) -> Option<Self> {
        if !self.is_within(folder) {
            return None;
        }
        if folder.is_root() {
            return Some(self.clone());
        }
        let rest = &self.0[folder.0.len()..];
        Some(Self(rest.strip_prefix(b"/").unwrap_or(rest).into()))
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Writes the path as messages quote it. An empty pair of quotes wouldn't say that the root is meant.
impl fmt::Debug for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() { f.write_str("the root") } else { fmt::Debug::fmt(&self.0, f) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> RemotePath {
        RemotePath::parse(text).unwrap()
    }

    #[test]
    fn parents_and_names() {
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), Some(RemotePath::root()));
        assert_eq!(RemotePath::root().parent(), None);
        assert_eq!(path("a/b").name().unwrap().to_string(), "b");
        assert_eq!(RemotePath::root().depth(), 0);
        assert_eq!(path("a/b/c").depth(), 3);
    }

    #[test]
    fn within_and_relative() {
        assert!(path("a/b").is_within(&path("a")));
        assert!(!path("ab").is_within(&path("a")));
        assert_eq!(path("a/b/c").relative_to(&path("a")), Some(path("b/c")));
        assert_eq!(path("a").relative_to(&path("a")), Some(RemotePath::root()));
        assert_eq!(path("x").relative_to(&RemotePath::root()), Some(path("x")));
        assert_eq!(path("x").relative_to(&path("a")), None);
    }

    proptest! {
        #[test]
        fn parse_never_panics_and_is_idempotent(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(once) = RemotePath::parse(&text) {
                prop_assert_eq!(&RemotePath::parse(once.as_bytes()).unwrap(), &once);
                for name in once.names() {
                    prop_assert!(Name::new(name.as_bytes()).is_ok());
                }
                let rebuilt = once.names().fold(RemotePath::root(), |folder, name| folder.join(&name));
                prop_assert_eq!(rebuilt, once);
            }
        }

        #[test]
        fn join_and_relative_are_inverse(folder in "[a-c/]{0,6}", below in "[a-c/]{0,6}") {
            let (folder, below) = (path(&folder), path(&below));
            prop_assert_eq!(folder.join_path(&below).relative_to(&folder), Some(below));
        }
    }
}
