//! Client for the 1Fichier service: typed endpoints, pacing, uploads and downloads. Usable alone.
//!
//! The service allows few calls and punishes too many. So every call goes through a pacer that all clones of a
//! [`Client`] share: it keeps the distances, waits for locks to end, and repeats what is safe to repeat. Errors say
//! who caused them and whether another try helps: see [`ApiError`].
//!
//! File names are passed as they are on the wire. Names that the service can't store have to be encoded by the
//! caller.
//!
//! ```no_run
//! use fichier_api::{ApiKey, Client, FolderId, ListFolder};
//!
//! # async fn example() -> Result<(), fichier_api::ApiError> {
//! let client = Client::builder(ApiKey::new("…")).build()?;
//! let root = client.list_folder(&ListFolder::with_files(FolderId::ROOT)).await?;
//! for file in root.items.iter().flatten() {
//!     println!("{} {} {}", file.link, file.size, file.filename);
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod builder;
mod client;
mod date;
mod dump;
mod endpoint;
mod endpoints;
mod error;
mod folder_id;
pub mod french_time;
mod item_stream;
mod key;
pub mod limits;
mod link;
mod link_text;
mod mended_json;
mod message;
mod multipart;
mod observer;
mod pacer;
mod page;
mod proxy;
mod sharing_user;
mod shown;
mod tls;
mod transport;
mod web;
mod wire;

pub use builder::ClientBuilder;
pub use client::Client;
pub use date::WireDate;
pub use dump::Dump;
pub use endpoint::Endpoint;
pub use endpoints::download::{ByteRange, Download};
pub use endpoints::upload::{NodeAnswer, Upload, UploadOptions, UploadReceipt};
pub use error::{ApiError, BoxError, ErrorKind, Fault, PasswordProblem, Retry, SourceProblem};
pub use folder_id::{FilesOf, FolderId};
pub use http::{HeaderMap, HeaderName, HeaderValue};
pub use key::{ApiKey, Password};
pub use link::{Domain, FileLink, LinkError};
pub use link_text::{FoundLink, LinkTarget, links_in};
pub use multipart::UploadFile;
pub use observer::{CallInfo, CallOutcome, Event, FailedTry, Observer, WaitReason};
pub use pacer::{
    AccountSnapshot, CallClass, Connection, Learned, ListedFolder, ListedPart, Pacing, ReportPacing,
    Requests, RetryPolicy, WaitBudget, Waiting,
};
pub use proxy::ProxySettings;
pub use shown::{is_dangerous, shown, shown_address};
pub use tokio_util::sync::CancellationToken;
pub use url::Url;
pub use web::{Web, WebFile};
pub use whirlpool_simd::Checksum;
pub use wire::account::{SetAccount, UserInfo};
pub use wire::download::{DownloadToken, RestrictIp, TokenRequest};
pub use wire::file::{
    Acl, ChangeFiles, ChangedFiles, CopiedFile, CopiedFiles, CopyFiles, FileInfo, FileItem, FileListing,
    FileOf, ListFiles, MoveFiles, MovedFiles, RemoveFile, RemovedFiles, RenameFile, RenamedFile,
    RenamedFiles, ScanResult,
};
pub use wire::folder::{
    FolderListing, ListFolder, MadeFolder, MakeFolder, MoveFolder, MovedFolder, Share, ShareFolder, SharedAs,
    SubFolder,
};
pub use wire::remote_upload::{
    RemoteUpload, RemoteUploadInfo, RemoteUploadResult, RequestRemoteUpload, RequestedRemoteUpload,
};
pub use wire::shared::{LinkState, SharedFile, SharedFolderId, SharedFolderIdError, SharedListing};
pub use wire::tolerant::LeftOut;
pub use wire::upload::{UploadNode, UploadedFile};
