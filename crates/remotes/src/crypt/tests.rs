//! What holds for encrypted remotes beside the promises of every remote.

use std::sync::Arc;

use fichier_storage::{Location, Remote, RemotePath, conformance, memory::MemoryRemote};

use super::{
    keys::Keys,
    names::{NameMode, NameOptions},
    remote::{CryptOptions, CryptRemote},
    text::TextEncoding,
};

fn options(mode: NameMode, text: TextEncoding, folders: bool) -> CryptOptions {
    CryptOptions {
        names: NameOptions { mode, folders, text, suffix: ".bin".into() },
        plain_contents: false,
        pass_bad_blocks: false,
        strict_names: false,
        show_mapping: false,
    }
}

fn keys(seed: u8) -> Keys {
    Keys { content: [seed; 32].into(), names: [seed + 1; 32].into(), tweak: [seed + 2; 16].into() }
}

async fn over(inner: Arc<dyn Remote>, path: &str, options: CryptOptions) -> CryptRemote {
    let over = Location { remote: inner, path: RemotePath::parse(path).unwrap() };
    CryptRemote::new("secret:".into(), over, &keys(1), options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_in_all_modes() {
    for (mode, text) in [
        (NameMode::Standard, TextEncoding::Base32),
        (NameMode::Standard, TextEncoding::Base64),
        (NameMode::Standard, TextEncoding::Base32768),
        (NameMode::Obfuscate, TextEncoding::Base32),
        (NameMode::Off, TextEncoding::Base32),
    ] {
        for folders in [true, false] {
            for (path, duplicates) in [("", false), ("a/b", true)] {
                let inner = MemoryRemote::new("memory:").with_features(|features| {
                    features.duplicates = duplicates;
                    features.empty_files = duplicates;
                });
                let remote = over(Arc::new(inner), path, options(mode, text, folders)).await;
                let run = conformance::run(Arc::new(remote)).await;
                assert_eq!(run, Ok(()), "{mode:?} {text:?} {folders} {path:?}");
            }
        }
    }
}
