//! Cyclic redundancy checks of 32 bits: CRC-32 for zip, CRC-32C (Castagnoli) for TensorBoard.

/// The table of the polynomial whose bits, mirrored, are given.
const fn table(polynomial: u32) -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ polynomial } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

static ZIP: [u32; 256] = table(0xedb8_8320);
static CASTAGNOLI: [u32; 256] = table(0x82f6_3b78);

/// CRC-32 as in zip, gzip and PNG.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    run(&ZIP, bytes)
}

/// CRC-32C as in iSCSI.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    run(&CASTAGNOLI, bytes)
}

fn run(table: &[u32; 256], bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| (crc >> 8) ^ table[usize::from(crc as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_are_those_of_the_catalogue() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!((crc32(b""), crc32c(b"")), (0, 0));
    }
}
