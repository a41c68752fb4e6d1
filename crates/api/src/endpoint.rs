//! The service's endpoints by name, as errors and observers give them.

use std::fmt;

/// An endpoint of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `folder/ls.cgi` of the API.
    FolderLs,
    /// `folder/mkdir.cgi` of the API.
    FolderMkdir,
    /// `folder/mv.cgi` of the API.
    FolderMv,
    /// `folder/rm.cgi` of the API.
    FolderRm,
    /// `folder/share.cgi` of the API.
    FolderShare,
    /// `file/ls.cgi` of the API.
    FileLs,
    /// `file/info.cgi` of the API.
    FileInfo,
    /// `file/rm.cgi` of the API.
    FileRm,
    /// `file/mv.cgi` of the API.
    FileMv,
    /// `file/cp.cgi` of the API.
    FileCp,
    /// `file/rename.cgi` of the API.
    FileRename,
    /// `file/chattr.cgi` of the API.
    FileChattr,
    /// `file/scan.cgi` of the API.
    FileScan,
    /// `download/get_token.cgi` of the API.
    GetToken,
    /// `upload/get_upload_server.cgi` of the API.
    GetUploadServer,
    /// `user/info.cgi` of the API.
    UserInfo,
    /// `remote/ls.cgi` of the API.
    RemoteLs,
    /// `remote/info.cgi` of the API.
    RemoteInfo,
    /// `remote/request.cgi` of the API.
    RemoteRequest,
    /// `upload.cgi` of an upload node.
    Upload,
    /// `end.pl` of an upload node.
    UploadReport,
    /// URL that a download token gives.
    Download,
    /// Page of a shared folder.
    SharedFolder,
    /// `check_links.pl` of the site.
    CheckLinks,
    /// No endpoint: the request was wrong before it was sent.
    Nowhere,
}

impl Endpoint {
    /// Returns the path below the API's base, or a name for what has none.
    pub const fn path(self) -> &'static str {
        match self {
            Self::FolderLs => "folder/ls.cgi",
            Self::FolderMkdir => "folder/mkdir.cgi",
            Self::FolderMv => "folder/mv.cgi",
            Self::FolderRm => "folder/rm.cgi",
            Self::FolderShare => "folder/share.cgi",
            Self::FileLs => "file/ls.cgi",
            Self::FileInfo => "file/info.cgi",
            Self::FileRm => "file/rm.cgi",
            Self::FileMv => "file/mv.cgi",
            Self::FileCp => "file/cp.cgi",
            Self::FileRename => "file/rename.cgi",
            Self::FileChattr => "file/chattr.cgi",
            Self::FileScan => "file/scan.cgi",
            Self::GetToken => "download/get_token.cgi",
            Self::GetUploadServer => "upload/get_upload_server.cgi",
            Self::UserInfo => "user/info.cgi",
            Self::RemoteLs => "remote/ls.cgi",
            Self::RemoteInfo => "remote/info.cgi",
            Self::RemoteRequest => "remote/request.cgi",
            Self::Upload => "upload.cgi",
            Self::UploadReport => "end.pl",
            Self::Download => "download",
            Self::SharedFolder => "dir",
            Self::CheckLinks => "check_links.pl",
            Self::Nowhere => "client",
        }
    }

    /// Checks whether the same call sent twice has the same effect as once. Other calls are never repeated after
    /// their answer was lost, since the service may have done them.
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Self::FolderMkdir | Self::FileCp | Self::RemoteRequest | Self::Upload)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}
