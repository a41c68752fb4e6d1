//! `--syslog`: the log of the system.

#[cfg(unix)]
use std::path::Path;
use std::{io, str::FromStr};

/// Sockets at which systems listen for messages.
#[cfg(unix)]
const PLACES: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];

// RFC 5424, section 6.2.1; the four between CRON's and LOCAL0's have no common name but these two.
const FACILITIES: [(&str, u8); 20] = [
    ("KERN", 0),
    ("USER", 1),
    ("MAIL", 2),
    ("DAEMON", 3),
    ("AUTH", 4),
    ("SYSLOG", 5),
    ("LPR", 6),
    ("NEWS", 7),
    ("UUCP", 8),
    ("CRON", 9),
    ("AUTHPRIV", 10),
    ("FTP", 11),
    ("LOCAL0", 16),
    ("LOCAL1", 17),
    ("LOCAL2", 18),
    ("LOCAL3", 19),
    ("LOCAL4", 20),
    ("LOCAL5", 21),
    ("LOCAL6", 22),
    ("LOCAL7", 23),
];

/// Part of the system that a message is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facility(u8);

impl Facility {
    /// Returns the names of all facilities.
    pub(crate) fn names() -> [&'static str; 20] {
        FACILITIES.map(|(name, _)| name)
    }

    /// Returns the number that a message begins with.
    pub(crate) fn priority(self, severity: u8) -> u8 {
        self.0 * 8 + severity
    }
}

impl FromStr for Facility {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = FACILITIES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        let known = || Self::names().join(", ");
        found.map(|(_, number)| Self(*number)).ok_or_else(|| format!("{text:?} is none of {}", known()))
    }
}

/// A connection to the log of the system. Each write is one message.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Syslog(std::os::unix::net::UnixDatagram);

#[cfg(unix)]
impl Syslog {
    /// Connects to the system's log.
    pub(crate) fn open() -> io::Result<Self> {
        Self::at(PLACES.map(Path::new))
    }

    fn at<'a>(places: impl IntoIterator<Item = &'a Path>) -> io::Result<Self> {
        let socket = std::os::unix::net::UnixDatagram::unbound()?;
        let nobody = || {
            let message = "no log of the system listens at /dev/log, /var/run/syslog or /var/run/log; \
                           use --log-file";
            io::Error::new(io::ErrorKind::NotFound, message)
        };
        let listening = places.into_iter().find(|place| socket.connect(place).is_ok());
        listening.map(|_| Self(socket)).ok_or_else(nobody)
    }
}

#[cfg(unix)]
impl io::Write for Syslog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.trim_ascii_end())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Placeholder on systems without such a log.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Syslog(io::Sink);

#[cfg(not(unix))]
impl Syslog {
    /// Returns the error that the system has no such log.
    pub(crate) fn open() -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no syslog; use --log-file"))
    }
}

#[cfg(not(unix))]
impl io::Write for Syslog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facilities_have_their_numbers() {
        let priority = |name: &str| name.parse::<Facility>().map(|facility| facility.priority(6));
        assert_eq!(priority("daemon"), Ok(30));
        assert_eq!(priority("LOCAL7"), Ok(190));
        assert!(priority("weather").unwrap_err().contains("\"weather\" is none of KERN, USER"));
    }

    #[cfg(unix)]
    #[test]
    fn a_write_is_a_message() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let [nowhere, place] = ["nowhere", "log"].map(|name| folder.path().join(name));
        assert!(Syslog::at([nowhere.as_path()]).unwrap_err().to_string().contains("/dev/log"));
        let listener = std::os::unix::net::UnixDatagram::bind(&place).unwrap();
        let mut syslog = Syslog::at([nowhere.as_path(), place.as_path()]).unwrap();
        syslog.write_all(b"<30>fichier: one\n").unwrap();
        syslog.write_all(b"<30>fichier: two\n").unwrap();
        let mut message = [0; 64];
        for expected in ["<30>fichier: one", "<30>fichier: two"] {
            let length = listener.recv(&mut message).unwrap();
            assert_eq!(&message[..length], expected.as_bytes());
        }
    }
}
