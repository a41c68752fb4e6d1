//! The options of the backend `combine`, declared and read.

use std::sync::Arc;

use fichier_storage::Remote;
use futures::FutureExt as _;

use crate::backend::{
    BackendSpec, Chosen, DESCRIPTION, InvalidValue, OpenError, Opening, Opens, OptionKind, OptionSpec,
};

use super::{member::Member, remote::CombineRemote, upstreams};

/// The backend `combine`.
pub(crate) static BACKEND: BackendSpec = BackendSpec {
    name: "combine",
    description: "Show places on several remotes as the directories of one",
    options: &OPTIONS,
    has_account: false,
    needs_one_of: &["upstreams"],
    opens: Opens::Over(|opening, chosen| {
        async move { open(opening, chosen).await.map(|remote| Arc::new(remote) as Arc<dyn Remote>) }.boxed()
    }),
};

static OPTIONS: [OptionSpec; 2] = [
    OptionSpec::new(
        "upstreams",
        OptionKind::Text,
        "",
        "The directories and the places that they show.\n\nAs dir=remote:path dir2=remote2:path2. A value with spaces \
         stands in quotes: \"my dir=remote:my path\". Each place may be on a remote of any type, a directory of this \
         computer too.",
    )
    .required()
    .checked(|text| upstreams::read(text).map(drop)),
    DESCRIPTION,
];

async fn open(opening: Opening<'_>, chosen: Chosen<'_>) -> Result<CombineRemote, OpenError> {
    let wrong = |source| OpenError::Value { remote: opening.name.to_owned(), source };
    let text = chosen.text("upstreams").map_err(wrong)?.unwrap_or_default();
    let read = upstreams::read(&text);
    let read = read.map_err(|reason| wrong(InvalidValue { option: "upstreams", reason }))?;
    let mut members = Vec::with_capacity(read.len());
    for upstream in read {
        let place = &upstream.place;
        if place.strip_prefix(opening.name).is_some_and(|rest| rest.starts_with([':', ','])) {
            let reason = "one of its upstreams is the remote itself; give it another value";
            return Err(OpenError::Nowhere { remote: opening.name.to_owned(), reason });
        }
        members.push(Member { name: upstream.name, at: opening.resolver.resolve(place).await? });
    }
    Ok(CombineRemote::new(format!("{}:", opening.name), members).await?)
}
