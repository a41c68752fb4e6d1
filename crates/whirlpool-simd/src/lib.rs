//! The hash function Whirlpool (ISO/IEC 10118-3), as fast as the machine can: for one message, and for several at
//! once.
//!
//! Whirlpool is slow where it is computed by tables, as it usually is: 20 lookups for each byte. Its state, however,
//! is as large as one 512-bit register, and its substitution box was made of tables of 16 entries. This crate computes
//! it in vector registers where the machine has them, and chooses at run time:
//!
//! | implementation | needs | in one stream |
//! |---|---|---|
//! | `avx512` | AVX-512 with VBMI, and GFNI: Intel since Ice Lake, AMD since Zen 4 | 4 to 5 times OpenSSL |
//! | `avx2` | AVX2 | 1.6 times OpenSSL |
//! | `portable` | nothing | about as OpenSSL |
//!
//! # Use
//!
//! [`Whirlpool`] has the traits of the crate `digest` 0.11, which is re-exported:
//!
//! ```
//! use whirlpool_simd::{Digest as _, Whirlpool};
//!
//! let mut hasher = Whirlpool::new();
//! hasher.update(b"a");
//! hasher.update(b"bc");
//! assert_eq!(hasher.finalize()[..4], [0x4e, 0x24, 0x48, 0xa4]);
//! ```
//!
//! Several messages at once: [`hash_many`] for whole ones, [`update_many`] and [`finalize_many`] for pieces. That is
//! worth it where [`Implementation::lanes`] is more than 1.
//!
//! # Security
//!
//! No attack on the full function is known. The vector implementations take the same time for all contents of the same
//! length. The portable one looks up in tables of 16 KiB, so by the cache it can tell other programs on the machine
//! something about what it hashes, as other implementations by tables do.

mod constants;
mod hasher;
mod implementation;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod columns;
#[cfg(target_arch = "x86_64")]
mod gfni;

pub use digest::{self, Digest};

pub use self::{
    hasher::{Whirlpool, finalize_many, hash_many, update_many},
    implementation::Implementation,
};
