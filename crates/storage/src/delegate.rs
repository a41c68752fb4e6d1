//! Macros that pass on what a wrapper doesn't change.

/// Passes methods of [`Remote`](crate::Remote) on to the remote in a field.
///
/// For use inside `#[async_trait] impl Remote for …`, with the field and the methods' names. A method that is neither
/// named nor written doesn't compile, since the trait has no bodies.
///
/// ```
/// use std::sync::Arc;
/// use async_trait::async_trait;
/// use fichier_storage::{delegate_remote, Outcome, Remote, RemoteExt, RemotePath};
///
/// /// A remote that makes no folders.
/// #[derive(Debug)]
/// struct Flat(Arc<dyn Remote>);
///
/// #[async_trait]
/// impl Remote for Flat {
///     delegate_remote!(0: info, place, list, find, forget, reader, write, copy, rename, remove, remove_unchanged,
///         remove_folders, rename_folders, set_modified, extensions);
///
///     async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
///         self.all_unsupported(batch, "make directories")
///     }
/// }
/// ```
#[macro_export]
macro_rules! delegate_remote {
    ($field:tt: $($method:ident),+ $(,)?) => { $($crate::delegate_method!($field, $method);)+ };
}

/// Passes on one method of [`delegate_remote!`]. Asynchronous ones are written as `async_trait` makes them, since
/// that doesn't look into macros. So nothing is boxed twice.
#[doc(hidden)]
#[macro_export]
macro_rules! delegate_method {
    ($field:tt, info) => {
        fn info(&self) -> &$crate::RemoteInfo {
            self.$field.info()
        }
    };
    ($field:tt, forget) => {
        fn forget(&self, folder: &$crate::RemotePath) {
            self.$field.forget(folder)
        }
    };
    ($field:tt, reader) => {
        fn reader(&self, file: &$crate::File) -> ::std::sync::Arc<dyn $crate::FileReader> {
            self.$field.reader(file)
        }
    };
    ($field:tt, extensions) => {
        fn extensions(&self) -> $crate::Extensions<'_> {
            self.$field.extensions()
        }
    };
    ($field:tt, place) => {
        $crate::delegate_method!(@async $field, place(folder: &'b $crate::RemotePath) -> $crate::Result<$crate::PlaceId>);
    };
    ($field:tt, list) => {
        $crate::delegate_method!(
            @async $field,
            list(folder: &'b $crate::RemotePath, age: $crate::Freshness) -> $crate::Result<$crate::Listing>
        );
    };
    ($field:tt, find) => {
        $crate::delegate_method!(
            @async $field,
            find(path: &'b $crate::RemotePath, age: $crate::Freshness) -> $crate::Result<$crate::Entry>
        );
    };
    ($field:tt, write) => {
        fn write<'a, 'async_trait>(
            &'a self,
            batch: $crate::WriteBatch,
        ) -> $crate::delegate::Answer<'async_trait, ::std::vec::Vec<$crate::Outcome<$crate::File>>>
        where
            'a: 'async_trait,
            Self: 'async_trait,
        {
            self.$field.write(batch)
        }
    };
    ($field:tt, copy) => {
        $crate::delegate_method!(
            @async $field,
            copy(batch: &'b [$crate::Relocation]) -> ::std::vec::Vec<$crate::Outcome<$crate::File>>
        );
    };
    ($field:tt, rename) => {
        $crate::delegate_method!(
            @async $field,
            rename(batch: &'b [$crate::Relocation]) -> ::std::vec::Vec<$crate::Outcome<$crate::File>>
        );
    };
    ($field:tt, remove) => {
        $crate::delegate_method!(@list $field, remove($crate::File));
    };
    ($field:tt, remove_unchanged) => {
        $crate::delegate_method!(@list $field, remove_unchanged($crate::File));
    };
    ($field:tt, make_folders) => {
        $crate::delegate_method!(@list $field, make_folders($crate::RemotePath));
    };
    ($field:tt, remove_folders) => {
        $crate::delegate_method!(@list $field, remove_folders($crate::RemotePath));
    };
    ($field:tt, rename_folders) => {
        $crate::delegate_method!(@list $field, rename_folders($crate::FolderRelocation));
    };
    ($field:tt, set_modified) => {
        $crate::delegate_method!(@list $field, set_modified(($crate::File, ::std::time::SystemTime)));
    };
    (@list $field:tt, $method:ident($item:ty)) => {
        $crate::delegate_method!(
            @async $field,
            $method(batch: &'b [$item]) -> ::std::vec::Vec<$crate::Outcome<()>>
        );
    };
    (@async $field:tt, $method:ident($first:ident: $type:ty $(, $other:ident: $other_type:ty)*) -> $answer:ty) => {
        fn $method<'a, 'b, 'async_trait>(
            &'a self,
            $first: $type,
            $($other: $other_type,)*
        ) -> $crate::delegate::Answer<'async_trait, $answer>
        where
            'a: 'async_trait,
            'b: 'async_trait,
            Self: 'async_trait,
        {
            self.$field.$method($first $(, $other)*)
        }
    };
}

/// Return type of an asynchronous method of a trait.
#[doc(hidden)]
pub type Answer<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
