//! Gaussian noise: every coordinate of every class is an independent `N(0, 1)`.

use wowflow::rng::Stream;

pub(super) const CLASSES: usize = 10;

/// Draws a block, so that one sample of any dimension needs no more than this beside its output.
const BLOCK: usize = 256;

pub(super) fn fill(stream: Stream, out: &mut [f32]) {
    let mut block = [0.0; BLOCK];
    for (index, chunk) in out.chunks_mut(BLOCK).enumerate() {
        let normals = &mut block[..chunk.len()];
        stream.normals((index * BLOCK) as u64, normals);
        for (value, &normal) in chunk.iter_mut().zip(&*normals) {
            *value = normal as f32;
        }
    }
}
