//! Paths and refusals, as libunftp has them.

use std::path::Path;

use ftp_config::SharePath;
use unftp_core::storage::{self, Error, ErrorKind};

use crate::{code, share::ShareError};

pub(super) fn share_path(path: &Path) -> storage::Result<SharePath> {
    let text = path
        .to_str()
        .ok_or_else(|| Error::from(ErrorKind::FileNameNotAllowedError))?;
    // libunftp has put U+FFFD in the place of what it could not read: that name is no one's.
    if text.contains('\u{FFFD}') {
        return Err(ErrorKind::FileNameNotAllowedError.into());
    }
    SharePath::root()
        .join_known(text)
        .map_err(|error| Error::new(ErrorKind::FileNameNotAllowedError, error))
}

pub(super) fn refused(error: ShareError) -> Error {
    let kind = match error.code() {
        code::NO_ROOM => ErrorKind::InsufficientStorageSpaceError,
        code::BAD_NAME => ErrorKind::FileNameNotAllowedError,
        code::BUSY => ErrorKind::TransientFileNotAvailable,
        code::LOCAL_ERROR => ErrorKind::LocalError,
        _ => match error {
            ShareError::Right { .. } | ShareError::Denied { .. } => ErrorKind::PermissionDenied,
            ShareError::NotEmpty { .. } => ErrorKind::PermanentDirectoryNotEmpty,
            ShareError::NotDirectory { .. } => ErrorKind::PermanentDirectoryNotAvailable,
            _ => ErrorKind::PermanentFileNotAvailable,
        },
    };
    Error::new(kind, error)
}
