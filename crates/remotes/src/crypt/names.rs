//! Encrypts and decrypts names, one at a time.

use std::fmt;

use aes::{Aes256, cipher::KeyInit as _};
use fichier_storage::Name;

use super::{
    eme::{self, Direction},
    keys::Keys,
    obfuscate,
    text::TextEncoding,
    version,
};

/// How names are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameMode {
    /// Names are encrypted.
    Standard,
    /// Characters of names are shifted.
    Obfuscate,
    /// Names of files get a suffix.
    Off,
}

/// Options for how names are stored.
#[derive(Debug, Clone)]
pub(super) struct NameOptions {
    /// How names are changed.
    pub(super) mode: NameMode,
    /// Whether the names of folders are changed, too.
    pub(super) folders: bool,
    /// Text form of encrypted names.
    pub(super) text: TextEncoding,
    /// Suffix of the names of files where names aren't encrypted.
    pub(super) suffix: String,
}

/// Reason why a name can't be stored, or isn't one that was stored here; as a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadName(pub(super) &'static str);

/// Encrypts and decrypts names.
pub(super) struct Names {
    options: NameOptions,
    cipher: Aes256,
    tweak: u128,
    key_sum: u32,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Longest name in bytes that is encrypted: EME takes 128 blocks, and at least one byte says how many are padding.
const LONGEST: usize = eme::MOST_BLOCKS * eme::BLOCK - 1;

impl Names {
    pub(super) fn new(options: NameOptions, keys: &Keys) -> Self {
        Self {
            options,
            cipher: Aes256::new(&(*keys.names).into()),
            tweak: u128::from_le_bytes(*keys.tweak),
            key_sum: keys.names.iter().map(|byte| u32::from(*byte)).sum(),
        }
    }

    /// Returns the name under which a file is stored.
    pub(super) fn encode_file(&self, name: &Name) -> Result<Name, BadName> {
        let stored = self.stored_file(name)?;
        // Around the mark of a version two names can become one, and a shifted name may look as if it had a mark.
        let may_clash = self.options.mode != NameMode::Off && version::split(stored.as_bytes()).is_some();
        match may_clash && self.plain_file(&stored)? != *name {
            true => Err(CLASHES),
            false => Ok(stored),
        }
    }

    fn stored_file(&self, name: &Name) -> Result<Name, BadName> {
        let bytes = name.as_bytes();
        if self.options.mode == NameMode::Off {
            return stored([bytes, self.options.suffix.as_bytes()].concat());
        }
        match version::split(bytes) {
            Some((rest, mark)) => stored(version::join(&self.encode(&rest)?, mark)),
            None => stored(self.encode(bytes)?),
        }
    }

    /// Returns the name under which a folder is stored.
    pub(super) fn encode_folder(&self, name: &Name) -> Result<Name, BadName> {
        match self.keeps_folders() {
            true => Ok(name.clone()),
            false => stored(self.encode(name.as_bytes())?),
        }
    }

    /// Returns the name of a file from the one under which it is stored.
    pub(super) fn decode_file(&self, stored: &Name) -> Result<Name, BadName> {
        let plain = self.plain_file(stored)?;
        // A file that would be looked for under another name couldn't be read, replaced or removed.
        match self.stored_file(&plain)? == *stored {
            true => Ok(plain),
            false => Err(OTHERWISE),
        }
    }

    fn plain_file(&self, stored: &Name) -> Result<Name, BadName> {
        let bytes = stored.as_bytes();
        let plain = if self.options.mode == NameMode::Off {
            let plain = bytes.strip_suffix(self.options.suffix.as_bytes());
            let plain = plain.filter(|plain| !plain.is_empty());
            let is_mark_alone = |plain: &[u8]| version::split(plain).is_some_and(|(rest, _)| rest.is_empty());
            plain.filter(|plain| !is_mark_alone(plain)).ok_or(NO_SUFFIX)?.to_vec()
        } else {
            match version::split(bytes) {
                Some((rest, mark)) => version::join(&self.decode(&rest)?, mark),
                None => self.decode(bytes)?,
            }
        };
        Name::new(plain).map_err(|_| NO_NAME)
    }

    /// Returns the name of a folder from the one under which it is stored.
    pub(super) fn decode_folder(&self, stored: &Name) -> Result<Name, BadName> {
        if self.keeps_folders() {
            return Ok(stored.clone());
        }
        let plain = Name::new(self.decode(stored.as_bytes())?).map_err(|_| NO_NAME)?;
        match self.encode_folder(&plain)? == *stored {
            true => Ok(plain),
            false => Err(OTHERWISE),
        }
    }

    /// Checks whether folders are stored under their own names.
    pub(super) fn keeps_folders(&self) -> bool {
        self.options.mode == NameMode::Off || !self.options.folders
    }

    /// Returns encrypted text that differs with the keys and the options, and reveals nothing of the keys.
    pub(super) fn identity(&self) -> String {
        let NameOptions { mode, folders, text, suffix } = &self.options;
        let mut sample = *b"which key is it?";
        eme::transform(&self.cipher, self.tweak, &mut sample, Direction::Encrypt);
        format!("{mode:?} {folders} {text:?} {suffix:?} {}", TextEncoding::Base32.encode(&sample))
    }

    /// Returns the longest name, in bytes, that is stored under at most this number of characters; `None` where that
    /// depends on the name.
    pub(super) fn longest(&self, characters: usize) -> Option<usize> {
        let NameOptions { mode, folders, text, .. } = &self.options;
        if *mode != NameMode::Standard || !folders {
            return None;
        }
        let fits = |blocks: &usize| text.length(blocks * eme::BLOCK) <= characters;
        Some((1..=eme::MOST_BLOCKS).take_while(fits).last().map_or(0, |blocks| blocks * eme::BLOCK - 1))
    }

    fn encode(&self, plain: &[u8]) -> Result<Vec<u8>, BadName> {
        if self.options.mode == NameMode::Obfuscate {
            return Ok(obfuscate::obfuscate(plain, self.key_sum));
        }
        if plain.is_empty() {
            return Ok(Vec::new());
        }
        if plain.len() > LONGEST {
            return Err(TOO_LONG);
        }
        let padding = eme::BLOCK - plain.len() % eme::BLOCK;
        let mut data = plain.to_vec();
        data.resize(plain.len() + padding, u8::try_from(padding).map_err(|_| TOO_LONG)?);
        match eme::transform(&self.cipher, self.tweak, &mut data, Direction::Encrypt) {
            true => Ok(self.options.text.encode(&data).into_bytes()),
            false => Err(TOO_LONG),
        }
    }

    fn decode(&self, stored: &[u8]) -> Result<Vec<u8>, BadName> {
        if self.options.mode == NameMode::Obfuscate {
            return obfuscate::reveal(stored, self.key_sum).ok_or(NOT_OBFUSCATED);
        }
        if stored.is_empty() {
            return Ok(Vec::new());
        }
        let text = std::str::from_utf8(stored).map_err(|_| NO_TEXT)?;
        let mut data = self.options.text.decode(text).ok_or(NO_TEXT)?;
        if !eme::transform(&self.cipher, self.tweak, &mut data, Direction::Decrypt) {
            return Err(NO_BLOCKS);
        }
        let padding = *data.last().ok_or(NO_BLOCKS)?;
        let kept = data.len().checked_sub(usize::from(padding)).ok_or(OTHER_KEY)?;
        if padding == 0
            || usize::from(padding) > eme::BLOCK
            || data[kept..].iter().any(|byte| *byte != padding)
        {
            return Err(OTHER_KEY);
        }
        data.truncate(kept);
        Ok(data)
    }
}

const TOO_LONG: BadName = BadName("it is too long");
const CLASHES: BadName = BadName("it would be stored as another one is, because of the version in it");
const NO_SUFFIX: BadName = BadName("it hasn't got the suffix of encrypted files");
const NO_NAME: BadName = BadName("what it decrypts to can't be a name");
const OTHERWISE: BadName = BadName("it isn't written as this remote writes it");
const NOT_OBFUSCATED: BadName = BadName("it isn't an obfuscated name");
const NO_TEXT: BadName = BadName("it isn't an encrypted name in this filename_encoding");
const NO_BLOCKS: BadName = BadName("it hasn't got the length of an encrypted name");
const OTHER_KEY: BadName = BadName("it wasn't encrypted with these passwords");

fn stored(bytes: Vec<u8>) -> Result<Name, BadName> {
    Name::new(bytes).map_err(|_| NO_NAME)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(mode: NameMode, text: TextEncoding) -> Names {
        // `Keys::derive` would take too long for many cases.
        let keys = Keys {
            content: [1; 32].into(),
            names: std::array::from_fn(|index| u8::try_from(index * 7).unwrap()).into(),
            tweak: [3; 16].into(),
        };
        Names::new(NameOptions { mode, folders: true, text, suffix: ".bin".into() }, &keys)
    }

    fn name(bytes: impl Into<Vec<u8>>) -> Name {
        Name::new(bytes).unwrap()
    }

    // Made by rclone 1.75.2 with the passwords "correct horse" and "battery staple".
    #[test]
    fn names_are_stored_as_rclone_stores_them() {
        let keys = Keys::derive("correct horse", "battery staple");
        let [standard, obfuscated, off] =
            [NameMode::Standard, NameMode::Obfuscate, NameMode::Off].map(|mode| {
                let text = TextEncoding::Base32;
                Names::new(NameOptions { mode, folders: true, text, suffix: ".bin".into() }, &keys)
            });
        for (names, plain, encrypted) in [
            (&standard, "a", "e05cp3lts2b5j9p707m5uv0c7s"),
            (&standard, "hello.txt", "k54lhd6n10sdhjsku503osnfss"),
            (&standard, "a-v2001-02-03-040506-123.txt", "slu4knhtdino6q74kn8rh7ruv8-v2001-02-03-040506-123"),
            (
                &standard,
                "a-v2001-02-03-040506-123.tar.gz",
                "091abubtq60jgovb52uobejsnnkqahr8ndg4hml78sdsj206com0",
            ),
            (&standard, "-v2001-02-03-040506-123", "-v2001-02-03-040506-123"),
            (&standard, ".hid-v2001-02-03-040506-123", "bcnmt9o09pvakencltkn30hp5s-v2001-02-03-040506-123"),
            (&obfuscated, ".hid-v2001-02-03-040506-123", "99.-v2001-02-03-040506-123.tup"),
            (&standard, "ÿ é a ü", "83ab0iuinplda4210d344q0jd8"),
            (&obfuscated, "hello.txt", "162.GDKKN.SWS"),
            (&obfuscated, "a-v2001-02-03-040506-123", "97-v2001-02-03-040506-123.k"),
            (&obfuscated, "a!b", "228.q!!r"),
            (&obfuscated, "ÿ é a ü", "165.ò Ü d ï"),
            (&obfuscated, ".hid", "99..tup"),
            (&off, "a-v2001-02-03-040506-123.txt", "a-v2001-02-03-040506-123.txt.bin"),
        ] {
            assert_eq!(names.encode_file(&name(plain)), Ok(name(encrypted)), "{plain}");
            if names.decode_file(&name(encrypted)) != Ok(name(plain)) {
                panic!("{encrypted} came to {:?}", names.decode_file(&name(encrypted)));
            }
        }
        // rclone stores it as the other one, and then has one of the two.
        assert_eq!(standard.encode_file(&name("-v2001-02-03-040506-123.hid")), Err(CLASHES));
        // The name of a folder has no version.
        let folder = "gaolqauvh38qqk89hmfqsmjcnl8fkdmsah66pp0r9644u9jpdbug";
        assert_eq!(standard.encode_folder(&name("d-v2001-02-03-040506-123.txt")), Ok(name(folder)));
    }

    #[test]
    fn names_of_others_are_told_apart() {
        let names = names(NameMode::Standard, TextEncoding::Base32);
        assert_eq!(names.decode_file(&name("plain.txt")), Err(NO_TEXT));
        assert_eq!(names.decode_file(&name("blah")), Err(NO_BLOCKS));
        assert_eq!(names.decode_file(&name("e05cp3lts2b5j9p707m5uv0c7s")), Err(OTHER_KEY));
        let stored = names.encode_file(&name("a")).unwrap().to_string();
        assert_eq!(names.decode_file(&name(stored.to_uppercase())), Err(OTHERWISE));
        let off = self::names(NameMode::Off, TextEncoding::Base32);
        for other in ["x", ".bin", "-v2001-02-03-040506-123.bin"] {
            assert_eq!(off.decode_file(&name(other)), Err(NO_SUFFIX), "{other}");
        }
        assert_eq!(off.decode_folder(&name("x")), Ok(name("x")));
    }

    #[test]
    fn the_longest_names_are_known() {
        let longest = |text, characters| {
            let names = names(NameMode::Standard, text);
            let longest = names.longest(characters).unwrap();
            let length =
                |bytes| names.encode_file(&name(vec![b'n'; bytes])).unwrap().to_string().chars().count();
            assert!(length(longest) <= characters && length(longest + 1) > characters);
            longest
        };
        assert_eq!(longest(TextEncoding::Base32, 255), 143);
        assert_eq!(longest(TextEncoding::Base32, 250), 143);
        assert_eq!(longest(TextEncoding::Base64, 250), 175);
        assert_eq!(longest(TextEncoding::Base32768, 250), 463);
        let names = names(NameMode::Standard, TextEncoding::Base32);
        assert!(names.encode_file(&name(vec![b'n'; LONGEST])).is_ok());
        assert_eq!(names.encode_file(&name(vec![b'n'; LONGEST + 1])), Err(TOO_LONG));
    }

    proptest! {
        #[test]
        fn names_come_back(bytes in proptest::collection::vec(any::<u8>(), 1..60), version in any::<bool>()) {
            let mut bytes = bytes;
            if version {
                bytes.extend(b"-v2001-02-03-040506-123.t");
            }
            let Ok(name) = Name::new(bytes) else { return Ok(()) };
            for mode in [NameMode::Standard, NameMode::Obfuscate, NameMode::Off] {
                for text in [TextEncoding::Base32, TextEncoding::Base64, TextEncoding::Base32768] {
                    let names = names(mode, text);
                    let stored = match names.encode_file(&name) {
                        Err(CLASHES) => continue,
                        stored => stored.unwrap(),
                    };
                    prop_assert_eq!(names.decode_file(&stored), Ok(name.clone()));
                    let stored = names.encode_folder(&name).unwrap();
                    prop_assert_eq!(names.decode_folder(&stored), Ok(name.clone()));
                }
            }
        }

        #[test]
        fn no_stored_name_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 1..60)) {
            let Ok(name) = Name::new(bytes) else { return Ok(()) };
            for mode in [NameMode::Standard, NameMode::Obfuscate, NameMode::Off] {
                let names = names(mode, TextEncoding::Base32);
                let _ = (names.decode_file(&name), names.decode_folder(&name));
            }
        }
    }
}
