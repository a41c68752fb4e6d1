//! The account's calls (API document, section 9).

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind};
use crate::pacer::{AccountSnapshot, Call, CallClass};
use crate::wire::account::{SetAccount, UserInfo};

/// Longest pause between the account's calls that is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl Client {
    /// Returns what was told of the account last, by whichever run, without a call.
    #[must_use]
    pub fn known_account(&self) -> Option<AccountSnapshot> {
        self.inner.pacer.any_account()
    }

    /// Sets what the owner of the account may set, and returns its state as the service tells it then. Setting counts as
    /// asking, so it waits until the service may be asked again: up to 5 minutes.
    ///
    /// # Errors
    /// `NotAuthenticated` and similar errors for a bad key.
    pub async fn set_account(&self, request: &SetAccount) -> Result<AccountSnapshot, ApiError> {
        let pacer = &self.inner.pacer;
        // What other processes were told counts, too; the file isn't held while this one waits.
        drop(pacer.account_book().await);
        let since_asked = pacer.any_account().and_then(|known| known.at.elapsed().ok());
        let rest = since_asked.and_then(|since| pacer.account_interval().checked_sub(since));
        let wait = rest.max(pacer.address_pause()).filter(|wait| !wait.is_zero());
        if let Some(wait) = wait {
            if wait > LONGEST_WAIT {
                tracing::warn!(
                    "The service answers about the account again in {} s: waiting",
                    wait.as_secs() + 1
                );
            }
            self.rest(Endpoint::UserInfo, wait).await?;
        }
        let book = pacer.account_book().await;
        let call = self.call(Endpoint::UserInfo, CallClass::AccountInfo);
        let info = self.post::<UserInfo>(call, request).await?;
        let snapshot = AccountSnapshot { at: SystemTime::now(), info };
        pacer.note_account_asked();
        if snapshot.info != UserInfo::default() {
            pacer.keep_account(snapshot.clone());
            if let Some(book) = book {
                book.put(&snapshot);
            }
        }
        Ok(snapshot)
    }

    /// Returns the state of the account. A state younger than 5 minutes comes from memory, also from that of another
    /// process, since the service allows no more. An older one comes from memory when the service refuses, or when
    /// another account's state was asked for from this IP address less than a minute ago.
    ///
    /// # Errors
    /// `NotAuthenticated` and similar errors for a bad key; `TooSoon` when nothing is known and the service may not
    /// be asked yet.
    pub async fn account(&self) -> Result<AccountSnapshot, ApiError> {
        let pacer = &self.inner.pacer;
        if let Some(fresh) = pacer.fresh_account() {
            return Ok(fresh);
        }
        let book = pacer.account_book().await;
        if let Some(fresh) = pacer.fresh_account() {
            return Ok(fresh);
        }
        let known = pacer.any_account();
        // This call isn't waited for: not for the account's limit, not for the address's, and not for a lock to end.
        let rest = pacer.account_pause().max(pacer.rest_of(CallClass::AccountInfo));
        let wait = rest.filter(|rest| *rest > LONGEST_WAIT).max(pacer.address_pause());
        if let Some(remaining) = wait {
            let too_soon = || ApiError::new(Endpoint::UserInfo, ErrorKind::TooSoon { remaining });
            return known.ok_or_else(|| too_soon().with_history(0, false));
        }
        let call = Call { flood_retries: Some(0), ..self.call(Endpoint::UserInfo, CallClass::AccountInfo) };
        match (self.post::<UserInfo>(call, &json!({})).await, known) {
            (Ok(info), _) => {
                let snapshot = AccountSnapshot { at: SystemTime::now(), info };
                pacer.note_account_asked();
                // An answer without any news isn't worth passing on.
                if snapshot.info != UserInfo::default() {
                    pacer.keep_account(snapshot.clone());
                    if let Some(book) = book {
                        book.put(&snapshot);
                    }
                }
                Ok(snapshot)
            }
            (Err(error), Some(known)) if error.kind().is_lock() => Ok(known),
            (Err(error), _) => Err(error),
        }
    }
}
