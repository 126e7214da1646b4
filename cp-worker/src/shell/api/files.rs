//! Files: what is checked before the hub streams them.

use super::{Asker, query};
use crate::requests::file_path;
use crate::shell::respond::{Failure, Outcome};
use protocol::commands::{FileDownload, FileUploadBegin};
use protocol::limits::FILE_BYTES;
use worker::Request;

/// The hub chooses transfer ids.
const NO_ID: u32 = 0;

impl Asker<'_> {
    pub(super) async fn upload(
        &self,
        request: &Request,
        gateway_id: &str,
        session_id: Option<u32>,
    ) -> Outcome {
        let dest_path = file_path(&query(request)).map_err(Failure::invalid)?;
        let size = content_length(request)?;
        self.folder(gateway_id, session_id).await?;
        let begin = FileUploadBegin { transfer_id: NO_ID, session_id, dest_path, size };
        let body = request.inner().body();
        self.hub(gateway_id)?.transfer("/upload", begin.into(), body.as_ref()).await
    }

    pub(super) async fn download(
        &self,
        request: &Request,
        gateway_id: &str,
        session_id: Option<u32>,
    ) -> Outcome {
        let path = file_path(&query(request)).map_err(Failure::invalid)?;
        self.folder(gateway_id, session_id).await?;
        let download = FileDownload { transfer_id: NO_ID, session_id, path };
        self.hub(gateway_id)?.transfer("/download", download.into(), None).await
    }

    /// Checks that the workspace, or the session that runs in it, is the asker's.
    async fn folder(&self, gateway_id: &str, session_id: Option<u32>) -> Result<(), Failure> {
        let Some(session_id) = session_id else {
            return self.server(gateway_id).await.map(drop);
        };
        match self.session(gateway_id, session_id).await?.status.as_str() {
            "ended" => Err(Failure::ended()),
            _ => Ok(()),
        }
    }
}

fn content_length(request: &Request) -> Result<u64, Failure> {
    let length = request
        .headers()
        .get("Content-Length")?
        .ok_or_else(|| Failure::new("length_required", "a file is sent with its Content-Length"))?;
    match length.parse() {
        Ok(size) if size <= FILE_BYTES => Ok(size),
        Ok(_) => Err(Failure::new("too_large", "files are limited to 20 MiB")),
        Err(_) => Err(Failure::invalid("Content-Length is not a number of bytes")),
    }
}
