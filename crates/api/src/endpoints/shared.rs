//! Reads pages of shared folders (API document, section 8). No key is sent: they are public.

use url::form_urlencoded;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind, PasswordProblem};
use crate::key::Password;
use crate::pacer::CallClass;
use crate::wire::shared::{SharedFolderId, SharedListing};

impl Client {
    /// Lists the files of a shared folder; `password` is needed if it has one.
    ///
    /// # Errors
    /// `NotAllowed` when the service answers with a page that asks for a password.
    pub async fn shared_folder(
        &self,
        folder: &SharedFolderId,
        password: Option<&Password>,
    ) -> Result<SharedListing, ApiError> {
        let transport = &self.inner.transport;
        let call = self.call(Endpoint::SharedFolder, CallClass::Plain);
        let attempt = || async {
            let answer = match password {
                None => transport.site(&format!("dir/{folder}?json=1"), None).await?,
                Some(password) => {
                    let form = form_urlencoded::Serializer::new(String::new())
                        .append_pair("json", "1")
                        .append_pair("pass", password.reveal())
                        .finish();
                    transport.site(&format!("dir/{folder}"), Some(form)).await?
                }
            };
            let listing: SharedListing = answer.read_list(transport.key()).map_err(|kind| match kind {
                ErrorKind::Html { title, status } if asks_for_password(&answer.body) => {
                    let known =
                        if password.is_some() { PasswordProblem::Wrong } else { PasswordProblem::Missing };
                    ErrorKind::NotAllowed { password: known, text: format!("{title} (HTTP {status})") }
                }
                ErrorKind::Html { title, status: 404 } => ErrorKind::NotFound { text: title },
                ErrorKind::Status { code: 404, .. } => ErrorKind::NotFound { text: "HTTP 404".into() },
                kind => kind,
            })?;
            match &listing.contradiction {
                Some(problem) => Err(answer.senseless(problem, transport.key())),
                None => Ok(listing),
            }
        };
        self.inner.pacer.run(call, attempt).await
    }
}

/// Checks whether a page asks for the password, in the site's languages.
fn asks_for_password(page: &[u8]) -> bool {
    let page = String::from_utf8_lossy(page).to_lowercase();
    ["password", "mot de passe", "name=\"pass\""].iter().any(|words| page.contains(words))
}
