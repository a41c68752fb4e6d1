//! The hash function Whirlpool (ISO/IEC 10118-3), as fast as the machine can compute it: for one message, and for
//! several at once.
//!
//! Whirlpool is slow where it is computed by tables, as it usually is: 20 lookups for each byte. Its state, however,
//! is as large as one 512-bit register, and its substitution box was made of tables of 16 entries. This crate computes
//! it in vector registers where the machine has them, and chooses at run time:
//!
//! | implementation | needs | one message | several at once |
//! |---|---|---|---|
//! | `avx512` | AVX-512 with VBMI, and GFNI: Intel since Ice Lake, AMD since Zen 4 | 2.6 to 3.1 | 4.3 to 5.0 |
//! | `gfni` | AVX2 and GFNI: Intel's machines without AVX-512 | 2.2 | 2.8 |
//! | `avx2` | AVX2 | 2.1 | 2.5 |
//! | `neon` | ARM's 64 bits | not measured | |
//! | `portable` | nothing | 0.7 to 0.8 | |
//!
//! The numbers are multiples of the speed of libgcrypt, the fastest of other implementations, on AMD's Zen 4 and, for
//! `avx512` and `portable`, Intel's Sapphire Rapids.
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
//! For several messages at once there are [`hash_many`] for whole ones, and [`update_many`] and [`finalize_many`] for
//! pieces. They are worth it where [`Implementation::lanes`] is more than 1.
//!
//! # Security
//!
//! No attack on the full function is known. `avx512`, `gfni` and `avx2` take the same time for all contents of the
//! same length. `portable` and, for its keys, `neon` look up in tables of 16 KiB. So other programs on the machine
//! might learn something about the content through the cache, as with other implementations by tables.

mod checksum;
mod constants;
mod hasher;
mod implementation;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
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
    checksum::{Checksum, ParseChecksumError},
    hasher::{Whirlpool, finalize_many, hash_many, update_many},
    implementation::Implementation,
};
