//! The service's endpoints by name, as errors and observers tell them.

use std::fmt;

/// An endpoint of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `folder/ls.cgi`
    FolderLs,
    /// `folder/mkdir.cgi`
    FolderMkdir,
    /// `folder/mv.cgi`
    FolderMv,
    /// `folder/rm.cgi`
    FolderRm,
    /// `folder/share.cgi`
    FolderShare,
    /// `file/ls.cgi`
    FileLs,
    /// `file/info.cgi`
    FileInfo,
    /// `file/rm.cgi`
    FileRm,
    /// `file/mv.cgi`
    FileMv,
    /// `file/cp.cgi`
    FileCp,
    /// `file/rename.cgi`
    FileRename,
    /// `file/chattr.cgi`
    FileChattr,
    /// `file/scan.cgi`
    FileScan,
    /// `download/get_token.cgi`
    GetToken,
    /// `upload/get_upload_server.cgi`
    GetUploadServer,
    /// `user/info.cgi`
    UserInfo,
    /// `remote/ls.cgi`
    RemoteLs,
    /// `remote/info.cgi`
    RemoteInfo,
    /// `remote/request.cgi`
    RemoteRequest,
    /// `upload.cgi` of an upload node
    Upload,
    /// `end.pl` of an upload node
    UploadReport,
    /// The address that a download token gives
    Download,
    /// The page of a shared folder
    SharedFolder,
    /// `check_links.pl` of the site
    CheckLinks,
    /// No endpoint: the request was wrong before it left
    Nowhere,
}

impl Endpoint {
    /// The path below the API's base, or what stands for it.
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

    /// Whether the same call sent twice comes to the same as once. What isn't is never sent again after an
    /// answer got lost, since the service may have done it.
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Self::FolderMkdir | Self::FileCp | Self::RemoteRequest | Self::Upload)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}
