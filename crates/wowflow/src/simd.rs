//! Loops compiled for several sets of instructions, the set chosen at run time.

use pulp::{Arch, NullaryFnOnce};

/// Runs an operation with vectors of up to 256 bits.
///
/// For loops over small arrays: given wider vectors, the compiler vectorises the loop around the
/// arrays with gathers and scatters, which takes several times as long.
#[inline]
pub(crate) fn dispatch256<O: NullaryFnOnce>(operation: O) -> O::Output {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(operation);
    }
    Arch::new().dispatch(operation)
}

/// Whether a product and a sum are one instruction in [`dispatch256`]; elsewhere `mul_add` would be a
/// call of a function.
#[inline]
pub(crate) fn fuses() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    return pulp::x86::V3::try_new().is_some();
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    return cfg!(target_arch = "aarch64");
}

/// Runs an operation with the widest vectors there are.
#[inline]
pub(crate) fn dispatch<O: NullaryFnOnce>(operation: O) -> O::Output {
    Arch::new().dispatch(operation)
}
