//! Where the fields of plain lines end, found eight bytes in one word.

use memchr::memchr_iter;
use slalom_tensor::vectorize;

/// The fields of whole lines, equally many in each.
pub(super) struct Fields<'a> {
    pub(super) piece: &'a [u8],
    /// Where each field ends: at a separator, a line feed or the end of the piece.
    ends: Vec<u32>,
    /// How many fields a line has.
    pub(super) width: usize,
}

impl<'a> Fields<'a> {
    /// The fields of a piece; nothing if some line has more or fewer than `width`.
    pub(super) fn find(piece: &'a [u8], separator: u8, width: usize) -> Option<Self> {
        let length = u32::try_from(piece.len()).ok()?;
        let mut ends = ends(piece, separator);
        let mut lines = memchr_iter(b'\n', piece).count();
        if piece.last() != Some(&b'\n') {
            ends.push(length);
            lines += 1;
        }
        let rows = ends.chunks_exact(width);
        let whole = rows.remainder().is_empty() && rows.len() == lines;
        let feed = |row: &[u32]| piece.get(row[width - 1] as usize).is_none_or(|&b| b == b'\n');
        (whole && rows.into_iter().all(feed)).then_some(Self { piece, ends, width })
    }

    /// How many lines there are.
    pub(super) fn rows(&self) -> usize {
        self.ends.len() / self.width
    }

    /// Where a field starts and ends, the carriage return of its line's end left out.
    #[inline(always)]
    pub(super) fn borders(&self, place: usize) -> (usize, usize) {
        let start = if place == 0 { 0 } else { self.ends[place - 1] as usize + 1 };
        let end = self.ends[place] as usize;
        let cut = start < end
            && self.piece[end - 1] == b'\r'
            && self.piece.get(end).is_some_and(|&b| b == b'\n');
        (start, end - usize::from(cut))
    }
}

/// Where the separators and line feeds stand.
fn ends(piece: &[u8], separator: u8) -> Vec<u32> {
    let mut ends: Vec<u32> = Vec::with_capacity(piece.len() / 4);
    let (chunks, rest) = piece.as_chunks::<64>();
    vectorize(
        #[inline(always)]
        || {
            for (chunk, first) in chunks.iter().zip((0_u32..).step_by(64)) {
                let mut marks = marks(chunk, separator);
                let wanted = ends.len() + marks.count_ones() as usize;
                // eight at a time, whether or not there are so many
                while ends.len() < wanted {
                    let mut next = [0; 8];
                    for end in &mut next {
                        *end = first + marks.trailing_zeros();
                        marks &= marks.wrapping_sub(1);
                    }
                    ends.extend_from_slice(&next);
                }
                ends.truncate(wanted);
            }
        },
    );
    let first = piece.len() - rest.len();
    let rest = rest.iter().enumerate().filter(|&(_, &b)| b == separator || b == b'\n');
    ends.extend(rest.map(|(i, _)| (first + i) as u32));
    ends
}

/// One bit for each byte that is a separator or a line feed.
#[inline(always)]
fn marks(chunk: &[u8; 64], separator: u8) -> u64 {
    let mut bits = [0; 8];
    let (words, _) = chunk.as_chunks::<8>();
    for (i, (bits, word)) in bits.iter_mut().zip(words).enumerate() {
        let word = u64::from_le_bytes(*word);
        let tops = zeros(word ^ all(separator)) | zeros(word ^ all(b'\n'));
        // the product moves the top bit of byte i to bit 56 + i
        *bits = ((tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    bits.into_iter().fold(0, |all, bits| all | bits)
}

/// A word of eight equal bytes.
pub(super) const fn all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The top bit of each byte that is zero.
#[inline(always)]
fn zeros(word: u64) -> u64 {
    !(((word & all(0x7f)) + all(0x7f)) | word) & all(0x80)
}
