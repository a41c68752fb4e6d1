//! Writers whose errors say what couldn't be written.

use std::{
    fs::File,
    io::{self, Stdout, StdoutLock, Write},
    path::Path,
};

/// A file or the standard output. Its errors keep their kind and name it.
#[derive(Debug)]
pub(crate) struct Named<W> {
    name: String,
    inner: W,
}

/// Makes a file that a flag names, or empties it.
///
/// # Errors
/// The file can't be made; the message names it.
pub(crate) fn create_file(path: &Path) -> io::Result<Named<File>> {
    let name = path.display().to_string();
    match File::create(path) {
        Ok(inner) => Ok(Named { name, inner }),
        Err(error) => Err(unwritable(&name, &error)),
    }
}

/// Returns the standard output, to be shared with others.
pub(crate) fn standard_output() -> Named<Stdout> {
    Named { name: STANDARD_OUTPUT.into(), inner: io::stdout() }
}

/// Takes the standard output until the result is dropped.
pub(crate) fn locked_standard_output() -> Named<StdoutLock<'static>> {
    Named { name: STANDARD_OUTPUT.into(), inner: io::stdout().lock() }
}

const STANDARD_OUTPUT: &str = "the standard output";

impl<W: Write> Write for Named<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes).map_err(|error| unwritable(&self.name, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush().map_err(|error| unwritable(&self.name, &error))
    }
}

fn unwritable(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("can't write to {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_kind_and_names_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("none/file");
        let error = create_file(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().starts_with(&format!("can't write to {}: ", path.display())), "{error}");
    }
}
