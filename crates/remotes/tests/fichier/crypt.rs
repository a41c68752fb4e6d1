//! An encrypted remote over the service: all that is promised, and no call more than without encryption.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use fichier_remotes::{
    registry::{OpenError, Opening, Resolver, Settings, open},
    resources::Resources,
};
use fichier_storage::{
    ByteRange, HashKind, Location, MemoryContent, Name, Remote, RemoteExt as _, RemotePath, Whirlpool,
    WriteBatch, WriteItem, collect, conformance,
};

use crate::service::Service;

/// Whatever is asked for, it is this remote.
struct Over(Arc<dyn Remote>);

#[async_trait]
impl Resolver for Over {
    async fn resolve(&self, text: &str) -> Result<Location, OpenError> {
        let path = text.split_once(':').map_or("", |(_, path)| path);
        Ok(Location { remote: self.0.clone(), path: RemotePath::parse(path).unwrap() })
    }
}

/// A remote of this backend over another one. For `crypt` the usual options are set.
pub(crate) async fn over(backend: &str, inner: Arc<dyn Remote>, options: &[(&str, &str)]) -> Arc<dyn Remote> {
    let usual = [("remote", "t:secret"), ("password", "correct horse")];
    let usual = usual.iter().filter(|_| backend == "crypt");
    let settings = Settings::from_iter(usual.chain(options).copied());
    let (resources, resolver) = (Resources::default(), Over(inner));
    let opening = Opening {
        name: "c",
        root: Path::new(""),
        settings: &settings,
        resources: &resources,
        resolver: &resolver,
    };
    open(backend, opening).await.unwrap()
}

fn item(name: &str, bytes: &[u8]) -> WriteItem {
    WriteItem {
        name: Name::new(name).unwrap(),
        size: bytes.len() as u64,
        modified: None,
        expected: Some(Whirlpool::of(bytes)),
        content: Arc::new(MemoryContent(Bytes::copy_from_slice(bytes))),
        replaces: Vec::new(),
        metadata: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_the_conformance_suite_encrypted() {
    for options in [&[("filename_encoding", "base64")][..], &[("filename_encryption", "off")]] {
        let service = Service::start().await;
        let remote = over("crypt", service.remote(), options).await;
        assert!(remote.info().features.empty_files && !remote.info().hashes.lists(HashKind::Whirlpool));
        conformance::run(remote).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_files_goes_up_in_one_request_and_ranges_cost_one_token() {
    let service = Service::start().await;
    let remote = over("crypt", service.remote(), &[]).await;
    let large = vec![7; 500_000];
    let items = vec![item("empty", b""), item("small", b"bytes"), item("large", &large)];
    let folder = RemotePath::parse("d").unwrap();
    for outcome in remote.write(WriteBatch { folder: folder.clone(), items }).await {
        // The checksum of what was encrypted is known, though no listing tells it.
        assert!(outcome.into_result().unwrap().whirlpool.is_some());
    }
    assert_eq!(service.control().counters().get("upload.cgi"), Some(&1));

    let file = remote.entry(&folder.join(&Name::new("large").unwrap())).await.unwrap();
    let reader = remote.reader(file.as_file().unwrap());
    for start in [450_000, 200_000, 0] {
        let range = ByteRange { start, end: Some(start + 50_000) };
        let read = collect(reader.stream(range).await.unwrap()).await.unwrap();
        assert_eq!(read, large[..50_000]);
    }
    let counters = service.control().counters();
    // The header, and a stream each: the first block brings no second header.
    assert_eq!(
        (counters.get("download/get_token"), counters.get("download")),
        (Some(&1), Some(&4)),
        "{counters:?}"
    );
}
