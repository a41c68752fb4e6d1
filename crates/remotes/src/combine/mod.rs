//! The `combine` remote: folders of several remotes, shown side by side as the folders of one.

mod extensions;
mod member;
mod remote;
mod settings;
mod upstreams;

#[cfg(test)]
mod tests;

pub(crate) use settings::BACKEND;
