//! Loops compiled for several sets of instructions, the set chosen at run time.

use pulp::{Arch, NullaryFnOnce};

/// Runs an operation with vectors of up to 256 bits: over small arrays, wider ones lead the compiler to gather.
#[inline]
pub(crate) fn dispatch256<O: NullaryFnOnce>(operation: O) -> O::Output {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(operation);
    }
    Arch::new().dispatch(operation)
}
