//! The media type of a file, from its name where the remote doesn't know one.

use bstr::ByteSlice as _;
use fichier_storage::File;

/// Media type that is given for folders.
pub(crate) const FOLDER: &str = "inode/directory";

/// Returns the media type that the remote gives, or the one that the name suggests.
pub(crate) fn of_file(file: &File) -> String {
    if let Some(media_type) = &file.media_type {
        return media_type.to_string();
    }
    let Some(name) = file.path.name() else { return "application/octet-stream".to_owned() };
    of_name(&name.as_bytes().to_str_lossy())
}

fn of_name(name: &str) -> String {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let guess = mime_guess::from_ext(extension).first_raw().unwrap_or("application/octet-stream");
    if guess.starts_with("text/") && !guess.contains(';') {
        format!("{guess}; charset=utf-8")
    } else {
        guess.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_a_charset() {
        assert_eq!(of_name("a.txt"), "text/plain; charset=utf-8");
        assert_eq!(of_name("a.b.HTML"), "text/html; charset=utf-8");
        assert_eq!(of_name("a.jpg"), "image/jpeg");
        assert_eq!(of_name("txt"), "application/octet-stream");
        assert_eq!(of_name("a.nosuchthing"), "application/octet-stream");
    }
}
