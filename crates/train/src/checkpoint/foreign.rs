//! Files that are no checkpoints, recognised so that an error can say what to do with them.

/// What a file with a wrong magic seems to be.
pub(super) fn looks_like(file: &[u8]) -> &'static str {
    let starts = |magic: &[u8]| file.starts_with(magic);
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        "a zip file (NPZ or PyTorch's .pt?): import weights from NPZ or safetensors"
    } else if file.get(8) == Some(&b'{') && file.get(7) == Some(&0) {
        "a safetensors file: import its weights instead"
    } else if starts(b"\x80\x02")
        || starts(b"\x80\x03")
        || starts(b"\x80\x04")
        || starts(b"\x80\x05")
    {
        "a Python pickle, which is never read: export it as safetensors"
    } else if starts(b"\x1f\x8b") {
        "a gzip file"
    } else if starts(b"\x89PNG") {
        "a PNG picture"
    } else if starts(b"\x93NUMPY") {
        "a NumPy array (.npy)"
    } else if starts(b"\x89HDF") {
        "an HDF5 file (Keras?)"
    } else if file.iter().take(64).all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
        "text"
    } else {
        "something else"
    }
}

#[cfg(test)]
mod tests {
    use crate::checkpoint::{Checkpoint, Limits};

    #[test]
    fn other_files_are_recognised() {
        let cases: [(&[u8], &str); 15] = [
            (b"PK\x03\x04....", "zip"),
            (b"PK\x05\x06....", "zip"),
            (b"\x40\0\0\0\0\0\0\0{\"a\":", "safetensors"),
            (b"\x40\0\0\0\0\0\0\x01{\"a\":", "something else"),
            (b"\x40\0\0\0\0\0\0\0[1, 2]:", "something else"),
            (b"\x80\x02\x95", "pickle"),
            (b"\x80\x03\x95", "pickle"),
            (b"\x80\x04\x95", "pickle"),
            (b"\x80\x05\x95", "pickle"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"\x89PNG\r\n", "PNG"),
            (b"\x93NUMPY\x01\0", "NumPy"),
            (b"\x89HDF\r\n", "HDF5"),
            (b"epoch,loss\n", "text"),
            (b"\xff\xfe\x00", "something else"),
        ];
        for (file, what) in cases {
            let error = Checkpoint::from_bytes(file, &Limits::default()).unwrap_err().to_string();
            assert!(error.contains("not a slalom checkpoint") && error.contains(what), "{error}");
        }
    }
}
