//! Reads a line that the terminal doesn't show. The terminal's mode is restored afterwards, whatever happens.

use std::io::{self, Stdin};

use fichier_config::Secret;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::Answer;

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const CTRL_U: u8 = 0x15;
const BACKSPACE: [u8; 2] = [0x08, 0x7f];

/// A terminal that shows nothing while this exists.
struct Silence {
    stdin: Stdin,
    before: Termios,
}

impl Silence {
    fn begin() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut silent = before.clone();
        // Ctrl-C comes as a byte, so that the terminal is restored before the program ends.
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&stdin, OptionalActions::Now, &silent)?;
        Ok(Self { stdin, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // If this fails there is no terminal left to restore.
        let _no_terminal = tcsetattr(&self.stdin, OptionalActions::Now, &self.before);
    }
}

/// Reads the line byte by byte, so that text typed ahead stays for the next question. The terminal shows nothing any
/// more before `ask` shows the question.
pub(super) fn line(ask: impl FnOnce() -> io::Result<()>) -> io::Result<Answer> {
    let silence = Silence::begin()?;
    ask()?;
    let mut line = Zeroizing::new(Vec::with_capacity(256));
    loop {
        let mut byte = [0];
        match rustix::io::read(&silence.stdin, &mut byte) {
            Ok(0) => return Ok(Answer::End),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match byte[0] {
            b'\n' | b'\r' => break,
            CTRL_C => return Ok(Answer::Interrupted),
            CTRL_D if line.is_empty() => return Ok(Answer::End),
            CTRL_D => {}
            CTRL_U => line.clear(),
            byte if BACKSPACE.contains(&byte) => take_back(&mut line),
            byte => line.push(byte),
        }
    }
    let text = std::str::from_utf8(&line).map_err(|_| io::Error::other("what was typed is not UTF-8"))?;
    Ok(Answer::Line(Secret::new(text)))
}

/// Removes the last character, whatever its length in bytes.
fn take_back(line: &mut Vec<u8>) {
    while let Some(byte) = line.pop() {
        if byte & 0xc0 != 0x80 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_taken_back_whole() {
        let mut line = "aé☃".as_bytes().to_vec();
        take_back(&mut line);
        assert_eq!(line, "aé".as_bytes());
        take_back(&mut line);
        take_back(&mut line);
        take_back(&mut line);
        assert!(line.is_empty());
    }
}
