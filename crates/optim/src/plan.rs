//! How the slab is cut: by the configuration, never by the number of threads.

use std::ops::Range;

use crate::norm::{first_not_finite, scaled_norm, squares};
use crate::share::Cuts;
use crate::simd::Level;
use crate::threads::Run;
use crate::{Block, Float, OptimError};

/// How many numbers one task takes; also the reach of one partial sum of a norm.
pub(crate) const CHUNK: usize = 1 << 13;

/// The slab's chunks in order: neighbouring short blocks that ask for the same are swept as one unless
/// they are kept apart, so that a small network is one chunk; frozen blocks have no chunk. What a
/// rule decays by itself makes exempt blocks differ.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) cuts: Cuts,
    /// The (first) block of each chunk, which says how the chunk is treated.
    pub(crate) blocks: Vec<usize>,
}

impl Plan {
    pub(crate) fn new(blocks: &[Block], apart: bool, decay: f64) -> Self {
        let (mut ranges, mut owners) = (Vec::new(), Vec::new());
        let mut first = 0;
        while first < blocks.len() {
            // the chunks of a long block are its own, and begin where it does
            let short = |block: &Block| block.range.len() < CHUNK;
            let joins = !apart && short(&blocks[first]);
            let alike = |b: &&Block| joins && short(b) && b.alike(&blocks[first], decay);
            let count = 1 + blocks[first + 1..].iter().take_while(alike).count();
            let end = blocks[first + count - 1].range.end;
            if !blocks[first].frozen {
                let starts = (blocks[first].range.start..end).step_by(CHUNK);
                ranges.extend(starts.map(|start| start..end.min(start + CHUNK)));
                owners.resize(ranges.len(), first);
            }
            first += count;
        }
        Self { cuts: Cuts::new(ranges), blocks: owners }
    }

    /// Measures a gradient of these blocks and gives its norm.
    ///
    /// # Errors
    /// The first number that is not finite, with its block.
    pub(crate) fn measure<F: Float>(
        &self,
        level: Level,
        blocks: &[Block],
        grads: &[F],
        run: &Run<'_>,
    ) -> Result<f64, OptimError> {
        let ranges = self.cuts.ranges();
        run(ranges.len(), &|task| {
            self.cuts.set_sum(task, squares(level, &grads[ranges[task].clone()]));
        });
        self.checked_norm(blocks, grads)
    }

    /// The norm of the gradient last measured.
    ///
    /// # Errors
    /// The first number that is not finite, with its block.
    pub(crate) fn checked_norm<F: Float>(
        &self,
        blocks: &[Block],
        grads: &[F],
    ) -> Result<f64, OptimError> {
        let norm = self.norm(0..self.blocks.len(), grads);
        if !norm.is_finite() {
            for block in blocks.iter().filter(|block| !block.frozen) {
                check_finite(block, &grads[block.range.clone()])?;
            }
        }
        Ok(norm)
    }

    /// The norm of each block of the gradient last measured, where blocks are kept apart.
    pub(crate) fn block_norms<F: Float>(&self, grads: &[F]) -> impl Iterator<Item = (usize, f64)> {
        self.by_block().map(|(block, chunks)| (block, self.norm(chunks, grads)))
    }

    /// Each block that is trained and the numbers of its chunks, where blocks are kept apart.
    pub(crate) fn by_block(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let mut start = 0;
        self.blocks.chunk_by(|a, b| a == b).map(move |owners| {
            let chunks = start..start + owners.len();
            start = chunks.end;
            (owners[0], chunks)
        })
    }

    /// The norm over a range of chunks of the gradient last measured.
    fn norm<F: Float>(&self, chunks: Range<usize>, grads: &[F]) -> f64 {
        let norm = self.cuts.sum(chunks.clone()).sqrt();
        if norm.is_finite() {
            return norm;
        }
        scaled_norm(self.cuts.ranges()[chunks].iter().flat_map(|range| &grads[range.clone()]))
    }
}

/// Refuses a gradient of a block that holds NaN or infinities.
pub(crate) fn check_finite<F: Float>(block: &Block, grads: &[F]) -> Result<(), OptimError> {
    match first_not_finite(grads) {
        None => Ok(()),
        Some((index, value)) => {
            Err(OptimError::NotFinite { block: block.name.clone(), index, value })
        }
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
            let plan = Plan::new(&blocks, apart, 0.0);
            plan.blocks.iter().copied().zip(plan.cuts.ranges().to_vec()).collect()
        };
        assert_eq!(found(false), [(0, 0..12), (2, 12..20), (4, 30..31)]);
        assert_eq!(found(true), [(0, 0..10), (1, 10..12), (2, 12..20), (4, 30..31)]);
    }

    #[test]
    fn exempt_from_nothing_is_no_border() {
        let blocks = [Block::new("w", 0..10), Block { exempt: true, ..Block::new("b", 10..12) }];
        assert_eq!(Plan::new(&blocks, false, 0.0).blocks, [0]);
        assert_eq!(Plan::new(&blocks, false, 0.01).blocks, [0, 1]);
        let penalised = blocks.map(|block| Block { l2: 0.1, ..block });
        assert_eq!(Plan::new(&penalised, false, 0.0).blocks, [0, 1]);
    }

    #[test]
    fn long_blocks_are_cut_at_fixed_places() {
        let plan = Plan::new(
            &[Block::new("a", 0..2 * CHUNK + 1), Block::new("b", 2 * CHUNK + 1..2 * CHUNK + 2)],
            true,
            0.0,
        );
        let lengths: Vec<_> = plan.cuts.ranges().iter().map(Range::len).collect();
        assert_eq!(lengths, [CHUNK, CHUNK, 1, 1]);
        let by_block: Vec<_> = plan.by_block().collect();
        assert_eq!(by_block, [(0, 0..3), (1, 3..4)]);
    }

    #[test]
    fn long_blocks_keep_their_chunks_to_themselves() {
        let mut end = 0;
        let blocks = [9, CHUNK + 1, 5, 7, CHUNK, CHUNK - 1, 1].map(|length| {
            end += length;
            Block::new(end.to_string(), end - length..end)
        });
        let plan = Plan::new(&blocks, false, 0.0);
        let found: Vec<_> = plan.cuts.ranges().iter().map(Range::len).zip(plan.blocks).collect();
        assert_eq!(found, [(9, 0), (CHUNK, 1), (1, 1), (12, 2), (CHUNK, 4), (CHUNK, 5)]);
    }
}
