//! Files that the service fetches from the web by itself: "remote upload" (API document, section 10).

use fichier_api::RequestRemoteUpload;
use fichier_storage::{FetchRequest, FetchResult, FetchState, FetchTask, RemotePath, Result};

use super::{FichierRemote, error::failed};

impl FichierRemote {
    /// Asks the service to fetch addresses; returns the number of the task.
    pub(super) async fn request_fetch(&self, request: &FetchRequest) -> Result<u64> {
        let (folder, _) = self.tree.ensure(&request.folder).await?;
        let ask = RequestRemoteUpload {
            urls: request.addresses.clone(),
            folder: Some(folder),
            headers: request.headers.clone(),
        };
        // Files may arrive there at any time from now on.
        self.tree.catalogue().expect_into(folder);
        match self.client.because("have files fetched").request_remote_upload(&ask).await {
            Ok(task) => Ok(task.id),
            Err(error) if error.maybe_done() => {
                // The request isn't repeated, which might fetch everything twice: if it was taken, it is the last task.
                match self.last_fetch_of(&request.addresses).await {
                    Some(id) => Ok(id),
                    None => Err(failed("have files fetched into", &request.folder, error)),
                }
            }
            Err(error) => Err(failed("have files fetched into", &request.folder, error)),
        }
    }

    /// Returns the last task, if it is about these addresses.
    async fn last_fetch_of(&self, addresses: &[String]) -> Option<u64> {
        let client = self.client.because("look whether it was done");
        let id = client.remote_uploads().await.ok()?.into_iter().filter_map(|task| task.id).max()?;
        (client.remote_upload(id).await.ok()?.links == addresses).then_some(id)
    }

    /// Returns all tasks that the service knows.
    pub(super) async fn all_fetch_tasks(&self) -> Result<Vec<FetchTask>> {
        let told = self.client.because("list what is fetched").remote_uploads().await;
        let tasks = told.map_err(|error| failed("list what is fetched by", &RemotePath::root(), error))?;
        let task = |task: fichier_api::RemoteUpload| {
            Some(FetchTask {
                id: task.id?,
                requested: task.request_date.map(|date| date.to_string()),
                executed: task.execution_date.map(|date| date.to_string()),
            })
        };
        Ok(tasks.into_iter().filter_map(task).collect())
    }

    /// Returns the results for the addresses of a task.
    pub(super) async fn results_of_fetch(&self, id: u64) -> Result<Vec<FetchResult>> {
        let told = self.client.because("look what was fetched").remote_upload(id).await;
        let info = told.map_err(|error| failed("look what was fetched by", &RemotePath::root(), error))?;
        let mut results: Vec<FetchResult> = Vec::new();
        let mut waiting = info.links;
        for result in info.result {
            let address = result.url.unwrap_or_default();
            if let Some(place) = waiting.iter().position(|link| *link == address) {
                waiting.remove(place);
            }
            let done = result.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("ok"));
            let link = result.download_link.filter(|link| !link.is_empty());
            let state = match (done, result.status) {
                (true, _) => FetchState::Done,
                (false, Some(_)) => FetchState::Failed,
                (false, None) => FetchState::Waiting,
            };
            let message = result.message.filter(|message| !message.is_empty());
            results.push(FetchResult { address, state, message, link });
        }
        results.extend(waiting.into_iter().map(|address| FetchResult {
            address,
            state: FetchState::Waiting,
            message: None,
            link: None,
        }));
        Ok(results)
    }
}
