//! How the slab is cut: by the configuration, never by the number of threads.

use std::ops::Range;

use crate::norm::{first_not_finite, scaled_norm, squares};
use crate::share::Shared;
use crate::simd::Level;
use crate::threads::Run;
use crate::{Block, Float, OptimError};

/// How many numbers one task takes; also the reach of one partial sum of a norm.
pub(crate) const CHUNK: usize = 1 << 15;

/// A run of numbers that one task sweeps, and the block that says how.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chunk {
    pub(crate) range: Range<usize>,
    /// The (first) block of its segment.
    pub(crate) block: usize,
}

/// The slab's chunks in order, with a partial sum for each.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) chunks: Vec<Chunk>,
    sums: Vec<f64>,
}

impl Plan {
    /// Neighbouring blocks that ask for the same are swept as one unless they are kept apart, so
    /// that a small network is one chunk; frozen blocks have no chunk.
    pub(crate) fn new(blocks: &[Block], apart: bool) -> Self {
        let mut chunks = Vec::new();
        let mut first = 0;
        while first < blocks.len() {
            let alike = |block: &&Block| !apart && block.alike(&blocks[first]);
            let count = 1 + blocks[first + 1..].iter().take_while(alike).count();
            let end = blocks[first + count - 1].range.end;
            if !blocks[first].frozen {
                let starts = (blocks[first].range.start..end).step_by(CHUNK);
                let cut = |at| Chunk { range: at..end.min(at + CHUNK), block: first };
                chunks.extend(starts.map(cut));
            }
            first += count;
        }
        Self { sums: vec![0.0; chunks.len()], chunks }
    }

    /// Measures a gradient of these blocks and gives its norm.
    ///
    /// # Errors
    /// The first number that is not finite, with its block.
    pub(crate) fn measure<F: Float>(
        &mut self,
        level: Level,
        blocks: &[Block],
        grads: &[F],
        run: &Run<'_>,
    ) -> Result<f64, OptimError> {
        let chunks = &self.chunks;
        let sums = Shared::new(&mut self.sums);
        run(chunks.len(), &|task| {
            // SAFETY: each task has a place of its own.
            let sum = unsafe { sums.part(task..task + 1) };
            sum[0] = squares(level, &grads[chunks[task].range.clone()]);
        });
        let norm = self.norm(0..self.chunks.len(), grads);
        if norm.is_finite() {
            return Ok(norm);
        }
        let trained = blocks.iter().filter(|block| !block.frozen);
        match trained.clone().find_map(|b| Some((b, first_not_finite(&grads[b.range.clone()])?))) {
            Some((block, (index, value))) => {
                Err(OptimError::NotFinite { block: block.name.clone(), index, value })
            }
            None => Ok(norm),
        }
    }

    /// The norm of each block of the gradient last measured, where blocks are kept apart.
    pub(crate) fn block_norms<F: Float>(&self, grads: &[F]) -> impl Iterator<Item = (usize, f64)> {
        self.by_block().map(|(block, chunks)| (block, self.norm(chunks, grads)))
    }

    /// Each block that is trained and the numbers of its chunks, where blocks are kept apart.
    pub(crate) fn by_block(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let mut start = 0;
        self.chunks.chunk_by(|a, b| a.block == b.block).map(move |chunks| {
            let own = start..start + chunks.len();
            start = own.end;
            (chunks[0].block, own)
        })
    }

    /// The norm over a range of chunks of the gradient last measured.
    fn norm<F: Float>(&self, range: Range<usize>, grads: &[F]) -> f64 {
        let norm = self.sums[range.clone()].iter().sum::<f64>().sqrt();
        if norm.is_finite() {
            return norm;
        }
        scaled_norm(self.chunks[range].iter().flat_map(|chunk| &grads[chunk.range.clone()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_neighbours_are_swept_as_one() {
        let blocks = [
            Block::new("a", 0..10),
            Block::new("b", 10..12),
            Block { rate: 2.0, ..Block::new("c", 12..20) },
            Block { frozen: true, ..Block::new("d", 20..30) },
            Block::new("e", 30..31),
        ];
        let found = |apart| -> Vec<_> {
            Plan::new(&blocks, apart).chunks.into_iter().map(|c| (c.block, c.range)).collect()
        };
        assert_eq!(found(false), [(0, 0..12), (2, 12..20), (4, 30..31)]);
        assert_eq!(found(true), [(0, 0..10), (1, 10..12), (2, 12..20), (4, 30..31)]);
    }

    #[test]
    fn long_blocks_are_cut_at_fixed_places() {
        let found = Plan::new(&[Block::new("a", 0..2 * CHUNK + 1)], false).chunks;
        let lengths: Vec<_> = found.iter().map(|c| c.range.len()).collect();
        assert_eq!(lengths, [CHUNK, CHUNK, 1]);
        assert_eq!(found[2].range.end, 2 * CHUNK + 1);
    }
}
